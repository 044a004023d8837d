"""What ``+``, ``-``, ``*``, ``/``, ``@`` and ``**`` between operators mean."""

from types import ModuleType
from typing import Any, Self

from convops._arrays import dense
from convops.operators.algebra.scalars import is_operator, is_scalar


def _combine() -> ModuleType:
    """Return the module that makes the composites: they are operators too, hence imported late."""
    from convops.operators.algebra import combine

    return combine


class Algebra:
    """Mixin that makes composites of convops out of operators, in front of SciPy's `LinearOperator`.

    An operator of another package that stands on the left decides for itself; SciPy's and PyLops' make
    composites of their own, which act on vectors.
    """

    T: Any

    def __add__(self, other: Any) -> Any:
        return _combine().added(self, other)

    def __radd__(self, other: Any) -> Any:
        return _combine().added(other, self)

    def __sub__(self, other: Any) -> Any:
        return _combine().subtracted(self, other)

    def __rsub__(self, other: Any) -> Any:
        return _combine().subtracted(other, self)

    def __neg__(self) -> Any:
        return _combine().scaled(self, -1)

    def __pos__(self) -> Self:
        return self

    def __mul__(self, other: Any) -> Any:
        return self.dot(other)

    def __rmul__(self, other: Any) -> Any:
        if is_scalar(other) or is_operator(other):
            return _combine().times(other, self)
        x = dense("x", other)
        if x.ndim == 1:
            return self.T.matvec(x)
        return self.T.matmat(x.swapaxes(-1, -2)).swapaxes(-1, -2)

    def __matmul__(self, other: Any) -> Any:
        _refuse_scalar(other)
        return self.dot(other)

    def __rmatmul__(self, other: Any) -> Any:
        _refuse_scalar(other)
        return self.__rmul__(other)

    def __truediv__(self, other: Any) -> Any:
        return _combine().divided(self, other)

    def __pow__(self, exponent: Any) -> Any:
        return _combine().power(self, exponent)

    def dot(self, x: Any) -> Any:
        """Return the product ``A @ x``; a scalar or an operator as x makes an operator."""
        raise NotImplementedError

    def gram(self) -> Any:
        """Return AᴴA, an operator whose ``.H`` is itself.

        Applied as ``A.H(A(x))``, or where AᴴA is known to be a convolution again and one product with that
        is expected to be faster, by that: on every axis stride 1 and either boundary "wrap" with as many
        outputs as samples, or zeros with the padding of "full". Under any other boundary or stride AᴴA is
        no convolution: its rows differ with the distance to the border, or from phase to phase.

        Returns
        -------
        LinearOperator
            Of shape ``(N, N)``, with `tosparse`, and ``.convolution``, the `Conv` that it equals, or None.

        Examples
        --------
        >>> from convops import Conv
        >>> G = Conv([1, 2], 4, padding="same", boundary="wrap").gram()
        >>> print(G.toarray())
        [[5 2 0 2]
         [2 5 2 0]
         [0 2 5 2]
         [2 0 2 5]]
        >>> G.H is G, G.convolution.weight.tolist()
        (True, [2, 5, 2])
        """
        return _combine().gram(self)

    def cogram(self) -> Any:
        """Return AAᴴ, an operator whose ``.H`` is itself: the Gram operator of ``A.H``.

        A convolution again where every stride is 1 and each axis has boundary "wrap" with as many outputs
        as samples, or zeros without padding.

        Returns
        -------
        LinearOperator
            Of shape ``(M, M)``; see `gram`.

        Examples
        --------
        >>> from convops import Conv
        >>> print(Conv([1, 2], 4).cogram().toarray())
        [[5 2 0]
         [2 5 2]
         [0 2 5]]
        """
        return _combine().cogram(self)

    def _times(self, other: Any) -> Any:
        return _combine().times(self, other)


def _refuse_scalar(other: Any) -> None:
    if is_scalar(other):
        raise ValueError(f"{other!r} is a scalar: '@' needs a vector or a matrix. Scale with '*'.")

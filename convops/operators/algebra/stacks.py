"""Operators side by side: on top of each other, next to each other, and along the diagonal."""

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from scipy import sparse

from convops._arguments import shown
from convops._arrays import Array
from convops.operators._messages import Shape
from convops.operators.algebra.composite import Composite, Pass, gain_of, listed, mirrored, text_of
from convops.operators.algebra.foreign import as_part
from convops.operators.algebra.pieces import join_arrays, split_array, whole_shape
from convops.operators.algebra.scalars import add_to, is_operator, product_dtype
from convops.operators.algebra.shapes import common


class _Blocks(Composite):
    """What the three have in common: parts in a list, each with its piece of a longer vector."""

    _name: str

    def _arguments(self) -> tuple[Any, ...]:
        return self.parts

    def _structure(self) -> str:
        return f"{self._name}([{listed([text_of(part, 0) for part in self.parts], ', ')}])"

    def _dtype(self, parts: tuple[Any, ...]) -> np.dtype[Any]:
        return product_dtype(*(part.dtype for part in parts))

    @property
    def _convops_gain(self) -> float:
        return sum(map(gain_of, self.parts))

    @property
    def _inputs(self) -> tuple[Shape, ...]:
        return tuple(part.input_shape for part in self.parts)

    @property
    def _outputs(self) -> tuple[Shape, ...]:
        return tuple(part.output_shape for part in self.parts)

    def _pieces(self, x: Array, how: Pass, outputs: bool) -> list[Array]:
        """Return the piece of x that belongs to each part, on the side of the inputs or of the outputs."""
        ends = [0, *accumulate(part.shape[not outputs] for part in self.parts)]
        return [how.piece(x, start, stop) for start, stop in pairwise(ends)]

    def _one_below_another(self, x: Array, how: Pass) -> Array:
        return np.concatenate([how(part, x) for part in self.parts], axis=how.axis)

    def _added_up(self, x: Array, how: Pass) -> Array:
        pieces = self._pieces(x, how, outputs=how.adjoint)
        return reduce(add_to, (how(part, piece) for part, piece in zip(self.parts, pieces, strict=True)))


class VStack(_Blocks):
    """Operators on top of each other: all read the same arrays."""

    _name = "vstack"

    def __init__(self, *parts: Any) -> None:
        text = f"vstack([{', '.join(text_of(part, 0) for part in parts)}])"
        inputs = common(
            text, "operators on top of each other must have one input_shape", parts, "input_shape"
        )
        self._setup(
            parts, self._dtype(parts), inputs, whole_shape(tuple(part.output_shape for part in parts))
        )

    def split(self, y: Any) -> list[Array]:
        """Return what each operator has in y.

        Parameters
        ----------
        y : array_like, shape ``(*batch, *output_shape)`` or ``(..., M)``
            What the operator returns, as an array or as vectors.

        Returns
        -------
        list of ndarray
            One copy for each operator, of shape ``(*batch, *its output_shape)``.

        Raises
        ------
        ValueError
            If y is of another shape.
        """
        return split_array("y", y, self.output_shape, self._outputs)

    def join(self, arrays: Any) -> Array:
        """Return the y that `split` parts into `arrays`.

        Parameters
        ----------
        arrays : sequence of array_like
            One for each operator, of shape ``(*batch, *its output_shape)``; a number stands for an array
            full of it.

        Returns
        -------
        ndarray, shape ``(*batch, *output_shape)``
            Its ``ravel()`` is the right-hand side that a solver takes.

        Raises
        ------
        ValueError
            If the number of arrays or a shape does not fit.
        """
        return join_arrays(arrays, self.output_shape, self._outputs)

    def _act(self, x: Array, how: Pass) -> Array:
        return self._added_up(x, how) if how.adjoint else self._one_below_another(x, how)

    def _matrix(self) -> Any:
        return sparse.vstack([self._matrix_of(part) for part in self.parts], format="csr")

    def _mirrored(self, conjugated: bool) -> Composite:
        return HStack(*(mirrored(part, conjugated) for part in self.parts))


class HStack(_Blocks):
    """Operators next to each other: each reads arrays of its own, and the results add up."""

    _name = "hstack"

    def __init__(self, *parts: Any) -> None:
        text = f"hstack([{', '.join(text_of(part, 0) for part in parts)}])"
        outputs = common(
            text, "operators next to each other must have one output_shape", parts, "output_shape"
        )
        self._setup(
            parts, self._dtype(parts), whole_shape(tuple(part.input_shape for part in parts)), outputs
        )

    def split(self, x: Any) -> list[Array]:
        """Return what each operator reads of x, of shape ``(*batch, *input_shape)`` or ``(..., N)``."""
        return split_array("x", x, self.input_shape, self._inputs)

    def join(self, arrays: Any) -> Array:
        """Return the x that `split` parts into `arrays`, one for each operator; a number fills an array."""
        return join_arrays(arrays, self.input_shape, self._inputs)

    def _act(self, x: Array, how: Pass) -> Array:
        return self._one_below_another(x, how) if how.adjoint else self._added_up(x, how)

    def _matrix(self) -> Any:
        return sparse.hstack([self._matrix_of(part) for part in self.parts], format="csr")

    def _mirrored(self, conjugated: bool) -> Composite:
        return VStack(*(mirrored(part, conjugated) for part in self.parts))


class BlockDiag(_Blocks):
    """Operators along the diagonal: each reads and returns arrays of its own."""

    _name = "block_diag"

    def __init__(self, *parts: Any) -> None:
        inputs, outputs = (
            whole_shape(tuple(getattr(part, name) for part in parts))
            for name in ("input_shape", "output_shape")
        )
        self._setup(parts, self._dtype(parts), inputs, outputs)

    @property
    def _convops_gain(self) -> float:
        return max(map(gain_of, self.parts))

    def split(self, x: Any) -> list[Array]:
        """Return what each operator reads of x, as `hstack` does; ``A.H.split(y)`` is what each returns."""
        return split_array("x", x, self.input_shape, self._inputs)

    def join(self, arrays: Any) -> Array:
        """Return the x that `split` parts into `arrays`, one for each operator; a number fills an array."""
        return join_arrays(arrays, self.input_shape, self._inputs)

    def _act(self, x: Array, how: Pass) -> Array:
        pieces = self._pieces(x, how, outputs=how.adjoint)
        images = [how(part, piece) for part, piece in zip(self.parts, pieces, strict=True)]
        return np.concatenate(images, axis=how.axis)

    def _matrix(self) -> Any:
        return sparse.block_diag([self._matrix_of(part) for part in self.parts], format="csr")

    def _mirrored(self, conjugated: bool) -> Composite:
        return BlockDiag(*(mirrored(part, conjugated) for part in self.parts))


def operators_of(operators: Any) -> list[Any]:
    """Return what a user lists as parts."""
    if not isinstance(operators, list | tuple):
        raise TypeError(
            f"{shown('operators', operators)}: a list of operators is needed, as in vstack([A, B]); got "
            f"{type(operators).__name__}."
        )
    if not operators:
        raise ValueError(f"{shown('operators', operators)}: at least one operator is needed; got none.")
    for number, op in enumerate(operators):
        if not is_operator(op):
            raise TypeError(
                f"operators[{number}] is a {type(op).__name__}: every part must be a linear operator. Wrap a "
                "matrix in scipy.sparse.linalg.aslinearoperator."
            )
    return [as_part(op) for op in operators]


def vstack(operators: Sequence[Any]) -> VStack:
    """Return operators on top of each other: ``[A; B]``, which reads x once for each.

    The operator of regularised least squares: ``V = vstack([A, damp * D])`` makes ‖V x − b‖² of
    ‖A x − y‖² + ‖damp · D x‖² with ``b = V.join([y, 0])``, and ``V.split(b - V(x))`` are the residuals, as
    arrays.

    Parameters
    ----------
    operators : list or tuple of LinearOperator
        All with one input_shape; of convops, of SciPy, or of another package that derives from it.

    Returns
    -------
    LinearOperator
        ``output_shape`` is ``(len(operators), *output_shape of each)`` where these are equal, else ``(M,)``.
        ``.split(y)`` gives the arrays of the parts, ``.join(arrays)`` puts them together.

    Raises
    ------
    TypeError, ValueError
        If a part is no operator, or takes other arrays than the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, vstack
    >>> A, D = Conv([1, 1, 1], 3, padding=1), Conv([1, -1], 3)
    >>> V = vstack([A, 2 * D])
    >>> print(V.toarray())
    [[ 1  1  0]
     [ 1  1  1]
     [ 0  1  1]
     [ 2 -2  0]
     [ 0  2 -2]]
    >>> V.join([[1, 2, 3], 0])
    array([1, 2, 3, 0, 0])
    >>> V.split(V([1, 2, 4]))
    [array([3, 7, 6]), array([-2, -4])]
    """
    return VStack(*operators_of(operators))


def hstack(operators: Sequence[Any]) -> HStack:
    """Return operators next to each other: ``[A, B]``, which adds up what each makes of its own input.

    Parameters
    ----------
    operators : list or tuple of LinearOperator
        All with one output_shape.

    Returns
    -------
    LinearOperator
        ``input_shape`` is ``(len(operators), *input_shape of each)`` where these are equal, else ``(N,)``.
        ``.split(x)`` gives the arrays of the parts, ``.join(arrays)`` puts them together.

    Raises
    ------
    TypeError, ValueError
        If a part is no operator, or returns other arrays than the rest.

    Examples
    --------
    >>> from convops import Conv, hstack
    >>> H = hstack([Conv([1, 2], 3), Conv([3], 2)])
    >>> print(H.toarray())
    [[1 2 0 3 0]
     [0 1 2 0 3]]
    >>> H(H.join([[1, 1, 1], [0, 10]]))
    array([ 3, 33])
    """
    return HStack(*operators_of(operators))


def block_diag(operators: Sequence[Any]) -> BlockDiag:
    """Return operators along the diagonal: each has an input and an output of its own.

    Parameters
    ----------
    operators : list or tuple of LinearOperator
        Of any shapes.

    Returns
    -------
    LinearOperator
        ``input_shape`` and ``output_shape`` are ``(len(operators), *shape of each)`` where these are equal,
        else ``(N,)`` and ``(M,)``. ``.split(x)`` and ``.join(arrays)`` are those of the input;
        ``.H.split(y)`` and ``.H.join(arrays)`` those of the output.

    Raises
    ------
    TypeError, ValueError
        If a part is no operator.

    Examples
    --------
    >>> from convops import Conv, block_diag
    >>> print(block_diag([Conv([1, 2], 3), Conv([3], 2)]).toarray())
    [[1 2 0 0 0]
     [0 1 2 0 0]
     [0 0 0 3 0]
     [0 0 0 0 3]]
    """
    return BlockDiag(*operators_of(operators))

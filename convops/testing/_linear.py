"""`assert_linear`: that a forward map is linear, whether it has an adjoint or not."""

from typing import Any

from convops._arguments import integer
from convops.adjoint.linearity import additivity, homogeneity, precision
from convops.adjoint.pair import BrokenContract
from convops.adjoint.samples import Half, Samples
from convops.testing._maps import maps_of


def assert_linear(
    op: Any,
    input_shape: Any = None,
    output_shape: Any = None,
    dtype: Any = None,
    *,
    seed: int = 0,
) -> None:
    """Assert that a map is linear; its adjoint is not applied and need not exist.

    A(0) = 0, A(−x) = −A(x) and A(2ᵖx) = 2ᵖA(x) must hold bit for bit, because none of them changes a
    digit; A(x₁ + x₂) = A(x₁) + A(x₂), and A(ix) = iA(x) for complex maps, up to what rounding in the dtype
    explains.

    Parameters
    ----------
    op : LinearOperator or callable
        An operator with ``shape``, ``dtype`` and ``matvec``; or a function of one array.
    input_shape, output_shape : int or sequence of int, optional
        Shapes of what a function takes and returns; default of the second: what it returns for zeros.
    dtype : dtype or (dtype, dtype), optional
        In which the map works, as for `check_adjoint`. Default: that of the operator; float64 for functions.
    seed : int, default 0
        Of the random probes.

    Raises
    ------
    AssertionError
        If the map is not linear, with what was found.
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from convops.testing import assert_linear
    >>> assert_linear(np.cumsum, 100)
    >>> assert_linear(np.sort, 100)
    Traceback (most recent call last):
        ...
    AssertionError: sort is not linear (seed 0)
      homogeneity FAILED forward(-x) is not -forward(x): entry 0 is ..., not ...; ... entries differ
      additivity  FAILED not forward(x1 + x2) = forward(x1) + forward(x2): the sides differ by ... of ...
    """
    __tracebackhide__ = True
    seed = integer("seed", seed, 0)
    pair = maps_of(op, None, input_shape, output_shape, dtype)
    samples = _ForwardAlone(pair, seed, "default")
    try:
        checks = [homogeneity(samples), additivity(samples)]
        if not pair.exact and all(check.passed for check in checks):
            checks.append(precision(samples))
    except BrokenContract as broken:
        raise AssertionError(f"{pair.name} is not linear: {broken}.") from None
    if not all(check.passed for check in checks):
        lines = "".join(f"\n  {check}" for check in checks)
        raise AssertionError(f"{pair.name} is not linear (seed {seed}){lines}")


class _ForwardAlone(Samples):
    """The forward half of a pair, for checks that look at each half by itself."""

    @property
    def halves(self) -> tuple[Half, ...]:
        return (self.forward,)

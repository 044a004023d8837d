"""Finite differences as operators: what a regulariser is made of."""

from collections.abc import Sequence
from math import comb
from typing import Any

import numpy as np

from convops._arguments import integer, is_sequence, shown
from convops._arguments import shape as as_shape
from convops._arrays import operator_dtype
from convops.geometry import Boundary, IntPerAxis
from convops.operators import Conv, vstack
from convops.operators.algebra.stacks import VStack


def difference(
    input_shape: IntPerAxis,
    axis: int,
    *,
    order: int = 1,
    boundary: Boundary = "symmetric",
    dtype: Any = np.float64,
) -> Conv:
    """Return the finite difference of an order along one axis, on a grid of spacing 1.

    Order 1 is ``x[i + 1] - x[i]``, order 2 is ``x[i - 1] - 2 x[i] + x[i + 1]``, and so on: the taps are
    binomial coefficients with alternating signs, order // 2 of them before the sample itself. There are as
    many differences as samples; those that reach past an end read what the boundary puts there.

    Parameters
    ----------
    input_shape : int or sequence of int
        Shape of x. A channel axis is an axis like any other.
    axis : int
        Along which axis; negative ones count from the end.
    order : int, default 1
        How many times the first difference is taken.
    boundary : str or sequence of str, default "symmetric"
        As for `ConvGeometry`; one per axis, of which only that of `axis` matters. With "symmetric" and
        "edge" the first difference is 0 at the end, which asks nothing of the border.
    dtype : dtype, default float64
        That of the operator.

    Returns
    -------
    Conv
        ``input_shape`` and ``output_shape`` are equal.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    See Also
    --------
    gradient : The first differences along all axes.

    Examples
    --------
    >>> from convops import difference
    >>> print(difference(4, 0).toarray())
    [[-1.  1.  0.  0.]
     [ 0. -1.  1.  0.]
     [ 0.  0. -1.  1.]
     [ 0.  0.  0.  0.]]
    >>> difference(6, 0, order=2, boundary="wrap")([0, 1, 4, 9, 16, 25])
    array([ 26.,   2.,   2.,   2.,   2., -34.])
    """
    shape = as_shape("input_shape", input_shape)
    along = _axes("axis", (axis,), len(shape))[0]
    times = integer("order", order, 1)
    taps = [(-1) ** (times - k) * comb(times, k) for k in range(times + 1)]
    kernel = np.array(taps, operator_dtype(dtype)).reshape(
        [-1 if k == along else 1 for k in range(len(shape))]
    )
    before = times // 2
    padding = [(before, times - before) if k == along else (0, 0) for k in range(len(shape))]
    return Conv(kernel, shape, padding=padding, boundary=boundary)


def gradient(
    input_shape: IntPerAxis,
    *,
    axes: Sequence[int] | None = None,
    boundary: Boundary = "symmetric",
    dtype: Any = np.float64,
) -> VStack:
    """Return the gradient: the forward differences along the axes, on top of each other.

    Parameters
    ----------
    input_shape : int or sequence of int
        Shape of x.
    axes : sequence of int, optional
        Along which axes. Default: all. Leave out that of the channels.
    boundary : str or sequence of str, default "symmetric"
        What the last difference along an axis reads, as for `difference`.
    dtype : dtype, default float64
        That of the operator.

    Returns
    -------
    LinearOperator
        From ``input_shape`` to ``(len(axes), *input_shape)``. Its adjoint is minus the `divergence`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    References
    ----------
    Chambolle, "An Algorithm for Total Variation Minimization and Applications",
    doi:10.1023/B:JMIV.0000011325.36760.1e, for this gradient and divergence.

    Examples
    --------
    >>> from convops import gradient
    >>> gradient((2, 3))([[0, 1, 3], [5, 5, 5]])
    array([[[5., 4., 2.],
            [0., 0., 0.]],
    <BLANKLINE>
           [[1., 2., 0.],
            [0., 0., 0.]]])
    """
    shape = as_shape("input_shape", input_shape)
    parts = [
        difference(shape, axis, boundary=boundary, dtype=dtype) for axis in _axes("axes", axes, len(shape))
    ]
    return vstack(parts)


def divergence(
    input_shape: IntPerAxis,
    *,
    axes: Sequence[int] | None = None,
    boundary: Boundary = "symmetric",
    dtype: Any = np.float64,
) -> Any:
    """Return the divergence: minus the adjoint of the `gradient` with the same arguments, exactly.

    Parameters
    ----------
    input_shape : int or sequence of int
        That of the gradient: the shape of what the divergence returns.
    axes, boundary, dtype
        Those of the gradient.

    Returns
    -------
    LinearOperator
        From ``(len(axes), *input_shape)`` to ``input_shape``.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> from convops import divergence
    >>> divergence(4)([[1, 2, 3, 4]])
    array([ 1.,  1.,  1., -3.])
    """
    return -1 * gradient(input_shape, axes=axes, boundary=boundary, dtype=dtype).H


def laplacian(
    input_shape: IntPerAxis,
    *,
    axes: Sequence[int] | None = None,
    boundary: Boundary = "symmetric",
    dtype: Any = np.float64,
) -> Conv:
    """Return the Laplacian: the sum of the second differences along the axes, as one convolution.

    With "wrap", and with "symmetric", it is the divergence of the gradient.

    Parameters
    ----------
    input_shape : int or sequence of int
        Shape of x.
    axes : sequence of int, optional
        Along which axes. Default: all. Leave out that of the channels.
    boundary : str or sequence of str, default "symmetric"
        What lies past the ends, as for `ConvGeometry`.
    dtype : dtype, default float64
        That of the operator.

    Returns
    -------
    Conv
        ``input_shape`` and ``output_shape`` are equal.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> from convops import laplacian
    >>> laplacian((3, 3))([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    array([[ 0.,  1.,  0.],
           [ 1., -4.,  1.],
           [ 0.,  1.,  0.]])
    """
    shape = as_shape("input_shape", input_shape)
    along = _axes("axes", axes, len(shape))
    kernel = np.zeros([3 if axis in along else 1 for axis in range(len(shape))], operator_dtype(dtype))
    centre = [size // 2 for size in kernel.shape]
    for axis in along:
        for step, value in ((-1, 1), (0, -2), (1, 1)):
            place = list(centre)
            place[axis] += step
            kernel[tuple(place)] += value
    return Conv(kernel, shape, padding=[size // 2 for size in kernel.shape], boundary=boundary)


def _axes(name: str, axes: Any, count: int) -> list[int]:
    """Return axes as numbers from 0 on."""
    if axes is None:
        return list(range(count))
    typed = axes[0] if name == "axis" else axes
    if not is_sequence(axes):
        raise TypeError(f"{shown(name, axes)}: a sequence of ints is needed; got {type(axes).__name__}.")
    found = [integer(name, axis, -count, typed=typed) for axis in axes]
    for axis in found:
        if axis >= count:
            raise ValueError(
                f"{shown(name, typed)}: input_shape has {count} axes, numbered from 0; {axis} is none."
            )
    found = [axis % count for axis in found]
    if not found or len(set(found)) < len(found):
        raise ValueError(f"{shown(name, typed)}: at least one axis is needed, and none twice.")
    return found

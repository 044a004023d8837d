"""The same problem with the channels first, or channel by channel: what the routes know the structure of."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops._layout import Layout
from convops.geometry import ConvGeometry
from convops.inverse._problem import Problem
from convops.inverse._regulariser import regulariser
from convops.operators import vstack
from convops.operators.algebra.axes import Transposition
from convops.operators.algebra.identity import Identity
from convops.operators.algebra.scaled import Scaled
from convops.operators.algebra.stacks import VStack
from convops.operators.arranged import map_of
from convops.operators.base import ConvOperator


class Core(NamedTuple):
    """A problem, and where the arrays of the one that it stands for have their channels."""

    problem: Problem
    copies: int
    """How many rows of the problem are one row of the other."""
    layout: Layout | None = None
    input_shape: tuple[int, ...] = ()
    """Of the other problem."""

    def apart(self, rows: Array) -> Array:
        """Return the unknowns of the other problem as those of this one."""
        if self.layout is None:
            return rows
        blocks = self.layout.blocks(rows.reshape(-1, *self.input_shape))
        return blocks.reshape(-1, self.problem.A.shape[1])

    def together(self, rows: Array) -> Array:
        """Return the unknowns of this problem as those of the other."""
        if self.layout is None:
            return rows
        shape = self.problem.A.input_shape
        sizes = (1, *shape) if self.layout.shared else shape
        arrays = self.layout.arrays(rows.reshape(-1, *sizes), len(rows) // self.copies)
        return arrays.reshape(-1, prod(self.input_shape))


def core_of(problem: Problem, reg: Any) -> Core:
    """Return the problem itself, or the one that its arrays in another layout stand for."""
    convolution = problem.A
    while isinstance(convolution, Scaled):
        convolution = convolution.parts[0]
    layout = convolution._map.layout if isinstance(convolution, ConvOperator) else None
    if layout is None:
        return Core(problem, 1)
    A = _of_layout(problem.A, layout, ())
    L = regulariser(reg, A) if reg is None or isinstance(reg, str) else None
    if problem.L is not None and L is None:
        L = _of_layout(problem.L, layout, A.input_shape)
        if L is None and layout.shared:
            return Core(problem, 1)  # L joins the channels
        if L is None:
            L = problem.L @ _into(layout, A.input_shape, problem.L.dtype)
    b = layout.blocks(problem.b.reshape(-1, *problem.A.output_shape)).reshape(-1, A.shape[0])
    copies = problem.A.shape[1] // A.shape[1]
    return Core(Problem(A, L, problem.damp, b, problem.dtype), copies, layout, problem.A.input_shape)


def _of_layout(op: Any, layout: Layout, sizes: tuple[int, ...]) -> Any:
    """Return what an operator is to arrays of the core, of shape `sizes`; None where that is not known."""
    if isinstance(op, Scaled):
        part = _of_layout(op.parts[0], layout, sizes)
        return None if part is None else Scaled(part, op.factor, op.dtype)
    if isinstance(op, Identity):
        return Identity(sizes, op.dtype)
    if isinstance(op, VStack):
        parts = [_of_layout(part, layout, sizes) for part in op.parts]
        return None if None in parts else vstack(parts)
    if not isinstance(op, ConvOperator):
        return None
    if op._map.layout == layout:
        return op._core
    if op._map.layout is None and _is_idle(op.geometry, layout.axis):
        return _of_like_channels(op, layout)
    return None


def _is_idle(geometry: ConvGeometry, number: int) -> bool:
    """Return whether a plain convolution leaves the samples along an axis apart."""
    if geometry.has_channels:
        return False
    axis = geometry.axes[number]
    return axis.kernel == axis.stride == 1 and axis.before == axis.after == 0


def _of_like_channels(op: ConvOperator, layout: Layout) -> ConvOperator:
    """Return a plain convolution of arrays with an idle axis as one of the arrays of the core."""
    geometry, weight = op.geometry, op._map.weight
    if layout.shared:
        core = layout.core(geometry)
        weight = weight.reshape(core.weight_shape)
    else:
        core = ConvGeometry(
            _first(geometry.weight_shape, layout.axis),
            _first(geometry.input_shape, layout.axis),
            stride=_first(geometry.stride, layout.axis),
            padding=_first(geometry.padding, layout.axis),
            dilation=_first(geometry.dilation, layout.axis),
            boundary=_first(geometry.boundary, layout.axis),
        )
        weight = np.moveaxis(weight, layout.axis, 0)
    return op._of(map_of(core, weight, op.flip, op._map.asked), op._conjugated)


def _first(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return (items[place], *items[:place], *items[place + 1 :])


def _into(layout: Layout, sizes: tuple[int, ...], dtype: Any) -> Transposition:
    """Return what brings arrays of the core into the layout."""
    order = (*range(1, layout.axis + 1), 0, *range(layout.axis + 1, len(sizes)))
    return Transposition(sizes, order, dtype)

"""One way to see a map: as it is or transposed, conjugated or not."""

from typing import Any, Self

from convops.operators.contract import ArrayOperator


class MapView(ArrayOperator):
    """A map, its transpose, its adjoint or its conjugate; the map knows those of its views that are in use.

    A map has a geometry, a dtype, a shape, gains and `views`. Subclasses come in pairs: the map as it is and
    its transpose.
    """

    _transposed: bool
    _map: Any

    def _setup(self, map_: Any, conjugated: bool) -> None:
        rows, columns = map_.shape
        super().__init__(map_.dtype, (columns, rows) if self._transposed else (rows, columns))
        self._map = map_
        self._conjugated = conjugated
        self._partners: dict[bool, MapView] = {}
        self._frozen = True
        map_.views.setdefault((self._transposed, conjugated), self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of, (self._map, self._conjugated)

    def __repr__(self) -> str:
        rows, columns = self.shape
        return (
            f"<{rows}x{columns} {type(self).__name__}: input_shape {self.input_shape} -> output_shape "
            f"{self.output_shape}, {self.dtype}>"
        )

    @property
    def flip(self) -> bool:
        """Whether the kernel is turned round, as in `scipy.signal`."""
        flip: bool = self._map.flip
        return flip

    @property
    def _convops_gain(self) -> float:
        """A bound of what the products sum up for operands of size 1, before it cancels."""
        gain: float = max(self._map.gains)
        return gain

    @property
    def channel_axis(self) -> int | None:
        """The axis of channels in the arrays of one item of a batch; None where there is none."""
        axis: int | None = self._map.channel_axis
        return axis

    @property
    def _channels_on(self) -> int | None:
        return self.channel_axis

    def _transpose(self) -> "MapView":
        return self._partner(conjugated=self._conjugated)

    def _adjoint(self) -> "MapView":
        return self._partner(conjugated=not self._conjugated)

    def _partner(self, conjugated: bool) -> "MapView":
        """Return the operator on the other side: the one that is in use already, if there is one.

        An operator keeps those that it made, and they find it by the map alone: no reference cycle.
        """
        conjugated = conjugated and self.dtype.kind == "c"
        found: MapView | None = self._map.views.get((not self._transposed, conjugated))
        if found is None:
            found = self._partners[conjugated] = self._other_side()._of(self._map, conjugated)
        return found

    @classmethod
    def _other_side(cls) -> "type[MapView]":
        """Return the class of the transpose."""
        raise NotImplementedError

    @classmethod
    def _of(cls, map_: Any, conjugated: bool) -> Self:
        operator = cls.__new__(cls)
        operator._setup(map_, conjugated)
        return operator

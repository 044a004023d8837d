"""What the rules that choose a damp look at."""

from typing import NamedTuple, Protocol


class Measures(NamedTuple):
    """Of the answers at one damp, all right-hand sides together."""

    residual: float
    """‖A x − b‖."""
    seminorm: float
    """‖L x‖."""
    freedom: float
    """The trace of the matrix that makes A x of b: how many data the answer follows."""


class Measuring(Protocol):
    """What knows the measures at any damp."""

    @property
    def route(self) -> str:
        """Return how it knows them."""
        ...

    @property
    def spent(self) -> bool:
        """Whether damps smaller than the last one would cost too much."""
        ...

    def measures(self, damp: float) -> Measures:
        """Return the measures at a damp above 0."""
        ...

    def ends(self) -> tuple[float, float]:
        """Return the size below which a damp changes nothing, and that above which little is left."""
        ...

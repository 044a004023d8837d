"""The smallest operator of the same kind that still fails."""

from collections.abc import Callable
from typing import Any

_MOST_TRIALS = 200


def smallest_that_fails(op: Any, fails: Callable[[Any], bool]) -> str:
    """Return the smallest operator that fails, in words, among those that `op` can be shrunk to.

    An operator of convops tells which smaller ones there are; each that fails is shrunk on. Empty where
    there are none.
    """
    smaller_ones = getattr(op, "_convops_smaller", None)
    if smaller_ones is None:
        return ""
    trials, smallest, going_on = 0, op, True
    while going_on:
        going_on = False
        for smaller in smallest._convops_smaller():
            trials += 1
            if trials > _MOST_TRIALS:
                break
            if fails(smaller):
                smallest, going_on = smaller, True
                break
    return "" if smallest is op else " ".join(f"{smallest!r} with {smallest.geometry!r}".split())

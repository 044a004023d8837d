"""What witnesses share is told, and what chance would share is not."""

from collections.abc import Callable

import numpy as np
import pytest

from convops.adjoint.patterns import border_that_holds, shared_by
from convops.adjoint.witnesses import Witness

SHAPE = (20, 30)
Place = tuple[int, ...]
Change = Callable[[list[int]], list[int]]


def told(places: list[tuple[Place, Place]], input_shape: Place = SHAPE, output_shape: Place = SHAPE) -> str:
    witnesses = tuple(Witness(output, into, 1.0, 2.0) for output, into in places)
    return "; ".join(shared_by(witnesses, input_shape, output_shape))


def random_places(seed: int, change: Change, count: int = 12) -> list[Place]:
    """Return random places of an image, each changed."""
    rng = np.random.default_rng(seed)
    return [tuple(change([int(rng.integers(size)) for size in SHAPE])) for _ in range(count)]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: [p[0] % 2, p[1]], "output axis 0 is among the first 2 of 20"),
        (lambda p: [p[0], 27 + p[1] % 3], "output axis 1 is among the last 3 of 30"),
        (lambda p: [p[0], 29], "output axis 1 is always 29, of 30"),
        (lambda p: [p[0] // 2 * 2 + 1, p[1]], "output axis 0 is 1 modulo 2"),
        (lambda p: [p[0], p[1] // 3 * 3], "output axis 1 is 0 modulo 3"),
        (lambda p: [p[0], 29 * (p[1] % 2)], "output axis 1 is within 1 of either end of 30"),
    ],
    ids=["first", "last", "always", "odd", "thirds", "ends"],
)
def test_what_all_places_share_is_told(
    change: Callable[[list[int]], list[int]], words: str, seed: int
) -> None:
    outputs, inputs = random_places(seed, change), random_places(seed + 100, lambda p: p)
    assert words in told(list(zip(outputs, inputs, strict=True)))


def test_places_near_any_side_lie_at_the_border() -> None:
    rng = np.random.default_rng(0)
    border = [(int(rng.choice([0, 19])), int(rng.integers(30))) for _ in range(9)]
    border += [(int(rng.integers(20)), int(rng.choice([0, 29]))) for _ in range(9)]
    assert border_that_holds(border, SHAPE) == 1
    assert "the output lies within 1 of the border" in told([(place, (5, 7)) for place in border])
    assert border_that_holds([*border, (10, 15)], SHAPE) == 0


def test_a_channel_and_an_offset_are_told() -> None:
    places = [((2, row, row + 3), (1, row, row + 4)) for row in range(8)]
    words = told(places, (3, 20, 30), (4, 20, 30))
    assert "output axis 0 is always 2, of 4" in words
    assert "input axis 0 is always 1, of 3" in words
    assert "input index - output index is (-1, 0, 1)" in words


def test_places_at_random_share_nothing() -> None:
    # Each of four axes has ten properties that chance may show once in a thousand.
    told_something = 0
    for seed in range(300):
        outputs, inputs = random_places(seed, lambda p: p), random_places(seed + 1000, lambda p: p)
        told_something += bool(told(list(zip(outputs, inputs, strict=True))))
    assert told_something <= 12


def test_one_witness_has_nothing_to_share() -> None:
    assert told([((0, 0), (0, 0))]) == ""
    assert told([]) == ""

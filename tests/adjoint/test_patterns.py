"""What witnesses share is told where places at random would not share it, and not where they would."""

from collections.abc import Callable

import numpy as np
import pytest

from adjoint.pairs import pair_operator
from convops import check_adjoint, conv_matrix
from convops.adjoint.patterns import border_that_holds, shared_by
from convops.adjoint.witnesses import Witness

Shape = tuple[int, ...]
Index = tuple[int, ...]


def witnesses_at(places: list[tuple[Index, Index]]) -> tuple[Witness, ...]:
    """Return witnesses at places of (output, input)."""
    return tuple(Witness(output, into, 1.0, 0.0) for output, into in places)


def random_indices(rng: np.random.Generator, count: int, shape: Shape) -> list[Index]:
    return [tuple(int(rng.integers(size)) for size in shape) for _ in range(count)]


def shared(
    outputs: list[Index], inputs: list[Index], input_shape: Shape, output_shape: Shape
) -> tuple[str, ...]:
    return shared_by(witnesses_at(list(zip(outputs, inputs, strict=True))), input_shape, output_shape)


def with_axis(indices: list[Index], axis: int, places: list[int]) -> list[Index]:
    """Return indices whose places along one axis are replaced, in turn."""
    return [(*index[:axis], places[k % len(places)], *index[axis + 1 :]) for k, index in enumerate(indices)]


@pytest.mark.parametrize(
    ("size", "places", "text"),
    [
        (29, [0], "always 0, of 29"),
        (29, [28], "always 28, of 29"),
        (3, [1], "always 1, of 3"),
        (40, [0, 1, 2], "among the first 3 of 40"),
        (40, [39, 38, 37], "among the last 3 of 40"),
        (40, [1, 39, 0, 38], "within 2 of either end of 40"),
        (40, [0, 4, 6, 10, 12, 14, 20, 22, 26, 30, 36, 38], "0 modulo 2"),
        (40, [1, 4, 7, 10, 19, 25, 28, 34, 37], "1 modulo 3"),
        (40, [3, 11, 19, 27, 35], "3 modulo 8"),
    ],
)
def test_what_all_places_along_an_axis_share_is_told(size: int, places: list[int], text: str) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        # Of 12 places, so that half of all is rarer than one in a thousand.
        outputs, inputs = random_indices(rng, 12, (31, 37)), random_indices(rng, 12, (37, 31))
        for axis in (0, 1):
            shape = (size, 37) if axis == 0 else (31, size)
            found = shared(with_axis(outputs, axis, places), inputs, (37, 31), shape)
            assert f"output axis {axis} is {text}" in found
            found = shared(inputs, with_axis(outputs, axis, places), shape, (37, 31))
            assert f"input axis {axis} is {text}" in found


def test_of_vectors_the_index_is_told() -> None:
    rng = np.random.default_rng(0)
    outputs = [(place,) for place in (0, 4, 6, 10, 12, 14, 20, 22, 26, 30, 36, 38)]
    inputs = random_indices(rng, 12, (43,))
    assert shared(outputs, inputs, (43,), (40,)) == ("the output index is 0 modulo 2",)
    assert shared(inputs, outputs, (40,), (43,)) == ("the input index is 0 modulo 2",)


def test_one_channel_is_told_whatever_it_is() -> None:
    for channel in range(3):
        rng = np.random.default_rng(channel)
        outputs = with_axis(random_indices(rng, 10, (3, 20, 20)), 0, [channel])
        inputs = random_indices(rng, 10, (5, 20, 20))
        assert shared(outputs, inputs, (5, 20, 20), (3, 20, 20)) == (
            f"output axis 0 is always {channel}, of 3",
        )


def test_only_the_most_surprising_property_of_an_axis_is_told() -> None:
    rng = np.random.default_rng(0)
    outputs = with_axis(random_indices(rng, 12, (64, 31)), 0, [0, 2, 4])
    inputs = random_indices(rng, 12, (31, 37))
    assert shared(outputs, inputs, (31, 37), (64, 31)) == ("output axis 0 is among the first 5 of 64",)


def test_a_border_is_told_where_no_side_of_it_is() -> None:
    # In turn above, left, below and right, so that no axis says it alone.
    places = [(0, 9), (14, 1), (24, 30), (11, 39), (1, 22), (7, 0), (25, 5), (19, 38)]
    inputs = random_indices(np.random.default_rng(0), 8, (37, 31))
    assert shared(places, inputs, (37, 31), (26, 40)) == ("the output lies within 2 of the border",)
    assert shared(inputs, places, (26, 40), (37, 31)) == ("the input lies within 2 of the border",)
    assert border_that_holds(places, (26, 40)) == 2
    # As many places in a border of half the area are no surprise.
    assert border_that_holds([*places, (4, 20)], (26, 40)) == 0


def test_an_axis_of_channels_has_no_border() -> None:
    places = [(1, 0, 9), (0, 14, 0), (2, 24, 19), (1, 25, 12), (0, 11, 39)]
    assert border_that_holds(places, (3, 26, 40)) == 2
    inside = [(0, 12, 20), (2, 13, 21), (0, 11, 19)]
    assert border_that_holds(inside, (3, 26, 40)) == 0
    assert border_that_holds([(0, 1), (2, 0)], (3, 4)) == 0


def test_the_whole_is_no_border() -> None:
    every = [(i, j) for i in range(9) for j in range(9)]
    assert border_that_holds(every, (9, 9)) == 0
    assert border_that_holds([(0, 0)] * 20, (9, 9)) == 0


@pytest.mark.parametrize("offset", [(0, 0), (1, -2), (3, 0)])
def test_one_offset_of_all_is_told(offset: Index) -> None:
    for seed in range(10):
        outputs = random_indices(np.random.default_rng(seed), 6, (20, 23))
        inputs = [(i + offset[0], j + offset[1]) for i, j in outputs]
        text = f"input index - output index is {offset}"
        assert text in shared(outputs, inputs, (24, 24), (20, 23))
        # Three could agree by chance, and so could those of which one does not.
        assert text not in shared(outputs[:3], inputs[:3], (24, 24), (20, 23))
        assert text not in shared(
            outputs, [*inputs[:-1], (inputs[-1][0], inputs[-1][1] + 1)], (24, 24), (20, 23)
        )


def test_the_offset_of_vectors_is_a_number() -> None:
    outputs = [(3,), (19,), (8,), (30,)]
    inputs = [(i + 2,) for (i,) in outputs]
    assert shared(outputs, inputs, (40,), (38,)) == ("input index - output index is 2",)


def test_arrays_of_different_axes_have_no_offset() -> None:
    outputs = [(3,), (19,), (8,), (30,)]
    assert shared(outputs, [(i, i) for (i,) in outputs], (40, 40), (38,)) == ()


def test_one_witness_shares_nothing() -> None:
    assert shared([(0, 0)], [(0, 0)], (40, 40), (40, 40)) == ()
    assert shared([], [], (40, 40), (40, 40)) == ()


@pytest.mark.parametrize("count", [2, 3, 5, 12, 24])
@pytest.mark.parametrize(
    ("input_shape", "output_shape"), [((132,), (100,)), ((40, 30), (40, 29)), ((3, 20, 20), (4, 10, 10))]
)
def test_places_at_random_share_nothing(input_shape: Shape, output_shape: Shape, count: int) -> None:
    """There are a dozen properties for each axis, each rarer than 1e-3."""
    told = 0
    for seed in range(500):
        rng = np.random.default_rng([seed, count])
        outputs, inputs = (random_indices(rng, count, shape) for shape in (output_shape, input_shape))
        told += bool(shared(outputs, inputs, input_shape, output_shape))
    axes = len(input_shape) + len(output_shape)
    assert told <= 500 * axes * 12 * 1e-3


@pytest.mark.parametrize(
    ("shape", "wrong", "expected"),
    [
        ((3, 12, 14), lambda B: B[1], "input axis 0 is always 1, of 3"),
        ((3, 12, 14), lambda B: B[:, :, -1], "input axis 2 is always 13, of 14"),
        ((1, 60, 6), lambda B: B[:, 1::2], "input axis 1 is 1 modulo 2"),
        ((1, 60, 6), lambda B: B[:, 2::3], "input axis 1 is 2 modulo 3"),
        ((3, 12, 14), lambda B: B[:, :, :, 1], "output axis 0 is always 1, of 2"),
        ((3, 12, 14), lambda B: B[:, :, :, :, 0], "output axis 1 is always 0, of 12"),
    ],
    ids=["channel", "last column", "odd rows", "every third row", "output channel", "first row"],
)
def test_a_fault_in_part_of_an_image_is_described_by_a_report(
    shape: Shape, wrong: Callable[[np.ndarray], np.ndarray], expected: str
) -> None:
    weight = np.random.default_rng(0).standard_normal((2, shape[0], 3, 3))
    W = conv_matrix(weight, shape, padding="same").toarray()
    after = (2, *shape[1:])
    B = W.T.copy()
    wrong(B.reshape(*shape, *after))[...] *= 2
    for seed in range(3):
        report = check_adjoint(
            pair_operator(W, B), input_shape=shape, output_shape=after, seed=seed, witnesses=48
        )
        assert expected in report.shared, report

"""How many of each axis fit into a number of bytes, and the cheapest of several tilings."""

from math import prod
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from convops.apply._problem import cheapest, fitting
from convops.apply.cost import Cost
from registry import Case
from tilings import problem_of


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 20), st.integers(0, 3000))
def test_what_fits_is_at_least_one_of_each_axis_and_else_no_more_bytes_than_allowed(
    sizes: list[int], each: int, most: int
) -> None:
    counts = fitting(sizes, each, most)
    assert all(1 <= count <= size for count, size in zip(counts, sizes, strict=True))
    assert prod(counts) == 1 or prod(counts) * each <= most
    if prod(sizes) * each <= most:
        assert counts == sizes


def test_the_last_axis_is_filled_first() -> None:
    assert fitting((4, 5, 6), 8, 8 * 6) == [1, 1, 6]
    assert fitting((4, 5, 6), 8, 8 * 13) == [1, 2, 6]
    assert fitting((4, 5, 6), 8, 8) == [1, 1, 1]


def test_the_tiling_of_the_fewest_seconds_is_the_cheapest() -> None:
    tilings = [SimpleNamespace(cost=Cost(0, 0, seconds)) for seconds in (3.0, 1.0, 2.0)]
    assert cheapest(tilings) is tilings[1]


def test_places_and_phases_are_those_of_the_side_that_is_computed() -> None:
    case = Case("strides", (6, 2, 3, 1), (4, 10, 9), stride=(2, 3), groups=2)
    forward, adjoint = (problem_of(case, "float32", side) for side in (False, True))
    assert (forward.groups, forward.rows, forward.columns) == (2, 3, 2)
    assert (adjoint.groups, adjoint.rows, adjoint.columns) == (2, 2, 3)
    assert (forward.counts, forward.phases) == ((4, 3), 1)
    # Ten positions are five places of two phases, nine are three of three, of which one tap reaches one.
    assert (adjoint.counts, adjoint.phases) == ((5, 3), 2)


def test_one_axis_gets_a_trivial_one_before_it() -> None:
    problem = problem_of(Case("one axis", (3,), (8,)), "float64", False)
    assert [reading.trivial for reading in problem.readings] == [True, False]
    assert problem.counts == (1, 6)

"""Shapes of one ravel() go together where one of them is a vector or axes of size 1 come and go."""

from types import SimpleNamespace
from typing import Any

import pytest

from convops.operators.algebra.shapes import at_odds, common, merged, told_shapes


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((12,), (3, 4), (3, 4)),
        ((3, 4), (12,), (3, 4)),
        ((1, 3, 4), (3, 4), (1, 3, 4)),
        ((3, 1, 4), (3, 4, 1), (3, 1, 4)),
        ((3, 4), (4, 3), None),
        ((3, 4), (3, 5), None),
    ],
)
def test_the_more_telling_of_two_shapes_is_taken(one: Any, other: Any, expected: Any) -> None:
    assert merged(one, other) == expected


@pytest.mark.parametrize("names", [("input_shape", "output_shape"), ("dims", "dimsd"), ("ishape", "oshape")])
def test_every_package_tells_its_shapes(names: tuple[str, str]) -> None:
    op = SimpleNamespace(shape=(6, 20), **dict(zip(names, ((4, 5), [2, 3]), strict=True)))
    assert told_shapes(op) == ((4, 5), (2, 3))


def test_shapes_that_do_not_fit_the_matrix_are_passed_over() -> None:
    assert told_shapes(SimpleNamespace(shape=(6, 20), dims=(4, 4), dimsd=(2, 3))) == ((20,), (6,))
    assert told_shapes(SimpleNamespace(shape=(6, 20))) == ((20,), (6,))


def test_the_shape_of_all_parts_is_found_or_the_odd_one_named() -> None:
    parts = [SimpleNamespace(output_shape=shape) for shape in ((12,), (3, 4), (1, 3, 4))]
    assert common("a + b", "they must agree", parts, "output_shape") == (3, 4)
    parts.append(SimpleNamespace(output_shape=(4, 3)))
    with pytest.raises(ValueError, match=r"a \+ b: they must agree; got \(3, 4\) and \(4, 3\)"):
        common("a + b", "they must agree", parts, "output_shape")
    assert "3 and 4 elements" in str(at_odds("x", "rule", (3,), (4,)))

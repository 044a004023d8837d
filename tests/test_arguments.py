"""Ints, sequences and names as users type them."""

import numpy as np
import pytest

from convops import _arguments


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3)])
def test_whatever_is_an_index_is_an_int(value: object) -> None:
    found = _arguments.integer("stride", value, 1)
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [True, np.True_, 2.0, np.float64(2), "2", None, [2], np.array([2]), 1j])
def test_a_bool_or_a_float_is_no_int(value: object) -> None:
    with pytest.raises(TypeError, match=r"^stride=.*must be an int of at least 1; got"):
        _arguments.integer("stride", value, 1)


@pytest.mark.parametrize(("value", "rule"), [(0, "at least 1"), (-3, "at least 1"), (2**63, "at most 2")])
def test_an_int_out_of_range_is_refused_with_the_limit(value: int, rule: str) -> None:
    with pytest.raises(ValueError, match=rf"^stride={value}: it must be {rule}.*; got {value}\.$"):
        _arguments.integer("stride", value, 1)


def test_one_int_stands_for_every_axis() -> None:
    assert _arguments.per_axis("stride", 2, 3, 1) == (2, 2, 2)
    assert _arguments.per_axis("stride", np.array([1, 2]), 2, 1) == (1, 2)


def test_the_message_shows_the_whole_argument_and_the_axis() -> None:
    with pytest.raises(ValueError, match=r"^stride=\(2, 0\): axis 1 must be at least 1; got 0\.$"):
        _arguments.per_axis("stride", (2, 0), 2, 1)
    with pytest.raises(ValueError, match=r"^stride=\[1, 2\]: one int per spatial axis .* 3 of them; got 2\."):
        _arguments.per_axis("stride", [1, 2], 3, 1)


def test_a_long_argument_is_shown_short() -> None:
    assert len(_arguments.shown("padding", list(range(10_000)))) < 120


def test_a_name_of_another_library_is_answered_with_ours() -> None:
    with pytest.raises(ValueError, match=r"What you call 'circular' is 'wrap' here\."):
        _arguments.choice("boundary", "circular", ("zeros", "wrap"), {"circular": "wrap"})
    with pytest.raises(TypeError, match=r"^boundary=3: it must be one of 'zeros', 'wrap'; got int\.$"):
        _arguments.choice("boundary", 3, ("zeros", "wrap"), {})


@pytest.mark.parametrize(
    ("typed", "meant"), [("wrapp", "wrap"), ("zreos", "zeros"), ("Circulr", "wrap"), ("ZERO", "zeros")]
)
def test_a_name_that_looks_like_one_of_ours_or_theirs_is_answered_with_ours(typed: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"'zeros', 'wrap'\. Did you mean '{meant}'\?$"):
        _arguments.choice("boundary", typed, ("zeros", "wrap"), {"circular": "wrap"})


@pytest.mark.parametrize("typed", ["", "magic", "x" * 4000])
def test_a_name_that_looks_like_none_is_not_guessed_at(typed: str) -> None:
    with pytest.raises(ValueError, match=r"'zeros', 'wrap'\.$"):
        _arguments.choice("boundary", typed, ("zeros", "wrap"), {"circular": "wrap"})


def test_none_is_told_to_be_left_out_where_there_is_a_default() -> None:
    with pytest.raises(
        TypeError, match=r"^boundary=None: .*; got NoneType\. Leave boundary out for 'zeros'\.$"
    ):
        _arguments.choice("boundary", None, ("zeros", "wrap"), {}, "zeros")
    with pytest.raises(TypeError, match=r"; got NoneType\.$"):
        _arguments.choice("boundary", None, ("zeros", "wrap"), {})

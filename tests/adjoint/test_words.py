"""Numbers and places as a reader sees them."""

import numpy as np
import pytest

from convops.adjoint.words import call_of, index_of, named_entry, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**70 + 1, "1180591620717411303425"),
        (-3, "-3"),
        (0.0, "0"),
        (2.0, "2"),
        (0.0123456789, "0.0123457"),
        (-123456.789, "-123457"),
        (1234567.0, "1.23e+06"),
        (0.00123456, "0.00123"),
        (1e-300, "1e-300"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (1 - 2.5j, "1-2.5j"),
        (complex(0, 1e-9), "0+1e-09j"),
        (complex(float("nan"), 1), "nan+1j"),
    ],
)
def test_a_number_has_all_digits_of_an_integer_and_a_few_of_a_float(value: complex, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4), (5, 1, 2)])
def test_places_are_indices_in_c_order(shape: tuple[int, ...]) -> None:
    for place, index in enumerate(np.ndindex(shape)):
        assert index_of(place, shape) == index
        assert {type(i) for i in index_of(place, shape)} == {int}
        assert named_entry(place, shape) == (str(place) if len(shape) == 1 else str(index))


def test_a_call_is_written_as_it_is_typed() -> None:
    assert call_of(object(), None, None, None, None) == "op"
    assert call_of(object(), object(), (2, 3), None, None) == "op, adjoint, input_shape=(2, 3)"
    both = call_of(lambda x: x, np.diff, 5, 4, (float, complex))
    assert both == "op, diff, input_shape=5, output_shape=4, dtype=('float64', 'complex128')"

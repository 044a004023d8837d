"""Numbers are told from operators, keep to a precision, and integers stay exact or are refused."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from convops import Conv
from convops.operators.algebra import scalars


@pytest.mark.parametrize("value", [1, 2.5, 1j, np.float32(1), np.array(3), True])
def test_numbers_are_scalars(value: Any) -> None:
    assert scalars.is_scalar(value)
    assert not scalars.is_operator(value)


@pytest.mark.parametrize("value", [Conv([1.0], 3), aslinearoperator(np.eye(3))])
def test_operators_are_operators(value: Any) -> None:
    assert scalars.is_operator(value)
    assert not scalars.is_scalar(value)


@pytest.mark.parametrize(
    ("operands", "dtype"),
    [
        (("int8", "uint8"), "int64"),
        (("float32", "int16"), "float32"),
        (("float32", "int64"), "float64"),
        (("float32", "complex64"), "complex64"),
    ],
)
def test_a_product_has_numpys_dtype_and_integers_are_int64(operands: tuple[str, str], dtype: str) -> None:
    assert scalars.product_dtype(*operands) == dtype


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (0.5, "float32", "float32"),
        (np.float64(0.5), "float32", "float64"),
        (2, "int8", "int64"),
        (1j, "float32", "complex64"),
    ],
)
def test_a_number_of_python_is_weak(value: Any, dtype: str, expected: str) -> None:
    assert scalars.scaled_dtype(value, np.dtype(dtype)) == expected


def test_a_factor_is_real_where_the_number_is() -> None:
    assert scalars.factor_of(2, np.dtype("complex64")).dtype == np.float32
    with pytest.raises(ValueError, match="float32 ends at"):
        scalars.factor_of(1e300, np.dtype("float32"))
    with pytest.raises(ValueError, match="not finite"):
        scalars.factor_of(np.nan, np.dtype("float64"))
    with pytest.raises(OverflowError, match="int64"):
        scalars.factor_of(2**63, np.dtype("int64"))


def test_sums_and_multiples_are_made_in_place_where_the_dtype_holds_them() -> None:
    total, y = np.ones(3), np.arange(3)
    assert scalars.add_to(total, np.ones(3)) is total
    assert total.tolist() == [2, 2, 2]
    assert scalars.add_to(total, np.ones(3) * 1j).dtype == np.complex128
    assert scalars.multiply(y, 3) is y
    assert y.tolist() == [0, 3, 6]
    with pytest.raises(OverflowError, match="leaves int64"):
        scalars.multiply(np.array([-(2**62)]), 2)
    with pytest.raises(OverflowError, match="can leave int64"):
        scalars.add_to(np.array([2**62]), np.array([2**62]))

"""What a weight and an operand may be."""

import numpy as np
import pytest

from convops._arrays import dense, operator_dtype, refuse_beyond_int64, weight_array


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "complex64", "complex128", "int8", "uint32", "int64"]
)
def test_a_supported_array_passes_unchanged(dtype: str) -> None:
    x = np.arange(6, dtype=dtype).reshape(2, 3)
    assert dense("x", x).dtype == dtype
    assert np.shares_memory(dense("x", x), x)


def test_bools_become_the_smallest_integers() -> None:
    assert dense("x", [True, False]).dtype == np.int8
    np.testing.assert_array_equal(dense("x", np.array([True, False])), [1, 0])


def test_byte_order_becomes_native() -> None:
    x = np.array([1.0, 2.0]).astype(">f8")
    assert dense("x", x).dtype.isnative
    np.testing.assert_array_equal(dense("x", x), [1, 2])


def test_what_loses_nothing_is_taken_and_what_does_is_refused() -> None:
    assert dense("x", np.array([2**63 - 1], np.uint64)).dtype == np.uint64
    with pytest.raises(OverflowError, match=r"x has dtype uint64 and holds 9223372036854775808"):
        refuse_beyond_int64("x", np.array([2**63], np.uint64))
    assert dense("x", np.array([2**63], np.uint64)).dtype == np.uint64
    with pytest.raises(OverflowError, match=r"weight has dtype uint64 and holds 9223372036854775808"):
        weight_array(np.array([2**63], np.uint64))
    for bad in (np.ones(2, np.float16), np.ones(2, np.longdouble), np.array(["a"]), np.array([1, None])):
        with pytest.raises(TypeError, match=r"x has dtype .*: convops works in float32"):
            dense("x", bad)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int8", "uint32"])
def test_the_dtypes_of_operators(dtype: str) -> None:
    assert operator_dtype(dtype) == np.dtype(dtype)


@pytest.mark.parametrize(
    "dtype", ["float16", "uint64", "bool", "O", "U3", "M8[s]", np.longdouble, None, "nonsense"]
)
def test_other_dtypes_are_refused(dtype: object) -> None:
    with pytest.raises(
        TypeError, match=r"^dtype=.*float32, float64, complex64, complex128 and the integers up to int64"
    ):
        operator_dtype(dtype)


def test_a_weight_is_a_read_only_copy() -> None:
    weight = np.ones((2, 2))
    copy = weight_array(weight)
    weight[:] = 7
    np.testing.assert_array_equal(copy, 1)
    with pytest.raises(ValueError, match="read-only"):
        copy[0, 0] = 2


def test_an_integer_weight_is_int64_unless_a_dtype_is_given() -> None:
    assert weight_array(np.array([1, 2], np.uint8)).dtype == np.int64
    assert weight_array([1, 2], "int16").dtype == np.int16
    assert weight_array([1, 2], "float32").dtype == np.float32

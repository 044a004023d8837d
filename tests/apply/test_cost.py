"""That the cost model orders what it compares the right way round."""

from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops.apply import cost
from convops.apply._pointwise import Pointwise
from convops.apply.cost import (
    Cost,
    addition_seconds,
    copy_seconds,
    multiply_add_seconds,
    product_seconds,
)
from registry import FLOATS, Case
from tilings import GEOMETRIES, KINDS, geometry_of, tilings_of

FLOAT64 = np.dtype(np.float64)
KERNELS = [cost._PACKING, cost._HELD, cost._NOT_PACKING]
sizes = st.integers(1, 500)


def test_as_much_again_costs_twice_as_much() -> None:
    assert Cost(1.0, 2.0, 3.0).times(2) == Cost(2.0, 4.0, 6.0)


@given(sizes, sizes, sizes, st.sampled_from(FLOATS), st.sampled_from(KERNELS))
def test_a_larger_product_takes_longer_and_two_take_longer_than_one_of_both(
    rows: int, inner: int, columns: int, dtype: str, kernels: Any
) -> None:
    def seconds(*product: int) -> float:
        return product_seconds(*product, np.dtype(dtype))

    with mock.patch.object(cost, "_BLAS", kernels):
        one = seconds(rows, inner, columns)
        assert 0 < one < seconds(rows, 2 * inner, columns)
        assert one < seconds(2 * rows, inner, 2 * columns)
        small = cost.small_vector_product if min(rows, columns) == 1 else cost.small_product
        if rows * 2 * inner * columns <= small(np.dtype(dtype)):
            assert seconds(rows, 2 * inner, columns) < 2 * one


def test_where_blas_packs_a_vector_is_multiplied_sooner_than_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row of results, 30 taps, 256 places: packing costs more than twice the multiplications."""
    monkeypatch.setattr(cost, "_BLAS", cost._PACKING)
    assert product_seconds(2, 30, 256, FLOAT64) > 2 * product_seconds(1, 25, 256, FLOAT64)


def test_products_of_complex_numbers_wake_the_threads_of_blas_sooner() -> None:
    for small in (cost.small_product, cost.small_vector_product):
        for real, complex_ in (("float32", "complex64"), ("float64", "complex128")):
            assert small(np.dtype(complex_)) < small(np.dtype(real))
    small_one = product_seconds(1, 64, 64, np.dtype(complex))
    assert product_seconds(1, 64, 65, np.dtype(complex)) > 4 * small_one


def test_a_wider_type_takes_longer_and_integers_longest() -> None:
    by_type = [multiply_add_seconds(np.dtype(name)) for name in ("float32", "float64", "complex128", "int64")]
    assert by_type == sorted(set(by_type))
    assert multiply_add_seconds(np.dtype("complex64")) == pytest.approx(4 * by_type[0])
    copies = [copy_seconds(1000, 10, np.dtype(name)) for name in FLOATS]
    assert copies[0] < copies[1] == copies[2] < copies[3]


def test_adding_takes_longer_than_copying() -> None:
    assert addition_seconds(10**6, 100, FLOAT64) > 2 * copy_seconds(10**6, 100, FLOAT64)


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_a_copy_takes_longer_the_more_there_is_and_the_shorter_the_runs(elements: int, run: int) -> None:
    seconds = copy_seconds(elements, run, FLOAT64)
    assert 0 < seconds < copy_seconds(2 * elements, run, FLOAT64)
    assert seconds > copy_seconds(elements, 2 * run, FLOAT64)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_tiling_multiplies_no_less_than_the_matrix_holds(kind: Any) -> None:
    """But for what reads zeros of the padding: those products may be left out, or not."""
    for case in GEOMETRIES:
        plain = Case(
            case.name,
            case.weight_shape,
            case.input_shape,
            case.stride,
            case.padding,
            case.dilation,
            case.groups,
        )
        for adjoint in (False, True):
            for tiling in tilings_of(kind, plain, "float64", adjoint):
                assert tiling.cost.flops >= 2 * geometry_of(plain).nnz
                assert min(tiling.cost.nbytes, tiling.cost.seconds) > 0


@pytest.mark.parametrize("adjoint", [False, True], ids=["forward", "adjoint"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_estimate_of_a_tiling_grows_with_every_size(kind: Any, adjoint: bool) -> None:
    taps = (1, 1) if kind is Pointwise else (1, 3)
    small = Case("small", (2, 2, *taps), (2, 5, 6), padding="same")
    larger = [
        Case("wider", (2, 2, *taps), (2, 5, 12), padding="same"),
        Case("higher", (2, 2, *taps), (2, 10, 6), padding="same"),
        Case("more channels", (4, 4, *taps), (4, 5, 6), padding="same"),
        Case("more groups", (4, 2, *taps), (4, 5, 6), padding="same", groups=2),
    ]

    def least(case: Case) -> Cost:
        return min(tiling.cost for tiling in tilings_of(kind, case, "float64", adjoint))

    for case in larger:
        assert all(np.greater(least(case), least(small))), case.name

"""The operators that one can be shrunk to are operators, simpler in one respect, and the same cut by hand."""

from math import prod

import numpy as np
import pytest

from convops import Conv, ConvTranspose
from convops.operators.base import ConvOperator
from registry import CASES, Case, matrix_of, weights_for

Respects = tuple[int, ...]


def respects(A: ConvOperator) -> Respects:
    """Return what can be smaller: channels, groups, sizes, taps, and settings that are not plain."""
    geometry = A.geometry
    settings = [
        sum(value != simplest for value in getattr(geometry, name))
        for name, simplest in (("stride", 1), ("dilation", 1), ("padding", (0, 0)), ("boundary", "zeros"))
    ]
    return (
        geometry.in_channels,
        geometry.out_channels,
        geometry.groups,
        prod(geometry.spatial_shape),
        prod(geometry.kernel_size),
        *settings,
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_smaller_operator_is_smaller_and_no_respect_is_larger(case: Case) -> None:
    A = Conv(weights_for(case), case.input_shape, **case.kwargs())
    for smaller in A._convops_smaller():
        assert type(smaller) is Conv
        before, now = respects(A), respects(smaller)
        assert now != before
        assert all(small <= large for small, large in zip(now, before, strict=True))
        assert smaller.geometry.has_channels == A.geometry.has_channels
        assert (smaller.flip, smaller.method, smaller.dtype) == (A.flip, A.method, A.dtype)
        x = np.ones(smaller.shape[1])
        np.testing.assert_allclose(smaller @ x, smaller.toarray().sum(axis=1), atol=1e-12)


WEIGHT = np.random.default_rng(0).standard_normal((4, 2, 3, 2))
WHOLE = Case(
    "whole", WEIGHT.shape, (4, 7, 6), (2, 1), ((1, 0), (1, 1)), (1, 2), 2, ("reflect", "zeros"), True
)
PLAIN = Case("plain", (3,), (5,))


def cut(case: Case, weight: np.ndarray, **changes: object) -> tuple[Case, np.ndarray]:
    arguments = {name: getattr(case, name) for name in Case.__dataclass_fields__} | changes
    return Case(**arguments | {"weight_shape": weight.shape}), weight


BY_HAND = [
    (
        WHOLE,
        WEIGHT,
        [
            cut(WHOLE, WEIGHT[:1, :1], groups=1, input_shape=(1, 7, 6)),
            cut(WHOLE, WEIGHT[:2], groups=1, input_shape=(2, 7, 6)),
            cut(WHOLE, WEIGHT, input_shape=(4, 3, 6)),
            cut(WHOLE, WEIGHT, input_shape=(4, 6, 6)),
            cut(WHOLE, WEIGHT, input_shape=(4, 7, 3)),
            cut(WHOLE, WEIGHT, input_shape=(4, 7, 5)),
            cut(WHOLE, WEIGHT[:, :, :2]),
            cut(WHOLE, WEIGHT[:, :, :, :1]),
            cut(WHOLE, WEIGHT, stride=1),
            cut(WHOLE, WEIGHT, dilation=1),
            cut(WHOLE, WEIGHT, padding=((0, 0), (1, 1))),
            cut(WHOLE, WEIGHT, padding=((1, 0), (0, 0))),
            cut(WHOLE, WEIGHT, boundary="zeros"),
        ],
    ),
    (
        Case("channels", (4, 2, 1, 1), (2, 1, 1)),
        WEIGHT[:, :, :1, :1],
        [
            cut(Case("", (), (2, 1, 1)), WEIGHT[:1, :1, :1, :1], input_shape=(1, 1, 1)),
            cut(Case("", (), (2, 1, 1)), WEIGHT[:2, :, :1, :1]),
            cut(Case("", (), (2, 1, 1)), WEIGHT[:3, :, :1, :1]),
            cut(Case("", (), (2, 1, 1)), WEIGHT[:, :1, :1, :1], input_shape=(1, 1, 1)),
        ],
    ),
    # An input of 2 is shorter than the kernel, and left out.
    (
        PLAIN,
        WEIGHT[0, 0, :, 0],
        [
            cut(PLAIN, WEIGHT[0, 0, :, 0], input_shape=(4,)),
            cut(PLAIN, WEIGHT[0, 0, :2, 0]),
        ],
    ),
]


@pytest.mark.parametrize(("case", "weight", "expected"), BY_HAND, ids=["whole", "channels", "plain"])
def test_smaller_operators_are_those_that_are_cut_by_hand(
    case: Case, weight: np.ndarray, expected: list[tuple[Case, np.ndarray]]
) -> None:
    A = Conv(weight, case.input_shape, **case.kwargs())
    found = list(A._convops_smaller())
    assert len(found) == len(expected)
    for smaller, (by_hand, taps) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(smaller.weight, taps)
        assert smaller.input_shape == by_hand.input_shape
        np.testing.assert_allclose(smaller.toarray(), matrix_of(by_hand, taps), atol=1e-12)


def test_the_smaller_ones_of_an_adjoint_are_adjoints() -> None:
    weight = np.array([1 + 2j, 3, 4j])
    A = Conv(weight, 6, padding=1)
    for view in (A.H, A.T, A.T.H, ConvTranspose(weight, 6, padding=1)):
        found = list(view._convops_smaller())
        assert {type(smaller) for smaller in found} == {type(view)}
        assert all(smaller.shape != view.shape for smaller in found)
    for forward, adjoint, transpose in zip(
        A._convops_smaller(), A.H._convops_smaller(), A.T._convops_smaller(), strict=True
    ):
        np.testing.assert_array_equal(adjoint.toarray(), forward.toarray().conj().T)
        np.testing.assert_array_equal(transpose.toarray(), forward.toarray().T)


@pytest.mark.parametrize("method", ["gemm", "fft", "separable"])
def test_the_method_stays_and_what_it_cannot_do_is_left_out(method: str) -> None:
    weight = np.einsum("a,b,c->abc", *np.random.default_rng(0).standard_normal((3, 3)))[:, None]
    found = list(Conv(weight, (3, 9, 9), groups=3, method=method)._convops_smaller())
    assert {smaller.method for smaller in found} == {method}
    assert len(found) >= 7


def test_the_weight_is_a_copy_that_cannot_be_written_to() -> None:
    A = Conv(np.arange(1.0, 10).reshape(3, 3), (6, 6))
    for smaller in A._convops_smaller():
        assert not smaller.weight.flags.writeable
        assert not np.shares_memory(smaller.weight, A.weight)


def test_the_plainest_operators_have_none_that_are_smaller() -> None:
    for A in (Conv([1.0], 1), Conv([[2.0]], (1, 1)), Conv([[[3.0]]], (1, 1))):
        assert list(A._convops_smaller()) == []

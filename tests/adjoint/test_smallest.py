"""An operator that fails is shrunk to the smallest of its kind that still does."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from adjoint.pairs import pair_operator
from convops import Conv, ConvGeometry, check_adjoint
from convops.adjoint.smallest import smallest_that_fails
from convops.apply.gemm import GemmEngine


class Number:
    """What can be shrunk to its half and to one less."""

    geometry = "a line"

    def __init__(self, value: int, tried: list[int] | None = None) -> None:
        self.value = value
        self.tried = [] if tried is None else tried

    def __repr__(self) -> str:
        return f"<the number\n{self.value}>"

    def _convops_smaller(self) -> Iterator["Number"]:
        for value in (self.value // 2, self.value - 1):
            if value > 0:
                self.tried.append(value)
                yield Number(value, self.tried)


@pytest.mark.parametrize("least", [1, 2, 7, 40, 99])
def test_shrinking_ends_where_nothing_smaller_fails(least: int) -> None:
    found = smallest_that_fails(Number(100), lambda number: number.value >= least)
    assert found == f"<the number {least}> with 'a line'"


def test_where_nothing_smaller_fails_there_is_none() -> None:
    assert smallest_that_fails(Number(100), lambda number: False) == ""
    assert smallest_that_fails(Number(1), lambda number: True) == ""


def test_what_cannot_be_shrunk_is_left_alone() -> None:
    assert smallest_that_fails(pair_operator(np.eye(3), np.eye(3)), lambda op: True) == ""
    assert smallest_that_fails(None, lambda op: True) == ""


def test_shrinking_goes_on_for_so_many_trials_and_keeps_what_it_has() -> None:
    start = Number(10**6)
    found = smallest_that_fails(start, lambda number: number.value > 10**6 - 1000)
    # Each step tries a half that passes and one less that fails.
    assert found == f"<the number {10**6 - 100}> with 'a line'"
    assert len(start.tried) <= 201


def planted(monkeypatch: pytest.MonkeyPatch, needs: Callable[[ConvGeometry], bool]) -> None:
    """Let the adjoint by "gemm" double its first entry where a geometry has what the fault needs."""
    right = GemmEngine.adjoint

    def wrong(self: Any, y: np.ndarray) -> np.ndarray:
        x = right(self, y)
        if needs(self._geometry):
            x[..., 0] *= 2
        return x

    monkeypatch.setattr(GemmEngine, "adjoint", wrong)


FAULTS: dict[str, tuple[Callable[[ConvGeometry], bool], ConvGeometry]] = {
    "any": (lambda g: True, ConvGeometry((1, 1, 1, 1), (1, 1, 1))),
    "stride 2 and two channels": (
        lambda g: g.stride[0] == 2 and g.in_channels >= 2,
        ConvGeometry((1, 2, 1, 1), (2, 1, 1), stride=(2, 1)),
    ),
    "three output channels": (lambda g: g.out_channels >= 3, ConvGeometry((3, 1, 1, 1), (1, 1, 1))),
    "dilation": (lambda g: g.dilation[1] == 2, ConvGeometry((1, 1, 1, 1), (1, 1, 1), dilation=(1, 2))),
    # Sizes go first, so the padding that lets the kernel fit one sample stays.
    "a kernel of two": (
        lambda g: g.kernel_size[1] >= 2,
        ConvGeometry((1, 1, 1, 2), (1, 1, 1), padding=((0, 0), (1, 1))),
    ),
    "padding": (
        lambda g: g.padding[0] == (1, 1),
        ConvGeometry((1, 1, 1, 1), (1, 1, 1), padding=((1, 1), (0, 0))),
    ),
    "reflection of five samples": (
        lambda g: g.boundary[0] == "reflect" and g.input_shape[1] >= 5,
        ConvGeometry((1, 1, 1, 1), (1, 5, 1), boundary=("reflect", "zeros")),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_convolution_is_shrunk_to_what_its_fault_needs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needs, smallest = FAULTS[name]
    A = Conv(
        np.random.default_rng(0).standard_normal((4, 4, 3, 3)),
        (4, 10, 9),
        stride=(2, 1),
        padding=1,
        dilation=(1, 2),
        boundary=("reflect", "zeros"),
        method="gemm",
    )
    assert check_adjoint(A)
    planted(monkeypatch, needs)
    for seed in range(2):
        report = check_adjoint(A, seed=seed, witnesses=1)
        assert {"adjoint", "exact", "matrix"} & set(report.failed), report
        assert report.smallest.endswith(f" with {smallest!r}"), report
        assert report.smallest.startswith("<"), report


def test_groups_are_shrunk_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, lambda g: g.in_channels >= 2)
    A = Conv(np.ones((6, 2, 3)), (6, 9), groups=3, method="gemm")
    assert check_adjoint(A, witnesses=1).smallest.endswith(f" with {ConvGeometry((1, 2, 1), (2, 1))!r}")


def test_what_passes_is_not_shrunk() -> None:
    assert check_adjoint(Conv(np.ones((3, 3)), (9, 9))).smallest == ""


def test_the_smallest_is_of_the_kind_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, lambda g: True)
    A = Conv([1.0, 2, 3], 9, method="gemm")
    assert "Conv:" in check_adjoint(A, witnesses=1).smallest
    assert "ConvTranspose" in check_adjoint(A.H, witnesses=1).smallest

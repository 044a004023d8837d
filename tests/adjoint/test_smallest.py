"""A fault of a large operator is shown on the smallest of its kind."""

from collections.abc import Iterator

import numpy as np
import pytest

from adjoint.pairs import Array
from convops import Conv, check_adjoint
from convops.adjoint.smallest import smallest_that_fails
from convops.apply.gemm import GemmEngine


class Sized:
    """Stands for an operator of some size, of which the next smaller is one less."""

    geometry = "a line"

    def __init__(self, size: int) -> None:
        self.size = size

    def __repr__(self) -> str:
        return f"<size {self.size}>"

    def _convops_smaller(self) -> Iterator["Sized"]:
        if self.size > 1:
            yield Sized(self.size - 1)


def test_it_is_the_last_that_fails() -> None:
    assert smallest_that_fails(Sized(9), lambda op: op.size > 3) == "<size 4> with 'a line'"
    assert smallest_that_fails(Sized(9), lambda op: False) == ""
    assert smallest_that_fails(object(), lambda op: True) == ""


def test_the_search_ends() -> None:
    trials = []
    smallest_that_fails(Sized(10_000), lambda op: not trials.append(op))
    assert len(trials) <= 200


def test_a_fault_that_needs_a_stride_is_shown_with_a_stride(monkeypatch: pytest.MonkeyPatch) -> None:
    right = GemmEngine.adjoint

    def wrong(self: GemmEngine, y: Array) -> Array:
        x = right(self, y).copy()
        if max(self._geometry.stride) > 1 and self._geometry.in_channels > 1:
            x[..., -1] *= 2
        return x

    monkeypatch.setattr(GemmEngine, "adjoint", wrong)
    weight = np.random.default_rng(0).standard_normal((4, 2, 5, 4))
    A = Conv(weight, (2, 20, 24), padding="same", boundary="reflect", stride=(2, 3), method="gemm")
    report = check_adjoint(A)
    assert "adjoint" in report.failed
    assert report.smallest.startswith("<1x2 Conv: input_shape (2, 1, 1) -> output_shape (1, 1, 1), float64>")
    assert "stride=(1, 3)" in report.smallest
    assert "smallest that fails: <1x2 Conv" in str(report)

"""`check_adjoint` of a `DaskConv`: it passes what is right, finds what is wrong, and holds no large array."""

from typing import Any

import numpy as np
import pytest

from convops import check_adjoint
from convops.adjoint import applicable_checks
from convops.distributed import DaskConv, _adjoint, _tasks
from convops.testing import assert_adjoint

pytest.importorskip("dask.array")

SHAPE = (40, 45)


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_adjoint, "IN_MEMORY", 100)
    monkeypatch.setattr(_adjoint, "_CHUNK", 2**12)


def operator(dtype: Any = "float64", boundary: str = "wrap", **more: Any) -> DaskConv:
    weight = np.random.default_rng(0).standard_normal((3, 4)) * 10
    weight = weight + 1j * weight[::-1] if np.dtype(dtype).kind == "c" else weight
    return DaskConv(weight.astype(dtype), SHAPE, padding=(2, 1), boundary=boundary, **more)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64"])
@pytest.mark.parametrize("boundary", ["zeros", "antireflect"])
def test_right_pairs_pass(dtype: str, boundary: str) -> None:
    A = operator(dtype, boundary, stride=(1, 2))
    for one in (A, A.H, A.T):
        report = check_adjoint(one)
        assert report, report
        names = ("exact",) if dtype == "int64" else ("additivity", "adjoint", "exact")
        assert tuple(check.name for check in report.checks) == names == applicable_checks(one)
        assert (report.input_shape, report.output_shape) == (one.input_shape, one.output_shape)
        assert "stay in chunks" in str(report)


def test_a_transpose_in_place_of_an_adjoint_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DaskConv, "H", DaskConv.T)
    report = check_adjoint(operator("complex128"))
    assert report.failed == ("adjoint",)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_a_border_that_is_not_folded_back_is_found(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    A = operator(dtype)
    folded = _tasks._folded

    def forgetful(y: Any, extension: Any, *more: Any) -> Any:
        kept = slice(1, None)
        rest = (extension.row[kept], extension.sample[kept], extension.coefficient[kept])
        return folded(y, _tasks.Extension(extension.samples, extension.positions, *rest), *more)

    monkeypatch.setattr(_tasks, "_folded", forgetful)
    report = check_adjoint(A)
    assert report.failed == (("exact",) if dtype == "int64" else ("adjoint", "exact"))
    with pytest.raises(AssertionError, match="FAILED"):
        assert_adjoint(A, level="quick")


def test_a_map_that_is_not_linear_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    call = _tasks.ChunkProduct.__call__
    monkeypatch.setattr(_tasks.ChunkProduct, "__call__", lambda *given: np.abs(call(*given)))
    report = check_adjoint(operator())
    assert report.failed[:2] == ("additivity", "adjoint")


def test_probes_are_the_same_wherever_their_chunks_are_made() -> None:
    A = operator()
    one, again, other = (check_adjoint(A, seed=seed) for seed in (0, 0, 1))
    assert one == again
    assert one.checks != other.checks


def test_only_and_skip_choose_among_the_checks_that_there_are() -> None:
    A = operator()
    assert [check.name for check in check_adjoint(A, only="exact").checks] == ["exact"]
    assert [check.name for check in check_adjoint(A, skip=["exact", "adjoint"]).checks] == ["additivity"]
    assert applicable_checks(A, level="quick") == ("additivity", "adjoint")
    with pytest.raises(ValueError, match=r"only=\('matrix',\).* the checks are additivity, adjoint, exact"):
        check_adjoint(A, only="matrix")
    with pytest.raises(ValueError, match="none is left to make"):
        check_adjoint(A, skip=["additivity", "adjoint", "exact"])
    with pytest.raises(ValueError, match=r"level='complete': \d+ entries are too many"):
        check_adjoint(A, level="complete")


def test_small_operators_are_checked_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_adjoint, "IN_MEMORY", 2**16)
    report = check_adjoint(DaskConv([1.0, 2.0, 3.0], 20, padding="same", chunks=7), level="complete")
    assert report, report
    assert "entries" in {check.name for check in report.checks}
    assert report.operator.startswith("<20x20 DaskConv")
    assert "contract" in applicable_checks(DaskConv([1.0, 2.0], 20))

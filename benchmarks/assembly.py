"""Building W: against writing its three arrays once, scipy.sparse alone, and new values on one pattern."""

import numpy as np
from scipy import sparse

from benchmarks import _peers
from benchmarks._cases import CASES, QUICK_CASES, Case, nbytes
from benchmarks._harness import Times, against_target, geometric_mean, table, take_turns
from convops import ConvPattern

MEAN_TARGET, WORST_TARGET = 1.5, 2.5
REUSE_TARGET = 3.0

CONVOPS, FLOOR, COO, KRON = "conv_matrix", "floor", "COO triplets", "sum of kron"
NEW, OVERWRITTEN = "pattern.matrix(weight)", "pattern.matrix(weight, out=W)"


def main(quick: bool) -> None:
    """Print both tables and the figures that have a target."""
    # First, while the C library has no memory of earlier matrices to give: both ask the system for theirs.
    _reuse(quick)
    print("\nBuilding W, in ms. floor: numpy.empty and fill of arrays of the sizes and dtypes of W's.")
    measured = {case: _measure(case, quick) for case in (QUICK_CASES if quick else CASES)}
    rows = []
    for case, (size, times) in measured.items():
        cells = [f"{times.median(FLOOR) * 1e3:.3g}"]
        for name in (CONVOPS, COO, KRON):
            ratio = f"{times.ratio(name, FLOOR):.2f}" if name in times else ""
            cells += [f"{times.median(name) * 1e3:.3g}" if name in times else "", ratio]
        rows.append([case.name, f"{size / 1e6:.3g}", *cells])
    header = ["W of", "MB", FLOOR, *[head for name in (CONVOPS, COO, KRON) for head in (name, "/ floor")]]
    print(table(header, rows))
    ratios = [times.ratio(CONVOPS, FLOOR) for _, times in measured.values()]
    print(against_target(f"\n{CONVOPS} / floor, geometric mean", geometric_mean(ratios), MEAN_TARGET))
    print(against_target(f"{CONVOPS} / floor, worst", max(ratios), WORST_TARGET))


def _reuse(quick: bool) -> None:
    """Print what a new weight costs where its pattern is known."""
    print("W of a new weight, in ms: assembled, and by a ConvPattern of its geometry.")
    rows, ratios = [], []
    for case in QUICK_CASES if quick else CASES:
        times = _measure_reuse(case, quick)
        ratios.append(times.ratio(CONVOPS, OVERWRITTEN))
        cells = [f"{times.median(name) * 1e3:.3g}" for name in (CONVOPS, NEW, OVERWRITTEN)]
        of_new = f"{times.ratio(CONVOPS, NEW):.2f}"
        rows.append([case.name, *cells[:2], of_new, cells[2], f"{ratios[-1]:.2f}"])
    print(table(["W of", CONVOPS, NEW, "times faster", OVERWRITTEN, "times faster"], rows))
    print(against_target("\ntimes faster in place, least", min(ratios), REUSE_TARGET, least=True))


def _measure_reuse(case: Case, quick: bool) -> Times:
    weight, other = case.weight(), case.weight()[::-1].copy()
    pattern = ConvPattern(case.geometry())
    W = pattern.matrix(other)
    _require_same(pattern.matrix(weight, out=W), case.matrix(weight), NEW)
    return take_turns(
        {
            CONVOPS: lambda: case.matrix(weight),
            NEW: lambda: pattern.matrix(weight),
            OVERWRITTEN: lambda: pattern.matrix(weight, out=W),
        },
        quick,
    )


def _measure(case: Case, quick: bool) -> tuple[int, Times]:
    """Return the bytes of W and the times of all contenders."""
    weight = case.weight()
    W = case.matrix(weight)
    size, layout = nbytes(W), [(array.size, array.dtype) for array in (W.data, W.indices, W.indptr)]
    found = {COO: _peers.coo(case, weight), KRON: _peers.kron(case, weight)}
    peers = {name: build for name, build in found.items() if build is not None}
    for name, build in peers.items():
        _require_same(W, build(), name)
    del W

    def floor() -> list[np.ndarray]:
        arrays = [np.empty(length, dtype) for length, dtype in layout]
        for array in arrays:
            array.fill(1)
        return arrays

    return size, take_turns({CONVOPS: lambda: case.matrix(weight), FLOOR: floor, **peers}, quick)


def _require_same(W: sparse.csr_array, other: sparse.csr_array, name: str) -> None:
    """Refuse to time a contender that builds another matrix."""
    other.sum_duplicates()
    same = (
        W.shape == other.shape
        and np.array_equal(W.indptr, other.indptr)
        and np.array_equal(W.indices, other.indices)
        and np.allclose(W.data, other.data, rtol=1e-12, atol=1e-12)
    )
    if not same:
        raise AssertionError(f"{name} builds another matrix than conv_matrix.")

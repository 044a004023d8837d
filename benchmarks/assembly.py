"""Building W: against writing its three arrays once, and against scipy.sparse alone."""

import numpy as np
from scipy import sparse

from benchmarks import _peers
from benchmarks._cases import CASES, QUICK_CASES, Case, nbytes
from benchmarks._harness import Times, against_target, geometric_mean, table, take_turns

MEAN_TARGET, WORST_TARGET = 1.5, 2.5

CONVOPS, FLOOR, COO, KRON = "conv_matrix", "floor", "COO triplets", "sum of kron"


def main(quick: bool) -> None:
    """Print the table and the two figures that have a target."""
    print("Building W, in ms. floor: numpy.empty and fill of arrays of the sizes and dtypes of W's.")
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

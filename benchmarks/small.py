"""What the smallest operator costs: weight (2, 2), input (3, 3), float64."""

import numpy as np
from scipy.sparse import csr_array

from benchmarks._harness import Call, against_target, table, take_turns
from convops import Conv, conv, conv_matrix, conv_transpose

BUILD_TARGET, APPLY_TARGET = 12, 4

READY, PRODUCT = "csr_array((data, indices, indptr), shape=...)", "W @ x"
BUILD, APPLY = "conv_matrix(weight, (3, 3))", "A @ x"


def main(quick: bool) -> None:
    """Print one table for building and one for applying."""
    weight = np.array([[1.0, 2.0], [3.0, 4.0]])
    built = compare(_building(weight), READY, quick)[BUILD]
    print(against_target("conv_matrix(weight, (3, 3)) / csr_array", built, BUILD_TARGET), end="\n\n")
    applied = compare(_applying(weight), PRODUCT, quick)[APPLY]
    print(against_target("A @ x / W @ x", applied, APPLY_TARGET))


def _building(weight: np.ndarray) -> dict[str, Call]:
    """Return calls that build W, from ready arrays and with all checks of the arguments."""
    W = conv_matrix(weight, (3, 3))
    data, indices, indptr = W.data, W.indices, W.indptr
    listed = weight.tolist()
    assert np.array_equal(conv_matrix(listed, (3, 3)).toarray(), W.toarray())
    return {
        READY: lambda: csr_array((data, indices, indptr), shape=(4, 9)),
        BUILD: lambda: conv_matrix(weight, (3, 3)),
        "conv_matrix(weight.tolist(), (3, 3))": lambda: conv_matrix(listed, (3, 3)),
        'conv_matrix(weight, (3, 3), padding="same")': lambda: conv_matrix(weight, (3, 3), padding="same"),
        "Conv(weight, (3, 3))": lambda: Conv(weight, (3, 3)),
    }


def _applying(weight: np.ndarray) -> dict[str, Call]:
    """Return calls that apply W or its adjoint, after a check that they agree."""
    A, W = Conv(weight, (3, 3)), conv_matrix(weight, (3, 3))
    H, W_H = A.H, W.T.tocsr()
    x, y = np.arange(9.0), np.arange(4.0)
    image, out = x.reshape(3, 3), y.reshape(2, 2)
    forward: dict[str, Call] = {
        PRODUCT: lambda: W @ x,
        APPLY: lambda: A @ x,
        "A(x)": lambda: A(image),
        "conv(x, weight)": lambda: conv(image, weight),
    }
    adjoint: dict[str, Call] = {
        "W.T @ y, W.T ready as CSR": lambda: W_H @ y,
        "A.H @ y": lambda: A.H @ y,
        "H @ y, H = A.H ready": lambda: H @ y,
        "conv_transpose(y, weight)": lambda: conv_transpose(out, weight),
    }
    for call in forward.values():
        assert np.array_equal(np.ravel(call()), W @ x)
    for call in adjoint.values():
        assert np.array_equal(np.ravel(call()), W_H @ y)
    return forward | adjoint


def compare(calls: dict[str, Call], reference: str, quick: bool) -> dict[str, float]:
    """Print a table of the calls; return the ratio of each to the reference."""
    times = take_turns(calls, quick, rounds=101)
    ratios = {name: times.ratio(name, reference) for name in calls}
    rows = [[name, f"{times.median(name) * 1e6:.1f}", f"{ratios[name]:.2f}"] for name in calls]
    print(table(["call", "µs", f"/ {reference.split('(')[0]}"], rows))
    return ratios

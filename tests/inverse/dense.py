"""What a damp leaves, costs and keeps, from dense linear algebra."""

from typing import Any

import numpy as np

from oracles import Array


def measured(A: Any, L: Array | None, b: Array, damp: float) -> tuple[float, float, float]:
    """Return ‖A x − b‖, ‖L x‖ and the trace of the influence matrix, of data ``(batch, M)``."""
    W = A.toarray()
    D = np.eye(W.shape[1]) if L is None else L
    # Where neither W nor D sees an x, rounding must not decide.
    inverse = np.linalg.pinv(np.vstack([W, damp * D]), rcond=1e-11)[:, : len(W)]
    x = b @ inverse.T
    return (
        float(np.linalg.norm(x @ W.T - b)),
        float(np.linalg.norm(x @ D.T)),
        float(np.trace(W @ inverse).real),
    )

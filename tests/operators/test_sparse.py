"""The engine that applies the matrix."""

import numpy as np
import pytest

from convops import ConvGeometry
from convops.operators.sparse import SparseEngine


def test_the_transpose_shares_the_arrays_of_the_matrix() -> None:
    engine = SparseEngine(ConvGeometry(3, 10), np.ones(3))
    assert np.shares_memory(engine.matrix.data, engine.transposed.data)
    assert np.shares_memory(engine.matrix.indices, engine.transposed.indices)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("operand", ["float64", "complex128"])
@pytest.mark.parametrize("own", ["float64", "complex128"])
def test_real_and_complex_mix(own: str, operand: str, batch: int) -> None:
    rng = np.random.default_rng(0)
    geometry = ConvGeometry((2, 3, 4), (3, 9), padding=1, boundary="reflect")
    weight = (rng.standard_normal((2, 3, 4)) + 1j).astype(own) if own[0] == "c" else rng.random((2, 3, 4))
    engine = SparseEngine(geometry, weight)
    W = engine.matrix.toarray()
    for apply, matrix, shape in (
        (engine.forward, W, (3, 9)),
        (engine.adjoint, W.conj().T, geometry.output_shape),
    ):
        x = rng.standard_normal((batch, *shape)).astype(operand)
        x = x * (1 + 2j) if operand[0] == "c" else x
        result = apply(x)
        np.testing.assert_allclose(result.reshape(batch, -1), x.reshape(batch, -1) @ matrix.T, atol=1e-12)
        assert result.flags.c_contiguous


def test_two_products_share_no_memory() -> None:
    engine = SparseEngine(ConvGeometry(1, 4), np.ones(1))
    x = np.ones((1, 1, 4))
    for apply in (engine.forward, engine.adjoint):
        assert not np.shares_memory(apply(x), apply(x))
        assert not np.shares_memory(apply(x), x)

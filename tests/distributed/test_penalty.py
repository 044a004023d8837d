"""The parts of a regulariser on dask arrays are those of the one in memory."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvTranspose, gradient, laplacian
from convops.distributed import DaskConv
from convops.distributed._penalty import penalty_of

da = pytest.importorskip("dask.array")

KERNEL = np.ones((3, 3), "float32")


@pytest.mark.parametrize(
    ("A", "boundary", "axes"),
    [
        (Conv(KERNEL, (5, 6), padding="same", boundary="wrap"), "wrap", (0, 1)),
        (Conv(KERNEL, (5, 6), padding="same", boundary=("edge", "reflect")), ("edge", "reflect"), (0, 1)),
        (Conv(KERNEL, (5, 6)), "symmetric", (0, 1)),
        (ConvTranspose(KERNEL, (5, 6), padding="same", boundary="edge"), "symmetric", (0, 1)),
        (Conv(np.ones((1, 2, 3), "complex64"), (2, 6), padding=1), ("zeros", "zeros"), (1,)),
    ],
)
def test_a_name_stands_for_the_operator_with_the_boundary_of_A(A: Any, boundary: Any, axes: Any) -> None:
    x = np.random.default_rng(0).standard_normal(A.input_shape).astype("float32")
    lazy = da.from_array(x, chunks=2)
    for name, whole in (
        ("gradient", gradient(x.shape, axes=axes, boundary=boundary, dtype="float32")),
        (
            "laplacian",
            laplacian(x.shape, axes=axes, boundary=boundary, dtype="float32")[None] if False else None,
        ),
    ):
        parts, dtypes = penalty_of(name, DaskConv.from_operator(A))
        assert dtypes == [np.float32]
        found = np.stack([part(lazy).compute() for part in parts])
        if whole is None:
            whole = laplacian(x.shape, axes=axes, boundary=boundary, dtype="float32")
            found = found[0]
        np.testing.assert_allclose(found, whole(x), atol=1e-5)


def test_the_identity_has_no_parts() -> None:
    assert penalty_of(None, DaskConv(KERNEL, (5, 6))) == (None, [])

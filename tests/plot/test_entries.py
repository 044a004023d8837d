"""What is drawn of a matrix is what stands in it, entry by entry, with the tap that stands there."""

import tracemalloc
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from convops import Conv, ConvGeometry, KernelOperator, identity
from convops.plot._entries import drawn
from oracles import extension

GEOMETRIES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "plain": ((2, 2), (3, 4), {}),
    "strided, dilated": ((2, 3), (7, 9), {"stride": (2, 3), "padding": 2, "dilation": (3, 2)}),
    "groups": ((4, 2, 3), (4, 7), {"groups": 2, "padding": ((1, 2),)}),
    "wrap": ((5, 3), (3, 4), {"padding": "same", "boundary": ("wrap", "zeros")}),
    "reflect": (3, 4, {"padding": 3, "boundary": "reflect"}),
    "edge": (3, 3, {"padding": 4, "boundary": "edge", "stride": 2}),
    "antireflect": ((3, 2), (3, 4), {"padding": 2, "boundary": ("antireflect", "symmetric")}),
    "antireflect, one sample": (2, 1, {"padding": 2, "boundary": "antireflect"}),
    "three axes": ((2, 1, 2), (3, 2, 3), {"padding": 1}),
}


def taps_by_loops(geometry: ConvGeometry) -> dict[tuple[int, int], set[tuple[int, ...]]]:
    """The taps that meet in each entry of W, written from q = stride * p + dilation * k - before."""
    E = [extension(axis.size, axis.before, axis.after, axis.boundary) for axis in geometry.axes]
    found: dict[tuple[int, int], set[tuple[int, ...]]] = {}
    outputs = geometry.output_shape[geometry.has_channels :]
    per_group = geometry.in_channels // geometry.groups
    for o, i in product(range(geometry.out_channels), range(per_group)):
        channel = o // (geometry.out_channels // geometry.groups) * per_group + i
        for p, k, s in product(
            np.ndindex(*outputs), np.ndindex(*geometry.kernel_size), np.ndindex(*geometry.spatial_shape)
        ):
            read = [
                extended[axis.stride * at + axis.dilation * tap, sample]
                for extended, axis, at, tap, sample in zip(E, geometry.axes, p, k, s, strict=True)
            ]
            if all(read):
                row = o * int(np.prod(outputs)) + int(np.ravel_multi_index(p, outputs))
                column = channel * int(np.prod(geometry.spatial_shape))
                column += int(np.ravel_multi_index(s, geometry.spatial_shape))
                found.setdefault((row, column), set()).add(k)
    return found


def drawn_entries(A: Any, most: int = 2**23) -> dict[tuple[int, int], set[tuple[int, ...]]]:
    matrix = drawn(A)
    found: dict[tuple[int, int], set[tuple[int, ...]]] = {}
    for block in matrix.blocks(most):
        for row, column, tap in zip(*(part.tolist() for part in block), strict=True):
            index = np.unravel_index(tap, matrix.kernel or (1,))
            found.setdefault((row, column), set()).add(tuple(int(place) for place in index))
    return found


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_entries_of_a_geometry_are_those_of_the_definition(name: str) -> None:
    weight_shape, input_shape, more = GEOMETRIES[name]
    geometry = ConvGeometry(weight_shape, input_shape, **more)
    expected = taps_by_loops(geometry)
    assert drawn_entries(geometry) == expected
    weight = np.random.default_rng(0).uniform(1, 2, geometry.weight_shape)
    A = Conv(weight, input_shape, **more)
    assert drawn_entries(A) == expected
    assert set(expected) == set(zip(*A.toarray().nonzero(), strict=True))
    assert drawn_entries(A.T) == {(column, row): taps for (row, column), taps in expected.items()}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_tap_is_that_of_the_weight_as_given(name: str) -> None:
    weight_shape, input_shape, more = GEOMETRIES[name]
    B = Conv(np.ones(weight_shape), input_shape, flip=True, **more)
    kernel = B.geometry.kernel_size
    turned = {
        place: {tuple(size - 1 - at for size, at in zip(kernel, tap, strict=True)) for tap in taps}
        for place, taps in taps_by_loops(B.geometry).items()
    }
    assert drawn_entries(B) == turned


def test_taps_that_are_zero_are_left_out() -> None:
    weight = np.array([[[1.0, 0, 2]], [[0, 3, 0]]])
    A = Conv(weight, (1, 6), padding=1)
    assert set(drawn_entries(A)) == set(zip(*A.toarray().nonzero(), strict=True))
    assert {tap for taps in drawn_entries(A).values() for tap in taps} == {(0,), (1,), (2,)}
    assert drawn_entries(Conv([0.0, 0.0], 4)) == {}


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 3, 2)])
def test_entries_stand_where_the_channels_are(shape: tuple[int, ...], axis: int) -> None:
    sizes = (4, 3, 5) if axis == 1 else (4, 5, 3)
    weight = np.random.default_rng(0).uniform(1, 2, shape)
    A = Conv(weight, sizes, padding=1, channel_axis=axis)
    K = KernelOperator(np.ones((2, *sizes)), shape, batch_dims=1, channel_axis=axis)
    for op in (A, A.T, K, K.T):
        found = drawn_entries(op)
        assert set(found) == set(zip(*op.toarray().nonzero(), strict=True))
        assert drawn(op).arrays == (op.output_shape, op.input_shape)
        assert drawn(op).kernel == (3, 2)
    W = A.toarray()
    for (row, column), taps in drawn_entries(A).items():
        assert any(np.isclose(W[row, column], weight[(..., *tap)]).any() for tap in taps)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_a_kernel_operator_has_the_tap_of_its_column(batch: tuple[int, ...], flip: bool) -> None:
    x = np.random.default_rng(0).uniform(1, 2, (*batch, 2, 4, 3))
    K = KernelOperator(x, (4, 1, 2, 3), batch_dims=len(batch), padding=1, groups=2, flip=flip)
    found = drawn_entries(K)
    assert set(found) == set(zip(*K.toarray().nonzero(), strict=True))
    for (_, column), taps in found.items():
        assert taps == {np.unravel_index(column, (4, 1, 2, 3))[2:]}
    assert drawn_entries(K.T) == {(column, row): taps for (row, column), taps in found.items()}


@pytest.mark.parametrize("make", [csr_array, coo_array])
def test_a_sparse_matrix_shows_what_is_not_zero(make: Any) -> None:
    dense = np.array([[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 4, 0]])
    matrix = make(dense)
    matrix.data[0] = 0
    assert set(drawn_entries(matrix)) == {(0, 3), (2, 0), (2, 2)}
    assert drawn_entries(csr_array((3, 4))) == {}


def test_other_operators_show_their_matrix() -> None:
    A = Conv([1.0, -1.0], 5)
    for op in (A.gram() + identity(5), 2 * A, identity(4)):
        assert set(drawn_entries(op)) == set(zip(*op.toarray().nonzero(), strict=True))


def test_of_many_rows_some_are_drawn_and_all_parts_of_the_matrix_have_some() -> None:
    geometry = ConvGeometry((3, 3), (10, 10), padding=1)
    everything, some = taps_by_loops(geometry), drawn_entries(geometry, most=270)
    assert all(everything[place] == taps for place, taps in some.items())
    rows = sorted({row for row, _ in some})
    assert len(rows) == 270 // 9
    assert np.diff([0, *rows, 100]).max() <= 2 * 100 / 30 + 1


@pytest.mark.parametrize(
    "geometry",
    [
        ConvGeometry((3, 3), (2**30, 2**30), padding=1),
        ConvGeometry((4, 2**12, 3), (2**12, 2**40), stride=2),
        ConvGeometry((2**14, 2**14), (2**20, 2**20), boundary="antireflect", padding=5),
        ConvGeometry((2,) * 15, (2,) * 15, padding=1),
        ConvGeometry(3, 5, padding=2**59, boundary="reflect"),
    ],
    ids=["image", "channels", "large kernel", "15 axes", "wide border"],
)
def test_the_largest_take_little_memory(geometry: ConvGeometry) -> None:
    tracemalloc.start()
    try:
        count = sum(row.size for row, _, _ in drawn(geometry).blocks(2**18))
        assert tracemalloc.get_traced_memory()[1] < 2**27
    finally:
        tracemalloc.stop()
    assert 0 < count <= 2**19


def test_the_entries_of_the_largest_are_in_the_matrix() -> None:
    size = 2**30
    geometry = ConvGeometry((3, 3), (size, size), padding=1)
    for row, column, tap in drawn(geometry).blocks(2**12):
        (y, x), (v, u), (j, i) = np.divmod(row, size), np.divmod(column, size), np.divmod(tap, 3)
        assert np.array_equal(v, y + j - 1)
        assert np.array_equal(u, x + i - 1)


def test_positions_beyond_int64_are_refused() -> None:
    geometry = ConvGeometry(3, 5, padding=2**61, stride=2)
    with pytest.raises(ValueError, match=rf"an axis of {5 + 2**62} positions .* up to {2**61}.* smaller"):
        drawn(geometry)

"""Where arrays are cut: chunks cover, lie where their source's do, and are not too short."""

from hypothesis import given
from hypothesis import strategies as st

from convops import ConvGeometry
from convops._axis import Axis
from convops.distributed._chunks import asked_chunks, edges_of, fitting_chunks, merged, reach


def test_chunks_are_taken_as_dask_writes_them() -> None:
    geometry = ConvGeometry((4, 3, 2, 2), (3, 9, 6))
    for typed in (4, (4, 4), [4, (4, 1)], (-1, 4, 4), (4, 4, 4), ((4,), 4, 4)):
        assert asked_chunks(typed, geometry) == ((4, 4), (4, 1))
    assert asked_chunks("auto", geometry) == (None, None)
    assert asked_chunks(("auto", -1), geometry) == (None, (5,))
    assert asked_chunks((3, 100), geometry) == ((3, 3, 2), (5,))


def test_same_padding_keeps_the_chunks_in_both_directions() -> None:
    for kernel in (1, 2, 3, 4, 15):
        before = (kernel - 1) // 2
        axis = Axis(100, kernel, 1, 1, before, kernel - 1 - before, "reflect")
        for sizes in ((20,) * 5, (17, 30, 53), (100,)):
            assert fitting_chunks(axis, sizes, False) == fitting_chunks(axis, sizes, True) == sizes


def test_a_stride_scales_the_chunks() -> None:
    axis = Axis(120, 3, 3, 1, 1, 1, "zeros")
    assert fitting_chunks(axis, (30, 30, 60), False) == (10, 10, 20)
    assert fitting_chunks(axis, (10, 10, 20), True) == (30, 30, 60)


@given(
    st.builds(
        Axis,
        st.integers(10, 40),
        st.integers(1, 5),
        st.integers(1, 4),
        st.integers(1, 2),
        st.integers(0, 30),
        st.integers(0, 30),
        st.just("wrap"),
    ),
    st.lists(st.integers(1, 9), min_size=1, max_size=9),
    st.booleans(),
)
def test_fitting_chunks_cover_the_result_and_are_long_enough(
    axis: Axis, source: list[int], transposed: bool
) -> None:
    if transposed:
        source = [axis.out_size] if sum(source) >= axis.out_size else [*source, axis.out_size - sum(source)]
    sizes = fitting_chunks(axis, tuple(source), transposed)
    total = axis.size if transposed else axis.out_size
    assert sum(sizes) == total
    assert min(sizes) >= min(max(reach(axis, transposed), 1), total)


@given(st.lists(st.integers(0, 9), min_size=1), st.integers(0, 20))
def test_merged_chunks_are_made_of_whole_ones(sizes: list[int], least: int) -> None:
    found = merged(sizes, least)
    assert sum(found) == sum(sizes)
    assert all(size >= least for size in found) or len(found) == 1
    edges = {sum(sizes[:count]) for count in range(len(sizes) + 1)}
    assert {stop for _, stop in edges_of(found)} <= edges

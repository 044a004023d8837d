"""``convops info``: the arithmetic, the bytes, the method; and what does not fit."""

import re

import pytest

from commands.terminal import refused, run
from convops import ConvGeometry


def test_the_arithmetic_the_bytes_and_the_method_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "--weight-shape", "3", "--input-shape", "8", "--stride", "2", "--padding", "1") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for line in (
        "convolution: input_shape (8,) -> output_shape (4,)",
        "W: shape (4, 8), nnz = 11, 152 bytes in float64 with int32 indices",  # 11 * 12 + 5 * 4
        "bytes of W in float64: 152, 152 bytes",
        'method "sparse": cheapest by the cost model',
    ):
        assert line in printed.out.splitlines()
    for method in ("sparse", "gemm", "fft"):
        assert re.search(rf"^  {method}: about .* on one core", printed.out, re.MULTILINE)


def test_the_dtype_changes_the_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "--weight-shape", "3", "--input-shape", "1000", "--dtype", "float32") == 0
    assert f"bytes of W in float32: {2994 * 8 + 999 * 4}, 27.29 KiB" in capsys.readouterr().out


def test_a_large_kernel_is_told_what_rank_one_would_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "--weight-shape", "41x41", "--input-shape", "600x600") == 0
    out = capsys.readouterr().out
    assert 'method "fft": ' in out
    assert out.endswith('for a kernel of rank 1, as a box or a Gaussian is: method "separable"\n')


def test_a_transpose_says_what_it_reads_and_returns(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--weight-shape", "20,10,5,5", "--input-shape", "20,6,6", "--stride", "3", "--padding", "2")
    assert run("info", *options, "--transposed", "--output-padding", "1") == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("transposed convolution: input_shape (20, 6, 6) -> output_shape (10, 17, 17)")
    assert second == "convolution: input_shape (10, 17, 17) -> output_shape (20, 6, 6)"


@pytest.mark.parametrize("dtype", ["int64", "int8", "complex64"])
def test_every_dtype_has_a_weight(dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "--weight-shape", "2,1,3", "--input-shape", "1,9", "--dtype", dtype) == 0
    assert f"for a weight of random numbers in {dtype}:" in capsys.readouterr().out


def test_a_weight_too_large_to_make_has_sizes_and_no_method(capsys: pytest.CaptureFixture[str]) -> None:
    shapes = (99999, 99999, 3, 3), (99999, 8, 8)
    arguments = [",".join(map(str, shape)) for shape in shapes]
    assert run("info", "--weight-shape", arguments[0], "--input-shape", arguments[1]) == 0
    out = capsys.readouterr().out
    assert f"nnz = {ConvGeometry(*shapes).nnz}" in out
    assert out.splitlines()[-1].startswith("method: not told, because it takes a weight to choose one")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "the following arguments are required: --weight-shape, --input-shape (see convops info --help)"),
        ("--weight-shape 3,x --input-shape 8", "'3,x': 'x' is not a whole number of at least 1"),
        ("--weight-shape 9 --input-shape 8", "Pad by at least 1 more, or use a smaller kernel"),
        ("--weight-shape 3 --input-shape 8 --boundary circular", "'circular' is 'wrap' here"),
        ("--weight-shape 3 --input-shape 8 --padding sam", "Did you mean 'same'?"),
        ("--weight-shape 3 --input-shape 8 --dtype float16", "operators work in float32"),
        ("--weight-shape 3 --input-shape 8 --groups 0", "argument --groups: '0' is not a whole number"),
        ("--weight-shape 4,3,3 --input-shape 3,8 --groups 3", "it must divide 4"),
        ("--weight-shape 3 --input-shape 8 --output-padding 1", "Give --transposed too"),
        ("--weight-shape 3 --input-shape 8 --transposed --output-padding 1", "less than its stride 1"),
        ("--weight-shape 3,3 --input-shape 99999999999,99999999999", "no array holds more"),
    ],
)
def test_what_does_not_fit_is_one_line(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "info", *arguments.split())

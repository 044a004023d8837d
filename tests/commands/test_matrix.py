"""``convops matrix``: the matrix as it is printed, in files, and drawn."""

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, mmread
from scipy.sparse import load_npz

from commands.terminal import refused, run
from convops import conv_matrix
from convops.commands import matrix

BY_HAND = """\
[[1 2 0 3 4 0 0 0 0]
 [0 1 2 0 3 4 0 0 0]
 [0 0 0 1 2 0 3 4 0]
 [0 0 0 0 1 2 0 3 4]]
"""


def entries(printed: str) -> np.ndarray:
    rows = printed.replace("[", "").replace("]", "").splitlines()
    return np.array([[float(entry) for entry in row.split()] for row in rows])


def test_a_small_matrix_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("matrix", "[[1,2],[3,4]]", "--input-shape", "3,3") == 0
    assert capsys.readouterr() == (BY_HAND, "")


def test_the_transpose_and_the_turned_kernel_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("matrix", "[[1,2],[3,4]]", "--input-shape", "2,2", "--transposed") == 0
    np.testing.assert_array_equal(entries(capsys.readouterr().out), entries(BY_HAND).T)
    assert run("matrix", "[[4,3],[2,1]]", "--input-shape", "3,3", "--flip") == 0
    assert capsys.readouterr().out == BY_HAND


def test_a_wide_matrix_is_printed_on_one_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("matrix", "[0.125,-0.25]", "--input-shape", "40") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 39
    assert run("matrix", "[0.125,-0.25]", "--input-shape", "1,40") == 2


# SciPy's readers return matrices or arrays, which is alike here.
@pytest.mark.filterwarnings("ignore:The default value for `spmatrix`:DeprecationWarning")
@pytest.mark.parametrize("name", ["W.npz", "W.mtx", "W.mat", "W.NPZ"])
@pytest.mark.parametrize("kind", ["int", "float", "complex"])
def test_a_file_holds_the_matrix(
    name: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weight = np.random.default_rng(0).integers(-9, 9, (2, 3, 3, 2)).astype(kind)
    weight[0, 0, 0, 0] = 0
    if kind != "int":
        weight = weight / 7 + (1j if kind == "complex" else 0)
    np.save(tmp_path / "weight.npy", weight)
    options = ("--stride", "2,1", "--padding", "1", "--boundary", "reflect,wrap")
    file = tmp_path / name
    assert run("matrix", tmp_path / "weight.npy", "--input-shape", "3,7,5", *options, "-o", file) == 0
    W = conv_matrix(weight, (3, 7, 5), stride=(2, 1), padding=1, boundary=("reflect", "wrap"))
    read = {".npz": load_npz, ".mtx": mmread, ".mat": lambda path: loadmat(path)["W"]}[file.suffix.lower()]
    found = read(file)
    assert found.nnz == W.nnz
    np.testing.assert_array_equal(found.toarray(), W.toarray())
    assert capsys.readouterr() == (
        f"W: shape {W.shape}, nnz = {W.nnz}, {W.dtype}\nwrote {file}\n",
        "",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "weight.npy"])


def test_the_dtype_is_that_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "W.npz"
    assert run("matrix", "[1,2]", "--input-shape", "5", "--dtype", "float32", "-o", file) == 0
    assert load_npz(file).dtype == np.float32


@pytest.mark.filterwarnings("ignore:The default value for `spmatrix`:DeprecationWarning")
def test_a_folder_holds_the_matrix_in_blocks_and_their_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weight = np.random.default_rng(0).normal(size=(2, 3, 3, 2)).astype("float32")
    np.save(tmp_path / "weight.npy", weight)
    options = ("--stride", "2,1", "--padding", "1", "--boundary", "reflect,wrap", "--flip")
    folder = tmp_path / "W"
    size = ("--input-shape", "3,7,5", "--block-bytes", "2000")
    assert run("matrix", tmp_path / "weight.npy", *size, *options, "--blocks", folder) == 0
    W = conv_matrix(weight, (3, 7, 5), stride=(2, 1), padding=1, boundary=("reflect", "wrap"), flip=True)
    index = json.loads((folder / "index.json").read_text())
    count = len(index["blocks"])
    assert capsys.readouterr() == (
        f"W: shape {W.shape}, nnz = {W.nnz}, float32\n"
        f"wrote {folder}: {count} blocks of rows, and index.json\n",
        "",
    )
    assert (index["shape"], index["nnz"]) == (list(W.shape), W.nnz)
    assert (index["dtype"], index["index_dtype"]) == ("float32", "int32")
    assert count > 3
    for number, block in enumerate(index["blocks"]):
        assert block["file"] == f"block_{number:05}.npz"
        found = load_npz(folder / block["file"])
        assert found.nnz == block["nnz"]
        np.testing.assert_array_equal(found.toarray(), W[slice(*block["rows"])].toarray())
    assert index["blocks"][-1]["rows"][1] == W.shape[0]
    assert len(list(folder.iterdir())) == count + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["W", "weight.npy"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_blocks_leave_nothing(
    error: type[BaseException],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        yield conv_matrix([1, 2], 3)
        raise error

    monkeypatch.setattr(matrix, "row_blocks_of", interrupted)
    assert run("matrix", "[1,2]", "--input-shape", "3", "--blocks", tmp_path / "W") == 2
    assert capsys.readouterr().out == ""
    assert not list(tmp_path.iterdir())


def test_a_picture_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    picture = tmp_path / "W.png"
    assert run("matrix", "[1,0,2]", "--input-shape", "50", "--picture", picture) == 0
    assert capsys.readouterr().out == f"W: shape (48, 50), nnz = 144, int64\nwrote {picture}\n"
    dark = imread(picture)[..., :3].mean(axis=-1) < 0.5
    middle = dark[dark.shape[0] // 2 - 40 : dark.shape[0] // 2 + 40]
    assert middle[:, 100:-100].any(axis=1).mean() > 0.8  # the diagonal, with gaps between its entries
    assert 0.005 < dark.mean() < 0.2


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError("No module named 'matplotlib'")
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    picture = tmp_path / "W.png"
    assert "the extra 'plot'" in refused(capsys, "matrix", "[1]", "--input-shape", "5", "--picture", picture)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: WEIGHT, --input-shape"),
        (["[1,2]"], "the following arguments are required: --input-shape"),
        (["missing.npy", "--input-shape", "3"], "missing.npy: it cannot be read ("),
        (["[1,2", "--input-shape", "3"], "[1,2: a weight is typed as numbers in brackets"),
        (["[print(1)]", "--input-shape", "3"], "it holds more than numbers"),
        (["[" * 5000, "--input-shape", "3"], "[...: a weight is typed as numbers"),
        (["[[1],[2,3]]", "--input-shape", "3"], "all rows have one length"),
        (["['a']", "--input-shape", "3"], "weight has dtype <U1"),
        (["[]", "--input-shape", "3"], "at least one tap"),
        (["[1,2]", "--input-shape", "1"], "axis 0 of the kernel does not fit"),
        (["[1,2]", "--input-shape", "42"], "not printed, because it has more than 40 rows or columns"),
        (["[1,2]", "--input-shape", "3", "-o", "W.txt"], "W is a .npz, .mtx or .mat file"),
        (["[1,2]", "--input-shape", "3", "-o", "missing/W.npz"], "W cannot be written there ("),
        (["[1,2]", "--input-shape", "3", "-o", "folder.npz"], "W cannot be written there ("),
        (["[1,2]", "--input-shape", "3", "--picture", "W.gif"], "the picture is a .png, .pdf or .svg file"),
        (["[9007199254740993]", "--input-shape", "3", "-o", "W.mat"], "integers beyond 2**53"),
        (["[1,2]", "--input-shape", "3", "-o", "W.npz", "--blocks", "W"], "not allowed with argument"),
        (["[1,2]", "--input-shape", "3", "--blocks", "folder.npz/none/W"], "W cannot be written there ("),
        (["[1,2]", "--input-shape", "3", "--blocks", "."], "goes to a new folder, and that is there already"),
        (["[1,2]", "--input-shape", "3", "--blocks", "W", "--block-bytes", "20"], "Give at least 32"),
        (
            ["[1,2]", "--input-shape", "3", "--blocks", "W", "--block-bytes", "0"],
            "whole number of at least 1",
        ),
        (
            ["[1,2]", "--input-shape", "3", "--blocks", "W", "--transposed"],
            "take the transpose of each block",
        ),
        (["[1,2]", "--input-shape", "3", "--blocks", "W", "--picture", "W.png"], "it is not drawn beside"),
        (["[[1],[2,3]]", "--input-shape", "3", "--blocks", "W"], "all rows have one length"),
        (["[1,2]", "--input-shape", "200000000000", "--blocks", "W"], "GiB free. Give --dtype float32"),
        (["[1.5]", "--input-shape", "3", "--dtype", "int64"], "fractions would be lost"),
        (["[1.0,1.0]", "--input-shape", "9,9"], "a weight of shape (2,) has 1 axes"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npz").mkdir()
    assert message in refused(capsys, "matrix", *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.npz"]


def test_a_matrix_beyond_the_memory_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "W.npz"
    arguments = ("[[1.0,2.0]]", "--input-shape", "1000000,1000000", "-o", file)
    assert "GiB are available" in refused(capsys, "matrix", *arguments)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(file: Path, W: Any) -> None:
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setitem(matrix.WRITERS, ".npz", interrupted)
    (tmp_path / "W.npz").write_bytes(b"old")
    assert run("matrix", "[1,2]", "--input-shape", "3", "-o", tmp_path / "W.npz") == 2
    assert capsys.readouterr() == ("", "\nconvops: interrupted\n")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]

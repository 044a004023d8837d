"""The blocks of W on disk: as they come, with an index at the end, and a line now and then."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_array, load_npz

from convops import ConvGeometry, iter_row_blocks
from convops.commands import _row_blocks
from convops.commands._command import CannotRun
from convops.commands._row_blocks import INDEX, write_row_blocks

GEOMETRY = ConvGeometry(2, 9)


def blocks() -> Iterator[csr_array]:
    return iter_row_blocks([1.0, 2.0], 9, max_bytes=100)


@pytest.mark.filterwarnings("ignore:The default value for `spmatrix`:DeprecationWarning")
def test_the_index_says_which_rows_are_in_which_file(tmp_path: Path) -> None:
    index = write_row_blocks(tmp_path, GEOMETRY, blocks(), progress=False)
    assert json.loads((tmp_path / INDEX).read_text()) == {**index, "shape": [8, 9]}
    assert [block["rows"] for block in index["blocks"]] == [[0, 3], [3, 6], [6, 8]]
    whole = np.vstack([load_npz(tmp_path / block["file"]).toarray() for block in index["blocks"]])
    np.testing.assert_array_equal(whole, np.eye(8, 9) + 2 * np.eye(8, 9, 1))


def test_progress_is_a_line_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([0.0, 0.1, 0.7, 0.8])
    monkeypatch.setattr(_row_blocks.time, "monotonic", lambda: next(times))
    write_row_blocks(tmp_path, GEOMETRY, blocks(), progress=True)
    assert capsys.readouterr() == ("", "matrix: block 1, 75 % of 8 rows\n")


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    def nearly_full(_: Any) -> Usage:
        return Usage(16 * 12 + 8 * 4 - 1)

    monkeypatch.setattr(_row_blocks.shutil, "disk_usage", nearly_full)
    with pytest.raises(CannotRun, match=r"take 224 bytes .*float32, .*convops\.iter_row_blocks"):
        write_row_blocks(tmp_path, GEOMETRY, blocks(), progress=False)
    assert not list(tmp_path.iterdir())

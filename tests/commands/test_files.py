"""Files of commands: what is written is whole or not there, what is read runs nothing."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from convops.commands._command import CannotRun
from convops.commands._files import folder_written_whole, read_array, refuse_output, written_whole


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    output = tmp_path / "a.txt"
    for text in ("one", "two"):
        with written_whole("-o", str(output), "it") as file:
            assert file.parent == tmp_path
            assert file.suffix == ".txt"
            file.write_text(text)
            assert not output.exists() or output.read_text() == "one"
        assert [path.read_text() for path in tmp_path.iterdir()] == [text]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("of the writer")])
def test_an_interrupted_file_is_removed_and_the_old_one_stays(tmp_path: Path, error: BaseException) -> None:
    output = tmp_path / "a.txt"
    output.write_text("old")

    def interrupted() -> None:
        with written_whole("-o", str(output), "it") as file:
            file.write_text("half")
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_write_that_fails_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> None:
        with written_whole("-o", str(tmp_path / "a.txt"), "it") as file:
            file.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(
        CannotRun, match=r"^-o .*a\.txt: it cannot be written there \(No space left on device\)\.$"
    ):
        failing()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_the_permissions_of_the_old_file_and_a_link_to_it_stay(tmp_path: Path) -> None:
    output, link = tmp_path / "a.txt", tmp_path / "link.txt"
    output.write_text("old")
    output.chmod(0o640)
    link.symlink_to(output)
    with written_whole("-o", str(link), "it") as file:
        file.write_text("new")
    assert output.read_text() == "new"
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    assert link.is_symlink()


def test_an_output_that_cannot_be_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "file").write_text("")
    for name, message in (
        ("a.doc", r"it is a \.md or \.txt file\.$"),
        ("a", r"it is a \.md or \.txt file\.$"),
        ("folder.txt", "it cannot be written there"),
        ("missing/a.txt", "it cannot be written there"),
        ("file/a.txt", "it cannot be written there"),
        ("x" * 300 + ".txt", "it cannot be written there"),
    ):
        with pytest.raises(CannotRun, match=message):
            refuse_output("-o", str(tmp_path / name), "it", (".md", ".txt"))
    refuse_output("-o", str(tmp_path / "a.TXT"), "it", (".md", ".txt"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_what_is_no_file_is_refused_as_output(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(CannotRun, match="it is a file, and that is something else"):
        refuse_output("-o", str(tmp_path / "pipe.txt"), "it", (".md", ".txt"))


def test_an_array_is_read(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_array(str(tmp_path / "a.npy")), array)


def test_what_is_no_array_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "two.npz", a=1)
    (tmp_path / "noise.npy").write_bytes(bytes(range(256)))
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "object.npy").read_bytes()[:40])
    for name, message in (
        ("object.npy", r"Object arrays cannot be loaded"),
        ("two.npz", "the magic string is not correct"),
        ("noise.npy", "the magic string is not correct"),
        ("empty.npy", "it is no .npy file that can be read"),
        ("cut.npy", "it is no .npy file that can be read"),
        ("missing.npy", r"it cannot be read \(.+\)"),
        (".", r"it cannot be read \(.+\)"),
    ):
        with pytest.raises(CannotRun, match=message) as told:
            read_array(str(tmp_path / name))
        assert "\n" not in str(told.value)


def test_a_folder_takes_its_place_at_the_end_also_that_of_an_empty_one(tmp_path: Path) -> None:
    for name in ("new", "empty"):
        output = tmp_path / name
        if name == "empty":
            output.mkdir()
        with folder_written_whole("-o", str(output), "it") as folder:
            assert folder.parent == tmp_path
            (folder / "a.txt").write_text(name)
            assert not (output / "a.txt").exists()
        assert (output / "a.txt").read_text() == name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"]


def test_an_interrupted_folder_is_removed_and_one_with_files_is_not_replaced(tmp_path: Path) -> None:
    output = tmp_path / "a"

    def interrupted() -> None:
        with folder_written_whole("-o", str(output), "it") as folder:
            (folder / "half").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())
    output.mkdir()
    (output / "old").write_text("old")
    with pytest.raises(CannotRun, match="that is there already"):
        interrupted()
    assert [path.name for path in output.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

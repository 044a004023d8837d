"""``convops matrix``: the matrix of a weight, printed, written to a file, or drawn."""

import argparse
import ast
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import mmwrite, savemat
from scipy.io.matlab import MatWriteError
from scipy.sparse import csr_array, save_npz

from convops.commands._command import CannotRun, in_one_line, refusals, whole_number, without_plot
from convops.commands._files import folder_written_whole, read_array, refuse_output, written_whole
from convops.commands._geometry_options import add_geometry_options, geometry_of, operator_of, row_blocks_of
from convops.commands._row_blocks import INDEX, write_row_blocks
from convops.row_blocks import MAX_BYTES

MOST_PRINTED = 40
"""Rows, and columns, up to which W is printed."""
PICTURES = (".png", ".pdf", ".svg")

_DESCRIPTION = f"""\
Build the sparse matrix W of a convolution: W @ x is the convolution of x, with
arrays as vectors in C order. It goes to the file that -o names, or where it is
larger than memory, to the folder that --blocks names; without either, a W of at
most {MOST_PRINTED} rows and columns is printed.
"""
_EPILOG = """\
examples:

  convops matrix "[[1,2],[3,4]]" --input-shape 3,3
  convops matrix weight.npy --input-shape 3,32,32 --padding same -o W.npz
  convops matrix "[1,2,1]" --input-shape 100 -o W.mtx --picture W.png
  convops matrix psf.npy --input-shape 8000,8000 --padding same --blocks W
"""


def add_matrix_parser(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "matrix",
        help="print, write or draw the matrix of a weight",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "weight", metavar="WEIGHT", help='a .npy file, or the numbers themselves, as "[[1,2],[3,4]]"'
    )
    add_geometry_options(parser)
    parser.add_argument(
        "--flip", action="store_true", help="turn the kernel round, as in scipy.signal.convolve"
    )
    parser.add_argument("--dtype", help="of the entries, such as float32 (default: that of the weight)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where W goes: .npz (scipy.sparse.load_npz), .mtx (Matrix Market) or .mat (MATLAB)",
    )
    where.add_argument(
        "--blocks",
        metavar="FOLDER",
        help="where W goes in blocks of rows, one .npz file each, and an index.json that lists them",
    )
    parser.add_argument(
        "--block-bytes",
        type=functools.partial(whole_number, minimum=1),
        default=MAX_BYTES,
        metavar="N",
        help="with --blocks: the most that a block takes in memory (default: %(default)s)",
    )
    parser.add_argument("--progress", action="store_true", help="with --blocks: show on stderr where it is")
    parser.add_argument(
        "--picture", metavar="FILE", help="draw the pattern of W to a .png, .pdf or .svg file (extra 'plot')"
    )
    parser.set_defaults(run=run_matrix)


def run_matrix(options: argparse.Namespace) -> int:
    """Build W, print, write or draw it, and return the exit status.

    Raises
    ------
    CannotRun
        If the weight cannot be read, the geometry does not fit, or a file cannot be written.
    """
    if options.output is not None:
        refuse_output("--output", options.output, "W", WRITERS)
    if options.picture is not None:
        refuse_output("--picture", options.picture, "the picture", PICTURES)
    weight = read_weight(options.weight)
    if options.blocks is not None:
        return _write_blocks(options, weight)
    with refusals():
        A = operator_of(options, weight, flip=options.flip, dtype=options.dtype)
        shown = options.output is None and options.picture is None
        if shown and max(A.shape) > MOST_PRINTED:
            raise CannotRun(
                f"W of shape {A.shape} is not printed, because it has more than {MOST_PRINTED} rows or "
                "columns. Write it to a file, as with -o W.npz."
            )
        W = A.tosparse()
    if shown:
        print(np.array2string(W.toarray(), max_line_width=2**31, threshold=2**31))
        return 0
    facts = f"W: shape {W.shape}, nnz = {W.nnz}, {W.dtype}"
    if options.picture is not None:
        with written_whole("--picture", options.picture, "the picture") as file:
            _draw(A, file)
    if options.output is not None:
        with refusals(f"--output {options.output}"):
            write = WRITERS[Path(options.output).suffix.lower()]
            with written_whole("--output", options.output, "W") as file:
                write(file, W)
    print("\n".join([facts, *(f"wrote {name}" for name in (options.output, options.picture) if name)]))
    return 0


def _write_blocks(options: argparse.Namespace, weight: Any) -> int:
    if options.picture is not None:
        raise CannotRun("--picture: it is not drawn beside --blocks. Call once more, without --blocks.")
    with refusals():
        blocks = row_blocks_of(
            options, weight, flip=options.flip, dtype=options.dtype, max_bytes=options.block_bytes
        )
        geometry = geometry_of(options, np.shape(weight))
    with (
        refusals(f"--blocks {options.blocks}"),
        folder_written_whole("--blocks", options.blocks, "W") as folder,
    ):
        index = write_row_blocks(folder, geometry, blocks, options.progress)
    count = len(index["blocks"])
    print(f"W: shape {geometry.shape}, nnz = {index['nnz']}, {index['dtype']}")
    print(f"wrote {options.blocks}: {count} block{'' if count == 1 else 's'} of rows, and {INDEX}")
    return 0


def read_weight(text: str) -> Any:
    """Return the weight that is in the file of this name, or that the text itself lists.

    Raises
    ------
    CannotRun
        If there is neither.
    """
    if text.lstrip()[:1] not in ("[", "("):
        return read_array(text)
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        # A ValueError names an object of the parser, which tells the user nothing.
        why = in_one_line(error) if isinstance(error, SyntaxError) else "it holds more than numbers"
        typed = in_one_line(text)
        typed = typed if len(typed) < 60 else typed[:60] + "..."
        raise CannotRun(
            f'{typed}: a weight is typed as numbers in brackets, as "[[1,2],[3,4]]"; this cannot be read '
            f"({why})."
        ) from error


def _write_npz(file: Path, W: csr_array) -> None:
    with file.open("wb") as opened:  # given a name, it adds the ending where that is .NPZ
        save_npz(opened, W)


def _write_mtx(file: Path, W: csr_array) -> None:
    mmwrite(str(file), W, symmetry="general")


def _write_mat(file: Path, W: csr_array) -> None:
    """Write W under its name, in double precision: MATLAB has no other sparse matrices."""
    wide = W.astype(np.result_type(W.dtype, np.float64))
    if W.dtype.kind in "iu" and not np.array_equal(wide.data.astype(W.dtype), W.data):
        raise ValueError(
            "a .mat file holds sparse matrices in double precision, and W has integers beyond 2**53. Write "
            "a .npz file."
        )
    try:
        savemat(file, {"W": wide}, appendmat=False)
    except MatWriteError as error:
        raise ValueError(f"{in_one_line(error)}. Write a .npz file.") from error


WRITERS: dict[str, Callable[[Path, csr_array], None]] = {
    ".npz": _write_npz,
    ".mtx": _write_mtx,
    ".mat": _write_mat,
}


def _draw(A: Any, file: Path) -> None:
    """Write a picture of where W has entries."""
    try:
        from matplotlib.figure import Figure

        from convops.plot import spy
    except ImportError as error:
        raise without_plot("--picture needs matplotlib", error) from error
    figure = Figure(figsize=(7, 6), layout="constrained")
    spy(A, figure.subplots())
    figure.savefig(file, dpi=150)

"""The command `convops`: exit status 0 done, 1 a check failed, 2 could not run."""

import argparse
import functools
import io
import sys
from collections.abc import Sequence

import convops
from convops._check_command import add_check_parser
from convops._command import CannotRun, whole_number
from convops.demo import run_demo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of this process.

    Returns
    -------
    int
        0 done, 1 a check failed, 2 could not run.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a report has letters that not every console can print
            stream.reconfigure(errors="backslashreplace")
    try:
        status: int = options.run(options)
        return status
    except CannotRun as error:
        print(f"convops: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nconvops: interrupted", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="convops", description="Convolution as a linear map.")
    parser.add_argument("--version", action="version", version=f"convops {convops.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="print a small matrix and its adjoint check, then deblur a photograph",
        description="Print the matrix of a small convolution and its adjoint check; then blur a photograph, "
        "restore it with LSMR, and write a picture of both. The second part needs the extra 'plot'.",
    )
    demo.add_argument(
        "-o",
        "--output",
        default="convops_demo.png",
        metavar="FILE",
        help="where the picture goes (default: %(default)s)",
    )
    demo.add_argument(
        "--iterations",
        type=functools.partial(whole_number, minimum=1),
        default=50,
        metavar="N",
        help="at most so many iterations of LSMR (default: %(default)s)",
    )
    demo.set_defaults(run=lambda options: run_demo(options.output, options.iterations))
    add_check_parser(commands)
    return parser

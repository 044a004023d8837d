"""The command `convops`: exit status 0 done, 1 a check failed, 2 could not run."""

import argparse
import functools
import io
import os
import sys
from collections.abc import Sequence

import convops
from convops.commands._command import CannotRun, Parser, in_one_line, whole_number
from convops.commands.check import add_check_parser
from convops.commands.deblur import add_deblur_parser
from convops.commands.demo import run_demo
from convops.commands.info import add_info_parser
from convops.commands.matrix import add_matrix_parser

COMMANDS = ("demo", "info", "matrix", "deblur", "check")
_EPILOG = """\
convops COMMAND --help says what a command takes, with examples.

exit status: 0 done, 1 a check failed, 2 could not run.
"""


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a report has letters that not every console can print
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.error(f"the following arguments are required: COMMAND, one of {', '.join(COMMANDS)}")
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except CannotRun as error:
        print(f"convops: {error}", file=sys.stderr)
    except MemoryError as error:
        print(f"convops: there is not enough memory. {in_one_line(error)}".rstrip(), file=sys.stderr)
    except KeyboardInterrupt:
        print("\nconvops: interrupted", file=sys.stderr)
    except BrokenPipeError:
        # The reader has what it wanted; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # of stdout, as a rule: the commands tell those of their files
        print(f"convops: {in_one_line(error)}", file=sys.stderr)
    return 2


def _parser() -> Parser:
    parser = Parser(
        prog="convops",
        description="Convolution as a linear map: its sizes, matrix, adjoint and inverse.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"convops {convops.__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
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
    add_info_parser(commands)
    add_matrix_parser(commands)
    add_deblur_parser(commands)
    add_check_parser(commands)
    return parser

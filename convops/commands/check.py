"""``convops check MODULE:NAME``: the adjoint check of operators that are found by name."""

import argparse
import functools
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from convops.adjoint import CHECKS, LEVELS, AdjointReport, check_adjoint
from convops.commands._command import CannotRun, refuse_unwritable, whole_number
from convops.commands._outcomes import Outcome, as_json, as_junit
from convops.commands._targets import arguments_at, calling

_DESCRIPTION = """\
Check that linear operators have the adjoints that they say: <Ax, y> = <x, A^H y>, to rounding, and all that
this rests on. MODULE is imported, from the current folder or where Python looks. NAME, which may have dots,
is one of:

  an operator             with shape, dtype, matvec and rmatvec, as SciPy's LinearOperator
  a tuple                 (forward, adjoint, input_shape, output_shape), or a dtype after these
  a function              without parameters, that returns one of the two
"""
_EPILOG = """\
example, with a file blurs.py in the current folder:

  import numpy as np

  def forward(x):
      return x[1:] - x[:-1]

  def adjoint(y):
      return np.append(0, y) - np.append(y, 0)

  difference = (forward, adjoint, 100, 99)

  $ convops check blurs:difference

exit status: 0 all checks passed, 1 a check failed, 2 something could not run.
"""


def add_check_parser(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="check the adjoint of operators in your own modules",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="+", metavar="MODULE:NAME", help="what to check")
    parser.add_argument(
        "--level", choices=LEVELS, default="default", help="how much is checked (default: %(default)s)"
    )
    for option, what in (("--only", "make these checks alone"), ("--skip", "do not make these checks")):
        parser.add_argument(
            option,
            type=_check_names,
            action="extend",
            default=[],
            metavar="CHECK[,CHECK...]",
            help=f"{what}: {', '.join(CHECKS)}" if option == "--only" else what,
        )
    parser.add_argument(
        "--seed",
        type=functools.partial(whole_number, minimum=0),
        default=0,
        metavar="N",
        help="seed of the random probes (default: %(default)s)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the reports to FILE as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write the reports to FILE as JUnit XML")
    parser.add_argument("-q", "--quiet", action="store_true", help="print the reports of what failed alone")
    parser.add_argument(
        "--traceback", action="store_true", help="show where an exception comes from, line by line"
    )
    parser.set_defaults(run=run_check)


def run_check(options: argparse.Namespace) -> int:
    """Check the targets, print and write the reports, and return the exit status.

    Raises
    ------
    CannotRun
        If a file cannot be written; before the checks, so far as that can be told.
    """
    forms = {"--json": (options.json, as_json), "--junit": (options.junit, as_junit)}
    files = []
    for option, (file, form) in forms.items():
        if file is not None:
            refuse_unwritable(option, file, "the reports")
            files.append((Path(file).absolute(), form))  # before any module changes the folder
    outcomes = [_outcome(target, options) for target in options.targets]
    for path, form in files:
        path.write_text(form(outcomes), encoding="utf-8")
    passed = sum(bool(one.report) for one in outcomes)
    missing = sum(one.report is None for one in outcomes)
    if len(outcomes) > 1 and not options.quiet:
        failed = len(outcomes) - passed - missing
        print(f"{passed} passed, {failed} failed, {missing} could not run")
    if missing:
        return 2
    return 0 if passed == len(outcomes) else 1


def _outcome(target: str, options: argparse.Namespace) -> Outcome:
    """Check one target and print what became of it."""
    start = time.perf_counter()
    try:
        report = calling("the check", _report, target, options)
    except CannotRun as error:
        if options.traceback and error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"convops: {target}: {error}", file=sys.stderr)
        return Outcome(target, None, str(error), time.perf_counter() - start)
    if not (options.quiet and report):
        print(report, end="\n\n" if len(options.targets) > 1 else "\n")
    return Outcome(target, report, seconds=time.perf_counter() - start)


def _report(target: str, options: argparse.Namespace) -> AdjointReport:
    return check_adjoint(
        *arguments_at(target),
        level=options.level,
        only=options.only or None,
        skip=options.skip,
        seed=options.seed,
    )


def _check_names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in CHECKS:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(CHECKS)}")
    return names

"""`assert_adjoint`: the adjoint check as an assertion."""

from collections.abc import Sequence
from typing import Any

from convops.adjoint import AdjointReport, check_adjoint


class AdjointFailed(AssertionError):
    """An adjoint check that failed; its message is the printed report.

    Attributes
    ----------
    report : AdjointReport
        What the check found.
    """

    def __init__(self, report: AdjointReport) -> None:
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.report,)


def assert_adjoint(
    op: Any,
    adjoint: Any = None,
    input_shape: Any = None,
    output_shape: Any = None,
    dtype: Any = None,
    *,
    level: str = "default",
    only: str | Sequence[str] | None = None,
    skip: str | Sequence[str] = (),
    seed: int = 0,
    witnesses: int = 24,
    progress: bool = False,
) -> AdjointReport:
    """Assert that a linear operator has the adjoint that it says, by `check_adjoint`.

    Parameters
    ----------
    op, adjoint, input_shape, output_shape, dtype
        What to check, as for `check_adjoint`: an operator, or two functions and their shapes.
    level, only, skip, seed, witnesses, progress
        How, as for `check_adjoint`.

    Returns
    -------
    AdjointReport
        What the check found, where it passed.

    Raises
    ------
    AssertionError
        If a check fails. The message is the printed report, and the attribute ``report`` holds it.
    TypeError, ValueError
        As `check_adjoint`.

    Examples
    --------
    >>> from convops import Conv
    >>> from convops.testing import assert_adjoint
    >>> assert_adjoint(Conv([[1, 2], [3, 4]], (3, 3))).passed
    True
    >>> try:
    ...     assert_adjoint(lambda x: 2 * x, lambda y: 3 * y, 5, 5)
    ... except AssertionError as error:
    ...     print(error.report.failed)
    ('adjoint',)
    """
    __tracebackhide__ = True
    report = check_adjoint(
        op,
        adjoint,
        input_shape,
        output_shape,
        dtype,
        level=level,
        only=only,
        skip=skip,
        seed=seed,
        witnesses=witnesses,
        progress=progress,
    )
    if not report:
        raise AdjointFailed(report)
    return report

"""`parametrize_with_checks`: a test for each operator and each check that applies to it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convops._arguments import choice, integer, shown
from convops.adjoint import LEVELS, AdjointReport, applicable_checks
from convops.testing._adjoint import assert_adjoint
from convops.testing._maps import is_operator
from convops.testing._subjects import FORM, arguments_of, name_of

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Check:
    """One check, as a function of an operator; it raises AssertionError where the check fails."""

    name: str
    level: str
    seed: int

    def __call__(self, operator: Any) -> AdjointReport:
        """Make the check."""
        __tracebackhide__ = True
        return assert_adjoint(*arguments_of(operator), level=self.level, only=self.name, seed=self.seed)

    def __str__(self) -> str:
        return self.name


def parametrize_with_checks(
    operators: Iterable[Any],
    *,
    level: str = "default",
    expected_failed_checks: Callable[[Any], Mapping[str, str]] | None = None,
    seed: int = 0,
) -> "pytest.MarkDecorator":
    """Return a decorator that makes one test of each operator and each check that applies to it.

    It decorates ``def test_operators(operator, check): check(operator)``. The form is that of
    scikit-learn's function of this name.

    Parameters
    ----------
    operators : iterable
        Operators; or tuples (forward, adjoint, input_shape, output_shape), or with a dtype as fifth item.
    level : {"quick", "default", "complete"}, default "default"
        That of `check_adjoint`.
    expected_failed_checks : callable, optional
        A function of an operator that returns a dict from names of checks that are known to fail to the
        reason why. Their tests are marked ``xfail(strict=True)``: one that passes is an error.
    seed : int, default 0
        Of the random probes.

    Returns
    -------
    pytest.MarkDecorator
        A ``pytest.mark.parametrize`` of ``operator`` and ``check``; the ids have the kind of the operator,
        its shapes and the check.

    Raises
    ------
    TypeError, ValueError
        If an operator is none, or a check that is expected to fail does not apply to it: where the test is
        collected.
    ImportError
        If pytest is missing.

    Examples
    --------
    >>> from convops import Conv
    >>> from convops.testing import parametrize_with_checks
    >>> @parametrize_with_checks([Conv([1.0, 2.0], 9)], level="quick")
    ... def test_operators(operator, check):
    ...     check(operator)
    >>> [case.id for case in test_operators.pytestmark[0].args[1]][:2]
    ['Conv-9-to-8-contract', 'Conv-9-to-8-homogeneity']
    """
    try:
        import pytest
    except ImportError as error:
        raise ImportError(
            f"parametrize_with_checks needs pytest, which is not here ({error}). Install the extra 'test': "
            "in the checkout, pip install -e '.[test]'"
        ) from error
    choice("level", level, LEVELS, {})
    integer("seed", seed, 0)
    names: Counter[str] = Counter()
    cases = []
    for operator in _listed(operators):
        name = name_of(operator)
        names[name] += 1
        if names[name] > 1:
            name = f"{name}-{names[name]}"
        checks = applicable_checks(*arguments_of(operator), level=level)
        expected = _expected(expected_failed_checks, operator, name, checks)
        for check in checks:
            marks = [pytest.mark.xfail(strict=True, reason=expected[check])] if check in expected else []
            cases.append(pytest.param(operator, Check(check, level, seed), id=f"{name}-{check}", marks=marks))
    return pytest.mark.parametrize(("operator", "check"), cases)


def _listed(operators: Any) -> list[Any]:
    if is_operator(operators) or not isinstance(operators, Iterable):
        raise TypeError(
            f"{shown('operators', operators)}: it must be a list, each item {FORM}; got "
            f"{type(operators).__name__}. Put one alone in brackets, [operator]."
        )
    listed = list(operators)
    if not listed:
        raise ValueError(f"{shown('operators', operators)}: there is no operator in it to check. Give some.")
    return listed


def _expected(
    function: Callable[[Any], Mapping[str, str]] | None, operator: Any, name: str, checks: tuple[str, ...]
) -> Mapping[str, str]:
    """Return the checks that are expected to fail, all of which apply."""
    if function is None:
        return {}
    expected = function(operator)
    if not isinstance(expected, Mapping):
        raise TypeError(
            f"{shown('expected_failed_checks', function)}: for {name} it must return a dict from names of "
            f"checks to reasons, empty where none fails; got {type(expected).__name__}."
        )
    for check in expected:
        if check not in checks:
            raise ValueError(
                f"{shown('expected_failed_checks', function)}: for {name} it names {check!r}, which must be "
                f"one of the checks that are made: {', '.join(map(repr, checks))}. Take it out."
            )
    return expected

"""The adjoint check: does the adjoint of a linear operator, from any package, fit its forward map."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from convops._arguments import choice, integer, is_sequence, shown
from convops.adjoint import interface, linearity, products
from convops.adjoint.diagnosis import diagnosis
from convops.adjoint.pair import BrokenContract, Pair, pair_of
from convops.adjoint.report import AdjointCheck, AdjointReport
from convops.adjoint.samples import Samples
from convops.adjoint.words import call_of

LEVELS = ("quick", "default", "complete")


@dataclass(frozen=True)
class _Kind:
    """A check, from which level on it is made, and which pairs it does not apply to."""

    make: Callable[[Samples], AdjointCheck]
    level: str = "quick"
    objection: Callable[[Pair], str | None] = lambda pair: None


def _of_integers(pair: Pair) -> str | None:
    return "it works in integers" if pair.exact else None


def _rounding(pair: Pair) -> str | None:
    if pair.exact:
        return None
    if products.integer_twin(pair, 0) is None:
        return "it rounds, and cannot be rebuilt with integers"
    return None


def _sums_overflow(pair: Pair) -> str | None:
    return "sums of two probes could leave int64" if pair.exact and pair.gain >= 2.0**61 else None


def _without(*names: str) -> Callable[[Pair], str | None]:
    def objection(pair: Pair) -> str | None:
        if pair.op is None:
            return "two functions have none"
        missing = [name for name in names if not hasattr(pair.op, name)]
        return f"it has no {', '.join(missing)}" if missing else None

    return objection


def _matrix_missing(pair: Pair) -> str | None:
    return None if products.has_known_matrix(pair) else "it has no matrix at hand"


def _too_many_entries(pair: Pair) -> str | None:
    if pair.mixed:
        return "a map from real to complex vectors has no entries to compare"
    if pair.rows * pair.columns > products.MOST_ENTRIES_ONE_BY_ONE:
        return f"{pair.rows * pair.columns} entries are more than {products.MOST_ENTRIES_ONE_BY_ONE}"
    return None


_KINDS = {
    "contract": _Kind(interface.contract),
    "homogeneity": _Kind(linearity.homogeneity),
    "additivity": _Kind(linearity.additivity, "quick", _sums_overflow),
    "precision": _Kind(linearity.precision, "default", _of_integers),
    "adjoint": _Kind(products.adjoint, "quick", _of_integers),
    "exact": _Kind(products.exact, "default", _rounding),
    "involution": _Kind(interface.involution, "default", _without("H")),
    "matmat": _Kind(interface.matmat, "default", _without("matmat")),
    "layout": _Kind(interface.layout, "default"),
    "matrix": _Kind(products.matrix, "default", _matrix_missing),
    "entries": _Kind(products.entries, "complete", _too_many_entries),
    # Last, for it sees what all the calls left behind.
    "purity": _Kind(interface.purity),
}
CHECKS = tuple(_KINDS)


def check_adjoint(
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
    """Check that a linear operator, from any package, has the adjoint that it says: ⟨Ax, y⟩ = ⟨x, Aᴴy⟩.

    Random x and y go through both maps, and the two inner products may differ by what rounding explains:
    the noise of the operator itself, measured as ½‖A(x₁ + x₂) − Ax₁ − Ax₂‖, and the unit roundoff of its
    dtype. There is no tolerance to choose. Integer operators are checked in integers, where both sides
    must be equal. Around this stand the checks without which it would mean little: that both maps are
    linear, keep their digits, leave their arguments alone and repeat themselves. Where the adjoint does
    not fit, entries in which it does not are found by bisection, with what they have in common.

    Parameters
    ----------
    op : LinearOperator or callable
        An operator with ``shape``, ``dtype``, ``matvec`` and ``rmatvec``; or the forward function. Of a
        `DaskConv` whose arrays have more than 65 536 entries the probes stay in chunks: the checks are
        "additivity", "adjoint" and "exact", and no entry is looked for.
    adjoint : callable or LinearOperator, optional
        The adjoint function, where `op` is a function, or the operator that is to be the adjoint of `op`.
    input_shape, output_shape : int or sequence of int, optional
        Shapes of what the two functions take and return. For operators: shapes of the arrays whose
        ``ravel()`` the vectors are, for the report; default: what the operator tells of itself.
    dtype : dtype or (dtype, dtype), optional
        In which the maps work. Default: that of the operator; float64 for functions. Two for a map from
        real to complex vectors, such as `numpy.fft.rfft`, or back: of what it takes and what it returns.
        Its adjoint is that of the real inner product, Re⟨Ax, y⟩.
    level : {"quick", "default", "complete"}, default "default"
        "quick" makes at most 8 products, "default" at most 60. "complete" goes on to prove it entry by
        entry, in a product for each row and each column.
    only, skip : str or sequence of str, optional
        Names of the checks to make, or not to make: "contract", "homogeneity", "additivity", "precision",
        "adjoint", "exact", "involution", "matmat", "layout", "matrix", "entries", "purity".
    seed : int, default 0
        Of the random probes.
    witnesses : int, default 24
        Where the adjoint does not fit, look for so many entries, and for a cause. Each takes some
        2 log₂(M N) products; 0: none.
    progress : bool, default False
        Write the name of each check to stderr when it begins.

    Returns
    -------
    AdjointReport
        True where every check passed.

    Raises
    ------
    TypeError, ValueError
        If the operator lacks a method, or an argument does not fit.

    Notes
    -----
    Passing shows that the two maps fit each other, not that the forward map is the one you meant.

    References
    ----------
    Claerbout, "Earth Soundings Analysis: Processing versus Inversion", 1992, for the dot-product test.
    Higham and Mary, "A new approach to probabilistic rounding error analysis",
    doi:10.1137/18M1226312, for rounding errors that grow like the square root of their number.

    Examples
    --------
    >>> from convops import Conv, check_adjoint
    >>> print(check_adjoint(Conv([[1, 2], [3, 4]], (3, 3)), only="exact"))
    adjoint check of <4x9 Conv: input_shape (3, 3) -> output_shape (2, 2), int64>: passed
      level default, seed 0, ... products
      exact       ok     ⟨Ax, y⟩ = ..., ⟨x, Aᴴy⟩ = ..., difference 0, allowed 0
    >>> def difference(x):
    ...     return x[1:] - x[:-1]
    >>> import numpy as np
    >>> def wrong(y):
    ...     return np.append(-y, 0) + np.append(0, -y)
    >>> report = check_adjoint(difference, wrong, input_shape=5, output_shape=4)
    >>> report.failed
    ('adjoint',)
    >>> print(report.witnesses[0])
    A[0, 1] = 1, B[1, 0] = -1
    """
    seed = integer("seed", seed, 0)
    most = integer("witnesses", witnesses, 0)
    level = choice("level", level, LEVELS, {})
    if _checks_itself(op) and adjoint is input_shape is output_shape is dtype is None:
        itself: AdjointReport = op._convops_adjoint_report(
            level, _names("only", only), _names("skip", skip), seed
        )
        return itself
    pair = pair_of(op, adjoint, input_shape, output_shape, dtype)
    names, objections = _selected(pair, level, only, skip)
    samples = Samples(pair, seed, level)
    checks: list[AdjointCheck] = []
    for name in names:
        if progress:
            sys.stderr.write(f"adjoint check: {name}, after {pair.applications} products\n")
        try:
            checks.append(_KINDS[name].make(samples))
        except BrokenContract as broken:
            checks.append(AdjointCheck(name, False, str(broken)))
            break
    made = pair.applications
    if progress and most and not all(check.passed for check in checks):
        sys.stderr.write(f"adjoint check: looking for the cause, after {made} products\n")
    found = diagnosis(samples, {check.name for check in checks if not check.passed}, most)
    arguments = call_of(op, adjoint, input_shape, output_shape, dtype)
    return AdjointReport(
        pair.name,
        seed,
        level,
        tuple(checks),
        objections,
        made,
        **found,
        arguments=arguments,
        input_shape=pair.input_shape,
        output_shape=pair.output_shape,
    )


def applicable_checks(
    op: Any,
    adjoint: Any = None,
    input_shape: Any = None,
    output_shape: Any = None,
    dtype: Any = None,
    *,
    level: str = "default",
) -> tuple[str, ...]:
    """Return the names of the checks that `check_adjoint` would make, without a product.

    Parameters
    ----------
    op, adjoint, input_shape, output_shape, dtype, level
        Those of `check_adjoint`.

    Returns
    -------
    tuple of str
        In the order in which they are made.

    Raises
    ------
    TypeError, ValueError
        As `check_adjoint`.

    Examples
    --------
    >>> from convops import Conv
    >>> from convops.adjoint import applicable_checks
    >>> applicable_checks(Conv([1.0, 2.0], 5), level="quick")
    ('contract', 'homogeneity', 'additivity', 'adjoint', 'purity')
    """
    level = choice("level", level, LEVELS, {})
    if _checks_itself(op) and adjoint is input_shape is output_shape is dtype is None:
        names: tuple[str, ...] = op._convops_adjoint_checks(level)
        return names
    pair = pair_of(op, adjoint, input_shape, output_shape, dtype)
    return _selected(pair, level, None, ())[0]


def _checks_itself(op: Any) -> bool:
    """Whether an operator of convops keeps its arrays where no probe in memory reaches them."""
    return hasattr(type(op), "_convops_adjoint_report")


def _selected(pair: Pair, level: str, only: Any, skip: Any) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the checks to make, and why others are not made."""
    wanted, unwanted = _names("only", only), _names("skip", skip)
    if only is not None and not wanted:
        raise ValueError(f"{shown('only', only)}: it names no check. Leave it out for all that apply.")
    reached = LEVELS.index(level)
    objections = {}
    names = []
    for name, kind in _KINDS.items():
        at_level = LEVELS.index(kind.level) <= reached or (name == "exact" and pair.exact)
        if name in unwanted or not (name in wanted or (at_level and not wanted)):
            continue
        if (objection := kind.objection(pair)) is None:
            names.append(name)
        else:
            objections[name] = objection
    for name in wanted:
        if name in objections:
            raise ValueError(f"{shown('only', only)}: the check {name!r} does not apply: {objections[name]}.")
    if level == "complete" and "entries" in objections:
        raise ValueError(
            f"level='complete': {objections['entries']}, and each is looked at. Use level='default', or a "
            "smaller operator of the same kind."
        )
    if not names:
        raise ValueError(f"{shown('skip', skip)}: no check is left to make. Leave some.")
    return tuple(names), objections


def _names(argument: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    given = (value,) if isinstance(value, str) or not is_sequence(value) else tuple(value)
    return tuple(choice(argument, name, CHECKS, {}) for name in given)


__all__ = ["CHECKS", "LEVELS", "applicable_checks", "check_adjoint"]

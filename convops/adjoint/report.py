"""What an adjoint check found, in text and in plain values."""

from dataclasses import dataclass, field
from typing import Any

from convops.adjoint.witnesses import Witness

Figure = complex | str | bool


@dataclass(frozen=True)
class AdjointCheck:
    """One named check of an `AdjointReport`.

    Attributes
    ----------
    name : str
        One of `convops.adjoint.CHECKS`.
    passed : bool
        Whether the check passed.
    detail : str
        What was found, in a line.
    figures : dict
        The numbers behind it: what was found and what is allowed.
    """

    name: str
    passed: bool
    detail: str
    figures: dict[str, Figure] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name:<12}{'ok' if self.passed else 'FAILED':<7}{self.detail}"


@dataclass(frozen=True)
class AdjointReport:
    """What `check_adjoint` found: true where every check passed, and readable with `print`.

    Attributes
    ----------
    operator : str
        What was checked.
    seed : int
        Of the probes; the same seed gives the same report.
    level : str
        "quick", "default" or "complete".
    checks : tuple of AdjointCheck
        In the order in which they were made.
    not_made : dict of str to str
        Checks that do not apply to this operator, and why.
    applications : int
        How many products with vectors were made, forward and adjoint together.
    witnesses : tuple of Witness
        Where the check failed: entries in which the two maps differ.
    shared : tuple of str
        What the witnesses have in common.
    causes : tuple of str
        Faults that explain all that was measured.
    smallest : str
        The smallest operator of the same kind that fails, where smaller ones can be built.
    arguments : str
        What was checked, as it is typed in a call of `check_adjoint`: functions by their names, an operator
        as ``op``.
    input_shape, output_shape : tuple of int
        Of the arrays that `Witness` counts in; empty where they are not known.

    Examples
    --------
    >>> from convops import Conv, check_adjoint
    >>> report = check_adjoint(Conv([[1, 2], [3, 4]], (3, 3)))
    >>> bool(report)
    True
    """

    operator: str
    seed: int
    level: str
    checks: tuple[AdjointCheck, ...]
    not_made: dict[str, str] = field(default_factory=dict)
    applications: int = 0
    witnesses: tuple[Witness, ...] = ()
    shared: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    smallest: str = ""
    arguments: str = "op"
    input_shape: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the checks that failed."""
        return tuple(check.name for check in self.checks if not check.passed)

    @property
    def reproduce(self) -> str:
        """The call that makes the failed checks again; empty where all passed."""
        if self.passed:
            return ""
        only = repr(self.failed) if len(self.failed) > 1 else repr(self.failed[0])
        level = "" if self.level == "default" else f", level={self.level!r}"
        return f"check_adjoint({self.arguments}, seed={self.seed}{level}, only={only})"

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        verdict = "passed" if self.passed else f"FAILED ({', '.join(self.failed)})"
        lines = [
            f"adjoint check of {self.operator}: {verdict}",
            f"  level {self.level}, seed {self.seed}, {self.applications} products",
            *(f"  {check}" for check in self.checks),
        ]
        if self.not_made:
            reasons = "; ".join(f"{name} ({why})" for name, why in self.not_made.items())
            lines.append(f"  not made: {reasons}")
        if self.witnesses:
            lines.append("  witnesses, where the adjoint's entry is not the conjugate of the forward map's:")
            lines += [f"    {witness}" for witness in self.witnesses[:_PRINTED]]
            if (more := len(self.witnesses) - _PRINTED) > 0:
                lines.append(f"    and {more} more in report.witnesses")
        lines += [f"  in common: {property_}" for property_ in self.shared]
        lines += [f"  likely cause: {cause}" for cause in self.causes]
        if self.smallest:
            lines.append(f"  smallest that fails: {self.smallest}")
        if self.reproduce:
            lines.append(f"  again: {self.reproduce}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON.

        Returns
        -------
        dict
            The attributes under their names, and "passed"; complex numbers as [real, imaginary], numbers
            that JSON does not have ("inf", "nan") as text.
        """
        return {
            "operator": self.operator,
            "seed": self.seed,
            "level": self.level,
            "passed": self.passed,
            "applications": self.applications,
            "checks": [
                {
                    "name": check.name,
                    "passed": check.passed,
                    "detail": check.detail,
                    "figures": {name: _plain(value) for name, value in check.figures.items()},
                }
                for check in self.checks
            ],
            "not_made": dict(self.not_made),
            "witnesses": [
                {
                    "output_index": list(witness.output_index),
                    "input_index": list(witness.input_index),
                    "forward": _plain(witness.forward),
                    "adjoint": _plain(witness.adjoint),
                }
                for witness in self.witnesses
            ],
            "shared": list(self.shared),
            "causes": list(self.causes),
            "smallest": self.smallest,
            "arguments": self.arguments,
            "input_shape": list(self.input_shape),
            "output_shape": list(self.output_shape),
            "reproduce": self.reproduce,
        }


_PRINTED = 6


def _plain(value: Figure) -> Any:
    if isinstance(value, complex):
        return [_plain(value.real), _plain(value.imag)]
    if isinstance(value, float) and not -_LARGEST_FLOAT <= value <= _LARGEST_FLOAT:
        return str(value)
    return value


_LARGEST_FLOAT = 1.7976931348623157e308

"""What an adjoint check found, in text and in plain values."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class AdjointCheck:
    """One named comparison: passed where ``difference <= bound``.

    Attributes
    ----------
    name : str
        "adjoint": both sides of ⟨Ax, y⟩ = ⟨x, Aᴴy⟩ in floating point. "exact": the same in integers,
        without any rounding. "zero": what the two maps make of zeros, which must be zero. "linearity":
        ‖A(x₁ + x₂)‖ against ‖Ax₁ + Ax₂‖.
    left, right : complex or float or int
        Both sides, at the probes where they differ most.
    difference, bound : float or int
        Their distance, and the largest that rounding explains.
    note : str
        Which operator was checked, if not the one that was given.
    """

    name: str
    left: complex
    right: complex
    difference: float
    bound: float
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether rounding explains the difference; False where it is NaN."""
        return bool(self.difference <= self.bound)

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "FAILED"
        sides = {
            "adjoint": ("⟨Ax, y⟩", "⟨x, Aᴴy⟩"),
            "exact": ("⟨Ax, y⟩", "⟨x, Aᴴy⟩"),
            "zero": ("‖A(0)‖", "‖Aᴴ(0)‖"),
            "linearity": ("‖A(x₁ + x₂)‖", "‖Ax₁ + Ax₂‖"),
        }[self.name]
        return (
            f"{self.name:<10}{verdict:<7}{sides[0]} = {_number(self.left)}, {sides[1]} = "
            f"{_number(self.right)}, difference {_number(self.difference, 2)}, bound {_number(self.bound, 2)}"
            f"{self.note and f'; {self.note}'}"
        )


@dataclass(frozen=True)
class AdjointReport:
    """What `check_adjoint` found: true where every check passed, and readable with `print`.

    Attributes
    ----------
    operator : str
        What was checked.
    seed : int
        Of the probes; the same seed gives the same report.
    checks : tuple of AdjointCheck
        Each with both sides, the difference and the bound.

    Examples
    --------
    >>> from convops import Conv, check_adjoint
    >>> report = check_adjoint(Conv([[1, 2], [3, 4]], (3, 3)))
    >>> bool(report)
    True
    """

    operator: str
    seed: int
    checks: tuple[AdjointCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return "\n".join(
            [f"adjoint check of {self.operator}: {verdict} (seed {self.seed})"]
            + [f"  {check}" for check in self.checks]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON.

        Returns
        -------
        dict
            "operator", "seed", "passed" and "checks"; complex numbers as [real, imaginary].
        """
        checks = [asdict(check) | {"passed": check.passed} for check in self.checks]
        for check in checks:
            for side in ("left", "right"):
                if isinstance(check[side], complex):
                    check[side] = [check[side].real, check[side].imag]
        return {"operator": self.operator, "seed": self.seed, "passed": self.passed, "checks": checks}


def _number(value: complex, digits: int = 10) -> str:
    return str(value) if isinstance(value, int) else f"{value:.{digits}g}"

"""What is behind failed checks: entries that differ, what they share, a likely cause, a small example."""

from typing import Any, TypedDict

from convops.adjoint import products
from convops.adjoint.causes import likely_causes
from convops.adjoint.pair import pair_of
from convops.adjoint.patterns import shared_by
from convops.adjoint.samples import Samples
from convops.adjoint.smallest import smallest_that_fails
from convops.adjoint.witnesses import Witness, find_witnesses

_OF_THE_ADJOINT = {"adjoint", "exact", "entries"}
_OF_LINEAR_MAPS = {"contract", "homogeneity", "additivity"}


class Diagnosis(TypedDict, total=False):
    """The part of an `AdjointReport` that only a failure has."""

    witnesses: tuple[Witness, ...]
    shared: tuple[str, ...]
    causes: tuple[str, ...]
    smallest: str


def diagnosis(samples: Samples, failed: set[str], most: int) -> Diagnosis:
    """Return what is behind the failed checks, with up to `most` witnesses; nothing if that is 0.

    Entries are compared only where both maps have entries: where they are linear and repeat themselves.
    """
    if not most:
        return {}
    if len(failed) > 1 and "purity" in failed:
        why = "a map is not a function of x alone, see purity: the other failures may follow from it"
        return {"causes": (why,)}
    if not failed & _OF_THE_ADJOINT or failed & _OF_LINEAR_MAPS or samples.pair.mixed:
        return {}
    if "precision" in failed:
        why = "arithmetic in fewer digits, see precision: the other failures may follow from it"
        return {"causes": (why,)}
    compared = samples if failed & {"adjoint", "entries"} else products.exact_samples(samples)
    sides = products.telling_sides(compared)
    found = find_witnesses(compared, sides.x, sides.y, most) if sides.severity > 1 else ()
    return {
        "witnesses": found,
        "shared": shared_by(found, samples.pair.input_shape, samples.pair.output_shape),
        "causes": likely_causes(compared, found),
        "smallest": smallest_that_fails(samples.pair.op, lambda smaller: _fails(smaller, samples.seed)),
    }


def _fails(op: Any, seed: int) -> bool:
    """Tell whether the two sides of a smaller operator differ too."""
    samples = Samples(pair_of(op, None, None, None, None), seed, "default")
    return products.worst_sides(samples).severity > 1

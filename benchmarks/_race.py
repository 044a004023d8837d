"""One race: build the contenders of a job, check them, leave out the hopeless, let the others take turns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from benchmarks._compiled import compiled
from benchmarks._harness import Times, shortest_call, take_turns, wait_until_idle
from benchmarks._race_job import DIRECTIONS, Job, Pair
from benchmarks._race_peers import PEERS, too_large
from convops import Conv
from convops.apply import METHODS

AUTO, YARDSTICK = "auto", "numba"
OWN = tuple(method for method in METHODS if method != AUTO)

SLOW = 20
"""A contender that takes so many times as long as the fastest is not timed in turns."""
BEHIND = 4
"""One that takes so many times as long gets few turns, and none if a call takes longer than `PATIENCE`."""
PATIENCE = 0.1
"""Seconds."""
LONG = 5e9
"""Flops beyond which a part of the case tells who is hopeless."""
SETTLE = 5e-3
"""Seconds of calls that wake a contender's threads."""


@dataclass
class Result:
    """What was measured of one job; keys are those of `key`."""

    job: Job
    chosen: str
    """The method that "auto" stands for."""
    times: Times = field(default_factory=Times)
    """Of the contenders that took turns."""
    single: dict[str, float] = field(default_factory=dict)
    """Seconds of one call, of every contender."""
    other_dtype: set[str] = field(default_factory=set)
    """The contenders whose result has another dtype than their input."""

    def best(self, direction: str, names: Iterable[str]) -> str | None:
        """Return the key of the contender with the smallest median among those of the names in the race."""
        keys = [key(direction, name) for name in names if key(direction, name) in self.times]
        return min(keys, key=self.times.median, default=None)

    def ratio(self, direction: str, name: str | None, reference: str | None) -> float | None:
        """Return the ratio of two keys' times, None where one is not there."""
        if name not in self.times or reference not in self.times:
            return None
        return self.times.ratio(name, reference)


def key(direction: str, name: str) -> str:
    """Return the name of a contender's call in one direction."""
    return f"{direction}: {name}"


def race(job: Job, quick: bool) -> Result:
    """Race all contenders of a job, both directions in the same rounds."""
    kept = hopeful(job)
    result = Result(job, operator(job, AUTO).method)
    calls = {}
    for name, build in contenders(job).items():
        if not any(key(direction, name) in kept for direction in DIRECTIONS):
            continue
        for direction, call in zip(DIRECTIONS, build(job) or (), strict=False):
            if key(direction, name) in kept:
                calls[key(direction, name)] = call
                _check_and_probe(result, direction, name, call, 0.0 if quick else 30e-3)
    turns, hurried = _in_turns(result)
    racing = {found: call for found, call in calls.items() if found in turns}
    result.times = take_turns(
        racing, quick, rounds=9, seconds=0.4, shortest=10e-3, settle=SETTLE, hurried=hurried
    )
    return result


def contenders(job: Job) -> dict[str, Callable[[Job], Pair | None]]:
    """Return what builds each contender: the methods, the peers, and the yardstick."""
    own = {method: partial(_own, method=method) for method in (AUTO, *OWN)}
    everyone = {**own, **PEERS, YARDSTICK: compiled}
    return {name: build for name, build in everyone.items() if not too_large(job, name)}


def hopeful(job: Job, names: Iterable[str] | None = None) -> set[str]:
    """Return the keys of the contenders that are not hopelessly slow, as a part of a long case tells.

    Of all contenders, or of those of the names.
    """
    builders = {name: build for name, build in contenders(job).items() if names is None or name in names}
    if job.case.flops <= LONG:
        return {key(direction, name) for direction in DIRECTIONS for name in builders}
    part = replace(job, case=job.case.part(16))
    single: dict[str, float] = {}
    for name, build in builders.items():
        for direction, call in zip(DIRECTIONS, build(part) or (), strict=False):
            wait_until_idle()
            single[key(direction, name)] = shortest_call(call)
    chosen = {key(direction, AUTO) for direction in DIRECTIONS}
    for direction in DIRECTIONS:
        times = {found: seconds for found, seconds in single.items() if found.startswith(direction)}
        fastest = min(seconds for found, seconds in times.items() if not found.endswith(YARDSTICK))
        chosen |= {found for found, seconds in times.items() if seconds <= SLOW * fastest}
    return chosen


def operator(job: Job, method: str) -> Conv:
    """Return the operator of a job with one method."""
    case = job.case
    options = {"stride": case.stride, "padding": case.padding, "groups": case.groups}
    return Conv(job.weight, case.input_shape, method=method, **options)


def products(job: Job, A: Conv) -> Pair:
    """Return the products with an operator and its adjoint: of vectors, or of a batch of arrays."""
    if job.case.batch:
        return lambda: A(job.x), lambda: A.H(job.y)
    x, y = job.x.ravel(), job.y.ravel()
    return lambda: A @ x, lambda: A.H @ y


def _own(job: Job, method: str) -> Pair | None:
    """Return the products with one method, None if it cannot do the job."""
    try:
        return products(job, operator(job, method))
    except ValueError:
        return None


def _check_and_probe(
    result: Result, direction: str, name: str, call: Callable[[], np.ndarray], probe: float
) -> None:
    """Refuse a contender that does not compute the same; take the shortest call within `probe` seconds."""
    job, found = result.job, None
    wait_until_idle()

    def first() -> None:
        nonlocal found
        found = call()

    seconds = shortest_call(first, 0.0)
    if not job.allows(direction, found):
        raise AssertionError(f"{name} does not return the {direction} of {job.case.name} in {job.dtype}.")
    if found.dtype != job.dtype:
        result.other_dtype.add(key(direction, name))
    del found
    # The first call may have to build or to wake something; that of a slow peer is taken as it is.
    again = shortest_call(call, probe) if seconds < 0.3 or name in METHODS else seconds
    result.single[key(direction, name)] = min(seconds, again)


def _in_turns(result: Result) -> tuple[set[str], set[str]]:
    """Return the keys of the contenders that are worth timing in turns, and of those worth few turns."""
    chosen: set[str] = set()
    hurried: set[str] = set()
    for direction in DIRECTIONS:
        start = key(direction, "")
        single = {
            found.removeprefix(start): seconds
            for found, seconds in result.single.items()
            if found.startswith(start)
        }
        fastest = min(seconds for name, seconds in single.items() if name != YARDSTICK)
        limit = min(SLOW * fastest, max(PATIENCE, BEHIND * fastest))
        peers = [name for name in PEERS if name in single]
        own = [name for name in OWN if name in single]
        names = {AUTO, *[min(group, key=single.__getitem__) for group in (peers, own) if group]}
        if result.job.case.mixes_channels and "torch" in single:
            names.add("torch")
        able = {name for name, seconds in single.items() if seconds <= limit} - names
        names |= {name for name in able if single[name] <= BEHIND * fastest}
        chosen |= {key(direction, name) for name in names | able}
        hurried |= {key(direction, name) for name in able - names}
    return chosen, hurried

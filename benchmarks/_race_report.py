"""What a race has found: a table per direction, the figures that have a target, and the machine's share."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks._harness import against_target, geometric_mean, table
from benchmarks._limits import Limits
from benchmarks._race import AUTO, OWN, YARDSTICK, Result, key
from benchmarks._race_job import ADJOINT, DIRECTIONS, FORWARD
from benchmarks._race_peers import PEERS

WORST_TARGET, MEAN_TARGET = 1.10, 1.8
SINGLE_MEAN_TARGET, TORCH_TARGET = 1.3, 1.5
ADJOINT_TARGET, CHOICE_TARGET = 1.3, 1.25

NOTE = """\
ms. In turns: medians; the best peer is set off by asterisks. In brackets: one call of a contender that is
more than 20 times as slow as the fastest, or more than 4 times and 0.1 s, and took no turns. –: cannot do
the case, would need a matrix of over 3 GiB (W, or torch's windows of the input in float64), or is known
to be slow (lazylinop in 2-D beyond 512² elements; on the largest cases, whatever is 20 times as slow on a
sixteenth of the rows). †: returns another dtype than it was given. numba is a yardstick, not a peer: a
plain loop compiled for all cores. The last column is the median, over the rounds, of the best peer's time
over that of "auto"."""


def race_table(results: Sequence[Result], direction: str) -> str:
    """Return the table of one direction: the contenders' times, what "auto" chose, and how it compares."""
    rows = []
    for result in results:
        peer = result.best(direction, PEERS)
        ratio = result.ratio(direction, peer, key(direction, AUTO))
        cells = {"case": result.job.case.name}
        for name in (*PEERS, YARDSTICK, *OWN, AUTO):
            found = key(direction, name)
            if found in result.single:
                cells[name] = _cell(result, found, found == peer)
        rows.append(
            cells | {"chosen": result.chosen, "best peer / auto": "" if ratio is None else f"{ratio:.2f}"}
        )
    used = {name for cells in rows for name in cells}
    order = ("case", *PEERS, YARDSTICK, *OWN, AUTO, "chosen", "best peer / auto")
    header = [name for name in order if name in used]
    return table(header, [[cells.get(name, "–") for name in header] for cells in rows])


def _cell(result: Result, found: str, best: bool) -> str:
    mark = "†" if found in result.other_dtype else ""
    if found not in result.times:
        return f"({milliseconds(result.single[found])}{mark})"
    text = f"{milliseconds(result.times.median(found))}{mark}"
    return f"**{text}**" if best else text


def milliseconds(seconds: float) -> str:
    """Return a time in ms, of three significant digits and without an exponent."""
    return f"{float(f'{seconds * 1e3:.3g}'):.7g}"


def summary(results: Sequence[Result], direction: str, dtype: str) -> Iterator[str]:
    """Yield the figures of a table that have a target."""
    auto, peers = key(direction, AUTO), {id(result): result.best(direction, PEERS) for result in results}

    def slower(reference: Callable[[Result], str | None], among: Iterable[Result]) -> list[tuple[float, str]]:
        """Return the ratios of "auto" to another contender, each with its case."""
        found = [(result.ratio(direction, auto, reference(result)), result.job.case.name) for result in among]
        return [(ratio, name) for ratio, name in found if ratio is not None]

    def gain(among: Iterable[Result]) -> list[float]:
        found = [result.ratio(direction, peers[id(result)], auto) for result in among]
        return [ratio for ratio in found if ratio is not None]

    mixing = [result for result in results if result.job.case.mixes_channels]
    others = [result for result in results if not result.job.case.mixes_channels]
    if dtype == "float64":
        yield from _worst("auto / best peer", slower(lambda result: peers[id(result)], results), WORST_TARGET)
        yield from _mean("best peer / auto, geometric mean", gain(results), MEAN_TARGET)
    else:
        yield from _mean(
            "best peer / auto, geometric mean over one channel and depthwise",
            gain(others),
            SINGLE_MEAN_TARGET,
        )
        by_torch = slower(lambda result: key(direction, "torch"), mixing)
        yield from _worst("auto / torch, several channels", by_torch, TORCH_TARGET)
    own = slower(lambda result: result.best(direction, OWN), results)
    yield from _worst("auto / best method of convops", own, CHOICE_TARGET)
    if direction == ADJOINT:
        forward = slower(lambda result: key(FORWARD, AUTO), results)
        yield from _worst("auto, adjoint / forward", forward, ADJOINT_TARGET)


def _worst(what: str, ratios: list[tuple[float, str]], limit: float) -> Iterator[str]:
    if ratios:
        worst, name = max(ratios)
        yield against_target(f"- {what}, worst", worst, limit) + f", of {name}"


def _mean(what: str, ratios: list[float], limit: float) -> Iterator[str]:
    if ratios:
        yield against_target(f"- {what}", geometric_mean(ratios), limit, least=True)


def share_table(results: Sequence[Result], limits: Limits) -> str:
    """Return how much of the machine's limits "auto" reaches, by the useful work of each case."""
    rows = []
    for result in results:
        case, dtype = result.job.case, result.job.dtype
        work, moved = case.flops, case.nbytes(dtype)
        cells = [case.name, f"{work / 1e6:.3g}", f"{moved / 1e6:.3g}"]
        for direction in DIRECTIONS:
            seconds = result.times.median(key(direction, AUTO))
            cells += [
                f"{work / seconds / limits.multiplying[dtype.name]:.1%}",
                f"{moved / seconds / limits.copying:.1%}",
            ]
        rows.append(cells)
    columns = [f"{direction}, / {what}" for direction in DIRECTIONS for what in ("GEMM", "copy")]
    return table(["case", "MFlop", "MB in + out", *columns], rows)

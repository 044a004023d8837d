"""The tables: what each tool catches, what it fails without cause, what a check takes."""

from collections.abc import Sequence

from benchmarks._harness import table
from benchmarks.faults._measure import Count
from benchmarks.faults.tools import TOOLS

HEADER = ("", *TOOLS)


def catch_rates(families: dict[str, list[Count]]) -> str:
    """Return a table of the share of faulty pairs that fail, the mean over faults, dtypes and seeds."""
    rows = [[f"{name} ({kinds(counts)})", *caught(counts)] for name, counts in families.items()]
    everything = [count for counts in families.values() for count in counts]
    return table(HEADER, [*rows, [f"all ({kinds(everything)})", *caught(everything)]])


def kinds(counts: Sequence[Count]) -> int:
    return len({count.name for count in counts})


def caught(counts: Sequence[Count]) -> list[str]:
    """Return the mean over the faults of the mean over their dtypes, for each tool."""
    shares: dict[str, list[Count]] = {}
    for count in counts:
        shares.setdefault(count.name, []).append(count)
    return [
        f"{sum(1 - passed(each, tool) / checks(each) for each in shares.values()) / len(shares):.1%}"
        for tool in TOOLS
    ]


def misses(families: dict[str, list[Count]], tool: str = "convops") -> str:
    """Return a line for each fault that a tool passes for any seed."""
    lines = [
        f"  {name}: {line}"
        for name, counts in families.items()
        for line in by_name([(count, count.passed[tool]) for count in counts])
    ]
    return "\n".join([f"Faults that {tool} passes for any seed: {len(lines) or 'none'}", *lines])


def by_name(counts: Sequence[tuple[Count, int]]) -> list[str]:
    """Return a line for each name of which some checks are counted: how many of how many, in which dtypes."""
    found: dict[str, list[str]] = {}
    for count, number in counts:
        if number:
            found.setdefault(count.name, []).append(f"{count.dtype} ({number} of {count.checks})")
    return [f"{name}: {', '.join(dtypes)}" for name, dtypes in found.items()]


def false_alarms(counts: Sequence[Count]) -> str:
    """Return a table of the share of correct pairs that fail, or its 95 % bound where none did."""
    total = checks(counts)
    failed = [total - passed(counts, tool) for tool in TOOLS]
    rows = [
        ["checks", *[str(total)] * len(TOOLS)],
        ["false alarms", *map(str, failed)],
        ["rate", *(f"{alarms / total:.2%}" if alarms else f"< {3 / total:.1e}" for alarms in failed)],
    ]
    return table(HEADER, rows)


def alarming(counts: Sequence[Count], tool: str = "convops") -> str:
    """Return a line for each correct kind that a tool fails for any seed."""
    lines = by_name([(count, count.checks - count.passed[tool]) for count in counts])
    return "\n".join([f"Correct operators that {tool} fails for any seed: {len(lines) or 'none'}", *lines])


def seconds(counts: Sequence[Count]) -> str:
    """Return a table of the mean time of a check, making the pair apart."""
    means = [1e3 * sum(count.seconds[tool] for count in counts) / checks(counts) for tool in TOOLS]
    return table(HEADER, [["ms per check", *(f"{mean:.3g}" for mean in means)]])


def checks(counts: Sequence[Count]) -> int:
    return sum(count.checks for count in counts)


def passed(counts: Sequence[Count], tool: str) -> int:
    return sum(count.passed[tool] for count in counts)

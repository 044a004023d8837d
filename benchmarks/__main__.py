"""``python -m benchmarks [--quick] [NAME ...]``."""

import argparse
import importlib
import inspect
import time

from benchmarks._harness import machine, threads

PARTS = (
    "assembly",
    "memory",
    "small",
    "apply",
    "products",
    "kernel",
    "engines",
    "engine_costs",
    "norms",
    "inverse",
    "faults",
    "distributed",
)


def main() -> None:
    """Run the parts that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure convops against its peers, contenders in turn."
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only proves that everything works")
    parser.add_argument(
        "--one-thread", action="store_true", help="hold `engines`, which takes all cores, to one thread too"
    )
    parser.add_argument(
        "--cases", metavar="SUBSTRING", default="", help="of `engines` only the cases with this in their name"
    )
    parser.add_argument(
        "--dtype", choices=("float64", "float32"), default="", help="of `engines` only this one"
    )
    parser.add_argument(
        "--size",
        type=int,
        default=0,
        help="of `distributed` the side of the image (default: 16384)",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    given = parser.parse_args()
    if unknown := set(given.names) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")

    print(machine())
    for name in given.names or PARTS:
        start = time.perf_counter()
        print(f"\n## {name}\n", flush=True)
        part = importlib.import_module(f"benchmarks.{name}")
        count = 1 if given.one_thread else getattr(part, "THREADS", 1)
        options = {"quick": given.quick, "threads": count, "cases": given.cases, "dtype": given.dtype}
        options["size"] = given.size
        with threads(count):
            part.main(**{key: options[key] for key in inspect.signature(part.main).parameters})
        print(f"({time.perf_counter() - start:.0f} s)", flush=True)
    if given.quick:
        print("\nQuick: the sizes are too small for the figures to mean anything.")


if __name__ == "__main__":
    main()

"""``python -m benchmarks [--quick] [NAME ...]``."""

import argparse
import importlib
import time

from benchmarks._harness import machine, one_thread

PARTS = ("assembly", "memory", "small", "apply", "products")


def main() -> None:
    """Run the parts that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure convops against its peers, contenders in turn."
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only proves that everything works")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    given = parser.parse_args()
    if unknown := set(given.names) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")

    print(machine())
    for name in given.names or PARTS:
        start = time.perf_counter()
        print(f"\n## {name}\n", flush=True)
        with one_thread():
            importlib.import_module(f"benchmarks.{name}").main(given.quick)
        print(f"({time.perf_counter() - start:.0f} s)", flush=True)
    if given.quick:
        print("\nQuick: the sizes are too small for the figures to mean anything.")


if __name__ == "__main__":
    main()

"""``python -m convops``."""

import sys

from convops.cli import main

if __name__ == "__main__":
    sys.exit(main())

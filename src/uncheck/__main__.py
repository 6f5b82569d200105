"""`python -m uncheck`, the same as the command `uncheck`."""

from __future__ import annotations

import sys

from uncheck.cli import main

if __name__ == "__main__":
    sys.exit(main())

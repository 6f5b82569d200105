"""`python -m uncheck`, the same as the command `uncheck`."""

import sys

from uncheck.cli import main

if __name__ == "__main__":
    sys.exit(main())

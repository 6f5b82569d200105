"""The command line: one thin file per command; results on stdout, everything else on stderr."""

from uncheck.cli.app import main

__all__ = ["main"]

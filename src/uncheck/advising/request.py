"""What the user gave, so that advice names the very target and weights."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """The arguments of a command, as they were typed; None and empty where one was not given.

    Attributes:
        target: file.py:name of the network; None where it was used from Python.
        weights, input, input_range, shape, range, which: options of that name.
        output: the folder of a repair.

    >>> Request("my net.py:make", shape="1,3,64,64").command("inspect")
    "uncheck inspect 'my net.py:make' --shape 1,3,64,64"
    """

    target: str | None = None
    weights: str | None = None
    input: str | None = None
    input_range: str | None = None
    shape: str | None = None
    range: str | None = None
    which: str | None = None
    output: str | None = None

    def command(self, verb: str, *more: str, **instead: str | None) -> str:
        """Return a command on the same network, shell-quoted, with more words behind.

        `instead` exchanges attributes.
        """
        given = {name: getattr(self, name) for name in ("weights", "input", "input_range", "shape", "range")}
        given |= {"which": self.which, **instead}
        options = [
            word
            for name, value in given.items()
            if value is not None
            for word in (f"--{name.replace('_', '-')}", value)
        ]
        return shlex.join(["uncheck", verb, *([self.target] if self.target else []), *options, *more])

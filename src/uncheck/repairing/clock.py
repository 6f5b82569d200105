"""The time of a search: what is spent, what is left, and the end of a method."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from uncheck.progress import Progress


class TimeUp(Exception):
    """Signal that a method has used up its time."""


@dataclass
class Clock:
    """The time spent, and the report of progress.

    Methods report to it; once `until` (in `spent`) is over, it ends them.
    """

    given: float
    progress: Progress | None
    began: float = field(default_factory=time.monotonic)
    until: float = math.inf

    def __call__(self, label: str) -> None:
        """Report progress; TimeUp if the method's time is over."""
        if self.spent > self.until:
            raise TimeUp
        if self.progress is not None:
            self.progress(label, min(int(self.spent), int(self.given)), max(1, int(self.given)))

    @property
    def spent(self) -> float:
        """Seconds since the repair began."""
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds until the time given is over."""
        return self.given - self.spent

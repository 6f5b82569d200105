"""A counter on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def shown(title: str, items: Iterable[T]) -> Iterator[T]:
    """`items`, counted on stderr."""
    number = 0
    for number, item in enumerate(items, 1):
        if number % 10 == 0 or number < 10:
            print(f"\r{title}: {number}", end="", file=sys.stderr, flush=True)
        yield item
    print(f"\r{title}: {number}", file=sys.stderr)

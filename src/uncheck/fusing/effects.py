"""Effects of a forward beside its output: random numbers, attributes. A graph would forget them."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def watched_for_effects(modules: Sequence[nn.Module]) -> Iterator[list[str]]:
    """Find out whether the code inside draws random numbers or writes attributes, and undo it.

    Either would be frozen into a graph as it was while tracing.
    """
    found: list[str] = []
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    array_state: Any = np.random.get_state()
    before = [dict(vars(module)) for module in modules]
    holders = [_holders(module) for module in modules]
    inner = [{n: dict(vars(m)[n]) for n in ("_parameters", "_buffers", "_modules")} for m in modules]
    try:
        yield found
    finally:
        arrays: Any = np.random.get_state()
        drawn = (
            not torch.equal(torch.get_rng_state(), torch_state)
            or random.getstate() != python_state
            or not np.array_equal(arrays[1], array_state[1])
            or arrays[2:] != array_state[2:]
        )
        if drawn:
            found.append("draws random numbers by itself")
            torch.set_rng_state(torch_state)
            random.setstate(python_state)
            np.random.set_state(array_state)
        for held in holders:
            for name, (value, items) in held.items():
                if not _same_items(value, items):
                    found.append(f"changes the attribute {name!r}")
                    _put_items(value, items)
        for module, attributes, parts in zip(modules, before, inner, strict=True):
            now = vars(module)
            changed = [n for n in {*now, *attributes} if now.get(n) is not attributes.get(n)]
            if changed:
                found.append(f"writes the attribute {sorted(changed)[0]!r}")
                now.clear()
                now.update(attributes)
            for name, items in parts.items():
                current = vars(module)[name]
                if list(current) != list(items) or any(current[n] is not items[n] for n in items):
                    found.append(f"writes to {name.strip('_')}")
                    current.clear()
                    current.update(items)


def _holders(module: nn.Module) -> dict[str, tuple[Any, Any]]:
    """Return the lists, dictionaries and sets among a module's own attributes, with copies of them."""
    private = set(vars(nn.Module()))
    return {
        name: (value, copy.copy(value))
        for name, value in vars(module).items()
        if isinstance(value, list | dict | set) and name not in private
    }


def _same_items(a: Any, b: Any) -> bool:
    if len(a) != len(b):
        return False
    if isinstance(a, dict):
        return all(x is y and a[x] is b[y] for x, y in zip(a, b, strict=True))
    return all(x is y for x, y in zip(a, b, strict=True)) or (isinstance(a, set) and a == b)


def _put_items(value: Any, items: Any) -> None:
    value.clear()
    (value.extend if isinstance(value, list) else value.update)(items)

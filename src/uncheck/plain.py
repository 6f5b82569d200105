"""Results as plain lists, dictionaries and numbers, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


class Plain:
    """Base of dataclasses whose JSON has the names of their fields as keys.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Size(Plain):
    ...     period: tuple[int, ...]
    ...     ratio: float
    >>> Size((2, 1), 4.0).to_dict()
    {'period': [2, 1], 'ratio': 4.0}
    """

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dictionaries and numbers, ready for JSON."""
        return as_dict(self)


def as_dict(result: Any, *names: str) -> dict[str, Any]:
    """Return attributes by name as plain values, in this order.

    Args:
        result: a dataclass.
        names: of fields or properties; if none is given, all fields but those that `repr` leaves out
            (networks, pictures).
    """
    chosen = names or [field.name for field in fields(result) if field.repr]
    return {name: plain(getattr(result, name)) for name in chosen}


def plain(value: Any) -> Any:
    """Return a value as JSON has it: results as dictionaries, tuples and arrays as lists.

    >>> plain({"sizes": ((3, 2), None)})
    {'sizes': [[3, 2], None]}
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_dataclass(value):
        return as_dict(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value.tolist() if hasattr(value, "tolist") else value

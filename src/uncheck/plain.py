"""Results as plain lists, dictionaries and numbers, ready for JSON, and as one short line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

#: Characters of a short line, of a string in it, and numbers of a list in it.
LINE, STRING, NUMBERS = 160, 40, 4


class Brief:
    """Base of dataclasses whose `repr` is one short line, however much they hold.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Found(Brief):
    ...     period: tuple[int, ...]
    ...     amplitude: float
    ...     parts: tuple["Found", ...] = ()
    >>> Found((2, 2), 0.123456, (Found((4, 4), 1.0),) * 3)
    Found(period=(2, 2), amplitude=0.1235, parts=[3 of Found])
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keep @dataclass, which runs next, from writing a `repr` of all fields."""
        super().__init_subclass__(**kwargs)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = cls.__mro__[1].__repr__  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return the name of the class and its fields: long values by their size, empty ones not at all."""
        parts: list[str] = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if not field.repr or value is None or (hasattr(value, "__len__") and not len(value)):
                continue
            parts.append(f"{field.name}={_short(value)}")
            if len(", ".join(parts)) > LINE:
                parts[-1] = "..."
                break
        return f"{type(self).__name__}({', '.join(parts)})"


def _short(value: Any) -> str:
    """Return a value in a few characters."""
    if isinstance(value, str):
        return repr(value if len(value) <= STRING else f"{value[: STRING - 3]}...")
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bool | int | complex):
        return str(value)
    if isinstance(value, Mapping):
        return f"{{{len(value)} keys}}"
    if isinstance(value, tuple | list):
        if len(value) <= NUMBERS and all(isinstance(one, int | float | str) for one in value):
            comma = "," if len(value) == 1 else ""
            return f"({', '.join(map(_short, value))}{comma})"
        return f"[{len(value)} of {type(value[0]).__name__}]"
    if hasattr(value, "shape"):
        return f"{type(value).__name__} {'x'.join(map(str, value.shape))}"
    return f"{type(value).__name__}(...)" if is_dataclass(value) else type(value).__name__


class Plain(Brief):
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

"""The part of JSON schema (draft 4) that the schema of SARIF uses, and no more."""

import json
import re
from pathlib import Path
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}

#: Keywords that say nothing about a value.
_SILENT = {"$schema", "id", "definitions", "format"}


def sarif_schema() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text())


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "$") -> list[str]:
    """One line per rule that a value breaks; an unknown keyword is an error of this file."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        return faults(value, root["definitions"][name], root, where)
    found = []
    for keyword, rule in schema.items():
        if keyword not in _SILENT:
            found += _RULES[keyword](value, rule, schema, root, where)
    return found


def _type(value, rule, schema, root, where):
    names = rule if isinstance(rule, list) else [rule]
    fits = any(
        isinstance(value, _TYPES[name]) and not (isinstance(value, bool) and name in ("integer", "number"))
        for name in names
    )
    return [] if fits else [f"{where} is no {' or '.join(names)}"]


def _properties(value, rule, schema, root, where):
    if not isinstance(value, dict):
        return []
    return [
        fault
        for name in value.keys() & rule
        for fault in faults(value[name], rule[name], root, f"{where}.{name}")
    ]


def _additional(value, rule, schema, root, where):
    more = value.keys() - schema.get("properties", {}) if isinstance(value, dict) else ()
    if rule is False:
        return [f"{where} has the unknown key {name}" for name in more]
    if rule is True:
        return []
    return [fault for name in more for fault in faults(value[name], rule, root, f"{where}.{name}")]


def _required(value, rule, schema, root, where):
    return [f"{where} lacks {name}" for name in rule if isinstance(value, dict) and name not in value]


def _items(value, rule, schema, root, where):
    entries = enumerate(value) if isinstance(value, list) else ()
    return [fault for i, one in entries for fault in faults(one, rule, root, f"{where}[{i}]")]


def _unique(value, rule, schema, root, where):
    if not rule or not isinstance(value, list):
        return []
    texts = [json.dumps(one, sort_keys=True) for one in value]
    return [] if len(set(texts)) == len(texts) else [f"{where} repeats an item"]


def _any_of(value, rule, schema, root, where):
    fits = [not faults(value, one, root, where) for one in rule]
    return [] if any(fits) else [f"{where} fits none of {len(rule)} forms"]


def _one_of(value, rule, schema, root, where):
    fits = sum(not faults(value, one, root, where) for one in rule)
    return [] if fits == 1 else [f"{where} fits {fits} of {len(rule)} forms, not one"]


def _says(sentence, test):
    return lambda value, rule, schema, root, where: (
        [] if test(value, rule) else [f"{where} {sentence} {rule}"]
    )


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


_RULES = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "uniqueItems": _unique,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "minItems": _says("has fewer items than", lambda v, n: not isinstance(v, list) or len(v) >= n),
    "minimum": _says("is below", lambda v, n: not _number(v) or v >= n),
    "maximum": _says("is above", lambda v, n: not _number(v) or v <= n),
    "pattern": _says("is not like", lambda v, p: not isinstance(v, str) or re.search(p, v) is not None),
    "enum": _says("is none of", lambda v, words: v in words),
}

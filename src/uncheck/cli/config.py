"""Options from `[tool.uncheck]` of the nearest pyproject.toml; what the command line gives wins."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from uncheck.cli.arguments import given_options, options_of
from uncheck.errors import UncheckError

NAME = "pyproject.toml"

#: Options that say nothing in a file, or only once on a command line.
_NEVER = {"help", "version", "traceback", "no-config", "install-completion", "show-completion"}

#: Options of a file that give way to another one on the command line.
_GIVE_WAY = {"verbose": {"quiet"}, "quiet": {"verbose"}, "output": {"format"}, "format": {"output"}}


@dataclass(frozen=True)
class Config:
    """The table of a file: options for all commands that have them, and for single commands."""

    file: Path
    table: Mapping[str, Any]


def find_config(folder: Path) -> Config | None:
    """Return the table of the nearest pyproject.toml that has one, from a folder upwards.

    Raises:
        UncheckError: a file on the way is no TOML.
    """
    for place in (folder, *folder.parents):
        file = place / NAME
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("uncheck")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise UncheckError(f"{file} cannot be read ({error}); mend it, or give --no-config") from error
        if table is not None:
            return Config(file, table)
    return None


def words_of(
    config: Config, command: str, given: Sequence[str], parameters: Mapping[str, Sequence[Any]]
) -> list[str]:
    """Return the options of a file for a command as words of its command line, without those it has already.

    Args:
        config: of `find_config`; all of it is checked, that of other commands too.
        command: name of the command.
        given: its words on the command line.
        parameters: of every command, by name.

    Raises:
        UncheckError: an unknown command or option, or a value of another type than the option has.
    """
    shared, tables = _split(config, parameters)
    for name, table in tables.items():
        for key, value in table.items():
            _words(config, f"[tool.uncheck.{name}]", key, value, _options(parameters[name]))
    every = {
        key: one
        for command_parameters in parameters.values()
        for key, one in _options(command_parameters).items()
    }
    for key, value in shared.items():
        _words(config, "[tool.uncheck]", key, value, every)
    own = _options(parameters[command])
    there = {parameter.name for parameter, _, _ in given_options(given, parameters[command])}
    silent = there | {
        _option_name(key, own) for word in there for key in _GIVE_WAY.get(_key_of(word, own), ())
    }
    chosen = {**{k: v for k, v in shared.items() if _key(k) in own}, **tables.get(command, {})}
    made = []
    for key, value in chosen.items():
        if own[_key(key)].name not in silent:
            made += _words(config, f"[tool.uncheck.{command}]", key, value, own)
    return made


def _split(
    config: Config, parameters: Mapping[str, Sequence[Any]]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    shared: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {}
    for key, value in config.table.items():
        if not isinstance(value, dict):
            shared[key] = value
        elif key in parameters:
            tables[key] = value
        else:
            raise UncheckError(_unknown(config, "[tool.uncheck]", f"command {key!r}", key, list(parameters)))
    return shared, tables


def _words(config: Config, table: str, key: str, value: Any, options: Mapping[str, Any]) -> list[str]:
    """Return one entry as words; `options` by key."""
    parameter = options.get(_key(key))
    if parameter is None:
        raise UncheckError(_unknown(config, table, f"option {key!r}", _key(key), list(options)))
    name = f"--{_key(key)}"
    where = f"{config.file}: {key} in {table}"
    if parameter.is_flag:
        if not isinstance(value, bool):
            raise UncheckError(f"{where} is {value!r}; write true or false")
        if value:
            return [name]
        return [one for one in parameter.secondary_opts[:1] if parameter.default is not False]
    values = value if isinstance(value, list) and parameter.multiple else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in values):
        kind = "a text, a number or a list of them" if parameter.multiple else "a text or a number"
        raise UncheckError(f"{where} is {value!r}; write {kind}")
    return [f"{name}={one}" for one in values]


def _unknown(config: Config, table: str, what: str, key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"it may have {', '.join(sorted(known))}"
    return f"{config.file}: {table} has an unknown {what}; {hint}"


def _options(parameters: Sequence[Any]) -> dict[str, Any]:
    """Return options by their long names without dashes."""
    named = {
        name.removeprefix("--"): one for name, one in options_of(parameters).items() if name.startswith("--")
    }
    return {
        key: one for key, one in named.items() if key not in _NEVER and f"--{key}" not in one.secondary_opts
    }


def _key(key: str) -> str:
    return key.replace("_", "-")


def _key_of(name: str, options: Mapping[str, Any]) -> str:
    return next((key for key, one in options.items() if one.name == name), name)


def _option_name(key: str, options: Mapping[str, Any]) -> str:
    return options[key].name if key in options else key

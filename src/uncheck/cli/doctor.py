"""`uncheck doctor`: versions, extras, device and settings, for whoever asks why something does not work."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uncheck.cli import options
from uncheck.cli.outputs import Outputs
from uncheck.errors import UncheckError, first_line

if TYPE_CHECKING:
    from uncheck.reporting import Page

SCHEMA = "uncheck.doctor/1"

#: Extras that are for working on the package itself.
INNER = {"dev", "docs"}


@dataclass(frozen=True)
class Health:
    """What `doctor` found: plain values."""

    said: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return them."""
        return self.said


def command(form: options.Form = None, output: options.Output = None) -> int:
    """Show versions, which extras are installed and how to install the others, the device, and the settings.

    Exit code 0; 2 if a library that is always needed is missing or broken.
    """
    outputs = Outputs(form, output, only=("text", "json"))
    health = Health(examine())
    outputs.emit(health, health_text)
    return 2 if any(one["version"] is None for one in health.said["libraries"]) else 0


def examine() -> dict[str, Any]:
    """Return versions, extras, device and settings as plain values."""
    needed, extras = requirements()
    return {
        "schema": SCHEMA,
        "uncheck": _version("uncheck"),
        "place": str(Path(__file__).parents[1]),
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "libraries": [{"name": name, "version": _version(name)} for name in needed],
        "extras": [_extra(name, names) for name, names in extras.items()],
        "device": _device(),
        "config": _config(),
    }


def requirements() -> tuple[list[str], dict[str, list[str]]]:
    """Return the libraries that are always needed, and those of each extra, as they were installed."""
    needed: list[str] = []
    extras: dict[str, list[str]] = {
        name: [] for name in metadata("uncheck").get_all("Provides-Extra") or () if name not in INNER
    }
    for line in requires("uncheck") or ():
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)", line)
        if name is None:
            continue
        if extra is None:
            needed.append(name[0])
        elif extra[1] in extras:
            extras[extra[1]].append(name[0])
    return needed, extras


def _extra(name: str, libraries: list[str]) -> dict[str, Any]:
    there = {library: _version(library) for library in libraries}
    missing = [library for library, found in there.items() if found is None]
    install = f"pip install {' '.join(missing)}" if missing else None
    return {"name": name, "installed": not missing, "libraries": there, "install": install}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device() -> dict[str, Any]:
    """Return what torch computes on; its error where it cannot be imported."""
    said: dict[str, Any] = {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    }
    try:
        import torch
    except Exception as error:
        return {**said, "error": f"torch cannot be imported ({first_line(error)})"}
    accelerators = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        accelerators.append("Apple GPU (mps)")
    return {**said, "threads": torch.get_num_threads(), "accelerators": accelerators, "error": None}


def _config() -> dict[str, Any] | None:
    from uncheck.cli.config import find_config

    try:
        found = find_config(Path.cwd())
    except UncheckError as error:
        return {"file": None, "table": {}, "error": str(error)}
    return None if found is None else {"file": str(found.file), "table": dict(found.table), "error": None}


def health_text(health: Health, page: Page) -> str:
    """Return it as text."""
    from uncheck.reporting.page import table

    said = health.to_dict()
    device, config = said["device"], said["config"]
    parts: list[Any] = [
        f"uncheck {said['uncheck'] or '(not installed)'} in {said['place']}",
        f"Python {said['python']} ({said['executable']}), {said['platform']}",
    ]
    if device["error"]:
        parts.append(f"Device: {device['error']}")
    else:
        where = ", ".join(device["accelerators"]) or "no accelerator"
        cores = f"{device['cores']} core{'' if device['cores'] == 1 else 's'}"
        threads = f"{device['threads']} thread{'' if device['threads'] == 1 else 's'}"
        parts.append(
            f"Device: {cores}, {threads} of torch; {where}. Networks run where their code puts them."
        )
    if config is None:
        parts.append("Settings: no [tool.uncheck] in a pyproject.toml from here upwards.")
    else:
        parts.append(f"Settings: {config['error'] or config['file']}")
    needed: list[Any] = [
        (one["name"], one["version"] or "missing: pip install uncheck again") for one in said["libraries"]
    ]
    parts += table("Libraries", ("library", "version"), needed)
    extras: list[Any] = [
        (
            one["name"],
            "yes" if one["installed"] else "no",
            one["install"] or ", ".join(f"{name} {number}" for name, number in one["libraries"].items()),
        )
        for one in said["extras"]
    ]
    parts += table("Extras", ("extra", "installed", "libraries, or how to install what is missing"), extras)
    return page.draw(parts)

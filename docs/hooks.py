"""Hooks of MkDocs: pages link to files of the repository, as they do on a code host.

Figures of the experiments become part of the site. Other links that leave docs/ lead to the repository, whose
address is in pyproject.toml.
"""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(\.\./([^)\s#]+)")
API = re.compile(r"<!-- api: ([\w.]+) -->")
BESIDE = re.compile(r"\]\((pictures/[\w.]+\.py)\)")


def repository() -> str:
    """Return the address of the repository."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"])


def on_config(config: Any) -> Any:
    """Set the address of the repository."""
    config.repo_url = repository()
    config.repo_name = "Repository"
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the figures of the experiments."""
    for figure in sorted(ROOT.glob("experiments/*/figures/*.png")):
        files.append(File.generated(config, figure.relative_to(ROOT).as_posix(), abs_src_path=str(figure)))
    return files


def on_page_markdown(markdown: str, files: Files, **_: Any) -> str:
    """Turn links that leave docs/."""

    def turned(match: re.Match[str]) -> str:
        path = match[1]
        if files.get_file_from_path(path):
            return f"]({path}"
        if not (ROOT / path).exists():
            return match[0]  # MkDocs says that it leads nowhere
        return f"]({repository()}/{'tree' if (ROOT / path).is_dir() else 'blob'}/main/{path}"

    markdown = API.sub(lambda match: api(match[1]), LINK.sub(turned, markdown))
    return BESIDE.sub(lambda match: f"]({repository()}/blob/main/docs/{match[1]})", markdown)


def api(room: str) -> str:
    """Return what mkdocstrings turns into the documentation of the public names of a module."""
    module = import_module(room)
    parts = []
    for name in sorted(module.__all__, key=str.lower):
        value = getattr(module, name)
        if not callable(value) or re.search(r"[123]d$", name):
            continue
        home = f"{value.__module__}.{value.__qualname__}"
        parts.append(f"::: {home}\n    options:\n      heading: {room}.{name}\n")
    return "\n".join(parts)

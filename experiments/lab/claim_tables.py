"""The tables of claims in the READMEs, made from config.toml and results.json alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lab.config import claims

HERE = Path(__file__).resolve().parents[1]

#: In the order of the article.
FOLDERS = (
    "before-training",
    "gan",
    "bright-colours",
    "learning",
    "other-models",
    "gradients",
    "stacking",
    "second-order",
    "boundary",
)

HEAD = ("| claim | predicted | outcome | figure |", "| --- | --- | --- | --- |")


def results(folder: str) -> dict[str, Any]:
    path = HERE / folder / "results" / "results.json"
    return json.loads(path.read_text()) if path.exists() else {"claims": {}}


def lines(folder: str, beside: str) -> list[str]:
    """One row per claim; `beside` leads from the page to the folder."""
    out, seen = [], results(folder)["claims"]
    for name, said in claims(HERE / folder / "config.toml").items():
        verdict = seen.get(name, {"outcome": "open", "came_out": "not measured yet"})
        figure = f"[{said['figure']}]({beside}figures/{said['figure']}.png)"
        came_out = f"**{verdict['outcome']}**: {verdict['came_out']}"
        out.append(f"| {said['article']} | {said['predicted']} | {came_out} | {figure} |")
    return out


def of_one(folder: str) -> str:
    return "\n".join([*HEAD, *lines(folder, "")])


def of_all() -> str:
    head = ("| experiment " + HEAD[0], "| --- " + HEAD[1])
    rows = [f"| [{f}]({f}) {line}" for f in FOLDERS if (HERE / f).exists() for line in lines(f, f"{f}/")]
    return "\n".join([*head, *rows])


def filled(text: str, table: str, page: Path) -> str:
    """`text` with what lies between the markers replaced by the table."""
    marked = re.compile(r"(<!-- claims -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marked.search(text):
        raise SystemExit(f"{page} has no markers; add <!-- claims --> and <!-- end --> on lines of their own")
    return marked.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)


def pages() -> dict[Path, str]:
    """Every page with its table as the results say it should be."""
    out = {}
    for path, table in [
        (HERE / "README.md", of_all()),
        *((HERE / f / "README.md", of_one(f)) for f in FOLDERS if (HERE / f / "README.md").exists()),
    ]:
        out[path] = filled(path.read_text(), table, path)
    return out


def main() -> None:
    for path, text in pages().items():
        path.write_text(text)

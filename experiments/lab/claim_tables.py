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
    "verdict",
)

HEAD = ("| claim | predicted | outcome | figure |", "| --- | --- | --- | --- |")


def measured() -> list[str]:
    """The experiments that have results."""
    return [folder for folder in FOLDERS if (HERE / folder / "results" / "results.json").exists()]


def results(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / folder / "results" / "results.json").read_text())
    return found


def lines(folder: str, beside: str) -> list[str]:
    """One row per claim; `beside` leads from the page to the folder."""
    out, seen = [], results(folder)["claims"]
    for name, said in claims(HERE / folder / "config.toml").items():
        if name not in seen:
            raise SystemExit(f"claim {name} is not in its results; run experiments/{folder}/run.py")
        verdict = seen[name]
        figure = f"[{said['figure']}]({beside}figures/{said['figure']}.png)"
        came_out = f"**{verdict['outcome']}**: {verdict['came_out']}"
        out.append(f"| {said['article']} | {said['predicted']} | {came_out} | {figure} |")
    return out


def of_one(folder: str) -> str:
    return "\n".join([*HEAD, *lines(folder, "")])


def of_all() -> str:
    head = ("| experiment " + HEAD[0], "| --- " + HEAD[1])
    rows = [f"| [{f}]({f}) {line}" for f in measured() for line in lines(f, f"{f}/")]
    return "\n".join([*head, *rows])


def of_docs() -> str:
    """Per experiment its question, its claims and every figure."""
    parts = []
    for folder in measured():
        readme = HERE / folder / "README.md"
        said = readme.read_text()
        asked = re.search(r"\*\*Question\.\*\* (.*?)\n\n", said, re.DOTALL)
        if asked is None:
            raise SystemExit(f"{readme} asks no question; begin a paragraph with **Question.**")
        beside = f"../experiments/{folder}/"
        title = said.splitlines()[0].removeprefix("# ")
        figures = [f"![{p.stem}]({beside}figures/{p.name})" for p in figures_of(folder)]
        parts += [f"## [{title}]({beside})", asked[1], "\n".join([*HEAD, *lines(folder, beside)]), *figures]
    return "\n\n".join(parts)


def figures_of(folder: str) -> list[Path]:
    return sorted((HERE / folder / "figures").glob("*.png"))


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
        (HERE.parent / "docs" / "experiments.md", of_docs()),
        *((HERE / f / "README.md", of_one(f)) for f in measured()),
    ]:
        out[path] = filled(path.read_text(), table, path)
    return out


def main() -> None:
    for path, text in pages().items():
        path.write_text(text)

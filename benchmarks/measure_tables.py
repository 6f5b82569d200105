"""The table of costs in docs/measure.md, from results/measure.json alone, between its markers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from resize_tables import table

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "measure.md"
BEGIN, END = "<!-- costs -->\n", "<!-- /costs -->"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text()))


def rendered(text: str) -> str:
    """`text` with what lies between the markers made anew from the results."""
    result = json.loads((HERE / "results" / "measure.json").read_text())
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{costs(result)}\n{END}{rest.split(END)[1]}"


def costs(result: dict[str, Any]) -> str:
    """Each case, its target, the worst that came out, and what with."""
    target, made = result["target"], result["machine"]
    rows = [[name, target.get(name, ""), f"{worst:.1f}"] for name, worst in result["worst"].items()]
    limit = f"{target['8 s of sound, in ms']:g}"
    rows += [[f"{name}, in ms", limit, f"{one['min']:.0f}"] for name, one in result["sound"].items()]
    seconds = result["folder"]["least_seconds_of_3"]
    rows += [[f"the command, {name}, in s", "", f"{one:.1f}"] for name, one in seconds.items()]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    said = f"{made['date']}, {made['processor']}, Python {made['python']}, {versions}."
    return f"{table(['case', 'target', 'worst'], rows)}\n\n{said}"


if __name__ == "__main__":
    main()

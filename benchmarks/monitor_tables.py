"""The tables of docs/training.md, from results/monitor.json alone, between their markers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from resize_tables import table

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "training.md"
UNFORESEEN = "falls with the learning rate at the end"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text()))


def rendered(text: str) -> str:
    """`text` with what lies between <!-- NAME --> and <!-- /NAME --> made anew from the results."""
    found = json.loads((HERE / "results" / "monitor.json").read_text())
    for name, make in (("cost", cost), ("alarms", alarms), ("verdicts", verdicts)):
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/training.md: no markers for the table {name}")
        body = make(found)
        text = pattern.sub(lambda m, body=body: f"{m[1]}{body}\n{m[2]}", text)
    return text


def cost(found: dict[str, Any]) -> str:
    """What a measurement takes."""
    rows = [
        [
            row["network"],
            row["images_measured"],
            f"{row['step_seconds']:.3g} s",
            f"{row['measurement_seconds']:.2g} s",
            f"{row['first_measurement_seconds']:.2g} s",
            f"{row['share_of_a_step']:.2%}",
        ]
        for row in found["steps"]
    ]
    head = [
        "network",
        "images measured",
        "step",
        "measurement",
        "the first",
        f"at every {found['interval']} steps",
    ]
    penalties = [row["gain_penalty_share_of_a_step"] for row in found["steps"]]
    made = found["machine"]
    return "\n".join(
        [
            table(head, rows),
            "",
            f"{found['clock'].capitalize()}, {made['date']}, {made['processor']},",
            f"torch {made['versions']['torch']}; target for the monitor {found['target']:.0%}.",
            f"Apart from that, `gain_penalty` with its gradient, in every step, took {min(penalties):.2%} to "
            f"{max(penalties):.2%} of a step.",
        ]
    )


def alarms(found: dict[str, Any]) -> str:
    """How often a period was there that the network cannot make."""
    names = list(found["alarms"][0]["found"])
    rows = [
        [row["network"], ", ".join(map(str, row["periods"])), row["networks"], *row["found"].values()]
        for row in found["alarms"]
    ]
    return table(["untrained network", "periods it cannot make", "networks", *names], rows)


def verdicts(found: dict[str, Any]) -> str:
    """What was said of synthetic curves, and how much of it was false."""
    rows = []
    for share in (0.2, 0.5, 0.9):
        for correlation in (0.0, 0.5, 0.8):
            every = [
                row
                for row in found["verdicts"]
                if (row["share_of_training"], row["correlation"]) == (share, correlation)
            ]
            known = [row for row in every if row["kind"] != UNFORESEEN]
            late = [row for row in every if row["kind"] == UNFORESEEN]
            count = sum(row["curves"] for row in known)
            early = sum(row["verdicts"].get("too early", 0) for row in known)
            false, worst = (
                sum(row["false"] for row in known),
                max(row["false"] / row["curves"] for row in known),
            )
            rows.append(
                [
                    f"{share:.0%}",
                    f"{known[0]['noise']:.0%}, {correlation}",
                    f"{1 - early / count:.0%}",
                    f"{false / count:.2%}",
                    f"{worst:.1%}",
                    f"{late[0]['false'] / late[0]['curves']:.1%}",
                ]
            )
    head = [
        "share of training seen",
        "noise, correlation",
        "verdict given",
        "false",
        "worst kind",
        "unforeseen fall",
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()

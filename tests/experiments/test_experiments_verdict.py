"""What the README of the experiment on verdicts says of limits told by inputs made of one is in its rows."""

import json
from math import lcm
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "experiments" / "verdict"


def held(row):
    """How many times its limit a network called clean holds at a period, the worst."""
    most = {}
    for one in row["limit"]:
        cycle = lcm(*one["period"])
        most[cycle] = max(most.get(cycle, 0.0), one["amplitude"])
    return max((c["amplitude"] / most.get(lcm(*c["period"]), 1e-6) for c in row["truth"]), default=0.0)


def test_limits_are_widened_by_what_the_rows_ask_for():
    rows = json.loads((FOLDER / "results" / "made_of_one.json").read_text())["rows"]
    shares = [held(row) for row in rows]
    over, far = (sum(share > limit for share in shares) for limit in (1.0, 1.5))
    assert (len(rows), over, far) == (100, 13, 2)
    assert f"{over} of {len(rows)} called clean held more" in (FOLDER / "README.md").read_text()

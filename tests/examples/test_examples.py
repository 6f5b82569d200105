"""The examples are short, run anywhere, and what they print is right."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="the examples are not part of this copy")


def run(name, folder):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder), "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def numbers(pattern, text):
    """The groups of each match as numbers."""
    found = [tuple(map(float, match.groups())) for match in re.finditer(pattern, text)]
    assert found, text
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_at_most_forty_lines(name):
    lines = (EXAMPLES / name).read_text().splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith('"""')
    assert f"[{name}]({name})" in (EXAMPLES / "README.md").read_text()


def test_there_are_five():
    assert len(SCRIPTS) == 5


@pytest.mark.integration
def test_inspect_your_network(tmp_path):
    out, _ = run("inspect_your_network.py", tmp_path)
    assert out.startswith("verdict: lattice")
    (strength,) = numbers(r"period 4: ([\d.]+) grey levels", out)
    assert strength[0] > 3
    shares = numbers(r"period (\d), gain spread [\d.]+, blame (\d+)%", out)
    assert max(shares, key=lambda pair: pair[1])[0] == 4, "the stage of the strongest period is blamed most"


@pytest.mark.integration
def test_replace_upsamplers(tmp_path):
    out, _ = run("replace_upsamplers.py", tmp_path)
    assert out.count("swapped: ") == 2
    (before,), (after,) = (
        numbers(rf"{w}: lattice ([\d.]+) .* spreads ([\d.]+)", out) for w in ("before", "after")
    )
    assert after[0] < before[0] / 3
    assert before[1] > 1
    assert after[1] < 1e-3


@pytest.mark.integration
def test_monitor_lightning(tmp_path):
    pytest.importorskip("lightning")
    out, err = run("monitor_lightning.py", tmp_path)
    curve = numbers(r"step (\d+): ([\d.]+) grey levels, gain spreads \{'2': ([\d.]+)", out)
    assert [step for step, _, _ in curve] == [5, 35, 65, 95, 125, 155, 185]
    assert curve[0][1] > 10 * curve[-1][1]
    assert "period 2" in err
    assert not re.search(r"period (?!2:)\d", err), "no other period is there"
    assert "the period of stage 2; its gain spread is" in err
    verdict = out.splitlines()[-1].split(":")[0]
    (now, end, low, high, last) = numbers(
        r": ([\d.]+) grey levels now, ([\d.]+) \(([\d.]+) to ([\d.]+)\) expected at step (\d+)", out
    )[-1]
    assert low <= end <= high
    assert last == 192
    assert now < 2
    assert verdict == ("will not fade" if low >= 0.3 else "clean" if high < 0.3 else "too early")


@pytest.mark.integration
def test_repair_checkpoint(tmp_path):
    out, _ = run("repair_checkpoint.py", tmp_path)
    assert "It was repaired by project" in out
    ((before,),) = numbers(r"leaves a lattice of ([\d.]+) grey levels", out)
    ((after,),) = numbers(r"after loading: ([\d.]+) grey levels", out)
    assert before > 2
    assert after < before / 10
    assert list(tmp_path.glob("*/repaired/repaired.safetensors"))


@pytest.mark.integration
def test_measure_folder(tmp_path):
    out, _ = run("measure_folder.py", tmp_path)
    assert len(re.findall(r"^\d\.png: lattice, grey levels by period: 2: ", out, re.MULTILINE)) == 6
    (shared,) = numbers(r"all share period 2: ([\d.]+) grey levels", out)
    assert shared[0] == pytest.approx(1.5, abs=0.2), "what was drawn"

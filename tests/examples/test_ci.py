"""The action and the workflows: every `run` step is run as a runner would, and gates."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CI = ROOT / "examples" / "ci"

pytestmark = pytest.mark.skipif(
    not (ROOT / "action.yml").exists(), reason="the action is not part of this copy"
)

EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


def read(path):
    """A file of YAML; `on` stays a word."""
    return yaml.load(path.read_text(), yaml.BaseLoader)


def bash(script, folder, **more):
    """Run a step as GitHub does: bash that stops at the first failure."""
    outputs = folder / "github-output"
    environment = {
        **os.environ,
        "COLUMNS": "80",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment |= {"GITHUB_OUTPUT": str(outputs), "GITHUB_ACTION_PATH": str(ROOT), **more}
    environment["PATH"] = os.pathsep.join(
        [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    said = dict(line.split("=", 1) for line in outputs.read_text().split()) if outputs.exists() else {}
    return done, said


def act(folder, steps=("Run uncheck",), **inputs):
    """Run steps of the action with its inputs; the others have their defaults."""
    action = read(ROOT / "action.yml")
    unknown = set(inputs) - set(action["inputs"])
    assert not unknown, unknown
    given = {name: one.get("default", "") for name, one in action["inputs"].items()} | inputs
    for step in action["runs"]["steps"]:
        if step["name"] in steps:
            filled = {
                name: EXPRESSION.sub(lambda found: given[found[1].removeprefix("inputs.")], value)
                for name, value in step["env"].items()
            }
            done, said = bash(step["run"], folder, **filled)
    return done, said


@pytest.fixture
def decoder(tmp_path):
    words = [sys.executable, str(ROOT / "examples" / "stories" / "prepare.py"), "decoder"]
    subprocess.run(
        words, cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    return tmp_path


def test_no_input_becomes_text_of_a_script():
    action = read(ROOT / "action.yml")
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert set(EXPRESSION.findall("".join(step["env"].values()))) <= {
            f"inputs.{i}" for i in action["inputs"]
        }
    page = (ROOT / "docs" / "ci.md").read_text()
    for name in action["inputs"]:
        assert f"`{name}`" in page


def test_the_page_shows_the_workflow():
    lines = ["    " + line if line else "" for line in (CI / "github.yml").read_text().splitlines()]
    assert "\n".join(lines) in (ROOT / "docs" / "ci.md").read_text()


def test_the_workflow_gives_the_action_what_it_takes():
    (job,) = read(CI / "github.yml")["jobs"].values()
    (step,) = [step for step in job["steps"] if step["uses"].startswith("uncheck/uncheck@")]
    assert set(step["with"]) <= set(read(ROOT / "action.yml")["inputs"])


@pytest.mark.integration
def test_the_action_gates_and_writes_the_findings(decoder):
    (job,) = read(CI / "github.yml")["jobs"].values()
    (inputs,) = [step["with"] for step in job["steps"] if step["uses"].startswith("uncheck/uncheck@")]
    done, said = act(decoder, **inputs)
    assert (done.returncode, said) == (1, {"exit-code": "1"})
    assert "::error file=decoder.py,line=6," in done.stdout
    (run,) = json.loads((decoder / "uncheck.sarif").read_text())["runs"]
    assert [one["level"] for one in run["results"]] == ["error"]
    done, said = act(decoder, **{**inputs, "fail-above": "100"})
    assert (done.returncode, said["exit-code"]) == (0, "0")
    done, said = act(decoder, target="decoder.py:nothing")
    assert (done.returncode, said["exit-code"]) == (2, "2")


@pytest.mark.integration
def test_what_is_given_is_data_and_never_a_command(decoder):
    hostile = "$(touch owned) `touch owned`; touch owned"
    for name in ("target", "weights", "input", "sarif", "args", "command", "fail-above"):
        done, _ = act(decoder, **{"target": "decoder.py:make", name: hostile})
        assert done.returncode == (1 if name == "sarif" else 2), done  # a file may have any name
    assert not (decoder / "owned").exists()


def test_the_package_is_installed_from_the_action_itself(tmp_path):
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "python"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > asked\n')
    fake.chmod(0o755)
    done, _ = act(tmp_path, ("Install uncheck",), target="x", extras="formats")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text().splitlines()[-1] == f"{ROOT}[formats]"


@pytest.mark.integration
@pytest.mark.parametrize("name", ["github-plain.yml", "gitlab.yml"])
def test_plain_steps_gate_and_write_a_test_report(name, decoder):
    (job,) = (read(CI / name).get("jobs") or {"grid": read(CI / name).get("grid")}).values()
    steps = job.get("script") or [step["run"] for step in job["steps"] if "run" in step]
    install, gate = steps
    assert "pip install" in install
    done, _ = bash(gate, decoder)
    assert done.returncode == 1, done.stderr
    assert int(ET.parse(decoder / "uncheck.xml").getroot().get("failures")) >= 1

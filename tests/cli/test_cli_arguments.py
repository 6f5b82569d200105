"""Wrong commands, options given twice, help, completion, and the settings of pyproject.toml."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import typer

from uncheck.cli.app import app
from uncheck.cli.arguments import SYNONYMS, check_command

COMMANDS = list(typer.main.get_command(app).commands)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("remove", "`uncheck repair` mends a network"),
        ("fix", "`uncheck repair` mends a network"),
        ("check", "`uncheck inspect` runs a network"),
        ("detect", "`uncheck measure` looks for a grid in pictures, `uncheck inspect` in a network"),
        ("why", "`uncheck explain` has a page for each cause"),
        ("Speed", "`uncheck fuse`"),
        ("mesure", "did you mean `uncheck measure`?"),
        ("insect", "did you mean `uncheck inspect`?"),
        ("exlpain", "did you mean `uncheck explain`?"),
        ("out/a.png", "write `uncheck measure out/a.png`"),
        ("zzz", f"there are {', '.join(COMMANDS)}"),
    ],
)
def test_a_wrong_command_is_told_what_was_meant(fails, word, meant):
    said = fails(word)
    assert said.startswith(f"there is no command '{word}'; ")
    assert meant in said


def test_synonyms_name_commands_that_exist():
    for word, said in SYNONYMS.items():
        assert word not in COMMANDS
        named = [part.split("`")[0].split()[0] for part in said.split("`uncheck ")[1:]]
        assert all(name in COMMANDS or name in ("--help", "--version", "COMMAND") for name in named), word
    for name in COMMANDS:
        check_command(name, COMMANDS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--periods", "8", "--periods", "16"),
            "--periods is given twice, as 8 and as 16; give it once, as --periods 8,16",
        ),
        (("--threshold", "1", "--threshold=2"), "--threshold is given twice, as 1 and as 2; give it once"),
        (
            ("-o", "a.json", "--output", "b.json"),
            "--output is given twice, as a.json and as b.json; give it once",
        ),
        (("-oa.json", "-ob.json"), "-o is given twice, as a.json and as b.json; give it once"),
        (("--recurse", "--no-recurse"), "--recurse and --no-recurse exclude each other; give one"),
    ],
)
def test_an_option_given_twice_is_an_error(fails, pictures, words, said):
    assert fails("measure", "shots/a-clean.png", *words) == said


def test_what_may_be_given_twice(run, pictures):
    words = (
        "-v",
        "--verbose",
        "--periods",
        "2",
        "--periods=2",
        "--format",
        "json=a.json",
        "--format",
        "csv=b.csv",
    )
    assert run("measure", "shots/a-clean.png", *words)[0] == 0
    assert json.loads((pictures / "a.json").read_text())["images"]
    assert (pictures / "b.csv").read_text().startswith("path,")
    assert run("overlap", "3", "2", "--then", "k3s2", "--then", "k4s2")[0] == 1


def test_flags_show_no_type_in_the_help(run):
    for name in ("inspect", "measure", "repair"):
        code, out, _ = run(name, "--help")
        assert code == 0
        assert "bool" not in out
        assert "--exit-zero" in out


def test_short_version(run):
    assert run("-V") == run("--version")


def test_shells_are_given_completions(run, monkeypatch):
    monkeypatch.setenv("_UNCHECK_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "uncheck mea")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run() == (0, "measure\n", "")


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_completion_of_bash_completes_options():
    script = subprocess.run(
        [sys.executable, "-m", "uncheck", "--show-completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
        # The shell that the tests were started from may be none that typer knows.
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    ).stdout
    assert "_uncheck_completion" in script
    words = {"_UNCHECK_COMPLETE": "complete_bash", "COMP_WORDS": "uncheck inspect --gra", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "uncheck"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **words},
    )
    assert done.stdout.split() == ["--gradient"]


@pytest.fixture
def configured(pictures):
    """Write pyproject.toml in the working folder."""

    def write(text):
        (pictures / "pyproject.toml").write_text(text)
        return pictures

    return write


def test_options_come_from_the_nearest_file_upwards(configured, run, monkeypatch):
    folder = configured(
        '[tool.uncheck]\nfail-above = 50\n[tool.uncheck.measure]\nperiods = 2\nformat = "json"\n'
    )
    inner = folder / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")  # without a table of ours
    monkeypatch.chdir(inner)
    code, out, _ = run("measure", "../shots/b-grid.png")
    said = json.loads(out)
    assert (code, said["fail_above"]) == (0, 50.0)
    assert [one["period"] for one in said["images"][0]["lattice"]] == [[2, 2]]
    assert said["images"][0]["limit"] == []


def test_the_command_line_wins(configured, run):
    folder = configured('[tool.uncheck.measure]\nfail-above = 50\nformat = "json"\nquiet = true\n')
    code, out, _ = run("measure", "shots/b-grid.png", "--fail-above", "1", "--format", "text", "-v")
    assert code == 1
    assert out.startswith("What: ")
    assert run("--no-config", "measure", "shots/b-grid.png", "-q")[0] == 1
    assert run("measure", "shots/b-grid.png", "-o", "r.csv")[0] == 0
    assert (folder / "r.csv").read_text().startswith("path,")


def test_lists_and_flags(configured, run):
    formats = 'format = ["json=a.json", "csv=b.csv"]'
    folder = configured(
        f"[tool.uncheck.measure]\n{formats}\nexit-zero = true\nrecurse = false\nset = false\n"
    )
    assert run("measure", "shots/b-grid.png") == (0, "", "wrote a.json, b.csv\n")
    assert (folder / "a.json").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[tool.uncheck.measure]\nperiod = 2",
            "[tool.uncheck.measure] has an unknown option 'period'; did you mean periods?",
        ),
        (
            "[tool.uncheck.inspect]\nmosaic = 2",
            "[tool.uncheck.inspect] has an unknown option 'mosaic'; it may have",
        ),
        (
            "[tool.uncheck]\nfail_abov = 2",
            "[tool.uncheck] has an unknown option 'fail_abov'; did you mean fail-above?",
        ),
        (
            "[tool.uncheck.mesure]\nperiods = 2",
            "[tool.uncheck] has an unknown command 'mesure'; did you mean measure?",
        ),
        ("[tool.uncheck.measure]\nset = 1", "set in [tool.uncheck.measure] is 1; write true or false"),
        (
            "[tool.uncheck.measure]\nperiods = [2, 4]",
            "periods in [tool.uncheck.measure] is [2, 4]; write a text or a number",
        ),
        (
            "[tool.uncheck.measure]\nthreshold = true",
            "threshold in [tool.uncheck.measure] is True; write a text or a number",
        ),
        ("[tool.uncheck", "cannot be read (Expected"),
    ],
)
def test_a_faulty_file_is_an_error(configured, fails, text, said):
    folder = configured(text)
    message = fails("measure", "shots/b-grid.png")
    assert message.startswith(f"{folder / 'pyproject.toml'}")
    assert said in message


def test_help_and_doctor_work_beside_a_faulty_file(configured, run):
    configured("[tool.uncheck.measure]\nperiod = 2")
    assert run("measure", "--help")[0] == 0
    code, out, _ = run("doctor", "--format", "json")
    assert (code, json.loads(out)["config"]["table"]) == (0, {"measure": {"period": 2}})


def test_doctor_says_what_is_missing_and_how_to_install_it(run, monkeypatch):
    from uncheck.cli import doctor

    monkeypatch.setattr(
        doctor, "requirements", lambda: (["numpy"], {"audio": ["soundfile", "no-such-library"]})
    )
    code, out, _ = run("doctor")
    assert code == 0
    assert "pip install no-such-library" in out
    said = json.loads(run("doctor", "--format", "json")[1])
    assert said["extras"][0]["installed"] is False
    assert said["device"]["threads"] >= 1
    monkeypatch.setattr(doctor, "requirements", lambda: (["no-such-library"], {}))
    assert run("doctor")[0] == 2


def test_doctor_knows_what_the_package_needs():
    from uncheck.cli.doctor import requirements

    needed, extras = requirements()
    assert {"torch", "numpy", "scipy", "typer"} <= set(needed)
    assert {"audio", "train", "onnx"} <= set(extras)
    assert not {"dev", "docs"} & set(extras)

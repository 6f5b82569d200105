"""What all commands share: help, version, errors, traceback, files written whole, exit codes."""

import subprocess
import sys
import warnings

import pytest

import uncheck
from uncheck.cli.output import emit
from uncheck.errors import UncheckWarning


def python(*code, **given):
    return subprocess.run(
        [sys.executable, *code], capture_output=True, text=True, timeout=120, check=False, **given
    )


@pytest.mark.integration
def test_python_m_and_a_closed_pipe():
    done = python("-m", "uncheck", "overlap", "4", "2", "--ndim", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("What: Even")
    command = f"{sys.executable} -m uncheck overlap 3 2 --input-size 150 --format json"
    closed = f"{command} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", closed], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.split(), done.stderr) == (["{", "1"], "")


def test_a_terminal_without_block_characters():
    done = python("-m", "uncheck", "overlap", "3", "2", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert "\\u2588" in done.stdout


def test_public_names():
    assert set(uncheck.__all__) <= set(dir(uncheck))
    assert all(callable(getattr(uncheck, name)) for name in ("inspect", "measure", "overlap", "chain"))
    assert uncheck.overlap(kernel_size=3, stride=2, ndim=2).ratio == 4
    with pytest.raises(AttributeError, match="module 'uncheck' has no attribute 'repare'"):
        uncheck.repare  # noqa: B018


def test_version(run):
    assert run("--version") == (0, f"uncheck {uncheck.__version__}\n", "")


def test_no_command_shows_help_and_is_an_error(run):
    code, out, err = run()
    assert code == 2
    assert "measure" in out
    named = "inspect, measure, overlap, fuse, repair, explain, demo, doctor"
    assert err == f"error: no command given; name one of {named}\n"


def test_an_unknown_command_names_a_close_one(fails):
    assert fails("mesure") == "there is no command 'mesure'; did you mean `uncheck measure`?"


@pytest.mark.parametrize("arguments", [("--traceback", "overlap", "0"), ("overlap", "0", "--traceback")])
def test_traceback_before_and_after_the_command(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Traceback (most recent call last)")
    assert err.splitlines()[-1].startswith("error: kernel_size must be at least 1")


def test_no_traceback_unless_asked(run):
    assert "Traceback" not in run("overlap", "0")[2]


def test_words_after_two_dashes_are_no_options(fails):
    assert fails("measure", "--", "--traceback") == "--traceback: no such file; check the path"


def test_a_fault_of_the_program_is_one_sentence_too(fails, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oops\nmore")

    monkeypatch.setattr("uncheck.geometry.chain", broken)
    assert fails("overlap") == (
        "uncheck itself failed (ZeroDivisionError: oops); "
        "run it again with --traceback and report what it shows"
    )


def test_too_little_memory(fails, monkeypatch):
    def broken(*_):
        raise MemoryError

    monkeypatch.setattr("uncheck.geometry.chain", broken)
    assert fails("overlap") == "not enough memory; give a smaller --shape or smaller pictures"


def test_own_warnings_are_one_line(run, monkeypatch):
    from uncheck.geometry import chain

    def warned(*arguments):
        warnings.warn("something was assumed", UncheckWarning, stacklevel=1)
        return chain(*arguments)

    monkeypatch.setattr("uncheck.geometry.chain", warned)
    assert run("overlap")[2] == "warning: something was assumed\n"


def test_a_dash_is_stdout(capsys):
    from pathlib import Path

    emit("text", Path("-"))
    assert capsys.readouterr().out == "text\n"

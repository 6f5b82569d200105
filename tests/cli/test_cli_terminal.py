"""On a terminal: colours, its width, and a progress bar on stderr. Elsewhere: neither."""

import io
from pathlib import Path

from uncheck.cli.output import page, progress_bar
from uncheck.reporting import Page


class Terminal(io.StringIO):
    def isatty(self):
        return True


def on_terminal(monkeypatch):
    # Not a fixture: pytest puts its own streams in place between a fixture and the test.
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "77")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stdout, stderr = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", stdout)
    monkeypatch.setattr("sys.stderr", stderr)
    return stdout, stderr


def test_pages_of_a_terminal(monkeypatch):
    on_terminal(monkeypatch)
    assert page(None) == Page(77, colour=True)
    assert page(Path("-")) == Page(77, colour=True)
    assert page(Path("r.txt")) == Page()
    monkeypatch.setenv("NO_COLOR", "1")
    assert page(None) == Page(77, colour=False)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert page(None) == Page(77, colour=False)


def test_pages_elsewhere_are_plain(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert page(None) == Page()


def test_progress_on_a_terminal_only(monkeypatch):
    stdout, stderr = on_terminal(monkeypatch)
    with progress_bar() as progress:
        progress("[recording]", 1, 9)
    assert "[recording]" in stderr.getvalue()
    assert "1/9" in stderr.getvalue()
    assert stdout.getvalue() == ""
    quiet = io.StringIO()
    monkeypatch.setattr("sys.stderr", quiet)
    with progress_bar() as progress:
        progress("recording", 1, 9)
    assert quiet.getvalue() == ""

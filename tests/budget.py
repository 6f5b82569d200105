"""A quick test should take one CPU-second: this plugin lists those that take more, and what tests take.

The processor time of a test's setup and call is counted, and that of its child processes. Fixtures of a
wider scope than the test are counted apart, for other tests share them. No test fails for its time: on a
busy machine, or a slower one, the same test takes several times as long.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest

#: Markers of the tiers without a limit.
OTHERS = ("integration", "slow")

#: What a test has taken so far, and what of it were shared fixtures.
TAKEN = pytest.StashKey[float]()
SHARED = pytest.StashKey[float]()


def cpu() -> float:
    """Return the CPU-seconds of this process and of the children it has waited for."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("budget")
    group.addoption(
        "--cpu-limit", type=float, default=0.0, help="list quick tests that take more CPU-seconds"
    )
    group.addoption("--cpu-report", type=int, default=0, metavar="N", help="list the N dearest tests")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budget(config), "budget-of-tests")


class Budget:
    """Counts the CPU-seconds of each test; lists those above the limit, and the dearest, at the end."""

    def __init__(self, config: pytest.Config):
        self.limit = config.getoption("--cpu-limit")
        self.listed = config.getoption("--cpu-report")
        self.shared = 0.0
        self.seen: list[tuple[float, float, bool, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        start, inner = cpu(), self.shared
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self.shared = inner + cpu() - start

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._counted(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._counted(item))

    def _counted(self, item: pytest.Item) -> Iterator[None]:
        start, self.shared = cpu(), 0.0
        try:
            return (yield)
        finally:
            item.stash[TAKEN] = item.stash.get(TAKEN, 0.0) + cpu() - start - self.shared
            item.stash[SHARED] = item.stash.get(SHARED, 0.0) + self.shared

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        report = yield
        if report.when == "call":
            quick = not any(map(item.get_closest_marker, OTHERS))
            report.user_properties.append(("cpu", (item.stash[TAKEN], item.stash[SHARED], quick)))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            taken = dict(report.user_properties).get("cpu")
            if taken:
                self.seen.append((*taken, report.nodeid))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        dear = sorted((t, name) for t, _, quick, name in self.seen if quick and 0 < self.limit < t)
        if dear:
            terminalreporter.section(f"{len(dear)} quick tests above {self.limit:g} CPU-seconds")
        for taken, name in reversed(dear):
            terminalreporter.line(f"{taken:6.2f} {name}")
        if self.listed:
            total, shared = sum(t for t, _, _, _ in self.seen), sum(s for _, s, _, _ in self.seen)
            terminalreporter.section(f"{total:.0f} CPU-seconds in tests, {shared:.0f} in shared fixtures")
            folders: Counter[str] = Counter()
            for taken, _, _, name in self.seen:
                folders["/".join(name.split("::")[0].split("/")[:2])] += taken
            for folder, taken in folders.most_common():
                terminalreporter.line(f"{taken:6.1f} {folder}")
            for taken, apart, _, name in sorted(self.seen, reverse=True)[: self.listed]:
                terminalreporter.line(f"{taken:6.2f} {apart:6.2f} {name}")

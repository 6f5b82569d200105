"""A quick test may take one CPU-second: this plugin fails a slower one, and reports what tests take.

The processor time of a test's setup, call and teardown is counted, and that of its child processes: it
does not depend on what else runs on the machine. Fixtures of a wider scope than the test are counted
apart, for other tests share them. A slower machine gets more, and so does a worker beside others: `slowness`
is measured when a test exceeds the limit, and only then.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

#: CPU-seconds of the small computation of `slowness` on the machine the limit was chosen on.
REFERENCE = 0.02

#: What a test takes beside another worker of the same machine, which shares caches and memory, against alone:
#: 1.09 CPU-seconds for 0.66, measured on a repair on two cores.
BESIDE = 1.65

#: Markers of the tiers without a limit.
OTHERS = ("integration", "slow")

#: What a test has taken so far, and what of it were shared fixtures.
TAKEN = pytest.StashKey[float]()
SHARED = pytest.StashKey[float]()


def cpu() -> float:
    """Return the CPU-seconds of this process and of the children it has waited for."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def slowness() -> float:
    """Return how many times slower than the reference machine this one is now; at least 1."""
    taken = []
    for _ in range(5):
        start = cpu()
        sum(i * i for i in range(300_000))
        np.fft.fft2(np.ones((512, 512)))
        taken.append(cpu() - start)
    return max(1.0, statistics.median(taken) / REFERENCE)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("budget")
    group.addoption("--cpu-limit", type=float, default=0.0, help="CPU-seconds of a quick test; 0: no limit")
    group.addoption("--cpu-report", type=int, default=0, metavar="N", help="list the N dearest tests")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budget(config), "budget-of-tests")


class Budget:
    """Counts the CPU-seconds of each test, fails it above the limit, lists the dearest at the end."""

    def __init__(self, config: pytest.Config):
        self.limit = config.getoption("--cpu-limit")
        self.listed = config.getoption("--cpu-report")
        self.shared = 0.0
        self.seen: list[tuple[float, float, str]] = []

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
            taken = item.stash[TAKEN]
            report.user_properties.append(("cpu", (taken, item.stash[SHARED])))
            if 0 < self.limit < taken and report.passed and not any(map(item.get_closest_marker, OTHERS)):
                beside = BESIDE if hasattr(item.config, "workerinput") else 1.0
                allowed = self.limit * slowness() * beside
                if taken > allowed:
                    report.outcome = "failed"
                    report.longrepr = (
                        f"a quick test took {taken:.1f} CPU-seconds, {allowed:.1f} are allowed: make it "
                        "cheaper, or mark it integration or slow (CONTRIBUTING.md, Tests)"
                    )
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            taken = dict(report.user_properties).get("cpu")
            if taken:
                self.seen.append((*taken, report.nodeid))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.listed:
            total, shared = sum(t for t, _, _ in self.seen), sum(s for _, s, _ in self.seen)
            terminalreporter.section(f"{total:.0f} CPU-seconds in tests, {shared:.0f} in shared fixtures")
            folders: Counter[str] = Counter()
            for taken, _, name in self.seen:
                folders["/".join(name.split("::")[0].split("/")[:2])] += taken
            for folder, taken in folders.most_common():
                terminalreporter.line(f"{taken:6.1f} {folder}")
            for taken, apart, name in sorted(self.seen, reverse=True)[: self.listed]:
                terminalreporter.line(f"{taken:6.2f} {apart:6.2f} {name}")

"""The plugin that holds quick tests to their CPU-seconds; each case runs in a pytest of its own."""

import pytest

import budget

BUSY = """
import time
import pytest

def busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""


@pytest.fixture
def outcomes(pytester, monkeypatch):
    """Run tests under a limit of 0.1 CPU-seconds, on a machine of a given slowness: outcomes and output."""

    def go(text, slowness=1.0, *options):
        monkeypatch.setattr(budget, "slowness", lambda: slowness)
        pytester.makeini("[pytest]\nmarkers =\n    integration\n    slow\n")
        pytester.makepyfile(BUSY + text)
        done = pytester.inline_run("-p", "budget", "--cpu-limit", "0.1", *options)
        passed, _, failed = done.listoutcomes()
        return len(passed), [str(report.longrepr) for report in failed]

    return go


def test_a_quick_test_above_the_limit_fails(outcomes):
    passed, (said,) = outcomes("def test_dear(): busy(0.2)\ndef test_cheap(): pass")
    assert passed == 1
    assert said.startswith("a quick test took 0.2 CPU-seconds, 0.1 are allowed")


@pytest.mark.parametrize("tier", ["integration", "slow"])
def test_other_tiers_may_take_longer(outcomes, tier):
    assert outcomes(f"@pytest.mark.{tier}\ndef test_dear(): busy(0.2)") == (1, [])


def test_a_slower_machine_gets_more(outcomes):
    assert outcomes("def test_dear(): busy(0.2)", slowness=3.0) == (1, [])


def test_no_limit(outcomes):
    assert outcomes("def test_dear(): busy(0.2)", 1.0, "--cpu-limit", "0") == (1, [])


def test_only_fixtures_of_the_test_itself_count(outcomes):
    text = "@pytest.fixture(scope='{}')\ndef made(): busy(0.2)\ndef test_it(made): pass"
    assert outcomes(text.format("module")) == (1, [])
    assert len(outcomes(text.format("function"))[1]) == 1


def test_waiting_is_free_and_child_processes_count(outcomes):
    assert outcomes("def test_waits(): time.sleep(0.2)") == (1, [])
    child = "import subprocess, sys\ndef test_it(): subprocess.run([sys.executable, '-c', {!r}])"
    assert len(outcomes(child.format("sum(range(10**7))"))[1]) == 1


def test_a_failure_keeps_its_own_reason(outcomes):
    _, (said,) = outcomes("def test_dear():\n    busy(0.2)\n    assert 1 == 2")
    assert "assert 1 == 2" in said


def test_this_machine_is_measured():
    assert 1 <= budget.slowness() < 100

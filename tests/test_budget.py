"""The plugin that lists dear quick tests; each case runs in a pytest of its own."""

import pytest

BUSY = """
import time
import pytest

def busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""


@pytest.fixture
def listed(pytester):
    """Run tests that may take 0.1 CPU-seconds; return the names above it. None fails for its time."""

    def go(text, *options):
        pytester.makeini("[pytest]\nmarkers =\n    integration\n    slow\n")
        pytester.makepyfile(BUSY + text)
        done = pytester.runpytest_inprocess("-p", "budget", "--cpu-limit", "0.1", *options)
        assert done.ret == 0, done.stdout.str()
        lines = done.stdout.str().split("CPU-seconds =")[-1].splitlines()
        return [line.split("::")[1] for line in lines if "::" in line]

    return go


def test_a_quick_test_above_the_limit_is_listed(listed):
    assert listed("def test_dear(): busy(0.2)\ndef test_cheap(): pass") == ["test_dear"]


@pytest.mark.parametrize("tier", ["integration", "slow"])
def test_other_tiers_may_take_longer(listed, tier):
    assert listed(f"@pytest.mark.{tier}\ndef test_dear(): busy(0.2)") == []


def test_no_limit(listed):
    assert listed("def test_dear(): busy(0.2)", "--cpu-limit", "0") == []


def test_only_fixtures_of_the_test_itself_count(listed):
    text = "@pytest.fixture(scope='{}')\ndef made(): busy(0.2)\ndef test_it(made): pass"
    assert listed(text.format("module")) == []
    assert listed(text.format("function")) == ["test_it"]


def test_waiting_is_free_and_child_processes_count(listed):
    assert listed("def test_waits(): time.sleep(0.2)") == []
    child = "import subprocess, sys\ndef test_it(): subprocess.run([sys.executable, '-c', {!r}])"
    assert listed(child.format("sum(range(10**7))")) == ["test_it"]


def test_a_failure_keeps_its_own_reason(pytester):
    pytester.makepyfile("def test_it(): assert 1 == 2")
    done = pytester.runpytest_inprocess("-p", "budget", "--cpu-limit", "0.1")
    done.stdout.fnmatch_lines(["*assert 1 == 2*"])

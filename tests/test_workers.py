"""Work shared by processes: the same results in the same order, bad ones and interruptions included."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from uncheck.errors import UncheckError
from uncheck.measuring import measure
from uncheck.workers import cores, each


def pictures(folder, count):
    random = np.random.default_rng(0)
    checks = (-1.0) ** np.indices((32, 40)).sum(axis=0)
    for i in range(count):
        picture = 128 + random.normal(0, 5, (32, 40)) + (i % 3) * 5 * checks
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.png")
    return folder


def test_few_tasks_are_done_here():
    here = list(each(lambda _: os.getpid(), range(31), jobs=8))
    assert set(here) == {os.getpid()}
    assert cores() >= 1


@pytest.mark.parametrize("jobs", [0, -1, 1.5, "2", True])
def test_jobs_that_are_no_number(jobs):
    with pytest.raises(UncheckError, match=r"jobs .* is not a number of processes; give 1 or more"):
        list(each(abs, [1], jobs))
    with pytest.raises(UncheckError, match="is not a number of processes"):
        measure(np.zeros((16, 16)), jobs=jobs)


@pytest.mark.integration
def test_processes_give_the_same_results_in_the_same_order(tmp_path):
    pictures(tmp_path, 40)
    (tmp_path / "7.png").write_bytes(b"no picture")
    seen = []
    shared = measure(tmp_path, jobs=2, progress=lambda name, done, total: seen.append((done, total)))
    alone = measure(tmp_path)
    assert shared.to_dict() == alone.to_dict()
    assert [path for path, _ in shared.errors] == [f"{tmp_path}/7.png"]
    assert {image.verdict for image in shared.images} == {"clean", "lattice"}
    assert seen == [(i, 40) for i in range(40)]
    assert measure(tmp_path, jobs=2, together=True).to_dict() == measure(tmp_path, together=True).to_dict()
    assert measure(tmp_path, jobs=2, where=True).to_dict() == measure(tmp_path, where=True).to_dict()


@pytest.mark.integration
def test_tasks_run_in_other_processes_with_one_thread_each(monkeypatch):
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    look = "(__import__('os').getpid(), __import__('os').environ['MKL_NUM_THREADS'])"
    found = set(each(eval, [look] * 32, jobs=2))
    assert os.getpid() not in {process for process, _ in found}
    assert {threads for _, threads in found} == {"1"}


@pytest.mark.integration
def test_a_process_that_dies_is_an_error():
    with pytest.raises(
        UncheckError, match=r"a process was ended from outside after \d+ of 32 were done, most"
    ):
        list(each(os._exit, [9] * 32, jobs=2))


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are listed by Linux alone")
@pytest.mark.parametrize(("everyone", "later"), [(True, 0), (True, 3), (False, 0), (False, 3)])
def test_an_interruption_leaves_nothing_behind(tmp_path, everyone, later):
    pictures(tmp_path, 64)
    command = [sys.executable, "-m", "uncheck", "measure", *[str(tmp_path)] * 40, "--jobs", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        while len(children.read_text().split()) < 3:  # one keeps track of what they share
            assert running.poll() is None
            time.sleep(0.01)
        time.sleep(later)
        (os.killpg if everyone else os.kill)(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (130, b"", b"interrupted\n")

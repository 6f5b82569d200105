"""Processes that share work on many things: the same results, in the same order, on several cores."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import Any, TypeVar

from uncheck.errors import UncheckError

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Things for each process at least: starting one takes as long as measuring a dozen photographs.
WORTH = 16

#: What tells numerical libraries to use one thread: the processes use the other cores.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def checked_jobs(jobs: int) -> int:
    """Return the number of processes if it is one, else raise UncheckError."""
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise UncheckError(f"jobs {jobs!r} is not a number of processes; give 1 or more")
    return jobs


def each(work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int) -> Iterator[Result]:
    """Yield work(task) for each task, in order, computed by at most so many processes, each one at a time.

    `work` and the tasks must be picklable, and a script that uses more than one process must guard its own
    code by `if __name__ == "__main__"`, as always with the processes of Python. At most two tasks a process
    are in flight. Where a process would have fewer than WORTH tasks, fewer are used, or none but this one.

    >>> list(each(abs, [-1, 2, -3], jobs=4))
    [1, 2, 3]

    Raises:
        UncheckError: a process was ended from outside.
    """
    jobs = min(checked_jobs(jobs), len(tasks) // WORTH)
    if jobs < 2:
        yield from map(work, tasks)
        return
    # Processes are started anew: a fork of one that runs threads may hang.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin)
    waiting: deque[Future[Any]] = deque()
    done = 0
    try:
        for task in tasks:
            if len(waiting) == 2 * jobs:
                yield waiting.popleft().result()
                done += 1
            with _uninterrupted():
                waiting.append(pool.submit(work, task))
        while waiting:
            yield waiting.popleft().result()
            done += 1
    except BrokenProcessPool as error:
        raise UncheckError(
            f"a process was ended from outside after {done} of {len(tasks)} were done, most likely for lack "
            "of memory; use fewer jobs"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Prepare a new process: one thread, and no traceback when the user interrupts all of them."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    with suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold an interruption back while a process is started, which inherits that until it is ready."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

"""One run of an experiment: its tasks, in processes, resumed where it was interrupted, written as JSON."""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lab.config import read
from lab.machine import describe

Row = dict[str, Any]

#: Finished tasks of a run that is under way; git ignores it.
UNDER_WAY = ".under-way.jsonl"


@dataclass(frozen=True)
class Experiment:
    """A folder with README.md, config.toml, run.py; results/results.json and figures are written into it.

    Args:
        folder: where run.py lies.
        tasks: config -> the tasks, JSON-ready dictionaries, each with its seed if it draws anything.
        measure: (task, config) -> one row of results, JSON-ready. Runs in a process of its own with one
            thread; must be a function of run.py's module level.
        conclude: (rows, config) -> claim -> `claims.verdict`. Of the results alone.
        draw: (results, folder) -> None: figures from the results alone.
    """

    folder: Path
    tasks: Callable[[dict[str, Any]], list[Row]]
    measure: Callable[[Row, dict[str, Any]], Row]
    conclude: Callable[[list[Row], dict[str, Any]], dict[str, Row]]
    draw: Callable[[dict[str, Any], Path], None]


def main(experiment: Experiment, arguments: list[str] | None = None) -> dict[str, Any]:
    """The command line of every run.py."""
    parser = argparse.ArgumentParser(description=f"Experiment {experiment.folder.name}; see README.md.")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of those of config.toml")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tasks at once, a thread each")
    parser.add_argument("--out", type=Path, help="another folder for results and figures")
    parser.add_argument("--smoke", action="store_true", help="the smallest run there is; needs --out")
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run had finished")
    parser.add_argument("--figures", action="store_true", help="measure nothing: verdicts and figures only")
    options = parser.parse_args(arguments)
    if options.smoke and options.out is None:
        parser.error("--smoke would replace the results by those of one step; give --out a folder")
    config = read(experiment.folder / "config.toml", smoke=options.smoke)
    if options.seeds:
        config["seeds"] = options.seeds
    out = (options.out or experiment.folder).resolve()
    path = out / "results" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if options.figures:
        results = json.loads(path.read_text())
    else:
        rows = finished(experiment, config, path.parent, options.jobs, options.fresh)
        results = {
            "experiment": experiment.folder.name,
            "machine": describe(),
            "config": config,
            "rows": rows,
        }
        results["seconds"] = round(sum(row["seconds"] for row in rows), 1)
        results["jobs"] = options.jobs
    results["claims"] = experiment.conclude(results["rows"], results["config"])
    write(path, json.dumps(results, indent=1) + "\n")
    (path.parent / UNDER_WAY).unlink(missing_ok=True)
    experiment.draw(results, out)
    for name, verdict in results["claims"].items():
        print(f"{name}: {verdict['outcome']} ({verdict['came_out']})", file=sys.stderr)
    return results


def finished(
    experiment: Experiment, config: dict[str, Any], folder: Path, jobs: int, fresh: bool
) -> list[Row]:
    """The rows of all tasks, in their order; those an interrupted run of the same settings had come first."""
    tasks = experiment.tasks(config)
    path, key = folder / UNDER_WAY, fingerprint(config, tasks, experiment.folder)
    done = {} if fresh else earlier(path, key)
    if done:
        print(f"{len(done)} of {len(tasks)} tasks were finished before", file=sys.stderr)
    # Written anew, for an interruption may have cut the last line.
    lines = [{"key": key}, *({"task": i, "row": row} for i, row in done.items())]
    write(path, "".join(json.dumps(line) + "\n" for line in lines))
    todo = [i for i in range(len(tasks)) if i not in done]
    one = partial(timed, experiment.measure, config)
    with path.open("a") as log, bar(len(tasks), len(done)) as advance:
        for i, row in in_processes(one, [(i, tasks[i]) for i in todo], jobs):
            done[i] = row
            log.write(json.dumps({"task": i, "row": row}) + "\n")
            log.flush()
            advance(row)
    return [done[i] for i in range(len(tasks))]


def timed(measure: Any, config: dict[str, Any], numbered: tuple[int, Row]) -> tuple[int, Row]:
    """One task: its own settings, what came out, and the seconds of one core it took."""
    import torch

    torch.set_num_threads(1)
    i, task = numbered
    began = time.process_time()
    row = {**task, **measure(task, config)}
    return i, {**row, "seconds": round(time.process_time() - began, 1)}


def in_processes(one: Any, tasks: list[Any], jobs: int) -> Iterator[tuple[int, Row]]:
    """Each task in one of `jobs` processes; in this one if there is a single job."""
    if jobs <= 1 or len(tasks) <= 1:
        yield from map(one, tasks)
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(tasks))) as pool:
        yield from pool.imap_unordered(one, tasks)


def fingerprint(config: dict[str, Any], tasks: list[Row], folder: Path) -> str:
    """Of settings and code: rows of another fingerprint are not of this run."""
    code = [path.read_text() for path in sorted(folder.glob("*.py"))]
    return hashlib.sha256(json.dumps([config, tasks, code], sort_keys=True).encode()).hexdigest()[:16]


def earlier(path: Path, key: str) -> dict[int, Row]:
    """The rows of an interrupted run of this fingerprint, less a line that was cut off."""
    if not path.exists():
        return {}
    entries = []
    for line in path.read_text().splitlines():
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError:
            break
    if not entries or entries[0].get("key") != key:
        return {}
    return {entry["task"]: entry["row"] for entry in entries[1:]}


class bar:
    """A progress bar on stderr: tasks done, time spent and left."""

    def __init__(self, total: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as Left

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            Left(),
            TextColumn("{task.description}"),
        )
        self.progress = Progress(*columns, console=Console(stderr=True))
        self.task = self.progress.add_task("", total=total, completed=done)

    def __enter__(self) -> Callable[[Row], None]:
        self.progress.start()
        return self.advance

    def advance(self, row: Row) -> None:
        said = ", ".join(str(v) for v in row.values() if isinstance(v, str | int) and not isinstance(v, bool))
        self.progress.update(self.task, advance=1, description=said[:60])

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def write(path: Path, text: str) -> None:
    """Whole or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    beside.replace(path)

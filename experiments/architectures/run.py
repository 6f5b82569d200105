"""Inspects every architecture; writes results/LIBRARY.json. See README.md.

python experiments/architectures/run.py            all, one process each
python experiments/architectures/run.py raft_small Unet
python experiments/architectures/run.py --library monai --cure
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
import warnings
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# Before torch is loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from zoo_case import LIBRARIES, Case, cases
from zoo_judge import judged

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from lab.machine import describe  # noqa: E402
from lab.runs import write  # noqa: E402

#: Noted beside the versions that every experiment notes.
PACKAGES = (
    "torchvision",
    "diffusers",
    "transformers",
    "timm",
    "segmentation-models-pytorch",
    "monai",
    "kornia",
    "spandrel",
)

#: What each library's processes are forked with.
LOADED = {
    "diffusers": ("diffusers",),
    "transformers": ("transformers",),
    "audio": ("transformers", "torchaudio", "vocos"),
    "smp": ("segmentation_models_pytorch",),
    "monai": ("monai.networks.nets",),
    "spandrel": ("spandrel",),
    "kornia": ("kornia",),
    "timm": ("timm",),
    "torchvision": ("torchvision", "dynamic_network_architectures"),
}


def main() -> None:
    """Run those asked for; the rows of the others stay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", help="architectures; all if none is named")
    parser.add_argument("--library", choices=LIBRARIES)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--cure", action="store_true", help="also inspect with equal gains")
    parser.add_argument("--missing", action="store_true", help="only those without a row")
    parser.add_argument("--nice", type=int, default=10, help="to other work on the machine")
    options = parser.parse_args()
    os.nice(options.nice)
    warnings.filterwarnings("ignore")
    config = tomllib.loads((HERE / "config.toml").read_text())["run"]
    zoo = cases()
    named = [zoo[name] for name in options.names] or list(zoo.values())
    chosen = [
        one
        for one in named
        if (options.library is None or one.library == options.library)
        and not (options.missing and one.name in rows(options.out, one.library))
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    for done, one in enumerate(chosen):
        print(f"{done + 1} of {len(chosen)}: {one.name}", file=sys.stderr, end=" ", flush=True)
        row = run(one, config, cure=options.cure)
        keep(options.out, zoo, one, row)
        said = judged(row, one)
        print(
            row.get("verdict", row.get("error")),
            "" if said["stages_right"] else f"missing {said.get('missing')} extra {said.get('extra')}",
            f"impossible {said['impossible']}" if said["impossible"] else "",
            "unmeasured" if said["unmeasured"] else "",
            f"{row.get('seconds')} s of {row.get('forward_seconds')}",
            file=sys.stderr,
        )


def run(one: Case, config: dict[str, Any], *, cure: bool) -> dict[str, Any]:
    """The row of one architecture, from a process of its own, forked with its library loaded."""
    import torch
    import zoo_one

    torch.set_num_threads(1)
    for module in LOADED[one.library]:
        import_module(module)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "row.json"
        process = get_context("fork").Process(
            target=zoo_one.child, args=(one.name, config["cpu_seconds"], cure, str(path))
        )
        process.start()
        process.join(config["wall_seconds"])
        if process.is_alive():
            process.kill()
            process.join()
        if not path.exists():
            return {"error": f"stopped after {config['cpu_seconds']} s: exit {process.exitcode}"}
        found: dict[str, Any] = json.loads(path.read_text())
        return found


def rows(folder: Path, library: str) -> dict[str, Any]:
    """The rows of a library that are there, by name."""
    path = folder / f"{library}.json"
    return dict(json.loads(path.read_text())["rows"]) if path.exists() else {}


def keep(folder: Path, zoo: dict[str, Case], one: Case, row: dict[str, Any]) -> None:
    """Write a row into the file of its library, in the order of the zoo; rows of cases that are gone go."""
    machine = describe()
    noted = dict(machine["versions"])  # type: ignore[call-overload]
    for package in PACKAGES:
        try:
            noted[package] = version(package)
        except PackageNotFoundError:
            continue
    there = {**rows(folder, one.library), one.name: row}
    kept = {name: there[name] for name, case in zoo.items() if case.library == one.library and name in there}
    text = json.dumps({"machine": {**machine, "versions": noted}, "rows": kept}, indent=1)
    write(folder / f"{one.library}.json", text + "\n")


if __name__ == "__main__":
    main()

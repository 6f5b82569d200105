"""Two processes with gloo: the images of both count, one of them logs, and none waits for ever."""

import json
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from uncheck.training import LatticeTracker

# Two processes import torch.
pytestmark = pytest.mark.integration

SPAN = (-1.0, 1.0)


def images(part=slice(None)):
    row = torch.arange(32)
    noise = 0.2 * torch.randn(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return (noise + 0.02 * (-1.0) ** (row[:, None] + row))[part]


def generator():
    torch.manual_seed(0)
    return nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2), nn.BatchNorm2d(3))


def process(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2, timeout=timedelta(seconds=120)
    )
    lines = []
    own = images(slice(0, 8)) if rank == 0 else images(slice(8, 12))
    tracker = LatticeTracker(span=SPAN, every=1, logger=lambda *line: lines.append(line), end=4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tracker.step(own)  # 1: both
        tracker.step(own if rank == 0 else None)  # 2: one without images
        tracker.step(None)  # 3: none has any
        tracker.step(own if rank == 0 else torch.full((4, 3, 32, 32), float("nan")))  # 4: one fails
        tracker.step(own if rank == 0 else own[..., :16])  # 5: sizes differ
        tracker.step((lambda: 1 / 0) if rank else own)  # 6: one raises
        tracker.step(own)  # 7: both again
    # A network in DistributedDataParallel, run by one process alone: its own forward would wait.
    model = DistributedDataParallel(generator())
    alone = None
    if rank == 0:
        codes = torch.randn(8, 4, 16, 16, generator=torch.Generator().manual_seed(1))
        alone = LatticeTracker(model, codes, every=1, span=SPAN)
    else:
        alone = LatticeTracker(span=SPAN, every=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = alone.step()
    found = {
        "values": {m.step: m.values() for m in tracker.history},
        "lines": len(lines),
        "warnings": [str(w.message) for w in caught],
        "run": run.values() if run else None,
    }
    Path(folder, f"{rank}.json").write_text(json.dumps(found))
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    multiprocessing.spawn(process, args=(str(folder),), nprocs=2)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def alone(part):
    return LatticeTracker(span=SPAN, every=1, visible=1e9).step(images(part)).values()


def test_the_same_values_as_one_process_with_all_images(found):
    whole, half = alone(slice(None)), alone(slice(0, 8))
    for step, expected in (("1", whole), ("2", half), ("7", whole)):
        for rank in range(2):
            assert found[rank]["values"][step] == pytest.approx(expected, rel=1e-5), (step, rank)
    assert whole["lattice/strength"] > 2
    assert whole["lattice/p_value_2"] != half["lattice/p_value_2"], "the other process's images left out show"


def test_only_the_first_process_logs_and_warns(found):
    assert found[0]["lines"] == 3 * len(found[0]["values"]["1"])
    assert found[1]["lines"] == 0
    assert found[1]["warnings"] == []


def test_what_fails_in_one_process_is_told_and_none_waits(found):
    assert list(found[0]["values"]) == list(found[1]["values"]) == ["1", "2", "7"]
    texts = found[0]["warnings"]
    for part in (
        "there are no outputs",
        "are NaN or infinite",
        "do not lie on the grid",
        "ZeroDivisionError",
    ):
        assert sum(part in text for text in texts) == 1, (part, texts)


def test_a_wrapped_network_is_run_by_one_process_alone(found):
    codes = torch.randn(8, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    model = generator()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = LatticeTracker(model, codes, every=1, span=SPAN).step().values()
    assert found[0]["run"] == pytest.approx(expected, rel=1e-5)
    spread = "lattice/gain_spread/0"
    assert spread in found[0]["run"]
    assert spread not in found[1]["run"]

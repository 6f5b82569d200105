import importlib
import os
import pickle
import subprocess
import sys

import pytest
import torch

from uncheck.errors import UncheckError
from uncheck.measuring.batches import interior
from uncheck.measuring.observed import observe
from uncheck.training import LatticeMetric, lattice_strength

LEVELS = (0.0, 255.0)


def outputs(count=24, size=64, amplitude=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    row = torch.arange(size)
    contents = 128 + 12 * torch.randn(count, 3, size, size, generator=generator)
    # The same lattice of period 2 in all, and one of period 4 whose sign changes: no common part.
    signs = torch.tensor([1.0, -1.0]).repeat(count)[:count].reshape(-1, 1, 1, 1)
    return (
        contents
        + amplitude * (-1.0) ** (row[:, None] + row)
        + signs * 5 * torch.cos(2 * torch.pi * (row[:, None] / 4 + 0.1))
    )


def updated(images, parts=1, **options):
    metric = LatticeMetric(span=LEVELS, **options)
    for batch in images.chunk(parts):
        metric.update(batch)
    return metric


def assert_same(one, two, tolerance):
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert value.item() == pytest.approx(two[name].item(), rel=tolerance, abs=1e-12), name


def test_equals_the_set_test_on_all_images_at_once():
    images = outputs()
    found = updated(images, parts=5).compute()
    seen = observe(interior(images.movedim(1, -1).numpy()), (2, 4, 8))
    for period, one in seen.shared().items():
        assert found[f"strength_{period}"].item() == pytest.approx(one.component.amplitude, rel=1e-4)
        assert found[f"p_value_{period}"].item() == pytest.approx(one.component.p_value, rel=1e-3)
    assert set(seen.periods) == {2, 4}
    assert set(seen.where(4)) == {0, 1, 2, 3}
    # The lattice of all adds up, the one whose sign changes cancels but for unequal weights.
    assert found["strength_2"].item() == pytest.approx(1, abs=0.2)
    assert found["p_value_2"] < 1e-6
    assert 0 < found["strength_4"] < 0.5
    assert found["p_value_4"] < 1e-6  # single images show it
    assert found["strength_8"] == 0
    assert found["p_value_8"] > 1e-3
    inner = interior(images.movedim(1, -1)).movedim(-1, 1)
    mean = lattice_strength(inner, span=LEVELS).item()
    assert found["mean_strength"].item() == pytest.approx(mean, rel=1e-4)
    assert mean > 4


def test_a_batch_left_out_shows():
    images = outputs()
    images[16:] += 2 * (-1.0) ** torch.arange(64)
    whole, part = updated(images, parts=3).compute(), updated(images[:16], parts=2).compute()
    assert abs(whole["strength"] - part["strength"]) > 0.2


def test_forward_gives_the_batch_and_adds_it():
    images = outputs()
    metric = LatticeMetric(span=LEVELS)
    batches = images.chunk(3)
    values = [metric(batch) for batch in batches]
    for value, batch in zip(values, batches, strict=True):
        assert_same(value, updated(batch).compute(), 1e-4)
    assert_same(metric.compute(), updated(images).compute(), 1e-4)


def test_reset_pickle_clone_and_state():
    images = outputs()
    metric = updated(images, parts=2, periods=(2, 4))
    expected = metric.compute()
    for copy in (pickle.loads(pickle.dumps(metric)), metric.clone()):
        assert_same(copy.compute(), expected, 1e-9)
        copy.update(images[:3])
        assert int(copy.count) == 27
    assert int(metric.count) == 24
    metric.reset()
    with pytest.raises(UncheckError, match="the metric has seen no images; update it first"):
        metric.compute()
    metric.update(images[:, :2, :40, :48])
    assert metric.size.tolist() == [2, 40, 48, 0]
    metric.reset()
    metric.update(images)
    assert_same(metric.compute(), expected, 1e-6)


def test_saved_and_loaded_with_a_checkpoint():
    metric = updated(outputs())
    metric.persistent(True)
    other = LatticeMetric(span=LEVELS)
    other.persistent(True)
    other.load_state_dict(metric.state_dict())
    assert_same(other.compute(), metric.compute(), 1e-9)


@pytest.mark.parametrize("shape", [(4, 1, 480), (3, 2, 24, 20, 22)])
def test_signals_and_volumes(shape):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(shape, generator=generator) * 10 + 4 * (-1.0) ** torch.arange(shape[-1])
    found = LatticeMetric(periods=(2, 3), span=LEVELS).forward(images)
    assert found["strength"].item() == pytest.approx(4, abs=0.5)
    # Stripes of a volume are tested in its mean along the stripes, a short line of few tapers.
    assert found["p_value_2"] < (1e-4 if len(shape) > 3 else 1e-6)
    assert found["p_value_3"] > 1e-3


def test_constant_images_have_no_lattice():
    found = updated(torch.full((2, 3, 32, 32), 7.0)).compute()
    assert found["strength"] == found["mean_strength"] == found["strength_2"] == 0
    assert found["p_value_2"] == 1


def test_direction_is_declared():
    assert LatticeMetric.higher_is_better is False
    assert LatticeMetric.is_differentiable is False
    assert LatticeMetric.full_state_update is True


def test_errors():
    metric = updated(outputs(2))
    with pytest.raises(UncheckError) as error:
        metric.update(outputs(2, size=48))
    assert str(error.value) == (
        "images of shape (3, 48, 48) do not lie on the grid of those of shape (3, 64, 64); "
        "give each size a metric of its own"
    )
    broken = outputs(2)
    broken[1, 0, 0, 0] = torch.nan
    with pytest.raises(UncheckError, match=r"^1 of 24576 values are NaN or infinite; mask"):
        LatticeMetric(span=LEVELS).update(broken)
    with pytest.raises(UncheckError, match="period 1 cannot be tested"):
        LatticeMetric(periods=(1,))


def test_without_torchmetrics_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.delitem(sys.modules, "uncheck.training.metric")
    with pytest.raises(UncheckError) as error:
        importlib.import_module("uncheck.training.metric")
    assert str(error.value) == "LatticeMetric needs torchmetrics; install it with pip install torchmetrics"


PROCESS = """
import datetime, pickle, sys
import torch
from uncheck import UncheckError
from uncheck.training import LatticeMetric

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2,
    timeout=datetime.timedelta(seconds=120),
)
images = torch.load(f"{folder}/images.pt", weights_only=True)
splits = {
    "halves": (images[:12], images[12:]),
    "one": (images, images[:0]),
    "sizes": (images, images[..., :48]),
    "channels": (images, images[:, :1]),
}
found = {}
for name, split in splits.items():
    metric = LatticeMetric(span=(0.0, 255.0))
    if len(split[rank]):
        for batch in split[rank].chunk(3):
            metric.update(batch)
    try:
        found[name] = {key: value.item() for key, value in metric.compute().items()}
        found[name]["own"] = int(metric.count)
    except UncheckError as error:
        found[name] = str(error)
with open(f"{folder}/{rank}.pickle", "wb") as file:
    pickle.dump(found, file)
torch.distributed.destroy_process_group()
"""


@pytest.mark.integration
def test_two_processes_equal_one(tmp_path):
    images = outputs()
    torch.save(images, tmp_path / "images.pt")
    expected = {name: value.item() for name, value in updated(images).compute().items()}
    assert expected["strength"] > 0.5
    found = in_two_processes(tmp_path)
    # After computing, each process has its own sums again; one may have none.
    for split, counts in (("halves", (12, 12)), ("one", (24, 0))):
        for process, count in zip(found, counts, strict=True):
            assert process[split] == pytest.approx({**expected, "own": count}, rel=1e-4)
    for split, other in (("sizes", "(3, 64, 48)"), ("channels", "(1, 64, 64)")):
        for process in found:
            assert process[split] == (
                f"images of shape {other} do not lie on the grid of those of shape (3, 64, 64); "
                "give each size a metric of its own"
            )


def in_two_processes(folder):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(rank), str(folder)], env=environment)
        for rank in range(2)
    ]
    try:
        assert [one.wait(timeout=240) for one in started] == [0, 0]
    finally:
        for one in started:
            one.kill()
    return [pickle.loads((folder / f"{rank}.pickle").read_bytes()) for rank in range(2)]

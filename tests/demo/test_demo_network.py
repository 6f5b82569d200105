from importlib.resources import files

import numpy as np
import pytest
import torch
from safetensors.torch import load as read_weights
from safetensors.torch import save

import uncheck.demo.network as network_module
from uncheck.demo import DemoNetwork, load, origin, pictures
from uncheck.errors import UncheckError
from uncheck.measuring import Lattice, find_lattice

HOME = files("uncheck.demo")


@pytest.fixture(scope="module")
def painted() -> torch.Tensor:
    with torch.no_grad():
        return load()(pictures())


def lattice(picture: torch.Tensor) -> Lattice:
    return find_lattice((picture * 255).round().permute(1, 2, 0).numpy())


def test_weights_are_exactly_those_of_the_network():
    stored = read_weights((HOME / "weights.safetensors").read_bytes())
    expected = DemoNetwork().state_dict()
    assert {n: t.shape for n, t in stored.items()} == {n: t.shape for n, t in expected.items()}
    loaded = load().state_dict()
    for name, tensor in stored.items():
        assert torch.equal(loaded[name], tensor.to(loaded[name].dtype)), name


def test_loaded_network_is_ready_to_use_and_to_train():
    network = load()
    assert not any(module.training for module in network.modules())
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert {t.device.type for t in network.state_dict().values()} == {"cpu"}
    assert all(p.requires_grad for p in network.parameters())


def test_loading_leaves_the_random_state_alone_and_shares_nothing():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second = load(), load()
    assert torch.equal(torch.get_rng_state(), before)
    with torch.no_grad():
        next(first.parameters()).zero_()
    assert next(second.parameters()).abs().sum() > 0


def test_files_are_small():
    sizes = {entry.name: len(entry.read_bytes()) for entry in HOME.iterdir() if entry.is_file()}
    assert sizes["weights.safetensors"] < 1_000_000
    assert sizes["astronaut.png"] + sizes["coffee.png"] < 300_000


def test_pictures_are_two_different_photographs_without_a_lattice():
    inputs = pictures()
    assert inputs.shape == (2, 3, 256, 256)
    assert inputs.dtype == torch.float32
    assert inputs.min() >= 0
    assert inputs.max() <= 1
    assert inputs.flatten(1).std(1).min() > 0.1
    assert not torch.equal(inputs[0], inputs[1])
    for picture in inputs:
        assert lattice(picture).present == ()


def test_outputs_are_finite_in_range_and_the_same_every_time(painted):
    assert painted.shape == (2, 3, 256, 256)
    assert torch.isfinite(painted).all()
    assert painted.min() >= 0
    assert painted.max() <= 1
    with torch.no_grad():
        assert torch.equal(load()(pictures()), painted)


def test_outputs_follow_the_photographs(painted):
    # A network that ignored its input would still have a lattice; this one paints what it is shown.
    grey_in, grey_out = pictures().mean(1).flatten(1).numpy(), painted.mean(1).flatten(1).numpy()
    for i in range(2):
        assert np.corrcoef(grey_in[i], grey_out[i])[0, 1] > 0.8


@pytest.mark.parametrize("i", [0, 1], ids=["astronaut", "coffee"])
def test_outputs_carry_a_visible_lattice_of_the_two_stages(painted, i):
    found = lattice(painted[i])
    periods = {max(c.period): c.amplitude for c in found.present}
    assert set(periods) == {2, 4}
    assert max(periods.values()) > 2


def test_other_sizes_that_are_multiples_of_four_keep_their_size():
    x = torch.rand(1, 3, 8, 20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert load()(x).shape == x.shape


def test_origin_names_every_file_and_its_terms():
    for name in ("weights.safetensors", "astronaut.png", "coffee.png", "NASA", "CC0", "Apache-2.0"):
        assert name in origin


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
def test_damaged_weights_are_refused_with_a_sentence(monkeypatch, tmp_path, damage):
    whole = (HOME / "weights.safetensors").read_bytes()
    if damage == "truncated":
        (tmp_path / "weights.safetensors").write_bytes(whole[:1000])
    if damage == "other":
        (tmp_path / "weights.safetensors").write_bytes(save({"a": torch.zeros(1)}))
    monkeypatch.setattr(network_module, "files", lambda package: tmp_path)
    with pytest.raises(UncheckError, match="reinstall uncheck"):
        load()


def test_damaged_pictures_are_refused_with_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "astronaut.png").write_bytes(b"not a picture")
    monkeypatch.setattr(network_module, "files", lambda package: tmp_path)
    with pytest.raises(UncheckError, match=r"astronaut\.png is missing or damaged"):
        pictures()

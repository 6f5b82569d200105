"""What a repair leaves on disk: written together or not at all, loaded again, exported."""

import copy
import errno
import io
import json
import os

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils import parametrizations

import uncheck
from tiers import examples
from uncheck.editing import export as export_module
from uncheck.editing.edits import KINDS, Candidate, Spun, Unparametrised, Upsampler
from uncheck.editing.export import exported
from uncheck.editing.keep import keep_even
from uncheck.editing.store import (
    KEY,
    even_layers,
    keys_kept,
    load_repaired,
    read_plan,
    repaired_bytes,
)
from uncheck.errors import UncheckError
from uncheck.layers.phase_transpose import phase_conv_transpose
from uncheck.phases import from_conv_transpose, gain_spread, project
from uncheck.writing import write_files

REPAIRED = "repaired.safetensors"


def save_repaired(folder, model, candidate, about, *, beside=None, even=False):
    """Write a repair as the command line does."""
    content = repaired_bytes(model, candidate, about, even=even)
    files = {**(beside or {}), REPAIRED: content}
    write_files({folder / name: content for name, content in files.items()})


class Net(nn.Module):
    """Two convolutions and an upsampler whose gains are unequal."""

    def __init__(self, width=4, normed=False):
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        up = nn.ConvTranspose2d(width, 2, 3, 2, 1, 1)
        self.up = parametrizations.weight_norm(up) if normed else up

    def forward(self, x):
        return self.up(torch.relu(self.norm(self.first(x))))


class Tied(Net):
    def __init__(self):
        super().__init__()
        self.second = self.first


class Stateful(Net):
    def get_extra_state(self):
        return {"word": 1}

    def set_extra_state(self, state):
        pass


def made(kind=Net, seed=0, **given):
    torch.manual_seed(seed)
    return kind(**given).eval()


def kept(net):
    """A repair that keeps all keys: equal gains in the same layer."""
    kernel = project(from_conv_transpose(net.up.weight.detach(), None, 2), 1)
    return Candidate("project", "least change", KINDS[1], (), {"up.weight": kernel.weight.transpose(0, 1)})


def replaced(net, phase_bias=True):
    """A repair that puts a layer with a bias per phase in the place of the upsampler."""
    kernel = from_conv_transpose(net.up.weight.detach(), net.up.bias.detach(), 2, 1, 1)
    bias = kernel.bias.reshape(-1, 1, 1) + torch.arange(4).reshape(2, 2) if phase_bias else kernel.bias
    layer = phase_conv_transpose(type(kernel)(kernel.weight, (2, 2), bias, kernel.offset, kernel.margin))
    tensors = {f"up.{key}": value for key, value in layer.state_dict().items()}
    return Candidate("match", "both moments", KINDS[1], (Upsampler.of("up", layer),), tensors)


def plain(net):
    """A repair that takes a parametrisation off."""
    return Candidate(
        "project", "x", KINDS[1], (Unparametrised("up"),), {"up.weight": net.up.weight.detach() * 2}
    )


def spun(net):
    return Candidate("spin", "all", KINDS[1], (Spun(((0, 0), (0, 1), (1, 0), (1, 1))),))


def repaired(net, candidate):
    return candidate.done_to(copy.deepcopy(net))


def output(net, size=10):
    x = torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return net.eval()(x.to(next(net.parameters())))


def snapshot(net):
    """Everything of a network that a failed load must leave as it was."""
    modules = [(name, id(module), module.training) for name, module in net.named_modules()]
    values = {key: value.clone() for key, value in net.state_dict().items()}
    return modules, {name: id(p) for name, p in net.named_parameters()}, values


def same(one, two):
    return one[:2] == two[:2] and all(torch.equal(value, two[2][key]) for key, value in one[2].items())


# --- there and back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "way"), [(Net, kept), (Net, replaced), (Tied, kept), (Tied, replaced)])
def test_a_repaired_network_comes_back(tmp_path, kind, way):
    net = made(kind)
    candidate = way(net)
    good = repaired(net, candidate)
    save_repaired(tmp_path, good, candidate, {"target": "net.py:Net"})
    fresh = made(kind, seed=9)
    back = load_repaired(fresh, tmp_path / REPAIRED)
    assert back is fresh
    assert torch.equal(output(back), output(good))
    assert not torch.equal(output(back), output(net))
    assert [path.name for path in tmp_path.iterdir()] == [REPAIRED]
    if kind is Tied:
        assert back.second is back.first


def test_parametrised_weights_become_plain(tmp_path):
    net = made(normed=True)
    candidate, before = plain(net), output(net)
    save_repaired(tmp_path, repaired(net, candidate), candidate, {})
    back = load_repaired(made(normed=True, seed=9), tmp_path / REPAIRED)
    assert torch.equal(output(back), output(repaired(net, candidate)))
    assert not keys_kept(net, back)
    # the network it was copied from still has its own
    assert torch.equal(output(net), before)
    assert "up.parametrizations.weight.original0" in net.state_dict()


class Same(nn.Module):
    """Same resolution in and out, so that it can be spun."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 2, 2, 2), nn.ConvTranspose2d(2, 1, 2, 2)

    def forward(self, x):
        return self.up(self.down(x))


def test_a_spun_network_is_wrapped_again(tmp_path):
    net = made(Same)
    candidate = spun(net)
    good = repaired(net, candidate)
    save_repaired(tmp_path, good, candidate, {})
    assert set(load_file(tmp_path / REPAIRED)) == set(net.state_dict())
    fresh = made(Same, seed=9)
    back = load_repaired(fresh, tmp_path / REPAIRED)
    assert back is not fresh
    assert torch.equal(output(back), output(good))
    assert not back.training
    assert keys_kept(net, back)


@examples(5, 25)
@given(st.integers(1, 5), st.integers(0, 99))
def test_the_state_is_kept_bit_by_bit(tmp_path_factory, width, seed):
    folder = tmp_path_factory.mktemp("bits")
    net = made(seed=seed, width=width)
    candidate = replaced(net)
    good = repaired(net, candidate)
    save_repaired(folder, good, candidate, {})
    back = load_repaired(made(seed=seed + 1, width=width), folder / REPAIRED)
    assert back.state_dict().keys() == good.state_dict().keys()
    assert all(torch.equal(back.state_dict()[key], value) for key, value in good.state_dict().items())


def test_where_keys_are_kept_the_file_is_a_plain_checkpoint(tmp_path):
    net = made()
    candidate = kept(net)
    good = repaired(net, candidate)
    save_repaired(tmp_path, good, candidate, {"a": [1, None]})
    other = made(seed=9)
    other.load_state_dict(load_file(tmp_path / REPAIRED))
    assert torch.equal(output(other), output(good))
    assert keys_kept(net, good)
    good.load_state_dict(net.state_dict(), strict=True)
    plan = read_plan(tmp_path / REPAIRED)
    assert plan == {
        "schema": "uncheck.repair/1",
        "uncheck": uncheck.__version__,
        "torch": torch.__version__,
        "class": "Net",
        "method": "project",
        "label": "least change",
        "kind": "same shape, changed output",
        "edits": [],
        "keys_kept": True,
        "even": [],
        "about": {"a": [1, None]},
    }


def test_keys_are_not_kept_where_shapes_or_names_differ():
    net = made()
    assert not keys_kept(net, repaired(net, replaced(net)))  # its bias is per phase
    assert keys_kept(net, repaired(net, replaced(net, phase_bias=False)))
    assert not keys_kept(net, made(normed=True))


def test_mode_precision_and_gradients_stay(tmp_path):
    net = made()
    candidate = replaced(net)
    save_repaired(tmp_path, repaired(net, candidate), candidate, {})
    fresh = made(seed=9).bfloat16().train().requires_grad_(False)
    fresh.norm.eval()
    back = load_repaired(fresh, tmp_path / REPAIRED)
    assert {tensor.dtype for tensor in back.parameters()} == {torch.bfloat16}
    assert {name: m.training for name, m in back.named_modules()} == {
        "": True, "first": True, "norm": False, "up": True
    }  # fmt: skip
    assert not any(p.requires_grad for p in back.parameters())
    back = load_repaired(made(seed=9), tmp_path / REPAIRED)
    assert all(p.requires_grad for p in back.parameters())


# --- what does not fit ------------------------------------------------------------------------------------


def rewritten(path, **changes):
    """The file with another plan."""
    plan = read_plan(path) | changes
    save_file(load_file(path), path, {KEY: json.dumps(plan)})


def broken_edit(path):
    rewritten(path, edits=[{"edit": "upsampler", "path": "up", "kernel_size": "wide"}])


def unknown_edit(path):
    rewritten(path, edits=[{"edit": "rewire"}])


def no_edits(path):
    rewritten(path, edits=[])


def other_place(path):
    plan = read_plan(path)
    rewritten(path, edits=[plan["edits"][0] | {"path": "gone.up"}])


def endless(path):
    plan = read_plan(path)
    rewritten(path, edits=[plan["edits"][0] | {"in_channels": 10**15}])


def later(path):
    rewritten(path, schema="uncheck.repair/7")


def no_words(path):
    save_file(load_file(path), path, {KEY: "{"})


def no_list(path):
    rewritten(path, edits=["up"])


def no_plan(path):
    save_file(load_file(path), path)


def garbage(path):
    path.write_bytes(b"\x80\x04garbage")


def wrong_even(path):
    rewritten(path, even=["first"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (broken_edit, "the plan's edit 'upsampler' is broken"),
        (unknown_edit, "an edit 'rewire' that this version does not know"),
        (no_edits, r"does not fit Net: load it into Net, .*up.bias \(2, 2, 2\) where the model has \(2,\)"),
        (other_place, "does not fit Net: load it into Net, the class it was made from"),
        (endless, "does not fit Net"),
        (later, r"is of 'uncheck.repair/7', and this version reads 'uncheck.repair/1': update uncheck"),
        (no_words, "the plan in .* is broken"),
        (no_list, "the plan in .* is of"),
        (no_plan, r"is no repaired network but plain weights \(its metadata has no uncheck.repair\)"),
        (garbage, "is no readable safetensors file"),
        (wrong_even, "does not fit Net: .*'first' is a Conv2d"),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(tmp_path, spoil, message):
    net = made()
    candidate = replaced(net)
    save_repaired(tmp_path, repaired(net, candidate), candidate, {})
    spoil(tmp_path / REPAIRED)
    fresh = made(seed=9)
    before = snapshot(fresh)
    with pytest.raises(UncheckError, match=message):
        load_repaired(fresh, tmp_path / REPAIRED)
    assert same(snapshot(fresh), before)


def test_another_class_is_told_which_it_was(tmp_path):
    net = made()
    save_repaired(tmp_path, repaired(net, kept(net)), kept(net), {})
    other = made(width=5)
    before = snapshot(other)
    with pytest.raises(UncheckError, match=r"does not fit Net: load it into Net.*first.weight"):
        load_repaired(other, tmp_path / REPAIRED)
    assert same(snapshot(other), before)
    with pytest.raises(UncheckError, match=r"does not fit Same: load it into Net, .*2 missing"):
        load_repaired(made(Same), tmp_path / REPAIRED)


def test_only_safetensors_are_loaded(tmp_path):
    torch.save(made(), tmp_path / "net.pth")
    with pytest.raises(UncheckError, match="loaded from that format only, because others can run code"):
        load_repaired(made(), tmp_path / "net.pth")
    (tmp_path / "net.pth").rename(tmp_path / "net.safetensors")
    with pytest.raises(UncheckError, match="no readable safetensors file"):
        load_repaired(made(), tmp_path / "net.safetensors")
    with pytest.raises(UncheckError, match="there is no file"):
        load_repaired(made(), tmp_path / "gone.safetensors")


def test_state_that_is_no_tensor(tmp_path):
    net = made(Stateful)
    with pytest.raises(UncheckError, match="_extra_state in the network's state is no tensor"):
        save_repaired(tmp_path, net, Candidate("project", "", KINDS[0]), {})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_older_repair_loadable(tmp_path, monkeypatch):
    net = made()
    save_repaired(tmp_path, repaired(net, kept(net)), kept(net), {}, beside={"report.json": b"old"})

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UncheckError, match="No space left"):
        save_repaired(tmp_path, repaired(net, replaced(net)), replaced(net), {}, beside={"report.json": b"n"})
    assert (tmp_path / "report.json").read_bytes() == b"old"
    back = load_repaired(made(seed=9), tmp_path / REPAIRED)
    assert torch.equal(output(back), output(repaired(net, kept(net))))


# --- training on ------------------------------------------------------------------------------------------


def test_equal_gains_stay_equal_while_training(tmp_path):
    net = made()
    candidate = kept(net)
    good = repaired(net, candidate)
    assert even_layers(net) == ()
    assert even_layers(good) == ("up",)
    save_repaired(tmp_path, good, candidate, {}, even=True)
    back = load_repaired(made(seed=9), tmp_path / REPAIRED)
    torch.testing.assert_close(output(back), output(good), rtol=0, atol=1e-5)
    trained(back.train())
    assert float((back.up.weight - good.up.weight).abs().max()) > 1e-3
    assert gain_spread(from_conv_transpose(back.up.weight.detach(), None, 2)) < 1e-5
    # Planted: without the parametrisation they do not
    loose = load_repaired(made(seed=9), spoiled(tmp_path / REPAIRED))
    trained(loose.train())
    assert gain_spread(from_conv_transpose(loose.up.weight.detach(), None, 2)) > 1e-3


def spoiled(path):
    rewritten(path, even=[])
    return path


def trained(net):
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    for step in range(3):
        x = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        net(x)[..., ::2, ::2].square().mean().backward()
        optimiser.step()


def test_a_replaced_layer_is_kept_even_too(tmp_path):
    net = made()
    net.up.weight.data.copy_(kept(net).tensors["up.weight"])
    assert even_layers(repaired(net, replaced(net))) == ()  # its bias is not the same on all phases
    candidate = replaced(net, phase_bias=False)
    good = repaired(net, candidate)
    assert even_layers(good) == ("up",)
    save_repaired(tmp_path, good, candidate, {}, even=True)
    for kind in (torch.float32, torch.bfloat16):
        back = load_repaired(made(seed=9).to(kind), tmp_path / REPAIRED)
        assert even_layers(back) == ()  # it is kept so already
        torch.testing.assert_close(
            output(back).float(), output(good), rtol=0, atol=20 * torch.finfo(kind).eps
        )
    before = output(good)
    torch.testing.assert_close(output(keep_even(good, ["up"])), before, rtol=0, atol=1e-5)


# --- for other programs -----------------------------------------------------------------------------------


def test_an_exported_program_takes_other_sizes():
    net = made()
    good = repaired(net, replaced(net))
    content = exported(good.train(), (torch.rand(2, 1, 8, 12),), "pt2")
    assert good.training
    program = torch.export.load(io.BytesIO(content)).module()
    x = torch.rand(2, 1, 11, 9)
    torch.testing.assert_close(program(x), good.eval()(x).detach(), rtol=0, atol=1e-5)


@pytest.mark.integration
def test_onnx_takes_other_sizes():
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    net = made()
    good = repaired(net, replaced(net))
    content = exported(good, (torch.rand(2, 1, 8, 12),), "onnx")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    x = torch.rand(2, 1, 11, 9)
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), good(x).detach(), rtol=0, atol=1e-5)


class Asks(Net):
    def forward(self, x):
        return super().forward(x) * (2 if float(x.mean()) > 0 else 1)


def test_exports_that_fail(monkeypatch):
    x = (torch.rand(1, 1, 8, 8),)
    with pytest.raises(UncheckError, match=r"cannot be exported to pt2 \(.*leave out --export"):
        exported(made(Asks), x, "pt2")
    with pytest.raises(UncheckError, match="no export to 'tflite'; choose onnx or pt2"):
        exported(made(), x, "tflite")
    monkeypatch.setattr(export_module, "find_spec", lambda name: None)
    with pytest.raises(UncheckError, match="needs onnx and onnxscript; install with: pip install onnx onnx"):
        exported(made(), x, "onnx")


def test_an_export_that_gives_other_values_is_thrown_away(monkeypatch):
    def wrong(model, inputs):
        return b"", lambda call: model(*call) * 1.01

    monkeypatch.setattr(export_module, "_pt2", wrong)
    with pytest.raises(UncheckError, match="gives other values than the network"):
        exported(made(), (torch.rand(1, 1, 8, 8),), "pt2")

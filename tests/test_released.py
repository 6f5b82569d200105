"""The networks that come with the tests are those that were released; what is absent is skipped."""

import hashlib

import pytest
import torch

import released


@pytest.mark.parametrize("name", released.BUNDLED)
def test_the_weights_are_the_published_ones(name):
    stored = (released.HERE / f"{name}.safetensors").read_bytes()
    assert hashlib.sha256(stored).hexdigest() == released.SHA256[f"networks/{name}.safetensors"]
    assert f"`{name}.safetensors`" in (released.HERE / "LICENCES.md").read_text(encoding="utf-8")


def test_the_labelled_pictures_are_the_published_ones():
    bundled = sorted((released.HERE / "labelled").iterdir())
    assert len(bundled) == 7
    for path in bundled:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == released.SHA256[f"labelled/{path.name}"]


@pytest.mark.parametrize("name", released.BUNDLED)
def test_our_modules_compute_what_the_authors_networks_do(name):
    x = released.others().example_input(name)
    assert torch.equal(released.load(name)(x), released.others().load(name)(x))


def test_crops_are_twelve_photographs():
    crops = released.crops(96)
    assert crops.shape == (12, 3, 96, 96)
    assert (crops.amin((1, 2, 3)) >= 0).all()
    assert (crops.flatten(1).std(1) > 0.02).all()


def test_a_folder_that_is_absent_skips(tmp_path, monkeypatch):
    monkeypatch.setattr(released, "CASES", tmp_path / "cases")
    with pytest.raises(pytest.skip.Exception, match="are not beside this checkout"):
        released.load("dcgan_svhn")
    assert released.load("espcn_x3")(torch.rand(1, 1, 8, 8)).shape == (1, 1, 24, 24)


def test_another_file_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(released, "CASES", tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "kodim01.png").write_bytes(b"something else")
    with pytest.raises(AssertionError, match=r"kodim01\.png is another file"):
        released.photographs()

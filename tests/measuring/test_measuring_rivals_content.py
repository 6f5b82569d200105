"""Enlargement, tiles, prints and textures are named; what networks leave is not."""

from itertools import product

import numpy as np
import pytest
import textures
import torch
from random_networks import random_codes
from torch import nn

import released
from tiers import cases
from uncheck.measuring import find_lattice
from uncheck.measuring.rivals import name_rival
from uncheck.measuring.rivals.repetition import before_repetition, is_tiled
from uncheck.measuring.rivals.stacked import common_period, is_stacked
from uncheck.measuring.rivals.texture import flat_blocks, is_beside, is_halftone, is_texture, lattice_share


def names(pictures):
    """Names given to those of the pictures in which anything was found; None for a lattice."""
    out = []
    for picture in pictures:
        array = picture.astype(np.float32)
        found = find_lattice(array)
        if found.present:
            out.append(name_rival(array, found))
    return out


@pytest.mark.integration
@pytest.mark.parametrize(
    ("kind", "expected", "least"),
    [
        ("dithered", {"halftone"}, 1.0),
        ("halftone", {"halftone", "texture"}, 1.0),
        ("screenshot", {"texture", "tiles"}, 1.0),
        ("tiled", {"tiles", "texture"}, 1.0),
        ("woven", {"texture", "tiles"}, 0.8),
        ("brick", {"texture", "tiles"}, 0.7),
        ("chessboard", {"texture", "tiles"}, 0.8),
    ],
)
def test_content_is_named(kind, expected, least):
    given = names(textures.GENERATORS[kind]((320, 320), seed) for seed in range(100, 112))
    assert len(given) >= 4
    assert np.mean([name in expected for name in given]) >= least


@pytest.mark.integration
def test_seams_are_tiles():
    # Darkened borders and lines (kinds 1 and 3); steps and blur leave no line.
    given = names(textures.seams((384, 384), seed) for seed in (1, 3, 9, 11, 17, 19, 27))
    assert given.count("tiles") >= len(given) - 1


def generator(kind, stages, channels=12):
    """An untrained stack of upsampling layers with rectifiers between them."""
    layers = []
    for i in range(stages):
        out = channels if i < stages - 1 else 3
        if kind == "shuffle":
            layers += [nn.Conv2d(channels, 4 * out, 3, padding=1), nn.PixelShuffle(2)]
        else:
            kernel, stride = {
                "k3s2": (3, 2),
                "k4s2": (4, 2),
                "k5s2": (5, 2),
                "patch8": (8, 8),
                "patch14": (14, 14),
            }[kind]
            layers.append(
                nn.ConvTranspose2d(channels, out, kernel, stride, max(0, (kernel - stride + 1) // 2))
            )
        if i < stages - 1:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


KINDS = ("k3s2", "k4s2", "k5s2", "shuffle", "patch8", "patch14")
DRIVEN_BY = ("noise", "flat", "smooth")
#: One of each kind, and each way of driving and each strength often, in the quick tier.
FEW = {(kind, DRIVEN_BY[i % 3], (4, 12)[i % 2]) for i, kind in enumerate(KINDS)}
MANY = set(product(KINDS, DRIVEN_BY, (4, 12)))


@pytest.mark.parametrize(("kind", "driven_by", "levels"), cases(sorted(FEW), sorted(MANY - FEW)))
def test_untrained_generators_are_never_a_rival(kind, driven_by, levels):
    for seed in range(4):
        torch.manual_seed(seed)
        stages = 1 if kind.startswith("patch") else 1 + seed % 3
        side = 192 // {"patch8": 8, "patch14": 14}.get(kind, 2**stages)
        codes = random_codes(side, driven_by)
        with torch.no_grad():
            output = generator(kind, stages)(codes)[0].permute(1, 2, 0).numpy()
        array = np.rint(128 + levels * (output - output.mean()) / output.std()).clip(0, 255)
        array = array.astype(np.float32)
        assert name_rival(array, find_lattice(array)) is None


@pytest.mark.parametrize(
    ("period", "strength"), cases([(2, 1), (4, 18)], [(2, 20), (4, 3), (8, 4), (8, 15), (14, 10)])
)
def test_lattices_on_photographs_are_never_a_rival(period, strength):
    rng = np.random.default_rng(period)
    y, x = np.indices((320, 320))
    for index in (0, 3, 7, 10):
        tile = rng.normal(size=(period, period))
        layer = strength * (tile - tile.mean()) / tile.std() / np.sqrt(2)
        picture = released.read(released.photographs()[index])[:320, :320]
        array = np.rint(picture + layer[y % period, x % period, None]).clip(0, 255).astype(np.float32)
        assert name_rival(array, find_lattice(array)) is None


@pytest.mark.parametrize(("period", "strength"), cases([(8, 25), (16, 40)], [(6, 40), (8, 40), (14, 25)]))
def test_strong_lattices_of_stacked_strides_on_content_are_no_texture(period, strength):
    rng = np.random.default_rng(period)
    y, x = np.indices((256, 256))
    tile = rng.normal(size=(period, period))
    layer = strength * (tile - tile.mean()) / tile.std()
    picture = textures.scene((256, 256), period) + layer[y % period, x % period, None]
    array = np.rint(picture).clip(0, 255).astype(np.float32)
    found = find_lattice(array)
    assert found.strength > 22
    assert is_stacked(array, found)
    assert name_rival(array, found) is None
    # Without content of its own, and at a period that no strides have, it is cloth.
    flat = np.rint(128 + layer[y % period, x % period, None] + rng.normal(0, 20, (256, 256, 1)))
    flat = flat.clip(0, 255).astype(np.float32)
    assert not is_stacked(flat, find_lattice(flat))


def test_strong_patterns_of_other_periods_are_texture():
    y, x = np.indices((256, 256))
    tile = np.random.default_rng(11).normal(size=(11, 11))
    layer = 30 * (tile - tile.mean()) / tile.std()
    picture = textures.scene((256, 256), 11) + layer[y % 11, x % 11, None]
    array = np.rint(picture).clip(0, 255).astype(np.float32)
    assert names([array]) == ["texture"]


def test_labelled_artifacts_are_never_a_rival():
    files = [
        path
        for pattern in ("im_rand_one*", "im_rand_two*", "style_artifacts*", "deepdream_full_gitter_0x0*")
        for path in released.labelled(pattern)
    ]
    assert len(files) == 6
    assert names(map(released.read, files)) == [None] * 6


@pytest.mark.parametrize("factor", [1.25, 1.5, 2, 2.5, 3, 4])
def test_enlarged_photographs_are_named_or_clean(factor):
    for index in (0, 2, 4):
        small = released.read(released.photographs()[index])[64:264, 100:300]
        array = textures.enlarged(small, factor)[3:, 1:].astype(np.float32)
        found = find_lattice(array)
        before = before_repetition(array)
        assert abs(len(before) - 200) <= 3
        lattice = bool(found.present) and name_rival(array, found) != "enlarged"
        # A crop whose scanner trace already passes the threshold keeps it.
        assert not lattice or find_lattice(before).present


def test_uneven_repetition_is_no_enlargement():
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (40, 40, 3)).astype(np.float32)
    assert before_repetition(small) is None
    assert before_repetition(small.repeat(2, axis=0)) is None
    uneven = small.repeat(rng.integers(1, 5, 40), axis=0).repeat(rng.integers(1, 5, 40), axis=1)
    assert before_repetition(uneven) is None
    assert before_repetition(np.ones((16, 16, 3), np.float32)) is None
    assert before_repetition(small.repeat(2, axis=0).repeat(3, axis=1)) is None


def test_enlarging_a_lattice_does_not_excuse_it():
    y, x = np.indices((128, 128))
    small = np.random.default_rng(0).normal(128, 5, (128, 128, 3)) + 4 * ((-1.0) ** (x + y))[..., None]
    for factor in (1.5, 2):
        assert names([textures.enlarged(np.rint(small).astype(np.uint8), factor)]) == [None]


def test_saturated_ground_is_not_a_drawing():
    """White or black, as generators leave it around what they draw; grey would be a drawing."""
    y, x = np.indices((128, 128))
    stroke = np.hypot(x - 64, y - 64) < 50
    drawn = 128 + 40 * ((-1.0) ** (x + y)) + np.random.default_rng(0).normal(0, 5, (128, 128))
    for ground in (0, 255, 200):
        array = np.where(stroke, drawn, ground)[..., None].astype(np.float32)
        found = find_lattice(array)
        assert found.present
        assert (flat_blocks(array) > 0.3) == (ground == 200)
        assert is_texture(array, found) == (ground == 200)


def test_a_constant_output_with_a_lattice_is_not_dithered():
    tile = np.array([[100.0, 120], [130, 110]])
    array = np.tile(tile, (64, 64))[..., None].astype(np.float32)
    found = find_lattice(array)
    assert lattice_share(array, found) > 0.9
    assert not is_halftone(array, found)
    assert not is_tiled(array, found)
    assert name_rival(array, found) is None


def test_float_maps_of_two_channels_are_judged():
    flow = np.random.default_rng(0).normal(0, 20, (96, 96, 2)).astype(np.float32)
    flow[::2] += 20
    found = find_lattice(flow)
    assert found.present
    assert name_rival(flow, found) is None


@pytest.mark.parametrize(
    ("bins", "strength", "layout"),
    [(0.4, 3, "even"), (0.2, 15, "even")]
    + [(0.0, strength, layout) for strength in (3, 15) for layout in ("even", "bright", "part")],
)
def test_lines_beside_a_lattice_frequency_are_told(bins, strength, layout):
    rng = np.random.default_rng(4)
    _, x = np.indices((320, 336))
    scene = textures.scene((320, 336), 4).astype(np.float32)
    amplitude = {"even": 1.0, "bright": scene.mean(axis=-1) / scene.mean(), "part": x > 150}[layout]
    wave = np.cos(2 * np.pi * (1 / 8 + bins / 336) * x + 1)
    noise = rng.normal(0, 2, scene.shape)
    array = np.rint(128 + (scene - 128) / 3 + noise + (strength * amplitude * wave)[..., None])
    array = array.astype(np.float32)
    found = find_lattice(array)
    assert found.present
    assert is_beside(array, found) == (bins > 0)


@pytest.mark.parametrize("period", cases([11], [13]))
def test_no_period_of_a_lattice_is_content_by_itself(period):
    y, x = np.indices((352, 352))
    for index in (1, 5, 9):
        tile = np.random.default_rng(period + index).normal(size=(period, period))
        picture = released.read(released.photographs()[index])[:352, :352]
        array = (picture + 4 * (tile - tile.mean())[y % period, x % period, None]).astype(np.float32)
        assert name_rival(array, find_lattice(array)) is None


def test_two_periods_without_a_common_one_are_content():
    y, x = np.indices((330, 330))
    noise = np.random.default_rng(0).normal(128, 4, (330, 330, 3))
    weave = noise + (4 * np.cos(2 * np.pi * x / 9) + 4 * np.cos(2 * np.pi * x / 13))[..., None]
    unequal = noise + (4 * np.cos(2 * np.pi * x / 5) + 4 * np.cos(2 * np.pi * y / 13))[..., None]
    one = noise + (4 * np.cos(2 * np.pi * x / 4) + 4 * np.cos(2 * np.pi * y / 2))[..., None]
    assert common_period(find_lattice(weave.astype(np.float32))) == 9 * 13
    assert common_period(find_lattice(one.astype(np.float32))) == 4
    assert common_period(find_lattice(unequal.astype(np.float32))) == 13
    assert names([weave]) == ["texture"]
    assert names([unequal]) == [None]
    assert names([one]) == [None]


@pytest.mark.parametrize(
    ("kind", "period", "seed"), [("woven", 2, 7000), ("woven", 4, 7004), ("brick", 25 / 3, 7002)]
)
def test_strong_cloth_and_bricks_of_whole_pixels_are_textures(kind, period, seed, monkeypatch):
    # Threads two pixels wide are a pattern of period 4; bricks of 25 / 3 have a harmonic of period 5.
    monkeypatch.setattr(textures, "_period", lambda *_: float(period))
    assert names([textures.GENERATORS[kind]((256, 256), seed)]) == ["texture"]

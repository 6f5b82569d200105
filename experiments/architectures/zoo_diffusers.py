"""Autoencoders, denoisers and transformers of diffusers, small; what is measured is their own forward."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from zoo_case import Up, case, pyramid, up


def built(name: str, *inputs: torch.Tensor, **options: Any) -> tuple[Any, tuple[Any, ...]]:
    """A class of diffusers, and its inputs."""
    import diffusers

    return getattr(diffusers, name)(**options), inputs


class Decode(nn.Module):
    """An autoencoder from its latents: `decode` as the forward."""

    def __init__(self, model: nn.Module, **options: Any) -> None:
        super().__init__()
        self.model, self.options = model, options

    def forward(self, latents: torch.Tensor) -> Any:
        return self.model.decode(latents, **self.options).sample


def decoder(name: str, latents: torch.Tensor, **options: Any) -> tuple[Any, tuple[Any, ...]]:
    model, inputs = built(name, latents, **options)
    return Decode(model), inputs


KL = {"layers_per_block": 1, "latent_channels": 4, "norm_num_groups": 8}


def resized_apart(factor: int, stride: Any, period: Any, times: int = 1) -> tuple[tuple[Up, ...], ...]:
    """The stages of a first frame, in space alone, and of the frames after it."""
    first = up("nearest", factor, period[1:], times=times)
    return first, up("nearest", stride, period, ndim=3, times=times)


def blocks(kind: str, count: int) -> tuple[str, ...]:
    return (kind,) * count


@case("AutoencoderKL", "autoencoding", "resize", pyramid("nearest", 2, 3))
def autoencoder_kl() -> Any:
    sizes = {"block_out_channels": (16, 32, 32, 32), **KL}
    down, over = blocks("DownEncoderBlock2D", 4), blocks("UpDecoderBlock2D", 4)
    return built(
        "AutoencoderKL", torch.rand(1, 3, 64, 64) * 2 - 1, down_block_types=down, up_block_types=over, **sizes
    )


@case("VQModel", "autoencoding", "resize", pyramid("nearest", 2, 2))
def vq() -> Any:
    down, over = blocks("DownEncoderBlock2D", 3), blocks("UpDecoderBlock2D", 3)
    sizes = {"block_out_channels": (16, 32, 32), "norm_num_groups": 8}
    return built(
        "VQModel", torch.rand(1, 3, 64, 64) * 2 - 1, down_block_types=down, up_block_types=over, **sizes
    )


@case(
    "MoVQ of Kandinsky",
    "autoencoding",
    "resize",
    # Two steps up; and each norm resizes the code to its own size: four at x2, five at x4.
    pyramid("nearest", 2, 2),
    up("nearest", 2, 4, times=4),
    up("nearest", 4, 4, times=5),
)
def movq() -> Any:
    down, over = (
        blocks("DownEncoderBlock2D", 3),
        ("AttnUpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"),
    )
    sizes = {"block_out_channels": (32, 32, 32), "norm_type": "spatial"}
    return built(
        "VQModel",
        torch.rand(1, 3, 64, 64) * 2 - 1,
        down_block_types=down,
        up_block_types=over,
        vq_embed_dim=4,
        latent_channels=4,
        **sizes,
    )


@case(
    "AutoencoderDC",
    "autoencoding",
    "icnr",
    # A convolution and a pixel shuffle, and beside it one of the input's own channels, each repeated.
    *(up("sub-pixel", 2, period, times=2) for period in (4, 2)),
)
def deep_compression() -> Any:
    sizes = {"encoder_block_out_channels": (8, 16, 32), "decoder_block_out_channels": (8, 16, 32)}
    layers = {"encoder_layers_per_block": (1, 1, 1), "decoder_layers_per_block": (1, 1, 1)}
    heads = {"encoder_qkv_multiscales": ((), (), (5,)), "decoder_qkv_multiscales": ((), (), (5,))}
    kinds = {"encoder_block_types": ("ResBlock", "ResBlock", "EfficientViTBlock")}
    kinds["decoder_block_types"] = kinds["encoder_block_types"]
    rest = {"latent_channels": 4, "attention_head_dim": 8}
    return built(
        "AutoencoderDC", torch.rand(1, 3, 64, 64) * 2 - 1, **sizes, **layers, **heads, **kinds, **rest
    )


@case(
    "AutoencoderDC, interpolated",
    "autoencoding",
    "icnr",
    *(up(kind, 2, period) for period in (4, 2) for kind in ("nearest", "sub-pixel")),
)
def deep_compression_resized() -> Any:
    sizes = {"encoder_block_out_channels": (8, 16, 32), "decoder_block_out_channels": (8, 16, 32)}
    layers = {"encoder_layers_per_block": (1, 1, 1), "decoder_layers_per_block": (1, 1, 1)}
    heads = {"encoder_qkv_multiscales": ((), (), ()), "decoder_qkv_multiscales": ((), (), ())}
    kind = {"upsample_block_type": "interpolate", "downsample_block_type": "Conv"}
    return built(
        "AutoencoderDC",
        torch.rand(1, 3, 64, 64) * 2 - 1,
        latent_channels=4,
        **sizes,
        **layers,
        **heads,
        **kind,
    )


@case("AutoencoderKLTemporalDecoder", "video", "resize", pyramid("nearest", 2, 2))
def temporal() -> Any:
    sizes = {"block_out_channels": (32, 32, 32), "down_block_types": blocks("DownEncoderBlock2D", 3)}
    model, inputs = built(
        "AutoencoderKLTemporalDecoder", torch.randn(3, 4, 16, 16), latent_channels=4, **sizes
    )
    return Decode(model, num_frames=3), inputs


@case(
    "AutoencoderKLCogVideoX",
    "video",
    "resize",
    # The first frame is resized apart from the others, in the steps up and in the norms behind each, which
    # resize the latents; the last step resizes all frames alike.
    *resized_apart(2, (2, 2, 2), (4, 8, 8), times=5),
    *resized_apart(2, (2, 2, 2), (2, 4, 4)),
    *resized_apart(4, (4, 4, 4), (4, 8, 8), times=4),
    up("nearest", 2, 2),
    *resized_apart(8, (4, 8, 8), (4, 8, 8), times=5),
)
def cogvideox() -> Any:
    down, over = blocks("CogVideoXDownBlock3D", 4), blocks("CogVideoXUpBlock3D", 4)
    sizes = {
        "block_out_channels": (8,) * 4,
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 2,
    }
    return decoder(
        "AutoencoderKLCogVideoX",
        torch.randn(1, 4, 3, 8, 8),
        down_block_types=down,
        up_block_types=over,
        **sizes,
    )


@case(
    "AutoencoderKLHunyuanVideo",
    "video",
    "resize",
    # The first frame is resized apart from the others.
    *resized_apart(2, (1, 2, 2), (1, 8, 8)),
    *resized_apart(2, (2, 2, 2), (4, 4, 4)),
    *resized_apart(2, (2, 2, 2), (2, 2, 2)),
)
def hunyuan_video() -> Any:
    sizes = {
        "block_out_channels": (8,) * 4,
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 2,
    }
    return decoder("AutoencoderKLHunyuanVideo", torch.randn(1, 4, 3, 8, 8), **sizes)


@case(
    "AutoencoderKLLTXVideo",
    "video",
    "icnr",
    *(up("sub-pixel", 2, period, ndim=3) for period in ((8, 16, 16), (4, 8, 8), (2, 4, 4))),
    up("sub-pixel", (1, 2, 2), (1, 2, 2), ndim=3),
)
def ltx() -> Any:
    sizes = {"block_out_channels": (8,) * 4, "decoder_block_out_channels": (8,) * 4, "latent_channels": 8}
    layers = {"layers_per_block": (1,) * 5, "decoder_layers_per_block": (1,) * 5}
    return decoder("AutoencoderKLLTXVideo", torch.randn(1, 8, 3, 4, 4), patch_size=2, **sizes, **layers)


@case(
    "AutoencoderKLMochi",
    "video",
    "icnr",
    # Linear layers whose channels become frames and pixels.
    up("un-patchify|sub-pixel", (3, 2, 2), (6, 8, 8), ndim=3),
    up("un-patchify|sub-pixel", (2, 2, 2), (2, 4, 4), ndim=3),
    up("un-patchify|sub-pixel", (1, 2, 2), (1, 2, 2), ndim=3),
)
def mochi() -> Any:
    sizes = {"encoder_block_out_channels": (32,) * 4, "decoder_block_out_channels": (32,) * 4}
    layers = {"layers_per_block": (1,) * 5, "add_attention_block": (False,) * 5}
    return decoder("AutoencoderKLMochi", torch.randn(1, 12, 3, 8, 8), **sizes, **layers)


@case(
    "AutoencoderKLWan",
    "video",
    "icnr",
    # Three latent frames, one after the other: the first in space alone, the others twice in time as well, by
    # two halves of the channels.
    *(up("nearest", 2, period, times=3) for period in (8, 4, 2)),
    *(up("sub-pixel|un-patchify", (2, 1, 1), (period, 1, 1), ndim=3, times=2) for period in (4, 2)),
)
def wan() -> Any:
    return decoder(
        "AutoencoderKLWan",
        torch.randn(1, 4, 3, 8, 8),
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


@case(
    "AutoencoderKLCosmos",
    "video",
    "fixed",
    up("nearest", (2, 1, 1), (8, 1, 1), ndim=3),
    up("nearest", (1, 2, 2), (1, 8, 8), ndim=3),
    # Two inverse Haar transforms, eight, four and two transposed convolutions along an axis each.
    *(up("transposed", (1, 1, 2), (1, 1, period), ndim=3, times=8) for period in (4, 2)),
    *(up("transposed", (1, 2, 1), (1, period, 1), ndim=3, times=4) for period in (4, 2)),
    *(up("transposed", (2, 1, 1), (period, 1, 1), ndim=3, times=2) for period in (4, 2)),
)
def cosmos() -> Any:
    sizes = {
        "encoder_block_out_channels": (8,) * 4,
        "decode_block_out_channels": (8,) * 4,
        "latent_channels": 4,
    }
    rest = {"attention_resolutions": (4,), "resolution": 64, "num_layers": 1}
    return decoder("AutoencoderKLCosmos", torch.randn(1, 4, 2, 8, 8), **sizes, **rest)


@case(
    "Oobleck",
    "audio codec",
    "even",
    up("transposed", 4, 32, ndim=1),
    up("transposed", 4, 8, ndim=1),
    up("transposed", 2, 2, ndim=1),
)
def oobleck() -> Any:
    sizes = {
        "encoder_hidden_size": 8,
        "decoder_channels": 8,
        "decoder_input_channels": 4,
        "audio_channels": 1,
    }
    ratios = {"downsampling_ratios": [2, 4, 4], "channel_multiples": [1, 2, 4]}
    return decoder("AutoencoderOobleck", torch.randn(1, 4, 256), **sizes, **ratios)


@case("UNet2DModel", "diffusion", "resize", pyramid("nearest", 2, 2))
def unet2d() -> Any:
    down, over = (
        ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
        ("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    )
    sizes = {"block_out_channels": (16, 32, 32), "layers_per_block": 1, "norm_num_groups": 8}
    return built(
        "UNet2DModel",
        torch.randn(1, 3, 64, 64),
        torch.tensor(7),
        down_block_types=down,
        up_block_types=over,
        **sizes,
    )


@case("UNet2DConditionModel", "diffusion", "resize", pyramid("nearest", 2, 2))
def unet2d_condition() -> Any:
    down = ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
    over = ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")
    sizes = {"block_out_channels": (16, 32, 32), "layers_per_block": 1, "norm_num_groups": 8}
    rest = {"cross_attention_dim": 16, "attention_head_dim": 8}
    return built(
        "UNet2DConditionModel",
        torch.randn(1, 4, 32, 32),
        torch.tensor(7),
        torch.randn(1, 4, 16),
        down_block_types=down,
        up_block_types=over,
        **sizes,
        **rest,
    )


# A transposed convolution by a fixed filter in every step.
@case("UNet1DModel", "audio diffusion", "fixed", pyramid("transposed", 2, 3, ndim=1))
def unet1d() -> Any:
    return built(
        "UNet1DModel", torch.randn(1, 2, 2048), torch.tensor([7]), sample_size=2048, extra_in_channels=64
    )


@case("UNet3DConditionModel", "video diffusion", "resize", up("nearest", 2, 2))
def unet3d() -> Any:
    down, over = ("CrossAttnDownBlock3D", "DownBlock3D"), ("UpBlock3D", "CrossAttnUpBlock3D")
    sizes = {"block_out_channels": (16, 32), "layers_per_block": 1, "norm_num_groups": 8}
    rest = {"cross_attention_dim": 16, "attention_head_dim": 8}
    return built(
        "UNet3DConditionModel",
        torch.randn(1, 4, 4, 32, 32),
        torch.tensor(7),
        torch.randn(1, 4, 16),
        down_block_types=down,
        up_block_types=over,
        **sizes,
        **rest,
    )


SMALL_DIT = {"num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2}


@case("DiT", "diffusion", "icnr", up("un-patchify", 2, 2))
def dit() -> Any:
    return built(
        "DiTTransformer2DModel",
        torch.randn(1, 4, 32, 32),
        torch.tensor([7]),
        torch.tensor([3]),
        sample_size=32,
        norm_num_groups=4,
        out_channels=8,
        **SMALL_DIT,
    )


@case("Stable Diffusion 3", "diffusion", "icnr", up("un-patchify", 2, 2))
def sd3() -> Any:
    sizes = {"joint_attention_dim": 16, "caption_projection_dim": 24, "pooled_projection_dim": 16}
    rest = {"sample_size": 32, "in_channels": 4, "out_channels": 4, "pos_embed_max_size": 16}
    return built(
        "SD3Transformer2DModel",
        torch.randn(1, 4, 32, 32),
        torch.randn(1, 4, 16),
        torch.randn(1, 16),
        torch.tensor([7]),
        **sizes,
        **rest,
        **SMALL_DIT,
    )


@case("Wan", "video diffusion", "icnr", up("un-patchify", (1, 2, 2), (1, 2, 2), ndim=3))
def wan_transformer() -> Any:
    sizes = {"in_channels": 4, "out_channels": 4, "text_dim": 16, "freq_dim": 32, "ffn_dim": 48}
    return built(
        "WanTransformer3DModel",
        torch.randn(1, 4, 3, 32, 32),
        torch.tensor([7]),
        torch.randn(1, 4, 16),
        **sizes,
        **(SMALL_DIT | {"attention_head_dim": 12}),
    )


@case("Lumina 2", "diffusion", "icnr", up("un-patchify", 2, 2))
def lumina() -> Any:
    sizes = {"sample_size": 32, "in_channels": 4, "hidden_size": 24, "num_layers": 2, "num_refiner_layers": 1}
    heads = {
        "num_attention_heads": 3,
        "num_kv_heads": 1,
        "axes_dim_rope": (4, 2, 2),
        "axes_lens": (64, 64, 64),
    }
    return built(
        "Lumina2Transformer2DModel",
        torch.randn(1, 4, 32, 32),
        torch.tensor([0.5]),
        torch.randn(1, 8, 16),
        torch.ones(1, 8, dtype=torch.bool),
        cap_feat_dim=16,
        multiple_of=16,
        **sizes,
        **heads,
    )


@case("Sana", "diffusion", "nothing")
def sana() -> Any:
    sizes = {"in_channels": 4, "out_channels": 4, "num_layers": 1, "sample_size": 32, "caption_channels": 8}
    heads = {"num_attention_heads": 2, "attention_head_dim": 4, "num_cross_attention_heads": 2}
    rest = {"cross_attention_head_dim": 4, "cross_attention_dim": 8}
    return built(
        "SanaTransformer2DModel",
        torch.randn(1, 4, 32, 32),
        torch.randn(1, 4, 8),
        torch.tensor([7]),
        **sizes,
        **heads,
        **rest,
    )


@case("Stable Cascade", "diffusion", "mixed", up("transposed", 2, 4), up("sub-pixel", 2, 2))
def cascade() -> Any:
    sizes = {"in_channels": 4, "out_channels": 4, "conditioning_dim": 16, "timestep_ratio_embedding_dim": 16}
    layers = {
        "block_out_channels": (16, 32),
        "down_num_layers_per_block": (1, 1),
        "up_num_layers_per_block": (1, 1),
    }
    rest = {"num_attention_heads": (1, 2), "clip_text_pooled_in_channels": 16, "patch_size": 2}
    kinds = {"block_types_per_layer": (("SDCascadeResBlock", "SDCascadeTimestepBlock"),) * 2}
    return built(
        "StableCascadeUNet",
        torch.randn(1, 4, 64, 64),
        torch.tensor([0.5]),
        torch.randn(1, 1, 16),
        **sizes,
        **layers,
        **rest,
        **kinds,
    )

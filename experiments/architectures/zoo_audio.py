"""Vocoders, codecs and source separation: transformers, vocos and torchaudio."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from zoo_case import case, up


def ups(*strides: int, kind: str = "transposed") -> tuple[Any, ...]:
    """Stages of these strides in a row, along one axis."""
    out, period = [], 1
    for stride in reversed(strides):
        period *= stride
        out.append(up(kind, stride, period, ndim=1))
    return sum(reversed(out), ())


def built(name: str, *inputs: torch.Tensor, config: str | None = None, **options: Any) -> Any:
    """A class of transformers from its configuration."""
    import transformers

    kind = getattr(transformers, name)
    settings = getattr(transformers, config) if config else kind.config_class
    return kind(settings(**options)), inputs


#: The weights that transformers starts with are too small for a network this thin: it would output its bias.
WIDE = {"initializer_range": 0.1}
SMALL_BLOCKS = {"resblock_kernel_sizes": [3, 7], "resblock_dilation_sizes": [[1, 3], [1, 3]]}


@case("HiFi-GAN of SpeechT5", "vocoder", "even", ups(4, 4, 4, 4), source="transformers.SpeechT5HifiGan")
def hifigan_speecht5() -> Any:
    return built(
        "SpeechT5HifiGan", torch.randn(1, 48, 80), upsample_initial_channel=64, **WIDE, **SMALL_BLOCKS
    )


@case("UnivNet", "vocoder", "even", ups(8, 8, 4), source="transformers.UnivNetModel")
def univnet() -> Any:
    small = {"model_hidden_channels": 8, "model_in_channels": 16, "kernel_predictor_hidden_channels": 16}
    return built("UnivNetModel", torch.randn(1, 32, 100), torch.randn(1, 32, 16), **WIDE, **small)


@case(
    "BigVGAN",
    "vocoder",
    "even",
    ups(4, 2),
    # Each activation is doubled by a fixed filter and halved again, which leaves no period.
    up("transposed", 2, 1, ndim=1, times=13),
    source="transformers.Qwen2_5OmniToken2WavBigVGANModel",
)
def bigvgan() -> Any:
    from transformers.models.qwen2_5_omni import configuration_qwen2_5_omni as settings
    from transformers.models.qwen2_5_omni import modeling_qwen2_5_omni as models

    blocks = {"resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3, 5]]}
    rates = {"upsample_rates": [4, 2], "upsample_kernel_sizes": [8, 4], "upsample_initial_channel": 32}
    config = settings.Qwen2_5OmniBigVGANConfig(**blocks, **rates)
    return models.Qwen2_5OmniToken2WavBigVGANModel(config), (torch.randn(1, 80, 128),)


@case("EnCodec", "codec", "even", ups(8, 5, 4, 2), source="transformers.EncodecModel")
def encodec() -> Any:
    small = {"num_filters": 8, "hidden_size": 32, "codebook_dim": 32, "codebook_size": 64}
    return built("EncodecModel", torch.rand(1, 1, 9600) * 2 - 1, **small)


@case("DAC", "codec", "even", ups(8, 4, 2), source="transformers.DacModel")
def dac() -> Any:
    sizes = {"encoder_hidden_size": 8, "decoder_hidden_size": 64, "hidden_size": 64, "n_codebooks": 2}
    ratios = {"downsampling_ratios": [2, 4, 8], "upsampling_ratios": [8, 4, 2], "hop_length": 64}
    return built("DacModel", torch.rand(1, 1, 8192) * 2 - 1, codebook_size=64, **sizes, **ratios)


@case("Mimi", "codec", "even", ups(2, 8, 6, 5, 4), source="transformers.MimiModel")
def mimi() -> Any:
    sizes = {
        "num_filters": 4,
        "hidden_size": 32,
        "codebook_size": 64,
        "codebook_dim": 16,
        "num_quantizers": 4,
    }
    heads = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16}
    rest = {"vector_quantization_hidden_dimension": 16, "upsample_groups": 32, "intermediate_size": 64}
    return built("MimiModel", torch.rand(1, 1, 38400) * 2 - 1, **sizes, **heads, **rest)


@case(
    "VibeVoice tokenizer",
    "codec",
    "even",
    ups(5, 4, 2),
    source="transformers.VibeVoiceAcousticTokenizerModel",
)
def vibevoice() -> Any:
    small = {"num_filters": 4, "hidden_size": 8, "downsampling_ratios": [2, 4, 5], "depths": [1, 1, 1, 1]}
    return built("VibeVoiceAcousticTokenizerModel", torch.rand(1, 1, 8000) * 2 - 1, **WIDE, **small)


@case("Vocos", "vocoder", "fixed", ups(64, kind="overlap-add|transposed"), source="vocos")
def vocos() -> Any:
    return vocoder("same")


@case("Vocos, torch.istft", "vocoder", "fixed", ups(64, kind="overlap-add|transposed"), source="vocos")
def vocos_center() -> Any:
    return vocoder("center")


def vocoder(padding: str) -> Any:
    from vocos.heads import ISTFTHead
    from vocos.models import VocosBackbone

    backbone = VocosBackbone(input_channels=40, dim=32, intermediate_dim=64, num_layers=2)
    head = ISTFTHead(dim=32, n_fft=256, hop_length=64, padding=padding)
    return nn.Sequential(backbone, head), (torch.randn(1, 40, 128),)


@case("Conv-TasNet", "source separation", "even", ups(8), source="torchaudio.models.ConvTasNet")
def conv_tasnet() -> Any:
    from torchaudio.models import ConvTasNet

    small = {"enc_num_feats": 32, "msk_num_feats": 16, "msk_num_hidden_feats": 32, "msk_num_layers": 3}
    return ConvTasNet(num_sources=2, msk_num_stacks=1, **small), (torch.randn(1, 1, 8000),)


@case(
    "Hybrid Demucs",
    "source separation",
    "even",
    ups(4, 4, 4, 4),
    # The branch of spectra enlarges frequencies, which are no positions of the sound.
    up("transposed", (4, 1), None, times=4),
    up("overlap-add|transposed", 256, 256, ndim=1),
    source="torchaudio.models.HDemucs",
)
def hdemucs() -> Any:
    from torchaudio.models import HDemucs

    return HDemucs(sources=["speech", "music"], audio_channels=1, channels=8, nfft=1024, depth=4), (
        torch.randn(1, 1, 16384),
    )


@case(
    "WaveRNN upsampling",
    "vocoder",
    "resize",
    ups(64, kind="nearest"),
    ups(4, 4, 4, kind="nearest"),
    source="torchaudio.models.wavernn.UpsampleNetwork",
)
def wavernn() -> Any:
    from torchaudio.models.wavernn import UpsampleNetwork

    return UpsampleNetwork([4, 4, 4], n_res_block=2, n_freq=40, n_hidden=16, n_output=16), (
        torch.randn(1, 40, 64),
    )

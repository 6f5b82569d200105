"""Depth, segmentation, matting, restoration and tokens of transformers, from small configurations."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from zoo_case import case, pyramid, up


def built(name: str, *inputs: torch.Tensor, **options: Any) -> Any:
    """A class of transformers from its configuration."""
    import transformers

    kind = getattr(transformers, name)
    return kind(kind.config_class(**options)), inputs


class Named(nn.Module):
    """A model whose forward takes its inputs by name."""

    def __init__(self, model: nn.Module, *names: str, **options: Any) -> None:
        super().__init__()
        self.model, self.names, self.options = model, names, options

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.model(**dict(zip(self.names, inputs, strict=True)), **self.options)


def picture(size: int, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 3, size, size)


#: The weights that transformers starts with are too small for networks this thin: many output their bias.
WIDE = {"initializer_range": 0.1}
MIT = {"hidden_sizes": [8, 16, 32, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2], **WIDE}
VIT = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 64}
VIT |= WIDE


@case("SegFormer", "segmentation", "resize", *(up("linear", factor, factor) for factor in (2, 4, 8)))
def segformer() -> Any:
    return built(
        "SegformerForSemanticSegmentation", picture(256), decoder_hidden_size=32, num_labels=3, **MIT
    )


@case("GLPN", "depth", "resize", pyramid("linear", 2, 5))
def glpn() -> Any:
    return built("GLPNForDepthEstimation", picture(128), decoder_hidden_size=16, **MIT)


@case(
    "UPerNet on ConvNeXt",
    "segmentation",
    "resize",
    # Pools of 2 and 3 positions resized to 6, the pyramid, its levels resized to the finest, the logits.
    up("linear", 3, 96),
    up("linear", 2, 64),
    *(up("linear", 2, period) for period in (32, 16, 8)),
    *(up("linear", factor, 4 * factor) for factor in (8, 4, 2)),
    up("linear", 4, 4),
)
def upernet() -> Any:
    from transformers import ConvNextConfig

    backbone = ConvNextConfig(
        hidden_sizes=[8, 16, 32, 32],
        depths=[1, 1, 1, 1],
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    rest = {"hidden_size": 32, "use_auxiliary_head": False, "num_labels": 3, **WIDE}
    return built("UperNetForSemanticSegmentation", picture(192), backbone_config=backbone, **rest)


@case(
    "DPT",
    "depth",
    "even",
    up("transposed", 4, 16),
    up("transposed", 2, 16),
    pyramid("linear", 2, 5),
)
def dpt() -> Any:
    sizes = {"image_size": 128, "neck_hidden_sizes": [16, 16, 32, 32], "fusion_hidden_size": 16}
    return built("DPTForDepthEstimation", picture(128), backbone_out_indices=[0, 1, 2, 3], **sizes, **VIT)


@case(
    "Depth Anything",
    "depth",
    "even",
    up("transposed", 4, 14),
    up("transposed", 2, 14),
    # Sizes 4, 8, 16, 32, 64 and 112: 2 positions are 3.5 pixels behind the last, which repeat every 7.
    *(up("linear", 2, period) for period in (28, 14, 7, 7)),
    up("linear", 1.75, 7),
)
def depth_anything() -> Any:
    from transformers import Dinov2Config

    backbone = Dinov2Config(
        image_size=112,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
        **VIT,
    )
    sizes = {"reassemble_hidden_size": 32, "neck_hidden_sizes": [16, 16, 32, 32], "fusion_hidden_size": 16}
    return built(
        "DepthAnythingForDepthEstimation",
        picture(112),
        backbone_config=backbone,
        head_hidden_size=8,
        **sizes,
        **WIDE,
    )


@case("Swin2SR x4, auxiliary", "super-resolution", "icnr", up("cubic", 4, 4), pyramid("sub-pixel", 2, 2))
def swin2sr() -> Any:
    small = {"image_size": 32, "embed_dim": 24, "depths": [2, 2], "num_heads": [2, 2], "window_size": 8}
    return built(
        "Swin2SRForImageSuperResolution",
        picture(32),
        upscale=4,
        upsampler="pixelshuffle_aux",
        **small,
        **WIDE,
    )


@case("SAM", "segmentation", "even", pyramid("transposed", 2, 2))
def sam() -> Any:
    from transformers import SamMaskDecoderConfig, SamPromptEncoderConfig, SamVisionConfig

    vision = SamVisionConfig(
        hidden_size=32,
        output_channels=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=256,
        mlp_dim=64,
        window_size=7,
        global_attn_indexes=[1],
        num_pos_feats=16,
        **WIDE,
    )
    prompt = SamPromptEncoderConfig(hidden_size=32, image_size=256, mask_input_channels=8)
    mask = SamMaskDecoderConfig(hidden_size=32, mlp_dim=64, num_attention_heads=2, iou_head_hidden_dim=32)
    model, _ = built(
        "SamModel", vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=mask, **WIDE
    )
    return Named(model, "pixel_values", "input_points"), (picture(256), torch.tensor([[[[100.0, 80.0]]]]))


@case("ViTMatte", "matting", "resize", pyramid("linear", 2, 4))
def vitmatte() -> Any:
    from transformers import VitDetConfig

    backbone = VitDetConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=128,
        pretrain_image_size=128,
        num_channels=4,
        out_features=["stage2"],
    )
    sizes = {"convstream_hidden_sizes": [8, 16, 32], "fusion_hidden_sizes": [32, 16, 16, 8]}
    return built(
        "VitMatteForImageMatting",
        torch.rand(1, 4, 128, 128),
        backbone_config=backbone,
        hidden_size=32,
        initializer_range=0.3,
        **sizes,
    )


@case("CLIPSeg", "segmentation", "even", up("transposed", 16, 16))
def clipseg() -> Any:
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2}
    text = dict(vision, vocab_size=50, max_position_embeddings=16, bos_token_id=1, eos_token_id=2)
    model, _ = built(
        "CLIPSegForImageSegmentation",
        vision_config={**vision, "image_size": 128, "patch_size": 16},
        text_config=text,
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=16,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=32,
    )
    named = Named(model, "pixel_values", "conditional_embeddings")
    return named, (picture(128), torch.randn(1, 16))


@case(
    "BEiT",
    "segmentation",
    "even",
    up("transposed", 2, 4),
    up("transposed", 2, 2),
    up("transposed", 2, 4),
    # Pools of 2 and 3 positions resized to 6, the pyramid, its levels resized to the finest.
    up("linear", 3, 24),
    up("linear", 2, 16),
    *(up("linear", 2, period) for period in (8, 4, 2)),
    *(up("linear", factor, factor) for factor in (8, 4, 2)),
)
def beit() -> Any:
    rest = {"image_size": 192, "out_indices": [1, 2, 3, 4], "num_labels": 3, "use_auxiliary_head": False}
    return built(
        "BeitForSemanticSegmentation", picture(192), pool_scales=[1, 2, 3, 6], add_fpn=True, **rest, **VIT
    )


@case("SimMIM on Swin", "masked pictures", "icnr", up("sub-pixel", 8, 8))
def simmim_swin() -> Any:
    sizes = {"image_size": 128, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}
    model, inputs = built("SwinForMaskedImageModeling", picture(128), encoder_stride=8, **sizes)
    return Named(model, "pixel_values", "bool_masked_pos"), (*inputs, torch.zeros(1, 1024, dtype=torch.bool))


def vitpose(simple: bool) -> Any:
    from transformers import VitPoseBackboneConfig

    backbone = VitPoseBackboneConfig(image_size=[256, 192], patch_size=[16, 16], **VIT)
    return built(
        "VitPoseForPoseEstimation",
        torch.rand(1, 3, 256, 192),
        backbone_config=backbone,
        use_simple_decoder=simple,
        num_labels=4,
    )


@case("ViTPose, classic", "pose", "even", pyramid("transposed", 2, 2))
def vitpose_classic() -> Any:
    return vitpose(False)


@case(
    "EoMT",
    "segmentation",
    "even",
    # Run twice: what masks the attention is resized to a quarter first, which leaves no period.
    up("transposed", 2, None, times=2),
    pyramid("transposed", 2, 2),
)
def eomt() -> Any:
    small = {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "num_queries": 5,
        "num_labels": 3,
    }
    return built("EomtForUniversalSegmentation", picture(256), image_size=256, num_blocks=1, **small)


@case("MaskFormer", "segmentation", "resize", pyramid("nearest", 2, 3))
def maskformer() -> Any:
    from transformers import DetrConfig, SwinConfig

    backbone = SwinConfig(
        image_size=128,
        embed_dim=16,
        depths=[1, 1, 1, 1],
        num_heads=[2, 2, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    decoder = DetrConfig(
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        num_queries=4,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
    )
    rest = {"fpn_feature_size": 32, "mask_feature_size": 32, "num_labels": 3}
    return built(
        "MaskFormerForInstanceSegmentation",
        picture(256),
        backbone_config=backbone,
        decoder_config=decoder,
        **rest,
    )


@case("SegGPT", "segmentation", "icnr", up("un-patchify", 16, 16))
def seggpt() -> Any:
    small = {"image_size": [128, 64], "pretrain_image_size": 64, "decoder_hidden_size": 16, "mlp_dim": 64}
    body = {"hidden_size": 32, "num_hidden_layers": 5, "num_attention_heads": 2, "merge_index": 0}
    shape = (1, 3, 64, 64)
    return built(
        "SegGptForImageSegmentation",
        torch.rand(*shape),
        torch.rand(*shape),
        torch.rand(*shape),
        intermediate_hidden_state_indices=[1, 2, 3, 4],
        **small,
        **body,
    )


@case("Janus VQ", "autoencoding", "resize", pyramid("nearest", 2, 2))
def janus() -> Any:
    sizes = {"base_channels": 32, "channel_multiplier": [1, 1, 2], "num_res_blocks": 1, "latent_channels": 32}
    return built("JanusVQVAE", picture(64), num_embeddings=32, num_patches=16, **sizes, **WIDE)


@case(
    "Emu3 VQ",
    "video",
    "resize",
    up("nearest", (2, 1, 1), (2, 1, 1), ndim=3),
    up("nearest", 2, 2),
    # The code, resized for the norms behind.
    up("nearest", 2, 2, times=5),
)
def emu3() -> Any:
    sizes = {"base_channels": 32, "channel_multiplier": [1, 1], "num_res_blocks": 1, "latent_channels": 4}
    rest = {"codebook_size": 32, "hidden_size": 32, "attn_resolutions": [], "temporal_downsample_factor": 2}
    model, _ = built("Emu3VQVAE", **sizes, **rest)
    return Codes(model), (torch.randint(0, 32, (1, 2, 16, 16)),)


class Codes(nn.Module):
    """A tokenizer from its codes: `decode` as the forward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: torch.Tensor) -> Any:
        return self.model.decode(codes)

"""The arguments of torch's functions by name, where calls give them by place."""

from __future__ import annotations

_CONV = "input weight bias stride padding dilation groups"
_TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
_MAX = "input kernel_size stride padding dilation ceil_mode return_indices"
_AVG = "input kernel_size stride padding ceil_mode count_include_pad divisor_override"

SIGNATURES = {
    **{f"conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _TRANSPOSED for n in (1, 2, 3)},
    **dict.fromkeys(
        ("convolution", "_convolution"),
        "input weight bias stride padding dilation transposed output_padding groups",
    ),
    **{f"max_pool{n}d": _MAX for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": _MAX for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _AVG for n in (1, 2, 3)},
    **{f"lp_pool{n}d": "input norm_type kernel_size stride ceil_mode" for n in (1, 2, 3)},
    **{f"max_unpool{n}d": "input indices kernel_size stride padding output_size" for n in (1, 2, 3)},
    "interpolate": "input size scale_factor mode align_corners recompute_scale_factor antialias",
    "upsample": "input size scale_factor mode align_corners",
    "pixel_shuffle": "input upscale_factor",
    "pixel_unshuffle": "input downscale_factor",
    "pad": "input pad mode value",
    "constant_pad_nd": "input pad value",
    **{f"reflection_pad{n}d": "input pad" for n in (1, 2, 3)},
    **{f"replication_pad{n}d": "input pad" for n in (1, 2, 3)},
    "getitem": "input index",
    "setitem": "input index value",
    "linear": "input weight bias",
    "stack": "tensors dim",
    "cat": "tensors dim",
    "einsum": "equation operands",
    **dict.fromkeys(("fold", "col2im"), "input output_size kernel_size dilation padding stride"),
    **dict.fromkeys(("unfold", "im2col"), "input kernel_size dilation padding stride"),
    **dict.fromkeys(("stft", "istft"), "input n_fft hop_length"),
    **{f"fft_{stem}": "input n dim" for stem in ("fft", "ifft", "rfft", "irfft")},
    **{f"fft_{stem}{n}": "input s dim" for stem in ("fft", "ifft", "rfft", "irfft") for n in "2n"},
    "grid_sample": "input grid mode padding_mode align_corners",
    **dict.fromkeys(("select", "index_select"), "input dim index"),
    "narrow": "input dim start length",
    **dict.fromkeys(
        ("chunk", "split", "tensor_split", "split_with_sizes", "unsafe_chunk"), "input pieces dim"
    ),
    **dict.fromkeys(("index_copy", "index_add"), "input dim index source"),
    **dict.fromkeys(("scatter", "scatter_add"), "input dim index src"),
}
"""The names of the first arguments of a function, in order, by its name."""

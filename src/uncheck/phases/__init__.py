"""One kernel split by output phase: conversions in and out, gains, order, response, matrix, projection.

Every linear upsampler is  y[n] = sum_m h[n - s m] x[m] + b  away from borders; questions are free functions.
"""

from __future__ import annotations

from uncheck.phases.compose import compose
from uncheck.phases.fit import ResizeConvForm, fit_resize_conv, to_resize_conv
from uncheck.phases.from_torch import from_conv, from_conv_transpose, from_pixel_shuffle, from_unpatchify
from uncheck.phases.gains import bias_spread, gain_spread, phase_gains, ripple_amplitude, visible_ripple
from uncheck.phases.kernel import PhaseKernel, phase_sums
from uncheck.phases.order import moment_deviation, strang_fix_order
from uncheck.phases.project import project
from uncheck.phases.resize import from_resize, from_resize_conv
from uncheck.phases.response import (
    ImageRejection,
    bias_vector,
    frequency_response,
    image_rejection_db,
    matrix,
)
from uncheck.phases.to_torch import (
    ConvTransposeForm,
    PixelShuffleForm,
    even_bias,
    pixel_shuffle,
    to_conv_transpose,
    to_pixel_shuffle,
)

__all__ = [
    "ConvTransposeForm",
    "ImageRejection",
    "PhaseKernel",
    "PixelShuffleForm",
    "ResizeConvForm",
    "bias_spread",
    "bias_vector",
    "compose",
    "even_bias",
    "fit_resize_conv",
    "frequency_response",
    "from_conv",
    "from_conv_transpose",
    "from_pixel_shuffle",
    "from_resize",
    "from_resize_conv",
    "from_unpatchify",
    "gain_spread",
    "image_rejection_db",
    "matrix",
    "moment_deviation",
    "phase_gains",
    "phase_sums",
    "pixel_shuffle",
    "project",
    "ripple_amplitude",
    "strang_fix_order",
    "to_conv_transpose",
    "to_pixel_shuffle",
    "to_resize_conv",
    "visible_ripple",
]

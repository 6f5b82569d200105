"""The table of torch functions: names in groups, with a criterion for each group.

A name in no group is unsupported. Names are canonical: no double underscores, no in-place `_`,
no `r` or `i` of reflected and augmented operators, so that `__iadd__`, `add_` and `__radd__` are all `add`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OperationGroup:
    """Functions that do the same to the grid of positions.

    Attributes:
        name: one word or two.
        criterion: why the effect on the grid is known, in a sentence.
        handled: True when reading follows the effect, False when there is none to follow.
        names: canonical function names.
    """

    name: str
    criterion: str
    handled: bool
    names: frozenset[str]


def _dims(stem: str, *, suffix: str = "d") -> str:
    return " ".join(f"{stem}{n}{suffix}" for n in (1, 2, 3))


def _group(name: str, criterion: str, handled: bool, *names: str) -> OperationGroup:
    return OperationGroup(name, criterion, handled, frozenset(" ".join(names).split()))


CONVOLUTION = _group(
    "convolution", "its stride and padding are read", True, _dims("conv"), "convolution _convolution"
)
TRANSPOSED = _group("transposed convolution", "read as a stage", True, _dims("conv_transpose"))
RESIZE = _group(
    "resize", "read as a stage", True, "interpolate upsample upsample_nearest upsample_bilinear",
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_linear1d upsample_bilinear2d",
    "upsample_trilinear3d upsample_bicubic2d _upsample_bicubic2d_aa _upsample_bilinear2d_aa",
    "_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d",
)  # fmt: skip
SHUFFLE = _group("pixel shuffle", "read as a stage", True, "pixel_shuffle")
UNSHUFFLE = _group("pixel unshuffle", "read as a strided step", True, "pixel_unshuffle")
UNPOOL = _group("unpooling", "read as a stage", True, _dims("max_unpool"))
POOL = _group(
    "pooling", "its stride is read", True,
    _dims("max_pool"), _dims("avg_pool"), _dims("max_pool", suffix="d_with_indices"), _dims("lp_pool"),
    _dims("adaptive_avg_pool"), _dims("adaptive_max_pool"), _dims("adaptive_max_pool",
    suffix="d_with_indices"),
)  # fmt: skip
PAD = _group("padding", "shifts the grid by whole positions", True, "pad constant_pad_nd",
             _dims("reflection_pad"), _dims("replication_pad"))  # fmt: skip
FOLD = _group("overlap-add", "read as a stage", True, "fold col2im istft")
UNFOLD = _group("overlapping blocks", "their stride is read", True, "unfold im2col stft")
SAMPLING = _group("sampling", "its grid is constant and regular, and read", True, "grid_sample")
FOURIER = _group(
    "Fourier transform", "there and back it keeps the grid, or is read as a stage", True,
    "fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn fft_ifftn",
    "fft_rfftn fft_irfftn fft_fftshift fft_ifftshift",
)  # fmt: skip
RESHAPE = _group(
    "reshape", "followed position by position", True,
    "view reshape flatten unflatten ravel view_as reshape_as _unsafe_view unsafe_view",
)  # fmt: skip
STRIDED_VIEW = _group(
    "view", "followed position by position", True,
    "permute transpose swapaxes swapdims swap_dims movedim moveaxis t T mT H mH adjoint squeeze unsqueeze",
    "expand expand_as broadcast_to narrow select chunk split tensor_split unbind getitem hsplit vsplit",
    "dsplit atleast_1d atleast_2d atleast_3d unsafe_chunk unsafe_split split_with_sizes rot90 numpy_T",
    "as_subclass broadcast_tensors",
)  # fmt: skip
REPEAT = _group("repetition", "followed position by position", True, "repeat_interleave repeat tile")
COMPLEX = _group("complex pairs", "followed position by position", True, "view_as_complex view_as_real")
MOVE = _group(
    "movement", "moves the grid by whole positions and keeps its period", True, "roll flip fliplr flipud",
    "channel_shuffle native_channel_shuffle",
)  # fmt: skip
JOIN = _group(
    "joining", "puts grids side by side, as channels or positions", True,
    "cat concat concatenate stack hstack vstack dstack column_stack block_diag",
)  # fmt: skip
POINTWISE = _group(
    "pointwise", "treats each position alike", False,
    "add sub subtract mul multiply div divide truediv true_divide floordiv floor_divide mod remainder",
    "fmod pow neg negative pos positive abs absolute sign sgn exp exp2 expm1 log log2 log10 log1p sqrt",
    "rsqrt square reciprocal sin cos tan asin acos atan atan2 arctan arctan2 sinh cosh asinh acosh atanh",
    "erf erfc erfinv sinc sigmoid tanh relu relu6 leaky_relu prelu rrelu elu celu selu gelu silu mish",
    "hardtanh hardswish hardsigmoid hardshrink softshrink tanhshrink softplus softsign logsigmoid",
    "threshold logit glu log_sigmoid clamp clip clamp_min clamp_max minimum maximum fmin fmax where",
    "masked_fill lerp addcmul addcdiv nan_to_num round floor ceil trunc frac rint fix isnan isinf",
    "isfinite eq ne lt le gt ge equal_to logical_not less greater less_equal greater_equal not_equal",
    "isclose copysign polygamma lgamma digamma float_power logical_and logical_or logical_xor and or xor",
    "invert bitwise_not bitwise_and bitwise_or bitwise_xor lshift rshift hypot xlogy logaddexp ldexp",
    "signbit heaviside deg2rad rad2deg i0 bernoulli threshold rsub fake_quantize_per_tensor_affine",
    "fake_quantize_per_channel_affine swiglu matrix_exp complex polar conj conj_physical angle real imag",
    "registered_pointwise",
)  # fmt: skip
NORM = _group(
    "normalisation", "statistics over positions, then alike at each position", False,
    "batch_norm instance_norm group_norm layer_norm rms_norm local_response_norm normalize",
    "native_batch_norm native_group_norm native_layer_norm cosine_similarity sync_batch_norm renorm",
)  # fmt: skip
DROPOUT = _group(
    "dropout", "does nothing in eval mode", False,
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout",
)  # fmt: skip
CHANNELS = _group(
    "channel mixing", "mixes channels, or positions by a matrix that knows no grid", False,
    "linear bilinear matmul mm bmm addmm baddbmm addbmm mv dot einsum tensordot inner outer ger addmv kron",
    "chain_matmul multi_dot cross",
)  # fmt: skip
ATTENTION = _group(
    "attention", "mixes positions by content and keeps the grid", False,
    "scaled_dot_product_attention multi_head_attention_forward",
    "_native_multi_head_attention _transformer_encoder_layer_fwd flex_attention cumsum cumprod",
    "logcumsumexp flash_attn_func memory_efficient_attention",
)  # fmt: skip
SOFTMAX = _group(
    "softmax", "shares out along one axis and keeps each position", False,
    "softmax log_softmax softmin gumbel_softmax",
)  # fmt: skip
RECURRENT = _group(
    "recurrence", "runs along a sequence, one step for each position", False,
    "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
    "_pack_padded_sequence _pad_packed_sequence pad_sequence pack_padded_sequence pad_packed_sequence",
)  # fmt: skip
REDUCTION = _group(
    "reduction", "sums over positions or channels, which leaves no grid along them", False,
    "mean sum std var std_mean var_mean max min amax amin aminmax argmax argmin prod norm vector_norm",
    "logsumexp any all nansum nanmean median nanmedian mode quantile nanquantile cummax cummin",
    "count_nonzero frobenius_norm linalg_norm linalg_vector_norm matrix_norm trace dist cdist",
    "pairwise_distance mse_loss l1_loss smooth_l1_loss huber_loss cross_entropy nll_loss kl_div",
    "binary_cross_entropy binary_cross_entropy_with_logits",
)  # fmt: skip
LOOKUP = _group(
    "lookup", "reads a table of learned vectors, one for each token", False, "embedding embedding_bag",
    "one_hot",
)  # fmt: skip
CREATION = _group(
    "creation", "makes a constant or noise that owes nothing to the input", False,
    "zeros ones full empty eye arange range linspace logspace tensor as_tensor scalar_tensor rand randn",
    "randint randperm normal zeros_like ones_like full_like empty_like rand_like randn_like randint_like",
    "new_zeros new_ones new_full new_empty new_tensor meshgrid tril triu tril_indices triu_indices",
    "hann_window hamming_window blackman_window kaiser_window bartlett_window empty_strided",
    "new_empty_strided cartesian_prod uniform exponential zero fill constant random log_normal",
    "cauchy poisson combinations vander kaiming_uniform kaiming_normal xavier_uniform xavier_normal",
    "trunc_normal sym_int diag diagonal diag_embed broadcast_shapes asarray",
    "fft_fftfreq fft_rfftfreq from_numpy frombuffer sparse_coo_tensor",
)  # fmt: skip
PASSING = _group(
    "passing on", "the same values in another type, place or memory", False,
    "to type float double half bfloat16 int long short byte char bool cpu cuda contiguous clone detach",
    "requires_grad data copy type_as alias lift_fresh pin_memory resolve_conj",
    "resolve_neg real_if_close view_dtype checkpoint deepcopy share_memory rename",
    "refine_names align_to identity deepcopy retain_grad detach_copy",
)  # fmt: skip
REGISTERED = _group("registered", "was registered as keeping positions", True, "registered_keeping")
SCALING = _group("registered scale", "was registered with a scale", True, "registered_scaling")
WEIGHTS = _group(
    "weight making", "makes a weight from stored ones", False,
    "_weight_norm norm_except_dim _weight_norm_interface",
)  # fmt: skip

GROUPS = (
    *(CONVOLUTION, TRANSPOSED, RESIZE, SHUFFLE, UNSHUFFLE, UNPOOL, POOL, PAD, RESHAPE, STRIDED_VIEW, REPEAT),
    *(
        FOLD,
        UNFOLD,
        FOURIER,
        SAMPLING,
        COMPLEX,
        SOFTMAX,
        MOVE,
        JOIN,
        POINTWISE,
        NORM,
        DROPOUT,
        CHANNELS,
        ATTENTION,
    ),
    *(RECURRENT, REDUCTION, LOOKUP, CREATION, PASSING, WEIGHTS, REGISTERED, SCALING),
)
KEEPING = POINTWISE.names | NORM.names | DROPOUT.names | PASSING.names
"""Functions that keep each value at its position."""
RANDOM = frozenset(
    {"rand", "randn", "randint", "normal", "rand_like", "randn_like", "uniform", "random", "exponential"}
)
"""Functions that draw noise: a signal as good as the input when a generator draws its own codes."""

_OPERATORS = frozenset(
    {
        *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "div", "and", "or", "xor"),
        *("lshift", "rshift"),
    }
)
_ATEN = {
    "_to_copy": "to",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "_reshape_alias": "reshape",
    "slice": "narrow",
    "lift_fresh_copy": "lift_fresh",
    "_adaptive_avg_pool1d": "adaptive_avg_pool1d",
    "_adaptive_avg_pool2d": "adaptive_avg_pool2d",
    "_adaptive_avg_pool3d": "adaptive_avg_pool3d",
    "_native_batch_norm_legit": "native_batch_norm",
    "_native_batch_norm_legit_no_training": "native_batch_norm",
    "_batch_norm_with_update": "native_batch_norm",
    "_scaled_dot_product_flash_attention_for_cpu": "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention": "scaled_dot_product_attention",
    "_scaled_dot_product_efficient_attention": "scaled_dot_product_attention",
    "_scaled_dot_product_attention_math": "scaled_dot_product_attention",
}
"""Functions of torch's dispatcher by the names that people call them by."""
_GROUP_OF = {name: group for group in GROUPS for name in group.names}


TAUGHT: dict[str, str] = {}
"""The names of what `uncheck.reading.register` was given, and the names that the tables have for that."""


def canonical(name: str) -> str:
    """Return one name for all spellings of a function: `__iadd__`, `add_` and `__radd__` give `add`."""
    if name in TAUGHT:
        return TAUGHT[name]
    if name.startswith("aten::"):
        name = name.removeprefix("aten::")
        return _ATEN.get(name.removesuffix("_"), name.removesuffix("_"))
    if name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
        if name[:1] in ("r", "i") and name[1:] in _OPERATORS:
            name = name[1:]
        return name
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


def group_of(name: str) -> OperationGroup | None:
    """Return the group of a function, by any spelling of its name; None if it is unsupported."""
    return _GROUP_OF.get(canonical(name))


def is_in_place(name: str) -> bool:
    """Test whether the spelling says that a function writes to its first argument: `add_`, `__iadd__`."""
    if name.startswith("__") and name.endswith("__"):
        return name[2:3] == "i" and name[3:-2] in _OPERATORS
    return name.endswith("_")

"""Tests for exporters, transforms and watchers of torch calls, which get the two plain steps."""

from __future__ import annotations

import torch
from torch.overrides import _get_current_function_mode_stack


def exporting() -> bool:
    """Test whether a graph is being exported (torch.export, torch.onnx), not compiled for running now."""
    found = getattr(torch.compiler, "is_exporting", None)
    return bool(found()) if found is not None else False


_MODES = getattr(torch._C, "_len_torch_function_stack", None)
_TRANSFORMS = getattr(torch._C, "_are_functorch_transforms_active", None)


def watched() -> bool:
    """Test whether a function mode watches the torch calls, or a transform such as vmap runs them.

    A watcher, such as `uncheck.inspect`, shall see a resize and a convolution; a transform needs calls it has
    rules for. Both questions are answered by private functions of torch: where one is gone, the answer is no.
    A mode that only puts resizes off, as in the networks of `uncheck.fuse`, does not watch.
    """
    if _MODES is not None and _MODES() > 0:
        modes = _get_current_function_mode_stack()  # type: ignore[no-untyped-call]
        if not all(getattr(mode, "defers", False) for mode in modes):
            return True
    return _TRANSFORMS is not None and _TRANSFORMS()


def tracing() -> bool:
    """Test whether torch.jit.trace, or an export through it, records the calls."""
    return torch._C._get_tracing_state() is not None

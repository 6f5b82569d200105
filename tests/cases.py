"""A `Case` of repairing made by hand."""

from uncheck.reading import record
from uncheck.repairing.case import Case


def calls_of(inputs):
    """Calls of one or several inputs."""
    return tuple(one if isinstance(one, tuple) else (one,) for one in inputs)


def make_case(
    model,
    *inputs,
    held=None,
    ndim=2,
    periods=None,
    faulty=None,
    scale=(2.0, 2.0),
    span=(0.0, 1.0),
    recorded=True,
):
    """A case whose calls to fit on are these inputs, and to judge on `held`, or the same.

    Periods are those of the stages, and all of them are faulty, unless given. Nothing that judges reads the
    recording: `recorded` says whether one is made.
    """
    model = model.eval().requires_grad_(False)
    fit = calls_of(inputs)
    recording = record(model, *fit[0]) if recorded else None
    if periods is None:
        periods = tuple(sorted({max(s.output_period) for s in recording.stages if s.output_period}))
    return Case(
        model=model,
        fit=fit,
        held=fit if held is None else calls_of(held),
        recording=recording,
        which=None,
        ndim=ndim,
        span=span,
        periods=periods,
        faulty=periods if faulty is None else faulty,
        scale=scale,
    )

"""Curves of lattice strength over training as they are known to look, with correlated noise."""

import numpy as np

END = 10_000
VISIBLE = 0.3

#: Each takes steps and a generator of random numbers; what it ends at is its last value at END.
KINDS = {
    "power law to below": lambda t, r: 10 ** r.uniform(-1.5, -0.7) * (t / END) ** -r.uniform(1, 2),
    "power law, stays above": lambda t, r: r.uniform(0.6, 3) * (t / END) ** -r.uniform(0.1, 0.6),
    "exponential to below": lambda t, r: r.uniform(2, 10) * np.exp(-t / END / r.uniform(0.08, 0.25)),
    "falls to a plateau above": lambda t, r: (
        r.uniform(0.6, 5) + r.uniform(2, 10) * np.exp(-t / END / r.uniform(0.02, 0.2))
    ),
    "constant": lambda t, r: r.uniform(0.6, 5) + 0 * t,
    "growing": lambda t, r: r.uniform(0.6, 5) * (t / END) ** r.uniform(0.1, 1),
    "clean": lambda t, r: r.uniform(0, 0.15) + 0 * t,
    "falls with the learning rate at the end": lambda t, r: (
        r.uniform(0.6, 3) * 0.5 * (1 + np.cos(np.pi * t / END)) + 0.05
    ),
}
#: The one kind whose future is not in its past.
UNFORESEEN = "falls with the learning rate at the end"


def curve(kind, seed, share, correlation, noise, points=100):
    """Steps and strengths up to a share of training, and the noiseless strength at its end."""
    steps = np.arange(1, points * share + 0.5) * END / points
    strengths = KINDS[kind](steps, np.random.default_rng(seed))
    final = float(KINDS[kind](np.array([float(END)]), np.random.default_rng(seed))[0])
    rng = np.random.default_rng([seed, 1])
    wobble = rng.normal(0, noise, len(steps))
    for i in range(1, len(steps)):
        wobble[i] = correlation * wobble[i - 1] + (1 - correlation**2) ** 0.5 * wobble[i]
    return steps, strengths * np.exp(wobble), final


def is_false(verdict, final):
    """Whether the end contradicts a verdict."""
    below = final < VISIBLE
    return (verdict == "will not fade" and below) or (verdict in ("fading", "clean") and not below)

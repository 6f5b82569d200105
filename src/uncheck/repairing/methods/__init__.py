"""The methods of repair, one file each, cheapest first for whoever runs the repaired network."""

from uncheck.repairing.methods.method import Method

METHODS = (
    Method("project", "making the gains of its output phases equal", (0.06, 0.25)),
    Method("match", "making the means and variances of its output phases equal", (0.08, 0.25)),
    Method("distill", "training a copy without the fault", takes=("seconds", "seed", "checkpoint")),
    Method("spin", "averaging over shifts of the input", (0.3, 0.3), last_resort=True),
)

__all__ = ["METHODS", "Method"]

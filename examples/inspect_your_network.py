"""Find the layer that makes the grid of the demo network; put yours in its place."""

import uncheck
from uncheck.demo import load, pictures

network = load()  # any torch.nn.Module
example = pictures()[:1, :, :128, :128]  # a real input: a tensor, or a tuple of several

found = uncheck.inspect(network, example)
print(f"verdict: {found.verdict}")
for component in found.lattice:
    print(
        f"period {max(component.period)}: {component.amplitude:.1f} grey levels, p = {component.p_value:.0e}"
    )
for report in found.stages:
    blame = "-" if report.blame is None else f"{report.blame.share:.0%}"
    print(f"{report.stage}, gain spread {report.gain_spread:.2f}, blame {blame}")

"""Strided layers and max-pooling, whose gradient has a grid."""

from __future__ import annotations

from uncheck.advising.cures import fixed
from uncheck.advising.fault import Cause, Cure, Finding

STRIDED_GRADIENT = Cause(
    name="strided-gradient",
    title="Gradients of strided convolutions and max-pooling",
    synonyms=("gradient", "max-pool", "max pooling", "stride", "deep dream", "saliency", "MaxPool2d"),
    meaning="The gradient of a strided convolution is a transposed convolution, with the same uneven "
    "overlap; that of max-pooling goes to one pixel of each window. So pictures made by following a"
    " gradient (deep dream, style transfer, saliency maps, adversarial noise) have the grid of the "
    "network that is read.",
    signs=("`uncheck inspect --gradient` finds a lattice of the gradient and names the strided layers.",),
    cures=(
        Cure(
            "average the gradient over random shifts of the input",
            "one more pass for each shift",
            True,
            code=fixed(
                "shift = [int(n) for n in torch.randint(0, 8, (2,))]; x = torch.roll(x, shift, dims=(-2, -1))"
            ),
        ),
        Cure(
            "blur before subsampling, and train on",
            "further training",
            False,
            code=fixed("uncheck.layers.blur_strided(torch.nn.Conv2d(64, 128, 3, stride=2, padding=1))"),
        ),
    ),
    findings=(
        Finding(
            "Trained, the gradient of a k3 layer of stride 2 has a lattice of 26.1 levels (42.5 are one "
            "standard deviation), k4 11.8, stride 1 none; BlurConv 0.0.",
            "experiments/gradients/README.md",
        ),
        Finding(
            "Pictures that follow the gradient of a k3 layer: 54.3 grey levels at a fixed position, 8.5 "
            "with random shifts of 0 to 7 pixels.",
            "experiments/gradients/README.md",
        ),
        Finding(
            "Max-pooling with windows that overlap (3, stride 2): 17.1 levels; without overlap (2) 0.5, but"
            " 30.8 on flat colour.",
            "experiments/gradients/README.md",
        ),
    ),
)

"""Tones of sound that is upsampled."""

from __future__ import annotations

from uncheck.advising.cures import REPAIR, SWAP, fixed
from uncheck.advising.fault import Cause, Cure

SOUND = Cause(
    name="sound",
    title="Tones: upsampling of sound",
    synonyms=("vocoder", "audio", "tone", "tones", "whistle", "buzz", "hum"),
    meaning="Decoders of sound enlarge by strides of 2 to 16. What is a grid in pictures is a tone in sound: "
    "lines at the sample rate divided by the stride, whatever is said or played.",
    signs=("Constant lines in the spectrogram, at multiples of the sample rate over the total stride.",),
    cures=(
        Cure(
            "inspect the network that made it, which names the layer",
            "some forward passes",
            True,
            code=fixed("uncheck.inspect(model, example_input, rate=16000)"),
        ),
        REPAIR,
        SWAP,
    ),
)

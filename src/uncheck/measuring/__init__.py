"""Arrays in, numbers out: the lattice of pictures, its significance, strength and look-alikes."""

from uncheck.measuring.colour.brightness import Dependence, brightness_dependence
from uncheck.measuring.lattice import Component, Lattice, Line, find_lattice, synthesise
from uncheck.measuring.measure import check_options, measure
from uncheck.measuring.result import ImageMeasurement, Measurement
from uncheck.measuring.sound.tones import Tone, find_tones
from uncheck.signals.levels import infer_range, to_levels
from uncheck.signals.pictures import Picture, expand, read_picture
from uncheck.signals.signal import Signal

__all__ = [
    "Component",
    "Dependence",
    "ImageMeasurement",
    "Lattice",
    "Line",
    "Measurement",
    "Picture",
    "Signal",
    "Tone",
    "brightness_dependence",
    "check_options",
    "expand",
    "find_lattice",
    "find_tones",
    "infer_range",
    "measure",
    "read_picture",
    "synthesise",
    "to_levels",
]

"""Arrays in, numbers out: the lattice of pictures, its significance, strength and look-alikes."""

from uncheck.measuring.colour.brightness import Dependence, brightness_dependence
from uncheck.measuring.components import Component, Lattice, Line, synthesise
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.measure import measure
from uncheck.measuring.result import ImageMeasurement, Measurement
from uncheck.measuring.sound.tones import Tone, find_tones
from uncheck.signals import Picture, Signal, expand, infer_range, read_picture, to_levels

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
    "expand",
    "find_lattice",
    "find_tones",
    "infer_range",
    "measure",
    "read_picture",
    "synthesise",
    "to_levels",
]

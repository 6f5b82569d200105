"""Finished pictures without their lattice: it is estimated, and subtracted; nothing else is changed.

`clean` takes arrays and tensors; a `Profile` holds what a network's lattice is, from many of its outputs.
"""

from uncheck.cleaning.clean import clean
from uncheck.cleaning.profile import Profile, profile
from uncheck.cleaning.result import CleanedImage, Cleaning, Taken

__all__ = ["CleanedImage", "Cleaning", "Profile", "Taken", "clean", "profile"]

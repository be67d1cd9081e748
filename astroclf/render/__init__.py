# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Rendering: from linear pixels to the RGB image that people and the network see."""

from astroclf.render.reduction import fill_empty, fit_inside, keep_points, reduce_image
from astroclf.render.stretching import Stretch, to_rgb
from astroclf.render.views import VIEWS, View, parts_of, rotations

__all__ = [
    "VIEWS",
    "Stretch",
    "View",
    "fill_empty",
    "fit_inside",
    "keep_points",
    "parts_of",
    "reduce_image",
    "rotations",
    "to_rgb",
]

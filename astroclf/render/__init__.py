# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Rendering: from linear pixels to the RGB image that people and the network see."""

from astroclf.render.reduction import fill_empty, fit_inside, keep_points, reduce_colours, reduce_image
from astroclf.render.stretching import STRETCHES, Stretch, to_rgb
from astroclf.render.views import ORIENTATIONS, VIEWS, View, orient, orient_back, parts_of, turn

__all__ = [
    "ORIENTATIONS",
    "STRETCHES",
    "VIEWS",
    "Stretch",
    "View",
    "fill_empty",
    "fit_inside",
    "keep_points",
    "orient",
    "orient_back",
    "parts_of",
    "reduce_colours",
    "reduce_image",
    "to_rgb",
    "turn",
]

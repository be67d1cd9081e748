# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Rendering: from linear pixels to the RGB image that people and the network see."""

from astroclf.render.reduction import fit_inside, reduce_image
from astroclf.render.stretching import choose_scales, to_rgb

__all__ = ["choose_scales", "fit_inside", "reduce_image", "to_rgb"]

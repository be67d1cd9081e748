# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Cleaning: sky background and noise, cosmic rays."""

from astroclf.clean.background import Sky, estimate_sky
from astroclf.clean.cosmic_rays import CosmicRays

__all__ = ["CosmicRays", "Sky", "estimate_sky"]

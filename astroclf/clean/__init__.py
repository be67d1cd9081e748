# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Cleaning: cosmic rays, sky background and noise, the pattern of the electronics."""

from astroclf.clean.background import Background, Sky, find_sources
from astroclf.clean.cosmic_rays import CosmicRays
from astroclf.clean.pattern import Pattern

__all__ = ["Background", "CosmicRays", "Pattern", "Sky", "find_sources"]

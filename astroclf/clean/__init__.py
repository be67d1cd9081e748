# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Cleaning: sky background and noise, cosmic rays."""

from astroclf.clean.background import Sky, estimate_sky

__all__ = ["Sky", "estimate_sky"]

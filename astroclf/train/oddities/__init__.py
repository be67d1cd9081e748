# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Frames of what is outside the taxonomy: spectra, test patterns, pages, photographs."""

from astroclf.train.oddities.core import FITTED, KINDS, Kind, make_oddity, make_photograph

__all__ = ["FITTED", "KINDS", "Kind", "make_oddity", "make_photograph"]

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The door: whatever an astronomer owns becomes a `Frame`."""

from astroclf.frames.frame import Facts, Frame, Origin

__all__ = ["Facts", "Frame", "Origin"]

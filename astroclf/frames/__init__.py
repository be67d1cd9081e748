# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The door: whatever an astronomer owns becomes a `Frame`."""

from astroclf.frames.frame import Facts, Frame, Origin
from astroclf.frames.reader import LAYOUTS, read_frame

__all__ = ["LAYOUTS", "Facts", "Frame", "Origin", "read_frame"]

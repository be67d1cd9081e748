# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The door: whatever an astronomer owns becomes a `Frame`."""

from astroclf.frames.frame import Exposure, Facts, Frame, Origin
from astroclf.frames.reader import read_frame
from astroclf.frames.registry import GENERIC, LAYOUTS

__all__ = ["GENERIC", "LAYOUTS", "Exposure", "Facts", "Frame", "Origin", "read_frame"]

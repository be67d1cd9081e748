# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The layouts of files that can be read."""

from astroclf.frames.layouts.acs import HRC, SBC, WFC
from astroclf.frames.layouts.colour import BAYER, RGB
from astroclf.frames.layouts.drizzled import DRIZZLED
from astroclf.frames.layouts.foc import FOC
from astroclf.frames.layouts.ground import CCD, MOSAIC
from astroclf.frames.layouts.jwst import JWST
from astroclf.frames.layouts.nicmos import NICMOS
from astroclf.frames.layouts.plain import PLAIN, SCIENCE
from astroclf.frames.layouts.stis import STIS
from astroclf.frames.layouts.wfc3_ir import IR
from astroclf.frames.layouts.wfc3_uvis import UVIS
from astroclf.frames.layouts.wfpc2 import WFPC2

__all__ = ["CAMERAS", "GENERIC", "LAYOUTS"]

CAMERAS = (WFC, HRC, SBC, UVIS, IR, NICMOS, STIS, FOC, JWST, WFPC2)
"""Layouts of one camera or observatory, as its pipeline writes them."""

GENERIC = (MOSAIC, SCIENCE, BAYER, RGB, CCD, PLAIN)
"""Layouts that go by what headers say, whichever camera it was."""

LAYOUTS = (DRIZZLED, *CAMERAS, *GENERIC)
"""
The layouts, in the order in which they are asked whether a file is theirs.

Each has a ``name``; ``matches(hdul)``, which looks at headers only; and ``read(hdul, name)``, which returns a
`~astroclf.frames.reading.Reading` and calls the file ``name`` in messages.
"""

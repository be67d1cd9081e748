# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""WFC3 ultraviolet and visible channel."""

from astroclf.frames.layouts.ccd import CCDCamera
from astroclf.frames.layouts.overscan import ChipGeometry
from astroclf.frames.quality import WFC3_UVIS

__all__ = ["UVIS"]

UVIS = CCDCamera(
    name="wfc3_uvis",
    instrument="WFC3",
    detector="UVIS",
    chip=ChipGeometry((2051, 4096), prescan=25, virtual_rows=19, virtual_columns=60),
    bits=WFC3_UVIS,
    gap=31,
    electronics={1.5: {"A": (1.56, 3.03), "B": (1.56, 3.13), "C": (1.56, 3.08), "D": (1.56, 3.18)}},
)
"""Two chips of 4206 x 2070 pixels with 25 columns of physical overscan on either side, 60 virtual columns in
the middle and 19 virtual rows (WFC3 Data Handbook 2.2); a gap of about 31 pixels (WFC3 Instrument Handbook 6.4).
Subarrays have physical overscan only, where they reach the edge (WFC3 Instrument Handbook 5.3.2). Gain and read
noise: CCDTAB ``t291659mi``, as in the header of ib4606c5q."""

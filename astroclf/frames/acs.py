# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ACS Wide Field Channel: raw, flt, flc and crj frames."""

from astroclf.frames.ccd import CCDCamera
from astroclf.frames.quality import ACS

__all__ = ["WFC"]

WFC = CCDCamera(
    name="acs_wfc", instrument="ACS", detector="WFC", chip=(2048, 4096), gap=50,
    prescan=24, virtual_columns=0, virtual_rows=20, bits=ACS,
)  # fmt: skip
"""Two chips of 4144 x 2068 pixels, 24 columns of physical overscan on either side and 20 virtual rows (ACS
ISR 99-05); a gap of about 50 pixels (ACS Instrument Handbook 7.7)."""

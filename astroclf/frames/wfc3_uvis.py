# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""WFC3 ultraviolet and visible channel: raw, flt and flc frames."""

from astroclf.frames.ccd import CCDCamera
from astroclf.frames.quality import WFC3_UVIS

__all__ = ["UVIS"]

UVIS = CCDCamera(
    name="wfc3_uvis", instrument="WFC3", detector="UVIS", chip=(2051, 4096), gap=31,
    prescan=25, virtual_columns=60, virtual_rows=19, bits=WFC3_UVIS,
)  # fmt: skip
"""Two chips of 4206 x 2070 pixels with 25 columns of physical overscan on either side, 60 virtual columns in
the middle and 19 virtual rows (WFC3 Data Handbook 2.2); a gap of 1.2 arcsec (WFC3 Instrument Handbook 6.4)."""

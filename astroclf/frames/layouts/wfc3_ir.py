# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""WFC3 infrared channel: raw, ima, flt and crj frames."""

from astroclf.frames.layouts.ramp import RampCamera
from astroclf.frames.quality import WFC3_IR

__all__ = ["IR"]

IR = RampCamera(
    name="wfc3_ir", instrument="WFC3", detector="IR", fitted="flt", combined="crj", bits=WFC3_IR, struck=8192,
    sides=(64, 128, 256, 512, 1014), border=5, full_well=77900,
    gain=(2.34, 2.37, 2.31, 2.38), readnoise=(20.2, 19.8, 19.9, 20.1), nominal=2.5,
)  # fmt: skip
"""
A raw or ima file holds every read, the last first (hstcal ``doir.c``), with a frame of 5 reference pixels
around full arrays and subarrays; a flt is trimmed (WFC3 Instrument Handbook 5.6). The mean of the reference
pixels left and right, but the outermost, is the bias of a read (``blevcorr.c``); the pipeline converts all of
the array with the mean of the four gains (``flatcorr.c``), those of its table of February 2011
(``t2c16200i_ccd``), as in the headers of its products. Full well: WFC3 Instrument Handbook 5.1.
"""

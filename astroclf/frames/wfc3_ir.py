# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""WFC3 infrared channel: raw, ima and flt frames."""

import numpy as np

from astroclf.frames.ccd import is_exposure, quality_array, science_hdus
from astroclf.frames.frame import Exposure
from astroclf.frames.quality import WFC3_IR
from astroclf.frames.reading import Reading, image_array

__all__ = ["IR"]

_REFERENCE = 5
_SIDE = 1014


class _IR:
    """
    The infrared channel: one array, read many times.

    A flt is one fitted image. A raw or ima holds every read, the last first (hstcal ``doir.c``): of a raw the
    last read minus the first is taken, of an ima with its zeroth read subtracted the last. The 5-pixel border
    of reference pixels is trimmed (WFC3 Data Handbook 2.2).
    """

    name = "wfc3_ir"

    def matches(self, hdul):
        """Return whether a file is a WFC3/IR frame with its SCI extensions."""
        return is_exposure(hdul, "WFC3", "IR")

    def read(self, hdul, name):
        """Return the light that arrived, as a `Reading`."""
        science = science_hdus(hdul)
        last, zeroth = science[0], science[-1]
        data = image_array(hdul, last, name).astype(np.float32)
        used, notes = (last,), ()
        if len(science) > 1 and hdul[0].header.get("ZOFFCORR") != "COMPLETE":
            data = data - image_array(hdul, zeroth, name)
            used, notes = (last, zeroth), ("the last read minus the zeroth",)
        quality, dq = quality_array(hdul, last, data.shape, name)
        border = _REFERENCE if data.shape[0] > _SIDE or len(science) > 1 else 0
        inner = tuple(slice(border, n - border) for n in data.shape)
        bad, saturated, rays = WFC3_IR.split(dq[inner])
        corner = border, border
        return Reading(
            data[inner],
            used,
            quality,
            bad,
            saturated,
            rays,
            layout=self.name,
            exposure=Exposure.RAMP,
            notes=notes,
            corner=corner,
        )


IR = _IR()
"""The layout of WFC3/IR frames."""

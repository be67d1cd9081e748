# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Drizzled products of Hubble: drz and drc of any instrument, Hubble Advanced Products, single drizzled images."""

import re
from collections import ChainMap

import numpy as np
from astropy import units as u

from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.imsets import science_hdus
from astroclf.frames.layouts.plain import without_weight
from astroclf.frames.quality import outside
from astroclf.frames.reading import Reading, image_array, image_shape, is_image

__all__ = ["DRIZZLED"]

_INPUT = re.compile(r"D\d{3}DATA")
_COUNTERS = "SBC", "FUV-MAMA", "NUV-MAMA"
_UNITS = {"cps": u.electron / u.s, "counts": u.electron}
_ALONE = "it was drizzled from a single exposure: its cosmic rays are still there"


class _Drizzled:
    """
    An image that AstroDrizzle or its forerunners put on a grid without distortion.

    It is in a file with the extensions SCI, WHT and CTX; or alone in a file, in the primary HDU or, compressed,
    in an extension (drizzlepac ``outputimage.py``).
    """

    name = "hst_drizzled"

    def matches(self, hdul):
        """Return whether a file holds one image of Hubble's, and that was drizzled."""
        index = _image(hdul)
        if index is None:
            return False
        header = _merged(hdul, index)
        if header.get("TELESCOP") != "HST":
            return False
        weights = [image_shape(hdu) for hdu in hdul if hdu.name == "WHT" and is_image(hdu)]
        return image_shape(hdul[index]) in weights or any(keyword in header for keyword in ("NDRIZIM", "D001DATA"))

    def read(self, hdul, name):
        """Return the image as a `Reading`; it is unexposed where nothing was drizzled."""
        index = _image(hdul)
        data, header = image_array(hdul, index, name), _merged(hdul, index)
        unexposed = without_weight(hdul, data.shape, name)
        if unexposed is None:
            unexposed = outside(np.isfinite(data) & (data != 0))
        exposure = _what_became_of_rays(header)
        return Reading(
            data,
            (index,),
            unexposed=unexposed,
            unit=None if header.get("BUNIT") else _UNITS.get(header.get("D001OUUN")),
            layout=self.name,
            exposure=exposure,
            product="drc" if header.get("PCTECORR") == "COMPLETE" else "drz",
            steps=(f"left out what has no weight, {100 * np.mean(unexposed):.0f} % of the grid",)
            if unexposed.any()
            else (),
            notes=(_ALONE,) if exposure is Exposure.DRIZZLED else (),
        )


def _image(hdul):
    """Return the index of the only SCI extension; without any, of the only image; None if it is not the only one."""
    images = science_hdus(hdul) or [index for index, hdu in enumerate(hdul) if is_image(hdu)]
    return images[0] if len(images) == 1 else None


def _merged(hdul, index):
    """Return the cards of the primary header and, where it is silent, those of the image's."""
    return ChainMap(hdul[0].header, hdul[index].header)


def _what_became_of_rays(header):
    """Return what is to be expected of an image drizzled from as many exposures as its header names."""
    if header.get("DETECTOR") in _COUNTERS or header.get("INSTRUME") == "FOC":
        return Exposure.COUNTER
    if header.get("DETECTOR") == "IR" or header.get("INSTRUME") == "NICMOS":
        return Exposure.RAMP
    files = {str(header[keyword]).partition("[")[0] for keyword in header if _INPUT.fullmatch(keyword)}
    count = len(files) or header.get("NCOMBINE") or header.get("NDRIZIM")
    if not isinstance(count, int):
        return Exposure.UNKNOWN
    return Exposure.COMBINED if count > 1 else Exposure.DRIZZLED


DRIZZLED = _Drizzled()
"""The layout of drizzled images."""

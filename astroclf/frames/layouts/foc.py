# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""FOC: raw (d0f) and calibrated (c0f, c1f) frames of the photon counter that flew until 2002."""

import numpy as np
from astropy.io import fits

from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.geometry import moved_wcs
from astroclf.frames.quality import outside
from astroclf.frames.reading import Reading, image_array, image_wcs, is_image

__all__ = ["FOC"]

_GROUP = "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2"


class _FOC:
    """
    One image in the primary HDU, the world coordinates beside it in a table of one row (waivered FITS).

    Pixels of the zoomed formats (PXFORMT = ZOOM) are twice as wide as high: in a raw frame each is split into
    two of half the counts, as calfoc does (PXLCORR, ``xcalimg.x`` and ``calfoc.x``).
    """

    name = "foc"

    def matches(self, hdul):
        """Return whether a file has an image from the FOC in its primary HDU."""
        return str(hdul[0].header.get("INSTRUME", "")).strip() == "FOC" and is_image(hdul[0])

    def read(self, hdul, name):
        """Return the counts as a `Reading`."""
        header = hdul[0].header
        data = image_array(hdul, 0, name).astype(np.float32)
        zoomed = str(header.get("PXFORMT", "")).strip() == "ZOOM" and header.get("PXLCORR") != "COMPLETE"
        if zoomed:
            data = np.repeat(data / 2, 2, axis=1)
        return Reading(
            data,
            (0,),
            unexposed=_undefined(data, header),
            layout=self.name,
            exposure=Exposure.COUNTER,
            product=_product(header),
            steps=("split zoomed pixels in two, half the counts each",) if zoomed else (),
            notes=_spectrum(header),
            wcs=_wcs(hdul, zoomed),
        )


FOC = _FOC()
"""The layout of FOC frames."""


def _product(header):
    """Return what calfoc made: c0f is geometrically corrected, c1f flat-fielded too (``calfoc.hlp``)."""
    if "COMPLETE" in (header.get("UNICORR"), header.get("SDECORR")):
        return "c1f"
    done = any(header.get(step) == "COMPLETE" for step in ("GEOCORR", "BACCORR", "ITFCORR", "PXLCORR", "WAVCORR"))
    return "c0f" if done else "d0f"


def _spectrum(header):
    """Return a note if the long-slit spectrograph of f/48 was in the beam (``calphot.x``)."""
    relay, mode = (str(header.get(keyword, "")).strip() for keyword in ("OPTCRLY", "SMMMODE"))
    return ("SMMMODE = 'INBEAM': the header says this is a spectrum",) if (relay, mode) == ("F48", "INBEAM") else ()


def _undefined(data, header):
    """Return what the geometric correction could not fill at the edges: it holds GEODEFV; None if that is 0."""
    filling = header.get("GEODEFV") or 0
    return outside(data != filling) if filling and header.get("GEOCORR") == "COMPLETE" else None


def _coordinates(hdul):
    """Return the header with what the table of group parameters knows and the header does not."""
    header = hdul[0].header.copy()
    for hdu in hdul[1:]:
        if isinstance(hdu, fits.TableHDU | fits.BinTableHDU) and "CRVAL1" in hdu.columns.names and len(hdu.data) == 1:
            for keyword in _GROUP:
                if keyword in hdu.columns.names:
                    header.setdefault(keyword, float(hdu.data[keyword][0]))
    return header


def _wcs(hdul, zoomed):
    """Return the celestial WCS, that of split pixels if they were; None if there is none that works."""
    wcs = image_wcs(_coordinates(hdul), hdul)
    return moved_wcs(wcs, (2, 1), (0.5, 0)) if wcs and zoomed else wcs

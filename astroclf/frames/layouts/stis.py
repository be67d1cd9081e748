# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""STIS: raw, flt, crj and rectified frames of its CCD and its two MAMAs."""

import re
from dataclasses import dataclass

import numpy as np
from astropy import units as u

from astroclf.frames.facts import positive
from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.geometry import halved_wcs
from astroclf.frames.layouts.imsets import quality_array, science_hdus
from astroclf.frames.layouts.plain import alone
from astroclf.frames.quality import DQBits, outside
from astroclf.frames.reading import Reading, image_array, image_wcs, unit_of

__all__ = ["STIS"]

_BITS = DQBits(bad=1 | 2 | 4 | 8 | 16 | 32 | 128 | 512, saturated=256, cosmic_ray=4096 | 8192)
"""STIS: lost, bad, beyond the aperture, masked, hot, large blemish, overscan, bad reference; kept: small blemishes
(1024), which calstis' SDQFLAGS keeps, and what is flagged of spectra and charge transfer. hstcal ``stisdq.h``."""

_SIDE, _HIGH_RESOLUTION = 1024, 2048
_SERIAL, _PARALLEL = 19, 20
_BEYOND = 4
_SHORT, _LONG = 5.0, 45.0
_SLACK = 10
_FIELD = re.compile(r"(\d+\.?\d*)\s*[xX]\s*(\d+\.?\d*)")
_CALIBRATIONS = "DQICORR", "BLEVCORR", "DARKCORR", "FLATCORR", "LORSCORR"


@dataclass(frozen=True)
class _Overscan:
    """Where the overscan of a raw CCD frame lies: pixels to trim on each side, and the columns of the bias level."""

    left: int
    right: int
    bottom: int
    top: int
    level: slice


class _STIS:
    """
    A CCD with overscan around it, and two photon counters that may be read at twice the resolution.

    A file of several exposures of one scene (CRSPLIT) has an image set each.
    """

    name = "stis"

    def matches(self, hdul):
        """Return whether a file has SCI extensions from STIS with their errors or data quality beside them."""
        beside = any(hdu.name in ("ERR", "DQ") for hdu in hdul)
        drizzled = any(hdu.name == "WHT" for hdu in hdul)
        return hdul[0].header.get("INSTRUME") == "STIS" and beside and bool(science_hdus(hdul)) and not drizzled

    def read(self, hdul, name):
        """Return the first exposure as a `Reading`; further ones are named in a note."""
        ccd = hdul[0].header.get("DETECTOR") == "CCD"
        return (_read_ccd if ccd else _read_mama)(hdul, name)


STIS = _STIS()
"""The layout of STIS frames."""


def _read_ccd(hdul, name):
    """Return the illuminated pixels of the CCD, in electrons where the gain is known."""
    header, science = hdul[0].header, science_hdus(hdul)
    data = image_array(hdul, science[0], name).astype(np.float32)
    quality, dq = quality_array(hdul, science[0], data.shape, name)
    overscan, notes = (None, ()) if header.get("BLEVCORR") == "COMPLETE" else _overscan(header, data.shape)
    steps, corner = (), (0, 0)
    if overscan:
        lit = np.s_[overscan.bottom : data.shape[0] - overscan.top, overscan.left : data.shape[1] - overscan.right]
        level = float(np.median(data[lit[0], overscan.level]))
        data, dq, corner = data[lit] - np.float32(level), dq[lit], (overscan.bottom, overscan.left)
        steps = (
            f"subtracted the level of the overscan: {level:.1f} DN",
            f"trimmed {overscan.left} + {overscan.right} columns and {overscan.bottom + overscan.top} rows",
        )
    gain, readnoise = positive(header, "ATODGAIN") or positive(header, "CCDGAIN"), positive(header, "READNSE")
    unit = unit_of(hdul[science[0]].header)
    if gain and not notes and str(hdul[science[0]].header.get("BUNIT", "")).strip().upper() == "COUNTS":
        data, unit = data * np.float32(gain), u.electron
        steps += (f"multiplied by the gain of {gain:.4g} e-/DN",)
    bad, saturated, rays = _BITS.split(dq)
    product = _product(header)
    resampled = product in ("x2d", "sx2")
    dark = outside((dq & _BEYOND) == 0) if resampled else _beyond_aperture(header, hdul[science[0]].header, data.shape)
    exposure = {"flt": Exposure.SINGLE, "raw": Exposure.SINGLE, "crj": Exposure.COMBINED, "sx2": Exposure.COMBINED}
    return Reading(
        data, science[:1], quality, bad, saturated, rays, dark, unit, layout=STIS.name,
        exposure=exposure.get(product, Exposure.UNKNOWN), product=product, gain=(gain,) * bool(gain),
        readnoise=(readnoise,) * bool(readnoise), steps=steps, notes=(*notes, *alone(hdul, science)), corner=corner,
    )  # fmt: skip


def _overscan(header, shape):
    """
    Return where the overscan of a raw frame lies, and a note where that is not known.

    All of it as amplifier A would put it, then mirrored for the one that read (hstcal ``findover.c``).
    """
    (ny, nx), amplifier = shape, str(header.get("CCDAMP", "D")).strip()
    bin_x, bin_y = header.get("BINAXIS1", 1), header.get("BINAXIS2", 1)
    if (bin_x, bin_y) == (1, 1) and (nx, ny) == (_SIDE + 2 * _SERIAL, _SIDE + _PARALLEL):
        left, right, top, level = _SERIAL, _SERIAL, _PARALLEL, (1046, 1060)
    elif (bin_x, bin_y) == (1, 1) and nx == _SIDE + 2 * (_SERIAL - 1) and ny <= _SIDE:
        left, right, top, level = _SERIAL - 1, _SERIAL - 1, 0, (1046, 1059)
    elif bin_x in (1, 2, 4) and bin_y in (1, 2, 4) and (bin_x, bin_y) != (1, 1):
        left = _SERIAL if bin_x == 1 else (_SERIAL + 1) // bin_x
        right = nx - (_SIDE if bin_x == 1 else _SIDE // bin_x - 1) - left
        top, level = ny - _SIDE // bin_y, {1: (1046, 1052), 2: (524, 530), 4: (263, 269)}[bin_x]
    else:
        left = right = top = -1
    if min(left, right, top) < 0 or amplifier not in tuple("ABCD"):
        return None, (f"{nx} x {ny} pixels read by amplifier {amplifier}: no overscan is known, the bias is still in",)
    first, last = level if amplifier in "AC" else (nx - 1 - level[1], nx - 1 - level[0])
    if amplifier in "BD":
        left, right = right, left
    bottom, top = (0, top) if amplifier in "AB" else (top, 0)
    return _Overscan(left, right, bottom, top, slice(first, last + 1)), ()


def _beyond_aperture(header, science, shape):
    """
    Return where a filter smaller than the detector lets no light through; None where there is no such place.

    calstis flags these pixels as bad (4) in the frames it calibrates; where they lie is its rule too (hstcal
    ``flagfilter.c``): beyond APER_FOV, height x width in arcsec around the centre, and 10 pixels more.
    """
    field = _FIELD.fullmatch(str(header.get("APER_FOV", "")).strip())
    columns, rows = (_pixel_size(science, axis) for axis in (1, 2))
    if not field or header.get("OBSTYPE") != "IMAGING" or not min(columns, rows) > 0:
        return None
    height, width = map(float, field.groups())
    if not _SHORT <= height <= _LONG:
        return None
    y, x = np.ogrid[: shape[0], : shape[1]]
    above = np.abs(y - shape[0] / 2) > height / rows / 2 + _SLACK / (positive(header, "BINAXIS2") or 1)
    return above | (np.abs(x - shape[1] / 2) > width / columns / 2 + _SLACK / (positive(header, "BINAXIS1") or 1))


def _pixel_size(header, axis):
    """Return the size of a pixel along an axis in arcsec; 0 if the header does not say."""
    try:
        return 3600 * np.hypot(header.get(f"CD1_{axis}", 0), header.get(f"CD2_{axis}", 0))
    except TypeError:
        return 0


def _read_mama(hdul, name):
    """Return the photons a MAMA counted; those of high-resolution pixels summed by two each way."""
    science = science_hdus(hdul)
    data = image_array(hdul, science[0], name).astype(np.float32)
    quality, dq = quality_array(hdul, science[0], data.shape, name)
    steps, wcs = (), None
    if data.shape == (_HIGH_RESOLUTION, _HIGH_RESOLUTION):
        data, dq = _blocks(data).sum(axis=(1, 3)), np.bitwise_or.reduce(_blocks(dq), axis=(1, 3))
        steps = ("summed 2 x 2 high-resolution pixels",)
        wcs = halved_wcs(image_wcs(hdul[science[0]].header, hdul))
    bad, saturated, rays = _BITS.split(dq)
    return Reading(
        data, science[:1], quality, bad, saturated, rays, layout=STIS.name, exposure=Exposure.COUNTER,
        product=_product(hdul[0].header), steps=steps, notes=alone(hdul, science), wcs=wcs,
    )  # fmt: skip


def _blocks(array):
    ny, nx = array.shape
    return array.reshape(ny // 2, 2, nx // 2, 2)


def _product(header):
    """Return the name of the product by calstis' switches."""
    combined = header.get("CRCORR") == "COMPLETE"
    if "COMPLETE" in (header.get("GEOCORR"), header.get("X2DCORR")):
        return "sx2" if combined else "x2d"
    if combined:
        return "crj"
    if header.get("RPTCORR") == "COMPLETE":
        return "sfl"
    return "flt" if any(header.get(switch) == "COMPLETE" for switch in _CALIBRATIONS) else "raw"

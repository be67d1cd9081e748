# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Exposures with the CCD cameras, ACS/WFC and WFC3/UVIS: raw frames and what the pipelines make of them."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from astropy.io import fits

from astroclf.datasets import detector
from astroclf.datasets.headers import SERIOUS_FLAGS, extension_header, null_array, plane_wcs, primary_header

__all__ = ["ccd_frame"]

COSMIC_RAY_RATE = 1.1
"""Cosmic rays per second and square centimetre (Miles et al. 2021, ApJ 918, 86)."""

_BAD_COLUMNS = 6
_TRAPPED = 0.5
_WARM, _HOT, _FULL_WELL, _OVERFLOW = 64, 16, 256, 2048
_DARK_ERROR = 0.03


@dataclass(frozen=True)
class _State:
    """Lasting properties of a chip, all of shape (ny, nx): the same in every exposure."""

    flat: np.ndarray
    dark: np.ndarray
    columns: np.ndarray


def ccd_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose a CCD camera.

    Each chip is read out into counts with overscan and bias; calibrated products are made from those counts
    as the pipelines make them, so that frames of one seed show the same exposure in every product. Cosmic
    rays are in the image and not in DQ, as in any single exposure. CTE losses are not simulated: ``flt`` and
    ``flc`` differ in their headers only.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons, sky included.
    rng : `~numpy.random.Generator`
        Source of photon and read noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, then SCI, ERR and DQ of each chip.
    """
    wcs = plane_wcs(shot)
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary_header(shot, 3 * len(shot.camera.chips)))])
    for extver, chip in enumerate(shot.camera.chips, 1):
        state = _state(shot.camera, chip)
        part = light[chip.row : chip.row + shot.camera.shape[0]]
        counts, full = _read_out(shot, chip, part, state, rng, cosmic_rays)
        headers = [
            extension_header(shot, name, extver, unit, chip, wcs)
            for name, unit in zip(("SCI", "ERR", "DQ"), _units(shot), strict=True)
        ]
        imset = _calibrated(shot, chip, counts, full, state, headers) if shot.calibrated else _raw(counts, headers)
        for hdu in imset:
            hdus.append(hdu)
    return hdus


def _units(shot):
    return ("ELECTRONS", "ELECTRONS", "UNITLESS") if shot.calibrated else ("COUNTS", "COUNTS", "UNITLESS")


def _state(camera, chip):
    rng = np.random.default_rng(crc32(f"{camera.aperture} {chip.number}".encode()))
    flat = detector.flat_field(camera.shape, rng)
    dark = detector.hot_pixels(camera.shape, rng, camera.hot_fraction, threshold=camera.hot_threshold)
    count = round(_BAD_COLUMNS * camera.shape[1] / 4096)
    columns = detector.bad_columns(camera.shape, rng, max(count, 1))
    return _State(flat, dark + np.float32(camera.dark), columns[::-1] if chip.read_upward else columns)


def _read_out(shot, chip, light, state, rng, cosmic_rays):
    """Return the counts of one chip with overscan, and where its wells were full."""
    camera = shot.camera
    charge = detector.noisy(light * state.flat + state.dark * np.float32(shot.exptime), rng)
    if cosmic_rays:
        count = rng.poisson(COSMIC_RAY_RATE * camera.area * shot.exptime)
        charge += detector.cosmic_rays(camera.shape, rng, count)
    charge[state.columns] *= _TRAPPED
    charge, full = detector.saturate(charge, camera.full_well)
    gain, readnoise, bias = camera.electronics(chip)
    raw = readnoise * rng.standard_normal(camera.raw_shape, dtype=np.float32)
    rows, columns = camera.sections(chip)
    for inside, outside in columns:
        raw[rows, outside] += charge[:, inside]
    return detector.digitise(raw, gain, bias)[0], full


def _raw(counts, headers):
    """Return SCI and the empty ERR and DQ."""
    science, error, quality = headers
    return [fits.ImageHDU(counts, science), null_array(error, counts.shape, -32), null_array(quality, counts.shape, 16)]


def _calibrated(shot, chip, counts, full, state, headers):
    """Return SCI, ERR and DQ: bias and dark subtracted, in electrons, divided by the flat."""
    camera = shot.camera
    gain, readnoise, bias = camera.electronics(chip)
    rows, columns = camera.sections(chip)
    science, error = np.empty(camera.shape, np.float32), np.empty(camera.shape, np.float32)
    overflow = np.empty(camera.shape, bool)
    for inside, outside in columns:
        part = counts[rows, outside]
        overflow[:, inside] = part == np.iinfo(np.uint16).max
        science[:, inside] = (part - bias[outside]) * gain[outside]
        error[:, inside] = np.hypot(readnoise[outside], np.sqrt(np.maximum(science[:, inside], 0)))
    science -= state.dark * np.float32((1 - _DARK_ERROR) * shot.exptime)
    quality = _quality(camera, state) | full * np.int16(_FULL_WELL) | overflow * np.int16(_OVERFLOW)
    headers[0].update(_statistics(quality))
    arrays = (science, error, quality.astype(np.int16))
    return [fits.ImageHDU(array, header) for array, header in zip(arrays, headers, strict=True)]


def _quality(camera, state):
    quality = state.columns * np.int16(camera.column_flag)
    quality |= (state.dark > camera.hot_limit) * np.int16(_HOT)
    quality |= ((state.dark > camera.hot_threshold) & (state.dark <= camera.hot_limit)) * np.int16(_WARM)
    return quality


def _statistics(quality):
    return {
        "NGOODPIX": (int(np.count_nonzero((quality & SERIOUS_FLAGS) == 0)), "number of good pixels"),
        "SDQFLAGS": (SERIOUS_FLAGS, "serious data quality flags"),
    }

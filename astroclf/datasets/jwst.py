# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Images of JWST: count rates fitted up the ramp, calibrated ones, and combinations of dithered exposures."""

from zlib import crc32

import numpy as np
from astropy.io import fits

from astroclf.datasets import detector
from astroclf.datasets.headers import plane_wcs
from astroclf.datasets.headers_jwst import asdf_table, extension_header, primary_header

__all__ = ["jwst_frame"]

_DO_NOT_USE, _SATURATED, _NON_SCIENCE, _DEAD, _HOT, _REFERENCE = 1, 2, 1 << 9, 1 << 10, 1 << 11, 1 << 31
_DEAD_FRACTION = 0.001
_GROUPS = 10
"""A pixel that is full in the first of the groups has no ramp to fit."""
_FLAT_ERROR = 0.004


def jwst_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose a detector of JWST and process the ramps as its pipeline does.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure, of a `~astroclf.datasets.cameras.jwst.JWSTCamera`; its product is ``rate``, ``cal`` or
        ``i2d``.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons in the exposure, sky included.
    rng : `~numpy.random.Generator`
        Source of photon and read noise.
    cosmic_rays : bool, optional
        Without effect: the fit of the ramps has rejected them.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY; SCI, ERR and DQ (rate, cal), or SCI, ERR, CON and WHT (i2d); AREA (cal); the variances; ASDF. SCI
        is in DN/s (rate) or MJy/sr.
    """
    make = _combined if shot.camera.dithers else _exposed
    arrays = make(shot, light, rng)
    wcs = plane_wcs(shot)
    primary = primary_header(shot)
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary)])
    for name, array in arrays.items():
        hdus.append(fits.ImageHDU(array, extension_header(shot, name, wcs)))
    hdus.append(asdf_table(primary, hdus[1:]))
    return hdus


def _exposed(shot, light, rng):
    """Return the arrays of one exposure by the names of their extensions, in their order."""
    camera, amplifier = shot.camera, shot.camera.chips[0].amplifiers[0]
    flat, hot, quality = _state(camera)
    dark = (hot + np.float32(camera.dark)) * np.float32(shot.exptime)
    expected = light * flat + dark
    charge = detector.noisy(expected, rng, amplifier.readnoise)
    quality |= (expected > camera.full_well) * np.uint32(_SATURATED)
    quality |= (expected > camera.full_well * _GROUPS) * np.uint32(_DO_NOT_USE)
    unit = np.float32(amplifier.gain * shot.exptime)
    science, photons = (charge - dark) / unit, np.maximum(charge, 0) / unit**2
    noise = np.full(camera.shape, (amplifier.readnoise / unit) ** 2, np.float32)
    for array in (science, photons, noise):
        array[(quality & _DO_NOT_USE) != 0] = np.nan
    if shot.product == "cal":
        return _calibrated(shot, science, quality, photons, noise, flat)
    error = np.sqrt(photons + noise)
    return {"SCI": science, "ERR": error, "DQ": quality, "VAR_POISSON": photons, "VAR_RNOISE": noise}


def _calibrated(shot, science, quality, photons, noise, flat):
    """Divide by the flat field and convert to surface brightness."""
    scale = np.float32(shot.camera.conversion(shot.filter)) / flat
    science = science * scale
    variances = {
        "VAR_POISSON": photons * scale**2,
        "VAR_RNOISE": noise * scale**2,
        "VAR_FLAT": (science * np.float32(_FLAT_ERROR)) ** 2,
    }
    error = np.sqrt(sum(variances.values()))
    return {"SCI": science, "ERR": error, "DQ": quality, "AREA": np.ones_like(science), **variances}


def _combined(shot, light, rng):
    """Return the arrays of dithered exposures, combined by their mean."""
    camera = shot.camera
    amplifier = camera.chips[0].amplifiers[0]
    covered = _coverage(camera)
    weight = sum((covered >> bit) & 1 for bit in range(len(camera.dithers))).astype(np.float32)
    seen = weight > 0
    share = np.where(seen, weight / len(camera.dithers), 1)
    readnoise = amplifier.readnoise * np.sqrt(np.where(seen, weight, 1))
    charge = detector.noisy(light * share, rng, readnoise) / share
    scale = np.float32(camera.conversion(shot.filter) / (amplifier.gain * shot.exptime))
    variances = {
        "VAR_POISSON": np.maximum(charge, 0) / share * scale**2,
        "VAR_RNOISE": (readnoise / share * scale) ** 2,
        "VAR_FLAT": (charge * scale * np.float32(_FLAT_ERROR)) ** 2,
    }
    arrays = {"SCI": charge * scale, "ERR": np.sqrt(sum(variances.values())), **variances}
    arrays = {name: np.where(seen, array, np.nan).astype(np.float32) for name, array in arrays.items()}
    exposure = np.float32(shot.exptime / len(camera.dithers))
    return {
        "SCI": arrays.pop("SCI"), "ERR": arrays.pop("ERR"), "CON": covered[None], "WHT": weight * exposure, **arrays
    }  # fmt: skip


def _coverage(camera):
    """Return which exposures saw each pixel, one bit each: array of int32."""
    covered = np.zeros(camera.shape, np.int32)
    last_x, last_y = (max(dither[axis] for dither in camera.dithers) for axis in (0, 1))
    first_x, first_y = (min(dither[axis] for dither in camera.dithers) for axis in (0, 1))
    ny, nx = camera.shape[0] - first_y - last_y, camera.shape[1] - first_x - last_x
    for bit, (x, y) in enumerate(camera.dithers):
        covered[y : y + ny, x : x + nx] |= 1 << bit
    return covered


def _state(camera):
    """Return flat field, dark current of hot pixels and data quality: the same in every exposure."""
    rng = np.random.default_rng(crc32(camera.aperture.encode()))
    flat = detector.flat_field(camera.shape, rng)
    dark = detector.hot_pixels(camera.shape, rng, camera.hot_fraction, threshold=camera.hot_threshold)
    quality = (dark > 0) * np.uint32(_HOT | _DO_NOT_USE)
    quality |= (rng.random(camera.shape) < _DEAD_FRACTION) * np.uint32(_DEAD | _DO_NOT_USE)
    quality[:, : camera.masked] |= np.uint32(_NON_SCIENCE | _DO_NOT_USE)
    columns, rows = camera.border
    reference = np.ones(camera.shape, bool)
    reference[rows : camera.shape[0] - rows, columns : camera.shape[1] - columns] = False
    quality[reference] = _REFERENCE | _DO_NOT_USE
    return flat, dark, quality

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Exposures with WFPC2: raw and calibrated frames of its four chips, and their data quality."""

from zlib import crc32

import numpy as np
from astropy.io import fits
from scipy import ndimage

from astroclf.datasets import detector
from astroclf.datasets.ccd import COSMIC_RAY_RATE
from astroclf.datasets.headers import plane_wcs
from astroclf.datasets.headers_wfpc2 import group_cards, group_table, primary_header

__all__ = ["wfpc2_frame"]

_TOP = 4095
_DEFECT, _SATURATED, _WARM = 2, 8, 512
_BAD_COLUMNS = 2
_TRAPPED = 0.5
_DARK_ERROR = 0.03
_LEAST_LIGHT = 0.25


def wfpc2_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose WFPC2.

    Light falls on each chip through the distortion of its optics, less of it beside the edges of the pyramid. In
    calibrated images the loss is made good down to a quarter of the light; the rest stays dark.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure, of a `~astroclf.datasets.cameras.wfpc2.WFPC2Camera`; its product is ``d0m``, ``c0m``, ``c1m``
        or ``c0f``.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons per pixel of WF3, sky included.
    rng : `~numpy.random.Generator`
        Source of photon and read noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY and SCI,1 to SCI,4, in DN: PC1, WF2, WF3, WF4. In ``c0f`` a cube of them, with the table of their
        keywords; in ``c1m`` their flags.
    """
    wcs = plane_wcs(shot)
    images, groups = [], []
    for chip in shot.camera.chips:
        image = _exposed(shot, chip, light, rng, cosmic_rays)
        images.append(image)
        groups.append(group_cards(shot, chip, wcs, image))
    primary = primary_header(shot)
    if shot.product.endswith("f"):
        primary.extend(groups[0])
        table = group_table(groups, f"{shot.rootname}.{shot.product[:-1]}h.tab")
        return fits.HDUList([fits.PrimaryHDU(np.array(images), primary), table])
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary)])
    for version, (image, cards) in enumerate(zip(images, groups), 1):
        unit = "UNITLESS" if shot.product == "c1m" else "COUNTS"
        names = [("EXTNAME", "SCI"), ("EXTVER", version), ("EXPNAME", shot.rootname), ("BUNIT", unit)]
        hdus.append(fits.ImageHDU(image, fits.Header([*names, *cards])))
    return hdus


def _exposed(shot, chip, light, rng, cosmic_rays):
    """Return the image of one chip in the product: counts, calibrated counts or flags."""
    camera, (amplifier,) = shot.camera, chip.amplifiers
    flat, dark, columns = _state(camera, chip)
    rows, places = np.indices(camera.shape)
    share = camera.illumination(chip, places, rows)
    falling = ndimage.map_coordinates(light, camera.on_plane(chip, places, rows)[::-1], order=1, mode="nearest")
    charge = detector.noisy(falling * np.float32(camera.area_of(chip)) * share * flat + dark * shot.exptime, rng)
    if cosmic_rays:
        count = rng.poisson(COSMIC_RAY_RATE * camera.area * shot.exptime)
        charge += detector.cosmic_rays(camera.shape, rng, count)
    charge[columns] *= _TRAPPED
    charge, _ = detector.saturate(charge, camera.full_well)
    charge += np.float32(amplifier.readnoise) * rng.standard_normal(camera.shape, dtype=np.float32)
    counts = np.minimum(detector.digitise(charge, amplifier.gain, amplifier.bias)[0], _TOP)
    if shot.product.startswith("d0"):
        return counts.astype(np.int16)
    if shot.product == "c1m":
        warm = dark > camera.hot_limit
        return (columns * _DEFECT | (counts == _TOP) * _SATURATED | warm * _WARM).astype(np.int16)
    known = dark * np.float32((1 - _DARK_ERROR) * shot.exptime / amplifier.gain)
    return (counts - np.float32(amplifier.bias) - known) / flat / np.where(share > _LEAST_LIGHT, share, 1)


def _state(camera, chip):
    """Return flat field, dark current and bad columns of a chip: the same in every exposure."""
    rng = np.random.default_rng(crc32(f"{camera.instrument} {camera.mode} {chip.number}".encode()))
    flat = detector.flat_field(camera.shape, rng)
    dark = detector.hot_pixels(camera.shape, rng, camera.hot_fraction, threshold=camera.hot_threshold)
    return flat, dark + np.float32(camera.dark), detector.bad_columns(camera.shape, rng, _BAD_COLUMNS)

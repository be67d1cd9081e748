# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Exposures with photon counters: no read noise, no cosmic rays, no full wells."""

from zlib import crc32

import numpy as np
from astropy.io import fits

from astroclf.datasets import detector
from astroclf.datasets.headers import SERIOUS_FLAGS, extension_header, null_array, plane_wcs, primary_header

__all__ = ["counter_frame"]

_BROKEN_ANODE = slice(598, 605)
"""Rows 599 to 605 of the SBC count nothing (ACS Instrument Handbook 4.5.3)."""
_DEAD = 4
_MOST = np.iinfo(np.uint16).max


def counter_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose a photon counter.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected counts, sky included.
    rng : `~numpy.random.Generator`
        Source of photon noise.
    cosmic_rays : bool, optional
        Without effect: one is a single count.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, SCI, ERR and DQ.
    """
    camera, (chip,) = shot.camera, shot.camera.chips
    flat = detector.flat_field(camera.shape, np.random.default_rng(crc32(camera.detector.encode())))
    flat[_BROKEN_ANODE] = 0
    counts = rng.poisson(np.maximum(light * flat + camera.dark * shot.exptime, 0))
    wcs, unit = plane_wcs(shot), "ELECTRONS" if shot.calibrated else "COUNTS"
    science, error, quality = (
        extension_header(shot, name, 1, of, chip, wcs)
        for name, of in (("SCI", unit), ("ERR", unit), ("DQ", "UNITLESS"))
    )
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary_header(shot, 3))])
    if shot.calibrated:
        flags = np.where(flat > 0, 0, _DEAD).astype(np.int16)
        science.update(
            NGOODPIX=(int(np.count_nonzero(flags == 0)), "number of good pixels"),
            SDQFLAGS=(SERIOUS_FLAGS, "serious data quality flags"),
        )
        less_dark = counts - camera.dark * shot.exptime
        arrays = less_dark.astype(np.float32), np.sqrt(counts).astype(np.float32), flags
        imset = [fits.ImageHDU(*pair) for pair in zip(arrays, (science, error, quality), strict=True)]
    else:
        image = fits.ImageHDU(np.minimum(counts, _MOST).astype(np.uint16), science)
        imset = [image, null_array(error, camera.shape, -32), null_array(quality, camera.shape, 16)]
    for hdu in imset:
        hdus.append(hdu)
    return hdus

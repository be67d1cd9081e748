# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Exposures with WFC3/IR: count rates fitted up the ramp of non-destructive reads."""

from zlib import crc32

import numpy as np
from astropy.io import fits

from astroclf.datasets import detector
from astroclf.datasets.headers import SERIOUS_FLAGS, extension_header, plane_wcs, primary_header
from astroclf.datasets.reads import Ramp, good_reads, read_cards, reads_of, stored

__all__ = ["infrared_frame", "read_times"]

_SEQUENCES = {
    "STEP100": (
        2.911756,
        (2.932, 5.865, 8.797, 11.730, 24.230, 49.230, *(99.230605 + 100.000313 * n for n in range(9))),
    ),
    "SPARS25": (0.278, tuple(25.0 * n for n in range(1, 16))),
    "SPARS4": (0.203, (0.303, 0.606, *(3.996 + 4.001 * n for n in range(23)))),
}
"""Seconds to the zeroth read, and from it to the others: WFC3's (WFC3 Instrument Handbook 7.7), then NICMOS's
(calnica ``n_setup.c``; Xu, "New NICMOS Readout Sequences")."""
_FULL_FRAME = (1014, 1014)
_READ_NOISE = 20.5, 12.0
"""Electrons: of a pair of reads, of a ramp of 14 (WFC3 Instrument Handbook 5.7)."""
_BLOBS = 25
_BLOB_RESIDUAL = 0.012
_DEATH_STAR = (358, 55, 26)
_UNSTABLE_FRACTION, _UNSTABLE_NOISE = 0.01, 5.0
_DEAD, _HOT, _UNSTABLE, _SATURATED, _BLOB = 4, 16, 32, 256, 512


def read_times(camera, exptime):
    """
    Return when an infrared array is read without destroying the charge.

    Parameters
    ----------
    camera : `~astroclf.datasets.cameras.Camera`
        WFC3/IR, a subarray of it, or NICMOS; its ``sequence`` says which.
    exptime : float
        Wanted exposure time in seconds; the sequence ends at the read nearest to it.

    Returns
    -------
    zeroth : float
        Seconds from the reset to the zeroth read.
    times : `~numpy.ndarray`, shape (NSAMP,)
        Seconds from the zeroth read, which is the first element, to every read.
    """
    zeroth, later = _SEQUENCES[camera.sequence]
    last = int(np.argmin(np.abs(np.array(later) - exptime)))
    return zeroth, np.array((0.0, *later[: last + 1]))


def infrared_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose WFC3/IR, and fit the ramps for the ``flt`` product as the pipeline does.

    A ``flt`` has no cosmic rays: the fit has rejected them. A pixel that fills up keeps the reads before that
    (SAMP and TIME say how many and how long); one full in the first read keeps the zeroth alone, and one full
    even there has bit 256 in DQ (calwf3, ``cridcalc.c``). A ``raw`` or ``ima`` has the reads that these are
    fitted to.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure; its time is one of those `read_times` allows.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons in the exposure, sky included.
    rng : `~numpy.random.Generator`
        Source of photon and read noise.
    cosmic_rays : bool, optional
        Whether there are any in the reads.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, then SCI, ERR, DQ, SAMP and TIME: of the fit, or of every read, the last one first.
    """
    camera = shot.camera
    flat, dark, quality = _state(camera)
    zeroth, times = read_times(camera, shot.exptime)
    rate = light / np.float32(shot.exptime) * flat + dark
    samples, seconds = good_reads(rate, camera.full_well, zeroth, times)
    noise = _ramp_noise(samples)
    restless = np.where(quality & _UNSTABLE, np.float32(_UNSTABLE_NOISE), 1) * noise
    charge = detector.noisy(np.minimum(rate * seconds, camera.full_well), rng, restless)
    ramp = Ramp(rate, dark, quality, zeroth, times, samples, seconds, charge)
    if shot.product != "flt":
        return _assemble(shot, reads_of(shot, ramp, rng, cosmic_rays=cosmic_rays), ramp)
    quality = quality | (rate * zeroth >= camera.full_well) * np.int16(_SATURATED)
    error = np.sqrt(np.maximum(charge, 0) + noise**2) / seconds
    fit = {
        "SCI": (charge / seconds - dark, "ELECTRONS/S", np.float32),
        "ERR": (error, "ELECTRONS/S", np.float32),
        "DQ": (quality, "UNITLESS", np.int16),
        "SAMP": (samples, "SAMPLES", np.int16),
        "TIME": (seconds, "SECONDS", np.float32),
    }
    return _assemble(shot, [fit], ramp)


def _assemble(shot, imsets, ramp):
    camera, wcs, times = shot.camera, plane_wcs(shot), ramp.times
    primary = primary_header(shot, sum(map(len, imsets)))
    for key, value, comment in (
        ("SAMPZERO", ramp.zeroth, "sample time of the zeroth read (sec)"),
        ("NSAMP", len(times), "number of MULTIACCUM samples"),
        ("SAMP_SEQ", camera.sequence, "MultiAccum exposure time sequence name"),
    ):
        primary.set(key, value, comment, after="SUBTYPE")
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary)])
    for extver, arrays in enumerate(imsets, 1):
        number = len(times) - extver
        for name, (array, unit, dtype) in arrays.items():
            header = extension_header(shot, name, extver, unit, camera.chips[0], wcs)
            if name == "SCI":
                header.extend(read_cards(times, number), end=True)
                header.extend(_quality_cards(arrays["DQ"][0]), end=True)
            hdus.append(stored(array.astype(dtype), header))
    return hdus


def _quality_cards(quality):
    return [
        ("NGOODPIX", int(np.count_nonzero((quality & SERIOUS_FLAGS) == 0)), "number of good pixels"),
        ("SDQFLAGS", SERIOUS_FLAGS, "serious data quality flags"),
    ]


def _ramp_noise(samples):
    """Return the read noise in electrons of a fit to so many reads: its inverse square grows with them."""
    pair, ramp = _READ_NOISE
    weight = pair**-2 + np.maximum(samples - 2, 0) / 12 * (ramp**-2 - pair**-2)
    return (weight**-0.5).astype(np.float32)


def _state(camera):
    """Return flat field, dark current and data quality of the detector: the same in every exposure."""
    rng = np.random.default_rng(crc32(camera.detector.encode()))
    flat = detector.flat_field(_FULL_FRAME, rng)
    dark = detector.hot_pixels(_FULL_FRAME, rng, camera.hot_fraction, threshold=camera.hot_threshold)
    quality = (dark > 0) * np.int16(_HOT) | (rng.random(_FULL_FRAME) < _UNSTABLE_FRACTION) * np.int16(_UNSTABLE)
    for x, y, radius in rng.uniform((0, 0, 5), (1014, 1014, 10), (_BLOBS, 3)):
        inside = _disc(x, y, radius)
        flat[inside] *= 1 - _BLOB_RESIDUAL
        quality[inside] |= _BLOB
    inside = _disc(*_DEATH_STAR)
    flat[inside], quality[inside] = 0, quality[inside] | _DEAD
    x, y = camera.corner
    window = np.s_[y : y + camera.shape[0], x : x + camera.shape[1]]
    return flat[window], dark[window] + np.float32(camera.dark), quality[window]


def _disc(x, y, radius):
    rows, columns = np.ogrid[: _FULL_FRAME[0], : _FULL_FRAME[1]]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2

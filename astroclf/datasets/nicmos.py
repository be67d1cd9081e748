# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Exposures with NICMOS: all reads of the array (raw), and count rates fitted to them (cal)."""

from zlib import crc32

import numpy as np
from astropy.io import fits

from astroclf.datasets import detector
from astroclf.datasets.cards import exposure_cards, image_cards
from astroclf.datasets.headers_legacy import observation_cards, photometry_cards, sky_cards
from astroclf.datasets.infrared import read_times
from astroclf.datasets.reads import Ramp, charges_of, good_reads, read_cards, stored

__all__ = ["nicmos_frame"]

_PEDESTAL, _PATTERN = -20000.0, 300.0
_DEFECTIVE, _SATURATED, _GROT = 32, 64, 16
_GROTS = 30
_STEPS = {
    "ZSIG": "CORR", "ZOFF": "CORR", "MASK": "CORR", "BIAS": "CORR", "NOIS": "CALC", "DARK": "CORR", "NLIN": "CORR",
    "FLAT": "CORR", "UNIT": "CORR", "PHOT": "CALC", "CRID": "CALC",
}  # fmt: skip
"""Calibration steps and what their switches end in (calnica ``n_setup.c``)."""


def nicmos_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose NICMOS in its MULTIACCUM mode.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure; its product is ``raw`` or ``cal``, its time one of those
        `~astroclf.datasets.infrared.read_times` allows.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons in the exposure, sky included.
    rng : `~numpy.random.Generator`
        Source of noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any in the reads; the fit has rejected them.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, then SCI, ERR, DQ, SAMP and TIME: of every read, the last one first, in signed 16-bit counts;
        or of the fit, in counts per second.
    """
    camera = shot.camera
    flat, dark, quality = _state(camera)
    zeroth, times = read_times(camera, shot.exptime)
    rate = light / np.float32(shot.exptime) * flat + dark
    samples, seconds = good_reads(rate, camera.full_well, zeroth, times)
    noise = camera.amplifiers[0].readnoise
    charge = detector.noisy(np.minimum(rate * seconds, camera.full_well), rng, noise)
    ramp = Ramp(rate, dark, quality, zeroth, times, samples, seconds, charge)
    imsets = _reads(camera, ramp, rng, cosmic_rays) if shot.product == "raw" else [_fit(camera, ramp)]
    hdus = fits.HDUList([fits.PrimaryHDU(header=_primary(shot, ramp, 5 * len(imsets)))])
    for extver, arrays in enumerate(imsets, 1):
        for name, (array, unit, dtype) in arrays.items():
            header = fits.Header([*image_cards(shot, name, extver, unit), *sky_cards(shot)])
            if name == "SCI":
                header.extend(read_cards(times, len(times) - extver), end=True)
            hdus.append(stored(array.astype(dtype), header))
    return hdus


def _reads(camera, ramp, rng, cosmic_rays):
    charges, _ = charges_of(camera, ramp, rng, cosmic_rays=cosmic_rays)
    amplifier = camera.amplifiers[0]
    pattern = _PEDESTAL + _PATTERN * rng.standard_normal(camera.shape, dtype=np.float32)
    imsets = []
    for number, charge in enumerate(charges):
        noise = amplifier.readnoise / np.sqrt(2) * rng.standard_normal(camera.shape, dtype=np.float32)
        counts = np.clip(np.rint(pattern + (charge + noise) / amplifier.gain), -32768, 32767)
        imsets.append(
            {
                "SCI": (counts, "COUNTS", np.int16),
                "ERR": (np.zeros(camera.shape), "COUNTS", np.float32),
                "DQ": (np.zeros(camera.shape), "UNITLESS", np.int16),
                "SAMP": (np.full(camera.shape, number + 1), "UNITLESS", np.int16),
                "TIME": (np.full(camera.shape, ramp.zeroth + ramp.times[number]), "SECONDS", np.float32),
            }
        )
    return imsets[::-1]


def _fit(camera, ramp):
    amplifier = camera.amplifiers[0]
    unit = amplifier.gain * ramp.seconds
    error = np.sqrt(np.maximum(ramp.charge, 0) + amplifier.readnoise**2) / unit
    quality = ramp.quality | (ramp.samples == 1) * np.int16(_SATURATED)
    return {
        "SCI": ((ramp.charge - ramp.dark * ramp.seconds) / unit, "COUNTS/S", np.float32),
        "ERR": (error, "COUNTS/S", np.float32),
        "DQ": (quality, "UNITLESS", np.int16),
        "SAMP": (ramp.samples, "UNITLESS", np.int16),
        "TIME": (ramp.seconds, "SECONDS", np.float32),
    }


def _primary(shot, ramp, extensions):
    camera, raw = shot.camera, shot.product == "raw"
    done = "OMITTED" if raw else "PERFORMED"
    cards = [
        *observation_cards(shot, extensions),
        *exposure_cards(shot, shot.exptime),
        ("OBSMODE", "MULTIACCUM", "observation mode"),
        ("CAMERA", int(camera.detector[-1]), "Camera in use (1, 2, or 3)"),
        ("APERTURE", camera.aperture, "aperture name"),
        ("FILTER", shot.filter.name, "filter wheel element in beam during observation"),
        ("NUMITER", 1, "number of iterations"),
        ("NREAD", 1, "number of initial and final reads"),
        ("NSAMP", len(ramp.times), "number of MULTIACCUM samples"),
        ("SAMPZERO", ramp.zeroth, "sample time of MULTIACCUM zeroth read (sec)"),
        ("SAMP_SEQ", camera.sequence, "MULTIACCUM exposure time sequence name"),
        ("READOUT", "FAST", "detector array readout rate (FAST, SLOW)"),
        ("ADCGAIN", camera.amplifiers[0].gain, "analog-digital conversion gain (electrons/DN)"),
        *((step + ending, "PERFORM", "calibration switch") for step, ending in _STEPS.items()),
        *((f"{step}DONE", done, "calibration indicator") for step in _STEPS),
        *photometry_cards(shot, f"NICMOS,{camera.detector[-1]},{shot.filter.name}"),
    ]
    header = fits.Header(cards)
    for line in shot.history:
        header.add_history(line)
    return header


def _state(camera):
    """Return flat field, dark current and data quality: the same in every exposure."""
    rng = np.random.default_rng(crc32(camera.detector.encode()))
    flat = detector.flat_field(camera.shape, rng)
    dark = detector.hot_pixels(camera.shape, rng, camera.hot_fraction, threshold=camera.hot_threshold)
    quality = (dark > 0) * np.int16(_DEFECTIVE)
    where = tuple(rng.integers(n, size=_GROTS) for n in camera.shape)
    flat[where], quality[where] = 0.3, quality[where] | _GROT
    return flat, dark + np.float32(camera.dark), quality

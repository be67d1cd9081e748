# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The reads of an infrared array along its ramps: counts, and what the pipeline makes of each."""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits

from astroclf.datasets import detector
from astroclf.datasets.headers import null_array

__all__ = ["Ramp", "charges_of", "good_reads", "read_cards", "reads_of", "stored"]

COSMIC_RAY_RATE = 1.1
"""Cosmic rays per second and square centimetre (Miles et al. 2021, ApJ 918, 86)."""

_PAIR_NOISE = 20.5
"""Electrons, of the difference of two reads (WFC3 Instrument Handbook 5.7)."""
_PEDESTAL, _PATTERN, _REFERENCE_PATTERN, _DRIFT = 11087.0, 150.0, 10.0, 8.0
_OUTERMOST = (-3000.0, -1000.0, 1000.0, 3000.0)
_SEEN = 100.0
_SATURATED, _ZERO_SIGNAL, _STRUCK = 256, 2048, 8192
_ZERO_THRESHOLD = 4.0
"""Times the noise that make a signal in the zeroth read (calwf3, ``zsigcorr.c``)."""


@dataclass(frozen=True)
class Ramp:
    """
    What arrives at an infrared array; arrays are of the shape (ny, nx) of its illuminated pixels.

    Parameters
    ----------
    rate, dark : `~numpy.ndarray` of float32
        Expected electrons per second, dark current included, and dark current.
    quality : `~numpy.ndarray` of int
        Flags of the detector.
    zeroth : float
        Seconds from the reset to the zeroth read.
    times : `~numpy.ndarray`, shape (NSAMP,)
        Seconds from the zeroth read, the first element, to every read.
    samples, seconds : `~numpy.ndarray`
        Reads before a pixel is full, and the time they cover.
    charge : `~numpy.ndarray` of float32
        Electrons that arrived in that time.
    """

    rate: np.ndarray
    dark: np.ndarray
    quality: np.ndarray
    zeroth: float
    times: np.ndarray
    samples: np.ndarray
    seconds: np.ndarray
    charge: np.ndarray


def reads_of(shot, ramp, rng, *, cosmic_rays=True):
    """
    Read an infrared array along its ramps.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure, of the product ``raw`` or ``ima``.
    ramp : Ramp
        What arrives.
    rng : `~numpy.random.Generator`
        Source of noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any.

    Returns
    -------
    imsets : list of dict
        Of every read, the last one first: extension name to array with its border of reference pixels,
        unit and type. Counts of a raw read; electrons per second since the zeroth read of an ima, dark
        current subtracted, cosmic rays flagged and left in.
    """
    charges, struck = charges_of(shot.camera, ramp, rng, cosmic_rays=cosmic_rays)
    counts = _counts(shot.camera, charges, rng)
    if shot.product == "raw":
        return [_raw(counts[k], ramp, k) for k in reversed(range(len(counts)))]
    return [_calibrated(shot.camera, ramp, counts, struck, k) for k in reversed(range(len(counts)))]


def good_reads(rate, full_well, zeroth, times):
    """
    Return how long the pixels of an infrared array can be read.

    Parameters
    ----------
    rate : `~numpy.ndarray`, shape (ny, nx)
        Electrons per second.
    full_well : float
        Electrons a pixel can hold.
    zeroth, times
        As in `Ramp`.

    Returns
    -------
    samples, seconds : `~numpy.ndarray`, shape (ny, nx)
        Reads before each pixel is full, at least one, and the time they cover.
    """
    limits = full_well / np.maximum(rate, 1e-6)
    reads = np.searchsorted(zeroth + times, limits)
    seconds = np.where(reads > 1, times[np.maximum(reads, 1) - 1], zeroth)
    return np.maximum(reads, 1), seconds.astype(np.float32)


def read_cards(times, number):
    """Return the cards that say when a read was taken; ``number`` counts from the zeroth read."""
    time = float(times[number])
    step = time - float(times[number - 1]) if number else 0.0
    return [
        ("SAMPNUM", number, "MULTIACCUM sample number"),
        ("SAMPTIME", round(time, 6), "total integration time (sec)"),
        ("DELTATIM", round(step, 6), "integration time of this sample (sec)"),
    ]


def stored(array, header):
    """Return an extension; one number stands for an array of equal ones (hstcal ``hstio.c``)."""
    if np.all(array == array.flat[0]):
        return null_array(header, array.shape, 16 if array.dtype.kind in "iu" else -32, array.flat[0])
    return fits.ImageHDU(array, header)


def charges_of(camera, ramp, rng, *, cosmic_rays=True):
    """
    Return what an infrared array holds at every read.

    Parameters
    ----------
    camera : `~astroclf.datasets.cameras.Camera`
        The array.
    ramp, rng, cosmic_rays
        As in `reads_of`.

    Returns
    -------
    charges : list of `~numpy.ndarray` of float32, shape (ny, nx)
        Electrons, from the zeroth read to the last.
    struck : list of `~numpy.ndarray` of bool, shape (ny, nx)
        Whether a cosmic ray had hit a pixel before the read.
    """
    early = ramp.samples == 1
    photons = np.rint(np.maximum(ramp.charge, 0)).astype(np.int64)
    first = np.where(early, photons, rng.poisson(np.minimum(ramp.rate * ramp.zeroth, camera.full_well)))
    since = _thinned(np.where(early, 0, photons), ramp, rng)
    rays = _rays(camera, ramp.times, rng, cosmic_rays)
    charges = []
    for k, (light, ray) in enumerate(zip(since, rays, strict=True)):
        total = np.where(k >= ramp.samples, camera.full_well, first + light + ray)
        charges.append(np.minimum(total, camera.full_well).astype(np.float32))
    return charges, [ray > _SEEN for ray in rays]


def _thinned(photons, ramp, rng):
    """Return how many of the photons had arrived at every read: each at a time of its own."""
    reached = ramp.seconds.astype(float)
    arrived = [photons]
    for time in ramp.times[-2::-1]:
        before = np.minimum(time, reached)
        arrived.append(rng.binomial(arrived[-1], before / np.maximum(reached, 1e-9)))
        reached = before
    return arrived[::-1]


def _rays(camera, times, rng, cosmic_rays):
    """Return the charge cosmic rays have left at every read; none before the zeroth."""
    charge = np.zeros(camera.shape, np.float32)
    rays = [charge]
    for seconds in np.diff(times) * cosmic_rays:
        count = rng.poisson(COSMIC_RAY_RATE * camera.area * seconds)
        charge = charge + detector.cosmic_rays(camera.shape, rng, count)
        rays.append(charge)
    return rays


def _counts(camera, charges, rng):
    """Digitise the reads: pedestal and pattern of the reset, drift and noise of every read, reference pixels."""
    border, gain = camera.border, _by_quadrant(camera)
    shape = tuple(n + 2 * border for n in camera.shape)
    inner = tuple(slice(border, n - border) for n in shape)
    pattern = _PEDESTAL + _REFERENCE_PATTERN * rng.standard_normal(shape, dtype=np.float32)
    pattern[inner] += _PATTERN * rng.standard_normal(camera.shape, dtype=np.float32)
    drift = np.cumsum(rng.normal(0, _DRIFT, len(charges)))
    counts = []
    for charge, level in zip(charges, drift, strict=True):
        read = pattern + np.float32(level)
        read += np.float32(_PAIR_NOISE / np.sqrt(2) / gain.mean()) * rng.standard_normal(shape, dtype=np.float32)
        read[inner] += charge / gain
        _wire_outermost(read)
        counts.append(np.clip(np.rint(read), 0, np.iinfo(np.uint16).max).astype(np.uint16))
    return counts


def _by_quadrant(camera):
    """Return the gain of every pixel: amplifiers A to D read the quadrants from the upper left, anticlockwise."""
    ny, nx = camera.shape
    a, b, c, d = (amp.gain for amp in camera.amplifiers)
    return np.kron([[b, c], [a, d]], np.ones((ny // 2, nx // 2))).astype(np.float32)


def _wire_outermost(read):
    """Set the outermost pixels to the fixed voltages, four in turn, outside the array that they are wired to."""
    for edge in (read[0], read[-1], read[:, 0], read[:, -1]):
        edge[:] = _PEDESTAL + np.resize(_OUTERMOST, edge.size)


def _raw(counts, ramp, k):
    shape = counts.shape
    return {
        "SCI": (counts, "COUNTS", np.uint16),
        "ERR": (np.zeros(shape), "COUNTS", np.float32),
        "DQ": (np.zeros(shape, int), "UNITLESS", np.int16),
        "SAMP": (np.full(shape, k + 1), "SAMPLES", np.int16),
        "TIME": (np.full(shape, ramp.zeroth + ramp.times[k]), "SECONDS", np.float32),
    }


def _calibrated(camera, ramp, counts, struck, k):
    """Return a read of an ima: the zeroth subtracted, or of the zeroth the signal it holds, over the time."""
    border, gain = camera.border, _by_quadrant(camera)
    inner = tuple(slice(border, n - border) for n in counts[0].shape)
    seconds = ramp.times[k] if k else ramp.zeroth
    noise = _PAIR_NOISE
    read = counts[k].astype(np.float32) - _level(counts[k], border)
    zeroth = counts[0].astype(np.float32) - _level(counts[0], border)
    electrons = read - zeroth if k else zeroth
    science = electrons.copy()
    science[inner] = electrons[inner] * gain / seconds - ramp.dark
    quality = ramp.quality | (k >= ramp.samples) * np.int16(_SATURATED) | struck[k] * np.int16(_STRUCK)
    if not k:
        signal = electrons[inner] * gain > _ZERO_THRESHOLD * np.hypot(noise, _PATTERN)
        science[inner] *= signal
        quality = ramp.quality | signal * np.int16(_ZERO_SIGNAL)
    error = np.zeros_like(science)
    error[inner] = np.sqrt(np.maximum(electrons[inner] * gain, 0) + noise**2) / seconds
    return {
        "SCI": (science, "ELECTRONS/S", np.float32),
        "ERR": (error, "ELECTRONS/S", np.float32),
        "DQ": (np.pad(quality, border), "UNITLESS", np.int16),
        "SAMP": (np.full(science.shape, k + 1), "SAMPLES", np.int16),
        "TIME": (np.full(science.shape, ramp.times[k]), "SECONDS", np.float32),
    }


def _level(counts, border):
    """Return the mean of the reference pixels left and right but the outermost (calwf3, ``blevcorr.c``)."""
    rows = counts[border:-border]
    return np.float32(np.hstack([rows[:, 1:border], rows[:, -border:-1]]).mean())

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Images of STIS: split exposures of its CCD and what the pipeline makes of them, and photons counted by a MAMA."""

from zlib import crc32

import numpy as np
from astropy.io import fits
from astropy.time import Time

from astroclf.datasets import detector
from astroclf.datasets.cards import exposure_cards, image_cards
from astroclf.datasets.ccd import COSMIC_RAY_RATE
from astroclf.datasets.headers import SERIOUS_FLAGS
from astroclf.datasets.headers_legacy import observation_cards, photometry_cards, sky_cards, switch_cards
from astroclf.datasets.reads import stored

__all__ = ["stis_ccd_frame", "stis_mama_frame"]

_SPLIT = 2
_HOT, _SATURATED, _BEYOND, _REJECTED = 16, 256, 4, 8192
_FIELDS = {"50CCD": (50.0, 50.0), "F28X50LP": (28.0, 50.0), "F28X50OIII": (28.0, 50.0)}
"""Height and width of the CCD's filters in arcsec."""
_SLACK = 10
_SEEN = 50.0
_PATTERN = 0.15
_CORNER = 40


def stis_ccd_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose the CCD in two halves, which the pipeline can combine.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure; its product is ``raw``, ``flt`` or ``crj``.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons in the whole exposure, sky included.
    rng : `~numpy.random.Generator`
        Source of noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, then SCI, ERR and DQ in counts of each half (raw, flt) or of their sum without rays (crj).
    """
    camera, seconds = shot.camera, shot.exptime / _SPLIT
    flat, dark = _state(camera)
    through, beyond = _aperture(camera, shot.filter)
    light = light * through
    expected = light / _SPLIT * flat + dark * np.float32(seconds)
    halves = [_half(camera, expected, seconds, rng, cosmic_rays) for _ in range(_SPLIT)]
    quality = (dark > camera.hot_threshold) * np.int16(_HOT) | beyond * np.int16(_BEYOND)
    corner = (0, 0)
    if shot.product == "raw":
        (rows, ((_, columns),)) = camera.sections(camera.chips[0])
        corner = columns.start, rows.start
        imsets = [_counts(counts) for counts, _ in halves]
    else:
        imsets = [_calibrated(camera, counts, dark * np.float32(seconds), quality, ray) for counts, ray in halves]
    if shot.product == "crj":
        imsets, seconds = [_combined(imsets)], shot.exptime
    places = [*sky_cards(shot, corner), *_corner_cards(corner)]
    return _assemble(shot, imsets, seconds, places, _ccd_cards(shot))


def stis_mama_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Count photons with a MAMA.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure; its product is ``raw``, at twice the resolution, or ``flt``.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected counts in the exposure, sky included.
    rng : `~numpy.random.Generator`
        Source of noise.
    cosmic_rays : bool, optional
        Without effect: a photon counter records none.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        PRIMARY, SCI, ERR and DQ in counts.
    """
    camera = shot.camera
    expected = light + np.float32(camera.dark * shot.exptime)
    fine = np.repeat(np.repeat(expected / 4, 2, axis=0), 2, axis=1)
    fine[:, ::2] *= 1 + _PATTERN
    fine[:, 1::2] *= 1 - _PATTERN
    photons = np.minimum(rng.poisson(fine), np.iinfo(np.uint16).max)
    scale = (2.0, 2.0) if shot.product == "raw" else (1.0, 1.0)
    imset = _counts(photons) if shot.product == "raw" else _binned(photons)
    return _assemble(shot, [imset], shot.exptime, sky_cards(shot, scale=scale), _mama_cards(shot))


def _aperture(camera, element):
    """Return where light comes through a filter, and what the pipeline flags as beyond it (``flagfilter.c``)."""
    (ny, nx), (height, width) = camera.shape, _FIELDS[element.name]
    y, x = np.ogrid[:ny, :nx]
    rows, columns = np.abs(y - ny / 2), np.abs(x - nx / 2)
    half_y, half_x = height / camera.linear[1][1] / 2, width / camera.linear[0][0] / 2
    through = (rows <= half_y) & (columns <= half_x)
    if height > 45:
        return np.ones_like(through), np.zeros_like(through)
    return through, (rows > half_y + _SLACK) | (columns > half_x + _SLACK)


def _half(camera, expected, seconds, rng, cosmic_rays):
    """Return the counts of one exposure with overscan, and the electrons rays left."""
    amplifier = camera.chips[0].amplifiers[0]
    charge = detector.noisy(expected, rng)
    count = rng.poisson(COSMIC_RAY_RATE * camera.area * seconds) if cosmic_rays else 0
    ray = detector.cosmic_rays(camera.shape, rng, count)
    charge, _ = detector.saturate(charge + ray, camera.full_well)
    raw = amplifier.readnoise * rng.standard_normal(camera.raw_shape, dtype=np.float32)
    (rows, ((_, columns),)) = camera.sections(camera.chips[0])
    raw[rows, columns] += charge
    return detector.digitise(raw, amplifier.gain, amplifier.bias)[0], ray


def _counts(counts):
    shape = counts.shape
    return counts.astype(np.uint16), np.zeros(shape, np.float32), np.zeros(shape, np.int16)


def _calibrated(camera, counts, dark, quality, ray):
    amplifier = camera.chips[0].amplifiers[0]
    (rows, ((_, columns),)) = camera.sections(camera.chips[0])
    science = counts[rows, columns].astype(np.float32) - np.float32(amplifier.bias)
    full = science * amplifier.gain >= camera.full_well * 0.99
    error = np.sqrt(np.maximum(science, 0) / amplifier.gain + (amplifier.readnoise / amplifier.gain) ** 2)
    quality = quality | full * np.int16(_SATURATED) | (ray > _SEEN) * np.int16(_REJECTED)
    return science - dark / np.float32(amplifier.gain), error.astype(np.float32), quality


def _combined(halves):
    """Return the sum of two exposures; where a ray hit one of them, twice the other."""
    science, error, quality = (np.stack(arrays) for arrays in zip(*halves, strict=True))
    clean = (quality & _REJECTED) == 0
    used = np.where(clean.any(axis=0), clean, True)
    weight = len(halves) / used.sum(axis=0)
    both = np.bitwise_or.reduce(quality & ~np.int16(_REJECTED), axis=0)
    lost = ~clean.any(axis=0) * np.int16(_REJECTED)
    total = (science * used).sum(axis=0) * weight
    return total.astype(np.float32), (np.sqrt((error**2).sum(axis=0)) * weight).astype(np.float32), both | lost


def _binned(photons):
    ny, nx = photons.shape
    counts = photons.reshape(ny // 2, 2, nx // 2, 2).sum(axis=(1, 3)).astype(np.float32)
    quality = np.zeros(counts.shape, np.int16)
    y, x = np.ogrid[: ny // 2, : nx // 2]
    quality[x + y < _CORNER] = _BEYOND
    return counts, np.sqrt(counts), quality


def _assemble(shot, imsets, seconds, sky, primary):
    hdus = fits.HDUList([fits.PrimaryHDU(header=_primary(shot, 3 * len(imsets), primary))])
    for extver, imset in enumerate(imsets, 1):
        for name, array, unit in zip(("SCI", "ERR", "DQ"), imset, ("COUNTS", "COUNTS", "UNITLESS"), strict=True):
            header = fits.Header([*image_cards(shot, name, extver, unit), *sky])
            if name == "SCI":
                header.extend(exposure_cards(shot, seconds, (extver - 1) * seconds), end=True)
                header.extend([("NCOMBINE", round(seconds * _SPLIT / shot.exptime), "image sets combined")], end=True)
                header.extend([("SDQFLAGS", SERIOUS_FLAGS, "serious data quality flags")], end=True)
            hdus.append(stored(array, header))
    return hdus


def _primary(shot, extensions, cards):
    start = Time(shot.start, format="mjd")
    header = fits.Header(
        [
            *observation_cards(shot, extensions),
            ("TDATEOBS", start.strftime("%Y-%m-%d"), "UT date of start of first exposure in file"),
            ("TTIMEOBS", start.strftime("%H:%M:%S"), "UT start time of first exposure in file"),
            ("TEXPTIME", shot.exptime, "total exposure time (seconds)"),
            ("OBSTYPE", "IMAGING", "observation type - imaging or spectroscopic"),
            ("OBSMODE", "ACCUM", "operating mode"),
            ("SCLAMP", "NONE", "lamp status, NONE or name of lamp which is on"),
            ("SUBARRAY", False, "data from a subarray (T) or full frame (F)"),
            ("DETECTOR", shot.camera.detector, "detector in use: NUV-MAMA, FUV-MAMA, or CCD"),
            ("OPT_ELEM", "MIRVIS" if shot.camera.detector == "CCD" else "MIRNUV", "optical element in use"),
            ("APERTURE", shot.filter.name, "aperture name"),
            ("FILTER", "Clear", "filter in use"),
            *cards,
            *photometry_cards(shot, f"STIS {shot.camera.detector} {shot.filter.name}"),
        ]
    )
    for line in shot.history:
        header.add_history(line)
    return header


def _corner_cards(corner):
    return [
        ("LTV1", float(corner[0]), "offset in X to subsection start"),
        ("LTV2", float(corner[1]), "offset in Y to subsection start"),
        ("LTM1_1", 1.0, "reciprocal of sampling rate in X"),
        ("LTM2_2", 1.0, "reciprocal of sampling rate in Y"),
    ]


def _ccd_cards(shot):
    amplifier, raw = shot.camera.chips[0].amplifiers[0], shot.product == "raw"
    return [
        ("APER_FOV", "{:.0f}x{:.0f}".format(*_FIELDS[shot.filter.name]), "aperture field of view"),
        ("CRSPLIT", _SPLIT, "number of cosmic ray split exposures"),
        ("CCDAMP", amplifier.name, "CCD amplifier read out (A,B,C,D)"),
        ("CCDGAIN", round(amplifier.gain), "commanded gain of CCD"),
        ("CCDOFFST", 3, "commanded CCD bias offset"),
        ("BINAXIS1", 1, "axis1 data bin size in unbinned detector pixels"),
        ("BINAXIS2", 1, "axis2 data bin size in unbinned detector pixels"),
        *switch_cards("DQICORR BLEVCORR BIASCORR DARKCORR FLATCORR", not raw),
        *switch_cards("CRCORR", shot.product == "crj"),
        *switch_cards("GEOCORR", False),
        ("ATODGAIN", 0.0 if raw else amplifier.gain, "calibrated CCD amplifier gain value"),
        ("READNSE", 0.0 if raw else amplifier.readnoise, "calibrated CCD read noise value"),
    ]


def _mama_cards(shot):
    bins = 1 if shot.product == "raw" else 2
    return [
        ("BINAXIS1", bins, "axis1 data bin size in unbinned detector pixels"),
        ("BINAXIS2", bins, "axis2 data bin size in unbinned detector pixels"),
        *switch_cards("DQICORR LORSCORR GLINCORR LFLGCORR DARKCORR FLATCORR", shot.product != "raw"),
        *switch_cards("GEOCORR", False),
    ]


def _state(camera):
    """Return flat field and dark current: the same in every exposure."""
    rng = np.random.default_rng(crc32(camera.detector.encode()))
    flat = detector.flat_field(camera.shape, rng)
    dark = detector.hot_pixels(camera.shape, rng, camera.hot_fraction, threshold=camera.hot_threshold)
    return flat, dark + np.float32(camera.dark)

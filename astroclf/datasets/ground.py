# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Exposures on the ground: raw frames of CCDs, mosaics and one-shot-colour cameras, and reduced ones."""

from zlib import crc32

import numpy as np
from astropy.io import fits
from astropy.time import Time

from astroclf.datasets import detector
from astroclf.datasets.headers import plane_wcs

__all__ = ["ground_frame"]

_COSMIC_RAY_RATE = 1 / 60
"""Cosmic rays per second and square centimetre at sea level (Particle Data Group, Cosmic Rays)."""
_COLOURS = {"R": 0.8, "G": 1.2, "B": 0.8}
_GAIN_SETTING = 100
_TOP = 65535


def ground_frame(shot, light, rng, *, cosmic_rays=True):
    """
    Expose a camera on the ground.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure, with a `~astroclf.datasets.cameras.GroundCamera`; its product is ``raw`` or ``reduced``.
    light : `~numpy.ndarray` of float32, shape of the camera's ``plane``
        Expected electrons, sky included.
    rng : `~numpy.random.Generator`
        Source of photon and read noise and cosmic rays.
    cosmic_rays : bool, optional
        Whether there are any.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        One image in the primary HDU, or an extension a chip. Raw: uint16 counts with overscan, BIASSEC, TRIMSEC and
        DATASEC, DETSEC where there are several chips, or BAYERPAT. Reduced: float32 counts without overscan and
        bias, flat-fielded, with the words of IRAF's ccdproc and its left-over BIASSEC.
    """
    camera = shot.camera
    wcs = plane_wcs(shot)
    chips = []
    for chip, place in zip(camera.chips, camera.places, strict=True):
        rows, columns = (slice(start, start + n) for start, n in zip((place.row, place.column), camera.shape))
        flat = _flat(camera, chip)
        counts = _counts(shot, chip, place, light[rows, columns] * flat, rng, cosmic_rays)
        image = _reduced(camera, counts, flat) if shot.product == "reduced" else counts
        chips.append((image, [*_chip_cards(shot, chip, place), *_wcs_cards(shot, place, wcs)]))
    primary = _primary_cards(shot)
    if len(chips) == 1:
        ((image, cards),) = chips
        return fits.HDUList([fits.PrimaryHDU(image, fits.Header([*primary, *cards, *_history(shot)]))])
    hdus = fits.HDUList([fits.PrimaryHDU(header=fits.Header([*primary, *_history(shot)]))])
    for number, (image, cards) in enumerate(chips, 1):
        hdus.append(fits.ImageHDU(image, fits.Header(cards), name=f"IM{number}"))
    return hdus


def _flat(camera, chip):
    """Return the sensitivity of the pixels of a chip, the same in every exposure: 1 on average for all colours."""
    flat = detector.flat_field(camera.shape, np.random.default_rng(crc32(f"{camera.aperture} {chip.number}".encode())))
    for position, colour in enumerate(camera.pattern):
        flat[position // 2 :: 2, position % 2 :: 2] *= np.float32(_COLOURS[colour])
    return flat


def _counts(shot, chip, place, light, rng, cosmic_rays):
    """Return the raw image of a chip: prescan, pixels in the order in which they are read, overscan."""
    camera, amplifier = shot.camera, chip.amplifiers[0]
    charge = detector.noisy(light + np.float32(camera.dark * shot.exptime), rng)
    if cosmic_rays:
        charge += detector.cosmic_rays(camera.shape, rng, rng.poisson(_COSMIC_RAY_RATE * camera.area * shot.exptime))
    charge, _ = detector.saturate(charge, camera.full_well)
    raw = np.float32(amplifier.readnoise) * rng.standard_normal(camera.raw_shape, dtype=np.float32)
    rows, columns = (slice(None, None, -1 if backwards else 1) for backwards in place.flipped)
    raw[:, camera.prescan[0] : camera.prescan[0] + camera.shape[1]] += charge[rows, columns]
    return detector.digitise(raw, amplifier.gain, amplifier.bias)[0]


def _reduced(camera, counts, flat):
    """Subtract the level of the overscan, trim, and divide by the flat field."""
    first, last = camera.prescan[0], camera.prescan[0] + camera.shape[1]
    return (counts[:, first:last] - np.float32(np.median(counts[:, last:]))) / flat


def _primary_cards(shot):
    camera = shot.camera
    start = Time(shot.start, format="mjd")
    cards = [
        ("OBJECT", shot.target, "object"),
        ("TELESCOP", "Simulated 1.0m", "telescope"),
        ("INSTRUME", camera.instrument, "instrument"),
        ("DETECTOR", camera.detector, "detector"),
        ("SIMULATD", True, "simulated, not an observation"),
        ("IMAGETYP", "Light Frame" if camera.pattern else "object", "type of image"),
        ("DATE-OBS", start.isot, "UTC at start of exposure"),
        ("EXPTIME", shot.exptime, "exposure time in seconds"),
        ("FILTER", shot.filter.name, "filter"),
        ("CCD-TEMP", -20.0, "temperature of the sensor in degrees C"),
    ]
    if len(camera.chips) > 1:
        ny, nx = camera.plane
        cards.append(("DETSIZE", f"[1:{nx},1:{ny}]", "size of the mosaic"))
    return cards


def _chip_cards(shot, chip, place):
    """Return what the header says of a chip: its sections and electronics."""
    camera, amplifier = shot.camera, chip.amplifiers[0]
    if camera.pattern:
        return [
            ("GAIN", _GAIN_SETTING, "setting of the amplifier"),
            ("EGAIN", amplifier.gain, "electrons per count"),
            ("BAYERPAT", camera.pattern, "colours of the pixels"),
            ("ROWORDER", "BOTTOM-UP", "order of the rows"),
        ]
    ny, nx = camera.shape
    first, last = camera.prescan[0], camera.prescan[0] + nx
    data, bias = f"[{first + 1}:{last},1:{ny}]", f"[{last + 1}:{last + camera.prescan[1]},1:{ny}]"
    cards = [
        ("BIASSEC", bias, "overscan"),
        ("CCDSEC", f"[1:{nx},1:{ny}]", "section of the chip"),
        ("GAIN", amplifier.gain, "electrons per count"),
        ("RDNOISE", amplifier.readnoise, "read noise in electrons"),
        ("SATURATE", min(_TOP, int(camera.full_well / amplifier.gain)), "level of saturation in counts"),
    ]
    if shot.product == "reduced":
        when = Time(shot.start + 1, format="mjd").strftime("%b %d %H:%M")
        return [
            *cards,
            ("OVERSCAN", f"{when} Overscan section is {bias} with mean={amplifier.bias}"),
            ("TRIM", f"{when} Trim data section is {data}"),
            ("FLATCOR", f"{when} Flat field image is Flat{shot.filter.name} with scale=1."),
            ("CCDPROC", f"{when} CCD processing done"),
        ]
    cards += [("TRIMSEC", data, "pixels to keep"), ("DATASEC", data, "pixels that see light")]
    if len(camera.chips) > 1:
        cards.append(("DETSEC", _detector_section(camera, place), "place in the mosaic"))
    return cards


def _detector_section(camera, place):
    """Return where a chip lies in the mosaic, backwards along the axes that are stored so."""
    ends = []
    for start, length, backwards in zip((place.row, place.column), camera.shape, place.flipped):
        first, last = start + 1, start + length
        ends.append(f"{last}:{first}" if backwards else f"{first}:{last}")
    return f"[{ends[1]},{ends[0]}]"


def _wcs_cards(shot, place, wcs):
    """Return the world coordinates of the image of a chip, whichever way round it is stored."""
    camera = shot.camera
    crpix, cd = wcs.wcs.crpix.copy(), wcs.wcs.cd.copy()
    before = 0 if shot.product == "reduced" else camera.prescan[0]
    for axis, start, length, backwards in zip((1, 0), (place.row, place.column), camera.shape, place.flipped):
        crpix[axis] -= start
        if backwards:
            crpix[axis] = length + 1 - crpix[axis]
            cd[:, axis] *= -1
    crpix[0] += before
    cards = [(f"CTYPE{i + 1}", wcs.wcs.ctype[i], "the coordinate type") for i in range(2)]
    cards += [(f"CRPIX{i + 1}", crpix[i], "pixel coordinate of reference point") for i in range(2)]
    cards += [(f"CRVAL{i + 1}", wcs.wcs.crval[i], "[deg] value at reference pixel") for i in range(2)]
    cards += [(f"CUNIT{i + 1}", "deg", "unit of coordinate value") for i in range(2)]
    return cards + [(f"CD{i + 1}_{j + 1}", cd[i, j], "partial derivative") for i in range(2) for j in range(2)]


def _history(shot):
    return [("HISTORY", line) for line in shot.history]

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Amplifiers of CCDs, as headers describe them by sections: where they lie, their overscan, their electronics."""

import math
import re
from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.nddata import CCDData

from astroclf.frames.facts import positive, text_of
from astroclf.frames.layouts.geometry import Section, SectionError, parse_section
from astroclf.frames.reading import image_shape

__all__ = ["Amplifier", "amplifiers_of", "electronics", "has_sections", "image_header", "overscan_steps"]

_FAMILIES = (
    ("BIASSEC", "DATASEC", "DETSEC", "CCDSEC", ("GAIN",), ("RDNOISE",)),
    ("BSEC", "DSEC", "DETSEC", "CSEC", ("GTGAIN", "GAIN"), ("GTRON", "RDNOISE")),
)
"""
Keywords of several amplifiers in one image, whose names follow: overscan, pixels, place on the detector and on the
chip, gain and read noise. DECam and DESI write the first kind, Arcon (IRAF quadred) and MegaCam the second.
"""
_READNOISE, _SATURATION = ("RDNOISE", "READNOIS", "RON", "ENOISE"), ("SATURATE", "SATLEVEL")
_LEAST_SHARE = 0.75
"""Fraction of rows and columns that the sections of a raw image cover."""
_TRIMMED = ("TRIM", "TRIMIM")
_SUBTRACTED = ("OVERSCAN", "SUBOSCAN")
"""What IRAF's ccdproc, and Python's, leave in the header of an image they have trimmed, or subtracted overscan of."""


@dataclass(frozen=True)
class Amplifier:
    """
    What the header of an image says of one amplifier.

    Parameters
    ----------
    index : int
        Index of the HDU.
    data, bias, place : Section
        Its pixels and its overscan in the image; where the pixels lie on the detector or chip. The last two may be
        None.
    gain, readnoise, saturation : float or None
        Electrons per count, electrons, counts.
    """

    index: int
    data: Section
    bias: Section | None = None
    place: Section | None = None
    gain: float | None = None
    readnoise: float | None = None
    saturation: float | None = None

    def exposed(self, image):
        """Return the pixels in float32 without the level of the overscan, and this level; None without overscan."""
        data = np.asarray(image[self.data.slices], np.float32)
        if self.bias is None:
            return data, None
        level = float(np.median(image[self.bias.slices]))
        if not math.isfinite(level):
            msg = f"the overscan of an amplifier has the level {level}"
            raise SectionError(msg)
        axis = _along(self.data, self.bias)
        wanted, there = self.data.slices[axis], self.bias.slices[axis]
        if not there.start <= wanted.start <= wanted.stop <= there.stop:
            return data - np.float32(level), level
        strip = (wanted, self.bias.columns) if axis == 0 else (self.bias.rows, wanted)
        return _without_drift(data, image[strip], axis), level

    def saturated(self, image):
        """Return where the pixels are saturated; None if the header does not say at which level."""
        return None if self.saturation is None else image[self.data.slices] >= self.saturation


def amplifiers_of(hdul, index, mosaic):
    """
    Return the amplifiers of one image.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The file.
    index : int
        Index of the image.
    mosaic : bool
        Whether their places on the detector are wanted, not those on the chip.

    Returns
    -------
    amplifiers : list of Amplifier
        One with all of the image if the header has no sections.

    Raises
    ------
    SectionError
        If the sections do not fit the image.
    """
    header = image_header(hdul, index)
    shape = image_shape(hdul[index])
    data, trimmed = _lit(header, ("DATASEC", "TRIMSEC") if mosaic else ("TRIMSEC", "DATASEC"), shape, mosaic)
    names = _names(header)
    if names and not trimmed:
        return [_one_of_several(header, name, index, shape, mosaic) for name in names]
    bias = None if trimmed or _says(header, _SUBTRACTED) else _overscan(header, "BIASSEC", data, shape)
    if not mosaic:
        _check_share(data, bias, shape)
    place = parse_section(text_of(header, "DETSEC")) if mosaic else None
    return [Amplifier(index, data, bias, place, *electronics(header), _number(header, *_SATURATION))]


def electronics(header):
    """
    Return what a header says of the electronics of a camera.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Primary header and that of the image.

    Returns
    -------
    gain, readnoise : float or None
        Electrons per count, and electrons. GAIN alone counts for nothing: cameras of amateurs keep a setting there.
    """
    readnoise = _number(header, *_READNOISE)
    return _number(header, "EGAIN", *(["GAIN"] if readnoise else [])), readnoise


def has_sections(header):
    """Return whether a header has sections of an image or of its amplifiers."""
    keywords = ("BIASSEC", "TRIMSEC", "DATASEC", *_names(header))
    return any(text_of(header, keyword) for keyword in keywords)


def image_header(hdul, index):
    """Return the header of an image, with what only the primary header says."""
    header = hdul[index].header.copy()
    if index:
        header.extend(hdul[0].header, unique=True, strip=True)
    return header


def _one_of_several(header, name, index, shape, mosaic):
    """Return the amplifier whose overscan has the keyword ``name``."""
    family = next(family for family in _FAMILIES if name.startswith(family[0]))
    bias, data, detector, chip, gains, readnoises = family
    suffix = name.removeprefix(bias)
    pixels = _inside(header, data + suffix, shape)
    place = _place(header, detector + suffix, chip + suffix, mosaic)
    if pixels is None or place is None:
        msg = f"the header does not say where the amplifier {suffix} lies"
        raise SectionError(msg)
    return Amplifier(
        index,
        pixels,
        None if _says(header, _SUBTRACTED) else _overscan(header, name, pixels, shape),
        place,
        _number(header, *(keyword + suffix for keyword in gains), "EGAIN"),
        _number(header, *(keyword + suffix for keyword in readnoises)),
        _number(header, f"SATURAT{suffix}", *_SATURATION),
    )


def _place(header, detector, chip, mosaic):
    """Return the place of an amplifier on the detector or chip; from that of the chip where it has none of its own."""
    on_chip = parse_section(text_of(header, chip))
    if not mosaic:
        return on_chip
    own = parse_section(text_of(header, detector))
    whole = parse_section(text_of(header, "DETSEC"))
    return own or (on_chip and whole and on_chip.within(whole))


def _overscan(header, keyword, data, shape):
    """Return the overscan beside some pixels; None where there is none; SectionError if it overlaps them."""
    bias = _inside(header, keyword, shape)
    if bias and _along(data, bias) is None:
        msg = f"{keyword} = {text_of(header, keyword)!r} overlaps the image proper"
        raise SectionError(msg)
    return bias


def _check_share(data, bias, shape):
    """Refuse sections that leave out much of the image: they are those of another one."""
    sections = [section for section in (data, bias) if section]
    for axis, length in enumerate(shape):
        covered = np.zeros(length, bool)
        for section in sections:
            covered[section.slices[axis]] = True
        if np.count_nonzero(covered) < _LEAST_SHARE * length:
            msg = f"the sections leave out more than a quarter of the {shape[1]} x {shape[0]} pixels of the image"
            raise SectionError(msg)


def _says(header, keywords):
    """Return whether a header says that something was done."""
    return text_of(header, *keywords) not in ("", "F", "False", "0")


def _names(header):
    """Return the keywords of the overscan of each amplifier of an image that has several, in order."""
    return sorted(
        keyword
        for bias, data, *_ in _FAMILIES
        for keyword in header
        if re.fullmatch(f"{bias}(?:[A-Z]|[0-9]{{1,2}})", keyword) and keyword.replace(bias, data) in header
    )


def _lit(header, keywords, shape, mosaic):
    """Return the section that saw light, by default all of the image, and whether it was cut down to it before."""
    whole = Section.whole(shape)
    keyword = next((keyword for keyword in keywords if text_of(header, keyword)), "")
    if _says(header, _TRIMMED) or _size(text_of(header, keyword)) == shape:
        return whole, True
    shift = text_of(header, "LTV1"), text_of(header, "LTV2")
    if not mosaic and any(value.strip("+-0.") for value in shift):
        msg = f"LTV1 = {shift[0]}, LTV2 = {shift[1]}: the image was cut out of that of {keyword or 'BIASSEC'}"
        raise SectionError(msg)
    return _inside(header, keyword, shape) or whole, False


def _size(text):
    """Return the shape of a section wherever it is; None if it is none or depends on the image."""
    try:
        section = parse_section(text)
    except SectionError:
        return None
    return section and section.shape


def _inside(header, keyword, shape):
    """Return a section of the image; None where there is none; SectionError if it does not fit."""
    text = text_of(header, keyword)
    try:
        section = parse_section(text, shape)
    except SectionError as error:
        msg = f"{keyword} does not fit the image of {shape[1]} x {shape[0]} pixels: {error}"
        raise SectionError(msg) from error
    if section and any(section.flipped):
        msg = f"{keyword} = {text!r} runs backwards"
        raise SectionError(msg)
    return section


def _along(data, bias):
    """Return the axis along which overscan lies beside the data; None where it overlaps them."""
    for axis, across in ((0, 1), (1, 0)):
        one, other = data.slices[across], bias.slices[across]
        if one.stop <= other.start or other.stop <= one.start:
            return axis
    return None


def _without_drift(data, overscan, axis):
    """Return data less a straight line through the medians of the overscan along an axis."""
    from astropy.modeling.models import Chebyshev1D
    from ccdproc import subtract_overscan

    image, strip = (CCDData(np.asarray(array, np.float32), unit=u.adu) for array in (data, overscan))
    level = Chebyshev1D(1)
    return subtract_overscan(
        image, overscan=strip, overscan_axis=1 - axis, median=True, model=level, add_keyword=None
    ).data.astype(np.float32)


def _number(header, *keywords):
    """Return the first of these that is a positive number; None where there is none."""
    return next((value for keyword in keywords if (value := positive(header, keyword))), None)


def overscan_steps(amplifiers, levels, unit):
    """
    Return what to say of overscan that was subtracted.

    Parameters
    ----------
    amplifiers : list of Amplifier
        All there are.
    levels : list of float or None
        The level of the overscan of each; None where there was none.
    unit : `~astropy.units.UnitBase`
        Unit of the levels.

    Returns
    -------
    steps : list of str
        One phrase, or none.
    """
    levels = [level for level in levels if level is not None]
    if not levels:
        return []
    counts = f"{min(levels):.1f}" if len(levels) == 1 else f"{min(levels):.1f} to {max(levels):.1f}"
    if len(amplifiers) > 1:
        return [f"subtracted the level of the overscan of {len(levels)} amplifiers: {counts} {unit}"]
    rows, columns = amplifiers[0].bias.shape
    width = f"{columns} columns" if _along(amplifiers[0].data, amplifiers[0].bias) == 0 else f"{rows} rows"
    return [f"subtracted the level of {width} of overscan: {counts} {unit}"]

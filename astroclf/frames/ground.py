# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""CCDs on the ground, by the sections in their headers: overscan taken off, amplifiers and chips put together."""

import math
import re
from dataclasses import dataclass, replace

import numpy as np
from astropy import units as u
from astropy.io.fits.card import Undefined
from astropy.nddata import CCDData, block_reduce

from astroclf.frames.ccd import quality_array, science_hdus
from astroclf.frames.frame import Exposure
from astroclf.frames.geometry import Section, SectionError, moved_wcs, parse_section
from astroclf.frames.plain import alone, first_image, read_hdu
from astroclf.frames.quality import ANY
from astroclf.frames.reading import Reading, hdu_name, image_array, image_wcs, is_image, unit_of

__all__ = ["CCD", "MOSAIC", "described", "electronics", "exposure"]

_LARGEST = 100e6
"""Pixels of the largest mosaic that is kept as it is."""
_SLACK = 0.05
"""Fraction by which a chip may be smaller than its place: edges that were cut off."""
_FAMILIES = (
    ("BIASSEC", "DATASEC", ("DETSEC", "CCDSEC"), "GAIN", "RDNOISE", "SATURAT"),
    ("BSEC", "DSEC", ("CSEC",), "GTGAIN", "GTRON", "SATURAT"),
)
"""Sections and electronics of several amplifiers in one image, whose names follow: DECam's and DESI's; Arcon's."""
_READNOISE, _SATURATION = ("RDNOISE", "READNOIS", "RON", "ENOISE"), ("SATURATE", "SATLEVEL")
_STACKED = ("NCOMBINE", "STACKCNT", "SNAPSHOT")
_TRIMMED = ("TRIM", "TRIMIM")
_SUBTRACTED = ("OVERSCAN", "SUBOSCAN")
"""What IRAF's ccdproc, and Python's, leave in the header of an image they have trimmed, or subtracted overscan of."""


@dataclass(frozen=True)
class _Amplifier:
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


@dataclass(frozen=True)
class _Grid:
    """
    The array on which amplifiers are put together.

    Parameters
    ----------
    shape : tuple of int
        Its rows and columns.
    origin : tuple of int
        Row and column of the detector, not binned, on which it begins.
    binning : tuple of int
        Rows and columns of the detector in one pixel of the images.
    factor : int
        Pixels of the images along either side of one of its own.
    """

    shape: tuple[int, int]
    origin: tuple[int, int]
    binning: tuple[int, int]
    factor: int

    @classmethod
    def of(cls, amplifiers):
        """Return the grid that holds these amplifiers; SectionError if their binning is unlike."""
        binnings = {_binning(amplifier) for amplifier in amplifiers}
        if len(binnings) > 1:
            msg = "DETSEC and DATASEC are of unlike scale"
            raise SectionError(msg)
        (binning,) = binnings
        ends = [[(part.start, part.stop) for part in amplifier.place.slices] for amplifier in amplifiers]
        origin = tuple(min(end[axis][0] for end in ends) for axis in (0, 1))
        extent = [(max(end[axis][1] for end in ends) - origin[axis]) / binning[axis] for axis in (0, 1)]
        factor = max(1, math.ceil(math.sqrt(extent[0] * extent[1] / _LARGEST)))
        return cls(tuple(math.ceil(length / factor) for length in extent), origin, binning, factor)

    def corner(self, amplifier):
        """Return row and column of the first pixel of an amplifier; one smaller than its place is in the middle."""
        corner = []
        for axis, (place, length) in enumerate(zip(amplifier.place.slices, amplifier.data.shape)):
            first = (place.start - self.origin[axis]) // self.binning[axis]
            spare = (place.stop - place.start) // self.binning[axis] - length
            corner.append((first + spare // 2) // self.factor)
        return tuple(corner)

    def movement(self, amplifier):
        """Return scale and shift along x and y, as of `moved_wcs`, from the image of an amplifier to the grid."""
        moves = []
        for axis, corner in enumerate(self.corner(amplifier)):
            part, middle = amplifier.data.slices[axis], (self.factor - 1) / 2
            backwards = amplifier.place.flipped[axis]
            first = part.stop - 1 - middle if backwards else part.start + middle
            scale = (-1 if backwards else 1) / self.factor
            moves.append((scale, corner - scale * first))
        return tuple(zip(*reversed(moves)))


class _CCD:
    """
    The first image of a file whose header has sections: BIASSEC, TRIMSEC or DATASEC, or those of amplifiers.

    Where the sections do not fit the image, nothing is done, and a note says so. An image that was trimmed before is
    not trimmed again.
    """

    name = "ccd"

    def matches(self, hdul):
        """Return whether there is no SCI extension, and the first image has sections."""
        index = next((index for index, hdu in enumerate(hdul) if is_image(hdu)), None)
        return not science_hdus(hdul) and index is not None and _has_sections(_header(hdul, index))

    def read(self, hdul, name):
        """Return the image as a `Reading`, in counts where there is one amplifier: its gain is only reported."""
        index, notes = first_image(hdul, name)
        reading = described(read_hdu(hdul, index, name), hdul, self.name)
        try:
            reading = _by_sections(reading, hdul, (index,), name)
        except SectionError as error:
            notes = (f"{error}; nothing was trimmed or subtracted", *notes)
        return replace(reading, notes=(*reading.notes, *notes))


class _Mosaic:
    """
    Several images with DETSEC, of chips or amplifiers: each is put where it lies on the detector.

    Overscan is taken off, and the gains are applied where there was some and all are known. A mosaic of more than 100
    million pixels is averaged over squares of pixels.
    """

    name = "mosaic"

    def matches(self, hdul):
        """Return whether several images, the SCI extensions if there are any, have DETSEC."""
        return len(_chips(hdul)) > 1

    def read(self, hdul, name):
        """Return the whole detector as a `Reading`; the first image alone where DETSEC makes no sense."""
        chips = _chips(hdul)
        reading = described(Reading(np.empty((0, 0), np.float32), chips), hdul, self.name)
        try:
            return _by_sections(reading, hdul, chips, name)
        except SectionError as error:
            first = described(read_hdu(hdul, chips[0], name), hdul, self.name)
            return replace(first, notes=(f"{error}; the images were not put together", *alone(hdul, chips)))


def described(reading, hdul, layout):
    """
    Add to a reading what the header of its first image says of the camera.

    Parameters
    ----------
    reading : Reading
        The image.
    hdul : `~astropy.io.fits.HDUList`
        Its file.
    layout : str
        Name of the layout.

    Returns
    -------
    reading : Reading
        With layout, exposure, gain and read noise.
    """
    header = _header(hdul, reading.science[0])
    gain, readnoise = (_known((value,)) for value in electronics(header))
    return replace(reading, layout=layout, exposure=exposure(header), gain=gain, readnoise=readnoise)


def exposure(header):
    """
    Return what became of the cosmic rays of an image from the ground.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Primary header and that of the image.

    Returns
    -------
    exposure : Exposure
        COMBINED for a stack. UNKNOWN for all others: stars may be as sharp as cosmic rays, so none are looked for.
    """
    stacked = any((_number(header, keyword) or 0) > 1 for keyword in _STACKED) or "IMCMB001" in header
    return Exposure.COMBINED if stacked else Exposure.UNKNOWN


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


def _chips(hdul):
    """Return the indices of the images that have DETSEC: SCI extensions if there are any, else all."""
    images = science_hdus(hdul) or [index for index, hdu in enumerate(hdul) if is_image(hdu)]
    return tuple(index for index in images if any(_text(hdul[index].header, key) for key in ("DETSEC", "DETSECA")))


def _header(hdul, index):
    """Return the header of an image, with what only the primary header says."""
    header = hdul[index].header.copy()
    if index:
        header.extend(hdul[0].header, unique=True, strip=True)
    return header


def _text(header, keyword):
    value = header.get(keyword)
    return "" if value is None or isinstance(value, Undefined) else str(value).strip()


def _number(header, *keywords):
    """Return the first of these that is a positive number; None where there is none."""
    values = (_float(header, keyword) for keyword in keywords)
    return next((value for value in values if 0 < value < math.inf), None)


def _float(header, keyword):
    try:
        return float(_text(header, keyword) or 0)
    except ValueError:
        return 0.0


def _has_sections(header):
    keywords = ("BIASSEC", "TRIMSEC", "DATASEC", *_names(header))
    return any(_text(header, keyword) for keyword in keywords)


def _names(header):
    """Return the keywords of the overscan of each amplifier of an image that has several, in order."""
    return sorted(
        keyword
        for bias, data, *_ in _FAMILIES
        for keyword in header
        if re.fullmatch(f"{bias}(?:[A-Z]|[0-9]{{1,2}})", keyword) and keyword.replace(bias, data) in header
    )


def _amplifiers(hdul, index, mosaic):
    """Return the amplifiers of one image; SectionError if its sections do not fit it."""
    header = _header(hdul, index)
    shape = tuple(n for n in hdul[index].shape if n != 1)
    data, trimmed = _lit(header, ("DATASEC", "TRIMSEC") if mosaic else ("TRIMSEC", "DATASEC"), shape, mosaic)
    names = _names(header)
    if names and not trimmed:
        return [_one_of_several(header, name, index, shape, mosaic) for name in names]
    done = trimmed or any(_text(header, keyword) for keyword in _SUBTRACTED)
    bias = None if done else _inside(header, "BIASSEC", shape)
    if bias and _along(data, bias) is None:
        msg = f"BIASSEC = {_text(header, 'BIASSEC')!r} overlaps the image proper"
        raise SectionError(msg)
    place = parse_section(_text(header, "DETSEC")) if mosaic else None
    return [_Amplifier(index, data, bias, place, *electronics(header), _number(header, *_SATURATION))]


def _one_of_several(header, name, index, shape, mosaic):
    """Return the amplifier whose overscan has the keyword ``name``."""
    family = next(family for family in _FAMILIES if name.startswith(family[0]))
    bias, data, places, gain, readnoise, saturation = family
    suffix = name.removeprefix(bias)
    place = next((key + suffix for key in (places if mosaic else places[::-1]) if _text(header, key + suffix)), "")
    amplifier = _Amplifier(
        index,
        _inside(header, data + suffix, shape),
        None if any(_text(header, keyword) for keyword in _SUBTRACTED) else _inside(header, name, shape),
        parse_section(_text(header, place)),
        _number(header, gain + suffix, "EGAIN"),
        _number(header, readnoise + suffix),
        _number(header, saturation + suffix, *_SATURATION),
    )
    if amplifier.data is None or amplifier.place is None:
        msg = f"the header does not say where the amplifier {suffix} lies"
        raise SectionError(msg)
    if amplifier.bias and _along(amplifier.data, amplifier.bias) is None:
        msg = f"{name} = {_text(header, name)!r} overlaps the image proper"
        raise SectionError(msg)
    return amplifier


def _lit(header, keywords, shape, mosaic):
    """Return the section that saw light, by default all of the image, and whether it was cut down to it before."""
    whole = Section.whole(shape)
    keyword = next((keyword for keyword in keywords if _text(header, keyword)), "")
    if any(_text(header, flag) not in ("", "F", "False") for flag in _TRIMMED):
        return whole, True
    if _size(_text(header, keyword)) == shape:
        return whole, True
    if not mosaic and (_float(header, "LTV1") or _float(header, "LTV2")):
        shift = f"LTV1 = {header.get('LTV1')}, LTV2 = {header.get('LTV2')}"
        msg = f"{shift}: the image was cut out of the one that {keyword or 'BIASSEC'} is of"
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
    text = _text(header, keyword)
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


def _binning(amplifier):
    """Return the rows and columns of the detector in a pixel; SectionError if place and data are unlike."""
    if amplifier.place is None:
        msg = "an image with sections has no DETSEC"
        raise SectionError(msg)
    binning = []
    for room, length in zip(amplifier.place.shape, amplifier.data.shape):
        ratio = max(1, round(room / length))
        if not 0 <= room - ratio * length <= _SLACK * room:
            there, here = (
                " x ".join(str(n) for n in shape[::-1]) for shape in (amplifier.place.shape, amplifier.data.shape)
            )
            msg = f"an image of {here} pixels does not fit its place of {there} on the detector"
            raise SectionError(msg)
        binning.append(ratio)
    return tuple(binning)


def _by_sections(reading, hdul, chips, name):
    """Return what the sections of these images say, as a `Reading`; SectionError if they make no sense."""
    amplifiers = [amplifier for index in chips for amplifier in _amplifiers(hdul, index, len(chips) > 1)]
    product = "raw" if any(amplifier.bias for amplifier in amplifiers) else ""
    make = _trimmed if len(amplifiers) == 1 and amplifiers[0].place is None else _put_together
    gains, noises = _known(one.gain for one in amplifiers), _known(one.readnoise for one in amplifiers)
    return replace(make(reading, hdul, amplifiers, name), product=product, gain=gains, readnoise=noises)


def _known(values):
    """Return these values as a tuple; an empty one if any is not known."""
    values = tuple(values)
    return values if all(values) else ()


def _trimmed(reading, hdul, amplifiers, name):
    """Return the only amplifier of an image."""
    (amplifier,) = amplifiers
    rows, columns = amplifier.data.slices
    data, level = _exposed(reading.data, amplifier)
    steps = _overscan_steps(amplifiers, [level], unit_of(hdul[amplifier.index].header))
    if amplifier.data != Section.whole(reading.data.shape):
        steps.append(f"trimmed to columns {columns.start + 1}-{columns.stop} and rows {rows.start + 1}-{rows.stop}")
    return replace(
        reading,
        data=data,
        saturated=_saturated(reading.data, amplifier),
        steps=tuple(steps),
        corner=(rows.start, columns.start),
    )


def _put_together(reading, hdul, amplifiers, name):
    """Return several amplifiers where they lie on the detector; what none of them covers was never exposed."""
    grid = _Grid.of(amplifiers)
    data = np.full(grid.shape, np.nan, np.float32)
    unexposed, bad, saturated = np.ones(grid.shape, bool), np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    levels, flags = [], []
    unit = unit_of(hdul[amplifiers[0].index].header)
    counts = unit == u.adu and all(amplifier.bias for amplifier in amplifiers)
    gains = _known(amplifier.gain for amplifier in amplifiers) if counts else ()
    for index in reading.science:
        image = image_array(hdul, index, name)
        quality, dq = quality_array(hdul, index, image.shape, name) if hdul[index].name == "SCI" else ((), None)
        flags += quality
        for amplifier in (one for one in amplifiers if one.index == index):
            values, level = _exposed(image, amplifier)
            levels.append(level)
            values = _oriented(values * np.float32(amplifier.gain if gains else 1), amplifier, grid.factor, np.mean)
            row, column = grid.corner(amplifier)
            place = np.s_[row : row + values.shape[0], column : column + values.shape[1]]
            if not unexposed[place].all():
                msg = f"{hdu_name(hdul, index)} overlaps another image on the detector"
                raise SectionError(msg)
            data[place], unexposed[place] = values, False
            full = _saturated(image, amplifier)
            if full is not None:
                saturated[place] = _oriented(full, amplifier, grid.factor, np.any)
            if quality:
                bad[place] = _oriented(ANY.split(dq)[0][amplifier.data.slices], amplifier, grid.factor, np.any)
    known = any(amplifier.saturation for amplifier in amplifiers)
    wcs, notes = _sky(hdul, amplifiers, grid)
    return replace(
        reading,
        data=data,
        quality=tuple(flags),
        bad=bad if flags else None,
        saturated=saturated if known else None,
        unexposed=unexposed,
        wcs=wcs,
        notes=notes,
        unit=u.electron if gains else unit,
        steps=_mosaic_steps(amplifiers, levels, unit, gains, grid),
    )


def _exposed(image, amplifier):
    """Return the pixels of an amplifier without the level of its overscan, and this level; None without overscan."""
    data = np.asarray(image[amplifier.data.slices], np.float32)
    if amplifier.bias is None:
        return data, None
    level = float(np.median(image[amplifier.bias.slices]))
    if not math.isfinite(level):
        msg = f"the overscan of an amplifier has the level {level}"
        raise SectionError(msg)
    axis = _along(amplifier.data, amplifier.bias)
    wanted, there = amplifier.data.slices[axis], amplifier.bias.slices[axis]
    if not there.start <= wanted.start <= wanted.stop <= there.stop:
        return data - np.float32(level), level
    strip = (wanted, amplifier.bias.columns) if axis == 0 else (amplifier.bias.rows, wanted)
    return _without_drift(data, image[strip], axis), level


def _without_drift(data, overscan, axis):
    """Return data less a straight line through the medians of the overscan along an axis."""
    from astropy.modeling.models import Chebyshev1D
    from ccdproc import subtract_overscan

    image, strip = (CCDData(np.asarray(array, np.float32), unit=u.adu) for array in (data, overscan))
    level = Chebyshev1D(1)
    return subtract_overscan(
        image, overscan=strip, overscan_axis=1 - axis, median=True, model=level, add_keyword=None
    ).data.astype(np.float32)


def _saturated(image, amplifier):
    """Return where an amplifier is saturated; None if its header does not say at which level."""
    return None if amplifier.saturation is None else image[amplifier.data.slices] >= amplifier.saturation


def _oriented(values, amplifier, factor, average):
    """Return pixels the right way round, one in a square of them."""
    rows, columns = (slice(None, None, -1 if backwards else 1) for backwards in amplifier.place.flipped)
    values = values[rows, columns]
    return values if factor == 1 else block_reduce(values, factor, average)


def _overscan_steps(amplifiers, levels, unit):
    """Return what to say of overscan that was subtracted: nothing, or one phrase."""
    levels = [level for level in levels if level is not None]
    if not levels:
        return []
    counts = f"{min(levels):.1f}" if len(levels) == 1 else f"{min(levels):.1f} to {max(levels):.1f}"
    if len(amplifiers) > 1:
        return [f"subtracted the level of the overscan of {len(levels)} amplifiers: {counts} {unit}"]
    rows, columns = amplifiers[0].bias.shape
    width = f"{columns} columns" if _along(amplifiers[0].data, amplifiers[0].bias) == 0 else f"{rows} rows"
    return [f"subtracted the level of {width} of overscan: {counts} {unit}"]


def _mosaic_steps(amplifiers, levels, unit, gains, grid):
    steps = _overscan_steps(amplifiers, levels, unit)
    if gains:
        steps.append(f"applied the gains: {min(gains)} to {max(gains)} electrons per count")
    kind = "DETSEC" if len({amplifier.index for amplifier in amplifiers}) > 1 else "CCDSEC"
    steps.append(f"put {len(amplifiers)} parts together by {kind}")
    if grid.factor > 1:
        steps.append(f"averaged {grid.factor} x {grid.factor} pixels")
    return tuple(steps)


def _sky(hdul, amplifiers, grid):
    """Return the WCS of the amplifier nearest to the middle that has one, and a note if it is not that of others."""
    middle = np.array(grid.shape) / 2

    def distance(amplifier):
        centre = np.array(grid.corner(amplifier)) + np.array(amplifier.data.shape) / (2 * grid.factor)
        return float(np.hypot(*(centre - middle)))

    skies = [(one, image_wcs(hdul[one.index].header, hdul)) for one in sorted(amplifiers, key=distance)]
    known = [(amplifier, wcs) for amplifier, wcs in skies if wcs is not None]
    if not known:
        return None, ()
    reference, own = known[0]
    sky = moved_wcs(own, *grid.movement(reference))
    off = max((_error(sky, wcs, amplifier, grid) for amplifier, wcs in known[1:]), default=0.0)
    if off <= 1:
        return sky, ()
    name = hdu_name(hdul, reference.index)
    return sky, (f"the WCS is that of {name}; elsewhere it is up to {off:.0f} pixels off",)


def _error(sky, own, amplifier, grid):
    """Return how far the middle of an amplifier is, in pixels, from where the WCS of the mosaic has it."""
    rows, columns = amplifier.data.slices
    pixel = np.array([(columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2])
    scale, shift = (np.array(pair) for pair in grid.movement(amplifier))
    try:
        there = sky.all_world2pix(own.all_pix2world(pixel[None], 0), 0)[0]
    except Exception:  # distortions that do not converge so far out say nothing
        return 0.0
    distance = float(np.hypot(*(there - (scale * pixel + shift))))
    return distance if math.isfinite(distance) else 0.0


CCD = _CCD()
"""The layout of single CCDs of telescopes on the ground."""

MOSAIC = _Mosaic()
"""The layout of mosaics of CCDs, or of amplifiers, in several extensions."""

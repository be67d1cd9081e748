# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Sections of images in IRAF's notation, and world coordinates that follow pixels that are moved."""

import re
from dataclasses import dataclass

from astropy.wcs import WCS

__all__ = ["Section", "SectionError", "halved_wcs", "moved_wcs", "parse_section"]

_NOTHING = re.compile(r"\[?[\s0:,]*\]?")
_SIP = re.compile(r"(A|B|AP|BP)_(\d)_(\d)")


class SectionError(ValueError):
    """The sections of a header make no sense."""


@dataclass(frozen=True)
class Section:
    """
    A rectangle of pixels.

    Parameters
    ----------
    rows, columns : slice
        Start and stop, counted from 0; never empty.
    flipped : tuple of bool
        Whether rows and columns run backwards.
    """

    rows: slice
    columns: slice
    flipped: tuple[bool, bool] = (False, False)

    @classmethod
    def whole(cls, shape):
        """Return the section that is all of an image of this shape."""
        return cls(slice(0, shape[0]), slice(0, shape[1]))

    @property
    def slices(self):
        """Rows and columns: an index of the image."""
        return self.rows, self.columns

    @property
    def shape(self):
        """Number of rows and columns."""
        return tuple(part.stop - part.start for part in self.slices)

    def within(self, other):
        """Return this section of an image as one of that of which the image is the section ``other``."""
        parts = []
        for own, whole, backwards in zip(self.slices, other.slices, other.flipped):
            if backwards:
                parts.append(slice(whole.stop - own.stop, whole.stop - own.start))
            else:
                parts.append(slice(whole.start + own.start, whole.start + own.stop))
        return Section(*parts, tuple(one != two for one, two in zip(self.flipped, other.flipped)))


def parse_section(text, shape=None):
    """
    Return the section a header means.

    Parameters
    ----------
    text : str or None
        IRAF's ``[c1:c2,l1:l2]``, counted from 1, both ends included; ``*`` is a whole axis. The ends are the
        other way round where an axis runs backwards.
    shape : tuple of int, optional
        Shape of the image it is a section of.

    Returns
    -------
    section : Section or None
        None where the header says nothing: no text, ``[]`` or zeros.

    Raises
    ------
    SectionError
        If it is no section of two axes, or not inside the image.
    """
    from ccdproc.utils.slices import slice_from_string

    text = str(text or "").strip()
    if _NOTHING.fullmatch(text):
        return None
    if not all(":" in part or "*" in part for part in text.split(",")):
        msg = f"{text!r} is no section [c1:c2,l1:l2]"
        raise SectionError(msg)
    try:
        rows, columns = slice_from_string(text, fits_convention=True)
    except ValueError as error:
        msg = f"{text!r} is no section [c1:c2,l1:l2]"
        raise SectionError(msg) from error
    ny, nx = shape or (None, None)
    rows, columns = _bounds(rows, ny, text), _bounds(columns, nx, text)
    return Section(slice(*rows[:2]), slice(*columns[:2]), (rows[2], columns[2]))


def _bounds(part, length, text):
    """Return start, stop and whether the axis runs backwards."""
    backwards = part.step == -1
    if part.step not in (None, 1, -1):
        msg = f"{text!r} leaves out pixels"
        raise SectionError(msg)
    if backwards:
        start, stop = 0 if part.stop is None else part.stop + 1, length if part.start is None else part.start + 1
    else:
        start, stop = part.start or 0, length if part.stop is None else part.stop
    if stop is None or not start < stop or (length is not None and stop > length):
        image = "" if length is None else f" of an axis of {length} pixels"
        msg = f"{text!r} is no section{image}"
        raise SectionError(msg)
    return start, stop, backwards


def moved_wcs(wcs, scale, shift):
    """
    Return the world coordinates of an image whose pixels were moved, flipped or averaged.

    Parameters
    ----------
    wcs : `~astropy.wcs.WCS`
        Celestial, with or without SIP distortion; not modified.
    scale, shift : tuple of float
        Along x and y: what was pixel ``p``, counted from 0, is now ``scale * p + shift``.

    Returns
    -------
    wcs : `~astropy.wcs.WCS`
        The same sky at the new pixels.
    """
    header = wcs.to_header(relax=True)
    for j, (factor, offset) in enumerate(zip(scale, shift), 1):
        header[f"CRPIX{j}"] = factor * (header.get(f"CRPIX{j}", 0.0) - 1) + offset + 1
        for i in (1, 2):
            header[f"PC{i}_{j}"] = header.get(f"PC{i}_{j}", float(i == j)) / factor
    for keyword in [keyword for keyword in header if _SIP.fullmatch(keyword)]:
        kind, p, q = _SIP.fullmatch(keyword).groups()
        own = scale["AB".index(kind[0])]
        header[keyword] *= own / (scale[0] ** int(p) * scale[1] ** int(q))
    return WCS(header)


def halved_wcs(wcs):
    """Return the world coordinates of an image of which 2 x 2 pixels became one; None for None."""
    return wcs and moved_wcs(wcs, (0.5, 0.5), (-0.25, -0.25))

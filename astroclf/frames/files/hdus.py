# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The HDUs of a FITS file, found before astropy looks, so that one cut short or damaged is known as such."""

import math
import re
from operator import index

from astropy.io import fits

from astroclf.checksum import datasum
from astroclf.exceptions import FrameError
from astroclf.frames.files.quiet import quiet, refusing

__all__ = ["LONGEST_HEADER", "StoredSums", "find_hdus"]

LONGEST_HEADER = 2**22
"""Bytes at most of one header: 52 000 cards."""

_BLOCK = 2880
_CARD = 80
_CHUNK = 2**22
_MOST = 999
_END = re.compile(rb"END([^A-Z0-9_-]|$)")


def find_hdus(content, name):
    """
    Find the HDUs of a file.

    Parameters
    ----------
    content : binary file
        A FITS file that can be read in any order; left open.
    name : str
        What to call it in messages.

    Returns
    -------
    hdul : `~astropy.io.fits.HDUList`
        Its HDUs; their headers have been read, their data have not.
    trouble : str
        What is wrong with the file from the last of them on; empty if nothing is.

    Raises
    ------
    FrameError
        If its first header cannot be read.
    """
    headers, hdus = {}, []
    with quiet():
        end, trouble = _find_headers(content, headers)
        if headers:
            with refusing(f"{name}: HDU 0"):
                source = fits.open(_View(content, headers, end), memmap=False)
        try:
            for number in range(len(headers)):
                with refusing(f"HDU {number}", _DamageError):
                    hdus.append(source[number])
        except _DamageError as damage:
            trouble = str(damage)
    if not hdus:
        msg = f"{name}: {trouble}"
        raise FrameError(msg)
    return fits.HDUList(hdus), trouble


class StoredSums:
    """
    DATASUM of HDUs, of their bytes as stored: of tile-compressed images as tables. Call it with an index.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The HDUs of `find_hdus`.
    content : binary file
        The file they came from.
    """

    def __init__(self, hdul, content):
        self.notes = ()
        self._hdul, self._content = hdul, content

    def __call__(self, index):
        """Return the sum, and take a note if the header has another."""
        place, total = self._hdul[index].fileinfo(), 0
        self._content.seek(place["datLoc"])
        for start in range(0, place["datSpan"], _CHUNK):
            total = datasum(self._content.read(min(_CHUNK, place["datSpan"] - start)), total)
        self._content.seek(place["hdrLoc"])
        header = self._content.read(place["datLoc"] - place["hdrLoc"])
        written = str(fits.Header.fromstring(header).get("DATASUM", "")).strip()
        if written.isdecimal() and int(written) != total:
            note = f"DATASUM of HDU {index} is {written}, its data add up to {total}: they are not what was written"
            self.notes += (note,)
        return total


class _DamageError(FrameError):
    """No further HDU can be read."""


def _find_headers(content, headers):
    """Add the headers of a file by the place where they begin; return where the last HDU ends, and what ends it."""
    size, at = _size(content), 0
    try:
        while header := _raw_header(content, at, len(headers)):
            number, span = len(headers), _checked_size(header, len(headers))
            headers[at] = header
            end = at + len(header) + span
            if end > size:
                return size, f"cut short: of the {span} bytes of HDU {number}, {end - size} are missing"
            at = end + -span % _BLOCK
    except _DamageError as damage:
        return at, str(damage)
    return at, ""


def _checked_size(header, number):
    """Return the bytes of the data that follow a header; raise if it makes no sense."""
    with refusing(f"HDU {number}", _DamageError):
        parsed = fits.Header.fromstring(header)
        _check_counts(parsed)
        span = _data_size(parsed)
    if span < 0:
        msg = f"HDU {number} has a negative size; its header is damaged"
        raise _DamageError(msg)
    return span


def _raw_header(content, at, number):
    """Return the bytes of a header up to its end; none if no header begins here."""
    content.seek(at)
    header = bytearray(content.read(_BLOCK))
    begins = b"XTENSION" if number else b"SIMPLE"
    if not header or not begins.startswith(header[: len(begins)]):
        return b""
    start = 0
    while not any(_END.match(header, card) for card in range(start, len(header), _CARD)):
        start = len(header)
        header += content.read(_BLOCK)
        if len(header) == start:
            msg = f"cut short in the header of HDU {number}"
            raise _DamageError(msg)
        if len(header) > LONGEST_HEADER:
            msg = f"the header of HDU {number} is longer than {LONGEST_HEADER // 2**20} MiB; it is damaged"
            raise _DamageError(msg)
    return bytes(header)


def _check_counts(header):
    """Raise for more axes or columns than there can be: what reads them goes through them one by one."""
    for keyword in ("NAXIS", "ZNAXIS", "TFIELDS"):
        for number in range(header.count(keyword) if keyword in header else 0):  # of two, astropy takes either
            if not 0 <= index(header[keyword, number]) <= _MOST:
                msg = f"{keyword} = {header[keyword, number]}, which is not from 0 to {_MOST}"
                raise ValueError(msg)


def _data_size(header):
    """Return the bytes of an HDU's data, without what fills up the last block (FITS standard 4.0, eq. 1, 2 and 4)."""
    axes = [index(header[f"NAXIS{axis}"]) for axis in range(1, index(header["NAXIS"]) + 1)]
    if axes[:1] == [0] and header.get("GROUPS"):
        axes = axes[1:]
    values = math.prod(axes) if axes else 0
    groups, parameters = index(header.get("GCOUNT", 1)), index(header.get("PCOUNT", 0))
    return abs(index(header["BITPIX"])) // 8 * groups * (parameters + values)


def _size(content):
    content.seek(0, 2)
    return content.tell()


class _View:
    """
    A file as astropy is to see it: read only, up to the end of the last HDU, its headers at hand.

    Parameters
    ----------
    content : binary file
        The file; closing the view leaves it open.
    headers : dict of int to bytes
        Headers by the place where they begin.
    end : int
        Where the file is to end.
    """

    mode = "rb"
    closed = False

    def __init__(self, content, headers, end):
        self._content, self._headers, self._end = content, headers, end
        self._at = 0

    def seek(self, offset, whence=0):
        self._at = offset + (0, self._at, self._end)[whence]
        return self._at

    def tell(self):
        return self._at

    def read(self, size=-1):
        left = max(self._end - self._at, 0)
        size = left if size is None or size < 0 else min(size, left)
        for start, header in self._headers.items():
            if start <= self._at and self._at + size <= start + len(header):
                part = header[self._at - start :][:size]
                break
        else:
            self._content.seek(self._at)
            part = self._content.read(size)
        self._at += len(part)
        return part

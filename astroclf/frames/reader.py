# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The door itself: paths, HDULists, CCDData and arrays in, a frame out."""

import bz2
import gzip
import io
import os
import zlib
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, NDData
from astropy.utils.masked import get_data_and_mask

from astroclf.checksum import datasum
from astroclf.exceptions import FrameError
from astroclf.frames.frame import Frame, Origin, fingerprint
from astroclf.frames.plain import read_hdu
from astroclf.frames.quiet import quiet, refusing
from astroclf.frames.reading import Reading, hdu_name, is_image, to_frame
from astroclf.frames.registry import LAYOUTS

__all__ = ["read_frame"]

_UNPACKERS = {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress}


def read_frame(source, hdu=None, plane=None):
    """
    Read whatever holds an image.

    Parameters
    ----------
    source : path-like, `~astropy.io.fits.HDUList`, `~astropy.nddata.NDData`, array_like or `Frame`
        A FITS file, plain, compressed by gzip or bzip2, or tile-compressed; an open one; an image with
        mask, unit and WCS; or a 2-D array. Nothing is modified; a frame is handed back as it is.
    hdu : int, str or tuple of (str, int), optional
        The image HDU to read, by index, name or name and version (``"SCI,2"`` or ``("SCI", 2)``). By
        default the file's layout decides: all chips of a known camera, the SCI extension of other
        products, else the first image.
    plane : int, optional
        Which plane of a cube to read, counted from 1 along its third axis, as FITS does.

    Returns
    -------
    frame : Frame
        The image in float32 with mask, unit, WCS and facts.

    Raises
    ------
    FrameError
        If ``source`` holds no image that can be read; the message says why.
    EmptyFrameError
        If no pixel of the image is finite and unmasked.
    """
    if isinstance(source, Frame):
        return source
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source), hdu, plane)
    if isinstance(source, fits.HDUList):
        return _read_hdus(source, hdu, plane, source.filename() or "<HDUList>")
    if hdu is not None or plane is not None:
        msg = f"hdu={hdu!r} and plane={plane!r} name a part of a file; this {type(source).__name__} is an image"
        raise FrameError(msg)
    if isinstance(source, NDData):
        return _read_nddata(source)
    return _read_array(source)


def _read_path(path, hdu, plane):
    with _open(path) as (hdul, content, status):
        return _read_hdus(hdul, hdu, plane, str(path), content, path=path, fingerprint=fingerprint(status))


def _read_hdus(hdul, hdu, plane, name, content=None, **origin):
    if not hdul:
        msg = f"{name}: has no HDU"
        raise FrameError(msg)
    with quiet(), refusing(f"{name}:"):
        if hdu is None and plane is None:
            layout = next(layout for layout in LAYOUTS if layout.matches(hdul))
            reading = layout.read(hdul, name)
        else:
            index = _first_image(hdul) if hdu is None else _index_of(hdul, hdu, name)
            reading = read_hdu(hdul, index, name, plane)
        return to_frame(reading, hdul, name, datasum=content and _stored_datasum(content), **origin)


def _first_image(hdul):
    return next((index for index, hdu in enumerate(hdul) if is_image(hdu)), 0)


def _index_of(hdul, hdu, name):
    key = hdu
    if isinstance(hdu, str):
        extname, _, extver = hdu.rpartition(",")
        version = int(extver) if extver.strip().isdecimal() else None
        key = hdu if version is None else (extname, version) if extname else version
    try:
        return range(len(hdul))[hdul.index_of(key)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        there = " ".join(hdu_name(hdul, index) for index in range(len(hdul)))
        msg = f"{name}: hdu={hdu!r} is not in the file; it has {there}"
        raise FrameError(msg) from error


@contextmanager
def _open(path):
    """Open a FITS file; yield its HDUs, its unpacked content as a file, and its status before it was read."""
    try:
        content, status = _content(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        msg = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise FrameError(msg) from error
    with content, quiet():
        try:
            hdul = fits.open(content, memmap=False)
            len(hdul)
        except Exception as error:  # astropy raises a dozen kinds
            msg = f"{path}: not a FITS file ({_what_it_is(content, error)})"
            raise FrameError(msg) from error
        with hdul:
            yield hdul, content, status


def _content(path):
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "does not exist"
        msg = f"{path}: {what}; name a FITS file"
        raise FrameError(msg)
    status = path.stat()
    with path.open("rb") as file:
        unpack = _UNPACKERS.get(file.read(2))
    return io.BytesIO(unpack(path.read_bytes())) if unpack else path.open("rb"), status


def _what_it_is(content, error):
    content.seek(0)
    head = content.read(40)
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; run 'git lfs pull'"
    return str(error) if head.startswith(b"SIMPLE") else f"it begins with {head[:10]!r} instead of 'SIMPLE  ='"


def _stored_datasum(content):
    """Return a function that sums an HDU's bytes as they are stored, tile-compressed images as tables."""
    content.seek(0)
    stored = fits.open(content, memmap=False, disable_image_compression=True)

    def of(index):
        info = stored[index].fileinfo()
        content.seek(info["datLoc"])
        return datasum(content.read(info["datSpan"]))

    return of


def _read_nddata(image):
    data = _pixels(image.data)
    with quiet(), refusing("<array>"):
        header = _header(image.meta)
        bad = None if image.mask is None else np.broadcast_to(np.asarray(image.mask, bool), data.shape)
        hdul = fits.HDUList([fits.PrimaryHDU(header=header)])
        frame = to_frame(Reading(data, (0,), bad=bad, unit=image.unit), hdul, "<array>")
        ccd = CCDData(frame.ccd.data, unit=frame.ccd.unit, mask=frame.ccd.mask, meta=header, wcs=image.wcs)
    return replace(frame, ccd=ccd, origin=Origin())


def _header(meta):
    """Return the header of an image in memory; what FITS cannot hold is left out."""
    if isinstance(meta, fits.Header):
        return meta.copy()
    header = fits.Header()
    for keyword, value in meta.items():
        with suppress(LookupError, TypeError, ValueError):
            header[keyword] = value
    return header


def _read_array(array):
    try:
        values, mask = get_data_and_mask(array)
    except (AttributeError, ValueError):
        values, mask = array, None
    unit = getattr(values, "unit", None)
    data = _pixels(getattr(values, "value", values))
    return _read_nddata(CCDData(data, unit=unit if isinstance(unit, u.UnitBase) else u.adu, mask=mask))


def _pixels(values):
    """Return the values of an image as float32; what is too large for it becomes infinite."""
    try:
        data = np.asarray(values)
        with np.errstate(over="ignore"):
            data = data.astype(np.float32, casting="same_kind", copy=False)
    except (TypeError, ValueError) as error:
        kind = getattr(values, "dtype", type(values).__name__)
        msg = f"source must be a path, an HDUList, CCDData or a 2-D array of numbers; got {kind}"
        raise FrameError(msg) from error
    if data.ndim != 2 or 0 in data.shape:
        msg = f"source must be a 2-D image of at least one pixel; got an array of shape {data.shape}"
        raise FrameError(msg)
    return data

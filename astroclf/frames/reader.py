# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The door itself: paths, HDULists, CCDData and arrays in, a frame out."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, Cutout2D, NDData
from astropy.table import Table
from astropy.utils.masked import get_data_and_mask

from astroclf.exceptions import FrameError
from astroclf.frames.files.containers import open_local, open_stream
from astroclf.frames.files.hdus import StoredSums, find_hdus
from astroclf.frames.files.pictures import picture_kind, read_picture
from astroclf.frames.files.quiet import quiet, refusing
from astroclf.frames.files.remote import is_url, open_url
from astroclf.frames.frame import Frame, Origin, fingerprint
from astroclf.frames.layouts.plain import read_hdu
from astroclf.frames.reading import Reading, hdu_name, is_image, to_frame
from astroclf.frames.registry import CAMERAS, LAYOUTS

__all__ = ["read_frame"]

_IMAGE_HDUS = fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU
_ALONE = "an extension without its file: its data-quality flags, and what only the primary header says, are not known"


def read_frame(source, hdu=None, plane=None):
    """
    Read whatever holds an image.

    Parameters
    ----------
    source : path-like, URL, binary file, `~astropy.io.fits.HDUList`, `~astropy.nddata.NDData`, array_like or `Frame`
        A FITS file, plain, compressed by gzip or bzip2, or tile-compressed: by name, by an address that begins
        with ``http://``, ``https://`` or ``s3://``, or open; the name of a JPEG, PNG or TIFF picture; an image
        with mask, unit and WCS; an image HDU, read as if it were the only one of its file; a
        `~astropy.nddata.Cutout2D`; or a 2-D array. Nothing is modified or closed; a frame is handed back as it is.
    hdu : int, str or tuple of (str, int), optional
        The image HDU to read, by index, name or name and version (``"SCI,2"`` or ``("SCI", 2)``). By
        default the file's layout decides: all chips of a known camera, the SCI extension of other
        products, else the first image.
    plane : int, optional
        Which plane of a cube to read, counted from 1 along its third axis, as FITS does; or page of a picture.

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
    MissingDependencyError
        If it is remote and the packages of the extra ``remote`` are not installed.
    """
    if isinstance(source, Frame):
        return source
    if is_url(source):
        with open_url(source) as stream:
            return _read_stream(stream, source, hdu, plane, url=source)
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source), hdu, plane)
    if isinstance(source, fits.HDUList):
        return _read_hdus(source, hdu, plane, source.filename() or "<HDUList>")
    if hasattr(source, "read") and not isinstance(source, NDData | Table):
        return _read_stream(source, _name_of(source), hdu, plane)
    if isinstance(source, _IMAGE_HDUS) and hdu is None:
        return _read_alone(source, plane)
    if hdu is not None or plane is not None:
        msg = f"hdu={hdu!r} and plane={plane!r} name a part of a file; this {type(source).__name__} is an image"
        raise FrameError(msg)
    if isinstance(source, NDData):
        return _read_nddata(source)
    if isinstance(source, Cutout2D):
        return _read_array(source.data, source.wcs)
    return _read_array(source)


def _read_path(path, hdu, plane):
    if picture_kind(path):
        return read_picture(path, hdu, plane)
    with open_local(path) as (stream, status):
        return _read_stream(stream, str(path), hdu, plane, path=path, fingerprint=fingerprint(status))


def _read_stream(stream, name, hdu=None, plane=None, **origin):
    with open_stream(stream, name) as content:
        hdul, trouble = find_hdus(content, name)
        if trouble and hdu is None:
            msg = f"{name}: {trouble}; get the file anew, or choose an image that is whole with hdu="
            raise FrameError(msg)
        sums = None if "url" in origin else StoredSums(hdul, content)  # to sum is to read twice
        frame = _read_hdus(hdul, hdu, plane, name, datasum=sums, **origin)
    wrong = sums.notes if sums else ()
    return replace(frame, notes=(*frame.notes, *wrong, *_lacking(hdul, trouble, frame.layout)))


def _lacking(hdul, trouble, layout):
    """Return notes on what a file lacks; NEXTEND is to be trusted only as the pipelines of cameras wrote it."""
    if trouble:
        return (f"the file is damaged: {trouble}",)
    announced, there = None, len(hdul) - 1
    with suppress(fits.VerifyError):
        announced = hdul[0].header.get("NEXTEND")
    whole = any(camera.name == layout for camera in CAMERAS)
    if whole and isinstance(announced, int) and announced > there:
        return (f"the header announces {announced} extensions (NEXTEND), there are {there}: the file may be cut short",)
    return ()


def _read_hdus(hdul, hdu, plane, name, **origin):
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
            origin |= {"hdu": index, "plane": plane}
        return to_frame(reading, hdul, name, **origin)


def _read_alone(hdu, plane):
    """Read an HDU as if it were the only one of its file."""
    frame = _read_hdus(fits.HDUList([hdu]), None, plane, f"<{type(hdu).__name__}>")
    notes = frame.notes if isinstance(hdu, fits.PrimaryHDU) else (*frame.notes, _ALONE)
    return replace(frame, origin=Origin(plane=plane), notes=notes)


def _name_of(stream):
    """Return what to call an open file in messages."""
    name = getattr(stream, "name", None)
    return name if isinstance(name, str) and name else f"<{type(stream).__name__}>"


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


def _read_array(array, wcs=None):
    try:
        values, mask = get_data_and_mask(array)
    except (AttributeError, ValueError):
        values, mask = array, None
    unit = getattr(values, "unit", None)
    data = _pixels(getattr(values, "value", values))
    return _read_nddata(CCDData(data, unit=unit if isinstance(unit, u.UnitBase) else u.adu, mask=mask, wcs=wcs))


def _pixels(values):
    """Return the values of an image as float32; what is too large for it becomes infinite."""
    try:
        data = np.asarray(values)
        with np.errstate(over="ignore"):
            data = data.astype(np.float32, casting="same_kind", copy=False)
    except (TypeError, ValueError) as error:
        kind = getattr(values, "dtype", type(values).__name__)
        msg = f"source must be a path, an HDUList or HDU, CCDData or a 2-D array of numbers; got {kind}"
        raise FrameError(msg) from error
    if data.ndim != 2 or 0 in data.shape:
        msg = f"source must be a 2-D image of at least one pixel; got an array of shape {data.shape}"
        raise FrameError(msg)
    return data

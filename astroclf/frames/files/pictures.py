# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Plain pictures: JPEG, PNG and TIFF files, read as one grey image, and the colours of those that have any."""

import os
import warnings
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import fits

from astroclf.exceptions import FrameError
from astroclf.frames.files.avm import avm_header, avm_wcs, read_avm
from astroclf.frames.frame import Exposure, Origin, fingerprint
from astroclf.frames.reading import Reading, to_frame

__all__ = ["is_annotated", "picture_kind", "read_picture"]

_PNG = b"\x89PNG\r\n\x1a\n"
_KINDS = {
    b"\xff\xd8\xff": "JPEG", _PNG: "PNG",
    b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF", b"MM\0+": "TIFF",
}  # fmt: skip
_CANON = b"II*\0\x10\0\0\0CR"
"""The raw files of Canon's cameras, which are built like a TIFF but are no picture."""

_OPENERS = ("JPEG", "PNG", "TIFF")
_MAKER = b"Software\0astroclf "

_DEEP = "F", "I", "I;16", "I;16B", "I;16L"
_GREY = "1", "L", "LA", "La"
_WHITEST = np.float32(65535)
"""White where a TIFF of 16 bits says that 0 is white, which Pillow does not undo."""

_SATURATED, _COLOURED = 8, 0.01
"""How far the channels of a pixel in colour are apart, and the least share of such pixels in a picture in colour."""

_NEW_SUBFILE, _BITS, _PHOTOMETRIC = 254, 258, 262
_PNG_DEPTH = 24
_ORIENTATION = 0x0112


def picture_kind(path):
    """
    Tell a picture by its first bytes.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    kind : {'JPEG', 'PNG', 'TIFF', ''}
        Empty for anything else, also where there is no file or it cannot be read.
    """
    try:
        if not Path(path).is_file():
            return ""
        with Path(path).open("rb") as stream:
            head = stream.read(len(_CANON))
    except OSError:
        return ""
    if head == _CANON:
        return ""
    return next((kind for signature, kind in _KINDS.items() if head.startswith(signature)), "")


def is_annotated(path):
    """
    Tell whether a file is a picture that astroclf made.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    annotated : bool
        True if it is a PNG whose ``Software`` is astroclf; False for anything else, also where there
        is no file.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(8) == _PNG and any(text.startswith(_MAKER) for text in _texts(stream))


def _texts(stream):
    """Yield the tEXt chunks that stand before the pixels of a PNG."""
    while len(head := stream.read(8)) == 8:
        length, kind = int.from_bytes(head[:4]), head[4:]
        if kind in (b"IDAT", b"IEND"):
            return
        if kind == b"tEXt":
            start = stream.read(min(length, 80))
            yield start
            length -= len(start)
        stream.seek(length + 4, os.SEEK_CUR)


def read_picture(path, hdu=None, plane=None):
    """
    Read a picture.

    Parameters
    ----------
    path : `~pathlib.Path`
        A JPEG, PNG or TIFF file.
    hdu : optional
        Must be None: a picture has no HDUs.
    plane : int, optional
        Which page of a file of several, counted from 1; the first by default.

    Returns
    -------
    frame : `~astroclf.Frame`
        The mean of the channels, in adu, and in ``colours`` the channels of a picture in colour; row 0 is the bottom
        of the picture. Transparent pixels are masked. There is a WCS if the file has a full solution in Astronomy
        Visualization Metadata.

    Raises
    ------
    FrameError
        If the file is damaged, too large, of a kind that Pillow does not read, a preview of a camera's
        raw file, or a picture that astroclf made.
    """
    if hdu is not None:
        msg = f"{path}: hdu={hdu!r} names a part of a FITS file; this is a picture"
        raise FrameError(msg)
    if is_annotated(path):
        msg = f"{path}: a picture that astroclf made of a frame; name the frame itself"
        raise FrameError(msg)
    status = path.stat()
    with _opened(path) as image:
        notes = (*_go_to_page(image, plane, path), *_depth(image, path))
        image.load()
        reading, avm = _read(image), read_avm(image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"))
    wcs = None if _turned(image) else avm_wcs(avm, reading.data.shape)
    hdul = fits.HDUList([fits.PrimaryHDU(header=avm_header(avm))])
    frame = to_frame(replace(reading, notes=notes, wcs=wcs), hdul, str(path))
    return replace(frame, origin=Origin(path, fingerprint=fingerprint(status), plane=plane))


@contextmanager
def _opened(path):
    """Open a picture; whatever Pillow raises over it becomes a `FrameError`."""
    from PIL import Image, UnidentifiedImageError

    kind = picture_kind(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures, odd metadata
            with Image.open(path, formats=_OPENERS) as image:
                yield image
        return
    except FrameError:
        raise
    except Image.DecompressionBombError as error:
        limit = 2 * Image.MAX_IMAGE_PIXELS
        msg = (
            f"{path}: a {kind} picture of more than {limit / 1e6:.0f} million pixels, the most that are read; reduce it"
        )
        cause = error
    except UnidentifiedImageError as error:
        msg = f"{path}: a {kind} file that Pillow cannot read: damaged, or of a rare kind; save the image as FITS"
        cause = error
    except Exception as error:  # Pillow raises a dozen kinds
        msg = f"{path}: the {kind} picture cannot be read, it may be damaged or cut short: {error}"
        cause = error
    raise FrameError(msg) from cause


def _go_to_page(image, plane, path):
    """Go to a page of a file; return the note that there are others."""
    pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # the others of an MPO are by-products
    if plane is not None and not 1 <= plane <= pages:
        msg = f"{path}: has the pages 1 to {pages}; got plane={plane!r}"
        raise FrameError(msg)
    if plane is not None:
        image.seek(plane - 1)
    elif pages > 1:
        return (f"read page 1 of {pages} alone; choose another with plane=",)
    return ()


def _depth(image, path):
    """Refuse the preview in a camera's raw file; return the note that Pillow reads 16 bits a channel as 8."""
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and tags.get(_NEW_SUBFILE, 0) & 1:
        msg = f"{path}: begins with a preview, as the raw files of cameras do; convert it to FITS or to a plain TIFF"
        raise FrameError(msg)
    bits = tags.get(_BITS, (8,))[0]
    if image.format == "PNG":
        with path.open("rb") as stream:
            bits = stream.read(_PNG_DEPTH + 1)[_PNG_DEPTH]
    if bits > 8 and image.mode not in _DEEP:
        return (f"{bits} bits a channel were read as 8: Pillow reads more of grey pictures only",)
    return ()


def _read(image):
    """Return the image, and its colours, if it has any, as a `Reading`; row 0 at the bottom."""
    from PIL import ImageOps

    steps, inverted = [], image.mode == "I;16" and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    if _turned(image):
        image = ImageOps.exif_transpose(image)
        steps.append("turned the picture as its EXIF orientation says")
    clear = None if image.mode in _DEEP else _transparent(image)
    if clear is not None:
        steps.append(f"left out {np.count_nonzero(clear)} transparent pixels")
    data, colours = _pixels(image)
    if image.mode not in (*_DEEP, *_GREY):
        steps.append("took the mean of the three colours" + ("" if colours is None else ", and kept them"))
    steps.append("left the stretch of the picture as it is")
    return Reading(
        _WHITEST - data if inverted else data, (0,), unexposed=clear, layout="picture", exposure=Exposure.PICTURE,
        steps=tuple(steps), colours=colours,
    )  # fmt: skip


def _turned(image):
    return image.getexif().get(_ORIENTATION, 1) in range(2, 9)


def _transparent(image):
    """Return where a picture shows nothing, row 0 at the bottom; None if it has no transparency."""
    return np.asarray(image.convert("RGBA"))[::-1, :, 3] == 0 if image.has_transparency_data else None


def _pixels(image):
    """Return the mean of the channels, and the channels of a picture in colour; of a deep grey picture all its bits."""
    if image.mode in _DEEP:
        return np.asarray(image).astype(np.float32)[::-1], None
    colours = np.asarray(image.convert("RGB"))[::-1]
    in_colour = image.mode not in _GREY and np.mean(_spread(colours) > _SATURATED) > _COLOURED
    return colours.mean(axis=2, dtype=np.float32), colours if in_colour else None


def _spread(colours):
    """Return how far the channels of each pixel are apart."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    return np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""How large an image may be: what a header claims is checked before any memory is taken for it."""

import math

from astropy.io import fits

from astroclf.exceptions import FrameError
from astroclf.frames.files.tiles import check_tiles

__all__ = ["LARGEST_IMAGE", "check_image", "check_pixels"]

LARGEST_IMAGE = 2**29
"""Pixels at most of an image in a file: 2 GiB as float32."""


def check_pixels(shape, where):
    """
    Refuse an image that is too large.

    Parameters
    ----------
    shape : tuple of int
        Its shape (ny, nx).
    where : str
        What to call it in the message.

    Raises
    ------
    FrameError
        If it has more pixels than `LARGEST_IMAGE`.
    """
    if math.prod(shape) > LARGEST_IMAGE:
        msg = f"{where} claims {shape[1]} x {shape[0]} pixels; at most {LARGEST_IMAGE} are read: cut out a part"
        raise FrameError(msg)


def check_image(hdu, shape, where):
    """
    Refuse an HDU that is too large, or larger than its file.

    Parameters
    ----------
    hdu : image HDU
        The HDU; its data are not touched.
    shape : tuple of int
        Shape (ny, nx) of what is to be read of it.
    where : str
        What to call it in the message.

    Raises
    ------
    FrameError
        If it has more pixels than `LARGEST_IMAGE`, or than the file holds; or if its tiles make no sense.
    """
    check_pixels(shape, where)
    stored = hdu.fileinfo()
    if stored is None or "data" in vars(hdu):
        return
    if isinstance(hdu, fits.CompImageHDU):
        check_tiles(hdu, where)
        return
    missing = stored["datLoc"] + hdu.size - stored["file"].size
    if stored["file"].size and missing > 0:
        msg = f"{where} cannot be read, it is cut short: {missing} of its {hdu.size} bytes are missing"
        raise FrameError(msg)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Small pictures of annotated ones."""

from io import BytesIO

__all__ = ["THUMBNAIL_SIZE", "find_image", "make_thumbnail"]

THUMBNAIL_SIZE = 144
"""Longer side in pixels: sharp on the screen of a phone, and about 4 kB."""

_QUALITY = 62
_FRAME = 3
"""Pixels of the frame around an image."""


def make_thumbnail(path, size):
    """
    Shrink the image in an annotated picture.

    Parameters
    ----------
    path : path-like
        What `~astroclf.annotation.save_annotated` wrote. The whole page is shrunk if it does not say where its image
        is.
    size : int
        Longer side in pixels.

    Returns
    -------
    thumbnail : bytes
        A JPEG; empty if the picture is damaged.
    """
    from PIL import Image

    from astroclf.annotation.files import image_box

    stream = BytesIO()
    try:
        with Image.open(path) as page:
            left, upper, right, lower = image_box(page)
            inside = left + _FRAME, upper + _FRAME, right - _FRAME, lower - _FRAME
            image = page.convert("RGB").crop(inside)
        image.thumbnail((size, size), Image.Resampling.BOX, reducing_gap=2)
        image.save(stream, "jpeg", quality=_QUALITY, optimize=True)
    except Exception:  # Pillow raises a dozen kinds for a damaged picture; the row goes without
        return b""
    return stream.getvalue()


def find_image(path):
    """
    Say where the image is in an annotated picture.

    Parameters
    ----------
    path : path-like
        As for `make_thumbnail`.

    Returns
    -------
    place : tuple of float
        Left, upper, right and lower edge as fractions of the width and of the height of the page, and its width over
        its height; all of a square page if the picture is damaged.
    """
    from PIL import Image

    from astroclf.annotation.files import image_box

    try:
        with Image.open(path) as page:
            left, upper, right, lower = image_box(page)
            width, height = page.size
    except Exception:  # as above
        return 0.0, 0.0, 1.0, 1.0, 1.0
    return left / width, upper / height, right / width, lower / height, width / height

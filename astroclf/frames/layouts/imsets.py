# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Image sets: extensions SCI, and DQ of the same EXTVER beside them, as Hubble's and JWST's pipelines write them."""

import numpy as np

from astroclf.exceptions import FrameError
from astroclf.frames.reading import hdu_name, image_array, image_shape, is_image

__all__ = ["is_exposure", "quality_array", "science_hdus"]


def is_exposure(hdul, instrument, detector):
    """
    Return whether a file holds SCI extensions of one shape as a detector exposed them: not drizzled.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The file.
    instrument : str
        INSTRUME of its frames.
    detector : str or None
        DETECTOR of its frames; None for an instrument that has no such keyword.

    Returns
    -------
    exposure : bool
        False if there is no SCI extension, and if there is a WHT extension.
    """
    header = hdul[0].header
    named = header.get("INSTRUME"), header.get("DETECTOR") if detector else None
    shapes = {image_shape(hdul[index]) for index in science_hdus(hdul)}
    return named == (instrument, detector) and len(shapes) == 1 and not any(hdu.name == "WHT" for hdu in hdul)


def science_hdus(hdul):
    """Return the indices of the SCI extensions, by EXTVER; those without data are left out."""
    found = [
        (hdu.ver, index) for index, hdu in enumerate(hdul)
        if index and hdu.name == "SCI" and is_image(hdu)
    ]  # fmt: skip
    return tuple(index for _, index in sorted(found))


def quality_array(hdul, science, shape, name):
    """
    Return the data quality of a SCI extension.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The file.
    science : int
        Index of the SCI extension.
    shape : tuple of int
        Shape of its image.
    name : str
        What to call the file in messages.

    Returns
    -------
    indices : tuple of int
        Index of the DQ extension; empty where there is none.
    dq : `~numpy.ndarray` of int
        Its flags; 0 where there is none.

    Raises
    ------
    FrameError
        If its shape is another.
    """
    version = hdul[science].ver
    for index, hdu in enumerate(hdul):
        if hdu.name == "DQ" and hdu.ver == version and is_image(hdu):
            if image_shape(hdu) != shape:
                flags, image = hdu_name(hdul, index), hdu_name(hdul, science)
                size = f"{flags} has the shape {image_shape(hdu)}, {image} {shape}"
                msg = f"{name}: {size}; read the image alone with hdu="
                raise FrameError(msg)
            return (index,), image_array(hdul, index, name)
    return (), np.broadcast_to(np.int16(0), shape)

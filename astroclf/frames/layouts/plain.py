# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files no camera's layout claims: SCI extensions as such, and plain images."""

from dataclasses import replace

from astroclf.exceptions import FrameError
from astroclf.frames.layouts.imsets import quality_array, science_hdus
from astroclf.frames.quality import ANY
from astroclf.frames.reading import Reading, hdu_name, image_array, image_shape, is_image

__all__ = ["PLAIN", "SCIENCE", "alone", "first_image", "read_hdu", "without_weight"]


_ANY_FLAG = "read as a generic SCI extension: every pixel that DQ flags is bad"


class _Science:
    """SCI extensions with DQ and WHT beside them, whichever telescope they are from."""

    name = "science"

    def matches(self, hdul):
        """Return whether there is a SCI extension with data."""
        return bool(science_hdus(hdul))

    def read(self, hdul, name):
        """Return the first SCI extension as a `Reading`; further ones are named in a note."""
        science = science_hdus(hdul)
        data = image_array(hdul, science[0], name)
        quality, dq = quality_array(hdul, science[0], data.shape, name)
        bad, saturated, rays = ANY.split(dq)
        return Reading(
            data, science[:1], quality, bad, saturated, rays, without_weight(hdul, data.shape, name),
            layout=self.name, steps=(_ANY_FLAG,) if quality else (), notes=alone(hdul, science),
        )  # fmt: skip


def alone(hdul, images):
    """Return the note that only the first of these images was read; none where there is no other."""
    first, *others = (hdu_name(hdul, index) for index in images)
    return (f"read {first} alone; choose another with hdu=: {' '.join(others)}",) if others else ()


def without_weight(hdul, shape, name):
    """Return where a drizzled image has no weight; None where there is no WHT extension of its shape."""
    for index, hdu in enumerate(hdul):
        if hdu.name == "WHT" and is_image(hdu) and image_shape(hdu) == shape:
            return ~(image_array(hdul, index, name) > 0)
    return None


class _Plain:
    """Any other file: its first image."""

    name = "plain"

    def matches(self, hdul):
        """Return True: this is the last layout to be asked."""
        return True

    def read(self, hdul, name):
        """Return the first HDU that holds an image as a `Reading`; further ones are named in a note."""
        index, notes = first_image(hdul, name)
        return replace(read_hdu(hdul, index, name), notes=notes)


def first_image(hdul, name):
    """
    Find the first image of a file.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The file.
    name : str
        What to call it in messages.

    Returns
    -------
    index : int
        Index of the HDU.
    notes : tuple of str
        What else of that shape there is in the extensions of a file whose primary HDU is empty.

    Raises
    ------
    FrameError
        If no HDU holds an image.
    """
    images = [index for index, hdu in enumerate(hdul) if is_image(hdu)]
    if not images:
        kinds = ", ".join(f"{index}: {_contents(hdu)}" for index, hdu in enumerate(hdul))
        msg = f"{name}: no HDU holds an image ({kinds})"
        if side := hdul[0].header.get("CLFSIDE"):
            msg = f"{name}: is the sidecar of {side} and holds its tags only; name that file"
        raise FrameError(msg)
    if hdul[0].header.get("NAXIS"):
        return images[0], ()
    return images[0], alone(hdul, [index for index in images if hdul[index].shape == hdul[images[0]].shape])


def _contents(hdu):
    """Return what an HDU without an image is: its kind, and its axes in the order of NAXISn."""
    axes = [str(hdu.header.get(f"NAXIS{axis}")) for axis in range(1, hdu.header.get("NAXIS", 0) + 1)]
    return f"{type(hdu).__name__} {' x '.join(axes) or 'without data'}"


def read_hdu(hdul, index, name, plane=None):
    """
    Read one HDU as it is.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The file.
    index : int
        Index of the HDU.
    name : str
        What to call the file in messages.
    plane : int, optional
        Which plane of a cube, counted from 1.

    Returns
    -------
    reading : Reading
        The image; pixels that are not finite are its only bad ones.

    Raises
    ------
    FrameError
        If it is no 2-D image, and no cube of which a plane is named.
    """
    return Reading(image_array(hdul, index, name, plane), (index,), layout=PLAIN.name, plane=plane)


SCIENCE = _Science()
"""The layout of files with SCI extensions from any telescope."""

PLAIN = _Plain()
"""The layout of everything else."""

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What pictures say of themselves in Astronomy Visualization Metadata (AVM): names, and where they lie on the sky."""

import warnings

import numpy as np
from astropy.io import fits

__all__ = ["avm_header", "avm_wcs", "read_avm"]

_NEEDED = "CoordinateFrame", "CoordsystemProjection", "ReferenceDimension", "ReferencePixel", "ReferenceValue", "Scale"


def read_avm(packet):
    """
    Parse the AVM in an XMP packet.

    Parameters
    ----------
    packet : bytes or str or None
        The packet, as it is in the file.

    Returns
    -------
    avm : `pyavm.AVM` or None
        None where there is no packet, or none that can be understood.
    """
    if not packet:
        return None
    from pyavm import AVM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return AVM.from_xml(packet.encode() if isinstance(packet, str) else packet.strip(b"\0 \r\n\t"))
        except Exception:  # the parser and PyAVM raise a dozen kinds for what others write
            return None


def avm_header(avm):
    """
    Return the names in AVM as a header has them.

    Parameters
    ----------
    avm : `pyavm.AVM` or None
        The metadata.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        TELESCOP, INSTRUME and OBJECT, those that are known and ASCII.
    """
    header = fits.Header()
    if avm is not None:
        for keyword, names in (("TELESCOP", avm.Facility), ("INSTRUME", avm.Instrument), ("OBJECT", _first(avm))):
            text = "+".join(dict.fromkeys(name for name in names or () if name and name.strip("- ")))
            if text and text.isascii() and text.isprintable():
                header[keyword] = text
    return header


def _first(avm):
    return (avm.Subject.Name or [])[:1]


def avm_wcs(avm, shape):
    """
    Return the world coordinates of a picture.

    Parameters
    ----------
    avm : `pyavm.AVM` or None
        The metadata.
    shape : tuple of int
        Shape (ny, nx) of the picture; it may be another than the one the metadata were made for, if the
        aspect ratio is the same.

    Returns
    -------
    wcs : `~astropy.wcs.WCS` or None
        None unless there is a full solution (``Spatial.Quality`` is ``Full``) that can be evaluated.
    """
    if avm is None or avm.Spatial.Quality != "Full" or any(getattr(avm.Spatial, name) is None for name in _NEEDED):
        return None
    if avm.Spatial.CDMatrix is not None and list(avm.Spatial.ReferenceDimension) != list(shape[::-1]):
        return None  # deprecated; PyAVM does not scale it to a picture of another size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wcs = avm.to_wcs(target_shape=shape[::-1])
            wcs.wcs.set()
            there = wcs.has_celestial and np.isfinite(wcs.pixel_to_world_values(0, 0)).all()
        except Exception:  # wcslib and PyAVM raise a dozen kinds for what others write
            return None
    return wcs if there else None

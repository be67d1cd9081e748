# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A frame: one image ready to be cleaned, with what its file says about it."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from astropy.nddata import CCDData

from astroclf.exceptions import EmptyFrameError
from astroclf.frames.files.remote import url_name

__all__ = ["Exposure", "Facts", "Frame", "Origin", "fingerprint"]


class Exposure(StrEnum):
    """What became of the cosmic rays of an image: whether any are to be expected, in words."""

    SINGLE = "a single exposure of a CCD"
    CLEANED = "replaced by astroclf"
    COMBINED = "rejected where exposures were combined"
    DRIZZLED = "still in the one exposure it was drizzled from, whose noise is no longer that of a CCD"
    RAMP = "removed by the fit of the ramp"
    FLAGGED = "flagged in DQ and masked"
    READS = "left in the difference of two reads: undersampled stars look like them"
    COUNTER = "a photon counter records none"
    PICTURE = "a picture is no linear exposure"
    UNKNOWN = "not known to be a single exposure of a CCD"


def fingerprint(status):
    """Return size in bytes, modification time in ns and inode of an `os.stat_result`: what `Origin` remembers."""
    return status.st_size, status.st_mtime_ns, status.st_ino


@dataclass(frozen=True)
class Facts:
    """
    What the headers say about an image, for people; the verdict never depends on it.

    Parameters
    ----------
    telescope, instrument, detector, filter, target, date : str
        As in the headers, stripped; empty where they are silent. A date from 1950 to 1999 in the old form of
        FITS, DD/MM/YY, is turned into that of ISO 8601.
    exptime : float or None
        Exposure time in seconds; None where a rate image says 1, which is no exposure time.
    product : str
        Stage of the pipeline it left, by its usual suffix: ``raw``, ``flt``, ``drz``, ``cal``...; empty where
        nothing says so.
    pivot : float or None
        Pivot wavelength of the filter in angstroms (PHOTPLAM).
    gain, readnoise : tuple of float
        Electrons per count, and electrons, of every amplifier, in the order of their names.
    """

    telescope: str = ""
    instrument: str = ""
    detector: str = ""
    filter: str = ""
    target: str = ""
    date: str = ""
    exptime: float | None = None
    product: str = ""
    pivot: float | None = None
    gain: tuple[float, ...] = ()
    readnoise: tuple[float, ...] = ()


@dataclass(frozen=True)
class Origin:
    """
    Where an image came from, precisely enough to notice when the file has changed since.

    Parameters
    ----------
    path : `~pathlib.Path` or None
        The file; None for remote files, arrays and other objects in memory.
    hdus : tuple of str
        The image HDUs read: ``NAME,VER`` where an HDU has a name, else its index; ``0`` is the primary.
    datasums : tuple of str
        DATASUM of every HDU read (science, then data quality), of the bytes as stored; empty for remote
        files, whose headers cannot be tagged, and objects in memory.
    fingerprint : tuple of int or None
        Size in bytes, modification time in ns and inode of ``path`` when it was read.
    present : tuple of str
        All HDUs there are, named as in ``hdus``.
    url : str or None
        The address of a remote file.
    inputs : tuple of str
        Names of the frames that were combined; of one of these, which has a path, those of the others.
    hdu : int or None
        Index of the HDU that was asked for and read alone; None if the file's layout decided.
    plane : int or None
        Plane of a cube, or page of a picture, that was asked for, counted from 1.
    """

    path: Path | None = None
    hdus: tuple[str, ...] = ()
    datasums: tuple[str, ...] = ()
    fingerprint: tuple[int, int, int] | None = None
    present: tuple[str, ...] = ()
    url: str | None = None
    inputs: tuple[str, ...] = ()
    hdu: int | None = None
    plane: int | None = None

    @property
    def name(self):
        """File name for messages and tables, those of combined frames joined by ``+``; ``<array>`` without a file."""
        if self.url:
            return url_name(self.url)
        return self.path.name if self.path else "+".join(self.inputs) or "<array>"


@dataclass(frozen=True, eq=False)
class Frame:
    """
    One image ready to be cleaned, with what its file says about it.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`, float32, shape (ny, nx)
        The image. Row 0 is the bottom of the sky image, as in FITS. The mask has the same shape and is
        True where a pixel carries no information: bad, lost, outside the detector, not finite.
        Saturated pixels are not masked. ``meta`` is the primary header followed by that of the first
        image HDU; ``wcs`` is None where there is none.
    quality : float
        Fraction of the exposed pixels that are unusable, in [0, 1]: saturated ones count; gaps,
        overscan, drizzle borders and repaired cosmic rays do not.
    saturated : float or None
        Fraction of the exposed pixels that are saturated, in [0, 1]; None where the file does not say.
    facts : Facts
        What the headers say, for people.
    origin : Origin
        Where it came from.
    layout : str
        Name of the layout that read it, for example ``acs_wfc``; ``generic`` if none knows it.
    exposure : Exposure
        What became of its cosmic rays.
    steps : tuple of str
        What the reader did to the pixels, in order: trimmed, subtracted, put together.
    notes : tuple of str
        What the reader wants the user to know, one sentence each.
    parts : tuple of Facts
        Of several frames that were combined, the facts of each filter, in their order in ``facts``.
    colours : `~numpy.ndarray` of uint8, shape (ny, nx, 3), or None
        Of a picture in colour, red, green and blue as in its file; ``ccd`` has their mean. None for all others.
    """

    ccd: CCDData
    quality: float = 0.0
    saturated: float | None = None
    facts: Facts = field(default_factory=Facts)
    origin: Origin = field(default_factory=Origin)
    layout: str = "generic"
    exposure: Exposure = Exposure.UNKNOWN
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Facts, ...] = ()
    colours: np.ndarray | None = None

    @property
    def shape(self):
        """Shape of the image, (ny, nx)."""
        return self.ccd.shape

    @property
    def cosmic_rays(self):
        """Whether cosmic rays are to be expected."""
        return self.exposure is Exposure.SINGLE

    @property
    def good(self):
        """Where a pixel carries information, finite and not masked: array of bool, shape (ny, nx)."""
        good = np.isfinite(self.ccd.data)
        return good if self.ccd.mask is None else good & ~np.asarray(self.ccd.mask, bool)

    @property
    def exposed(self):
        """
        The smallest rectangle that holds every good pixel, ``data[rows, columns]``.

        Returns
        -------
        rows, columns : slice
            Neither is empty.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        good = self.good
        rows, columns = (np.flatnonzero(good.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            ny, nx = self.shape
            msg = f"{self.origin.name}: no pixel of the {nx} x {ny} image is finite and unmasked"
            raise EmptyFrameError(msg)
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    def _repr_html_(self):
        from astroclf.annotation.notebook import frame_html

        return frame_html(self)

    def _repr_png_(self):
        from astroclf.annotation.notebook import frame_png

        return frame_png(self)

    def __repr__(self):
        ny, nx = self.shape
        return f"<Frame {self.origin.name} [{' '.join(self.origin.hdus)}] {self.layout} {nx} x {ny} {self.ccd.unit}>"

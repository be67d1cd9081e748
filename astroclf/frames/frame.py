# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A frame: one image ready to be cleaned, with what its file says about it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.nddata import CCDData

from astroclf.exceptions import EmptyFrameError

__all__ = ["Facts", "Frame", "Origin", "fingerprint"]


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
        As in the headers, stripped; empty where they are silent.
    exptime : float or None
        Exposure time in seconds.
    """

    telescope: str = ""
    instrument: str = ""
    detector: str = ""
    filter: str = ""
    target: str = ""
    date: str = ""
    exptime: float | None = None


@dataclass(frozen=True)
class Origin:
    """
    Where an image came from, precisely enough to notice when the file has changed since.

    Parameters
    ----------
    path : `~pathlib.Path` or None
        The file; None for arrays and other objects in memory.
    hdus : tuple of str
        The image HDUs read: ``NAME,VER`` where an HDU has a name, else its index; ``0`` is the primary.
    datasums : tuple of str
        DATASUM of every HDU read (science, then data quality), of the bytes as stored.
    fingerprint : tuple of int or None
        Size in bytes, modification time in ns and inode of ``path`` when it was read.
    """

    path: Path | None = None
    hdus: tuple[str, ...] = ()
    datasums: tuple[str, ...] = ()
    fingerprint: tuple[int, int, int] | None = None

    @property
    def name(self):
        """File name for messages and tables; ``<array>`` where there is no file."""
        return self.path.name if self.path else "<array>"


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
    facts : Facts
        What the headers say, for people.
    origin : Origin
        Where it came from.
    layout : str
        Name of the layout that read it, for example ``acs_wfc``; ``generic`` if none knows it.
    cosmic_rays : bool
        Whether cosmic rays are to be expected: a single exposure of a CCD.
    notes : tuple of str
        What the reader wants the user to know, one sentence each.
    """

    ccd: CCDData
    quality: float = 0.0
    facts: Facts = field(default_factory=Facts)
    origin: Origin = field(default_factory=Origin)
    layout: str = "generic"
    cosmic_rays: bool = False
    notes: tuple[str, ...] = ()

    @property
    def shape(self):
        """Shape of the image, (ny, nx)."""
        return self.ccd.shape

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

    def __repr__(self):
        ny, nx = self.shape
        return f"<Frame {self.origin.name} [{' '.join(self.origin.hdus)}] {self.layout} {nx} x {ny} {self.ccd.unit}>"

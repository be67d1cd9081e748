# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Which data-quality bits make a pixel unusable, saturated or struck by a cosmic ray, by instrument."""

from dataclasses import dataclass

import numpy as np

__all__ = ["ACS", "ANY", "JWST", "WFC3_IR", "WFC3_UVIS", "WFPC2", "DQBits", "blocks", "outside"]

_ROWS = 128


@dataclass(frozen=True)
class DQBits:
    """
    The choice of data-quality bits for one detector.

    Parameters
    ----------
    bad : int
        Pixels with any of these bits are masked and count as unusable.
    saturated : int
        Counted as unusable, but not masked: a saturated star is still a star.
    cosmic_ray : int
        Masked, but not counted: the pipeline found and repaired them.
    """

    bad: int
    saturated: int = 0
    cosmic_ray: int = 0

    def split(self, dq, out=None):
        """
        Split data quality into what it says.

        Parameters
        ----------
        dq : array_like, shape (ny, nx)
            Flags, of any integer type; a sign is one more bit.
        out : sequence of three `~numpy.ndarray` of bool, shape (ny, nx), optional
            Where to put the result.

        Returns
        -------
        bad, saturated, cosmic_ray : `~numpy.ndarray` of bool, shape (ny, nx)
            The results; those of ``out``, if given.
        """
        dq = np.asarray(dq)
        if dq.dtype.kind not in "iu":
            dq = dq.astype(np.int64)
        masks = [np.zeros(dq.shape, bool) for _ in range(3)] if out is None else out
        for mask, bits in zip(masks, (self.bad, self.saturated, self.cosmic_ray), strict=True):
            bits = np.int64(bits).astype(dq.dtype)
            for rows in blocks(len(dq)):
                np.not_equal(dq[rows] & bits, 0, out=mask[rows])
        return tuple(masks)


def blocks(count):
    """Yield slices of so few rows of ``count`` that what is made of them takes little memory."""
    for start in range(0, count, _ROWS):
        yield slice(start, min(start + _ROWS, count))


ACS = DQBits(bad=1 | 2 | 4 | 8 | 16 | 128 | 512, saturated=256 | 2048, cosmic_ray=4096 | 8192)
"""ACS: lost, bad, masked, hot, bias structure, calibration defect; kept: unstable (32), warm (64), sink
(1024). hstcal ``acsdq.h`` and the STScI page of ACS data-quality flags."""

WFC3_UVIS = DQBits(bad=1 | 2 | 4 | 8 | 16 | 128, saturated=256 | 2048, cosmic_ray=4096 | 8192)
"""WFC3/UVIS: lost, bad, masked, hot, bad bias; kept: CTE tail (32), warm (64), bad flat (512), charge trap
(1024). hstcal ``wf3dq.h``."""

WFC3_IR = DQBits(bad=1 | 2 | 4 | 8 | 16 | 32 | 128, saturated=256, cosmic_ray=4096)
"""WFC3/IR: lost, bad, deviant zero read, hot, unstable, reference; kept: warm (64), blobs (512), and rays
(8192), which the up-the-ramp fit has removed. hstcal ``wf3dq.h``."""

WFPC2 = DQBits(bad=1 | 2 | 4 | 16 | 32 | 128 | 2048, saturated=8, cosmic_ray=4096)
"""WFPC2: lost, calibration defect, camera defect, missing, other, trap, chip masked out; kept: overlap (64),
above a trap (256), warm (512), repaired warm (1024). WFPC2 Data Handbook, table 3.4; calwp2 ``u_data.h``; 4096 is
AstroDrizzle's."""

JWST = DQBits(bad=1, saturated=2)
"""JWST: DO_NOT_USE. ``stdatamodels.jwst.datamodels.dqflags``."""

ANY = DQBits(bad=-1)
"""An instrument astroclf does not know: every flagged pixel is bad."""


def outside(finite):
    """
    Find the pixels that were never exposed: those that are not finite and connected to the border.

    Parameters
    ----------
    finite : `~numpy.ndarray` of bool, shape (ny, nx)
        True where a pixel is a finite number.

    Returns
    -------
    outside : `~numpy.ndarray` of bool, shape (ny, nx)
        True in the empty border of a mosaic; holes inside the image are False.
    """
    if finite.all():
        return np.zeros(finite.shape, bool)
    from scipy import ndimage

    regions, _ = ndimage.label(~finite)
    border = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
    return np.isin(regions, border[border > 0])

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Which frames show the same target, by where they lie on the sky."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from astroclf.frames.files.quiet import quiet
from astroclf.frames.frame import Facts
from astroclf.frames.reader import read_frame
from astroclf.frames.sky import sky_orientation

__all__ = ["Footprint", "group_footprints", "group_visits"]

_SAMPLES = 16
_OVERLAP = 0.5
_SMALLEST_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Footprint:
    """
    What tells whether a frame shows the same as another: all of it but the pixels.

    Parameters
    ----------
    facts : `~astroclf.frames.Facts`
        Of the frame.
    shape : tuple of int
        Its shape (ny, nx).
    part : tuple of slice
        Its exposed part.
    wcs : `~astropy.wcs.WCS` or None
        Its world coordinates.
    folder : `~pathlib.Path` or None
        Folder of its file.
    """

    facts: Facts
    shape: tuple[int, int]
    part: tuple[slice, slice]
    wcs: WCS | None = None
    folder: Path | None = None

    @classmethod
    def of(cls, frame):
        """Return the footprint of a frame."""
        path = frame.origin.path
        return cls(frame.facts, frame.shape, frame.exposed, frame.ccd.wcs, path.resolve().parent if path else None)

    @cached_property
    def orientation(self):
        """How it lies on the sky; None where that is unknown."""
        return sky_orientation(self.wcs, self.shape)

    @property
    def area(self):
        """Area of the exposed part in square arcseconds; 0 where unknown."""
        place = self.orientation
        rows, columns = (side.stop - side.start for side in self.part)
        return rows * columns * place.scale * place.column_scale if place else 0.0

    @cached_property
    def points(self):
        """Sky coordinates of a grid of points all over the exposed part."""
        fractions = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
        y, x = (side.start - 0.5 + fractions * (side.stop - side.start) for side in self.part)
        with quiet():
            return self.wcs.pixel_to_world(*(axis.ravel() for axis in np.meshgrid(x, y))).icrs

    def share(self, points):
        """
        Return the fraction of points of the sky that are on the exposed part.

        Parameters
        ----------
        points : `~astropy.coordinates.SkyCoord`
            The points.

        Returns
        -------
        share : float
            In [0, 1].
        """
        near = points.separation(SkyCoord(*self.orientation.center, unit="deg")).deg < 90
        with quiet():
            x, y = self.wcs.world_to_pixel(points)
        rows, columns = self.part
        inside = (x > columns.start - 0.5) & (x < columns.stop - 0.5) & (y > rows.start - 0.5) & (y < rows.stop - 0.5)
        return float(np.mean(inside & near))


def group_visits(frames):
    """
    Group frames that show the same target.

    A frame joins the first group to all of whose frames it belongs. Two frames belong together if they are of the same
    telescope and

    - more than half of the smaller one is on the larger one, by their world coordinates, and it has at least a quarter
      of its area, so that a detail of a field is not taken for the field; or
    - neither has world coordinates, and they have the same shape, folder and target, which must have a name.

    World coordinates and names decide what is looked at together, never what it is taken for.

    Parameters
    ----------
    frames : sequence of `~astroclf.Frame` or anything `~astroclf.read_frame` takes
        The frames.

    Returns
    -------
    groups : list of list of `~astroclf.Frame`
        Groups in the order of their first frames, frames in the order given; one that matches no other is alone.
    """
    frames = [read_frame(frame) for frame in frames]
    groups = group_footprints([Footprint.of(frame) for frame in frames])
    return [[frames[index] for index in group] for group in groups]


def group_footprints(footprints):
    """
    Group frames that show the same target by their footprints, so that the frames need not be held.

    Parameters
    ----------
    footprints : sequence of Footprint
        Of the frames.

    Returns
    -------
    groups : list of list of int
        Indices, as in `group_visits`.
    """
    groups = []
    for index, footprint in enumerate(footprints):
        for group in groups:
            if all(_together(footprints[other], footprint) for other in group):
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def _together(one, other):
    if one.facts.telescope != other.facts.telescope:
        return False
    if one.orientation is None or other.orientation is None:
        return one.orientation is other.orientation and _same_place(one, other)
    small, large = sorted((one, other), key=lambda footprint: footprint.area)
    return small.area >= _SMALLEST_SHARE * large.area and large.share(small.points) > _OVERLAP


def _same_place(one, other):
    target = one.facts.target
    return bool(
        target
        and target == other.facts.target
        and one.shape == other.shape
        and one.folder is not None
        and one.folder == other.folder
    )

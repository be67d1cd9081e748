# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Several frames of one target on one grid of pixels."""

from dataclasses import replace

import numpy as np
from astropy.nddata import CCDData
from astropy.wcs import WCS

from astroclf.exceptions import FrameError
from astroclf.frames import read_frame
from astroclf.frames.files.quiet import quiet
from astroclf.frames.layouts.geometry import moved_wcs
from astroclf.frames.sky import sky_orientation
from astroclf.render.reduction import fit_inside, reduce_image

__all__ = ["UNALIGNED", "align"]

UNALIGNED = "no world coordinates: taken as aligned with the other frames, pixel by pixel"
"""Note on frames that nothing says how to align."""

_COVERED = 0.5
"""Least weight of good pixels in an interpolated one."""


def align(frames, *, size=1024):
    """
    Put several frames on one grid of pixels.

    Cosmic rays are replaced first, where they are to be expected. Then the exposed part of each frame is reduced by
    area averages, so that no pixel is much smaller than those of the grid, and interpolated linearly by
    `reproject.reproject_interp`, leaving bad pixels out. The grid is that of the frame with the largest exposed part on
    the sky, as most of the others is then inside; of equally large ones, the frame with the smallest pixels; of those,
    the first. Its own pixels are only reduced, not interpolated.

    Parameters
    ----------
    frames : sequence of `~astroclf.Frame` or anything `~astroclf.read_frame` takes
        The frames; not modified.
    size : int, optional
        Most pixels along the longer side of the grid.

    Returns
    -------
    aligned : list of `~astroclf.Frame`
        In the order given, all of the same shape and with the same world coordinates; NaN and masked where a frame does
        not reach or has no good pixel.

    Raises
    ------
    FrameError
        If there is no frame, if one has no celestial world coordinates of FITS, or if one does not overlap the grid.
        Frames of the same shape, none of which has world coordinates, are taken as aligned, and have a note that
        says so.
    """
    frames = [_cleaned(read_frame(frame)) for frame in frames]
    if not frames:
        msg = "frames must hold at least one frame; got none"
        raise FrameError(msg)
    places = [_place(frame) for frame in frames]
    unsolved = all(frame.ccd.wcs is None for frame in frames)
    if len(frames) == 1 or (unsolved and len({frame.shape for frame in frames}) == 1):
        return _as_they_are(frames, size)
    _check_places(frames, places)
    reference = max(range(len(frames)), key=lambda index: _rank(frames[index], places[index]))
    first = _reduced(frames[reference], size)
    finest = places[reference].scale * _longest(frames[reference]) / max(first[0].shape[1:])
    aligned = []
    for index, (frame, place) in enumerate(zip(frames, places)):
        planes = first[0]
        if index != reference:
            limit = round(_longest(frame) * place.scale / finest)
            planes = _interpolated(*_reduced(frame, max(min(limit, size), 1)), first[1], planes.shape[1:])
        aligned.append(_on_grid(frame, planes, first[1]))
    return aligned


def _cleaned(frame):
    from astroclf.preprocess import Preprocessor

    return Preprocessor().clean(frame)


def _place(frame):
    """Return where a frame lies on the sky; None where it has no celestial world coordinates of FITS."""
    wcs = frame.ccd.wcs
    return sky_orientation(wcs, frame.shape) if isinstance(wcs, WCS) and wcs.has_celestial else None


def _check_places(frames, places):
    for frame, place in zip(frames, places):
        if place is None:
            msg = (
                f"{frame.origin.name}: has no celestial world coordinates (a FITS WCS, less than 20 degrees wide), so "
                "that it cannot be aligned with other frames; solve its astrometry first, or leave it out"
            )
            raise FrameError(msg)


def _rank(frame, place):
    """Return what is larger for a better reference: area on the sky, to two digits, then fineness."""
    rows, columns = frame.exposed
    area = (rows.stop - rows.start) * (columns.stop - columns.start) * place.scale * place.column_scale
    return float(f"{area:.1e}"), -float(f"{place.scale:.2e}")


def _longest(frame):
    return max(side.stop - side.start for side in frame.exposed)


def _reduced(frame, size, part=None):
    """Return the exposed part of a frame and its weight, at most ``size`` pixels long, and its world coordinates."""
    part = frame.exposed if part is None else part
    data, bad = np.asarray(frame.ccd.data[part], np.float32), ~frame.good[part]
    shape = fit_inside(data.shape, min(size, max(data.shape)))
    reduced, empty = reduce_image(data, bad, shape)
    wcs = frame.ccd.wcs
    if wcs is not None:
        starts, scales = zip(
            *((side.start, new / n) for side, new, n in zip(part[::-1], shape[::-1], data.shape[::-1]))
        )
        shifts = tuple(scale * (0.5 - start) - 0.5 for start, scale in zip(starts, scales))
        with quiet():
            wcs = moved_wcs(wcs, scales, shifts)
    return np.stack([reduced, ~empty]), wcs


def _interpolated(planes, wcs, grid, shape):
    """Return an image and its weight on another grid; NaN outside."""
    from reproject import reproject_interp

    with quiet():
        return reproject_interp((planes, wcs), grid, shape_out=(2, *shape), return_footprint=False)


def _on_grid(frame, planes, wcs, note=None):
    """Return a frame of an interpolated image that was 0 where its weight was."""
    reached = planes[1] >= _COVERED  # not where it is NaN
    if not reached.any():
        msg = f"{frame.origin.name}: does not overlap the frame it is to be combined with; leave it out"
        raise FrameError(msg)
    data = np.full(reached.shape, np.nan, np.float32)
    data[reached] = planes[0][reached] / planes[1][reached]
    ny, nx = reached.shape
    return replace(
        frame,
        ccd=CCDData(data, unit=frame.ccd.unit, mask=~reached, meta=frame.ccd.meta.copy(), wcs=wcs),
        steps=(*frame.steps, f"put on a grid of {nx} x {ny} pixels"),
        notes=frame.notes if note is None else (*frame.notes, note),
    )


def _as_they_are(frames, size):
    """Reduce frames of one shape, all to the rectangle that holds the exposed part of each."""
    bounds = [[(side.start, side.stop) for side in frame.exposed] for frame in frames]
    part = tuple(slice(min(s for s, _ in axis), max(s for _, s in axis)) for axis in zip(*bounds))
    note = UNALIGNED if len(frames) > 1 else None
    return [_on_grid(frame, *_reduced(frame, size, part), note) for frame in frames]

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where to look at a frame: the whole, its middle, tiles, the brightest sources."""

import warnings
from dataclasses import dataclass

import numpy as np

__all__ = ["ORIENTATIONS", "VIEWS", "View", "find_sources", "orient", "orient_back", "parts_of", "turn"]

VIEWS = ("whole", "centre", "tiles", "sources")
"""The kinds of views there are."""

ORIENTATIONS = {1: (0,), 2: (0, 2), 4: (0, 1, 2, 3), 8: (0, 1, 2, 3, 4, 5, 6, 7)}
"""Numbers of orientations, and which they are: so many right angles; from 4 on, of the mirror image."""

_AROUND = 3.0
_SMALLEST = 32
_OUTSHINES, _SMALLEST_SOURCE = 3.0, 5


@dataclass(frozen=True, eq=False)
class View:
    """
    A part of a frame as the network sees it.

    Parameters
    ----------
    name : str
        ``whole``, ``centre``, ``tile 1,2`` (row and column, from the lower left), ``source 1`` (brightest first).
    part : tuple of slice
        Rows and columns of the frame.
    rgb : `~numpy.ndarray` of float32, shape (size, size, 3), range [0, 1]
        Its picture.
    """

    name: str
    part: tuple[slice, slice]
    rgb: np.ndarray


def parts_of(part, flat, sigma, kinds=VIEWS, *, tiles=2, sources=4):
    """
    Choose the parts of a frame to look at.

    Parameters
    ----------
    part : tuple of slice
        Rows and columns of its exposed part.
    flat : `~numpy.ndarray` of float32, shape (my, mx)
        That part reduced, its sky at 0.
    sigma : float
        Noise per pixel of ``flat``.
    kinds : sequence of str, optional
        Which of `VIEWS`.
    tiles : int, optional
        Number of tiles along either axis.
    sources : int, optional
        Number of sources at most.

    Returns
    -------
    parts : dict
        Rows and columns of the frame by name of the view, in the order of ``kinds``.

    Raises
    ------
    ValueError
        If a kind is not known or a number is less than 1.
    """
    unknown = [kind for kind in kinds if kind not in VIEWS]
    if unknown:
        msg = f"kinds must be among {', '.join(VIEWS)}; got {', '.join(map(repr, unknown))}"
        raise ValueError(msg)
    if min(tiles, sources) < 1:
        msg = f"tiles and sources must be at least 1; got tiles={tiles!r}, sources={sources!r}"
        raise ValueError(msg)
    choose = {
        "whole": lambda: {"whole": part},
        "centre": lambda: {"centre": tuple(_share(axis, 1, 3, 4) for axis in part)},
        "tiles": lambda: _tiles(part, tiles),
        "sources": lambda: _around_sources(part, flat, sigma, sources),
    }
    return {name: found for kind in kinds for name, found in choose[kind]().items()}


def _share(axis, first, last, of):
    """Return the slice from ``first / of`` to ``last / of`` of another; never empty."""
    length = axis.stop - axis.start
    start = axis.start + min(first * length // of, length - 1)
    return slice(start, max(axis.start + last * length // of, start + 1))


def _tiles(part, count):
    rows, columns = part
    return {
        f"tile {row + 1},{column + 1}": (_share(rows, row, row + 1, count), _share(columns, column, column + 1, count))
        for row in range(count)
        for column in range(count)
    }


def find_sources(flat, sigma):
    """
    Find what outshines the sky.

    Parameters
    ----------
    flat : `~numpy.ndarray` of float32, shape (my, mx)
        An image, its sky at 0.
    sigma : float
        Its noise per pixel.

    Returns
    -------
    segments : `~photutils.segmentation.SegmentationImage` or None
        Five connected pixels or more, each of three times the noise or more; None if there are none.
    """
    from photutils.segmentation import detect_sources
    from photutils.utils import NoDetectionsWarning

    with warnings.catch_warnings(action="ignore", category=NoDetectionsWarning):
        return detect_sources(flat, _OUTSHINES * sigma, _SMALLEST_SOURCE) if sigma > 0 else None


def _around_sources(part, flat, sigma, count):
    """Return squares of three times the extent of the brightest sources, by total flux."""
    from photutils.segmentation import SourceCatalog

    segments = find_sources(flat, sigma)
    if segments is None:
        return {}
    found = SourceCatalog(flat, segments)
    brightest = np.argsort(-found.segment_flux, kind="stable")[:count]
    scale = [(axis.stop - axis.start) / n for axis, n in zip(part, flat.shape)]
    squares = {}
    for rank, n in enumerate(brightest, 1):
        box, center = found.bbox[n], (found.y_centroid[n], found.x_centroid[n])
        side = max(*(_AROUND * m * s for m, s in zip(box.shape, scale)), _SMALLEST)
        squares[f"source {rank}"] = tuple(_inside(axis, (c + 0.5) * s, side) for axis, c, s in zip(part, center, scale))
    return squares


def _inside(axis, center, side):
    """Return the slice of a length around a place, shifted and cut to lie within another."""
    length = min(round(side), axis.stop - axis.start)
    start = axis.start + int(np.clip(round(center - length / 2), 0, axis.stop - axis.start - length))
    return slice(start, start + length)


def orient(rgb, views):
    """
    Turn pictures by right angles, and mirror them: the sky has no up and no handedness.

    Parameters
    ----------
    rgb : `~numpy.ndarray`, shape (..., size, size, 3)
        One picture or several.
    views : {1, 2, 4, 8}
        Number of orientations: the picture, and turned by equal steps; of 8, four are of its mirror image.

    Returns
    -------
    turned : `~numpy.ndarray`, shape (views, ..., size, size, 3)
        The first is not turned, the next are counterclockwise with row 0 on top; so are the last four of 8, after
        left and right were exchanged.
    """
    return np.stack([turn(rgb, way) for way in ORIENTATIONS[views]])


def turn(rgb, way):
    """
    Turn pictures into one of the eight orientations of `orient`.

    Parameters
    ----------
    rgb : `~numpy.ndarray`, shape (..., size, size, 3)
        One picture or several.
    way : int
        From 0 to 7: as it is, and turned by one, two and three right angles; from 4 the same of its mirror image.

    Returns
    -------
    turned : `~numpy.ndarray`, shape (..., size, size, 3)
        A view of the same memory.
    """
    return np.rot90(rgb if way < 4 else rgb[..., ::-1, :], way, axes=(-3, -2))


def orient_back(maps):
    """
    Undo `orient` for maps of oriented pictures.

    Parameters
    ----------
    maps : `~numpy.ndarray`, shape (views, n, n)
        One map of each orientation.

    Returns
    -------
    maps : `~numpy.ndarray`, shape (views, n, n)
        All as of the picture that is not turned.
    """
    return np.stack([_turn_back(one, way) for one, way in zip(maps, ORIENTATIONS[len(maps)])])


def _turn_back(one, way):
    back = np.rot90(one, -way)
    return back if way < 4 else back[:, ::-1]

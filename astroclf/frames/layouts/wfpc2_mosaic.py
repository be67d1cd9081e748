# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The chips of WFPC2 put together on one plane: no pixel of a wide-field chip is changed, those of PC1 are averaged."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from astroclf.frames.files.quiet import quiet
from astroclf.frames.layouts.wfpc2_geometry import Chip

__all__ = ["Exposed", "Mosaic", "put_together"]

_MARGIN = 1.0
"""How far beyond its edge a chip may fill in, in pixels of the plane: edges of neighbours meet within one."""

_STEP = 20
"""Pixels of the image from one at which its outline is probed to the next."""

_REFERENCES = (3, 2, 4, 1)
"""The chips from which the world coordinates are taken, best first."""


@dataclass(frozen=True, eq=False)
class Exposed:
    """
    What one chip, or a part of it, recorded.

    Parameters
    ----------
    chip : Chip
        Which one it is.
    data : `~numpy.ndarray` of float32, shape (ny, nx)
        The image.
    bad, saturated, cosmic_ray : `~numpy.ndarray` of bool, shape (ny, nx)
        As in `~astroclf.frames.reading.Reading`.
    cards : Mapping
        Header of the image: its world coordinates.
    binning : int
        Pixels of the chip that make one of the image, along either axis.
    origin : tuple of int
        Column and row of the image's first pixel among the binned pixels of the chip, from 0.
    """

    chip: Chip
    data: np.ndarray
    bad: np.ndarray
    saturated: np.ndarray
    cosmic_ray: np.ndarray
    cards: Mapping
    binning: int = 1
    origin: tuple[int, int] = (0, 0)

    def pixels(self, columns, rows):
        """Return the pixels x and y of the chip, counted from 1, at columns and rows of the image, from 0."""
        return (_unbinned(index + first, self.binning) for index, first in zip((columns, rows), self.origin))

    def places(self, x, y):
        """Return the columns and rows of the image at pixels of the chip: `pixels` inverted."""
        return (_binned(pixel, self.binning) - first for pixel, first in zip((x, y), self.origin))

    def unlit(self):
        """Return where the image gets less than half of the light, an array of bool of its shape."""
        ny, nx = self.data.shape
        x, y = self.pixels(np.arange(nx), np.arange(ny)[:, None])
        return self.chip.depth(x, y) < 0

    def outline(self):
        """Return the binned positions on the plane, from 0, of what is lit along every 20th row and column: (2, n)."""
        ny, nx = self.data.shape
        columns, rows = (np.union1d(np.arange(0, n, _STEP), n - 1) for n in (nx, ny))
        x, y = (grid.ravel() for grid in np.meshgrid(*self.pixels(columns, rows)))
        lit = self.chip.depth(x, y) > -_MARGIN - _STEP * self.binning
        return _binned(self.chip.to_plane(x[lit], y[lit]), self.binning)


@dataclass(frozen=True, eq=False)
class Mosaic:
    """
    Several chips on one plane.

    Parameters
    ----------
    data : `~numpy.ndarray` of float32, shape (ny, nx)
        The image, in the orientation of WF3 and per pixel of WF3; NaN where there is no chip.
    bad, saturated, cosmic_ray, unexposed : `~numpy.ndarray` of bool, shape (ny, nx)
        As in `~astroclf.frames.reading.Reading`.
    wcs : `~astropy.wcs.WCS` or None
        Its world coordinates; None where no chip has any.
    """

    data: np.ndarray
    bad: np.ndarray
    saturated: np.ndarray
    cosmic_ray: np.ndarray
    unexposed: np.ndarray
    wcs: WCS | None


def put_together(parts):
    """
    Put chips together as they lie on the sky, without distortion.

    Every pixel of the plane gets the value of the nearest pixel of the wide-field chip there, or the average of the
    pixels of PC1 over its area, brought to that area; where two chips see it, that of the one farther from its edge.

    Parameters
    ----------
    parts : sequence of Exposed
        Different chips, binned alike.

    Returns
    -------
    mosaic : Mosaic
        No larger than the chips need.
    """
    outlines = [part.outline() for part in parts]
    low = np.floor(np.min([outline.min(axis=1) for outline in outlines], axis=0)).astype(int)
    high = np.ceil(np.max([outline.max(axis=1) for outline in outlines], axis=0)).astype(int)
    shape = tuple((high - low + 1)[::-1])
    layers = np.full(shape, np.nan, np.float32), *(np.zeros(shape, bool) for _ in range(3))
    depths = np.full(shape, -_MARGIN, np.float32)
    for part, outline in zip(parts, outlines):
        box = tuple(slice(max(int(axis.min()), 0), int(axis.max()) + 2) for axis in (outline.T - low).T[::-1])
        first = low + [axis.start for axis in box[::-1]]
        _place(part, [layer[box] for layer in layers], depths[box], first)
    return Mosaic(*layers, unexposed=depths == -_MARGIN, wcs=_wcs(parts, low))


def _place(part, layers, depths, corner):
    """Write one chip where it is farther inside its edges than what is there; ``corner`` is the first plane pixel."""
    ny, nx = depths.shape
    plane = (_unbinned(np.arange(n) + first, part.binning) for n, first in zip((nx, ny), corner))
    x, y = part.chip.from_plane(*np.meshgrid(*plane))
    columns, rows = (np.rint(place).astype(int) for place in part.places(x, y))
    height, width = part.data.shape
    depth = part.chip.depth(x, y)
    here = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height) & (depth > depths)
    if part.chip.scale < 0.9:
        values = [layer[here] for layer in _averaged(part, depths.shape, corner)]
    else:
        values = [layer[rows[here], columns[here]] for layer in _layers(part)]
    for layer, value in zip(layers, values):
        layer[here] = value
    depths[here] = depth[here]


def _layers(part):
    return part.data, part.bad, part.saturated, part.cosmic_ray


def _averaged(part, shape, corner):
    """
    Return the layers of a chip of small pixels on the plane.

    Pixels that are bad, struck or not finite do not enter the averages; what lies mostly on bad or on struck ones is
    bad or struck.
    """
    rows, columns = np.indices(part.data.shape)
    x, y = _binned(part.chip.to_plane(*part.pixels(columns, rows)), part.binning)
    share = _Shares(x - corner[0], y - corner[1], part.chip.scale, shape)
    good = np.isfinite(part.data) & ~part.bad & ~part.cosmic_ray
    seen, used = share.sum(np.ones(part.data.shape)), share.sum(good)
    with np.errstate(divide="ignore", invalid="ignore"):
        data = share.sum(np.where(good, part.data, 0)) / used / part.chip.scale**2
    most = [share.sum(flag) > seen / 2 for flag in (part.bad, part.cosmic_ray)]
    return data, most[0], share.sum(part.saturated) > 0, most[1]


class _Shares:
    """
    How small squares share out what they hold among the pixels of a grid, by area.

    Parameters
    ----------
    x, y : `~numpy.ndarray`
        Their centres, in pixels of the grid from 0.
    side : float
        Their size, at most 1.
    shape : tuple of int
        Shape (ny, nx) of the grid; what falls outside is lost.
    """

    def __init__(self, x, y, side, shape):
        self.shape = shape
        self.parts = [
            (row * shape[1] + column, (above * beside).astype(np.float32))
            for row, above in _halves(y.ravel(), side, shape[0])
            for column, beside in _halves(x.ravel(), side, shape[1])
        ]

    def sum(self, values):
        """Return the sum on the grid of what the squares hold."""
        total = np.zeros(self.shape[0] * self.shape[1])
        for index, fraction in self.parts:
            total += np.bincount(index, fraction * values.ravel(), total.size)
        return total.reshape(self.shape)


def _halves(centre, side, size):
    """Yield the pixels that the lower and the upper end of intervals lie in, and the fraction of them there."""
    lower = np.rint(centre - side / 2).astype(int)
    fraction = np.minimum((lower + 0.5 - (centre - side / 2)) / side, 1)
    for pixel, part in ((lower, fraction), (lower + 1, 1 - fraction)):
        yield np.clip(pixel, 0, size - 1), np.where((pixel >= 0) & (pixel < size), part, 0)


def _wcs(parts, corner):
    """Return the world coordinates of the plane, from the best chip whose header has them; else None."""
    for part in sorted(parts, key=lambda part: _REFERENCES.index(part.chip.number)):
        try:
            with quiet():
                return _plane_wcs(part, corner)
        except Exception:  # wcslib and astropy raise a dozen kinds for broken keywords
            continue
    return None


def _plane_wcs(part, corner):
    """Return the world coordinates of the plane, those that a chip has at its reference pixel."""
    cards = part.cards
    crval, crpix, *cd = ([float(cards[f"{key}{i}"]) for i in (1, 2)] for key in ("CRVAL", "CRPIX", "CD1_", "CD2_"))
    pixel = list(part.pixels(*np.subtract(crpix, 1)))
    place = _binned(part.chip.to_plane(*pixel), part.binning) - corner + 1
    turned = np.array(cd) @ np.linalg.inv(part.chip.jacobian(*pixel))
    projected = [str(cards[key])[:8] for key in ("CTYPE1", "CTYPE2")] == ["RA---TAN", "DEC--TAN"]
    if not projected or not np.isfinite([*crval, *place]).all() or not abs(np.linalg.det(turned)) > 0:
        msg = "no tangential world coordinates"
        raise ValueError(msg)
    wcs = WCS(fits.Header({key: cards[key] for key in ("EQUINOX", "RADESYS") if key in cards}), naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cd = crval, place, turned
    wcs.wcs.set()
    return wcs


def _unbinned(index, binning):
    """Return unbinned positions, counted from 1, of binned ones, counted from 0."""
    return binning * (index + 0.5) + 0.5


def _binned(position, binning):
    """Return binned positions, counted from 0, of unbinned ones, counted from 1."""
    return (position - 0.5) / binning - 0.5

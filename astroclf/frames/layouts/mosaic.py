# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Amplifiers put together where they lie on a detector, with the world coordinates of the whole."""

import math
from dataclasses import dataclass, replace

import numpy as np
from astropy import units as u
from astropy.nddata import block_reduce

from astroclf.frames.layouts.amplifiers import overscan_steps
from astroclf.frames.layouts.geometry import SectionError, moved_wcs
from astroclf.frames.layouts.imsets import quality_array
from astroclf.frames.quality import ANY
from astroclf.frames.reading import hdu_name, image_array, image_wcs, unit_of

__all__ = ["put_together"]

_LARGEST = 100e6
"""Pixels of the largest mosaic that is kept as it is."""
_SLACK = 0.05
"""Fraction by which a chip may be smaller than its place: edges that were cut off."""


@dataclass(frozen=True)
class _Grid:
    """
    The array on which amplifiers are put together.

    Parameters
    ----------
    shape : tuple of int
        Its rows and columns.
    origin : tuple of int
        Row and column of the detector, not binned, on which it begins.
    binning : tuple of int
        Rows and columns of the detector in one pixel of the images.
    factor : int
        Pixels of the images along either side of one of its own.
    """

    shape: tuple[int, int]
    origin: tuple[int, int]
    binning: tuple[int, int]
    factor: int

    @classmethod
    def of(cls, amplifiers):
        """Return the grid that holds these amplifiers; SectionError if their binning is unlike."""
        binnings = {_binning(amplifier) for amplifier in amplifiers}
        if len(binnings) > 1:
            msg = "DETSEC and DATASEC are of unlike scale"
            raise SectionError(msg)
        (binning,) = binnings
        ends = [[(part.start, part.stop) for part in amplifier.place.slices] for amplifier in amplifiers]
        origin = tuple(min(end[axis][0] for end in ends) for axis in (0, 1))
        extent = [(max(end[axis][1] for end in ends) - origin[axis]) / binning[axis] for axis in (0, 1)]
        factor = max(1, math.ceil(math.sqrt(extent[0] * extent[1] / _LARGEST)))
        return cls(tuple(math.ceil(length / factor) for length in extent), origin, binning, factor)

    def corner(self, amplifier):
        """Return row and column of the first pixel of an amplifier; one smaller than its place is in the middle."""
        corner = []
        for axis, (place, length) in enumerate(zip(amplifier.place.slices, amplifier.data.shape)):
            first = (place.start - self.origin[axis]) // self.binning[axis]
            spare = (place.stop - place.start) // self.binning[axis] - length
            corner.append((first + spare // 2) // self.factor)
        return tuple(corner)

    def movement(self, amplifier):
        """Return scale and shift along x and y, as of `moved_wcs`, from the image of an amplifier to the grid."""
        moves = []
        for axis, corner in enumerate(self.corner(amplifier)):
            part, middle = amplifier.data.slices[axis], (self.factor - 1) / 2
            backwards = amplifier.place.flipped[axis]
            first = part.stop - 1 - middle if backwards else part.start + middle
            scale = (-1 if backwards else 1) / self.factor
            moves.append((scale, corner - scale * first))
        return tuple(zip(*reversed(moves)))


def put_together(reading, hdul, amplifiers, name):
    """
    Put amplifiers where they lie on the detector; what none of them covers was never exposed.

    Parameters
    ----------
    reading : Reading
        Whose ``science`` are the images of the amplifiers.
    hdul : `~astropy.io.fits.HDUList`
        The file.
    amplifiers : list of Amplifier
        With their places.
    name : str
        What to call the file in messages.

    Returns
    -------
    reading : Reading
        With data, masks, unit, steps, notes and WCS of the whole. In electrons if there was overscan and all
        gains are known, else in counts.

    Raises
    ------
    SectionError
        If they overlap, or do not fit their places.
    """
    grid = _Grid.of(amplifiers)
    data = np.full(grid.shape, np.nan, np.float32)
    unexposed, bad, saturated = np.ones(grid.shape, bool), np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    levels, flags = [], []
    unit = unit_of(hdul[amplifiers[0].index].header)
    counts = unit == u.adu and all(amplifier.bias for amplifier in amplifiers)
    gains = [amplifier.gain for amplifier in amplifiers] if counts and all(one.gain for one in amplifiers) else []
    for index in reading.science:
        image = image_array(hdul, index, name)
        quality, dq = quality_array(hdul, index, image.shape, name) if hdul[index].name == "SCI" else ((), None)
        flags += quality
        for amplifier in (one for one in amplifiers if one.index == index):
            values, level = amplifier.exposed(image)
            levels.append(level)
            values = _oriented(values * np.float32(amplifier.gain if gains else 1), amplifier, grid.factor, np.mean)
            row, column = grid.corner(amplifier)
            place = np.s_[row : row + values.shape[0], column : column + values.shape[1]]
            if not unexposed[place].all():
                msg = f"{hdu_name(hdul, index)} overlaps another image on the detector"
                raise SectionError(msg)
            data[place], unexposed[place] = values, False
            full = amplifier.saturated(image)
            if full is not None:
                saturated[place] = _oriented(full, amplifier, grid.factor, np.any)
            if quality:
                bad[place] = _oriented(ANY.split(dq)[0][amplifier.data.slices], amplifier, grid.factor, np.any)
    known = any(amplifier.saturation for amplifier in amplifiers)
    wcs, notes = _sky(hdul, amplifiers, grid)
    return replace(
        reading,
        data=data,
        quality=tuple(flags),
        bad=bad if flags else None,
        saturated=saturated if known else None,
        unexposed=unexposed,
        wcs=wcs,
        notes=notes,
        unit=u.electron if gains else unit,
        steps=_mosaic_steps(amplifiers, levels, unit, gains, grid),
    )


def _binning(amplifier):
    """Return the rows and columns of the detector in a pixel; SectionError if place and data are unlike."""
    if amplifier.place is None:
        msg = "an image with sections has no DETSEC"
        raise SectionError(msg)
    binning = []
    for room, length in zip(amplifier.place.shape, amplifier.data.shape):
        ratio = max(1, round(room / length))
        if not 0 <= room - ratio * length <= _SLACK * room:
            there, here = (
                " x ".join(str(n) for n in shape[::-1]) for shape in (amplifier.place.shape, amplifier.data.shape)
            )
            msg = f"an image of {here} pixels does not fit its place of {there} on the detector"
            raise SectionError(msg)
        binning.append(ratio)
    return tuple(binning)


def _oriented(values, amplifier, factor, average):
    """Return pixels the right way round, one in a square of them."""
    rows, columns = (slice(None, None, -1 if backwards else 1) for backwards in amplifier.place.flipped)
    values = values[rows, columns]
    return values if factor == 1 else block_reduce(values, factor, average)


def _mosaic_steps(amplifiers, levels, unit, gains, grid):
    steps = overscan_steps(amplifiers, levels, unit)
    if gains:
        steps.append(f"applied the gains: {min(gains)} to {max(gains)} electrons per count")
    kind = "DETSEC" if len({amplifier.index for amplifier in amplifiers}) > 1 else "CCDSEC"
    steps.append(f"put {len(amplifiers)} parts together by {kind}")
    if grid.factor > 1:
        steps.append(f"averaged {grid.factor} x {grid.factor} pixels")
    return tuple(steps)


def _sky(hdul, amplifiers, grid):
    """Return the WCS of the amplifier nearest to the middle that has one, and a note if it is not that of others."""
    middle = np.array(grid.shape) / 2

    def distance(amplifier):
        centre = np.array(grid.corner(amplifier)) + np.array(amplifier.data.shape) / (2 * grid.factor)
        return float(np.hypot(*(centre - middle)))

    skies = [(one, image_wcs(hdul[one.index].header, hdul)) for one in sorted(amplifiers, key=distance)]
    known = [(amplifier, wcs) for amplifier, wcs in skies if wcs is not None]
    if not known:
        return None, ()
    reference, own = known[0]
    sky = moved_wcs(own, *grid.movement(reference))
    off = max((_error(sky, wcs, amplifier, grid) for amplifier, wcs in known[1:]), default=0.0)
    if off <= 1:
        return sky, ()
    name = hdu_name(hdul, reference.index)
    return sky, (f"the WCS is that of {name}; elsewhere it is up to {off:.0f} pixels off",)


def _error(sky, own, amplifier, grid):
    """Return how far the middle of an amplifier is, in pixels, from where the WCS of the mosaic has it."""
    rows, columns = amplifier.data.slices
    pixel = np.array([(columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2])
    scale, shift = (np.array(pair) for pair in grid.movement(amplifier))
    try:
        there = sky.all_world2pix(own.all_pix2world(pixel[None], 0), 0)[0]
    except Exception:  # distortions that do not converge so far out say nothing
        return 0.0
    distance = float(np.hypot(*(there - (scale * pixel + shift))))
    return distance if math.isfinite(distance) else 0.0

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where a picture lies on the frame and on the sky: scale, north and east."""

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.coordinates import ConvertError, SkyCoord

__all__ = ["Orientation", "nice_length", "sky_orientation"]

_WIDEST_FIELD = 20 * 3600.0
_SKY_FRAMES = "fk4", "fk4noeterms", "fk5", "galactic", "icrs"
"""Frames from which the way to ICRS needs no data on the Earth's rotation."""

_LEAST_SINE = 0.5
_UNITS = (("mas", 1e-3), ("\N{DOUBLE PRIME}", 1.0), ("\N{PRIME}", 60.0), ("\N{DEGREE SIGN}", 3600.0))
_STEPS = {"mas": (1, 2, 5, 10, 20, 50, 100, 200, 500)}
_SEXAGESIMAL = (1, 2, 5, 10, 20, 30)


@dataclass(frozen=True)
class Orientation:
    """
    How a frame lies on the sky, at its middle.

    Parameters
    ----------
    scale : float
        Arcseconds per pixel along a row.
    north, east : tuple of float
        Unit vectors (x, y) in pixels.
    """

    scale: float
    north: tuple[float, float]
    east: tuple[float, float]


def sky_orientation(wcs, shape):
    """
    Measure how a frame lies on the sky.

    Parameters
    ----------
    wcs : WCS of the APE 14 interface, or None
        The world coordinates of the frame.
    shape : tuple of int
        Shape (ny, nx) of the frame.

    Returns
    -------
    orientation : Orientation or None
        None where there is no WCS, where it is not one of the sky, where it cannot be evaluated, where
        its axes are less than 30 degrees apart, and where the field is wider than 20 degrees, so that
        no one scale holds.
    """
    steps = _sky_steps(wcs, shape)
    if steps is None or not np.isfinite(steps).all():
        return None
    scale, other = np.hypot(*steps)
    if not 0 < scale * max(shape) < _WIDEST_FIELD or abs(np.linalg.det(steps)) < _LEAST_SINE * scale * other:
        return None
    to_pixels = np.linalg.inv(steps)
    east, north = (tuple(map(float, column / np.hypot(*column))) for column in to_pixels.T)
    return Orientation(float(scale), north, east)


def _sky_steps(wcs, shape):
    """Return [[E/x, E/y], [N/x, N/y]] in arcsec per pixel at the middle of a frame, or None."""
    if wcs is None or wcs.low_level_wcs.pixel_n_dim != 2:
        return None
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    try:
        sky = wcs.pixel_to_world(np.array([x, x + 1, x]), np.array([y, y, y + 1]))
        if not isinstance(sky, SkyCoord) or sky.frame.name not in _SKY_FRAMES:
            return None
        sky = sky.icrs
        east, north = sky[0].spherical_offsets_to(sky[1:])
    except (ArithmeticError, AttributeError, ConvertError, RuntimeError, TypeError, ValueError):
        return None
    return np.array([east.to_value(u.arcsec), north.to_value(u.arcsec)])


def nice_length(longest):
    """
    Return the longest round angle that is no longer than a given one.

    Parameters
    ----------
    longest : float
        Angle in arcseconds.

    Returns
    -------
    length : float
        Angle in arcseconds; 0 if ``longest`` is shorter than 1 mas.
    label : str
        The angle with its unit; empty if ``length`` is 0.
    """
    lengths = [(n * size, f"{n}{_gap(unit)}{unit}") for unit, size in _UNITS for n in _STEPS.get(unit, _SEXAGESIMAL)]
    return max(((length, label) for length, label in lengths if length <= longest), default=(0.0, ""))


def _gap(unit):
    return "\N{NO-BREAK SPACE}" if unit.isalpha() else ""

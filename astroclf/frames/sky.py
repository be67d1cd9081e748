# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where a frame lies on the sky: its middle, its scale, north and east."""

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.coordinates import ConvertError, SkyCoord

__all__ = ["Orientation", "pixel_to_sky", "sky_orientation"]

_WIDEST_FIELD = 20 * 3600.0
_SKY_FRAMES = "fk4", "fk4noeterms", "fk5", "galactic", "icrs"
"""Frames from which the way to ICRS needs no data on the Earth's rotation."""

_CANNOT_EVALUATE = ArithmeticError, AttributeError, ConvertError, RuntimeError, TypeError, ValueError
_LEAST_SINE = 0.5


@dataclass(frozen=True)
class Orientation:
    """
    How a frame lies on the sky, at its middle.

    Parameters
    ----------
    scale, column_scale : float
        Arcseconds per pixel along a row and along a column.
    north, east : tuple of float
        Unit vectors (x, y) in pixels.
    center : tuple of float
        Right ascension and declination of the middle of the frame, ICRS, in degrees.
    """

    scale: float
    column_scale: float
    north: tuple[float, float]
    east: tuple[float, float]
    center: tuple[float, float]

    @property
    def roll(self):
        """Angle from the frame's up to north, counterclockwise, in degrees in (-180, 180]."""
        return float(np.degrees(np.arctan2(-self.north[0], self.north[1])))

    @property
    def mirrored(self):
        """Whether east is clockwise of north, as it never is on the sky."""
        return self.north[0] * self.east[1] < self.north[1] * self.east[0]


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
    measured = _middle(wcs, shape)
    if measured is None or not all(np.isfinite(values).all() for values in measured):
        return None
    center, steps = measured
    scale, other = np.hypot(*steps)
    if not 0 < scale * max(shape) < _WIDEST_FIELD or abs(np.linalg.det(steps)) <= _LEAST_SINE * scale * other:
        return None
    to_pixels = np.linalg.inv(steps)
    east, north = (tuple(map(float, column / np.hypot(*column))) for column in to_pixels.T)
    return Orientation(float(scale), float(other), north, east, tuple(map(float, center)))


def pixel_to_sky(wcs, x, y):
    """
    Return where pixels are on the sky.

    Parameters
    ----------
    wcs : WCS of the APE 14 interface, or None
        The world coordinates of the frame.
    x, y : array_like of float
        Columns and rows; 0 is the middle of the first.

    Returns
    -------
    sky : `~astropy.coordinates.SkyCoord` or None
        In ICRS; None where there is no WCS, where it is not one of the sky, and where it cannot be evaluated.
    """
    if wcs is None or wcs.low_level_wcs.pixel_n_dim != 2:
        return None
    try:
        sky = wcs.pixel_to_world(x, y)
        return sky.icrs if isinstance(sky, SkyCoord) and sky.frame.name in _SKY_FRAMES else None
    except _CANNOT_EVALUATE:
        return None


def _middle(wcs, shape):
    """Return (RA, Dec) and [[E/x, E/y], [N/x, N/y]] in arcsec per pixel at the middle of a frame, or None."""
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    sky = pixel_to_sky(wcs, np.array([x, x + 1, x]), np.array([y, y, y + 1]))
    if sky is None:
        return None
    try:
        east, north = sky[0].spherical_offsets_to(sky[1:])
    except _CANNOT_EVALUATE:
        return None
    center = np.array([sky[0].ra.deg, sky[0].dec.deg])
    return center, np.array([east.to_value(u.arcsec), north.to_value(u.arcsec)])

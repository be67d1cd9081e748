# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where the four chips of WFPC2 lie on the sky, and which of their pixels see it."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyval, polyval2d

__all__ = ["CHIPS", "Chip"]

_CENTRE = 400.0
_POWERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))


@dataclass(frozen=True)
class Chip:
    """
    One chip: its place on a plane common to all of them, its edges and its electronics.

    The plane is the tangent plane of the sky, without distortion, in units and along the axes of the central
    pixel of WF3, whose position on it is the one it has on its chip: (400, 400). Pixels are counted from 1.

    Parameters
    ----------
    number : int
        Value of DETECTOR.
    name : str
        ``PC1``, ``WF2``, ``WF3`` or ``WF4``.
    cubic : tuple of tuple of float
        Coefficients of the position, x then y, in pixels of PC1: of 1, x, y, x^2, xy, y^2, x^3, x^2 y, x y^2, y^3,
        x and y counted from (400, 400).
    edges : tuple of tuple of float
        Where half of the light falls: the column as a quadratic polynomial of the row, the row as one of the column.
    dark : tuple of int
        The last column and the last row that no light reaches.
    gains, readnoises : dict of int to float
        Electrons per count, and electrons, by ATODGAIN.
    """

    number: int
    name: str
    cubic: tuple[tuple[float, ...], tuple[float, ...]]
    edges: tuple[tuple[float, float, float], tuple[float, float, float]]
    dark: tuple[int, int]
    gains: dict[int, float]
    readnoises: dict[int, float]

    def to_plane(self, x, y):
        """Return the position on the plane, an array of shape (2, ...), of pixels of the chip."""
        x, y = np.asarray(x, float) - _CENTRE, np.asarray(y, float) - _CENTRE
        common = np.array([polyval2d(x, y, _matrix(axis)) for axis in self.cubic])
        origin, scale = _linear(CHIPS[3])
        return np.tensordot(np.linalg.inv(scale), (common.T - origin).T, 1) + _CENTRE

    def from_plane(self, x, y):
        """Return the pixel of the chip, an array of shape (2, ...), at positions of the plane: `to_plane` inverted."""
        target = np.array([x, y], float)
        inverse = np.linalg.inv(self.jacobian(_CENTRE, _CENTRE))
        pixel = np.full(target.shape, _CENTRE)
        for _ in range(_ITERATIONS):
            pixel += np.tensordot(inverse, target - self.to_plane(*pixel), 1)
        return pixel

    def jacobian(self, x, y):
        """Return the derivatives of `to_plane` at a pixel, shape (2, 2): plane axes by chip axes."""
        right, left = self.to_plane(x + 0.5, y), self.to_plane(x - 0.5, y)
        up, down = self.to_plane(x, y + 0.5), self.to_plane(x, y - 0.5)
        return np.array([right - left, up - down]).T

    def depth(self, x, y):
        """Return how far inside its edges a pixel of the chip is, in units of the plane."""
        column, row = (polyval(other, edge) for other, edge in zip((y, x), self.edges))
        return np.minimum(x - column, y - row) * self.scale

    @property
    def scale(self):
        """Size of its central pixel in units of the plane."""
        return float(np.sqrt(abs(np.linalg.det(self.jacobian(_CENTRE, _CENTRE)))))


_ITERATIONS = 4
"""Each leaves about a thirtieth of the error; of at most 10 pixels, a hundred-thousandth of one is left."""


def _matrix(coefficients):
    matrix = np.zeros((4, 4))
    matrix[tuple(zip(*_POWERS))] = coefficients
    return matrix


def _linear(chip):
    """Return the constant and the linear part of a chip's polynomials."""
    table = np.array(chip.cubic)
    return table[:, 0], table[:, 1:3]


def _chip(number, name, cubic, edges, dark, low, high):
    gains, readnoises = ({7: a, 15: b} for a, b in zip(low, high))
    return Chip(number, name, cubic, edges, dark, gains, readnoises)


CHIPS = {
    1: _chip(
        1, "PC1",
        (
            (354.356, 1.00021, 9.79758e-4, 9.84222e-8, -6.31327e-9, -7.19983e-7,
             -3.73922e-8, 6.66101e-10, -3.51470e-8, -2.55003e-9),
            (343.646, 1.00544e-3, 0.999786, -5.80870e-7, -5.07221e-7, 3.41574e-7,
             -1.08091e-9, -3.4207e-8, 1.17819e-9, -4.48966e-8),
        ),
        edges=((42.62779, 0.009122855, -1.106709e-05), (52.20921, 0.009072887, -9.941337e-06)),
        dark=(0, 8), low=(7.12, 5.24), high=(13.99, 7.02),
    ),
    2: _chip(
        2, "WF2",
        (
            (-812.003, 1.95172e-2, -2.18805, -1.51015e-6, 5.06693e-6, 1.04063e-6,
             -4.55094e-10, 7.50249e-8, -1.51652e-9, 7.34568e-8),
            (766.592, 2.18607, 2.02006e-2, -3.79469e-6, -2.99518e-6, 1.05789e-7,
             -7.47857e-8, -1.67666e-9, -7.55302e-8, 3.02579e-10),
        ),
        edges=((47.68184, 0.00265608, -1.468158e-05), (21.77283, 0.01842164, -1.3983e-05)),
        dark=(26, 6), low=(7.12, 5.51), high=(14.50, 7.84),
    ),
    3: _chip(
        3, "WF3",
        (
            (-807.068, -2.18757, -8.51284e-3, -3.21458e-7, 2.77459e-6, -2.06874e-6,
             7.39223e-8, -1.18833e-9, 7.73056e-8, -3.72971e-10),
            (-771.489, 7.40319e-3, -2.18554, -1.49841e-6, 2.96650e-6, -2.02756e-7,
             -1.45720e-9, 7.72421e-8, 8.52633e-10, 7.68023e-8),
        ),
        edges=((30.23626, 0.008156041, -1.491324e-05), (44.18944, 0.0138938, -1.412296e-05)),
        dark=(10, 27), low=(6.90, 5.22), high=(13.95, 6.99),
    ),
    4: _chip(
        4, "WF4",
        (
            (772.904, 1.37619e-2, 2.18899, 1.33326e-6, -4.00828e-6, -5.71282e-7,
             -2.00520e-9, -7.86673e-8, -3.37491e-9, -7.81490e-8),
            (-774.638, -2.18688, 1.29831e-2, 1.30814e-6, 2.01760e-6, -8.47656e-7,
             7.70408e-8, -1.68514e-9, 7.75257e-8, -3.69210e-10),
        ),
        edges=((40.91462, 0.01273679, -1.063462e-05), (44.56632, 0.003509023, -1.278723e-05)),
        dark=(23, 24), low=(7.10, 5.19), high=(13.95, 8.32),
    ),
}  # fmt: skip
"""
The chips by DETECTOR.

Geometry: the solution of Holtzman et al. 1995 (PASP 107, 156), as in the WFPC2 Instrument Handbook and STSDAS
``dither/drizzle/coeffs/*-cubic``. Edges: polynomials through the K spots, STSDAS ``wmosaic/get_edge2.x``; dark: WFPC2
Instrument Handbook, table 2.5. Gain and read noise: drizzlepac ``wfpc2Data.py``.
"""

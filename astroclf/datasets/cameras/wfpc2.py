# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Wide Field and Planetary Camera 2."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial.legendre import legval2d

from astroclf.datasets.cameras.camera import Amplifier, Camera, Chip, Filter

__all__ = ["WFPC2", "WFPC2_AREA", "WFPC2Camera", "WFPC2Chip"]

_HALF = 400.0


@dataclass(frozen=True)
class WFPC2Chip(Chip):
    """
    One of the four chips, and its place among the others.

    Parameters
    ----------
    legendre : tuple of tuple of float
        Distortion in x and in y, to be subtracted: coefficients of products of Legendre polynomials of the pixel
        over the half chip, those of x first.
    shift : tuple of float
        Position in pixels of WF2 of the chip's origin.
    scale : float
        Size of its pixels in those of WF2.
    rotation : float
        Angle in degrees of its axes on WF2.
    quadrant : tuple of int
        On which side of the pyramid's edges it lies, along the axes of WF3: -1 or 1.
    reference : tuple of float
        CRPIX1 and CRPIX2.
    """

    legendre: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    rotation: float = 0.0
    quadrant: tuple[int, int] = (1, 1)
    reference: tuple[float, float] = (_HALF, _HALF)

    def on_wf2(self, x, y):
        """Return the positions, without distortion, in pixels of WF2 of pixels of the chip, counted from 1."""
        where = [(np.asarray(axis, float) - _HALF) / _HALF for axis in (x, y)]
        dx, dy = (legval2d(*where, np.reshape(axis, (4, 4)).T) for axis in self.legendre)
        x, y = x - dx, y - dy
        cosine, sine = np.cos(np.radians(self.rotation)), np.sin(np.radians(self.rotation))
        return (
            (cosine * x - sine * y + self.shift[0]) * self.scale,
            (sine * x + cosine * y + self.shift[1]) * self.scale,
        )

    def from_wf2(self, x, y):
        """Return the pixels of the chip, if it had no distortion, at positions of WF2."""
        cosine, sine = np.cos(np.radians(self.rotation)), np.sin(np.radians(self.rotation))
        x, y = x / self.scale - self.shift[0], y / self.scale - self.shift[1]
        return cosine * x + sine * y, cosine * y - sine * x


@dataclass(frozen=True)
class WFPC2Camera(Camera):
    """
    WFPC2 in one of its modes; scenes are drawn on a plane as WF3 would see all of it, without distortion.

    Parameters
    ----------
    mode : str
        Value of MODE: ``FULL``, or ``AREA`` where 2 x 2 pixels are one.
    setting : int
        Value of ATODGAIN.
    """

    mode: str = "FULL"
    setting: int = 7

    @property
    def binning(self):
        """Pixels of a chip that make one of its image, along either axis."""
        return round(2 * _HALF) // self.shape[0]

    @property
    def plane(self):
        """Shape (ny, nx) of the plane in pixels of WF3; the chips meet in its middle."""
        return 2 * self.shape[0], 2 * self.shape[1]

    @property
    def _middle(self):
        """Column and row of the middle of the plane, from 0."""
        return (self.plane[0] - 1) / 2

    def pixels(self, columns, rows):
        """Return the pixels of a chip, counted from 1, at columns and rows of its image, counted from 0."""
        return tuple(self.binning * (np.asarray(index) + 0.5) + 0.5 for index in (columns, rows))

    def on_plane(self, chip, columns, rows):
        """Return the columns and rows of the plane, from 0, at columns and rows of the image of a chip, from 0."""
        wf3 = next(other for other in self.chips if other.number == 3)
        place = wf3.from_wf2(*chip.on_wf2(*self.pixels(columns, rows)))
        return tuple((axis - apex) / self.binning + self._middle for axis, apex in zip(place, _APEX))

    def illumination(self, chip, columns, rows):
        """Return the fraction of the light that pixels of a chip's image get beside the edges of the pyramid."""
        x, y = self.on_plane(chip, columns, rows)
        x, y = (self.binning * (axis - self._middle) for axis in (x, y))
        depths = chip.quadrant[0] * (x - _SLOPES[0] * y), chip.quadrant[1] * (y - _SLOPES[1] * x)
        return np.prod([np.clip(0.5 + depth / _PENUMBRA, 0, 1) for depth in depths], axis=0).astype(np.float32)

    def area_of(self, chip):
        """Return the area of a chip's pixel in pixels of the plane."""
        wf3 = next(other for other in self.chips if other.number == 3)
        return (chip.scale / wf3.scale) ** 2


_APEX = 33.0, 47.0
"""The pixel of WF3 on which the edges of the pyramid meet, in the middle of the plane."""

_SLOPES = -0.0026, 0.0045
"""Change of x with y, and of y with x, along these edges."""

_PENUMBRA = 40.0
"""Width, in pixels of WF3, of the strip that is partly lit."""

# Geometry: Gilmozzi, Ewald & Kinney 1995, WFPC2 ISR 95-02, as in STSDAS get_coeff2.x and get_trans2.x. Edges: lines
# through the K spots of STSDAS get_edge2.x; penumbra: WFPC2 Instrument Handbook, table 2.5. Gain and read noise:
# drizzlepac wfpc2Data.py. Bias and reference pixels are those in the header of u5780205r (February 1999). Dark current,
# sky and photometry are rounded.
_PC1 = WFPC2Chip(
    1, 0, (Amplifier("PC1", 7.12, 5.24, 316.65),),
    legendre=(
        (0.066815, 2.1633, 0.038095, 0.94095, 0.051627, 0.061692, -0.0046825, -0.0079901,
         0.10675, 1.4861, 0.022422, 0.05695, -0.0087171, 0.03435, 0.015134, -0.031546),
        (0.057416, 0.017629, 0.13038, 0.016927, 2.3635, 0.080603, 1.5121, 0.022461,
         -0.013915, 0.025392, -0.016964, 0.075925, 0.96595, -0.044384, 0.13129, -0.05327),
    ),
    shift=(58.676, 101.347), scale=0.4573045, rotation=270.496, quadrant=(-1, -1), reference=(420.0, 424.5),
)  # fmt: skip
_WF2 = WFPC2Chip(
    2, 0, (Amplifier("WF2", 7.12, 5.51, 354.06),),
    legendre=(
        (0.083464, 1.9334, 0.17163, 0.84619, 0.049975, 0.15608, 0.0026701, -0.0097651,
         -0.012299, 1.4657, -0.015196, 0.042339, -0.0033684, -0.011308, 0.032543, -0.081674),
        (-0.0096107, -0.043238, -0.057259, 0.0023489, 1.9128, 0.33555, 1.4585, -0.027291,
         0.041407, 0.023959, 0.0067393, 0.02072, 0.83414, -0.061361, 0.032687, -0.033779),
    ),
    quadrant=(1, -1), reference=(423.5, 414.0),
)  # fmt: skip
_WF3 = WFPC2Chip(
    3, 0, (Amplifier("WF3", 6.90, 5.22, 306.67),),
    legendre=(
        (-0.063864, 1.9285, -0.040329, 0.88085, -0.067214, 0.15302, 0.0058819, -0.010204,
         -0.08612, 1.4632, -0.0033002, 0.075607, 0.0008636, -0.049353, -0.0014471, -0.033843),
        (-0.037607, -0.044137, -0.076807, 0.0042059, 1.9584, 0.16362, 1.4809, -0.027224,
         0.019784, 0.025133, 0.0024144, 0.033534, 0.86833, -0.02358, 0.058449, -0.032079),
    ),
    shift=(98.627, -6.509), scale=0.9994667, rotation=90.327, quadrant=(1, 1), reference=(436.0, 424.5),
)  # fmt: skip
_WF4 = WFPC2Chip(
    4, 0, (Amplifier("WF4", 7.10, 5.19, 311.71),),
    legendre=(
        (0.0053754, 1.952, 0.075419, 0.87782, -0.053325, 0.17116, 0.02953, 0.018075,
         -0.057838, 1.4679, 0.013657, 0.0036782, 0.013155, -0.01372, 0.034007, -0.021325),
        (-0.020904, 0.045812, -0.055235, -0.015033, 2.0164, 0.26925, 1.4637, 0.017426,
         0.02603, 0.03716, 0.017742, -0.037413, 0.8865, 0.0022941, 0.010848, 0.048358),
    ),
    shift=(95.430, 75.480), scale=0.9999972, rotation=180.899, quadrant=(-1, 1), reference=(423.0, 421.0),
)  # fmt: skip

WFPC2 = WFPC2Camera(
    instrument="WFPC2",
    detector="",
    aperture="WFALL",
    letter="u",
    shape=(800, 800),
    chips=(_PC1, _WF2, _WF3, _WF4),
    filters=(
        Filter("F606W", 2.6e-19, 6001.0, 650.0, 0.07),
        Filter("F555W", 4.9e-19, 5443.0, 520.0, 0.05),
        Filter("F814W", 3.5e-19, 7996.0, 650.0, 0.05),
    ),
    linear=((0.09958, 0.0), (0.0, 0.09958)),
    epoch=51229.0,
    exptime=500.0,
    full_well=90000.0,
    dark=0.005,
    hot_fraction=0.01,
    hot_threshold=0.02,
    hot_limit=0.02,
    pixel_size=15e-4,
    fwhm=1.4,
    column_flag=2,
)
"""WFPC2 as it was in February 1999, at ATODGAIN = 7."""

WFPC2_AREA = replace(
    WFPC2,
    shape=(400, 400),
    mode="AREA",
    linear=((0.19916, 0.0), (0.0, 0.19916)),
    filters=tuple(replace(element, sky=4 * element.sky) for element in WFPC2.filters),
    pixel_size=30e-4,
    fwhm=1.1,
)
"""WFPC2 in AREA mode: 2 x 2 pixels are summed on the chip."""

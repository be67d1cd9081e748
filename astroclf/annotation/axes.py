# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Axes with numbers around an image: right ascension and declination, or pixels, however it is turned."""

import numpy as np
from astropy import units as u
from astropy.coordinates import ICRS, SkyCoord
from astropy.visualization.wcsaxes import WCSAxes
from astropy.visualization.wcsaxes.transforms import CurvedTransform
from matplotlib.transforms import Affine2D

from astroclf.annotation.typography import PLAIN, font
from astroclf.frames.sky import pixel_to_sky, sky_orientation

__all__ = ["make_axes"]

_NUMBERS, _NAME = 9, 10
"""Sizes of text, in points."""

_APART = {"b": 1.4, "l": 0.9}
"""Inches between the numbers of an axis below, and of one at the left."""

_SKY = {
    "type": ("longitude", "latitude"), "wrap": (None, None), "name": ("ra", "dec"), "unit": (u.deg, u.deg),
    "format_unit": (u.hourangle, u.deg),
}  # fmt: skip
_SKY_NAMES = "RA (ICRS)", "Dec (ICRS)"
_SEPARATORS = ("h", "m", "s"), ("\N{DEGREE SIGN}", "\N{PRIME}", "\N{DOUBLE PRIME}")

_PIXELS = {"type": ("scalar", "scalar"), "wrap": (None, None), "unit": (u.pix, u.pix), "name": ("x", "y")}
_PIXEL_NAMES = "x (pixels)", "y (pixels)"


def make_axes(page, rectangle, frame, turn, kind, theme, *, left=True, below=True):
    """
    Add axes with numbers to a page.

    Parameters
    ----------
    page : `~matplotlib.figure.Figure`
        The page.
    rectangle : tuple of float
        Left, bottom, width and height, as fractions of the page.
    frame : `~astroclf.Frame`
        What will be shown.
    turn : `~matplotlib.transforms.Transform`
        From pixels of the frame to the coordinates of the axes.
    kind : {'wcs', 'pixels'}
        Right ascension and declination in ICRS, or columns and rows counted from 1 as in FITS; these, too, where the
        frame has no coordinates of the sky.
    theme : `~astroclf.annotation.theme.Theme`
        Colours.
    left, below : bool, optional
        Whether there are numbers at the left, and below.

    Returns
    -------
    axes : `~astropy.visualization.wcsaxes.WCSAxes`
        Without its image.
    """
    orientation = sky_orientation(frame.ccd.wcs, frame.shape) if kind == "wcs" else None
    if orientation is None:
        transform, meta, names = turn.inverted() + Affine2D().translate(1, 1), _PIXELS, _PIXEL_NAMES
        up = turn.get_matrix()[:2, 1]
    else:
        transform, meta, names = _ToSky(frame.ccd.wcs, turn), _SKY, _SKY_NAMES
        up = turn.get_matrix()[:2, :2] @ orientation.north
    axes = WCSAxes(page, rectangle, transform=transform, coord_meta=meta)
    page.add_axes(axes)
    width, height = (side * inches for side, inches in zip(rectangle[2:], page.get_size_inches()))
    sides = ("b", "l") if abs(up[1]) >= abs(up[0]) else ("l", "b")
    for coord, side, name in zip(axes.coords, sides, names):
        _number(coord, side, name, theme, {"b": width, "l": height}[side], {"b": below, "l": left}[side])
    axes.coords.grid(draw_grid=False)
    axes.coords.frame.set_color(theme.line)
    axes.coords.frame.set_linewidth(1)
    if orientation is not None:
        for coord, separators in zip(axes.coords, _SEPARATORS):
            coord.set_separator(separators)
    return axes


def _number(coord, side, name, theme, length, numbered):
    """Have ticks on one side of axes, and numbers and a name if there is room for them."""
    for place in (coord.set_ticks_position, coord.set_ticklabel_position, coord.set_axislabel_position):
        place(side)
    coord.set_ticks(number=max(int(length / _APART[side]), 2))
    coord.display_minor_ticks(False)
    coord.tick_params(direction="out", length=3, width=0.8, color=theme.muted)
    coord.set_ticklabel(
        color=theme.muted, fontproperties=font(PLAIN, _NUMBERS), usetex=False, simplify=False, pad=3,
        exclude_overlapping=True,
    )  # fmt: skip
    coord.set_ticklabel_visible(numbered)
    coord.set_auto_axislabel(False)
    coord.set_axislabel(
        name if numbered else "", minpad=0.8, color=theme.muted, fontproperties=font(PLAIN, _NAME), usetex=False
    )


class _ToSky(CurvedTransform):
    """From coordinates of axes to ICRS, in degrees; NaN where the world coordinates cannot be evaluated."""

    has_inverse = True
    frame_out, units_out = ICRS(), (u.deg, u.deg)

    def __init__(self, wcs, turn):
        super().__init__()
        self._wcs, self._turn = wcs, turn

    def transform(self, values):
        """Return right ascensions and declinations, shape (n, 2)."""
        sky = pixel_to_sky(self._wcs, *self._turn.inverted().transform(values).T)
        return np.full(np.shape(values), np.nan) if sky is None else np.transpose([sky.ra.deg, sky.dec.deg])

    transform_non_affine = transform

    def inverted(self):
        """Return the way back."""
        return _FromSky(self._wcs, self._turn)


class _FromSky(CurvedTransform):
    """From ICRS, in degrees, to coordinates of axes."""

    has_inverse = True
    frame_in, units_in = ICRS(), (u.deg, u.deg)

    def __init__(self, wcs, turn):
        super().__init__()
        self._wcs, self._turn = wcs, turn

    def transform(self, values):
        """Return places in the axes, shape (n, 2)."""
        return self._turn.transform(np.transpose(self._wcs.world_to_pixel(SkyCoord(*np.transpose(values), unit="deg"))))

    transform_non_affine = transform

    def inverted(self):
        """Return the way back."""
        return _ToSky(self._wcs, self._turn)

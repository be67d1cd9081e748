# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What is drawn on the image: a scale bar, a compass and a contour, white with a dark edge to show on any sky."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, ScaledTranslation
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

from astroclf.annotation.lengths import nice_length
from astroclf.annotation.typography import BOLD, font
from astroclf.annotation.words import human

__all__ = ["add_caption", "add_compass", "add_contour", "add_outlines", "add_scale_bar", "add_tiles"]

_COLOR = "white"
_OUTLINE = "#56b4e9"
_SIZE = 13
_ARM, _LETTER, _LETTER_RADIUS, _PADDING = 0.42, 0.56, 0.1, 0.17
_THICKNESS = 0.02
_ROOMY = 2.6
_LEGEND = 0.15


def add_scale_bar(axes, orientation, *, zoom=1.0):
    """
    Draw a bar of a round angle in the lower left corner, where the image has room for it.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        Axes in the pixel coordinates of the frame.
    orientation : `~astroclf.frames.sky.Orientation`
        Scale of the frame.
    zoom : float, optional
        How large text and lines are; 1 is for images of several inches.
    """
    width, height = (side / zoom for side in _inches(axes))
    left, right = axes.get_xlim()
    length, label = nice_length((right - left) * orientation.scale * (0.3 if width >= _ROOMY else 0.5))
    if not length or width < 1 or height < 0.7:
        return
    bar = AnchoredSizeBar(
        axes.transData, length / orientation.scale, label, "lower left", borderpad=0.8, sep=5 * zoom, frameon=False,
        size_vertical=_THICKNESS * (right - left) / width, fill_bar=True, color=_COLOR, label_top=True,
        fontproperties=font(BOLD, _SIZE * zoom),
    )  # fmt: skip
    for artist in bar.findobj():
        artist.set_path_effects(_halo(zoom))
    for text in bar.findobj(Text):
        text.set(usetex=False, parse_math=False)
    axes.add_artist(bar)


def add_compass(axes, orientation, *, zoom=1.0):
    """
    Draw arrows to north and east in the lower right corner, the upper one on narrow images.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        Axes in the pixel coordinates of the frame.
    orientation : `~astroclf.frames.sky.Orientation`
        Directions in the frame.
    zoom : float, optional
        How large it is; 1 is for images of several inches.
    """
    width, height = (side / zoom for side in _inches(axes))
    low = width >= _ROOMY
    if width < 1.2 or height < (1.2 if low else _ROOMY):
        return
    arms = {"N": np.array(orientation.north), "E": np.array(orientation.east)}
    reach = _LETTER * np.array([[0, 0], *arms.values()])
    border = _PADDING + _LETTER_RADIUS
    center = -reach.max(axis=0) - border
    if low:
        center[1] = border - reach[:, 1].min()
    corner = (
        Affine2D().scale(zoom) + axes.figure.dpi_scale_trans + ScaledTranslation(1, 0 if low else 1, axes.transAxes)
    )
    for letter, arm in arms.items():
        _draw_arm(axes, letter, center, arm, corner, zoom)


def add_contour(axes, explanation, pixels):
    """
    Draw a line around what speaks for a class, and say so in the upper left corner, where there is room.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        Axes in the pixel coordinates of the frame.
    explanation : `~astroclf.Explanation`
        The map; the line is at half of its peak. Where nothing speaks for the class there is no line, and no word.
    pixels : `~matplotlib.transforms.Transform`
        From pixels of the frame to the page.
    """
    lines = explanation.contours()
    if not lines:
        return
    _add_lines(axes, lines, pixels, linewidths=1.4, linestyles="--")
    add_caption(axes, f"- - speaks for {human(explanation.label)}")


def add_outlines(axes, found, part, pixels):
    """
    Draw the edges of sources.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        Axes in the pixel coordinates of the frame.
    found : `~numpy.ndarray` of bool, shape (my, mx)
        Where sources are, in a picture of a part of the frame.
    part : tuple of slice
        That part: rows and columns of the frame.
    pixels : `~matplotlib.transforms.Transform`
        From pixels of the frame to the page.
    """
    if not found.any():
        return
    rows, columns = (
        side.start - 0.5 + (np.arange(-1, n + 1) + 0.5) * (side.stop - side.start) / n
        for side, n in zip(part, found.shape)
    )
    (lines,) = Figure().add_subplot().contour(columns, rows, np.pad(found, 1).astype(float), [0.5]).allsegs
    _add_lines(axes, lines, pixels, linewidths=0.9, colors=_OUTLINE, path_effects=[])


def add_tiles(axes, parts, pixels):
    """
    Draw the edges of parts of a frame.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        Axes in the pixel coordinates of the frame.
    parts : iterable of tuple of slice
        Rows and columns of the frame.
    pixels : `~matplotlib.transforms.Transform`
        From pixels of the frame to the page.
    """
    edges = [[(side.start - 0.5, side.stop - 0.5) for side in part] for part in parts]
    lines = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)] for (y0, y1), (x0, x1) in edges]
    _add_lines(axes, lines, pixels, linewidths=0.8, linestyles=":")


def _add_lines(axes, lines, pixels, **style):
    lines = LineCollection(lines, **({"colors": _COLOR, "path_effects": _halo(0.7)} | style), transform=pixels)
    axes.add_collection(lines, autolim=False)


def add_caption(axes, text, *, narrowest=_ROOMY):
    """
    Write what is drawn in the upper left corner, where the image has room for it.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        The image.
    text : str
        A few words.
    narrowest : float, optional
        Width of an image, in inches, that has room for them.
    """
    width, height = _inches(axes)
    if width < narrowest or height < 1:
        return
    corner = axes.figure.dpi_scale_trans + ScaledTranslation(0, 1, axes.transAxes)
    axes.text(
        _LEGEND, -_LEGEND, text, color=_COLOR, ha="left", va="top", fontproperties=font(BOLD, 11), transform=corner,
        path_effects=_halo(1.0), usetex=False, parse_math=False,
    )  # fmt: skip


def _draw_arm(axes, letter, center, arm, transform, zoom):
    axes.add_patch(
        FancyArrowPatch(
            center, center + _ARM * arm, arrowstyle="-|>", mutation_scale=11 * zoom, shrinkA=0, shrinkB=0,
            linewidth=1.6 * zoom, color=_COLOR, transform=transform, path_effects=_halo(zoom),
        )
    )  # fmt: skip
    axes.text(
        *(center + _LETTER * arm), letter, color=_COLOR, fontproperties=font(BOLD, _SIZE * zoom), ha="center",
        va="center", transform=transform, path_effects=_halo(zoom), usetex=False,
    )  # fmt: skip


def _halo(zoom):
    """Return the dark edge that makes white lines show on any sky."""
    return [withStroke(linewidth=3 * zoom, foreground=(0, 0, 0, 0.75))]


def _inches(axes):
    """Return the size of axes in inches, as the aspect ratio of the image leaves it."""
    axes.apply_aspect()
    box = axes.get_window_extent()
    return box.width / axes.figure.dpi, box.height / axes.figure.dpi

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The page itself: image, heading, verdict, bars and small print."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D

from astroclf import __version__
from astroclf.annotation.layout import arrange, whole_pixels
from astroclf.annotation.metadata import observation_avm, verdict_avm
from astroclf.annotation.overlay import (
    add_caption,
    add_compass,
    add_contour,
    add_outlines,
    add_scale_bar,
    add_tiles,
)
from astroclf.annotation.place import page_place
from astroclf.annotation.raw import as_read
from astroclf.annotation.theme import MARKS, get_theme, supports
from astroclf.annotation.typography import BOLD, SEPARATOR, Typesetter, font
from astroclf.annotation.words import clean, human, observation, percent, quality, size, verdict
from astroclf.frames.sky import sky_orientation
from astroclf.render.views import parts_of
from astroclf.tags.xmp import avm_packet

__all__ = ["Extras", "Page", "draw_image", "draw_page", "image_facts", "write_title"]

_DPI = 150
_SHOWN = 3
_OUTSIDE, _GAP = get_theme("dark").page, get_theme("dark").line
"""Around an image that is turned, and where it has no data: dark in any theme, as what is drawn on it is white."""

_STRIP, _ROW, _BAR = 0.07, 0.57, 0.1
_LINE, _TAB = 0.22, 0.75
_SMALL_TITLE = 14
"""Size in points below which a title has two lines."""


def draw_page(frame, prediction, rgb, part, theme, extras):
    """
    Draw the page of a frame.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame.
    prediction : `~astroclf.Prediction`
        The verdict on it.
    rgb : `~numpy.ndarray` of float, shape (ny, nx, 3), range [0, 1]
        Picture of a part of it, row 0 at the bottom.
    part : tuple of slice
        That part: rows and columns of the frame.
    theme : `~astroclf.annotation.theme.Theme`
        Colours.
    extras : Extras
        What else to draw.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The page.
    """
    turn = _turn(frame, part, extras.north_up)
    aspect = _aspect(part, turn)
    layout = arrange(aspect, before=extras.before is not None, axes=extras.axes is not None)
    dpi = _DPI if extras.size is None else (extras.size + 1e-6) / max(layout.width, layout.height)
    page = Page(figsize=(layout.width, layout.height), dpi=dpi, facecolor=theme.page, layout="none")
    setter = Typesetter(page)
    add_axes = partial(_add_axes, page, frame, turn, extras.axes, theme)
    above = layout.before is not None and layout.before.bottom > layout.image.bottom
    axes = add_axes(whole_pixels(layout.image, aspect, dpi), left=above or layout.before is None)
    draw_image(axes, frame, rgb, part, theme, extras)
    axes.set_aspect("auto")
    page.avm, page.shown = observation_avm(frame, rgb) | verdict_avm(prediction), (frame, part)
    if layout.before is not None:
        box = whole_pixels(layout.before, aspect, dpi)
        shape = tuple(round(side * dpi) for side in (box.height, box.width))
        _draw_before(add_axes(box, below=not above), extras.before, part, theme, shape, turn)
    setter.rectangle(0, layout.height - _STRIP, layout.width, _STRIP, MARKS[prediction.status].color)
    _write_heading(setter, layout.heading, frame, theme)
    _write_verdict(setter, layout.verdict, prediction, theme)
    _draw_bars(setter, layout.bars, prediction, theme)
    _write_small_print(setter, layout.small_print, frame, prediction, theme)
    return page


@dataclass(frozen=True, eq=False)
class Extras:
    """
    What is drawn on request.

    Parameters
    ----------
    explanation : `~astroclf.Explanation`, optional
        Why a class; drawn as a contour.
    before : `~astroclf.Frame`, optional
        The frame as it was read; drawn beside the picture.
    outlines : `~numpy.ndarray` of bool, optional
        Where sources are, in a picture of the part that is shown; their edges are drawn.
    tiles : int, optional
        Number of tiles along either axis, whose edges are drawn.
    north_up : bool, optional
        Whether the picture is turned, and mirrored if need be, so that north is up and east left.
    axes : {'wcs', 'pixels'}, optional
        What the numbers around the picture are; by default there are none.
    size : int, optional
        Longer side of the page in pixels.
    """

    explanation: object = None
    before: object = None
    outlines: np.ndarray | None = None
    tiles: int | None = None
    north_up: bool = False
    axes: str | None = None
    size: int | None = None


class Page(Figure):
    """
    A figure that notebooks show without pyplot, and whose PNG says what it shows.

    Attributes
    ----------
    avm : dict
        What it shows, by the names of the Astronomy Visualization Metadata (AVM).
    shown : tuple or None
        The frame, and the part of it, that the first image shows; None where the page is none to lay on the sky.
    """

    avm, shown = {}, None

    def packet(self):
        """Return the XMP packet of the page as it was last drawn."""
        place = {}
        if self.shown is not None:
            to_page = self.axes[0].images[0].get_transform().get_matrix()
            place = page_place(*self.shown, to_page, tuple(map(int, self.bbox.size)))
        return avm_packet(self.avm | place)

    def _repr_png_(self):
        from astroclf.annotation.files import to_png

        return to_png(self)


def _add_axes(page, frame, turn, numbers, theme, box, **sides):
    """Add axes that fill a box, with numbers on some sides if they are wanted."""
    width, height = page.get_size_inches()
    rectangle = box.left / width, box.bottom / height, box.width / width, box.height / height
    if numbers is None:
        return page.add_axes(rectangle)
    from astroclf.annotation.axes import make_axes

    return make_axes(page, rectangle, frame, turn, numbers, theme, **sides)


def draw_image(axes, frame, rgb, part, theme, extras):
    """
    Draw the picture of a frame in its pixel coordinates, with scale bar and compass where known.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        Where to draw.
    frame : `~astroclf.Frame`
        The frame.
    rgb : `~numpy.ndarray` of float, shape (ny, nx, 3), range [0, 1]
        Picture of a part of it, row 0 at the bottom.
    part : tuple of slice
        That part: rows and columns of the frame.
    theme : `~astroclf.annotation.theme.Theme`
        Colours.
    extras : Extras
        What else to draw.
    """
    turn = _turn(frame, part, extras.north_up)
    _draw_pixels(axes, rgb, part, theme, turn)
    pixels = turn + axes.transData
    if extras.outlines is not None:
        add_outlines(axes, extras.outlines, part, pixels)
    if extras.tiles is not None:
        add_tiles(axes, parts_of(part, None, 0.0, ("tiles",), tiles=extras.tiles).values(), pixels)
    if extras.explanation is not None:
        add_contour(axes, extras.explanation, pixels)
    orientation = sky_orientation(frame.ccd.wcs, frame.shape)
    if orientation is not None:
        north, east = (turn.get_matrix()[:2, :2] @ side for side in (orientation.north, orientation.east))
        orientation = replace(orientation, north=tuple(north), east=tuple(east))
        add_scale_bar(axes, orientation)
        add_compass(axes, orientation)


def write_title(axes, prediction):
    """
    Write the verdict above axes.

    Parameters
    ----------
    axes : `~matplotlib.axes.Axes`
        The axes.
    prediction : `~astroclf.Prediction`
        The verdict.
    """
    text = f"{MARKS[prediction.status].sign} {prediction.status}: {verdict(prediction)}"
    axes.set_title(text, fontproperties=font(BOLD, 11), parse_math=False, usetex=False)


def _turn(frame, part, north_up):
    """Return what turns a part of a frame about its middle, with north up and east left, or leaves it."""
    orientation = sky_orientation(frame.ccd.wcs, frame.shape) if north_up else None
    if orientation is None:
        return Affine2D()
    right = np.array([orientation.north[1], -orientation.north[0]])
    if orientation.mirrored:
        right = -right
    y, x = ((side.start + side.stop - 1) / 2 for side in part)
    matrix = np.eye(3)
    matrix[:2, :2] = right, orientation.north
    return Affine2D().translate(-x, -y) + Affine2D(matrix) + Affine2D().translate(x, y)


def _corners(part, turn):
    """Return the left, right, lower and upper limits of a part of a frame when it is turned."""
    (bottom, top), (left, right) = ((side.start - 0.5, side.stop - 0.5) for side in part)
    corners = turn.transform([(left, bottom), (right, bottom), (left, top), (right, top)])
    return corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].min(), corners[:, 1].max()


def _aspect(part, turn):
    left, right, bottom, top = _corners(part, turn)
    return (right - left) / (top - bottom)


def _draw_pixels(axes, rgb, part, theme, turn):
    rows, columns = part
    extent = columns.start - 0.5, columns.stop - 0.5, rows.start - 0.5, rows.stop - 0.5
    axes.imshow(
        rgb, origin="lower", extent=extent, aspect="equal", interpolation="antialiased", resample=True,
        transform=turn + axes.transData,
    )  # fmt: skip
    left, right, bottom, top = _corners(part, turn)
    axes.set(xlim=(left, right), ylim=(bottom, top), facecolor=_OUTSIDE)
    if hasattr(axes, "wcs"):  # those of astropy have their own ticks and frame
        return
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=theme.line, linewidth=1)


def _draw_before(axes, frame, part, theme, shape, turn):
    """Draw a part of a frame as it was read, and say so."""
    seen, norm = as_read(frame, part, shape)
    image = colormaps["gray"].with_extremes(bad=_GAP)(norm(np.ma.masked_invalid(seen)))
    _draw_pixels(axes, image, part, theme, turn)
    axes.set_aspect("auto")
    add_caption(axes, "as read", narrowest=0.95)


def _write_heading(setter, box, frame, theme):
    title = clean(frame.facts.target) or clean(frame.origin.name)
    write = partial(setter.write, color=theme.ink, face=BOLD, room=box.width)
    if setter.measure(title, _SMALL_TITLE, BOLD) <= box.width:
        write(title, box.left, box.top - 0.27, 26, smallest=_SMALL_TITLE)
    else:
        for n, line in enumerate(setter.split(title, _SMALL_TITLE, box.width, BOLD)):
            write(line, box.left, box.top - 0.13 - 0.23 * n, _SMALL_TITLE, cut=0.6)
    lines, size = setter.wrap(observation(frame.facts), 14, box.width, most=2, smallest=11)
    for n, line in enumerate(lines):
        setter.write(line, box.left, box.top - 0.63 - 0.28 * n, size, theme.muted, room=box.width)


def _write_verdict(setter, box, prediction, theme):
    mark = MARKS[prediction.status]
    baseline = box.top - 0.23
    badge = setter.badge(f"{mark.sign} {prediction.status}", box.left, baseline, 14, mark.color) + 0.15
    setter.write(mark.reason, box.left + badge, baseline, 13, theme.muted, room=box.width - badge, smallest=9)
    verdict = human(prediction.verdict)
    setter.write(verdict, box.left, box.top - 0.9, 36, theme.ink, face=BOLD, room=box.width, smallest=20)
    baseline = box.top - 1.4
    if prediction.prob is None:
        guess = f"best guess: {human(prediction.group)}, {percent(prediction.group_probs[0])}"
        setter.write(guess, box.left, baseline, 16, theme.muted, room=box.width, smallest=11)
        return
    width = setter.write(percent(prediction.prob), box.left, baseline, 22, theme.ink, face=BOLD) + 0.12
    setter.write("calibrated probability", box.left + width, baseline, 16, theme.muted, room=box.width - width)


def _draw_bars(setter, box, prediction, theme):
    for n, (label, prob) in enumerate(zip(prediction.labels[:_SHOWN], prediction.probs)):
        top = box.top - n * _ROW
        baseline, bottom = top - 0.16, top - 0.37
        color = MARKS[prediction.status].color if supports(prediction, label) else theme.bar
        number = setter.write(percent(prob), box.right, baseline, 14, theme.ink, align="right") + 0.2
        setter.write(human(label), box.left, baseline, 14, theme.ink, room=box.width - number, smallest=11)
        setter.rectangle(box.left, bottom, box.width, _BAR, theme.line)
        setter.rectangle(box.left, bottom, box.width * prob, _BAR, color)


def _write_small_print(setter, box, frame, prediction, theme):
    rows = {
        "file": clean(frame.origin.name),
        "image": image_facts(frame),
        "quality": quality(prediction.quality),
        "model": clean(prediction.provenance.model),
        "made by": f"astroclf {__version__}",
    }
    for n, (name, value) in enumerate(rows.items()):
        baseline = box.top - 0.16 - n * _LINE
        setter.write(name, box.left, baseline, 10, theme.muted)
        cut = 0.6 if name == "file" else 1.0
        setter.write(value, box.left + _TAB, baseline, 10, theme.muted, room=box.width - _TAB, cut=cut)


def image_facts(frame):
    """Return size and HDUs of a frame as a phrase."""
    hdus = f"{SEPARATOR}HDU {clean(' '.join(frame.origin.hdus))}" if frame.origin.hdus else ""
    return f"{size(frame.shape)} px{hdus}"

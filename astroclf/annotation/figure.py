# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The page itself: image, heading, verdict, bars and small print."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from astroclf import __version__
from astroclf.annotation.layout import arrange, whole_pixels
from astroclf.annotation.metadata import observation_avm, verdict_avm
from astroclf.annotation.overlay import add_caption, add_compass, add_contour, add_scale_bar
from astroclf.annotation.place import page_place
from astroclf.annotation.raw import as_read
from astroclf.annotation.theme import MARKS, supports
from astroclf.annotation.typography import BOLD, SEPARATOR, Typesetter
from astroclf.annotation.words import clean, human, observation, percent, quality, size
from astroclf.frames.sky import sky_orientation
from astroclf.tags.xmp import avm_packet

__all__ = ["Page", "draw_image", "draw_page", "image_facts"]

_DPI = 150
_SHOWN = 3
_STRIP, _ROW, _BAR = 0.07, 0.57, 0.1
_LINE, _TAB = 0.22, 0.75


def draw_page(frame, prediction, rgb, part, theme, *, explanation=None, before=None):
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
    explanation : `~astroclf.Explanation`, optional
        Why a class; drawn as a contour.
    before : `~astroclf.Frame`, optional
        The frame as it was read; drawn beside the picture.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The page.
    """
    aspect = rgb.shape[1] / rgb.shape[0]
    layout = arrange(aspect, before=before is not None)
    page = Page(figsize=(layout.width, layout.height), dpi=_DPI, facecolor=theme.page, layout="none")
    setter = Typesetter(page)
    axes = page.add_axes(_fractions(whole_pixels(layout.image, aspect, _DPI), layout))
    draw_image(axes, frame, rgb, part, theme)
    axes.set_aspect("auto")
    page.avm, page.shown = observation_avm(frame, rgb) | verdict_avm(prediction), (frame, part)
    if explanation is not None:
        add_contour(axes, explanation)
    if before is not None:
        box = whole_pixels(layout.before, aspect, _DPI)
        _draw_before(page.add_axes(_fractions(box, layout)), before, part, theme, box)
    setter.rectangle(0, layout.height - _STRIP, layout.width, _STRIP, MARKS[prediction.status].color)
    _write_heading(setter, layout.heading, frame, theme)
    _write_verdict(setter, layout.verdict, prediction, theme)
    _draw_bars(setter, layout.bars, prediction, theme)
    _write_small_print(setter, layout.small_print, frame, prediction, theme)
    return page


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


def _fractions(box, layout):
    return (
        box.left / layout.width,
        box.bottom / layout.height,
        box.width / layout.width,
        box.height / layout.height,
    )


def draw_image(axes, frame, rgb, part, theme):
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
    """
    _draw_pixels(axes, rgb, part, theme)
    orientation = sky_orientation(frame.ccd.wcs, frame.shape)
    if orientation is not None:
        add_scale_bar(axes, orientation)
        add_compass(axes, orientation)


def _draw_pixels(axes, rgb, part, theme):
    rows, columns = part
    extent = columns.start - 0.5, columns.stop - 0.5, rows.start - 0.5, rows.stop - 0.5
    axes.imshow(rgb, origin="lower", extent=extent, aspect="equal", interpolation="antialiased", resample=True)
    axes.set(xticks=[], yticks=[], facecolor=theme.page)
    for spine in axes.spines.values():
        spine.set(visible=True, color=theme.line, linewidth=1)


def _draw_before(axes, frame, part, theme, box):
    """Draw a part of a frame as it was read, and say so."""
    seen, norm = as_read(frame, part, tuple(round(side * _DPI) for side in (box.height, box.width)))
    image = colormaps["gray"].with_extremes(bad=theme.line)(norm(np.ma.masked_invalid(seen)))
    _draw_pixels(axes, image, part, theme)
    axes.set_aspect("auto")
    add_caption(axes, "as read")


def _write_heading(setter, box, frame, theme):
    title = clean(frame.facts.target) or clean(frame.origin.name)
    setter.write(title, box.left, box.top - 0.27, 26, theme.ink, face=BOLD, room=box.width, smallest=18)
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

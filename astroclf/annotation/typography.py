# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Text that fits: placed in inches, shrunk or elided to its width, never read as mathematics."""

from functools import cache
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.patches import FancyBboxPatch, Rectangle

from astroclf.annotation.theme import ON_MARK

__all__ = ["BOLD", "PLAIN", "SEPARATOR", "Typesetter", "font"]

PLAIN, BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
"""Fonts that come with matplotlib: the same page on every machine."""

SEPARATOR = "  \N{MIDDLE DOT}  "
"""Between phrases on one line."""

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_BREAKS = " _-.,;:+/"
_PADDING = 0.13


def font(face, size):
    """Return the properties of a bundled font, `PLAIN` or `BOLD`, at a size in points."""
    return FontProperties(fname=_path(face), size=size)


@cache
def _path(face):
    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", face))


@cache
def _has(face, character):
    return bool(get_font(_path(face)).get_char_index(ord(character)))


def _drawable(text, face):
    return "".join(c if _has(face, c) else "\N{REPLACEMENT CHARACTER}" for c in text)


class Typesetter:
    """
    Writes on a figure; all lengths are in inches from its lower left corner.

    Parameters
    ----------
    figure : `~matplotlib.figure.Figure`
        The page.
    """

    def __init__(self, figure):
        self._figure = figure
        self._renderer = FigureCanvasAgg(figure).get_renderer()
        self._inches = figure.dpi_scale_trans

    def write(self, text, x, baseline, size, color, *, face=PLAIN, align="left", room=None, smallest=None, cut=1.0):
        """
        Write one line.

        Parameters
        ----------
        text : str
            The line; characters the font lacks are replaced by U+FFFD.
        x, baseline : float
            Where it starts or, aligned right, ends.
        size : float
            Font size in points.
        color : str
            Its colour.
        face : str, optional
            `PLAIN` or `BOLD`.
        align : {'left', 'right'}, optional
            Side on which ``x`` is.
        room : float, optional
            Width it must not exceed: it is shrunk, then elided.
        smallest : float, optional
            Size below which it is elided rather than shrunk; by default ``size``.
        cut : float, optional
            Where an elided line is cut: 0 loses its beginning, 1 its end.

        Returns
        -------
        width : float
            Width of what was written.
        """
        text = _drawable(text, face)
        if room is not None:
            text, size = self._fit(text, size, smallest or size, face, room, cut)
        self._figure.text(
            x, baseline, text, color=color, fontproperties=font(face, size), ha=align, va="baseline",
            transform=self._inches, parse_math=False, usetex=False,
        )  # fmt: skip
        return self.measure(text, size, face)

    def measure(self, text, size, face=PLAIN):
        """Return the width of one line in inches."""
        text = _drawable(text, face)
        width, _, _ = self._renderer.get_text_width_height_descent(text, font(face, size), ismath=False)
        return width / self._figure.dpi

    def wrap(self, phrases, size, room, *, most, smallest):
        """
        Join phrases into lines that fit if they can; return lines and font size.

        They are a point smaller if that saves a line, and smaller yet to be no more than ``most`` lines.
        """
        phrases = [_drawable(phrase, PLAIN) for phrase in phrases]
        lines = self._join(phrases, size, room)
        shorter = self._join(phrases, size - 1, room)
        if len(shorter) < len(lines):
            lines, size = shorter, size - 1
        while len(lines) > most and size > smallest:
            size -= 1
            lines = self._join(phrases, size, room)
        kept, rest = lines[: most - 1], lines[most - 1 :]
        return kept + ([SEPARATOR.join(rest)] if rest else []), size

    def split(self, text, size, room, face=PLAIN):
        """Split a text in two lines, of which the first fits: after a space or a mark in a name if there is one."""
        head = len(text)
        while head > 1 and self.measure(text[:head].rstrip(), size, face) > room:
            head -= 1
        breaks = [n for n in range(head // 2, head) if text[n] in _BREAKS]
        head = breaks[-1] + 1 if breaks else head
        return text[:head].rstrip(), text[head:]

    def _join(self, phrases, size, room):
        lines = []
        for phrase in phrases:
            longer = f"{lines[-1]}{SEPARATOR}{phrase}" if lines else phrase
            if lines and self.measure(longer, size) <= room:
                lines[-1] = longer
            else:
                lines.append(phrase)
        return lines

    def badge(self, text, x, baseline, size, color):
        """Write one line on a rounded badge that starts at ``x``; return the width of the badge."""
        width = self.measure(text, size, BOLD) + 2 * _PADDING
        height = 1.75 * size / 72
        style = f"round,pad=0,rounding_size={height / 2}"
        bottom = baseline - (height - 0.73 * size / 72) / 2
        self._figure.add_artist(
            FancyBboxPatch((x, bottom), width, height, style, color=color, linewidth=0, transform=self._inches)
        )
        self.write(text, x + _PADDING, baseline, size, ON_MARK, face=BOLD)
        return width

    def rectangle(self, x, bottom, width, height, color):
        """Fill a rectangle."""
        self._figure.add_artist(Rectangle((x, bottom), width, height, color=color, linewidth=0, transform=self._inches))

    def _fit(self, text, size, smallest, face, room, cut):
        width = self.measure(text, size, face)
        if width > room:
            size = max(size * room / width * 0.99, smallest)
            while size > smallest and self.measure(text, size, face) > room:  # hinted, it is not in proportion to size
                size = max(size - 0.25, smallest)
            text = self._elide(text, size, face, room, cut)
        return text, size

    def _elide(self, text, size, face, room, cut):
        """Return the longest elision of a line that fits, by bisection."""
        fits, low, high = _ELLIPSIS, 0, len(text)
        if self.measure(text, size, face) <= room:
            return text
        while high - low > 1:
            middle = (low + high) // 2
            head = round(middle * cut)
            candidate = text[:head].rstrip() + _ELLIPSIS + text[len(text) - (middle - head) :].lstrip()
            if self.measure(candidate, size, face) <= room:
                fits, low = candidate, middle
            else:
                high = middle
        return fits

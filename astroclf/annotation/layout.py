# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where everything goes on the page, for an image of any aspect ratio; lengths are in inches."""

from dataclasses import dataclass, replace

__all__ = ["Box", "Layout", "arrange", "whole_pixels"]

_MARGIN = 0.4
_GUTTER = 0.5
_WIDEST_BESIDE = 2.0
"""Images wider than this many times their height have the text above and below instead of beside."""

_PANEL = 5.1
_HEADING, _VERDICT, _BARS, _SMALL_PRINT = 1.0, 1.5, 1.5, 1.04
_BLOCKS = _HEADING + _VERDICT + _BARS + _SMALL_PRINT
_SMALLEST_GAP = 0.32
_COLUMNS = 4.1, 3.6, 3.3
_BETWEEN, _NUMBERED_BETWEEN = 0.25, 0.9
_NUMBERS = 1.12, 0.63
"""Room for the numbers of axes, left of images and below; with them, too, a square image makes a page of 16:9."""

_GIVE = 24
"""Pixels by which an image may be shorter, to have the better aspect ratio in whole pixels."""


@dataclass(frozen=True)
class Box:
    """
    A rectangle on the page.

    Parameters
    ----------
    left, bottom, width, height : float
        In inches from the lower left corner of the page.
    """

    left: float
    bottom: float
    width: float
    height: float

    @property
    def top(self):
        """Upper edge."""
        return self.bottom + self.height

    @property
    def right(self):
        """Right edge."""
        return self.left + self.width


@dataclass(frozen=True)
class Layout:
    """
    The page and the boxes on it; no two of them overlap.

    Parameters
    ----------
    width, height : float
        Size of the page.
    image, heading, verdict, bars, small_print : Box
        Where the parts go.
    before : Box, optional
        Where the image of the frame as it was read goes: of the size of the other, beside it or above.
    """

    width: float
    height: float
    image: Box
    heading: Box
    verdict: Box
    bars: Box
    small_print: Box
    before: Box | None = None


def arrange(aspect, *, before=False, axes=False):
    """
    Lay out a page.

    Parameters
    ----------
    aspect : float
        Width of the image over its height.
    before : bool, optional
        Whether there is a second image, of the frame as it was read.
    axes : bool, optional
        Whether there are numbers left of the images and below.

    Returns
    -------
    layout : Layout
        A square image makes a page of 16:9.
    """
    stacked, room = aspect > _WIDEST_BESIDE, _NUMBERS if axes else (0, 0)
    layout = _stacked(aspect, *room) if stacked else _beside(aspect, *room)
    between = _NUMBERED_BETWEEN if axes and not stacked else _BETWEEN
    return _with_before(layout, stacked, between) if before else layout


def _with_before(layout, stacked, between):
    """Make room for a second image: above the other where the text is below it, else left of it."""
    image = layout.image
    if stacked:
        up = image.height + between
        heading = replace(layout.heading, bottom=layout.heading.bottom + up)
        before = replace(image, bottom=image.bottom + up)
        return replace(layout, height=layout.height + up, heading=heading, before=before)
    aside = image.width + between
    moved = {name: getattr(layout, name) for name in ("image", "heading", "verdict", "bars", "small_print")}
    moved = {name: replace(box, left=box.left + aside) for name, box in moved.items()}
    return replace(layout, width=layout.width + aside, before=image, **moved)


def whole_pixels(box, aspect, dpi):
    """
    Return where in a box an image goes, so that its edges are those of pixels.

    Parameters
    ----------
    box : Box
        Where there is room.
    aspect : float
        Width of the image over its height.
    dpi : float
        Pixels of the page to an inch.

    Returns
    -------
    box : Box
        In the middle of the other. Of the longest sides that fit, it has that for which the other is nearest to a
        whole number of pixels.
    """
    ratio = max(aspect, 1 / aspect)
    room = box.width, box.height
    longer, shorter = (side * dpi + 1e-6 for side in (room if aspect >= 1 else room[::-1]))
    longest = max(int(min(longer, shorter * ratio)), 1)
    length = min(range(longest, max(longest - _GIVE, 0), -1), key=lambda n: round(abs(n / ratio - round(n / ratio)), 3))
    sides = length, max(round(length / ratio), 1)
    width, height = sides if aspect >= 1 else sides[::-1]
    left = round((box.left + box.width / 2) * dpi - width / 2)
    bottom = round((box.bottom + box.height / 2) * dpi - height / 2)
    return Box(left / dpi, bottom / dpi, width / dpi, height / dpi)


def _beside(aspect, aside, below):
    """Image on the left, text on the right; ``aside`` and ``below`` the image there is room for numbers."""
    height = min(6.4, 8.6 / aspect)
    width = max(height * aspect, 0.8)
    body = max(height + below, _BLOCKS + 3 * _SMALLEST_GAP)
    left, top = _MARGIN + aside + width + _GUTTER, _MARGIN + body
    gap = (body - _BLOCKS) / 3
    verdict = top - _HEADING - gap - _VERDICT
    return Layout(
        width=left + _PANEL + _MARGIN,
        height=body + 2 * _MARGIN,
        image=Box(_MARGIN + aside, _MARGIN + (body + below - height) / 2, width, height),
        heading=Box(left, top - _HEADING, _PANEL, _HEADING),
        verdict=Box(left, verdict, _PANEL, _VERDICT),
        bars=Box(left, verdict - gap - _BARS, _PANEL, _BARS),
        small_print=Box(left, _MARGIN, _PANEL, _SMALL_PRINT),
    )


def _stacked(aspect, aside, below):
    """Heading above the image, the rest in three columns below; for ``aside`` and ``below`` see `_beside`."""
    width = sum(_COLUMNS) + 2 * _GUTTER
    height = max((width - aside) / aspect, 0.8)
    foot = max(_VERDICT, _BARS)
    lefts = [_MARGIN + sum(_COLUMNS[:n]) + n * _GUTTER for n in range(3)]
    image = Box(_MARGIN + aside, _MARGIN + foot + 0.35 + below, width - aside, height)
    heading = Box(_MARGIN, image.top + 0.15, width, 0.9)
    return Layout(
        width=width + 2 * _MARGIN,
        height=heading.top + _MARGIN,
        image=image,
        heading=heading,
        verdict=Box(lefts[0], _MARGIN + foot - _VERDICT, _COLUMNS[0], _VERDICT),
        bars=Box(lefts[1], _MARGIN + foot - _BARS, _COLUMNS[1], _BARS),
        small_print=Box(lefts[2], _MARGIN + foot - _SMALL_PRINT, _COLUMNS[2], _SMALL_PRINT),
    )

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where six panels go on a page as wide as two columns of a journal; lengths are in inches."""

from dataclasses import dataclass

from astroclf.annotation.layout import Box

__all__ = ["BODY", "LONGEST_RATIO", "Grid", "Panel", "arrange_panels"]

LONGEST_RATIO = 6.0
"""Images longer than this many times their shorter side are not drawn to scale."""

_WIDTH, _MARGIN = 7.1, 0.12
BODY = _WIDTH - 2 * _MARGIN
"""Width of the lines above and below the panels."""

_PANELS = 6
_ROW_LABELS, _GUTTER = 0.34, 0.3
_TALLEST = 3.0
_NARROW, _WIDE = 0.45, 1.9
"""Aspect ratios below which captions are beside the images, and above which two images are abreast instead of three."""

_TITLE, _COLUMN_LABELS, _CAPTION, _GAP = 0.2, 0.14, 0.5, 0.1
_CAPTION_BESIDE = 0.92
_HEADING, _FOOTER_GAP = 0.42, 0.06


@dataclass(frozen=True)
class Panel:
    """
    One panel.

    Parameters
    ----------
    slot : Box
        All of it: title, image and caption.
    image : Box
        The image.
    caption : Box
        What stands below the image and the numbers of its columns, or beside it.
    first : bool
        Whether it is the first of its row, and has the numbers of the image's rows to its left.
    """

    slot: Box
    image: Box
    caption: Box
    first: bool


@dataclass(frozen=True)
class Grid:
    """
    The page and what is on it; no two parts overlap.

    Parameters
    ----------
    width, height : float
        Size of the page.
    heading, footer : Box
        Lines above and below the panels.
    panels : tuple of Panel
        In the order they are read.
    """

    width: float
    height: float
    heading: Box
    footer: Box
    panels: tuple[Panel, ...]


def arrange_panels(aspect, footer):
    """
    Lay out a page of six panels.

    Parameters
    ----------
    aspect : float
        Width over height of the image that all panels show, from 1 / `LONGEST_RATIO` to `LONGEST_RATIO`.
    footer : float
        Height of the lines below the panels.

    Returns
    -------
    grid : Grid
        The page.
    """
    abreast = 2 if aspect > _WIDE else 3
    rows = _PANELS // abreast
    slot_width = (BODY - _ROW_LABELS - (abreast - 1) * _GUTTER) / abreast
    room = slot_width - _CAPTION_BESIDE if aspect < _NARROW else slot_width
    height = min(room / aspect, _TALLEST)
    below = _COLUMN_LABELS + (0 if aspect < _NARROW else _CAPTION)
    slot_height = _TITLE + height + below
    bottom = _MARGIN + footer + _FOOTER_GAP
    total = bottom + rows * slot_height + (rows - 1) * _GAP + _HEADING + _MARGIN
    panels = []
    for n in range(_PANELS):
        row, column = divmod(n, abreast)
        left = _MARGIN + _ROW_LABELS + column * (slot_width + _GUTTER)
        slot = Box(left, bottom + (rows - 1 - row) * (slot_height + _GAP), slot_width, slot_height)
        panels.append(_panel(slot, min(height * aspect, room), height, aspect < _NARROW, column == 0))
    return Grid(
        width=_WIDTH,
        height=total,
        heading=Box(_MARGIN, total - _MARGIN - _HEADING, BODY, _HEADING),
        footer=Box(_MARGIN, _MARGIN, BODY, footer),
        panels=tuple(panels),
    )


def _panel(slot, width, height, beside, first):
    """Return a panel whose image is at the left of its slot, below the title."""
    image = Box(slot.left, slot.top - _TITLE - height, width, height)
    if beside:
        left = image.right + 0.1
        caption = Box(left, image.bottom, slot.right - left, height)
    else:
        caption = Box(slot.left, slot.bottom, slot.width, _CAPTION)
    return Panel(slot, image, caption, first)

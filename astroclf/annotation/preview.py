# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A frame on its way to a picture, stage by stage, as one figure."""

import numpy as np

from astroclf import __version__
from astroclf.annotation.figure import Page, image_facts
from astroclf.annotation.grid import BODY, arrange_panels
from astroclf.annotation.levels import draw_levels
from astroclf.annotation.metadata import observation_avm
from astroclf.annotation.panels import CAPTION, LINE, SMALLEST, Sheet, drawn_aspect, pixel_ratio
from astroclf.annotation.scales import paragraph
from astroclf.annotation.shrinking import field_of_view
from astroclf.annotation.stages import draw_clean, draw_masks, draw_picture, draw_raw, draw_sky
from astroclf.annotation.theme import get_theme
from astroclf.annotation.typography import BOLD, SEPARATOR, Typesetter
from astroclf.annotation.words import clean, observation, size
from astroclf.model.record import load_record

__all__ = ["draw_preview"]

_DPI = 300
_NAME_ROOM = 0.66
_MOST_LINES = 3
_SMALL = 6.5


def draw_preview(stages, *, preprocessor=None, theme="light"):
    """
    Draw what each stage of the line made of a frame, in six panels.

    The frame as read; what was masked, replaced and filled; the sky and the pattern of the electronics; the image
    without them; the picture the network sees; and how its brightness follows from the levels. The page is as wide as
    two columns of a journal, 7.1 inches. Axes are in pixels of the frame, the first of which is 1, as in FITS.

    Parameters
    ----------
    stages : `~astroclf.preprocess.Stages`
        What `astroclf.Preprocessor.stages` returns. Headers and file name are shown, control characters removed.
    preprocessor : `~astroclf.Preprocessor`, optional
        The settings that made them: their digest is shown.
    theme : {'light', 'dark'}, optional
        Colours of the page.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The page, for `save_annotated` and for notebooks. It is not registered with pyplot, so it needs no closing and
        may be drawn in any thread.

    Raises
    ------
    ValueError
        If ``theme`` is not known.
    """
    colors = get_theme(theme)
    page = Page(dpi=_DPI, facecolor=colors.page, layout="none")
    setter = Typesetter(page)
    view = field_of_view(stages.frame.shape, stages.part)
    struck = _struck(stages)
    footer = _footer(setter, stages, preprocessor, view, np.count_nonzero(struck))
    grid = arrange_panels(drawn_aspect(view), LINE * sum(map(len, footer.values())))
    page.set_size_inches(grid.width, grid.height)
    page.avm = observation_avm(stages.frame) | {"Type": "Chart"}
    sheet = Sheet(page, setter, grid, view, colors)
    _write_heading(sheet, stages.frame)
    raw, masks, sky, cleaned, picture, levels = grid.panels
    draw_raw(sheet, raw, stages)
    draw_masks(sheet, masks, stages, struck)
    draw_sky(sheet, sky, stages)
    draw_clean(sheet, cleaned, stages)
    draw_picture(sheet, picture, stages, _picture_title(preprocessor))
    draw_levels(sheet, levels, stages, preprocessor)
    _write_footer(sheet, footer)
    return page


def _struck(stages):
    """Return where cosmic rays were replaced; comparing the images takes time, so only where they may differ."""
    if stages.clean is stages.frame:
        return np.broadcast_to(False, stages.frame.shape)
    return stages.struck


def _write_heading(sheet, frame):
    """Write target and observation at the left, file and image at the right."""
    box, muted, write = sheet.grid.heading, sheet.theme.muted, sheet.setter.write
    title, facts = box.top - 0.12, box.top - 0.27
    target, name = clean(frame.facts.target), clean(frame.origin.name)
    room = box.width
    if target:
        room -= 0.2 + write(name, box.right, title, _SMALL, muted, align="right", room=0.45 * box.width, cut=0.6)
    write(target or name, box.left, title, 9.5, sheet.theme.ink, face=BOLD, room=room, smallest=7, cut=0.8)
    image = write(image_facts(frame), box.right, facts, _SMALL, muted, align="right", room=0.45 * box.width)
    observed = SEPARATOR.join(observation(frame.facts))
    write(observed, box.left, facts, _SMALL, muted, room=box.width - 0.2 - image)


def _footer(setter, stages, preprocessor, view, struck):
    """Return the lines of the small print by name."""
    frame = stages.frame
    why = clean(frame.exposure)
    rays = f"looked for, {struck:,} pixels replaced: {why}" if frame.cosmic_rays else f"not looked for: {why}"
    texts = {
        "reader": "; ".join(map(clean, frame.steps)) or "pixels as they are in the file",
        "cosmic rays": rays,
        "reduction": _reduction(stages),
        "axes": _axes(view),
        "made by": _maker(preprocessor),
    }
    return {name: paragraph(setter, text, CAPTION, BODY - _NAME_ROOM, _MOST_LINES) for name, text in texts.items()}


def _picture_title(preprocessor):
    return "as the network sees it" if preprocessor == load_record().preprocessor else "picture"


def _reduction(stages):
    rows, columns = stages.part
    part = rows.stop - rows.start, columns.stop - columns.start
    where = f"the exposed part, columns {columns.start + 1} to {columns.stop} and rows {rows.start + 1} to {rows.stop},"
    exposed = "the whole frame" if part == stages.frame.shape else where
    verb = "averaged" if max(part) >= max(stages.flat.shape) else "enlarged"
    return (
        f"{exposed} {verb} to {size(stages.flat.shape)} pixels in c to f; "
        "gaps are filled from their neighbours, large ones with sky"
    )


def _axes(view):
    text = "pixels of the frame, the first is 1, as in FITS; row 1 is at the bottom"
    ratio = pixel_ratio(view)
    if ratio == 1:
        return text
    taller, factor = ("higher than wide", ratio) if ratio > 1 else ("wider than high", 1 / ratio)
    return f"{text}; not to scale: pixels are drawn {factor:.3g} times {taller}"


def _maker(preprocessor):
    if preprocessor is None:
        return f"astroclf {__version__}"
    stretch, background = preprocessor.stretch, preprocessor.background
    return (
        f"astroclf {__version__}, settings {preprocessor.digest}: background {background.model}, "
        f"stretch {stretch.curve}, interval {stretch.interval}"
    )


def _write_footer(sheet, footer):
    box, baseline = sheet.grid.footer, sheet.grid.footer.top - 0.09
    for name, lines in footer.items():
        sheet.setter.write(name, box.left, baseline, CAPTION, sheet.theme.ink)
        for line in lines:
            sheet.setter.write(
                line, box.left + _NAME_ROOM, baseline, CAPTION, sheet.theme.muted, room=box.width - _NAME_ROOM,
                smallest=SMALLEST,
            )  # fmt: skip
            baseline -= LINE

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The panels of a preview that are images: as read, masked, sky, without sky, picture."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import AsinhNorm, Normalize, to_rgb

from astroclf.annotation.overlay import add_compass, add_scale_bar
from astroclf.annotation.panels import pixel_ratio
from astroclf.annotation.raw import as_read
from astroclf.annotation.scales import number, round_levels, round_values, widened
from astroclf.annotation.shrinking import coverage
from astroclf.annotation.words import share, size, unit
from astroclf.frames.sky import sky_orientation

__all__ = ["draw_clean", "draw_masks", "draw_picture", "draw_raw", "draw_sky"]

_SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
_STRUCK, _MASKED_ON_DARK, _MASKED_ON_LIGHT = "#d55e00", "#56b4e9", "#0072b2"
"""Of the Okabe-Ito palette, told apart under every common colour blindness."""

_FAINTEST = 0.5
"""How much of its colour a mark has at least, however little of a dot it covers."""

_FLOOR, _LEAST_TOP, _TOP = -3.0, 15.0, 99.7
_KNEE = 2.0
_ZOOM = 0.45


def draw_raw(sheet, panel, stages):
    """
    Draw the frame as it was read, in a linear stretch; zscale sees its good pixels only.

    Parameters
    ----------
    sheet : `~astroclf.annotation.panels.Sheet`
        The page.
    panel : `~astroclf.annotation.grid.Panel`
        Where on it.
    stages : `~astroclf.preprocess.Stages`
        What to draw.
    """
    seen, norm = as_read(stages.frame, sheet.view, sheet.shape)
    cmap = colormaps["gray"].with_extremes(bad=sheet.theme.line)
    sheet.title(panel, "a", "as read", f"{size(stages.frame.shape)} px")
    sheet.image(panel, cmap(norm(np.ma.masked_invalid(seen))))
    text = ", ".join(filter(None, (unit(stages.frame), "linear, limits of zscale")))
    sheet.color_bar(panel.caption, cmap, norm, round_values(norm.vmin, norm.vmax, 4), [text])


def draw_masks(sheet, panel, stages, struck):
    """
    Draw what was replaced, left out and filled, each in its colour.

    Parameters
    ----------
    sheet, panel, stages
        As for `draw_raw`.
    struck : `~numpy.ndarray` of bool, shape of the frame
        Where cosmic rays were replaced.
    """
    page = np.array(to_rgb(sheet.theme.page))
    nothing = sheet.theme.bar
    masked_color = _MASKED_ON_LIGHT if page.mean() > 0.5 else _MASKED_ON_DARK
    masked = coverage(~stages.frame.good[sheet.view], sheet.shape)
    gap = _no_data(stages, sheet.view, masked.shape)
    image = np.tile(0.94 * page + 0.06 * np.array(to_rgb(nothing)), (*masked.shape, 1))
    _mark(image, np.where(gap, 0, masked), masked_color)
    _mark(image, np.where(gap, masked, 0), nothing)
    _mark(image, coverage(struck[sheet.view], sheet.shape), _STRUCK)
    sheet.title(panel, "b", "replaced, masked, filled")
    sheet.image(panel, image)
    texts = _legend(stages, np.count_nonzero(struck), stages.part != sheet.view)
    sheet.caption(panel.caption, texts, swatches=(_STRUCK, masked_color, nothing))


def draw_sky(sheet, panel, stages):
    """
    Draw what was subtracted: the model of the sky, and the pattern of the electronics if there is one.

    Parameters
    ----------
    sheet, panel, stages
        As for `draw_raw`.
    """
    sky = stages.sky.on(stages.reduced.shape)
    model, striped = sky + stages.pattern, np.ptp(stages.pattern) > 0
    norm, cmap = Normalize(*widened(model.min(), model.max(), stages.sky.sigma)), colormaps["viridis"]
    sheet.title(panel, "c", "sky and pattern" if striped else "sky")
    sheet.image(panel, cmap(norm(model)), stages.part)
    name = f" {unit(stages.frame)}".rstrip()
    shape = f", {_shape(stages.sky.knots)} {number(np.ptp(sky))}" if np.ptp(sky) > 0 else ", flat"
    pattern = f", pattern {number(np.ptp(stages.pattern))}" if striped else ""
    texts = [
        f"level {number(sky.mean(), 4)}{name}{shape}",
        f"noise {_SIGMA} {number(stages.sky.sigma)}{name}{pattern}",
    ]
    sheet.color_bar(panel.caption, cmap, norm, round_values(norm.vmin, norm.vmax, 4), texts)


def draw_clean(sheet, panel, stages):
    """
    Draw the reduced image without its sky, in units of the noise; in its own where there is none.

    Parameters
    ----------
    sheet, panel, stages
        As for `draw_raw`.
    """
    sigma = stages.sky.sigma
    values = stages.flat / (sigma or 1)
    top = np.percentile(values, _TOP)
    low, top = (_FLOOR, max(float(top), _LEAST_TOP)) if sigma else widened(values.min(), top)
    norm = AsinhNorm(_KNEE if sigma else (top - low) / 10, vmin=low, vmax=top)
    cmap = colormaps["magma"]
    sheet.title(panel, "d", "sky subtracted", f"{size(stages.flat.shape)} px")
    sheet.image(panel, cmap(norm(np.clip(values, low, top))), stages.part)
    texts = [f"above the sky in {_SIGMA if sigma else unit(stages.frame) or 'its unit'}, asinh scale; gaps filled"]
    sheet.color_bar(panel.caption, cmap, norm, round_levels(low, top), texts)


def draw_picture(sheet, panel, stages, title):
    """
    Draw the picture, with scale bar and compass where known.

    Parameters
    ----------
    sheet, panel, stages
        As for `draw_raw`.
    title : str
        What it is.
    """
    sheet.title(panel, "e", title, f"{size(stages.rgb.shape)} px")
    axes = sheet.image(panel, stages.rgb, stages.part)
    orientation = sky_orientation(stages.frame.ccd.wcs, stages.frame.shape)
    if orientation is not None and pixel_ratio(sheet.view) == 1:
        add_scale_bar(axes, orientation, zoom=_ZOOM)
        add_compass(axes, orientation, zoom=_ZOOM)
    grey = (stages.rgb == stages.rgb[..., :1]).all()
    three = "one filter, three stretches: R shows what is faint, B what is bright"
    lifted = np.count_nonzero(stages.picture != stages.flat)
    stars = f"{lifted:,} pixels lifted to keep small stars" if lifted else "no pixel lifted to keep a small star"
    sheet.caption(panel.caption, ["one stretch, in grey" if grey else three, stars])


def _mark(image, covered, color):
    """Colour an image in place where something is covered, more where it is more so."""
    weight = np.where(covered > 0, np.maximum(np.sqrt(np.clip(covered, 0, 1)), _FAINTEST), 0)[..., None]
    image += (np.array(to_rgb(color)) - image) * weight


def _no_data(stages, view, shape):
    """Return where a panel shows what the reduced image has no data of: gaps, and all outside the exposed part."""
    inside = []
    for side, part, new, old in zip(view, stages.part, shape, stages.empty.shape):
        pixel = side.start + (np.arange(new) + 0.5) * (side.stop - side.start) / new
        inside.append(np.floor((pixel - part.start) * old / (part.stop - part.start)).astype(int))
    rows, columns = (np.clip(index, 0, n - 1) for index, n in zip(inside, stages.empty.shape))
    outside = [(index < 0) | (index >= n) for index, n in zip(inside, stages.empty.shape)]
    return stages.empty[rows][:, columns] | outside[0][:, None] | outside[1]


def _shape(knots):
    """Return the word for what makes a model of the sky uneven."""
    bends = [np.abs(np.diff(knots, 2, axis=axis)).max() for axis in (0, 1) if knots.shape[axis] > 2]
    return "tilt" if max(bends, default=0) < 1e-3 * np.ptp(knots) else "range"


def _legend(stages, struck, outside):
    """Return what the colours mean, and how many pixels have them."""
    frame, empty = stages.frame, np.mean(stages.empty)
    filled = f"no data: {share(empty)} of the picture" if empty else "no data: none of the picture"
    return (
        f"cosmic rays: {_count(struck, frame)}" if frame.cosmic_rays else "cosmic rays: not looked for",
        f"masked: {_count(np.count_nonzero(~frame.good), frame)}",
        f"{filled}{', all outside' if outside else ''}",
    )


def _count(pixels, frame):
    return f"{pixels:,} ({share(pixels / frame.ccd.data.size)})" if pixels else "none"

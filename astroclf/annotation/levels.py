# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The panel of a preview that says how bright each level is drawn."""

import numpy as np

from astroclf.annotation.layout import Box
from astroclf.annotation.panels import CAPTION, LINE, SMALLEST
from astroclf.annotation.scales import number, power, round_levels, widened, write_column, write_row
from astroclf.annotation.words import unit
from astroclf.render import to_rgb

__all__ = ["draw_levels"]

_CHANNELS = {"R": "#d55e00", "G": "#009e73", "B": "#56b4e9"}
"""Of the Okabe-Ito palette: red and green that everybody can tell apart."""

_WIDTHS = 1.9, 1.3, 0.7
"""Of the lines, so that those below show where they are the same."""

_BINS, _POINTS = 72, 400
_KNEE = 2.0
_LOWEST = 0.01
_HEADROOM = 1.04
_WHITE = 1 - 1e-6
_HALVINGS = 60
_LARGEST = 1e38


def draw_levels(sheet, panel, stages, preprocessor=None):
    """
    Draw the histogram of the picture's levels above the sky, and how bright each channel draws them.

    Parameters
    ----------
    sheet : `~astroclf.annotation.panels.Sheet`
        The page.
    panel : `~astroclf.annotation.grid.Panel`
        Where on it.
    stages : `~astroclf.preprocess.Stages`
        What to draw.
    preprocessor : `~astroclf.Preprocessor`, optional
        The settings that made them, for exact curves; without them, they are taken from the picture.
    """
    sigma = float(stages.sky.sigma) or 1.0
    levels, curves = (stages.picture / sigma).ravel(), _curves(stages, preprocessor, sigma)
    black, whites = curves[0][1], {name: white for name, (_, _, white) in zip(_CHANNELS, curves)}
    knee = _KNEE if stages.sky.sigma else widened(levels.min(), levels.max())[1] / 10
    top = max([levels.max(), *filter(np.isfinite, whites.values())])
    low, high = widened(np.percentile(levels, _LOWEST), top, knee)
    box = _box(panel)
    axes = sheet.axes(box)
    axes.set(xlim=np.arcsinh([low / knee, high / knee]), ylim=(0, _HEADROOM))
    sheet.title(panel, "f", "levels and stretches")
    _draw_histogram(sheet, axes, box, np.arcsinh(levels / knee))
    places = np.linspace(*axes.get_xlim(), _POINTS)
    for (curve, _, _), color, width in zip(curves, _CHANNELS.values(), _WIDTHS):
        axes.plot(places, curve(knee * np.sinh(places)), color=color, linewidth=width, linestyle="-")
    ticks = round_levels(low, high)
    places = np.arcsinh(ticks / knee) - axes.get_xlim()[0]
    places = box.left + box.width * places / np.ptp(axes.get_xlim())
    write_row(sheet.setter, ticks, places, box.left - 0.1, box.right + 0.1, box.bottom - 0.115, sheet.theme.muted)
    name = "\N{GREEK SMALL LETTER SIGMA}" if stages.sky.sigma else unit(stages.frame) or "its unit"
    _write_caption(sheet, panel, box, name, black, whites)


def _box(panel):
    """Return the box of the axes: as high as the images, but no higher than looks well."""
    slot, height = panel.slot, min(panel.image.height, 0.8 * panel.slot.width)
    return Box(slot.left, panel.image.top - height, slot.width, height)


def _curves(stages, preprocessor, sigma):
    """Return brightness as a function of level, and the levels that are black and white, of each channel."""
    if preprocessor is not None:
        scales = preprocessor.stretch.scales(stages.picture, stages.sky.sigma)
        if np.array_equal(to_rgb(stages.picture, scales), stages.rgb):
            return [_exact(scale, sigma, float(stages.picture.max())) for scale in scales]
    levels = (stages.picture / sigma).ravel()
    order = np.argsort(levels, kind="stable")
    return [_seen(levels[order], stages.rgb[..., n].ravel()[order]) for n in range(len(_CHANNELS))]


def _exact(scale, sigma, top):
    """Return a curve and its ends, by bisection."""

    def curve(levels):
        return np.clip(scale(np.asarray(levels, float) * sigma), 0, 1)

    bound = max(abs(top) / sigma, 1.0)
    while (curve([-bound])[0] > 0 or curve([bound])[0] < _WHITE) and bound * sigma < _LARGEST:
        bound *= 2
    return curve, _bisect(curve, -bound, bound, 1 - _WHITE), _bisect(curve, -bound, bound, _WHITE)


def _bisect(curve, low, high, brightness):
    """Return the level between two at which a rising curve reaches a brightness."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if curve([middle])[0] >= brightness else (middle, high)
    return high


def _seen(levels, channel):
    """Return a curve through what is in the picture, and its ends; infinite where nothing is black or white."""

    def curve(at):
        return np.interp(at, levels, channel)

    dark, bright = np.flatnonzero(channel <= 0), np.flatnonzero(channel >= _WHITE)
    return curve, levels[dark[-1]] if dark.size else -np.inf, levels[bright[0]] if bright.size else np.inf


def _draw_histogram(sheet, axes, box, places):
    """Draw how many pixels have which level, on a logarithmic scale with its decades numbered."""
    counts, edges = np.histogram(np.clip(places, *axes.get_xlim()), _BINS, axes.get_xlim())
    top = np.log10(2 * counts.max())
    axes.stairs(np.log10(np.maximum(2 * counts, 1)) / top, edges, fill=True, color=sheet.theme.line, linewidth=0)
    decades = np.arange(int(np.log10(counts.max())) + 1)
    heights = (decades + np.log10(2)) / top
    axes.set_yticks(heights)
    axes.tick_params(
        axis="y", which="major", length=2, width=0.5, color=sheet.theme.muted, direction="out", left=True,
        right=False, labelleft=False, labelright=False,
    )  # fmt: skip
    labels = [f"10{power(decade)}" for decade in decades]
    write_column(
        sheet.setter, labels, box.bottom + box.height * heights / _HEADROOM, box.left - 0.05, sheet.theme.muted
    )


def _write_caption(sheet, panel, axes, name, black, whites):
    """Write what is drawn, and which levels are black and white, with the colours of the lines."""
    below = panel.slot.bottom
    box = Box(axes.left, below, axes.width, axes.bottom - 0.14 - below)
    dark = f"black at {number(black)}" if np.isfinite(black) else "nothing black"
    sheet.caption(box, [f"above the sky in {name}; bars: pixels of e", f"lines: brightness; {dark}, white at"])
    top, room = box.top - 2 * LINE, box.width / len(whites)
    for n, (channel, white) in enumerate(whites.items()):
        left = box.left + n * room
        sheet.setter.rectangle(left, top - 0.095, 0.075, 0.075, _CHANNELS[channel])
        digits = 3 if 1e-4 < abs(white) < 1e5 else 2
        text = f"{channel} {number(white, digits) if np.isfinite(white) else 'beyond'}"
        sheet.setter.write(
            text, left + 0.12, top - 0.09, CAPTION, sheet.theme.muted, room=room - 0.18, smallest=SMALLEST
        )

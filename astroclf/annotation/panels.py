# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The page of a preview and what its panels are made of: images, titles, captions, colour bars."""

from dataclasses import dataclass

import numpy as np

from astroclf.annotation.figure import Page
from astroclf.annotation.grid import LONGEST_RATIO, Grid
from astroclf.annotation.scales import SIZE, paragraph, round_values, write_column, write_row
from astroclf.annotation.theme import Theme
from astroclf.annotation.typography import BOLD, Typesetter

__all__ = ["CAPTION", "LINE", "SMALLEST", "Sheet", "drawn_aspect", "pixel_ratio"]

CAPTION, SMALLEST = 6.3, 5.2
"""Font size of captions and the least to which one is shrunk, in points."""

LINE = 0.108
"""Distance of the lines of a caption, in inches."""

_TITLE, _LETTER = 7.5, 8.5
_BAR, _BAR_NUMBERS = 0.06, 0.17
_TICK = 2.0


def drawn_aspect(view):
    """Return width over height of the image of a part of a frame, as it is drawn: no longer than it may be."""
    height, width = (side.stop - side.start for side in view)
    return float(np.clip(width / height, 1 / LONGEST_RATIO, LONGEST_RATIO))


def pixel_ratio(view):
    """Return how many times higher than wide the pixels of a part of a frame are drawn: 1 unless it is very long."""
    height, width = (side.stop - side.start for side in view)
    return width / height / drawn_aspect(view)


@dataclass(frozen=True)
class Sheet:
    """
    A page with panels.

    Parameters
    ----------
    page : `~astroclf.annotation.figure.Page`
        The figure.
    setter : `~astroclf.annotation.typography.Typesetter`
        Writes on it.
    grid : `~astroclf.annotation.grid.Grid`
        Where the panels are.
    view : tuple of slice
        Rows and columns of the frame that every image shows.
    theme : `~astroclf.annotation.theme.Theme`
        Colours.
    """

    page: Page
    setter: Typesetter
    grid: Grid
    view: tuple[slice, slice]
    theme: Theme

    @property
    def shape(self):
        """Shape (ny, nx) in which an image fills a panel, dot by dot."""
        image = self.grid.panels[0].image
        return tuple(max(round(side * self.page.dpi), 1) for side in (image.height, image.width))

    def title(self, panel, letter, text, note=""):
        """Write letter and title above a panel, and a note at its right."""
        slot = panel.slot
        baseline = slot.top - 0.12
        room = slot.width
        if note:
            room -= self.setter.write(note, slot.right, baseline, SIZE, self.theme.muted, align="right") + 0.06
        start = self.setter.write(letter, slot.left, baseline, _LETTER, self.theme.ink, face=BOLD) + 0.07
        self.setter.write(
            text, slot.left + start, baseline, _TITLE, self.theme.ink, room=room - start, smallest=SMALLEST
        )

    def axes(self, box):
        """Add axes that fill a box, with a thin frame and nothing else, whatever the user's settings are."""
        grid = self.grid
        axes = self.page.add_axes(
            (box.left / grid.width, box.bottom / grid.height, box.width / grid.width, box.height / grid.height)
        )
        axes.minorticks_off()
        axes.grid(False)
        axes.set(xticks=[], yticks=[], facecolor=self.theme.page)
        for spine in axes.spines.values():
            spine.set(visible=True, color=self.theme.muted, linewidth=0.5)
        return axes

    def image(self, panel, rgb, part=None):
        """
        Draw an image of a part of the frame, by default of all that is shown, and number its pixels.

        Parameters
        ----------
        panel : `~astroclf.annotation.grid.Panel`
            Where.
        rgb : `~numpy.ndarray`, shape (ny, nx, 3 or 4)
            The image, row 0 at the bottom.
        part : tuple of slice, optional
            Rows and columns of the frame that it shows.

        Returns
        -------
        axes : `~matplotlib.axes.Axes`
            In pixels of the frame, the first of which is 0.
        """
        axes = self.axes(panel.image)
        rows, columns = self.view if part is None else part
        extent = columns.start - 0.5, columns.stop - 0.5, rows.start - 0.5, rows.stop - 0.5
        axes.imshow(rgb, origin="lower", extent=extent, aspect="auto", interpolation="antialiased", resample=True)
        rows, columns = self.view
        axes.set(xlim=(columns.start - 0.5, columns.stop - 0.5), ylim=(rows.start - 0.5, rows.stop - 0.5))
        self._number_pixels(panel, axes)
        return axes

    def _number_pixels(self, panel, axes):
        """Write the numbers of rows and columns, counted from 1."""
        box, color = panel.image, self.theme.muted
        rows, columns = (
            round_values(side.start + 1, side.stop, min(int(length / 0.35), 5), integer=True)
            for side, length in zip(self.view, (box.height, box.width))
        )
        axes.set(xticks=columns - 1, yticks=rows - 1)
        axes.tick_params(
            which="major", length=_TICK, width=0.5, color=color, direction="out", bottom=True, left=True, top=False,
            right=False, labelbottom=False, labelleft=False, labeltop=False, labelright=False,
        )  # fmt: skip
        x = box.left + box.width * _fraction(columns, self.view[1])
        write_row(self.setter, columns, x, box.left - 0.1, panel.slot.right + 0.1, box.bottom - 0.115, color)
        if panel.first:
            y = box.bottom + box.height * _fraction(rows, self.view[0])
            write_column(self.setter, [f"{row:.0f}" for row in rows], y, box.left - 0.05, color)

    def color_bar(self, box, cmap, norm, ticks, texts):
        """Draw a colour bar at the top of a caption, its numbers, and lines of text below."""
        bar = type(box)(box.left, box.top - _BAR - 0.02, box.width, _BAR)
        axes = self.axes(bar)
        axes.imshow(cmap(np.linspace(0, 1, 256))[None], aspect="auto", extent=(0, 1, 0, 1))
        axes.set(xlim=(0, 1), ylim=(0, 1))
        places = bar.left + bar.width * np.asarray(norm(np.asarray(ticks, float)), float)
        left, right, baseline = box.left - 0.05, box.right + 0.05, bar.bottom - 0.1
        for place in write_row(self.setter, ticks, places, left, right, baseline, self.theme.ink):
            axes.axvline((place - bar.left) / bar.width, color=self.theme.page, linewidth=0.5, linestyle="-")
        self.caption(box, texts, top=box.top - _BAR - _BAR_NUMBERS + 0.03)

    def caption(self, box, texts, *, top=None, swatches=()):
        """Write lines of text in a box, each with a coloured square before it if there are swatches."""
        top = box.top if top is None else top
        lines = max(round((top - box.bottom) / LINE), 1)
        indent = 0.13 if swatches else 0
        for n, text in enumerate(texts):
            if swatches:
                self.setter.rectangle(box.left, top - 0.095, 0.075, 0.075, swatches[n])
            most = max(lines - (len(texts) - 1 - n), 1)
            for line in paragraph(self.setter, text, CAPTION, box.width - indent, most):
                self.setter.write(
                    line, box.left + indent, top - 0.09, CAPTION, self.theme.muted, room=box.width - indent,
                    smallest=SMALLEST,
                )  # fmt: skip
                top, lines = top - LINE, lines - 1


def _fraction(pixels, side):
    """Return where pixels, counted from 1, are along a side of the view: 0 to 1."""
    return (pixels - 1 - side.start + 0.5) / (side.stop - side.start)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Statuses in the colours of the annotated pictures, where a terminal shows colours; what they mean is in words."""

import os
import sys

__all__ = ["paint", "paint_status", "shows_colors"]

_LEVELS = 0, 95, 135, 175, 215, 255
"""Of red, green and blue in the cube of 6 x 6 x 6 colours, which begins with color 16 of 256."""

_ALIKE = {"SAME": "OK", "MISSING": "UNCERTAIN", "WRONG": "LOWQUAL", "DIFFERENT": "LOWQUAL", "ERROR": "LOWQUAL"}
"""Results that have the colour of a status."""


def shows_colors(stream):
    """
    Tell whether text may be coloured; see https://no-color.org.

    Parameters
    ----------
    stream : file object
        Where the text goes.

    Returns
    -------
    colors : bool
        Never if the environment has NO_COLOR, else always if it has FORCE_COLOR; without them on a terminal that
        is not dumb. On Windows only the Windows Terminal is known to show colours.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    known = sys.platform != "win32" or "WT_SESSION" in os.environ
    return known and os.environ.get("TERM") != "dumb" and stream.isatty()


def paint(text, status):
    """
    Put text on the colour of a status, for stdout.

    Parameters
    ----------
    text : str
        The text.
    status : str
        A status of a prediction, or what became of a file.

    Returns
    -------
    text : str
        The same where stdout shows no colours, or the status has none.
    """
    if not shows_colors(sys.stdout):
        return text
    from astroclf.annotation.theme import MARKS, ON_MARK

    mark = MARKS.get(_ALIKE.get(status, status))
    return text if mark is None else f"\x1b[38;5;{_index(ON_MARK)};48;5;{_index(mark.color)}m{text}\x1b[0m"


def paint_status(text, status):
    """
    Paint the status in the text of a verdict.

    Parameters
    ----------
    text : str
        The verdict in words, its status in square brackets.
    status : str or None
        The status; None for text without one.

    Returns
    -------
    text : str
        As of `paint`.
    """
    return text.replace(f"[{status}]", paint(f"[{status}]", status), 1)


def _index(color):
    """Return the nearest of the 256 colours of terminals to one given as ``#rrggbb``."""
    channels = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    red, green, blue = (min(range(6), key=lambda level: abs(_LEVELS[level] - value)) for value in channels)
    return 16 + 36 * red + 6 * green + blue

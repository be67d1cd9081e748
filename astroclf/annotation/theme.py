# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Colours of the page, and the sign, colour and sentence of each status."""

from dataclasses import dataclass

from astroclf.prediction import Status
from astroclf.taxonomy import group_or_self

__all__ = ["MARKS", "ON_MARK", "Mark", "Theme", "get_theme", "supports"]

ON_MARK = "#0b0e13"
"""Colour of text on that of a status."""


@dataclass(frozen=True)
class Theme:
    """
    Colours of a page, as ``#rrggbb``.

    Parameters
    ----------
    page : str
        Background.
    ink, muted : str
        Text, and text that is read second.
    line : str
        Rules, frames and the empty part of bars.
    bar : str
        Bars of the classes that are not part of the verdict.
    """

    page: str
    ink: str
    muted: str
    line: str
    bar: str


_THEMES = {
    "dark": Theme(page="#0f131a", ink="#f2f4f8", muted="#a3adbd", line="#2b3442", bar="#7d8aa0"),
    "light": Theme(page="#ffffff", ink="#161b24", muted="#566070", line="#dfe3ea", bar="#8e99ab"),
}


def get_theme(name):
    """
    Return the colours of a named theme.

    Parameters
    ----------
    name : str
        ``dark`` or ``light``.

    Returns
    -------
    theme : Theme
        Its colours.

    Raises
    ------
    ValueError
        If there is no such theme.
    """
    if name not in _THEMES:
        msg = f"theme must be one of {', '.join(_THEMES)}; got {name!r}"
        raise ValueError(msg)
    return _THEMES[name]


@dataclass(frozen=True)
class Mark:
    """
    How a status is shown; colour is never the only cue.

    Parameters
    ----------
    sign : str
        One character.
    color : str
        From the Okabe-Ito palette, told apart under every common colour blindness.
    reason : str
        What the status means, as a phrase.
    """

    sign: str
    color: str
    reason: str


MARKS = {
    Status.OK: Mark("\N{CHECK MARK}", "#009e73", "sure of the class"),
    Status.GROUP: Mark("\N{ALMOST EQUAL TO}", "#56b4e9", "sure of the group, not of the class"),
    Status.UNCERTAIN: Mark("?", "#e69f00", "sure of neither class nor group"),
    Status.NOVEL: Mark("\N{BLACK FOUR POINTED STAR}", "#cc79a7", "unlike the training data"),
    Status.LOWQUAL: Mark("\N{MULTIPLICATION X}", "#d55e00", "too many bad pixels"),
}
"""How each status is shown."""


def supports(prediction, label):
    """Tell whether a class is the verdict or a part of it, so that it has the colour of the status."""
    if prediction.status is Status.GROUP:
        return group_or_self(label) == prediction.group
    return prediction.status is Status.OK and label == prediction.label

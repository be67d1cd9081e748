# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What people said of a file: the label that holds, and the earlier ones in HISTORY."""

import getpass
import re
from dataclasses import dataclass, replace

from astropy.io import fits

from astroclf.exceptions import TagError
from astroclf.tags.cards import CARD, card_value, keyword_of, printable
from astroclf.tags.keywords import is_label, iso_date, make_card
from astroclf.taxonomy import labels

__all__ = ["HumanLabel", "Labels", "checked_label", "login_name", "new_label"]

_FIRST, _MORE = "astroclf label: ", "astroclf label+ "
_START = len("HISTORY ") + len(_FIRST)
_ROOM = CARD - _START
_UNKNOWN = "?"
_LINE = re.compile(r"(?P<label>.*?) by (?P<who>.*) (?P<date>\S+)")


@dataclass(frozen=True)
class HumanLabel:
    """
    A label that a person gave.

    Parameters
    ----------
    label : str
        The class.
    who : str or None
        Who gave it; None if unknown.
    date : str or None
        When: UTC, ISO 8601; None if unknown.
    """

    label: str
    who: str | None = None
    date: str | None = None

    def __str__(self):
        return f"{self.label} by {self.who or _UNKNOWN} {self.date or _UNKNOWN}"

    @classmethod
    def from_line(cls, line):
        """Read a label from the text that ``str`` makes of it; what is none is taken as the class alone."""
        found = _LINE.fullmatch(line)
        if not found:
            return cls(line)
        return cls(found["label"], *(None if found[key] == _UNKNOWN else found[key] for key in ("who", "date")))


@dataclass(frozen=True)
class Labels:
    """
    All labels that people gave to a file.

    Parameters
    ----------
    current : HumanLabel or None
        The one that holds.
    earlier : tuple of HumanLabel
        Those it replaced, and those taken back, oldest first.
    """

    current: HumanLabel | None = None
    earlier: tuple[HumanLabel, ...] = ()

    @classmethod
    def from_cards(cls, cards):
        """Read the labels among cards (bytes)."""
        lines, values = [], {}
        for card in filter(is_label, cards):
            if keyword_of(card) != "HISTORY":
                values.setdefault(keyword_of(card), card_value(card))
            elif lines and card[8:_START].decode("ascii") == _MORE:
                lines[-1] += card[_START:]
            else:
                lines.append(card[_START:])
        earlier = tuple(HumanLabel.from_line(line.decode("latin-1").rstrip()) for line in lines)
        return cls.from_values(values, earlier)

    @classmethod
    def from_values(cls, values, earlier=()):
        """Read the label that holds from values by keyword."""
        label, who, date = (_text(values.get(keyword)) for keyword in ("CLFHLAB", "CLFHWHO", "CLFHDATE"))
        return cls(HumanLabel(label, who, date) if label else None, earlier)

    def __bool__(self):
        return bool(self.current or self.earlier)

    def followed_by(self, new):
        """Return the labels once a new one holds, or none: the old one is kept, and one given again is the same."""
        old = self.current
        if new == old or (new and old and (new.label, new.who) == (old.label, old.who)):
            return self
        return replace(self, current=new, earlier=(*self.earlier, old) if old else self.earlier)

    def to_values(self):
        """Return the values by keyword of the label that holds."""
        if self.current is None:
            return {}
        values = {"CLFHLAB": self.current.label, "CLFHWHO": self.current.who, "CLFHDATE": self.current.date}
        return {keyword: value for keyword, value in values.items() if value is not None}

    def to_cards(self):
        """Return the cards: one HISTORY line for each earlier label, more where it is long, and the keywords."""
        lines = [card for label in self.earlier for card in _history(printable(str(label)))]
        return [*lines, *(make_card(name, value) for name, value in self.to_values().items())]


def new_label(label, by=None):
    """
    Make the label that a person gives now.

    Parameters
    ----------
    label : str
        A class of the taxonomy.
    by : str, optional
        Who gives it; the login name by default.

    Returns
    -------
    label : HumanLabel
        With the time of now.

    Raises
    ------
    TagError
        If the class is not of the taxonomy, or the name is unknown, blank or not printable ASCII.
    """
    who = login_name() if by is None else by
    if not who.strip() or printable(who) != who:
        msg = f"by={who!r} must be a name in printable ASCII, the only text a FITS header holds (--by)"
        raise TagError(msg)
    return HumanLabel(checked_label(label), " ".join(who.split()), iso_date())


def checked_label(label):
    """
    Check that a label is a class of the taxonomy.

    Parameters
    ----------
    label : str
        Any text.

    Returns
    -------
    label : str
        The same.

    Raises
    ------
    TagError
        If it is not.
    """
    if label not in labels():
        msg = f"label must be one of {', '.join(labels())}; got {label!r}"
        raise TagError(msg)
    return label


def login_name():
    """
    Return the name the user logged in with.

    Returns
    -------
    name : str
        The name.

    Raises
    ------
    TagError
        If the system knows none.
    """
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError) as error:
        msg = "the system knows no login name; say who gives the label with by= (--by)"
        raise TagError(msg) from error


def _history(line):
    """Return the HISTORY cards of a line; the first begins otherwise than those that go on."""
    parts = [line[start : start + _ROOM] for start in range(0, len(line), _ROOM)]
    return [fits.Card("HISTORY", (_MORE if n else _FIRST) + part) for n, part in enumerate(parts)]


def _text(value):
    """Return the value of a card as text; None if it has none."""
    return None if value is None or value == "" else str(value)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Header cards as the bytes they are.

A card is a `bytes` of 80, or of a multiple of 80 where a long string goes on in CONTINUE cards. Foreign
cards are carried as such and never parsed into objects that would format them anew.
"""

import re

__all__ = ["CARD", "END", "card_value", "join_cards", "keyword_of", "printable", "split_cards", "string_image"]

CARD = 80
"""Length of a card image in bytes."""

BLOCK = 2880
"""Length of a FITS block in bytes."""

END = b"END".ljust(CARD)
"""The card that ends a header."""

_GOES_ON = re.compile(rb"'(?:[^']|'')*&' *(?:/.*)?", re.DOTALL)
_STRING = re.compile(rb"'((?:[^']|'')*)'")
_STRING_ROOM, _PART_ROOM = 68, 67


def split_cards(header):
    """
    Split header bytes into cards, keeping long strings together.

    Parameters
    ----------
    header : bytes
        Card images without the END card; a length that is a multiple of 80.

    Returns
    -------
    cards : list of bytes
        Joined they are ``header``.
    """
    cards = []
    for start in range(0, len(header), CARD):
        image = header[start : start + CARD]
        if cards and image.startswith(b"CONTINUE  ") and _GOES_ON.fullmatch(cards[-1][-CARD + 10 :].strip()):
            cards[-1] += image
        else:
            cards.append(image)
    return cards


def join_cards(cards):
    """
    Make a header of cards: they, the END card, and blanks up to a whole block.

    Parameters
    ----------
    cards : iterable of bytes
        Card images.

    Returns
    -------
    header : bytes
        A length that is a multiple of 2880.
    """
    header = b"".join(cards) + END
    return header + b" " * (-len(header) % BLOCK)


def keyword_of(card):
    """
    Return the keyword of a card.

    Parameters
    ----------
    card : bytes
        Card image.

    Returns
    -------
    keyword : str
        Without trailing blanks.
    """
    return card[:8].decode("latin-1").rstrip()


def card_value(card):
    """
    Return the value of a card.

    Parameters
    ----------
    card : bytes
        Card image.

    Returns
    -------
    value : str, bool, int, float or None
        None where the card has no value, or none that follows the FITS standard. Strings are
        without their trailing blanks.
    """
    if card[8:10] != b"= ":
        return None
    text = card[10:CARD].strip()
    if text.startswith(b"'"):
        return _string_value(card)
    return _number(text.partition(b"/")[0].strip().decode("latin-1"))


def printable(text):
    """
    Escape what a FITS header cannot hold.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    text : str
        Printable ASCII; other characters are written as in a Python string.
    """
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode("ascii") for c in text)


def string_image(keyword, value, comment=""):
    r"""
    Format a string card.

    astropy splits a doubled quote between two CONTINUE cards, and then reads another string than was
    written; this does not.

    Parameters
    ----------
    keyword : str
        At most 8 characters.
    value : str
        Printable ASCII, of any length.
    comment : str, optional
        Comment; it must fit beside the value.

    Returns
    -------
    image : bytes
        One card, or several if the value is longer than 68 characters, quotes counted twice.
    """
    characters = [c.replace("'", "''") for c in value]
    prefix = f"{keyword:8}= "
    if sum(map(len, characters)) <= _STRING_ROOM:
        quoted = f"'{''.join(characters):8}'"
        text = f"{prefix}{quoted:20} / {comment}" if comment else prefix + quoted
        return text.ljust(CARD).encode("ascii")
    parts = [""]
    for character in characters:
        if len(parts[-1]) + len(character) > _PART_ROOM:
            parts.append("")
        parts[-1] += character
    ends = ["&"] * (len(parts) - 1) + [""]
    starts = [prefix] + ["CONTINUE  "] * (len(parts) - 1)
    lines = (f"{start}'{part}{end}'".ljust(CARD) for start, part, end in zip(starts, parts, ends))
    return "".join(lines).encode("ascii")


def _string_value(card):
    parts = []
    for start in range(0, len(card), CARD):
        found = _STRING.match(card[start + 10 : start + CARD].lstrip())
        if not found:
            return None
        parts.append(found[1])
    joined = b"".join(part.removesuffix(b"&") for part in parts[:-1]) + parts[-1]
    return joined.replace(b"''", b"'").decode("latin-1").rstrip()


def _number(text):
    if text in ("T", "F"):
        return text == "T"
    for kind in (int, float):
        try:
            return kind(text.replace("D", "E"))
        except ValueError:
            continue
    return None

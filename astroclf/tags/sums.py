# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Check the CHECKSUM and DATASUM cards of a file, and keep a right CHECKSUM right when cards change."""

import re
from dataclasses import dataclass

from astroclf.checksum import VALID, add, datasum, encode
from astroclf.tags.cards import join_cards

__all__ = ["Sums", "check_sums", "chunks", "same_sum", "seal", "sum_span"]

_CHUNK = 2**20
_CHECKSUM = re.compile(rb"CHECKSUM= *'([^']{16})'")
_ZEROS = b"0" * 16


@dataclass(frozen=True)
class Sums:
    """
    What the checksum cards of an HDU are worth.

    Parameters
    ----------
    data : int
        DATASUM of the data as stored.
    sealed : bool
        Whether there is a CHECKSUM and it is right.
    wrong : tuple of str
        Keywords that are there and wrong.
    """

    data: int
    sealed: bool
    wrong: tuple[str, ...]


def check_sums(stream, hdus):
    """
    Check all checksum cards of a file.

    Parameters
    ----------
    stream : binary file
        The FITS bytes.
    hdus : iterable of `~astroclf.tags.fitsfile.HDU`
        Its HDUs.

    Returns
    -------
    sums : dict of int to Sums
        By index of the HDU; those without such cards are left out. An empty value means "not
        known" and is not wrong.
    """
    return {hdu.index: _check(stream, hdu) for hdu in hdus if hdu.get("CHECKSUM") or hdu.get("DATASUM")}


def seal(cards, data):
    """
    Make the CHECKSUM among the cards right; nothing but its 16 characters changes.

    Parameters
    ----------
    cards : list of bytes
        Cards of a header, a CHECKSUM with 16 characters among them.
    data : int
        DATASUM of the data.

    Returns
    -------
    cards : list of bytes
        A new list.
    """
    index, found = next((i, match) for i, card in enumerate(cards) if (match := _CHECKSUM.match(card)))
    start, end = found.span(1)
    blank = cards[index][:start] + _ZEROS + cards[index][end:]
    total = datasum(join_cards([*cards[:index], blank, *cards[index + 1 :]]), previous=data)
    text = encode(total, offset=start).encode("ascii")
    return [*cards[:index], blank[:start] + text + blank[end:], *cards[index + 1 :]]


def chunks(stream, start, end):
    """
    Read a span of a file piece by piece.

    Parameters
    ----------
    stream : binary file
        Readable and seekable.
    start, end : int
        Offsets in bytes.

    Yields
    ------
    chunk : bytes
        At most 1 MiB; they end early where the file does.
    """
    stream.seek(start)
    while start < end and (chunk := stream.read(min(_CHUNK, end - start))):
        yield chunk
        start += len(chunk)


def sum_span(stream, start, end):
    """
    Add up a span of a file as DATASUM does, from the bytes as stored.

    Parameters
    ----------
    stream, start, end
        As for `chunks`.

    Returns
    -------
    total : int
        The sum.
    """
    total = 0
    for chunk in chunks(stream, start, end):
        total = datasum(chunk, previous=total)
    return total


def same_sum(one, other):
    """Compare two sums: zero and minus zero are the same."""
    return (one - other) % VALID == 0


def _check(stream, hdu):
    data, header = (sum_span(stream, start, end) for start, end in ((hdu.data, hdu.end), (hdu.start, hdu.data)))
    wrong = []
    sealed = any(map(_CHECKSUM.match, hdu.cards)) and add(header, data) == VALID
    if hdu.get("CHECKSUM") and not sealed:
        wrong.append("CHECKSUM")
    if hdu.get("DATASUM") and not _same(hdu.get("DATASUM"), data):
        wrong.append("DATASUM")
    return Sums(data, sealed, tuple(wrong))


def _same(text, total):
    """Compare a DATASUM card with a sum."""
    try:
        return same_sum(int(text), total)
    except ValueError:
        return False

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Where the headers and the data of a FITS file lie, in bytes; no pixel is decoded."""

import math
from dataclasses import dataclass, replace

from astroclf.exceptions import TagError
from astroclf.tags.cards import BLOCK, CARD, card_value, keyword_of, split_cards

__all__ = ["HDU", "homes", "read_hdus", "walk"]

_LFS = b"version https://git-lfs"
_MAX_AXES = 999
_MAX_BLOCKS = 20_000


@dataclass(frozen=True)
class HDU:
    """
    One header-data unit of a file.

    Parameters
    ----------
    index : int
        0 for the primary.
    cards : tuple of bytes
        The cards before END.
    start, data, end : int
        Offsets in bytes: of the header, of the data, and of what follows them.
    """

    index: int
    cards: tuple[bytes, ...]
    start: int
    data: int
    end: int

    def get(self, keyword, default=None):
        """Return the value of the first card of that keyword; ``default`` if there is none or it has no value."""
        for card in self.cards:
            if keyword_of(card) == keyword:
                value = card_value(card)
                return default if value is None else value
        return default


def walk(stream, name):
    """
    Read the headers of a file one by one, skipping the data.

    Parameters
    ----------
    stream : binary file
        Readable and seekable, without compression.
    name : str or `~pathlib.Path`
        What to call it in messages.

    Yields
    ------
    hdu : HDU
        Up to the last HDU; what may follow that is none of them.

    Raises
    ------
    TagError
        If the file is not FITS, or a header has no end or no sense.
    """
    _check_head(stream, name)
    index = start = 0
    while True:
        header, data = _read_header(stream, start, f"{name}: HDU {index}")
        cards = tuple(split_cards(header))
        hdu = HDU(index, cards, start, data, data)
        hdu = replace(hdu, end=data + _data_length(hdu, name))
        yield hdu
        index, start = index + 1, _whole_blocks(hdu.end)
        stream.seek(start)
        if stream.read(8) != b"XTENSION":
            return


def read_hdus(stream, name):
    """
    Read all headers of a file and check that all its data are there.

    Parameters
    ----------
    stream, name
        As for `walk`.

    Returns
    -------
    hdus : list of HDU
        All HDUs; ``end`` includes the padding of the data.

    Raises
    ------
    TagError
        If the file is not FITS, a header has no end or no sense, or the data are cut short.
    """
    hdus = list(walk(stream, name))
    size = stream.seek(0, 2)
    last = hdus[-1]
    if last.end > size:
        msg = f"{name}: cut short: HDU {last.index} ends at byte {last.end}, the file at {size}; get it again"
        raise TagError(msg)
    return [replace(hdu, end=min(_whole_blocks(hdu.end), size)) for hdu in hdus]


def homes(hdus):
    """
    Find the HDUs a tag block can be in.

    Parameters
    ----------
    hdus : iterable of HDU
        The HDUs of a file; at most two of them are looked at.

    Returns
    -------
    homes : list of HDU
        The last is where a new block goes: the primary, or the compressed image that was the
        primary before it was compressed.
    """
    hdus = iter(hdus)
    primary = next(hdus)
    second = next(hdus, None) if primary.get("NAXIS") == 0 else None
    if second and second.get("ZIMAGE") is True and second.get("ZSIMPLE") is True:
        return [primary, second]
    return [primary]


def _check_head(stream, name):
    stream.seek(0)
    head = stream.read(30)
    if head.startswith(b"SIMPLE  =") and card_value(head.ljust(CARD)) is True:
        return
    if not head:
        msg = f"{name}: the file is empty"
    elif head.startswith(_LFS):
        msg = f"{name}: a Git LFS pointer, not the file itself; run 'git lfs pull'"
    elif head.startswith(b"SIMPLE  ="):
        msg = f"{name}: not a standard FITS file (it says SIMPLE = F)"
    else:
        msg = f"{name}: not a FITS file (it begins with {head[:10]!r} instead of 'SIMPLE  =')"
    raise TagError(msg)


def _read_header(stream, start, name):
    """Return the header bytes before END, and the offset of the data."""
    stream.seek(start)
    blocks = []
    while len(blocks) < _MAX_BLOCKS:
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            break
        for end in range(0, BLOCK, CARD):
            if block[end : end + 8].rstrip() == b"END":
                return b"".join(blocks) + block[:end], start + BLOCK * (len(blocks) + 1)
        blocks.append(block)
    msg = f"{name}: its header has no end; the file is cut short or damaged, get it again"
    raise TagError(msg)


def _data_length(hdu, name):
    """Length of the data in bytes, without padding."""
    axes = [_natural(hdu, f"NAXIS{i}", name) for i in range(1, _natural(hdu, "NAXIS", name, most=_MAX_AXES) + 1)]
    if not axes:
        return 0
    if axes[0] == 0 and hdu.get("GROUPS") is True:
        del axes[0]
    elements = hdu.get("GCOUNT", 1) * (hdu.get("PCOUNT", 0) + math.prod(axes))
    bits = hdu.get("BITPIX")
    if type(elements) is not int or elements < 0 or bits not in (8, 16, 32, 64, -32, -64):
        msg = f"{name}: HDU {hdu.index} has BITPIX = {bits}, PCOUNT = {hdu.get('PCOUNT')}, GCOUNT = {hdu.get('GCOUNT')}"
        raise TagError(f"{msg}; the length of its data cannot be known")
    return elements * abs(bits) // 8


def _natural(hdu, keyword, name, most=2**63):
    value = hdu.get(keyword)
    if type(value) is not int or not 0 <= value <= most:
        msg = f"{name}: HDU {hdu.index} has {keyword} = {value}; the length of its data cannot be known"
        raise TagError(msg)
    return value


def _whole_blocks(length):
    return -(-length // BLOCK) * BLOCK

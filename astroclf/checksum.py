# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""DATASUM and CHECKSUM of the FITS standard (4.0, section 4.4.2.7 and appendix J), over raw bytes."""

import numpy as np

__all__ = ["VALID", "add", "datasum", "encode"]

VALID = 0xFFFFFFFF
"""Sum over the bytes of an HDU whose CHECKSUM is right: minus zero."""

_PUNCTUATION = frozenset(b":;<=>?@[\\]^_`")
_ZERO = ord("0")


def datasum(buffer, previous=0):
    """
    Sum bytes as 32-bit big-endian words in ones-complement arithmetic.

    Parameters
    ----------
    buffer : bytes-like
        Bytes as stored; a length that is no multiple of 4 is taken as filled up with zeros.
    previous : int, optional
        Sum of the bytes before these, for summing in chunks (all but the last of a length that is
        a multiple of 4).

    Returns
    -------
    total : int
        In [0, 2**32 - 1]; the ``DATASUM`` if ``buffer`` is the data of an HDU, and `VALID` if it is
        a whole HDU whose ``CHECKSUM`` is right.

    Examples
    --------
    >>> from astroclf.checksum import datasum
    >>> datasum((2).to_bytes(4, "big"), previous=0xFFFFFFFE)
    1
    """
    view = memoryview(buffer).cast("B")
    whole = len(view) - len(view) % 4
    words = np.frombuffer(view[:whole], dtype=">u4")
    rest = int.from_bytes(bytes(view[whole:]).ljust(4, b"\0"), "big")
    return _fold(int(words.sum(dtype=np.uint64)) + rest + previous)


def add(first, second):
    """
    Add two sums.

    Parameters
    ----------
    first, second : int
        Sums of two stretches of bytes, in [0, 2**32 - 1].

    Returns
    -------
    total : int
        Sum of both, in [0, 2**32 - 1].
    """
    return _fold(first + second)


def encode(total, offset=3):
    """
    Write the complement of a sum as the 16 characters of a ``CHECKSUM`` value.

    Parameters
    ----------
    total : int
        Sum of the HDU with its ``CHECKSUM`` value set to ``0000000000000000``.
    offset : int, optional
        Where the 16 characters begin, in bytes from the start of the header. The default, 3, does
        for the place the standard gives them, columns 12 to 27 of a card.

    Returns
    -------
    text : str
        16 letters and digits; with them in place the HDU sums to `VALID`.

    Examples
    --------
    >>> from astroclf.checksum import encode
    >>> encode(868229149)
    'hcHjjc9ghcEghc9g'
    """
    columns = [_spread(byte) for byte in (VALID - total).to_bytes(4, "big")]
    text = "".join(chr(column[row]) for row in range(4) for column in columns)
    shift = -offset % 4
    return text[16 - shift :] + text[: 16 - shift]


def _spread(byte):
    """Four alphanumeric characters whose excess over "0" adds up to ``byte``."""
    quarter, rest = divmod(byte, 4)
    chars = [_ZERO + quarter + rest] + [_ZERO + quarter] * 3
    while _PUNCTUATION.intersection(chars):
        for i in (0, 2):
            if _PUNCTUATION.intersection(chars[i : i + 2]):
                chars[i] += 1
                chars[i + 1] -= 1
    return chars


def _fold(total):
    while total > VALID:
        total = (total & VALID) + (total >> 32)
    return total

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Write bytes, and see that they are there."""

import errno
import os

__all__ = ["copy_span", "write_at"]

_CHUNK = 2**20
"""Bytes that are copied and compared while they are in the processor's cache: 1 MiB."""


def write_at(descriptor, content, start=0):
    """
    Write bytes into a file, and read them back.

    Parameters
    ----------
    descriptor : int
        The file, open for reading and writing.
    content : bytes
        The bytes.
    start : int, optional
        Where in the file they go.

    Raises
    ------
    OSError
        If they cannot be written, or read back differently.
    """
    _write(descriptor, content, start)
    if os.pread(descriptor, len(content), start) != content:
        raise _different()


def copy_span(source, start, end, descriptor, position):
    """
    Copy bytes from one file to another, and read them back.

    Parameters
    ----------
    source : int
        The file to read.
    start, end : int
        Where in it the bytes begin and end.
    descriptor : int
        The other file, open for reading and writing.
    position : int
        Where in that they go.

    Raises
    ------
    OSError
        If they cannot be read or written, are not there, or read back differently.
    """
    piece, back = (bytearray(min(_CHUNK, end - start)) for _ in range(2))
    while start < end:
        count = os.preadv(source, [memoryview(piece)[: end - start]], start)
        if not count:
            raise OSError(errno.EIO, "the file became shorter while it was read")
        _write(descriptor, memoryview(piece)[:count], position)
        os.preadv(descriptor, [memoryview(back)[:count]], position)
        if piece != back:  # also where they are not filled: there they are as they were the last time
            raise _different()
        start, position = start + count, position + count


def _write(descriptor, content, position):
    rest = memoryview(content)
    while rest:
        written = os.pwrite(descriptor, rest, position)
        rest, position = rest[written:], position + written


def _different():
    return OSError(errno.EIO, "what was written reads back differently; check the disk")

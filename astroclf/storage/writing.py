# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Write bytes, and see that they are there."""

import errno
import os

__all__ = ["write_at"]


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
    rest, position = memoryview(content), start
    while rest:
        written = os.pwrite(descriptor, rest, position)
        rest, position = rest[written:], position + written
    if os.pread(descriptor, len(content), start) != content:
        raise OSError(errno.EIO, "what was written reads back differently; check the disk")

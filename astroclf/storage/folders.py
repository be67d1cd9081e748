# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Folders: make the names in them durable."""

import errno
import os

__all__ = ["sync_folder"]

_CANNOT = (errno.EACCES, errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOTSUP, errno.EPERM)


def sync_folder(folder):
    """
    Make new, changed and removed names durable, on systems that can sync a folder.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The folder.

    Raises
    ------
    OSError
        If the disk fails.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise

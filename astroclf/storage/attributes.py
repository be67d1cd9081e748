# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What a new version of a file has to keep of the old one: owner, mode, extended attributes, times."""

import errno
import os
import stat
from contextlib import contextmanager, suppress

__all__ = ["atime_kept", "keep_mode", "keep_owner", "keep_times", "keep_xattrs"]


@contextmanager
def atime_kept(path, keep):
    """
    Let the reading of a file leave no trace.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file, if there is one.
    keep : bool
        Whether that is wanted.
    """
    old = path.stat() if keep and path.exists() else None
    yield
    if old:
        with suppress(OSError):
            os.utime(path, ns=(old.st_atime_ns, path.stat().st_mtime_ns))


def keep_mode(old, descriptor):
    """
    Give an open file the mode of another.

    Parameters
    ----------
    old : `os.stat_result`
        The other file.
    descriptor : int
        The open file.
    """
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def keep_owner(old, descriptor):
    """
    Give an open file the owner and the group of another.

    Parameters
    ----------
    old, descriptor
        As for `keep_mode`.

    Raises
    ------
    OSError
        If the system does not let this user.
    """
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)


def keep_times(old, descriptor):
    """
    Give an open file the times of another: those of the last reading and of the last change of its content.

    Parameters
    ----------
    old, descriptor
        As for `keep_mode`.
    """
    os.utime(descriptor, ns=(old.st_atime_ns, old.st_mtime_ns))


def keep_xattrs(path, descriptor):
    """
    Give an open file the extended attributes of another, access control lists among them.

    Parameters
    ----------
    path : `~pathlib.Path`
        The other file.
    descriptor : int
        The open file.

    Raises
    ------
    OSError
        If the system does not let this user.
    """
    wanted, present = _xattrs(path), _xattrs(descriptor)
    for name in present.keys() - wanted.keys():
        os.removexattr(descriptor, name)
    for name, value in wanted.items():
        if present.get(name) != value:
            os.setxattr(descriptor, name, value)


def _xattrs(file):
    """Return the extended attributes; none where the system or the file system knows none."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file)}
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise

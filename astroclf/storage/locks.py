# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Locks on a file itself: the system drops them when their holder ends, however it ends."""

import os
import stat
import time
from contextlib import contextmanager

from astroclf.exceptions import TagError

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None

__all__ = ["PATIENCE", "is_at", "locked", "open_lockable", "seize"]

PATIENCE = 10.0
"""How long to wait for another process, in s."""

_PAUSE = 0.01


@contextmanager
def locked(path, *, shared=False):
    """
    Lock a file against others that lock it.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file; no symbolic link.
    shared : bool, optional
        Whether others may hold a shared lock at the same time: for reading.

    Yields
    ------
    stream : binary file or None
        The locked file, unbuffered; writable if the lock is not shared and the user may write to it. None if it is
        no regular file, cannot be opened, or lies where there are no locks.

    Raises
    ------
    TagError
        If another process holds it for longer than `PATIENCE`.
    """
    deadline = time.monotonic() + PATIENCE
    while (stream := open_lockable(path, writable=not shared)) is not None:
        with stream:
            got = _wait(stream, shared, deadline, path)
            if got and not is_at(stream, path):
                continue  # replaced meanwhile
            try:
                yield stream if got else None
            finally:
                if got:
                    fcntl.flock(stream, fcntl.LOCK_UN)
            return
    yield None


def open_lockable(path, *, writable=True):
    """
    Open a file for a lock.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.
    writable : bool, optional
        Open it for writing, too, if the user may; some network file systems want that for a lock.

    Returns
    -------
    stream : binary file or None
        Unbuffered; None if it is no regular file or cannot be opened.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
    except OSError:
        return None
    for mode in ("r+b", "rb") if writable else ("rb",):
        try:
            return open(path, mode, buffering=0)
        except OSError:
            continue
    return None


def seize(stream, *, shared=False):
    """
    Lock an open file, without waiting.

    Parameters
    ----------
    stream : file
        The file.
    shared : bool, optional
        As for `locked`.

    Returns
    -------
    got : bool or None
        False if another process has locked it; None where there are no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_at(stream, path):
    """Tell whether an open file is the one that has a name now."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


def _wait(stream, shared, deadline, path):
    """Return whether the lock was had, once it is known; None where there are no locks."""
    while (got := seize(stream, shared=shared)) is False:
        if time.monotonic() > deadline:
            msg = f"{path}: another process is writing to it; let that end, and try again"
            raise TagError(msg)
        time.sleep(_PAUSE)
    return got

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Replace a file at once: a reader, a crash or a full disk meets the old file or the new one."""

import os
from contextlib import contextmanager

from astroclf.exceptions import TagError
from astroclf.storage.attributes import keep_mode, keep_owner, keep_times, keep_xattrs
from astroclf.storage.drafts import drafting

__all__ = ["check_changeable", "replacing"]


@contextmanager
def replacing(path, manner):
    """
    Open a new file that takes the place of another once all is written.

    It gets mode, owner, group, access control lists and extended attributes of the file it replaces.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file to replace, or to make; no symbolic link.
    manner : Manner
        How it may be changed.

    Yields
    ------
    stream : binary file
        Readable and writable. If the body raises, the new file is removed and the old one stays.

    Raises
    ------
    TagError
        If the system forbids it; the old file stays.
    """
    try:
        old = check_changeable(path, manner)
        with drafting(path) as stream:
            if old:
                os.fchmod(stream.fileno(), 0o600)
            yield stream
            stream.flush()
            if old:
                _keep_attributes(path, old, stream.fileno(), manner)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror or error}); it is as it was"
        raise TagError(msg) from error


def check_changeable(path, manner):
    """
    Check that a file may be changed.

    Parameters
    ----------
    path, manner
        As for `replacing`.

    Returns
    -------
    old : `os.stat_result` or None
        The file; None if there is none yet.

    Raises
    ------
    TagError
        If it or its folder is read-only, or if it has other hard links and may not be detached from them.
    OSError
        If the system does not tell.
    """
    try:
        old = path.stat()
    except FileNotFoundError:
        _check_folder(path)
        return None
    if not _may(path, os.W_OK):
        msg = f"{path}: read-only for this user; make it writable or write a tagged copy with output="
    elif old.st_nlink > 1 and not manner.detach:
        msg = (
            f"{path}: has {old.st_nlink} hard links, and replacing it would part them; "
            "write a tagged copy with output=, or part them with detach=True"
        )
    else:
        _check_folder(path)
        return old
    raise TagError(msg)


def _check_folder(path):
    folder = path.parent
    if not folder.is_dir():
        msg = f"{path}: the folder {folder} does not exist; make it first"
        raise TagError(msg)
    if not _may(folder, os.W_OK | os.X_OK):
        msg = f"{path}: the folder {folder} is read-only for this user; write a tagged copy elsewhere with output="
        raise TagError(msg)


def _may(path, mode):
    """Ask the system about the user we act as, where it distinguishes that from the user we are."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _keep_attributes(path, old, descriptor, manner):
    try:
        keep_owner(old, descriptor)
    except OSError as error:
        _give_up(path, error, manner)
    try:
        keep_xattrs(path, descriptor)
    except OSError as error:
        _give_up(path, error, manner)
    keep_mode(old, descriptor)
    if manner.keep_times:
        keep_times(old, descriptor)


def _give_up(path, error, manner):
    if not manner.detach:
        msg = (
            f"{path}: the system does not let this user keep its owner or attributes ({error.strerror}); "
            "write a tagged copy with output=, or give them up with detach=True"
        )
        raise TagError(msg) from error

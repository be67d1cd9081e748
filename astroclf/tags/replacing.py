# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Replace a file at once: a reader, a crash or a full disk meets the old file or the new one."""

import errno
import os
import secrets
import stat
from contextlib import contextmanager, suppress

from astroclf.exceptions import TagError

__all__ = ["check_replaceable", "replacing"]


@contextmanager
def replacing(path, detach=False):
    """
    Open a new file that takes the place of another once all is written.

    It is written under a hidden name in the same folder, synced to disk and renamed. It gets mode,
    owner, group, access control lists and extended attributes of the file it replaces.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file to replace, or to make; no symbolic link.
    detach : bool, optional
        Replace a file that has other hard links (they keep the old content), or whose owner or
        attributes the system does not let us keep.

    Yields
    ------
    stream : binary file
        Readable and writable. If the body raises, the new file is removed and the old one stays.

    Raises
    ------
    TagError
        If the system forbids it; the old file stays.
    """
    temporary = path.with_name(f".astroclf-{secrets.token_hex(8)}.tmp")
    try:
        old = check_replaceable(path, detach)
        with open(temporary, "x+b") as stream:
            if old:
                os.fchmod(stream.fileno(), 0o600)
            yield stream
            stream.flush()
            if old:
                _keep_attributes(path, old, stream.fileno(), detach)
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror or error}); it is as it was"
        raise TagError(msg) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    _sync_folder(path.parent)


def check_replaceable(path, detach=False):
    """
    Check that a file may be replaced.

    Parameters
    ----------
    path, detach
        As for `replacing`.

    Returns
    -------
    old : `os.stat_result` or None
        The file to replace; None if there is none yet.

    Raises
    ------
    TagError
        If it or its folder is read-only, or if it has other hard links and ``detach`` is False.
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
    elif old.st_nlink > 1 and not detach:
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


def _keep_attributes(path, old, descriptor, detach):
    for keep in (_keep_owner, _keep_xattrs):
        try:
            keep(path, old, descriptor)
        except OSError as error:
            if not detach:
                msg = (
                    f"{path}: the system does not let this user keep its owner or attributes ({error.strerror}); "
                    "write a tagged copy with output=, or give them up with detach=True"
                )
                raise TagError(msg) from error
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _keep_owner(path, old, descriptor):
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)


def _keep_xattrs(path, old, descriptor):
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


def _sync_folder(folder):
    """Make the new name durable, on systems that can sync a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

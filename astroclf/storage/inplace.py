# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Change bytes within a file: an undo journal makes that as safe as a new file, at the cost of the bytes changed."""

import os
from contextlib import contextmanager, suppress

from astroclf.exceptions import TagError
from astroclf.storage.attributes import keep_mode, keep_owner, keep_times
from astroclf.storage.folders import sync_folder
from astroclf.storage.journal import Journal
from astroclf.storage.locks import seize
from astroclf.storage.names import journal_beside
from astroclf.storage.writing import write_at

__all__ = ["overwrite"]


def overwrite(path, descriptor, patches, old, manner):
    """
    Change bytes of a file, all or none.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file; no symbolic link.
    descriptor : int
        The same, open for reading and writing and locked against others.
    patches : sequence of `~astroclf.storage.journal.Patch`
        The bytes.
    old : `os.stat_result`
        The status of the file before it was read.
    manner : Manner
        How it may be changed.

    Raises
    ------
    TagError
        If it cannot be written. It is as it was; if even that cannot be had, its undo journal stays beside it.
    """
    journal = Journal(path.name, old.st_ino, old.st_size, (old.st_atime_ns, old.st_mtime_ns), tuple(patches))
    try:
        with _journalled(path, descriptor, journal, old):
            journal.apply(descriptor)
            if manner.keep_times:
                keep_times(old, descriptor)
            os.fsync(descriptor)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror or error}); it is as it was"
        raise TagError(msg) from error


@contextmanager
def _journalled(path, descriptor, journal, old):
    """Keep a journal as long as the context lasts; undo what was done in it if it fails."""
    undo = journal_beside(path)
    with open(undo, "x+b", buffering=0) as stream:
        try:
            seize(stream)  # what is incomplete and not locked is left over
            _fill(stream.fileno(), journal, old)
            sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                undo.unlink()
            raise
        try:
            yield
            undo.unlink()
        except BaseException:
            _roll_back(path, descriptor, journal)
            with suppress(OSError):  # it says what the file is already
                undo.unlink()
            raise
        with suppress(OSError):  # a journal that comes back finds all new bytes, and leaves them
            sync_folder(path.parent)


def _fill(descriptor, journal, old):
    """Write a journal that whoever may read the file can read."""
    with suppress(PermissionError):
        keep_owner(old, descriptor)
    keep_mode(old, descriptor)
    write_at(descriptor, journal.to_bytes())
    os.fsync(descriptor)


def _roll_back(path, descriptor, journal):
    try:
        journal.undo(descriptor)
        os.fsync(descriptor)
    except OSError as error:
        msg = (
            f"{path}: could be neither changed nor put back ({error.strerror or error}); its undo journal is beside "
            "it: the next command on it, or 'astroclf recover', puts it back"
        )
        raise TagError(msg) from error

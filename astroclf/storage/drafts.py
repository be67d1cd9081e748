# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Drafts: a new version of a file is written beside the old one, and takes its name once it is on the disk."""

import os
import shutil
from contextlib import contextmanager, suppress
from functools import cache

from astroclf.storage.folders import sync_folder
from astroclf.storage.locks import is_at, open_lockable, seize
from astroclf.storage.names import draft_beside, is_draft

__all__ = ["discard", "drafting", "sweep", "write_whole"]


@contextmanager
def drafting(path):
    """
    Open a draft that takes the place of a file, if there is one, when all is written.

    Whatever stops the process, there is the old file or the new one. A draft that is left over is locked by nobody,
    and the next process that writes into the folder removes it.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file; no symbolic link.

    Yields
    ------
    stream : binary file
        Readable and writable. If the body raises, the draft is removed.

    Raises
    ------
    OSError
        If it cannot be written; what was there stays.
    """
    sweep(path.parent)
    draft, stream = _new_draft(path)
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if os.name == "nt":
                stream.close()  # what is open cannot be renamed there
            draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink()
    with suppress(OSError):  # the file is there; only the power cut that brings the old one back is not excluded
        sync_folder(path.parent)


def write_whole(path, content):
    """
    Write a file so that at any moment there is the old one or the new one.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file, no symbolic link; if it exists, its mode is kept.
    content : bytes
        What it is to hold.

    Raises
    ------
    OSError
        If it cannot be written; what was there stays.
    """
    with drafting(path) as stream:
        stream.write(content)
        if path.exists():
            shutil.copymode(path, stream.fileno())


@cache
def sweep(folder):
    """
    Remove the drafts of processes that were stopped; each folder is looked at once in a process.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The folder.
    """
    with suppress(OSError):
        for draft in filter(is_draft, folder.iterdir()):
            with suppress(OSError):
                discard(draft)


def discard(draft):
    """
    Remove a draft unless a process is writing it.

    Parameters
    ----------
    draft : `~pathlib.Path`
        The draft.

    Returns
    -------
    removed : bool
        False if it is being written, or if that cannot be known.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    stream = open_lockable(draft)
    if stream is None:
        return False
    with stream:
        if not (seize(stream) and is_at(stream, draft)):
            return False
        draft.unlink()
    return True


def _new_draft(path):
    while True:
        draft = draft_beside(path)
        stream = open(draft, "x+b")
        if seize(stream) is not False and is_at(stream, draft):
            return draft, stream
        stream.close()  # another process took it for left over before it was locked

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What stopped processes left behind.

A journal beside a file is looked for whenever the file is opened: by the name of the file, and among those whose file
has another name now. Whoever holds the lock of the file may trust that no living process has written the journal, and
puts back what it says.
"""

import os
import warnings
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from astroclf.exceptions import AstroclfWarning, TagError
from astroclf.storage.drafts import discard, sweep
from astroclf.storage.folders import sync_folder
from astroclf.storage.journal import Journal, identity_of
from astroclf.storage.locks import is_at, locked, open_lockable, seize
from astroclf.storage.names import is_draft, is_journal, journal_beside

__all__ = ["FAILED", "Recovery", "held", "orphans", "recover", "still"]

RESTORED, WHOLE, FOREIGN, REMOVED, BUSY, FAILED = "restored", "whole", "foreign", "removed", "busy", "failed"


@dataclass(frozen=True)
class Recovery:
    """
    What became of something that a stopped process left behind.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file that was to be changed; the leftover itself where it does not say which that was.
    done : str
        ``restored``: the file was half changed and is again what it was before. ``whole``: it was all old or all
        new. ``foreign``: another program has changed it since, and it was left as it is. ``removed``: the leftover
        was a new version or a journal that had not been completed. ``busy``: a process is at work on it.
        ``failed``: nothing was done.
    reason : str
        Why, if it failed; else empty.
    """

    path: Path
    done: str
    reason: str = ""


@contextmanager
def held(path):
    """
    Hold a file alone, for writing; put back first what a stopped process has half changed in it.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file; no symbolic link.

    Yields
    ------
    stream : binary file or None
        As of `astroclf.storage.locks.locked`.

    Raises
    ------
    TagError
        If another process is at work on it, or it cannot be put back.

    Warns
    -----
    AstroclfWarning
        If another program has changed it since, so that it cannot be put back.
    """
    sweep(path.parent)
    _clear_place(path)
    with locked(path) as stream:
        undo = _journal_of(path)
        if undo and _settle(path, stream, undo) == FOREIGN:
            msg = (
                f"{path}: was being changed when astroclf was stopped, and has been by another program since; check it"
            )
            warnings.warn(msg, AstroclfWarning, stacklevel=2)
        yield stream


@contextmanager
def still(path):
    """
    Let nobody change a file in place while it is read; put back first what a stopped process has half changed in it.

    Parameters
    ----------
    path : path-like
        The file.

    Raises
    ------
    TagError
        If a process is changing it, or it is half changed and cannot be put back.

    Warns
    -----
    AstroclfWarning
        As for `held`.
    """
    path = Path(os.path.realpath(path))
    with ExitStack() as stack:
        with suppress(TagError):  # a writer without a journal leaves the old file whole
            stack.enter_context(locked(path, shared=True))
        if _journal_of(path):
            stack.close()
            with held(path):
                pass
            stack.enter_context(locked(path, shared=True))
        yield


@cache
def orphans(folder):
    """
    Find the journals of files that have other names now; each folder is looked through once in a process.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The folder.

    Returns
    -------
    orphans : dict
        Journals by inode and size of their files.
    """
    found = {}
    with suppress(OSError), os.scandir(folder) as entries:
        hidden = [
            Path(entry.path) for entry in entries if entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
        ]
        for undo in filter(is_journal, hidden):
            with suppress(TagError, OSError):
                journal = Journal.from_bytes(undo.read_bytes(), undo)
                if journal and not _is_file_of(journal, folder / journal.name):
                    found[journal.identity] = undo
    return found


def recover(paths):
    """
    Put back files that stopped processes have half changed, and remove what they left behind.

    Every function that opens a file does this for that file; this does it for whole folders, and says what it did.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Files, and folders with all folders in them.

    Returns
    -------
    recovered : list of Recovery
        One for each thing that was left behind; empty if there is nothing to do.

    Raises
    ------
    TagError
        If a path is not there.
    """
    paths = [paths] if isinstance(paths, str | os.PathLike) else paths
    return [_recover(leftover) for path in map(Path, paths) for leftover in _leftovers(path)]


def _journal_of(path):
    """Return the journal of a file; None if there is none."""
    try:
        orphan = orphans(path.parent).get(identity_of(path.stat()))
    except OSError:
        return None
    candidates = filter(None, (journal_beside(path), orphan))
    return next((undo for undo in candidates if os.path.lexists(undo) and _belongs(undo, path)), None)


def _clear_place(path):
    """Put a file right that had this name before, so that its journal is not in the way of a new one."""
    undo = journal_beside(path)
    if os.path.lexists(undo) and path.exists() and not _belongs(undo, path):
        _recover_by(undo)


def _belongs(undo, path):
    """Tell whether a journal is of a file, not of another that had its name before."""
    with suppress(TagError, OSError):
        journal = _read(undo, path.stat())
        return journal is None or _file_of(journal, path.parent) == path
    return True  # whoever obeys it will say what is wrong with it


def _settle(path, stream, undo):
    """Put a file right by its journal, and remove that."""
    if stream is None:
        msg = f"{path}: may be half changed by a process that was stopped, and cannot be opened to put it back"
        raise TagError(msg)
    journal = _read(undo, os.fstat(stream.fileno()))
    done = WHOLE if journal is None else _put_right(path, stream, journal)
    with suppress(OSError):  # a journal that stays finds the file whole
        undo.unlink()
        sync_folder(undo.parent)
    return done


def _put_right(path, stream, journal):
    """Put back the old bytes, unless all are new: what was broken off last was the removal of the journal."""
    descriptor = stream.fileno()
    found = journal.current(descriptor)
    if not journal.explains(found):
        return FOREIGN
    whole = found in (journal.old, journal.new)
    if stream.writable():
        (journal.apply if found == journal.new else journal.undo)(descriptor)  # also what never reached the disk
        os.fsync(descriptor)
    elif not whole:
        msg = f"{path}: half changed by a process that was stopped, and read-only for this user"
        raise TagError(f"{msg}; let somebody who may write to it run 'astroclf recover'")
    return WHOLE if whole else RESTORED


def _read(undo, status):
    """Return a journal that its file can trust; None if it was never completed."""
    try:
        with open(os.open(undo, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
            owner = os.fstat(stream.fileno()).st_uid
            content = stream.read()
    except FileNotFoundError:
        return None
    if owner not in (0, os.geteuid(), status.st_uid):
        msg = f"{undo}: an undo journal of another user ({owner}); let that user run 'astroclf recover', or remove it"
        raise TagError(msg)
    return Journal.from_bytes(content, undo)


def _leftovers(path):
    """Return what was left behind in a folder, or beside a file."""
    if path.is_dir():
        return sorted(found for found in path.rglob(".astroclf-*") if is_draft(found) or is_journal(found))
    if not os.path.lexists(path):
        msg = f"{path}: no such file or folder"
        raise TagError(msg)
    if is_draft(path) or is_journal(path):
        return [path]
    return list(filter(os.path.lexists, [journal_beside(Path(os.path.realpath(path)))]))


def _recover(leftover):
    try:
        if is_draft(leftover):
            return Recovery(leftover, REMOVED if discard(leftover) else BUSY)
        return _recover_by(leftover)
    except (TagError, OSError) as error:
        return Recovery(leftover, FAILED, getattr(error, "strerror", None) or str(error))


def _recover_by(undo):
    """Put right the file of a journal, under whatever name it is in the folder."""
    stream = open_lockable(undo)
    if stream is None:
        return Recovery(undo, FAILED, "cannot be read")
    with stream:
        if not (seize(stream) and is_at(stream, undo)):
            return Recovery(undo, BUSY)
        journal = _read(undo, os.fstat(stream.fileno()))
        if journal is None:
            undo.unlink()
            return Recovery(undo, REMOVED)
    path = _file_of(journal, undo.parent)
    if path is None:
        return Recovery(undo, FAILED, f"its file, {journal.name}, is not there; put it back into the folder")
    with locked(path) as stream:
        return Recovery(path, _settle(path, stream, undo))


def _file_of(journal, folder):
    """Find the file of a journal by its name, or, if it was renamed, by what the system knows it by."""
    named = folder / journal.name
    for path in (named, *sorted(folder.iterdir())):
        if _is_file_of(journal, path):
            return path
    return named if named.is_file() else None


def _is_file_of(journal, path):
    return path.is_file() and identity_of(path.stat()) == journal.identity

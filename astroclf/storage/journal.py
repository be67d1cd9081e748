# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The undo journal: what the bytes were that are about to be changed in a file.

It is on the disk before the file is touched, and is removed when the new bytes are on the disk. A journal that is cut
short belongs to a file that nobody has touched yet.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate

from astroclf.exceptions import TagError
from astroclf.storage.writing import write_at

__all__ = ["Journal", "Patch", "identity_of"]

_HEAD = b"astroclf undo "
_MAGIC = _HEAD + b"1\n"
_DIGEST = 64
"""Hexadecimal digits of SHA-256."""


@dataclass(frozen=True)
class Patch:
    """
    Bytes that take the place of as many others.

    Parameters
    ----------
    start : int
        Where in the file they begin.
    old, new : bytes
        What was there and what comes there; of the same length.
    """

    start: int
    old: bytes
    new: bytes


@dataclass(frozen=True)
class Journal:
    """
    What is changed in a file, and how to undo it.

    Parameters
    ----------
    name : str
        Name of the file.
    inode, size : int
        Of the file, to find it under another name.
    times : tuple of int
        When the file was last read and last changed, in ns.
    patches : tuple of Patch
        What is changed.
    """

    name: str
    inode: int
    size: int
    times: tuple[int, int]
    patches: tuple[Patch, ...]

    def to_bytes(self):
        """Return the journal as it is written: magic, SHA-256 of what follows, facts, old and new bytes."""
        facts = {
            "name": self.name,
            "inode": self.inode,
            "size": self.size,
            "times": self.times,
            "spans": [(patch.start, len(patch.old)) for patch in self.patches],
        }
        body = json.dumps(facts).encode("ascii") + b"\n" + self.old + self.new
        return _MAGIC + hashlib.sha256(body).hexdigest().encode("ascii") + body

    @classmethod
    def from_bytes(cls, content, path):
        """
        Read a journal.

        Parameters
        ----------
        content : bytes
            The journal.
        path : `~pathlib.Path`
            What to call it in messages.

        Returns
        -------
        journal : Journal or None
            None if it was never completed.

        Raises
        ------
        TagError
            If another version of astroclf wrote it.
        """
        version, end, _ = content.removeprefix(_HEAD).partition(b"\n")
        if content.startswith(_HEAD) and end and not content.startswith(_MAGIC):
            msg = f"{path}: an undo journal of version {version.decode('ascii', 'replace')}, not 1; use that astroclf"
            raise TagError(msg)
        digest, body = content[len(_MAGIC) :][:_DIGEST], content[len(_MAGIC) + _DIGEST :]
        if not content.startswith(_MAGIC) or digest != hashlib.sha256(body).hexdigest().encode("ascii"):
            return None
        line, _, texts = body.partition(b"\n")
        facts = json.loads(line)
        spans = facts.pop("spans")
        pieces = _cut(texts, [length for _, length in spans] * 2)
        patches = tuple(map(Patch, (start for start, _ in spans), pieces, pieces[len(spans) :]))
        return cls(**facts | {"times": tuple(facts["times"]), "patches": patches})

    @property
    def identity(self):
        """What the file is known by if it is renamed, as of `identity_of`."""
        return self.inode, self.size

    @property
    def old(self):
        """All old bytes."""
        return b"".join(patch.old for patch in self.patches)

    @property
    def new(self):
        """All new bytes."""
        return b"".join(patch.new for patch in self.patches)

    def current(self, descriptor):
        """Return all bytes that are now in the places of the old ones."""
        return b"".join(os.pread(descriptor, len(patch.old), patch.start) for patch in self.patches)

    def apply(self, descriptor):
        """Write the new bytes into an open file."""
        for patch in self.patches:
            write_at(descriptor, patch.new, patch.start)

    def undo(self, descriptor):
        """Write the old bytes into an open file, and give it its old times where the system lets this user."""
        for patch in self.patches:
            write_at(descriptor, patch.old, patch.start)
        with suppress(PermissionError):
            os.utime(descriptor, ns=self.times)

    def explains(self, content):
        """Tell whether bytes are old ones, new ones, or some of each, as when the writing of them was broken off."""
        return len(content) == len(self.old) and all(map(_either, content, self.old, self.new))


def identity_of(status):
    """Return what the system knows a file by, whatever its name (`os.stat_result`): inode and size."""
    return status.st_ino, status.st_size


def _cut(content, lengths):
    ends = list(accumulate(lengths))
    return [content[end - length : end] for end, length in zip(ends, lengths)]


def _either(byte, old, new):
    return byte in (old, new)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files as they lie on disk: plain, or compressed as a whole with gzip or bzip2."""

import bz2
import gzip
import os
import shutil
import tempfile
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from astroclf.exceptions import TagError

__all__ = ["Container", "open_fits"]

_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"
_GZIP_EXTRA, _GZIP_NAME = 4, 8
_GZIP_LEVELS = {2: 9, 4: 1}
_USUAL_LEVEL = 6
_BAD_STREAM = (EOFError, gzip.BadGzipFile, zlib.error)
_SPOOL = 256 * 2**20


@dataclass(frozen=True)
class Container:
    """
    How a file is compressed, known by its first bytes: enough to compress another one alike.

    Parameters
    ----------
    kind : str
        ``"gzip"``, ``"bzip2"`` or ``"plain"``.
    level : int
        Compression level.
    name : str
        File name recorded by gzip.
    mtime : int
        Modification time recorded by gzip, in s.
    """

    kind: str = "plain"
    level: int = 0
    name: str = ""
    mtime: int = 0

    @classmethod
    def of(cls, path):
        """Return the container of the file at ``path``."""
        with open(path, "rb") as stream:
            head = stream.read(10)
            if head.startswith(_BZIP2) and head[3:4].isdigit():
                return cls("bzip2", int(head[3:4]))
            if not head.startswith(_GZIP) or len(head) < 10:
                return cls()
            name = _gzip_name(stream, flags=head[3])
        level = _GZIP_LEVELS.get(head[8], _USUAL_LEVEL)
        return cls("gzip", level, name, int.from_bytes(head[4:8], "little"))

    def reader(self, stream):
        """Return a context with the unpacked bytes of ``stream``."""
        if self.kind == "gzip":
            return gzip.GzipFile(fileobj=stream, mode="rb")
        return bz2.BZ2File(stream, "rb") if self.kind == "bzip2" else nullcontext(stream)

    def writer(self, stream):
        """Return a context whose bytes are packed into ``stream``."""
        if self.kind == "gzip":
            return gzip.GzipFile(self.name, "wb", self.level, stream, self.mtime)
        return bz2.BZ2File(stream, "wb", compresslevel=self.level) if self.kind == "bzip2" else nullcontext(stream)


@contextmanager
def open_fits(path, spool=False):
    """
    Open the FITS bytes of a file, unpacked if it is compressed.

    Parameters
    ----------
    path : `~pathlib.Path`
        A FITS file, plain or compressed with gzip or bzip2.
    spool : bool, optional
        Unpack a compressed file at once, to memory or, if large, to a temporary file: for reading
        in any order.

    Yields
    ------
    stream : binary file
        Readable and seekable.

    Raises
    ------
    TagError
        If the file cannot be opened or its compressed stream is damaged.
    """
    try:
        if path.exists() and not path.is_file():
            msg = f"{path}: not a file; tags are read from and written to regular files only"
            raise TagError(msg)
        container = Container.of(path)
        with open(path, "rb") as raw, container.reader(raw) as stream:
            if container.kind == "plain" or not spool:
                yield stream
                return
            with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as unpacked:
                shutil.copyfileobj(stream, unpacked, 2**20)
                yield unpacked
    except _BAD_STREAM as error:
        msg = f"{path}: the compressed file is damaged or cut short ({error}); get it again"
        raise TagError(msg) from error
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise TagError(msg) from error


def _gzip_name(stream, flags):
    """Return the file name in the header of a gzip stream; empty if there is none."""
    if flags & _GZIP_EXTRA:
        stream.seek(int.from_bytes(stream.read(2), "little"), os.SEEK_CUR)
    if not flags & _GZIP_NAME:
        return ""
    name, terminator, _ = stream.read(4096).partition(b"\0")
    return name.decode("latin-1") if terminator else ""

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files as they lie: plain or packed as a whole, known by their first bytes, never by their names."""

import bz2
import gzip
import os
import re
import tempfile
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path

from astroclf.exceptions import FrameError, TagError
from astroclf.storage.recovery import still

__all__ = ["LARGEST_FILE", "bare_name", "open_local", "open_stream", "what_it_is"]

LARGEST_FILE = 2**32
"""Bytes at most of what is copied to disk, unpacked, because it cannot be read in any order as it is: 4 GiB."""

_SUFFIX = re.compile(r"(?<=.)\.(fits|fit|fts)(\.(gz|bz2|fz))?$", re.IGNORECASE)
_HEAD = 2880
_CHUNK = 2**20
_UNPACKERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}
_BROKEN = (OSError, EOFError, ValueError, zlib.error)

_KINDS = {
    b"version https://git-lfs": "a Git LFS pointer; run 'git lfs pull'",
    b"#ASDF": "an ASDF file; export its image as FITS",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file; export its image as FITS",
    b"XISF0100": "a PixInsight XISF file; save it as FITS",
    b"imhv2": "the header of an IRAF image; export the image with IRAF's wfits",
    b"impv2": "the pixels of an IRAF image; export the image with IRAF's wfits",
    b"LUCAM-RECORDER": "a SER video; stack its frames and save the result as FITS",
    b"\x93NUMPY": "a numpy array; load it and hand over the array",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\xfd7zXZ\0": "packed by xz; unpack it with unxz",
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it with unzstd",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive; unpack it",
    b"\x1f\x9d": "packed by compress (.Z); unpack it with uncompress",
    b"\x1f\x8b": "packed twice; unpack it once with gunzip",
    b"BZh": "packed twice; unpack it once with bunzip2",
    b"\x89PNG\r\n\x1a\n": "a PNG picture; pictures are read from local files, by name",
    b"\xff\xd8\xff": "a JPEG picture; pictures are read from local files, by name",
    b"GIF8": "a GIF picture",
    b"II*\0\x10\0\0\0CR": "a Canon camera's raw picture; develop it and save it as FITS",
    b"II*\0": "a TIFF picture or a camera's raw one; pictures are read from local files, by name",
    b"MM\0*": "a TIFF picture or a camera's raw one; pictures are read from local files, by name",
    b"IIRO": "an Olympus camera's raw picture; develop it and save it as FITS",
    b"IIU\0": "a Panasonic camera's raw picture; develop it and save it as FITS",
    b"FUJIFILMCCD-RAW": "a Fujifilm camera's raw picture; develop it and save it as FITS",
    b"XTENSION": "a FITS extension without the primary header before it",
}
"""What files that are no FITS begin with."""

_PLACES = {
    (4, b"ftypcrx"): "a Canon camera's raw picture; develop it and save it as FITS",
    (128, b"DICM"): "a DICOM file",
    (257, b"ustar"): "a tar archive; unpack it",
}
"""What they have further on."""


def bare_name(path):
    """
    Return the name of a file without the endings of FITS files.

    Parameters
    ----------
    path : path-like
        The file; it need not exist.

    Returns
    -------
    name : str
        Without ``.fits``, ``.fit`` or ``.fts`` and without ``.gz``, ``.bz2`` or ``.fz`` after it, in either case.
    """
    return _SUFFIX.sub("", Path(path).name)


@contextmanager
def open_local(path):
    """
    Open a file.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file; what may keep a reader waiting, a pipe or device, is refused unopened. A file that a stopped process
        has half changed is put back first, and no process of astroclf changes it as long as it is open.

    Yields
    ------
    stream : binary file
        Its bytes as they lie.
    status : `os.stat_result`
        Its status before it was read.

    Raises
    ------
    FrameError
        If there is no such file, or it cannot be opened, or put back.
    """
    with ExitStack() as opened:
        try:
            if not path.is_file():
                what = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else _missing(path)
                msg = f"{path}: {what}; name a FITS file"
                raise FrameError(msg)
            opened.enter_context(still(path))
            status, stream = path.stat(), opened.enter_context(path.open("rb"))
        except TagError as error:
            raise FrameError(str(error)) from error
        except (OSError, ValueError) as error:
            msg = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
            raise FrameError(msg) from error
        yield stream, status


def _missing(path):
    return "is a link to a file that does not exist" if path.is_symlink() else "does not exist"


@contextmanager
def open_stream(stream, name):
    """
    Unpack a file if it is packed.

    Parameters
    ----------
    stream : binary file
        Anything with ``read``; one that cannot seek is copied to disk. It is left open.
    name : str
        What to call it in messages.

    Yields
    ------
    content : binary file
        The same bytes unpacked, at their beginning: can be read in any order.

    Raises
    ------
    FrameError
        If it is damaged, cut short, no FITS file, or larger than `LARGEST_FILE` where it has to be copied.
    """
    with ExitStack() as opened:
        with _messages(name):
            if not _seekable(stream):
                stream = opened.enter_context(_on_disk(stream, name, packed=_UNPACKERS))
            unpack = _unpacker(_head(stream))
            if unpack:
                with unpack(stream) as packed:
                    stream = opened.enter_context(_on_disk(packed, name))
            _refuse_others(_head(stream), name)
        yield stream


def _unpacker(head):
    return next((unpack for magic, unpack in _UNPACKERS.items() if head.startswith(magic)), None)


@contextmanager
def _messages(name):
    """Say in one way what cannot be read."""
    try:
        yield
    except FrameError:
        raise
    except _BROKEN as error:
        msg = f"{name}: cannot be read, it may be damaged or cut short: {getattr(error, 'strerror', None) or error}"
        raise FrameError(msg) from error


def _seekable(stream):
    try:
        return stream.seekable()
    except AttributeError:
        return hasattr(stream, "seek") and hasattr(stream, "tell")


def _head(stream):
    """Return the first bytes of a file, and leave it at its beginning."""
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    if not isinstance(head, bytes):
        msg = f"opened as text (it gives {type(head).__name__}); open it with mode 'rb'"
        raise ValueError(msg)
    return head


def _on_disk(stream, name, packed=()):
    """Copy a stream to a temporary file that can be read only; of what cannot be FITS only the first bytes."""
    with tempfile.TemporaryFile() as file:
        size, chunk = 0, stream.read(_HEAD)
        _refuse_others(chunk, name, packed)
        while chunk:
            size += file.write(chunk)
            if size > LARGEST_FILE:
                msg = f"{name}: holds more than {LARGEST_FILE // 2**30} GiB; get it to disk, unpacked, and read that"
                raise FrameError(msg)
            chunk = stream.read(_CHUNK)
        file.flush()
        file.seek(0)
        return os.fdopen(os.dup(file.fileno()), "rb")


def _refuse_others(head, name, packed=()):
    """Raise for the beginning of a file that is neither FITS nor packed by one of these."""
    if not head.startswith((b"SIMPLE", *packed)):
        msg = f"{name}: not a FITS file; {what_it_is(head)}"
        raise FrameError(msg)


def what_it_is(head):
    """
    Say what a file is that is no FITS file.

    Parameters
    ----------
    head : bytes
        Its first bytes, 300 or more of them if it has as many.

    Returns
    -------
    text : str
        What it is, and what to do with it where that is plain.
    """
    known = [text for (at, magic), text in _PLACES.items() if head[at:].startswith(magic)]
    known += [text for magic, text in _KINDS.items() if head.startswith(magic)]
    if known:
        return f"it is {known[0]}"
    if not head.strip(b"\0"):
        return f"it is {'filled with zeros' if head else 'empty'}; copy or download it again"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "it is a web page, perhaps a server's message or log-in; download the file again"
    return "it is an XML file" if text.startswith(b"<?xml") else f"it begins with {head[:10]!r}"

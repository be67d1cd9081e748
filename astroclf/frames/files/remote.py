# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files on servers and in S3 buckets, of which no more is fetched than is read."""

import io
import os
import re
from contextlib import contextmanager
from urllib.parse import urlsplit

from astroclf.exceptions import FrameError, MissingDependencyError

__all__ = ["is_url", "open_url", "url_name"]

_URL = re.compile(r"(https?|s3)://.", re.IGNORECASE)
_INSTALL = "reading {} needs packages that are not installed; run: pip install 'astroclf[remote]'"
_CONNECT, _ANSWER = 10, 30
"""Seconds to wait for a connection, and for the next bytes of an answer."""

_LEAST, _MOST = 2**16, 2**20
"""Bytes to ask for at least, and at most where reading goes on in small steps; a large read is asked for as it is."""

_CREDENTIALS = "AWS_ACCESS_KEY_ID", "AWS_PROFILE"


def is_url(source):
    """Return whether a text is the address of a remote file: ``http://``, ``https://`` or ``s3://``."""
    return isinstance(source, str) and _URL.match(source) is not None


def url_name(url):
    """Return the file name in an address: the end of its path, or of a query such as that of the archive at MAST."""
    name = urlsplit(url).path.rpartition("/")[2]
    return name if "." in name else url.rpartition("/")[2]


@contextmanager
def open_url(url):
    """
    Open a remote file.

    Buckets are read without credentials unless AWS_ACCESS_KEY_ID or AWS_PROFILE is set, or fsspec is configured
    for ``s3``; AWS_ENDPOINT_URL and the other variables of botocore are honoured, and the proxies of the environment.

    Parameters
    ----------
    url : str
        Its address.

    Yields
    ------
    stream : binary file
        Its bytes; those that are read are fetched. Of a server that knows no ranges, all are, in order.

    Raises
    ------
    FrameError
        If it cannot be had; the message says what the server answered.
    MissingDependencyError
        If the packages of the extra ``remote`` are not installed.
    """
    with _told(url):
        stream = _Remote(url, *_opened(url))
    with stream:
        yield stream


def _opened(url):
    """Return an open file, and its size; None if it can be read in order only."""
    try:
        system = _bucket_system() if _in_bucket(url) else _web_system()
    except ImportError as error:
        raise MissingDependencyError(_INSTALL.format(url.partition(":")[0] + "://")) from error
    path = system._strip_protocol(url)
    file = system.open(path, "rb", block_size=_LEAST, cache_type="none")
    if file.size is not None and _knows_ranges(file, url):
        return file, file.size
    file.close()
    return system.open(path, "rb", block_size=0), None


def _in_bucket(url):
    return url[:2].lower() == "s3"


def _bucket_system():
    """Return the file system of S3; without credentials unless some are named."""
    import fsspec
    from s3fs import S3FileSystem

    settled = "s3" in fsspec.config.conf or any(map(os.environ.get, _CREDENTIALS))
    return S3FileSystem() if settled else S3FileSystem(anon=True)


def _web_system():
    """Return the file system of web servers, whose files are had as they are stored."""
    import aiohttp
    from fsspec.implementations.http import HTTPFileSystem

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_ANSWER)
    as_stored = {"headers": {"Accept-Encoding": "identity"}, "auto_decompress": False}
    return HTTPFileSystem(client_kwargs={"timeout": timeout, "trust_env": True, **as_stored})


def _knows_ranges(file, url):
    if _in_bucket(url):
        return True
    try:
        file.seek(1)
        return len(file.read(1)) == 1
    except ValueError:  # how fsspec says that the answer began at the first byte
        return False


@contextmanager
def _told(url):
    """Say in one line why a remote file cannot be had."""
    try:
        yield
    except (FrameError, MissingDependencyError):
        raise
    except Exception as error:  # aiohttp, botocore and the sockets raise a score of kinds
        msg = f"{url}: {_answer(error)}"
        raise FrameError(msg) from error


def _answer(error):
    """Return what a server's refusal or silence means."""
    causes = error, error.__cause__, error.__context__
    status = next((cause.status for cause in causes if getattr(cause, "status", None)), None)
    if status in (401, 403) or isinstance(error, PermissionError):
        return f"the server does not hand it out ({status or 403}); it may need credentials"
    if status not in (None, 404):
        return f"the server answers {status}"
    if isinstance(error, FileNotFoundError):
        reason = error.__cause__
        if status is None and isinstance(reason, OSError):
            return f"cannot be reached: {_text(reason)}"
        return "is not there (404)"
    if isinstance(error, TimeoutError):
        return f"the server has not answered for {_ANSWER} s"
    return f"the connection failed: {_text(error)}"


def _text(error):
    return " ".join(str(error).split()) or type(error).__name__


class _Remote(io.RawIOBase):
    """
    The bytes of a remote file, a few more than are wanted being fetched at a time.

    Parameters
    ----------
    url : str
        Its address, for messages.
    file : fsspec file
        The open file, without a cache.
    size : int or None
        Its size in bytes; None if it can be read in order only.
    """

    def __init__(self, url, file, size):
        self._url, self._file, self._size = url, file, size
        self._at, self._start, self._ahead, self._buffer = 0, 0, _LEAST, b""

    def readable(self):
        return True

    def seekable(self):
        return self._size is not None

    def seek(self, offset, whence=0):
        if not self.seekable():
            msg = "cannot seek"
            raise io.UnsupportedOperation(msg)
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self):
        return self._at

    def readinto(self, target):
        wanted = len(target) if self._size is None else max(min(len(target), self._size - self._at), 0)
        held = self._buffer[self._at - self._start :][:wanted] if self._at >= self._start else b""
        part = held + self._fetch(self._at + len(held), wanted - len(held)) if len(held) < wanted else held
        target[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _fetch(self, at, wanted):
        """Return bytes that are not in the buffer, and keep those that came with them."""
        goes_on = at == self._start + len(self._buffer)
        self._ahead = min(2 * self._ahead, _MOST) if goes_on else _LEAST
        with _told(self._url):
            if self.seekable():
                self._file.seek(at)
            self._start, self._buffer = at, self._file.read(max(wanted, self._ahead))
        return self._buffer[:wanted]

    def close(self):
        if not self.closed:
            self._file.close()
        super().close()

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Calls to the system that fail, or in which the process dies: each call that can change a folder is counted."""

import builtins
import errno
import io
import os
from pathlib import Path

CALLS = (
    "open", "write", "pwrite", "fsync", "replace", "rename", "unlink", "copy_file_range", "ftruncate", "fchmod",
    "fchown", "utime", "setxattr", "removexattr",
)  # fmt: skip
KILLED = 9


class Injection:
    """
    What stands between a process and the system, for files in one folder.

    Parameters
    ----------
    folder : path
        The folder.
    number : int
        The call in which the fault happens, counted from 1; 0 for none.
    fault : callable
        Called with the injection, the name of the call and the function that does it, and its arguments; what it
        returns is returned.
    """

    def __init__(self, folder, number=0, fault=None):
        self.folder, self.number, self.fault = str(folder), number, fault
        self.count, self.calls = 0, []

    def install(self):
        """Put it in place, for the rest of the life of this process."""
        raw_open = io.open
        for name in CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))
        opener = self._counted("open", lambda *args, **kwargs: self._open(raw_open, *args, **kwargs))
        io.open = builtins.open = opener

    def call(self, name, function, *args, **kwargs):
        """Count a call and do it, or what the fault makes of it."""
        self.count += 1
        self.calls.append(name)
        if self.number and self.fault and self.count >= self.number:
            return self.fault(self, name, function, *args, **kwargs)
        return function(*args, **kwargs)

    def _counted(self, name, function):
        def counted(*args, **kwargs):
            if self._is_ours(args[0]):
                return self.call(name, function, *args, **kwargs)
            return function(*args, **kwargs)

        return counted

    def _is_ours(self, target):
        if isinstance(target, int):
            try:
                target = os.readlink(f"/proc/self/fd/{target}")
            except OSError:
                return False
        return isinstance(target, str | os.PathLike) and str(Path(target)).startswith(self.folder)

    def _open(self, raw_open, file, mode="r", buffering=-1, *args, **kwargs):
        """Open a file so that each write to it, from whatever buffer, is a call of its own."""
        if isinstance(file, int) or "b" not in mode or not set(mode) & set("wxa+"):
            return raw_open(file, mode, buffering, *args, **kwargs)
        raw = _File(file, mode)
        raw.injection = self
        if buffering == 0:
            return raw
        return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)


class _File(io.FileIO):
    """A file whose writes are counted."""

    def write(self, content):
        return self.injection.call("write", io.FileIO.write, self, content)


def fail(code, forever=False):
    """Make a fault: the call fails, and with ``forever`` all that follow do."""

    def fault(injection, name, function, *args, **kwargs):
        if forever or injection.count == injection.number:
            raise OSError(code, os.strerror(code))
        return function(*args, **kwargs)

    return fault


def die(injection, name, function, *args, **kwargs):
    """Be killed before the call."""
    os._exit(KILLED)


def die_halfway(injection, name, function, *args, **kwargs):
    """Be killed when half of the bytes are written; before calls that write none."""
    if name in ("write", "pwrite"):
        target, content, *position = args
        function(target, bytes(content)[: len(content) // 2], *position)
    os._exit(KILLED)


def forbid(path, mode):
    """Make a fault: from the call on a file or folder has another mode."""

    def fault(injection, name, function, *args, **kwargs):
        if injection.count == injection.number:
            os.chmod(path, mode)
        return function(*args, **kwargs)

    return fault


FAULTS = {
    "killed": die,
    "killed halfway": die_halfway,
    "EIO": fail(errno.EIO),
    "ENOSPC": fail(errno.ENOSPC),
    "EIO from then on": fail(errno.EIO, forever=True),
}

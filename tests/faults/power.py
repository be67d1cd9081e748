# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a power cut can leave of a folder, in the manner of ALICE (Pillai et al. 2014, OSDI 14, 433).

All calls that change a folder are recorded while a file is tagged. The power can fail after each of them. Then there is
all that was synced, and of what came after the last sync of a file or a folder

- each sector of 512 bytes of a file as it was after any of the writes to it, or before them;
- the file of any of the lengths it has had, with zeros in sectors that were never written, and of any of its modes;
- each new, changed or removed name or not: any of these without the others (``arbitrary``); where it is the first ones
  without the later ones, file systems that keep their order can leave that, too (``ordered``).

Names are synced by the sync of their folder only, not by that of the file.
"""

import collections
import itertools
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from injection import Injection

SECTOR = 512


@dataclass
class Left:
    """
    In which circumstances a folder can be left so.

    Parameters
    ----------
    ordered : bool
        Also by a file system that keeps the order of names.
    done : bool
        Also after the last operation, when all was said to be done.
    """

    ordered: bool = False
    done: bool = False


def cut(disk, operations, most, rng):
    """
    Find what a power cut can leave, before, between and after operations.

    Parameters
    ----------
    disk, operations
        As of `Recorder.record`.
    most : int
        As for `Disk.left`.
    rng : `random.Random`
        To draw.

    Returns
    -------
    left : dict
        A `Left` for each content of the folder: a frozenset of (path, content, mode).
    """
    found = collections.defaultdict(Left)
    for number in range(len(operations) + 1):
        for files, ordered in disk.left(most, rng):
            found[files].ordered |= ordered
            found[files].done |= number == len(operations)
        if number < len(operations):
            method, *args = operations[number]
            getattr(disk, method)(*args)
    return found


class Recorder(Injection):
    """
    Records the calls that change files in one folder. Syncs are recorded, not done: they do not change what is there.

    Parameters
    ----------
    folder : path
        The folder.
    unsynced : str, optional
        What is not synced: ``journal``, ``draft``, ``file`` or ``folder``; to see that this is found.
    """

    def __init__(self, folder, unsynced=None):
        super().__init__(folder)
        self.unsynced, self.operations = unsynced, None

    def record(self, function):
        """
        Call a function.

        Returns
        -------
        disk : Disk
            The folder as it was before, all of it synced.
        operations : list of tuple
            What was done: the name of a method of `Disk`, and its arguments.
        """
        files = self._files()
        self.numbers = {path.stat().st_ino: number for number, path in enumerate(files)}
        self.operations = []
        function()
        operations, self.operations = self.operations, None
        disk = Disk(files)
        for method, *args in operations:
            getattr(disk, method)(*args)
        if self._files() != disk.current():
            raise AssertionError("a change was not recorded")
        return Disk(files), operations

    def _files(self):
        files = [path for path in Path(self.folder).rglob("*") if path.is_file()]
        return {path: (path.read_bytes(), _mode(path)) for path in files}

    def call(self, name, function, *args, **kwargs):
        """Do a call, and record it while that is wanted."""
        if name == "fsync":
            return self._sync(*args)
        record = _RECORDED.get(name)
        if record is None or self.operations is None:
            return function(*args, **kwargs)
        return record(self, function, *args, **kwargs)

    def _sync(self, descriptor):
        if self.operations is None:
            return
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path.is_dir():
            kind, operation = "folder", ("sync_folder", path)
        else:
            kind = {".undo": "journal", ".tmp": "draft"}.get(path.suffix, "file")
            operation = "sync", self._number(descriptor)
        if kind != self.unsynced:
            self.operations.append(operation)

    def _record_open(self, function, path, *args, **kwargs):
        new = not isinstance(path, int) and not os.path.lexists(path)
        result = function(path, *args, **kwargs)
        if new:
            number = len(self.numbers) + len(self.operations)  # no other has it
            self.numbers[os.stat(path).st_ino] = number
            self.operations.append(("create", Path(path), number, _mode(path)))
        return result

    def _record_write(self, function, file, content, *position):
        start = position[0] if position else _position(file)
        written = function(file, content, *position)
        self.operations.append(("write", self._number(file), start, bytes(content)[:written]))
        return written

    def _record_mode(self, function, descriptor, mode):
        function(descriptor, mode)
        self.operations.append(("change_mode", self._number(descriptor), mode))

    def _record_rename(self, function, path, other=None):
        function(path, *(() if other is None else (other,)))
        self.operations.append(("rename", Path(path), other and Path(other)))

    def _number(self, file):
        return self.numbers[os.fstat(file if isinstance(file, int) else file.fileno()).st_ino]


_RECORDED = {
    "open": Recorder._record_open,
    "write": Recorder._record_write,
    "pwrite": Recorder._record_write,
    "fchmod": Recorder._record_mode,
    "unlink": Recorder._record_rename,
    "replace": Recorder._record_rename,
    "rename": Recorder._record_rename,
}


class Disk:
    """
    What is synced of some files, and what is not.

    Parameters
    ----------
    files : dict
        Content (bytes) and mode of each file, by path; all is synced.
    """

    def __init__(self, files):
        self.names = {path: number for number, path in enumerate(files)}
        self.changes = []
        self.versions = dict(enumerate([version] for version in files.values()))

    def create(self, path, number, mode):
        """Make an empty file."""
        self.versions[number] = [(b"", mode)]
        self.changes.append({path: number})

    def write(self, number, position, content):
        """Write into a file."""
        old, mode = self.versions[number][-1]
        new = old.ljust(position, b"\0")
        self.versions[number].append((new[:position] + content + new[position + len(content) :], mode))

    def change_mode(self, number, mode):
        """Give a file another mode."""
        self.versions[number].append((self.versions[number][-1][0], mode))

    def rename(self, path, other):
        """Give a file another name, or none."""
        change = {path: None}
        if other is not None:
            change[other] = self._names(self.changes)[path]
        self.changes.append(change)

    def sync(self, number):
        """Sync a file."""
        del self.versions[number][:-1]

    def sync_folder(self, folder):
        """Sync the names in a folder."""
        synced = [change for change in self.changes if all(path.parent == folder for path in change)]
        self.names = self._names(synced)
        self.changes = [change for change in self.changes if change not in synced]

    def current(self):
        """Return what is there as long as the power stays on."""
        names = self._names(self.changes)
        return {path: self.versions[number][-1] for path, number in names.items()}

    def left(self, most, rng):
        """
        Yield what a power cut can leave.

        Parameters
        ----------
        most : int
            As many at most for each choice of names; where there are more they are drawn at random.
        rng : `random.Random`
            To draw.

        Yields
        ------
        files : frozenset of (path, bytes, int)
            Paths, contents and modes; some can come twice.
        ordered : bool
            Whether the changes of names that are there are the first ones.
        """
        for chosen in itertools.product((True, False), repeat=len(self.changes)):
            names = self._names(itertools.compress(self.changes, chosen))
            ordered = list(chosen) == sorted(chosen, reverse=True)
            numbers = sorted(set(names.values()))
            torn = [_Torn(self.versions[number]) for number in numbers]
            for files in _combinations(torn, most, rng):
                found = dict(zip(numbers, files))
                yield frozenset((path, *found[number]) for path, number in names.items()), ordered

    def _names(self, changes):
        names = dict(self.names)
        for change in changes:
            names |= change
        return {path: number for path, number in names.items() if number is not None}


class _Torn:
    """What can be left of one file that has had several contents and modes since its last sync."""

    def __init__(self, versions):
        contents = [content for content, _ in versions]
        self.sizes = _distinct(map(len, contents))
        self.modes = _distinct(mode for _, mode in versions)
        self.longest = max(self.sizes)
        self.base = contents[0].ljust(self.longest, b"\0")
        sectors = {start: _distinct(_sector(content, start) for content in contents)
                   for start in range(0, self.longest, SECTOR)}  # fmt: skip
        self.sectors = {start: found for start, found in sectors.items() if len(found) > 1}
        self.count = len(self.sizes) * len(self.modes) * math.prod(map(len, self.sectors.values()))

    def all(self):
        """Yield all."""
        for size, mode, *sectors in itertools.product(self.sizes, self.modes, *self.sectors.values()):
            yield self._made(size, mode, sectors)

    def some(self, most, rng):
        """Yield what all of the first and all of the last sectors make, of each size, and others drawn at random."""
        for size, mode, turn in itertools.product(self.sizes, self.modes, (0, -1)):
            yield self._made(size, mode, [found[turn] for found in self.sectors.values()])
        for _ in range(most - 2 * len(self.sizes) * len(self.modes)):
            share = rng.random()
            sectors = [found[-1] if rng.random() < share else rng.choice(found) for found in self.sectors.values()]
            yield self._made(rng.choice(self.sizes), rng.choice(self.modes), sectors)

    def _made(self, size, mode, sectors):
        content = bytearray(self.base)
        for start, sector in zip(self.sectors, sectors):
            content[start : start + SECTOR] = sector
        return bytes(content[:size]), mode


def _combinations(torn, most, rng):
    """Return what can be left of several files together, at most so many."""
    if math.prod(each.count for each in torn) <= most:
        return itertools.product(*(each.all() for each in torn))
    some = [list(each.all() if each.count <= most else each.some(most, rng)) for each in torn]
    if math.prod(map(len, some)) <= most:
        return itertools.product(*some)
    return [tuple(map(rng.choice, some)) for _ in range(most)]


def _sector(content, start):
    return content[start : start + SECTOR].ljust(SECTOR, b"\0")


def _distinct(values):
    return list(dict.fromkeys(values))


def _position(file):
    return os.lseek(file, 0, os.SEEK_CUR) if isinstance(file, int) else file.tell()


def _mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the disk's room: locks, drafts, journals, recovery, and what the program says of them."""

import csv
import fcntl
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from astroclf import read_frame, read_tags, recover, remove_label, remove_tags, summarize, write_label
from astroclf.cli import main
from astroclf.exceptions import AstroclfWarning, FrameError, TagError
from astroclf.storage import drafts, locks
from astroclf.storage.journal import Journal, Patch
from astroclf.storage.names import draft_beside, is_draft, is_journal, journal_beside
from astroclf.storage.recovery import orphans
from astroclf.tags import plan_label

NOBODY = 65534


def _make(folder, name="frame.fits", cards=0, **options):
    hdu = fits.PrimaryHDU(np.random.default_rng(12345).normal(100, 9, (40, 50)).astype("f4"))
    hdu.header.extend([(f"KEY{i}", i) for i in range(cards)], end=True)
    hdu.writeto(folder / name, **options)
    return folder / name


@pytest.fixture
def path():
    """Return a FITS file whose header has room, in a folder of its own in which anybody may look; nobody has, yet."""
    drafts.sweep.cache_clear()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield _make(folder)


@pytest.fixture
def torn(path):
    """Return a file whose header another process has left half new, with its journal, and the bytes it had before."""
    before = path.read_bytes()
    _tear(path)
    orphans.cache_clear()
    assert path.read_bytes() != before
    return path, before


def _tear(path, share=0.5, label="star"):
    """Leave a file as a process leaves it that is killed while it writes the header."""
    status, before = path.stat(), path.read_bytes()
    write_label(path, label, by="ann")
    after = path.read_bytes()
    path.write_bytes(before)
    start, end = 0, 2880
    patch = Patch(start, before[start:end], after[start:end])
    times = (status.st_atime_ns, status.st_mtime_ns)
    journal = Journal(path.name, status.st_ino, status.st_size, times, (patch,))
    journal_beside(path).write_bytes(journal.to_bytes())
    cut = before.index(b"END     ") + int(share * 240)
    path.write_bytes(after[:cut] + before[cut:])
    return after


def _hidden(folder):
    return sorted(name for name in os.listdir(folder) if name.startswith("."))


# In place or as a new file


def test_header_with_room_is_written_in_place(path):
    """Tags, labels and their removal leave a file with room where it is, with all its other bytes."""
    before, inode = path.read_bytes(), path.stat().st_ino
    write_label(path, "star", by="ann")
    assert path.read_bytes()[2880:] == before[2880:]
    assert read_tags(path).human_label == "star"
    write_label(path, "spiral_galaxy", by="ann")
    remove_tags(path, all=True)
    assert path.stat().st_ino == inode
    assert path.read_bytes() == before
    assert _hidden(path.parent) == []


@pytest.mark.parametrize("name", ["frame.fits", "frame.fits.gz"])
def test_new_file_where_it_must_be(tmp_path, name):
    """With ``atomic``, for a packed file, and where the header needs another block, a new file takes the place."""
    path = _make(tmp_path, name)
    old = path.stat().st_ino
    keep = open(path, "rb")  # so that the system does not give its number to the new file
    write_label(path, "star", by="ann", atomic=name == "frame.fits")
    assert path.stat().st_ino != old
    keep.close()
    full = _make(tmp_path, "full.fits", cards=27)
    old, size = full.stat().st_ino, full.stat().st_size
    with open(full, "rb"):
        write_label(full, "star", by="ann")
        assert full.stat().st_ino != old
    assert full.stat().st_size == size + 2880
    old = full.stat().st_ino
    write_label(full, "spiral_galaxy", by="ann")
    assert full.stat().st_ino == old


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux counts the bytes of a process")
def test_little_is_read_and_written(path, monkeypatch):
    """Without checksums to check, neither are the data of a file read, nor is more written than headers and journal."""
    os.truncate(path, 5 * 2**20)
    touched = []
    pread, pwrite, fdopen = os.pread, os.pwrite, open
    monkeypatch.setattr("os.pread", lambda *args: touched.append(args[1]) or pread(*args))
    monkeypatch.setattr("os.pwrite", lambda *args: touched.append(len(args[1])) or pwrite(*args))
    begin = _bytes_read()
    write_label(path, "star", by="ann")
    assert sum(touched) < 50_000
    assert _bytes_read() - begin < 500_000
    assert fdopen is open


def _bytes_read():
    facts = Path("/proc/self/io").read_text(encoding="ascii")
    return int(re.search(r"rchar: (\d+)", facts)[1])


@pytest.mark.parametrize("options", [{}, {"atomic": True}])
@pytest.mark.parametrize("name", ["frame.fits", "frame.fits.gz"])
def test_times(tmp_path, name, options):
    """The times of a file are kept if that is asked for, and only then."""
    path = _make(tmp_path, name)
    os.utime(path, ns=(10**18, 10**18 + 7))
    write_label(path, "star", by="ann", keep_times=True, **options)
    assert (path.stat().st_atime_ns, path.stat().st_mtime_ns) == (10**18, 10**18 + 7)
    remove_label(path, keep_times=True, **options)
    assert path.stat().st_mtime_ns == 10**18 + 7
    remove_tags(path, all=True, **options)
    assert path.stat().st_mtime_ns > 10**18 + 7


def test_detached_file_is_a_new_one(path):
    """A file of two names is never written in place: the other name keeps the old content."""
    other = path.with_name("other.fits")
    other.hardlink_to(path)
    before = path.read_bytes()
    write_label(path, "star", by="ann", detach=True)
    assert other.read_bytes() == before
    assert other.stat().st_nlink == path.stat().st_nlink == 1


# Journals


@given(
    st.text(min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 2**40), st.binary(min_size=1, max_size=50)), min_size=1, max_size=4),
    st.integers(0, 2000),
)
@settings(max_examples=60)
def test_journal_is_whole_or_nothing(name, spans, place):
    """A journal reads back as it was written; cut short or with one wrong byte it is none."""
    patches = tuple(Patch(start, old, bytes(255 - byte for byte in old)) for start, old in spans)
    journal = Journal(name, 12, 34, (56, 78), patches)
    content = journal.to_bytes()
    assert Journal.from_bytes(content, Path("x")) == journal
    place %= len(content)
    assert Journal.from_bytes(content[:place], Path("x")) is None
    if place > len(b"astroclf undo 1"):
        damaged = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        assert Journal.from_bytes(damaged, Path("x")) is None


def test_names(tmp_path):
    """Hidden names are known as such, short for long names, and no others are."""
    long = tmp_path / ("x" * 250 + ".fits")
    assert is_journal(journal_beside(long))
    assert len(journal_beside(long).name) < 40
    assert is_draft(draft_beside(long))
    assert draft_beside(long) != draft_beside(long)
    assert not any(map(is_draft, [long, journal_beside(long), tmp_path / ".astroclf-notes.tmp"]))


OPENERS = {
    "read_tags": lambda path: read_tags(path),
    "read_frame": read_frame,
    "summarize": lambda path: summarize(read_frame(path)),
    "plan_label": lambda path: plan_label(path, "star"),
    "remove_tags": remove_tags,
    "recover": recover,
    "link": lambda path: _through_link(path),
    "astroclf show": lambda path: main(["show", str(path)]),
    "astroclf info": lambda path: main(["info", str(path)]),
    "astroclf recover": lambda path: main(["recover", str(path.parent)]),
}


def _through_link(path):
    link = path.parent / "links" / "link.fits"
    link.parent.mkdir()
    link.symlink_to("../frame.fits")
    read_tags(link)


@pytest.mark.parametrize("opener", OPENERS)
def test_whoever_opens_a_half_written_file_restores_it(torn, opener):
    """A header that is half written is put back by whatever opens the file, with the times it had."""
    path, before = torn
    OPENERS[opener](path)
    assert path.read_bytes() == before
    assert _hidden(path.parent) == []


def test_restored_file_has_its_times(path):
    """A file that was put back looks as if it had never been touched."""
    os.utime(path, ns=(10**18, 10**18 + 7))
    _tear(path)
    (one,) = recover(path)
    assert (one.path, one.done) == (path, "restored")
    assert path.stat().st_mtime_ns == 10**18 + 7


@pytest.mark.parametrize(("share", "new"), [(0.0, False), (12.0, True)])
def test_journal_of_a_whole_file(path, share, new):
    """A journal whose file is all old or all new changes nothing, and goes."""
    before = path.read_bytes()
    after = _tear(path, share)
    (one,) = recover(path.parent)
    assert (one.path, one.done) == (path, "whole")
    assert path.read_bytes() == (after if new else before)
    assert _hidden(path.parent) == []


@pytest.mark.parametrize("cut", [0, 10, 40, 400])
def test_incomplete_journal(torn, cut):
    """A journal that was cut short was never obeyed by anybody: it goes, and the file is left alone."""
    path, before = torn
    undo = journal_beside(path)
    undo.write_bytes(undo.read_bytes()[:cut])
    path.write_bytes(before)
    assert read_tags(path) is None
    assert path.read_bytes() == before
    assert _hidden(path.parent) == []


def test_foreign_change_is_not_undone(torn):
    """A header that another program has changed since is left as it is, with a warning."""
    path, before = torn
    now = before.replace(b"conforms to FITS standard", b"changed by another thing ")
    path.write_bytes(now)
    with pytest.warns(AstroclfWarning, match=r"frame.fits: was being changed when astroclf was stopped"):
        read_tags(path)
    assert path.read_bytes() == now
    assert _hidden(path.parent) == []


def test_journal_of_another_version(torn):
    """What another version has left is not touched, and said."""
    path, _ = torn
    undo = journal_beside(path)
    undo.write_bytes(undo.read_bytes().replace(b"undo 1", b"undo 2", 1))
    with pytest.raises(TagError, match="undo journal of version 2"):
        read_tags(path)
    with pytest.raises(FrameError, match="undo journal of version 2"):
        read_frame(path)
    (one,) = recover(path.parent)
    assert (one.path, one.done) == (undo, "failed")
    assert undo.exists()


@pytest.mark.parametrize("opener", [read_tags, read_frame, remove_tags])
@pytest.mark.parametrize("taken", [False, True])
def test_whoever_opens_a_renamed_half_written_file_restores_it(torn, opener, taken):
    """A half-written file that was renamed is put back, and another that has its old name is left as it is."""
    path, before = torn
    moved = path.rename(path.with_name("moved.fits"))
    if taken:
        other = _make(path.parent, cards=5).read_bytes()
        assert read_tags(path) is None
        assert path.read_bytes() == other
        assert len(_hidden(path.parent)) == 1
    opener(moved)
    assert moved.read_bytes() == before
    assert _hidden(path.parent) == []


def test_name_of_a_renamed_half_written_file_is_free(torn):
    """Who writes to another file with the name that a half-written one had puts that right first."""
    path, before = torn
    moved = path.rename(path.with_name("moved.fits"))
    write_label(_make(path.parent), "star", by="ann")
    assert moved.read_bytes() == before
    assert read_tags(path).human_label == "star"
    assert _hidden(path.parent) == []


def test_folder_is_looked_through_once(torn, monkeypatch):
    """However many files are opened, the journals of renamed ones are looked for once."""
    path, before = torn
    moved = path.rename(path.with_name("moved.fits"))
    scanned, scandir = [], os.scandir
    monkeypatch.setattr("os.scandir", lambda folder: scanned.append(folder) or scandir(folder))
    for file in (_make(path.parent), _make(path.parent, "other.fits"), moved):
        read_tags(file)
    assert scanned == [path.parent]
    assert moved.read_bytes() == before


def test_renamed_file_is_found(torn):
    """``recover`` finds a half-written file that was renamed; one that is gone is named, and its journal kept."""
    path, before = torn
    moved = path.rename(path.with_name("moved.fits"))
    (one,) = recover(path.parent)
    assert (one.path, one.done) == (moved, "restored")
    assert moved.read_bytes() == before
    _tear(moved)
    moved.unlink()
    (one,) = recover(path.parent)
    assert (one.done, one.reason) == ("failed", "its file, moved.fits, is not there; put it back into the folder")
    assert _hidden(path.parent) == [one.path.name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
@pytest.mark.parametrize("whole", [False, True])
def test_half_written_file_that_may_not_be_written(torn, whole, unprivileged):
    """Who may not put a half-written file back is told so, never shown it; a whole one is shown."""
    path, before = torn
    if whole:
        path.write_bytes(before)
    unprivileged()
    if whole:
        assert read_tags(path) is None
    else:
        with pytest.raises(TagError, match="half changed by a process that was stopped, and read-only"):
            read_tags(path)
        with pytest.raises(FrameError, match="half changed by a process that was stopped, and read-only"):
            read_frame(path)
        assert [one.done for one in recover(path)] == ["failed"]
    assert len(_hidden(path.parent)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_journal_of_another_user_is_not_trusted(torn, unprivileged):
    """A journal by which somebody else could have a file changed is not obeyed."""
    path, _ = torn
    os.chown(journal_beside(path), 12345, 12345)
    now = path.read_bytes()
    with pytest.raises(TagError, match=r"an undo journal of another user \(12345\)"):
        read_tags(path)
    assert path.read_bytes() == now


@pytest.fixture
def unprivileged(path):
    """Return a function that lets this process act as a user who may read the file, and not write to it."""

    def become():
        for file in path.parent.iterdir():
            file.chmod(0o644)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)

    yield become
    os.seteuid(0)
    os.setegid(0)


# Locks and drafts


def test_second_writer_waits_and_is_told(path, monkeypatch):
    """Where another process holds a file, a writer is told after a while; a reader sees the old file."""
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TagError, match=r"frame.fits: another process is writing to it; let that end"):
            write_label(path, "star", by="ann")
        assert read_tags(path) is None
    assert write_label(path, "star", by="ann").human_label == "star"


def test_journal_of_a_living_writer_is_left(torn, monkeypatch):
    """While a writer is at work, its journal is nobody else's: who opens the file waits, or is told."""
    path, before = torn
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    now = path.read_bytes()
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for opener, error in ((read_tags, TagError), (read_frame, FrameError)):
            with pytest.raises(error, match="another process is writing to it"):
                opener(path)
        assert path.read_bytes() == now
    read_tags(path)
    assert path.read_bytes() == before


def test_lock_of_a_replaced_file_is_not_enough(path):
    """Whoever waited for a file that was replaced meanwhile locks the new one."""
    with locks.locked(path) as stream:
        assert locks.is_at(stream, path)
        path.with_name("new").write_bytes(path.read_bytes())
        path.with_name("new").replace(path)
        assert not locks.is_at(stream, path)
        with locks.locked(path) as second:
            assert locks.is_at(second, path)


def test_leftover_drafts_go(path):
    """The next run in a folder removes drafts of processes that are gone; one being written stays."""
    dead, alive, foreign = draft_beside(path), draft_beside(path), path.with_name(".notes.tmp")
    for file in (dead, alive, foreign):
        file.touch()
    with open(alive, "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert {(one.path, one.done) for one in recover(path.parent)} == {(dead, "removed"), (alive, "busy")}
        dead.touch()
        write_label(path, "star", by="ann")
        assert _hidden(path.parent) == sorted([alive.name, foreign.name])
    (one,) = recover(path.parent)
    assert (one.path, one.done) == (alive, "removed")
    assert foreign.exists()


# The program


def test_recover_says_what_it_did(torn, capsys):
    """``astroclf recover`` has a line for each file, a table if wanted, and names what is not there."""
    path, _ = torn
    folder = str(path.parent)
    assert main(["recover", folder]) == 0
    assert capsys.readouterr().out == f"{path}: restored to what it was\n"
    assert main(["recover", str(path), folder]) == 0
    assert capsys.readouterr().out == f"{path}: nothing to recover\n{folder}: nothing to recover\n"
    _tear(path)
    assert main(["recover", "-t", "csv", folder]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row == {"file": str(path), "status": "restored", "reason": ""}
    _tear(path)
    path.unlink()
    assert main(["recover", "-t", "json", folder]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["status"] == "failed"
    assert row["reason"].startswith("its file, frame.fits, is not there")
    assert main(["recover", str(path)]) == 1
    assert "no such file or folder" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [["label", "--as", "star"], ["label", "--remove"], ["untag"]])
def test_options_of_the_verbs(path, verb):
    """``--atomic`` and ``--keep-times`` reach the writer."""
    write_label(path, "spiral_galaxy", by="ann")
    os.utime(path, ns=(10**18, 10**18))
    with open(path, "rb") as old:
        all = ["--all"] if verb == ["untag"] else []
        assert main([*verb, *all, "--atomic", "--keep-times", str(path)]) == 0
        assert os.fstat(old.fileno()).st_nlink == 0
    assert path.stat().st_mtime_ns == 10**18


def test_tag_in_a_process_of_its_own_is_killed(path):
    """A process that is killed in the middle of a header is undone by the next, which need not know of it."""
    code = """
import os, sys
from astroclf import write_label
write = os.pwrite
def die(descriptor, content, start):
    if bytes(content[:6]) == b"SIMPLE":
        write(descriptor, bytes(content)[:600], start)
        os._exit(9)
    return write(descriptor, content, start)
os.pwrite = die
write_label(sys.argv[1], "star", by="ann")
"""
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(path)], check=False, timeout=300)
    assert done.returncode == 9
    assert path.read_bytes() != before
    assert len(_hidden(path.parent)) == 1
    assert read_tags(path) is None
    assert path.read_bytes() == before
    assert _hidden(path.parent) == []

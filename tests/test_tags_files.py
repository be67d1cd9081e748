# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of tagging files: the promises of the tag block, each with a test that can fail."""

import bz2
import errno
import gzip
import io
import os
import resource
import shutil
import struct
import tempfile
import threading
import warnings
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from astroclf.exceptions import AstroclfWarning, TagError
from astroclf.frames.frame import Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import plan_tags, read_tags, remove_tags, to_cards, write_tags
from astroclf.taxonomy import groups, labels

NOBODY = 65534
PREDICTION = Prediction(
    labels=labels(),
    probs=(0.93,) + (0.07 / 13,) * 13,
    groups=groups(),
    group_probs=(0.97,) + (0.005,) * 6,
    status=Status.OK,
    quality=0.0,
    provenance=Provenance("model", "ab" * 32, "0123456789ab"),
    origin=Origin(hdus=("SCI,1",), datasums=("12",)),
)


def _noise(dtype="f4"):
    return np.random.default_rng(12345).normal(100, 9, (40, 50)).astype(dtype)


def _mef():
    science, flags = fits.ImageHDU(_noise(), name="SCI"), fits.ImageHDU(_noise("i2"), name="DQ")
    table = fits.BinTableHDU.from_columns([fits.Column("A", "PJ()", array=[[1], [2, 3]])])
    return [fits.PrimaryHDU(), science, flags, table]


def _compressed(data, was_primary=True, **settings):
    header = (fits.PrimaryHDU if was_primary else fits.ImageHDU)(data).header
    return [fits.PrimaryHDU(), fits.CompImageHDU(data, header=header, **settings)]


def _scaled_rice():
    image = _compressed(_noise("i2"), compression_type="RICE_1")
    image[1].header.update(BSCALE=0.5, BZERO=7.0)
    return image


def _random_groups():
    groups = fits.GroupData(_noise().reshape(40, 1, 50), bitpix=-32, parnames=["U"], pardata=[np.arange(40.0)])
    return [fits.GroupsHDU(groups)]


def _asdf():
    tree = np.frombuffer(b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n--- !core/asdf\n...\n", dtype="u1")
    column = fits.Column("ASDF_METADATA", f"{tree.size}B", array=[tree])
    return [
        fits.PrimaryHDU(),
        fits.ImageHDU(_noise(), name="SCI"),
        fits.BinTableHDU.from_columns([column], name="ASDF"),
    ]


def _full_header():
    """Return an image whose header fills its blocks to the last card."""
    hdu = fits.PrimaryHDU(_noise())
    hdu.header.extend([(f"KEY{i}", i) for i in range(71 - len(hdu.header))], end=True)
    return [hdu]


def _blank_header():
    """Return an image whose header has blank cards kept in reserve."""
    hdu = fits.PrimaryHDU(_noise())
    hdu.header.extend([("", "")] * 60, end=True)
    return [hdu]


KINDS = {
    "float": lambda: [fits.PrimaryHDU(_noise())],
    "uint16": lambda: [fits.PrimaryHDU(_noise("u2"))],
    "empty primary": lambda: [fits.PrimaryHDU()],
    "full header": _full_header,
    "blank header": _blank_header,
    "extensions": _mef,
    "random groups": _random_groups,
    "asdf": _asdf,
    "quantised": lambda: _compressed(_noise(), quantize_level=4.0),
    "quantised extension": lambda: _compressed(_noise(), was_primary=False, quantize_level=4.0),
    "scaled rice": _scaled_rice,
    "compressed uint16": lambda: _compressed(_noise("u2")),
}
PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}


def _unpacked(path):
    raw = path.read_bytes()
    if raw.startswith(b"\x1f\x8b"):
        return gzip.decompress(raw)
    return bz2.decompress(raw) if raw.startswith(b"BZh") else raw


def _headers_and_data(path):
    """Return the raw bytes of all headers and data, found with astropy rather than with our walker."""
    raw = _unpacked(path)
    with fits.open(io.BytesIO(raw), disable_image_compression=True, lazy_load_hdus=False) as hdulist:
        places = [hdu.fileinfo() for hdu in hdulist]
    headers = [raw[place["hdrLoc"] : place["datLoc"]] for place in places]
    data = [raw[place["datLoc"] : place["datLoc"] + place["datSpan"]] for place in places]
    return headers, data, raw[places[-1]["datLoc"] + places[-1]["datSpan"] :]


def _cards(header):
    cards = [header[i : i + 80] for i in range(0, len(header), 80)]
    return cards[: next(i for i, card in enumerate(cards) if card.startswith(b"END "))]


def _make(folder, kind="extensions", packer="", checksum=False, trailing=b""):
    path = folder / f"frame.fits{packer}"
    plain = folder / "plain.fits"
    fits.HDUList(KINDS[kind]()).writeto(plain, checksum=checksum)
    path.write_bytes(PACKERS[packer](plain.read_bytes() + trailing))
    plain.unlink()
    return path


def _temporaries(folder):
    return [name for name in os.listdir(folder) if name.startswith(".")]


@pytest.fixture(
    params=[(kind, "") for kind in KINDS] + [("extensions", ".gz"), ("uint16", ".bz2"), ("quantised", ".gz")]
)
def any_file(request, tmp_path):
    """Return a file of each kind, with right checksums."""
    return _make(tmp_path, *request.param, checksum=True)


# Promises 1, 2, 3 and 7: what changes in a file, and what does not


def test_no_byte_of_data_changes(any_file):
    """Tagging changes no byte of the data of any HDU."""
    _, before, _ = _headers_and_data(any_file)
    assert write_tags(any_file, PREDICTION).verdict == "spiral_galaxy"
    _, after, _ = _headers_and_data(any_file)
    assert after == before


def test_no_foreign_card_changes(any_file):
    """Foreign cards stay as they are, where they are, but for the 16 characters of CHECKSUM; ours come last."""
    before, _, _ = _headers_and_data(any_file)
    write_tags(any_file, PREDICTION)
    after, _, _ = _headers_and_data(any_file)
    tagged = [i for i, (old, new) in enumerate(zip(before, after)) if old != new]
    assert len(before) == len(after)
    assert len(tagged) == 1
    old, new = _cards(before[tagged[0]]), _cards(after[tagged[0]])
    kept = new[: len(old)]
    changed = [(a, b) for a, b in zip(old, kept) if a != b]
    assert [(a[:11], a[27:]) for a, _ in changed] == [(b[:11], b[27:]) for _, b in changed]
    assert [a[:10] for a, _ in changed] == [b"CHECKSUM= "]
    assert all(card.startswith((b"CLF", b"HISTORY astroclf ")) for card in new[len(old) :])


def test_checksums_stay_right(any_file):
    """Where checksums were right they are so after tagging, tagging again, and removing."""
    for change in (write_tags, write_tags, lambda path, _: remove_tags(path)):
        change(any_file, PREDICTION)
        with fits.open(io.BytesIO(_unpacked(any_file)), checksum=True, disable_image_compression=True) as hdulist:
            assert all("CHECKSUM" in hdu.header for hdu in hdulist)
            assert all(hdu.verify_checksum() == hdu.verify_datasum() == 1 for hdu in hdulist)


def test_removing_restores_the_file(any_file):
    """Removing the block gives back the original bytes."""
    before, unpacked = any_file.read_bytes(), _unpacked(any_file)
    write_tags(any_file, replace(PREDICTION, n_set=14))
    write_tags(any_file, PREDICTION)
    assert remove_tags(any_file).verdict == "spiral_galaxy"
    assert _unpacked(any_file) == unpacked
    assert any_file.suffix != ".fits" or any_file.read_bytes() == before
    assert read_tags(any_file) is None
    stat = any_file.stat()
    assert remove_tags(any_file) is None
    assert any_file.stat() == stat


def test_tagging_twice_is_tagging_once(any_file):
    """A second tag replaces the first: only dates and CHECKSUM may differ."""
    write_tags(any_file, PREDICTION)
    once, data, _ = _headers_and_data(any_file)
    write_tags(any_file, PREDICTION)
    twice, data_again, _ = _headers_and_data(any_file)
    assert data == data_again
    changed = {a[:8] for old, new in zip(once, twice) for a, b in zip(_cards(old), _cards(new)) if a != b}
    assert [len(header) for header in once] == [len(header) for header in twice]
    assert changed <= {b"CLFDATE ", b"HISTORY ", b"CHECKSUM"}
    assert b"".join(twice).count(b"HISTORY astroclf ") == 1


@pytest.mark.parametrize("trailing", [b"x", b"\0" * 2880, b"XTRA" * 5000])
def test_bytes_after_the_last_hdu_stay(tmp_path, trailing):
    """What follows the last HDU is kept."""
    path = _make(tmp_path, trailing=trailing)
    before = path.read_bytes()
    write_tags(path, PREDICTION)
    assert path.read_bytes().endswith(trailing)
    assert read_tags(path).verdict == "spiral_galaxy"
    remove_tags(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
def test_no_checksum_is_added(tmp_path, kind):
    """A file without checksums gets none."""
    path = _make(tmp_path, kind)
    write_tags(path, PREDICTION)
    headers, _, _ = _headers_and_data(path)
    assert not any(card.startswith((b"CHECKSUM", b"DATASUM ")) for header in headers for card in _cards(header))


@pytest.mark.parametrize("hdu", [0, 1])
def test_wrong_checksum_is_not_laundered(tmp_path, hdu):
    """A wrong checksum, wherever it is, is refused; by force it is tagged, warned about and stays wrong."""
    path = _make(tmp_path, "uint16" if hdu == 0 else "extensions", checksum=True)
    headers, data, _ = _headers_and_data(path)
    damaged = bytearray(path.read_bytes())
    damaged[sum(map(len, headers[: hdu + 1] + data[:hdu])) + 5] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(TagError, match=rf"wrong before any change: CHECKSUM of HDU {hdu}, DATASUM of HDU {hdu}"):
        write_tags(path, PREDICTION)
    with pytest.raises(TagError, match="wrong before any change"):
        plan_tags(path, PREDICTION)
    assert path.read_bytes() == damaged
    with pytest.warns(AstroclfWarning, match="the file may be damaged; left as it is"):
        write_tags(path, PREDICTION, force=True)
    after, _, _ = _headers_and_data(path)
    card = next(card for card in _cards(headers[hdu]) if card.startswith(b"CHECKSUM"))
    assert card in after[hdu]
    with pytest.warns(AstroclfWarning, match="left as it is"):
        remove_tags(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("value", ["'                '", "''", "' '", ""])
def test_checksum_of_no_value_is_not_wrong(tmp_path, value):
    """A CHECKSUM without a value says nothing, and stays so."""
    path = tmp_path / "frame.fits"
    card = f"CHECKSUM= {value}".ljust(80)
    header = fits.PrimaryHDU(_noise()).header
    header.append(fits.Card.fromstring(card), end=True)
    path.write_bytes(header.tostring().encode() + bytes(8640))
    before = path.read_bytes()
    write_tags(path, PREDICTION)
    assert card.encode() in path.read_bytes()
    remove_tags(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("keyword", "value"), [("DATASUM", "many"), ("CHECKSUM", "x" * 16), ("CHECKSUM", "short")])
def test_one_wrong_card_is_enough(tmp_path, keyword, value):
    """A CHECKSUM or DATASUM on its own is checked, and one that makes no sense is wrong."""
    path = _make(tmp_path)
    with open(path, "r+b") as stream:
        header = fits.Header.fromstring(stream.read(2880))
        header[keyword] = value
        stream.seek(0)
        stream.write(header.tostring().encode())
    with pytest.raises(TagError, match=f"wrong before any change: {keyword} of HDU 0;"):
        write_tags(path, PREDICTION)


def test_long_strings_go_whole(tmp_path):
    """A string of several cards is replaced and removed with all of them."""
    path = _make(tmp_path)
    before = path.read_bytes()
    sums = tuple(str(2**32 - i) for i in range(1, 60))
    for count in (60, 8, 30):
        tags = write_tags(path, replace(PREDICTION, origin=Origin(hdus=("1",), datasums=sums[:count])))
        assert tags["CLFDSUM"] == " ".join(sums[:count])
    remove_tags(path)
    assert path.read_bytes() == before


def test_block_moves_with_the_image(tmp_path):
    """A block left in the empty primary of a compressed file is found, and a new one replaces it."""
    path = _make(tmp_path, "quantised")
    untagged = path.read_bytes()
    headers, _, _ = _headers_and_data(path)
    cards = [*_cards(headers[0]), *(card.image.encode() for card in to_cards(replace(PREDICTION, novelty=0.5)))]
    primary = b"".join([*cards, b"END".ljust(80)])
    path.write_bytes(primary.ljust(-(-len(primary) // 2880) * 2880) + untagged[len(headers[0]) :])
    assert read_tags(path)["CLFNOVEL"] == 0.5
    assert write_tags(path, PREDICTION)["CLFNOVEL"] is None
    headers, _, _ = _headers_and_data(path)
    assert [header.count(b"CLFCLASS=") for header in headers] == [0, 1]
    with fits.open(path) as hdulist:
        assert hdulist[1].header["CLFCLASS"] == "spiral_galaxy"
    remove_tags(path)
    assert path.read_bytes() == untagged


CARD_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=0, max_size=70)
FOREIGN = st.one_of(
    st.just(""),
    st.just("CLFOO   = 'not ours'"),
    st.just("HISTORY astroclf is not tagged"),
    st.just("LONG    = 'goes on&'\0CONTINUE  'and on&'\0CONTINUE  '' / at last"),
    CARD_TEXT.map("HIERARCH ESO {:.50} = 1".format),
    CARD_TEXT.map("COMMENT {}".format),
    CARD_TEXT.map("HISTORY {}".format),
    CARD_TEXT.map("CONTINUE  '{:.60}'".format),
    CARD_TEXT.map("KEY     = {}".format),
    CARD_TEXT.map("CHECKSU = '{:.60}'".format),
)


@settings(max_examples=40)
@given(st.lists(FOREIGN, max_size=80), st.binary(max_size=100).filter(lambda data: not data.startswith(b"XTENSION")))
def test_any_header_survives(lines, trailing):
    """Whatever cards a header has, they survive a tag, and removing that restores the file."""
    cards = ["SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0"]
    header = b"".join(line.ljust(80).encode() for text in [*cards, *lines] for line in text.split("\0")) + b"END"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.fits"
        before = header.ljust(-(-len(header) // 2880) * 2880) + trailing
        path.write_bytes(before)
        write_tags(path, PREDICTION)
        assert path.read_bytes().startswith(header.removesuffix(b"END") + b"CLFCLASS= 'spiral_galaxy'")
        assert path.read_bytes().endswith(trailing)
        assert read_tags(path).labels == labels()[:3]
        remove_tags(path)
        assert path.read_bytes() == before


# Promise 4: the old file or the new one


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("moment", "atomic"),
    [
        ("os.fsync", True),
        ("os.fchmod", True),
        ("pathlib.Path.replace", True),
        ("astroclf.tags.rewrite._check_alone", True),
        ("os.fsync", False),
        ("os.fchmod", False),
        ("os.pwrite", False),
        ("astroclf.storage.journal.Journal.apply", False),
        ("astroclf.tags.rewrite._check_alone", False),
    ],
)
def test_failure_at_any_moment_leaves_the_old_file(tmp_path, monkeypatch, moment, atomic, error):
    """If writing fails or is broken off, the old file is there and nothing else."""
    path = _make(tmp_path)
    before = path.read_bytes()

    def fail(*args):
        raise error

    monkeypatch.setattr(moment, fail)
    wanted = TagError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(wanted, match="No space left on device" if wanted is TagError else None):
        write_tags(path, PREDICTION, atomic=atomic)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert _temporaries(tmp_path) == []


@contextmanager
def _file_size_limit(size):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("packer", ["", ".gz"])
def test_full_disk_leaves_the_old_file(tmp_path, packer):
    """A disk that fills up while the new file is written is told about, and the old file stays."""
    path = _make(tmp_path, packer=packer)
    before = path.read_bytes()
    with _file_size_limit(5000), pytest.raises(TagError, match=r"frame.fits.*cannot be written \(File too large\)"):
        write_tags(path, PREDICTION)
    assert path.read_bytes() == before
    assert _temporaries(tmp_path) == []


def test_what_was_packed_is_compared(tmp_path, monkeypatch):
    """A new packed file that unpacks to something else never replaces the old one."""
    path = _make(tmp_path, packer=".gz")
    before = path.read_bytes()
    pieces = iter([b"what", b"is written", b"what", b"is expected"])
    monkeypatch.setattr("astroclf.tags.rewrite._spliced", lambda source, splices: [next(pieces), next(pieces)])
    with pytest.raises(TagError, match="reads back differently"):
        write_tags(path, PREDICTION)
    assert path.read_bytes() == before
    assert _temporaries(tmp_path) == []


@pytest.mark.parametrize("atomic", [True, False])
def test_what_was_written_is_compared(tmp_path, monkeypatch, atomic):
    """Where the disk takes other bytes than it was given, the old ones stay, or come back."""
    path = _make(tmp_path)
    before = path.read_bytes()
    write, lies = os.pwrite, iter([True])

    def lie(descriptor, content, start):
        false = b"CLF" in bytes(content[:2880]) and content[:6] == b"SIMPLE" and next(lies, False)
        return write(descriptor, bytes(len(content)) if false else content, start)

    monkeypatch.setattr("os.pwrite", lie)
    with pytest.raises(TagError, match="reads back differently"):
        write_tags(path, PREDICTION, atomic=atomic)
    assert next(lies, None) is None
    assert path.read_bytes() == before
    assert _temporaries(tmp_path) == []


@pytest.mark.parametrize(
    ("moment", "atomic"),
    [("astroclf.storage.replacing.check_changeable", True), ("astroclf.tags.rewrite.check_changeable", False)],
)
def test_change_by_another_program_is_noticed(tmp_path, monkeypatch, moment, atomic):
    """A file that another program writes to meanwhile is left alone."""
    path = _make(tmp_path)

    def meddle(*args):
        with open(path, "ab") as stream:
            stream.write(b"more")
        return check(*args)

    from astroclf.storage.replacing import check_changeable as check

    monkeypatch.setattr(moment, meddle)
    with pytest.raises(TagError, match="changed by another program"):
        write_tags(path, PREDICTION, atomic=atomic)
    assert path.read_bytes().endswith(b"more")
    assert _temporaries(tmp_path) == []


def test_many_taggers_of_one_file(tmp_path):
    """Several taggers at once leave one whole block and the same data."""
    path = _make(tmp_path, checksum=True)
    _, before, _ = _headers_and_data(path)

    def tag():
        for _ in range(5):
            try:
                write_tags(path, PREDICTION)
            except TagError:
                continue

    threads = [threading.Thread(target=tag) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    headers, after, _ = _headers_and_data(path)
    assert after == before
    assert headers[0].count(b"CLFCLASS=") == 1
    assert _temporaries(tmp_path) == []


# Promise 5: links and permissions


def test_symbolic_link_stays(tmp_path):
    """A link is followed, and stays a link."""
    path = _make(tmp_path)
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link.fits"
    link.symlink_to("../frame.fits")
    write_tags(link, PREDICTION)
    assert os.readlink(link) == "../frame.fits"
    assert read_tags(path).verdict == "spiral_galaxy"
    remove_tags(link)
    assert link.is_symlink()


def test_hard_links_are_refused(tmp_path):
    """A file of two names is refused, unless they may part."""
    path, other = _make(tmp_path), tmp_path / "other.fits"
    other.hardlink_to(path)
    before = path.read_bytes()
    for refused in (lambda: write_tags(path, PREDICTION), lambda: plan_tags(path, PREDICTION)):
        with pytest.raises(TagError, match="has 2 hard links"):
            refused()
    assert path.read_bytes() == before
    write_tags(path, PREDICTION, output=tmp_path / "copy.fits")
    write_tags(path, PREDICTION, detach=True)
    assert read_tags(path).verdict == "spiral_galaxy"
    assert other.read_bytes() == before


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_mode_is_kept(tmp_path, mode):
    """The new file has the mode of the old one."""
    path = _make(tmp_path)
    path.chmod(mode)
    write_tags(path, PREDICTION)
    assert path.stat().st_mode & 0o7777 == mode


def test_attributes_are_kept(tmp_path, need):
    """Extended attributes and access control lists survive."""
    path = _make(tmp_path)
    entries = [(1, 6, -1), (2, 4, NOBODY), (4, 4, -1), (16, 4, -1), (32, 4, -1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, perm, who % 2**32) for tag, perm, who in entries)
    try:
        os.setxattr(path, "user.origin", b"archive")
        os.setxattr(path, "system.posix_acl_access", acl)
    except (AttributeError, OSError) as error:
        need(f"no extended attributes in {tmp_path}: {error}")
    write_tags(path, PREDICTION)
    assert os.getxattr(path, "user.origin") == b"archive"
    assert os.getxattr(path, "system.posix_acl_access") == acl


@pytest.fixture
def unprivileged(need):
    """Return a folder anybody may write to, and a context that acts as an unprivileged user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder, _as_nobody
        folder.chmod(0o700)


@contextmanager
def _as_nobody():
    if os.geteuid() != 0:
        yield
        return
    saved = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(saved[0])
        os.setgroups(saved[1])


@pytest.mark.parametrize(
    ("readonly", "message"), [("file", "read-only for this user"), ("folder", "folder .* read-only")]
)
def test_read_only(unprivileged, readonly, message):
    """A read-only file or folder is told about before anything is written, and nothing is lost."""
    folder, as_nobody = unprivileged
    path = _make(folder)
    path.chmod(0o444 if readonly == "file" else 0o666)
    folder.chmod(0o555 if readonly == "folder" else 0o777)
    before = path.read_bytes()
    with as_nobody():
        for change in (write_tags, plan_tags):
            with pytest.raises(TagError, match=message):
                change(path, PREDICTION)
        with tempfile.TemporaryDirectory() as elsewhere:
            assert write_tags(path, PREDICTION, output=elsewhere).verdict == "spiral_galaxy"
    assert path.read_bytes() == before
    assert _temporaries(folder) == []


def test_unreadable_file(unprivileged):
    """A file that may not be read is told about."""
    folder, as_nobody = unprivileged
    path = _make(folder)
    path.chmod(0)
    with as_nobody(), pytest.raises(TagError, match=r"frame.fits: Permission denied"):
        write_tags(path, PREDICTION)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that belongs to somebody else")
def test_owner_is_kept_or_the_file_refused(unprivileged):
    """The owner is kept where the system lets us; where it does not, the file is refused unless told otherwise."""
    folder, as_nobody = unprivileged
    path = _make(folder)
    path.chmod(0o666)
    before = path.read_bytes()
    with as_nobody(), pytest.raises(TagError, match="does not let this user keep its owner"):
        write_tags(path, PREDICTION, atomic=True)
    assert path.read_bytes() == before
    assert _temporaries(folder) == []
    with as_nobody():
        write_tags(path, PREDICTION)
        remove_tags(path)
    assert path.stat().st_uid == path.stat().st_gid == 0
    assert path.read_bytes() == before
    with as_nobody():
        write_tags(path, PREDICTION, detach=True, atomic=True)
    assert path.stat().st_uid == path.stat().st_gid == NOBODY
    write_tags(path, PREDICTION)
    assert path.stat().st_uid == path.stat().st_gid == NOBODY


# Copies, plans, and files that are refused


def test_output(tmp_path):
    """A tagged copy goes to a file or a folder; the original stays, and so does a file without a block."""
    path = _make(tmp_path, packer=".gz")
    before = path.read_bytes()
    (tmp_path / "out").mkdir()
    assert write_tags(path, PREDICTION, output=tmp_path / "out")["CLFFILE"] == "frame.fits.gz"
    copy = tmp_path / "out" / "frame.fits.gz"
    assert copy.read_bytes().startswith(b"\x1f\x8b")
    assert write_tags(path, PREDICTION, output=copy).verdict == "spiral_galaxy"
    assert path.read_bytes() == before
    bare = tmp_path / "bare.fits.gz"
    remove_tags(copy, output=bare)
    assert _unpacked(bare) == _unpacked(path)
    with pytest.raises(TagError, match=r"bare.fits.gz: exists and has no tag block"):
        write_tags(path, PREDICTION, output=bare)
    with pytest.raises(TagError, match=r"the folder .*nowhere does not exist"):
        write_tags(path, PREDICTION, output=tmp_path / "nowhere" / "frame.fits")


def test_output_has_usual_permissions(tmp_path):
    """A copy of a read-only archive file can be written to."""
    path = _make(tmp_path)
    path.chmod(0o444)
    (tmp_path / "new").touch()
    write_tags(path, PREDICTION, output=tmp_path / "copy.fits")
    assert (tmp_path / "copy.fits").stat().st_mode == (tmp_path / "new").stat().st_mode


def test_gzip_with_extra_field(tmp_path):
    """A gzip header with further fields is understood, and the recorded name kept."""
    path = _make(tmp_path, packer=".gz")
    packed = path.read_bytes()
    path.write_bytes(packed[:3] + bytes([4 | 8]) + packed[4:10] + b"\4\0" + b"XYZ\0" + b"original.fits\0" + packed[10:])
    write_tags(path, PREDICTION)
    assert path.read_bytes()[10:24] == b"original.fits\0"


def test_gzip_header_stays(tmp_path):
    """The file name and time gzip recorded stay, so that equal files are packed into equal bytes."""
    path = _make(tmp_path)
    raw = io.BytesIO()
    with gzip.GzipFile("original.fits", "wb", 9, raw, mtime=1234) as stream:
        stream.write(path.read_bytes())
    packed = tmp_path / "frame.fits.gz"
    packed.write_bytes(raw.getvalue())
    write_tags(packed, PREDICTION)
    assert packed.read_bytes()[:23] == raw.getvalue()[:23]
    remove_tags(packed)
    assert packed.read_bytes() == raw.getvalue()


def test_plan(tmp_path):
    """A plan names each card that would change, and changes nothing."""
    path = _make(tmp_path, checksum=True)
    before = path.read_bytes()
    changes = plan_tags(path, PREDICTION)
    assert path.read_bytes() == before
    assert [change.hdu for change in changes] == [0] * len(changes)
    assert str(changes[0]).startswith("- CHECKSUM= '")
    assert "\n+ CHECKSUM= '" in str(changes[0])
    assert str(changes[1]) == "+ CLFCLASS= 'spiral_galaxy'      / verdict: class, group or unknown"
    write_tags(path, PREDICTION)
    again = plan_tags(path, replace(PREDICTION, novelty=0.25))
    assert {change.new[:8].strip() for change in again} <= {"CHECKSUM", "CLFNOVEL", "CLFDATE", "HISTORY"}
    assert any(change.old[:8] == change.new[:8] == "CLFNOVEL" for change in again)


def test_name_and_staleness(tmp_path):
    """The block records FILENAME, else the file name, and is stale in a file of another name."""
    path = _make(tmp_path)
    assert write_tags(path, PREDICTION)["CLFFILE"] == "frame.fits"
    assert not read_tags(path).stale
    assert read_tags(path.rename(tmp_path / "product.fits")).stale
    fits.setval(tmp_path / "product.fits", "FILENAME", value="x_flt.fits")
    assert write_tags(tmp_path / "product.fits", PREDICTION)["CLFFILE"] == "x_flt.fits"
    assert not read_tags((tmp_path / "product.fits").rename(path)).stale


@pytest.mark.parametrize("change", ["touch", "grow", "replace"])
def test_file_changed_since_it_was_classified(tmp_path, change):
    """If time, size or inode are no longer those of the file that was classified, it is refused."""
    path = _make(tmp_path)
    stat = path.stat()
    origin = Origin(path, ("SCI,1",), ("12",), (stat.st_size, stat.st_mtime_ns, stat.st_ino))
    prediction = replace(PREDICTION, origin=origin)
    assert plan_tags(path, prediction)
    if change == "replace":
        shutil.copy2(path, tmp_path / "copy.fits")
        (tmp_path / "copy.fits").replace(path)
    else:
        path.write_bytes(path.read_bytes() + b"more" * (change == "grow"))
        os.utime(path, ns=(0, stat.st_mtime_ns + (change == "touch")))
    for refused in (write_tags, plan_tags):
        with pytest.raises(TagError, match="has changed since it was classified"):
            refused(path, prediction)
    assert read_tags(path) is None
    assert write_tags(path, replace(prediction, origin=replace(origin, fingerprint=None)))


BAD_FILES = {
    "empty": (lambda raw: b"", "the file is empty"),
    "text": (lambda raw: b"hello", r"not a FITS file \(it begins with b'hello'"),
    "pointer": (lambda raw: b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer.*git lfs pull"),
    "nonstandard": (lambda raw: raw.replace(b"=                    T", b"=                    F", 1), "SIMPLE = F"),
    "no END": (lambda raw: raw[:2000], "HDU 0: its header has no end"),
    "no END in extension": (lambda raw: raw[:3000], "HDU 1: its header has no end"),
    "cut data": (lambda raw: raw[:8000], "cut short: HDU 1 ends at byte 13760, the file at 8000"),
    "cut gzip": (lambda raw: gzip.compress(raw)[:-99], "compressed file is damaged or cut short"),
    "damaged gzip": (lambda raw: gzip.compress(raw)[:500] + bytes(2000), "compressed file is damaged or cut short"),
    "cut bzip2": (lambda raw: bz2.compress(raw)[:-99], "compressed file is damaged or cut short"),
    "damaged bzip2": (lambda raw: bz2.compress(raw)[:500] + bytes(2000), "Invalid data stream"),
    "axis": (
        lambda raw: raw.replace(b"NAXIS1  =                   50", b"NAXIS1  =                  -50"),
        "NAXIS1 = -50",
    ),
    "axes": (
        lambda raw: raw.replace(b"NAXIS   =                    2", b"NAXIS   =                  1E9"),
        "NAXIS = 1000000000.0",
    ),
    "bits": (
        lambda raw: raw.replace(b"BITPIX  =                  -32", b"BITPIX  =                  -31"),
        "BITPIX = -31",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_named_and_left(tmp_path, case):
    """A file that is no FITS file, or cut short, is refused with one message that says so."""
    damage, message = BAD_FILES[case]
    path = _make(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(TagError, match=f"frame.fits.*{message}"):
        write_tags(path, PREDICTION)
    assert path.read_bytes() == before
    assert _temporaries(tmp_path) == []


def test_places_that_are_no_files(tmp_path):
    """A folder, a pipe, a missing file and a loop of links are named."""
    with pytest.raises(TagError, match="not a file"):
        write_tags(tmp_path, PREDICTION)
    with pytest.raises(TagError, match=r"none.fits: No such file"):
        write_tags(tmp_path / "none.fits", PREDICTION)
    with pytest.raises(TagError, match=r"none.fits: No such file"):
        read_tags(str(tmp_path / "none.fits"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TagError, match="pipe: not a file"):
        read_tags(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(TagError, match="loop"):
        write_tags(tmp_path / "loop", PREDICTION)


def test_missing_padding_is_no_damage(tmp_path):
    """Data that are whole, but not filled up to a block, can be tagged."""
    path = _make(tmp_path, "float")
    path.write_bytes(path.read_bytes()[: 2880 + 8000])
    before = path.read_bytes()
    write_tags(path, PREDICTION)
    remove_tags(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("folder", ["hostile_dir", "headers_dir", "frames_dir"])
def test_files_of_the_world(request, tmp_path, folder):
    """Real and odd files are tagged and restored byte for byte, or refused by name; none is changed by failing."""
    outcomes = set()
    for original in sorted(request.getfixturevalue(folder).iterdir()):
        path = tmp_path / original.name
        shutil.copyfile(original, path)
        outcomes.add(_tag_and_restore(path))
        assert _unpacked(path) == _unpacked(original), original.name
        path.unlink()
    assert "restored" in outcomes
    assert outcomes <= {"restored", "refused"}
    assert _temporaries(tmp_path) == []


def _tag_and_restore(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstroclfWarning)
        try:
            write_tags(path, PREDICTION, force=True)
        except TagError as error:
            return "refused" if path.name in str(error) else str(error)
        assert read_tags(path).verdict == "spiral_galaxy"
        remove_tags(path)
    return "restored"

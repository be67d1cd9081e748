# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of people's labels: written, kept, taken back, found."""

import bz2
import gzip
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from astroclf import read_tags, remove_label, remove_tags, write_label, write_tags
from astroclf.cli import main
from astroclf.exceptions import AstroclfError, AstroclfWarning, TagError
from astroclf.frames.frame import Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import HumanLabel, labelled_files, plan_label
from astroclf.tags.keywords import is_label, is_tag
from astroclf.tags.labelled import read_corrections
from astroclf.tags.person import Labels
from astroclf.taxonomy import groups, labels

PREDICTION = Prediction(
    labels=labels(),
    probs=(0.93,) + (0.07 / 13,) * 13,
    groups=groups(),
    group_probs=(0.97,) + (0.005,) * 6,
    status=Status.OK,
    quality=0.0,
    provenance=Provenance("model", "ab" * 32, "0123456789ab"),
    origin=Origin(hdus=("0",), datasums=("12",)),
)
DATA = np.random.default_rng(12345).normal(100, 9, (40, 50)).astype("f4")
NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=300).map(
    lambda text: " ".join(text.split())
)
NAMES = NAMES.filter(lambda name: name and name != "?")
RECORDS = st.builds(HumanLabel, st.sampled_from(labels()), NAMES, st.just("2026-11-24T12:00:00"))


def _plain():
    return [fits.PrimaryHDU(DATA)]


def _extensions():
    return [fits.PrimaryHDU(), fits.ImageHDU(DATA, name="SCI"), fits.ImageHDU(DATA.astype("i2"), name="DQ")]


def _compressed():
    return [fits.PrimaryHDU(), fits.CompImageHDU(DATA, fits.PrimaryHDU(DATA).header, quantize_level=4.0)]


def _asdf():
    return [fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("A", "3B", array=[[1, 2, 3]])], name="ASDF")]


KINDS = {
    "frame.fits": (_plain, bytes),
    "integers.fits": (lambda: [fits.PrimaryHDU(DATA.astype("u2"))], bytes),
    "extensions.fits": (_extensions, bytes),
    "frame.fits.gz": (_plain, gzip.compress),
    "frame.fits.bz2": (_extensions, bz2.compress),
    "frame.fits.fz": (_compressed, bytes),
    "asdf.fits": (_asdf, bytes),
}


def _make(folder, name="frame.fits"):
    hdus, pack = KINDS[name]
    path = folder / name
    fits.HDUList(hdus()).writeto(folder / "plain", checksum=True)
    path.write_bytes(pack((folder / "plain").read_bytes()))
    (folder / "plain").unlink()
    return path


def _unpacked(path):
    raw = path.read_bytes()
    if raw.startswith(b"\x1f\x8b"):
        return gzip.decompress(raw)
    return bz2.decompress(raw) if raw.startswith(b"BZh") else raw


@pytest.fixture(params=KINDS)
def any_file(request, tmp_path):
    """Return a file of each kind, with right checksums."""
    return _make(tmp_path, request.param)


@pytest.fixture(params=["a.jpg", "a.png"])
def picture(request, tmp_path):
    """Return a picture without metadata."""
    Image.fromarray(DATA.astype("u1")).save(tmp_path / request.param)
    return tmp_path / request.param


class TestFiles:
    """Labels in files of every kind."""

    def test_label_without_verdict(self, any_file):
        """A file that was never tagged takes a label, with who and when, and `all` gives it back byte for byte."""
        before = _unpacked(any_file)
        tags = write_label(any_file, "star", by="ann")
        assert (tags.human_label, tags["CLFHWHO"], len(tags["CLFHDATE"]), tags.verdict) == ("star", "ann", 19, None)
        assert tags.human == HumanLabel("star", "ann", tags["CLFHDATE"])
        assert list(tags) == ["CLFHLAB", "CLFHWHO", "CLFHDATE"]
        assert tags == read_tags(any_file)
        remove_tags(any_file)
        assert read_tags(any_file) == tags
        remove_tags(any_file, all=True)
        assert _unpacked(any_file) == before

    def test_history(self, any_file):
        """Earlier labels are kept, in order, through tags and relabelling; only `all` removes them."""
        before = _unpacked(any_file)
        first = write_label(any_file, "star", by="ann").human
        write_tags(any_file, PREDICTION)
        second = write_label(any_file, "galaxy_field", by="a name of some length, " * 6).human
        write_tags(any_file, PREDICTION)
        tags = write_label(any_file, "open_cluster", by="ann")
        assert tags.earlier_labels == (first, second)
        assert tags.verdict == "spiral_galaxy"
        assert _unpacked(any_file).count(b"HISTORY astroclf label: ") == 2
        assert _unpacked(any_file).count(b"CLFHLAB =") == 1
        remove_tags(any_file)
        assert read_tags(any_file).earlier_labels == (first, second)
        assert read_tags(any_file).human == tags.human
        remove_tags(any_file, all=True)
        assert _unpacked(any_file) == before

    def test_one_line_of_the_tag(self, any_file):
        """The tag has exactly one HISTORY line, replaced on a re-tag, whatever labels there are."""
        write_tags(any_file, PREDICTION)
        for label in ("star", "open_cluster", "star"):
            write_label(any_file, label, by="ann")
            assert _unpacked(any_file).count(b" tagged 20") == 1
            write_tags(any_file, PREDICTION)
            assert _unpacked(any_file).count(b" tagged 20") == 1
        remove_tags(any_file)
        assert _unpacked(any_file).count(b" tagged 20") == 0
        assert len(read_tags(any_file).earlier_labels) == 2

    def test_checksums_stay_right(self, any_file):
        """Checksums that were right are so after each change, and no pixel differs."""
        for label in ("star", "open_cluster", None):
            remove_label(any_file) if label is None else write_label(any_file, label, by="ann")
            with fits.open(any_file, checksum=True, disable_image_compression=True) as hdulist:
                assert all(hdu.verify_checksum() == hdu.verify_datasum() == 1 for hdu in hdulist)

    def test_same_label_again(self, any_file):
        """The same label by the same person changes nothing; by another it does."""
        write_label(any_file, "star", by="ann")
        stat = any_file.stat()
        write_label(any_file, "star", by=" ann ")
        assert plan_label(any_file, "star", by="ann") == []
        assert any_file.stat() == stat
        assert len(write_label(any_file, "star", by="ed").earlier_labels) == 1

    def test_remove(self, any_file):
        """A label taken back is kept in HISTORY; where there is none nothing changes."""
        before = any_file.read_bytes()
        assert remove_label(any_file) is None
        assert any_file.read_bytes() == before
        human = write_label(any_file, "star", by="ann").human
        assert remove_label(any_file).human == human
        tags = read_tags(any_file)
        assert (dict(tags), tags.human, tags.earlier_labels) == ({}, None, (human,))
        assert str(tags) == "no verdict; the label was taken back"
        remove_tags(any_file, all=True)
        assert read_tags(any_file) is None

    def test_plan(self, any_file):
        """A plan names each card that would change, and changes nothing."""
        before = any_file.read_bytes()
        plan = [str(change) for change in plan_label(any_file, "star", by="ann")]
        assert any_file.read_bytes() == before
        assert any(line.startswith("+ CLFHLAB = 'star") for line in plan)
        write_label(any_file, "star", by="x" * 100)
        plan = [str(change) for change in plan_label(any_file, None)]
        assert any(line.startswith("- CLFHLAB = 'star") for line in plan)
        assert sum(line.startswith("+ HISTORY astroclf label") for line in plan) == 3

    def test_output(self, any_file, tmp_path):
        """A labelled copy goes elsewhere; the original stays."""
        before = any_file.read_bytes()
        (tmp_path / "out").mkdir()
        for label in ("star", "open_cluster"):
            assert write_label(any_file, label, by="ann", output=tmp_path / "out").human_label == label
        assert any_file.read_bytes() == before

    def test_label_of_another_program(self, tmp_path):
        """A label written by hand, without who and when, is kept too."""
        path = _make(tmp_path)
        fits.setval(path, "CLFHLAB", value="my own idea")
        assert read_tags(path).human == HumanLabel("my own idea")
        tags = write_label(path, "star", by="ann", force=True)
        assert tags.earlier_labels == (HumanLabel("my own idea"),)


class TestRefusals:
    """What cannot be labelled."""

    def test_unknown_class(self, tmp_path):
        """A class that is not of the taxonomy is named, with those that are."""
        path = _make(tmp_path)
        before = path.read_bytes()
        with pytest.raises(TagError, match=r"label must be one of spiral_galaxy, .*; got 'galaxy'"):
            write_label(path, "galaxy")
        assert path.read_bytes() == before

    @pytest.mark.parametrize("by", ["", "  ", "Å", "a\nb"])
    def test_names(self, tmp_path, by):
        """A name that a header cannot hold is refused."""
        with pytest.raises(TagError, match=r"by=.* must be a name in printable ASCII"):
            write_label(_make(tmp_path), "star", by=by)

    def test_login_name(self, tmp_path, monkeypatch):
        """The login name is the default; where there is none it must be said."""
        monkeypatch.setenv("LOGNAME", "hubble")
        assert write_label(_make(tmp_path), "star")["CLFHWHO"] == "hubble"

        def unknown():
            raise OSError("no username set in the environment")

        monkeypatch.setattr("getpass.getuser", unknown)
        with pytest.raises(TagError, match=r"the system knows no login name; .* by= \(--by\)"):
            write_label(tmp_path / "frame.fits", "open_cluster")

    def test_wrong_checksum(self, tmp_path):
        """A wrong checksum is refused, and stays wrong by force."""
        path = _make(tmp_path)
        damaged = path.read_bytes()[:-3000] + b"\1" + path.read_bytes()[-2999:]
        path.write_bytes(damaged)
        with pytest.raises(TagError, match="wrong before any change"):
            write_label(path, "star", by="ann")
        assert path.read_bytes() == damaged
        with pytest.warns(AstroclfWarning, match="left as it is"):
            assert write_label(path, "star", by="ann", force=True).human_label == "star"

    def test_files(self, tmp_path):
        """What is no FITS file, or not there, is named, and stays."""
        (tmp_path / "a.fits").write_text("hello")
        with pytest.raises(TagError, match=r"a.fits: not a FITS file"):
            write_label(tmp_path / "a.fits", "star")
        with pytest.raises(TagError, match=r"none.fits: No such file"):
            write_label(tmp_path / "none.fits", "star")
        assert os.listdir(tmp_path) == ["a.fits"]


class TestMemory:
    """Labels of headers in memory."""

    def test_header(self):
        """A header takes a label as a file does, and gives it back."""
        header = fits.Header([("A", 1), ("HISTORY", "made")])
        before = header.tostring()
        write_label(header, "star", by="ann")
        write_tags(header, PREDICTION)
        text = header.tostring()
        assert write_label(header, "star", by="ann").human_label == "star"
        assert header.tostring() == text
        tags = write_label(header, "open_cluster", by="ed")
        assert [str(label)[:11] for label in tags.earlier_labels] == ["star by ann"]
        assert remove_label(header) == tags
        remove_tags(header, all=True)
        assert header.tostring() == before

    def test_objects(self):
        """A CCDData is labelled; a copy of what is in memory is nobody's."""
        ccd = CCDData(DATA, unit="adu")
        assert write_label(ccd, "star", by="ann").human_label == ccd.header["CLFHLAB"] == "star"
        with pytest.raises(TagError, match=r"output=x.fits needs a path"):
            write_label(ccd, "star", by="ann", output="x.fits")

    def test_two_homes(self):
        """A label left in the primary of a compressed file is read, and a new one replaces it."""
        hdulist = fits.HDUList(_compressed())
        write_label(hdulist[0].header, "star", by="ann")
        write_tags(hdulist, PREDICTION)
        assert (read_tags(hdulist).human_label, read_tags(hdulist).verdict) == ("star", "spiral_galaxy")
        write_label(hdulist, "open_cluster", by="ann")
        assert "CLFHLAB" not in hdulist[0].header
        assert len(read_tags(hdulist).earlier_labels) == 1


class TestPictures:
    """Labels of pictures."""

    def test_copy(self, picture, tmp_path):
        """A copy is labelled, kept through tags, labelled again in place, and given back byte for byte."""
        (tmp_path / "out").mkdir()
        copy, before = tmp_path / "out" / picture.name, picture.read_bytes()
        with pytest.raises(TagError, match="a picture has no FITS header to tag; name a folder"):
            write_label(picture, "star", by="ann")
        assert plan_label(picture, "star", by="ann", output=copy)[0].new == "CLFHLAB = star"
        first = write_label(picture, "star", by='Ann "<&>" O\'Neil', output=copy).human
        assert picture.read_bytes() == before
        write_tags(copy, PREDICTION, output=tmp_path / "b.x")
        assert read_tags(tmp_path / "b.x").human == first
        tags = write_label(tmp_path / "b.x", "open_cluster", by="ann")
        assert (tags.verdict, tags.earlier_labels) == ("spiral_galaxy", (first,))
        assert write_label(tmp_path / "b.x", "open_cluster", by="ann") == tags
        assert plan_label(tmp_path / "b.x", "open_cluster", by="ann") == []
        remove_tags(tmp_path / "b.x")
        remove_label(tmp_path / "b.x")
        assert read_tags(tmp_path / "b.x").earlier_labels == (first, tags.human)
        remove_tags(tmp_path / "b.x", all=True)
        assert (tmp_path / "b.x").read_bytes() == before

    def test_two_writers(self, picture, tmp_path):
        """Of the labels that two write into one copy at the same time, none is lost."""
        copy = tmp_path / f"copy_{picture.name}"
        write_label(picture, "star", by="ann", output=copy)

        def write(who):
            for label in labels()[:8]:
                write_label(copy, label, by=who)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, ("ann", "bob")))
        tags = read_tags(copy)
        given = {(one.label, one.who) for one in (*tags.earlier_labels, tags.human)}
        assert given == {("star", "ann"), *itertools.product(labels()[:8], ("ann", "bob"))}

    def test_tiff(self, tmp_path):
        """A TIFF is no carrier of labels."""
        Image.fromarray(DATA.astype("u1")).save(tmp_path / "a.tif")
        with pytest.raises(TagError, match="a TIFF picture cannot be tagged"):
            write_label(tmp_path / "a.tif", "star", by="ann", output=tmp_path / "b.tif")


class TestRecords:
    """What is written is what is read."""

    @given(st.lists(RECORDS, max_size=4), RECORDS)
    def test_labels_survive(self, earlier, current):
        """Any labels come back from their cards, whatever the length of the names; all cards are known as theirs."""
        labels = Labels(current, tuple(earlier))
        cards = [card.image.encode("ascii") for card in labels.to_cards()]
        assert Labels.from_cards(cards) == labels
        assert all(is_label(card) and is_tag(card, human=True) and not is_tag(card) for card in cards)
        header = fits.Header()
        header.extend(labels.to_cards())
        assert read_tags(header).earlier_labels == labels.earlier

    @given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
    def test_any_line(self, line):
        """Any line is some label, and is written again as it reads."""
        label = HumanLabel.from_line(line)
        assert HumanLabel.from_line(str(label)) == replace(label)

    @given(st.lists(st.binary(min_size=56, max_size=56).map(b"HISTORY astroclf label+ ".__add__), max_size=5))
    def test_any_cards(self, cards):
        """Whatever bytes the cards hold, they are read."""
        assert Labels.from_cards(cards).current is None


class TestLabelledFiles:
    """Files with a label are found."""

    @pytest.fixture
    def tree(self, tmp_path, picture):
        """Return a folder with labelled files in it and below, and files without."""
        folder = tmp_path / "night"
        (folder / "b").mkdir(parents=True)
        for place, name in ((folder, "frame.fits"), (folder / "b", "frame.fits.gz"), (folder, "integers.fits")):
            _make(place, name)
        write_label(folder / "frame.fits", "star", by="ann")
        write_label(folder / "b" / "frame.fits.gz", "open_cluster", by="ed")
        write_label(picture, "star_field", by="ann", output=folder)
        write_tags(folder / "integers.fits", PREDICTION)
        (folder / "notes.txt").write_text("no FITS file")
        (folder / "link.fits").symlink_to("frame.fits")
        return folder

    def test_folder(self, tree):
        """A folder is searched with all below it, in order; each file comes once, with who labelled it."""
        found = list(labelled_files(tree))
        assert [(file.label, file.human.who) for file in found] == [
            ("star_field", "ann"),
            ("open_cluster", "ed"),
            ("star", "ann"),
        ]
        assert found[1].path == tree / "b" / "frame.fits.gz"
        assert next(labelled_files([tree / "frame.fits", str(tree)])).path == tree / "frame.fits"
        assert len(list(labelled_files([tree, tree]))) == 3

    def test_trouble(self, tree):
        """What cannot be read is told about in a folder, and an error where it was named; so is an odd label."""
        (tree / "bad.fits").write_text("no FITS file")
        fits.setval(tree / "frame.fits", "CLFHLAB", value="odd")
        with pytest.warns(AstroclfWarning) as told:
            assert len(list(labelled_files(tree))) == 2
        with pytest.warns(AstroclfWarning, match=r"bad\.fits"):
            assert [file.label for file in labelled_files(tree, own_classes=True)][-1] == "odd"
        assert [str(warning.message).split(": ")[0] for warning in told] == [
            str(tree / "bad.fits"),
            str(tree / "frame.fits"),
        ]
        for name in ("bad.fits", "frame.fits", "none.fits"):
            with pytest.raises(TagError):
                list(labelled_files([tree / name]))


class TestCorrections:
    """Lists of labels."""

    def test_rows(self, tmp_path):
        """Rows are read in order, relative to the list; each that is wrong is named by its line."""
        path = tmp_path / "c.csv"
        path.write_text(
            "\ufeffnote,label,file,by\nx,star,a.fits,ann\n,nova,b.fits,\n,star,,\n,star,a.fits,\n,star,/c.fits\n",
            encoding="utf-8",
        )
        rows, errors = read_corrections(path)
        assert [(row.file, row.label, row.by) for row in rows] == [
            (str(tmp_path / "a.fits"), "star", "ann"),
            ("/c.fits", "star", None),
        ]
        assert [error.removeprefix(f"{path}: ").split(":")[0] for error in errors] == ["line 3", "line 4", "line 5"]
        assert "got 'nova'" in errors[0]
        assert "a.fits was named before, as star" in errors[2]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "needs the columns file and label; got nothing"),
            (b"a;b\n", "got a;b"),
            (b"file,label\n\xff", "cannot be read"),
        ],
    )
    def test_bad_list(self, tmp_path, content, message):
        """A list that cannot be understood is named."""
        (tmp_path / "c.csv").write_bytes(content)
        with pytest.raises(TagError, match=rf"c.csv: .*{message}"):
            read_corrections(tmp_path / "c.csv")
        with pytest.raises(TagError, match=r"none.csv: .*No such file"):
            read_corrections(tmp_path / "none.csv")

    @given(st.text(max_size=300))
    def test_any_text(self, tmp_path_factory, text):
        """Any text is read or refused; nothing else is raised."""
        path = tmp_path_factory.mktemp("list") / "c.csv"
        path.write_text("file,label\n" + text, encoding="utf-8", errors="replace")
        try:
            rows, errors = read_corrections(path)
        except AstroclfError:
            return
        assert {row.label for row in rows} <= set(labels())
        assert all(error.startswith(f"{path}: line ") for error in errors)


class TestCommand:
    """astroclf label."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """Work in a folder with a.fits and b.fits, and bad.fits that is none."""
        monkeypatch.chdir(tmp_path)
        for name in ("a.fits", "b.fits"):
            _make(tmp_path).rename(name)
        Path("bad.fits").write_text("no FITS file")
        return tmp_path

    def test_label_and_show(self, folder, capsys):
        """Files are labelled, one bad file not stopping the rest, and the label and the earlier ones are shown."""
        assert main(["label", "bad.fits", "a.fits", "b.fits", "--as", "star", "--by", "ann"]) == 1
        out, err = capsys.readouterr()
        assert out.startswith("a.fits: star by ann 20")
        assert "\nb.fits: star by ann 20" in out
        assert err.startswith("astroclf: bad.fits: ")
        assert main(["label", "-j", "2", "a.fits", "b.fits", "--as", "open_cluster", "--by", "ed"]) == 0
        main(["show", "a.fits"])
        assert "\n  earlier  star by ann 20" in capsys.readouterr().out

    def test_dry_run(self, folder, capsys):
        """A dry run prints the cards and writes nothing."""
        before = Path("a.fits").read_bytes()
        assert main(["label", "a.fits", "--as", "star", "--dry-run", "-o", "out"]) == 0
        assert "\n+ CLFHLAB = 'star" in capsys.readouterr().out
        assert Path("a.fits").read_bytes() == before
        assert not Path("out").exists()
        assert main(["label", "a.fits", "--remove", "--dry-run"]) == 0
        assert capsys.readouterr().out == "a.fits: nothing to change\n"

    def test_remove_and_untag(self, folder, capsys):
        """A label is taken back; `untag --all` gives the file back."""
        before = Path("a.fits").read_bytes()
        main(["label", "a.fits", "--as", "star", "--by", "ann"])
        capsys.readouterr()
        assert main(["label", "--remove", "a.fits", "b.fits"]) == 0
        out = capsys.readouterr().out
        assert out.startswith("a.fits: no longer star by ann 20")
        assert out.endswith("b.fits: no label\n")
        assert main(["untag", "--all", "a.fits"]) == 0
        assert Path("a.fits").read_bytes() == before

    def test_list(self, folder, capsys):
        """The rows of a list are applied, the bad ones named; copies go to the folder of -o."""
        Path("c.csv").write_text("file,label,by\na.fits,star,ann\nb.fits,nova,\nbad.fits,star,\nb.fits,star,\n")
        assert main(["label", "--from", "c.csv", "--by", "ed", "-o", "out"]) == 1
        out, err = capsys.readouterr()
        assert [read_tags(f"out/{name}.fits").human.who for name in "ab"] == ["ann", "ed"]
        assert "astroclf: c.csv: line 3: label must be one of" in err
        assert "bad.fits: not a FITS file" in err
        assert "a.fits: star by ann" in out
        assert read_tags("a.fits") is None
        Path("c.csv").write_text("file,label\n")
        assert main(["label", "--from", "c.csv"]) == 0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["a.fits"], "one of the arguments --as --remove --from is required"),
            (["--as", "star"], "name the files to label"),
            (["a.fits", "--as", "nova"], "must be one of spiral_galaxy"),
            (["a.fits", "--remove", "--by", "ann"], "--remove gives none"),
            (["a.fits", "--from", "c.csv"], "leave out a.fits"),
            (["a.fits", "--as", "star", "-o", "."], "leave -o out to label it in place"),
            (["https://a.b/c.fits", "--as", "star"], "download it and label the copy"),
        ],
    )
    def test_wrong_usage(self, folder, capsys, arguments, message):
        """Wrong usage is told before anything is done."""
        with pytest.raises(SystemExit) as status:
            main(["label", *arguments])
        assert status.value.code == 2
        assert message in capsys.readouterr().err
        assert read_tags("a.fits") is None

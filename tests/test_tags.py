# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the tag block: its keywords, its record, and blocks of headers in memory."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from astroclf.exceptions import TagError
from astroclf.frames.frame import Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import KEYWORDS, keyword_table, read_tags, remove_tags, to_cards, write_tags
from astroclf.tags.keywords import is_tag
from astroclf.taxonomy import groups, labels

WHEN = datetime(2026, 11, 22, 17, 21, 31, tzinfo=UTC)
PREDICTION = Prediction(
    labels=labels(),
    probs=(0.97314159, 0.02, 1.23456789e-6) + (0.0005,) * 11,
    groups=groups(),
    group_probs=(0.991234567,) + (0.001,) * 6,
    status=Status.OK,
    quality=0.0171234567,
    provenance=Provenance("resnet50-astro-1", "0123456789abcdef" * 4, "0123456789ab", "views=5"),
    agreement=0.94,
    origin=Origin(hdus=("SCI,1", "SCI,2"), datasums=("2503531142", "7")),
)


def _header(**changes):
    return fits.Header(to_cards(replace(PREDICTION, **changes), file="x_flt.fits", when=WHEN))


def test_block_of_a_sure_verdict():
    """Every keyword holds what the contract says."""
    header = _header()
    assert header["CLFCLASS"] == header["CLFLAB1"] == "spiral_galaxy"
    assert (header["CLFSTAT"], header["CLFPROB"], header["CLFPRB3"]) == ("OK", 0.973142, 1.23457e-06)
    assert (header["CLFGROUP"], header["CLFGPROB"]) == ("galaxy", 0.991235)
    assert (header["CLFQUAL"], header["CLFAGREE"]) == (0.0171235, 0.94)
    assert (header["CLFTAXON"], header["CLFUAT"], header["CLFAVM"]) == ("astroclf-14/1", 1560, "E.5.1.1")
    assert (header["CLFHDU"], header["CLFDSUM"], header["CLFFILE"]) == ("SCI,1 SCI,2", "2503531142 7", "x_flt.fits")
    assert (header["CLFMODEL"], header["CLFSHA"]) == ("resnet50-astro-1", "0123456789abcdef")
    assert (header["CLFPREP"], header["CLFOPTS"]) == ("0123456789ab", "views=5")
    assert header["CLFDATE"] == "2026-11-22T17:21:31"
    assert str(header["HISTORY"][0]).endswith("tagged 2026-11-22T17:21:31: spiral_galaxy")
    assert not {"CLFLAB4", "CLFIN1", "CLFHLAB"} & set(header)


@pytest.mark.parametrize(
    ("status", "verdict", "prob", "uat", "avm"),
    [
        (Status.GROUP, "galaxy", 0.991235, 573, "E.5"),
        (Status.UNCERTAIN, "unknown", None, None, None),
        (Status.NOVEL, "unknown", None, None, None),
        (Status.LOWQUAL, "unknown", None, None, None),
    ],
)
def test_block_of_an_unsure_verdict(status, verdict, prob, uat, avm):
    """The verdict and its vocabulary are never narrower than the status allows; the ranking stays."""
    header = _header(status=status)
    assert [header[key] for key in ("CLFCLASS", "CLFPROB", "CLFUAT", "CLFAVM")] == [verdict, prob, uat, avm]
    assert header["CLFLAB1"] == "spiral_galaxy"


def test_inputs():
    """A verdict on several frames names the others, escaped where a header cannot hold them, however long."""
    names = ("b_flt.fits", "ü.fits", "x" * 200)
    origin = Origin(inputs=("a_flt.fits", *names))
    prediction = replace(PREDICTION, origin=origin).written_to(Origin(path=Path("a_flt.fits")))
    assert prediction.origin == Origin(path=Path("a_flt.fits"), inputs=names)
    tags = read_tags(fits.Header(to_cards(prediction)))
    assert tags.inputs == ("b_flt.fits", "\\xfc.fits", "x" * 200)
    assert [k for k in tags if k.startswith("CLFIN")] == ["CLFIN1", "CLFIN2", "CLFIN3"]


def test_ranking_holds_the_conformal_set():
    """There are three ranked labels, or as many as the label set has."""
    header = _header(n_set=5, coverage=0.9)
    assert (header["CLFNSET"], header["CLFCOVER"]) == (5, 0.9)
    assert [f"CLFLAB{n}" in header for n in range(1, 8)] == [True] * 5 + [False] * 2
    assert [f"CLFPRB{n}" in header for n in range(1, 8)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, np.float32("nan")])
def test_unknown_numbers_have_no_value(unknown):
    """An unknown number becomes a card without a value, never NaN."""
    header = _header(novelty=unknown)
    assert header["CLFNOVEL"] is None
    assert "CLFNOVEL=                      / novelty score" in header.tostring()


def test_numpy_numbers_are_numbers():
    """Scalars of numpy are written as plain ones."""
    header = _header(novelty=np.float32(0.1), n_set=np.int64(1))
    assert (header["CLFNOVEL"], header["CLFNSET"]) == (0.1, 1)


def test_every_verdict_takes_as_many_cards():
    """Whatever becomes of a frame, its block has as many cards, so that a new one fits in the place of the old one."""
    changes = [{"status": status, "novelty": novelty} for status in Status for novelty in (None, 0.5)]
    changes += [{"n_set": n, "coverage": 0.9} for n in (1, 2, 3)]
    assert len({len(_header(**change)) for change in changes[:-3]}) == 1
    assert len({len(_header(**change)) for change in changes[-3:]}) == 1


def test_text_that_is_no_ascii():
    """A label a header cannot hold is an error; a file name is escaped."""
    with pytest.raises(TagError, match=r"CLFCLASS = 'galaxie à spirale' is not printable ASCII"):
        to_cards(replace(PREDICTION, labels=("galaxie à spirale", *labels()[1:])))
    (card,) = [c for c in to_cards(PREDICTION, file="façade.fits") if c.keyword == "CLFFILE"]
    assert card.value == r"fa\xe7ade.fits"


def test_cards_fit():
    """Cards are 80 columns of ASCII; comments are whole, and do not begin with what FITS keeps for units."""
    for card in to_cards(replace(PREDICTION, n_set=14), file="jb5g05ubq_flt.fits"):
        assert len(card.image) == 80
        assert card.image.isascii()
        assert card.comment or card.keyword in ("HISTORY", "CLFFILE")
        assert not card.comment.startswith("[")


def test_comments_fit_beside_short_header():
    """No comment of the table is ever cut beside a value of 18 characters or fewer."""
    assert [k.name for k in KEYWORDS if len(k.comment) > 47 or not k.comment.isascii()] == []
    assert [k.name for k in KEYWORDS if len(k.name) > 8] == []


def test_many_datasums_take_several_cards():
    """A long string goes on in CONTINUE cards and reads back whole."""
    sums = tuple(str(4294967295 - i) for i in range(60))
    header = fits.Header()
    write_tags(header, replace(PREDICTION, origin=Origin(hdus=("SCI,1",), datasums=sums)))
    assert header["CLFDSUM"] == read_tags(header)["CLFDSUM"] == " ".join(sums)
    assert "CONTINUE" in header.tostring()
    remove_tags(header)
    assert len(header) == 0
    assert "CONTINUE" not in header.tostring()


def test_keyword_table_is_the_table():
    """The documentation's table has a row for each keyword and one for each kind of HISTORY line."""
    table = keyword_table()
    assert list(table["keyword"]) == [k.name for k in KEYWORDS] + ["HISTORY"] * 2
    assert table.colnames == ["keyword", "type", "meaning"]
    assert all(meaning.endswith((".", "``.")) for meaning in table["meaning"])


@pytest.mark.parametrize(
    "text", ["CLFCLASS= 'x'", "CLFLAB12= 'x'", "CLFIN1  = 'x'", "HISTORY astroclf 1.0 tagged 2026"]
)
def test_own_cards_are_known(text):
    """Cards of the table and the HISTORY line are parts of the block."""
    assert is_tag(text.ljust(80).encode())


@pytest.mark.parametrize(
    "text",
    [
        "CLFOO   = 'x'",
        "CLFLAB0 = 'x'",
        "CLFLABX = 'x'",
        "CLFCLASS  no value",
        "HISTORY astroclf is good",
        "COMMENT astroclf 1.0 tagged 2026",
        "CLFHLAB = 'spiral_galaxy'",
    ],
)
def test_foreign_cards_are_left(text):
    """Cards that only look alike, and a person's label, are not."""
    assert not is_tag(text.ljust(80).encode())


def test_record():
    """The record reads like a mapping, and names what is asked most."""
    header = fits.Header()
    tags = write_tags(header, replace(PREDICTION, n_set=2, coverage=0.9))
    assert tags == read_tags(header)
    assert (tags.verdict, tags.status, tags.prob) == ("spiral_galaxy", "OK", 0.973142)
    assert (tags.label, tags.group, tags.group_prob) == ("spiral_galaxy", "galaxy", 0.991235)
    assert tags.labels == labels()[:3]
    assert tags.probs == (0.973142, 0.02, 1.23457e-06)
    assert tags.label_set == labels()[:2]
    assert tags["clfuat"] == tags["CLFUAT"] == 1560
    assert tags["CLFNOVEL"] is None
    assert "HISTORY" not in tags
    assert tags.human_label is None
    assert tags.to_row() == {**PREDICTION.to_row(), "prob": 0.973142, "gprob": 0.991235, "stale": False}
    assert str(tags).startswith("spiral_galaxy [OK] (spiral_galaxy 0.973142, ")


def test_header_without_a_block():
    """There is nothing to read or to remove where nothing was written."""
    header = fits.Header([("CLFOO", 1), ("HISTORY", "astroclf is good")])
    assert read_tags(header) is None
    assert remove_tags(header) is None
    assert len(header) == 2


def test_stale():
    """A block copied to a file of another name is stale; without a name there is no telling."""
    header = fits.Header([("FILENAME", "a_flt.fits")])
    assert not write_tags(header, PREDICTION).stale
    header["FILENAME"] = "a_drz.fits"
    tags = read_tags(header)
    assert tags.stale
    assert str(tags).endswith("STALE: written for a_flt.fits")
    del header["FILENAME"]
    assert not read_tags(header).stale


def test_tagging_a_header_twice_and_removing():
    """In memory, too, a new block takes the place of the old one, and removing restores the header."""
    header = fits.Header([("A", 1), ("", ""), ("HISTORY", "made"), ("CLFOO", 2)])
    before = header.tostring()
    write_tags(header, replace(PREDICTION, n_set=9))
    write_tags(header, PREDICTION)
    assert "CLFLAB4" not in header
    assert [str(line).startswith("astroclf") for line in header["HISTORY"]] == [False, True]
    assert header.tostring().startswith(before[: 4 * 80])
    assert remove_tags(header).verdict == "spiral_galaxy"
    assert header.tostring() == before


def test_a_persons_label_stays():
    """A new tag keeps a person's label; removing does so unless told otherwise."""
    header = fits.Header([("CLFHLAB", "open_cluster"), ("CLFHWHO", "Ann"), ("CLFHDATE", "2026-11-22")])
    write_tags(header, PREDICTION)
    assert write_tags(header, PREDICTION).human_label == "open_cluster"
    remove_tags(header)
    assert list(header) == ["CLFHLAB", "CLFHWHO", "CLFHDATE"]
    assert read_tags(header).verdict is None
    assert str(read_tags(header)) == "no verdict; open_cluster according to Ann"
    remove_tags(header, all=True)
    assert read_tags(header) is None


def test_hdulist():
    """The block of an HDUList goes to its primary header; of what was the primary, to the compressed image."""
    data = np.arange(900, dtype="i2").reshape(30, 30)
    hdulist = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data)])
    write_tags(hdulist, PREDICTION)
    assert read_tags(hdulist).verdict == hdulist[0].header["CLFCLASS"] == "spiral_galaxy"
    compressed = fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, header=fits.PrimaryHDU(data).header)])
    write_tags(compressed[0].header, PREDICTION)
    write_tags(compressed, PREDICTION)
    assert "CLFCLASS" not in compressed[0].header
    assert compressed[1].header["CLFCLASS"] == "spiral_galaxy"
    assert remove_tags(compressed).verdict == "spiral_galaxy"
    assert read_tags(compressed) is None


def test_compressed_hdulist_in_update_mode_is_refused(tmp_path):
    """An HDUList that would compress its pixels again on closing is refused."""
    path = tmp_path / "a.fits.fz"
    data = np.random.default_rng(12345).normal(size=(30, 30)).astype("f4")
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, fits.PrimaryHDU(data).header)]).writeto(path)
    before = path.read_bytes()
    with fits.open(path, mode="update") as hdulist, pytest.raises(TagError, match="compress its pixels again"):
        write_tags(hdulist, PREDICTION)
    assert path.read_bytes() == before
    with fits.open(path) as hdulist:
        assert write_tags(hdulist, PREDICTION).file == "a.fits.fz"


@pytest.mark.parametrize("meta", [None, {"OBJECT": "M 51"}, fits.Header([("OBJECT", "M 51")])])
def test_ccddata(meta):
    """A CCDData is tagged whatever its metadata are kept in, and what was there stays."""
    ccd = CCDData(np.zeros((4, 4)), unit="adu", meta=meta)
    assert write_tags(ccd, PREDICTION).verdict == "spiral_galaxy"
    assert ccd.header["CLFCLASS"] == ccd.to_hdu()[0].header["CLFCLASS"] == "spiral_galaxy"
    assert meta is None or ccd.header["OBJECT"] == "M 51"
    remove_tags(ccd)
    assert read_tags(ccd) is None


def test_objects_that_cannot_be_tagged():
    """What has no header, or metadata that cannot become one, is named."""
    with pytest.raises(TagError, match="ndarray has no FITS header; give a path"):
        write_tags(np.zeros(3), PREDICTION)
    with pytest.raises(TagError, match="HDUList has no FITS header"):
        read_tags(fits.HDUList())
    with pytest.raises(TagError, match="metadata cannot become a FITS header"):
        write_tags(CCDData([1], unit="adu", meta={"a": {"b": object()}}), PREDICTION)
    with pytest.raises(TagError, match=r"output=x.fits needs a path"):
        write_tags(fits.Header(), PREDICTION, output="x.fits")


CONTRACT = {
    str: "CLFCLASS CLFSTAT CLFLABn CLFGROUP CLFTAXON CLFAVM CLFHDU CLFDSUM CLFFILE CLFINn CLFMODEL CLFSHA CLFPREP "
    "CLFOPTS CLFSIDE CLFVERS CLFDATE CLFHLAB CLFHWHO CLFHDATE",
    float: "CLFPROB CLFPRBn CLFGPROB CLFCOVER CLFNOVEL CLFQUAL CLFAGREE",
    int: "CLFNSET CLFUAT",
}
"""Keywords by type, as they were promised."""


def test_keywords_are_those_promised():
    """No keyword is renamed, lost or given another type without notice, and all fit a card."""
    assert {keyword.name: keyword.kind for keyword in KEYWORDS} == {
        name: kind for kind, names in CONTRACT.items() for name in names.split()
    }
    assert all(len(keyword.name) <= 8 and re.fullmatch("CLF[A-Z]+n?", keyword.name) for keyword in KEYWORDS)


def test_date_is_utc():
    """A time of any zone is written as UTC, in the card and in HISTORY."""
    when = WHEN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    header = fits.Header(to_cards(PREDICTION, when=when))
    assert header["CLFDATE"] == "2026-11-22T17:21:31"
    assert "tagged 2026-11-22T17:21:31:" in str(header["HISTORY"])

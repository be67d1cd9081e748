# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the report: what is in the page, that nothing in a header can break out of it, and the command."""

import base64
import gzip
import io
import json
import re
import shutil
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits.card import Undefined
from astropy.wcs import WCS
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from astroclf import write_label, write_tags
from astroclf.annotation import picture_path, save_annotated
from astroclf.annotation.theme import MARKS, get_theme
from astroclf.cli import main
from astroclf.cli.program import make_parser
from astroclf.exceptions import AstroclfError, TagError
from astroclf.frames.frame import Facts, Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.report import Entry, collect_entries, is_report, read_entry, write_report
from astroclf.report.thumbnails import THUMBNAIL_SIZE
from astroclf.tags import Tags
from astroclf.taxonomy import groups, labels

DATA = np.random.default_rng(12345).normal(100, 9, (40, 60)).astype("f4")
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
NASTY = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"'`><img src=x onerror=alert(1)>",
    "]]>&lt;/script&gt;",
    "\u202egnp.exe\u2066",
    "\x1b[31mred\x07\x00\r\n",
    "\u2028\u2029",
    "__proto__",
    "${title}$data",
    "javascript:alert(1)",
    "\udcff\ud800",
)
TEXTS = st.sampled_from(NASTY) | st.text(max_size=60)


class Page(HTMLParser):
    """The elements of a page, as a browser takes them apart, and the text of those that have an id."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], {}, None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self.open = dict(attrs).get("id", tag)
        self.texts.setdefault(self.open, "")

    def handle_endtag(self, tag):
        """Forget it."""
        self.open = None

    def handle_data(self, data):
        """Note its text."""
        if self.open is not None:
            self.texts[self.open] += data

    @property
    def data(self):
        """What is known of all files."""
        return json.loads(self.texts["data"])

    @property
    def rows(self):
        """What is known of each file."""
        return self.data["rows"]

    @property
    def details(self):
        """Cards and thumbnail of each file."""
        parts = (text for name, text in self.texts.items() if name.startswith("chunk-"))
        return [details for part in parts for details in json.loads(part)]


def page_of(entries, folder, **options):
    """Write a report and take it apart."""
    write_report(entries, folder / "report.html", **options)
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def sky_header(ra=202.47, dec=47.195, shape=DATA.shape):
    """Return the header of an image whose middle is at a position."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = ra, dec
    wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2
    wcs.wcs.cdelt = -1e-4, 1e-4
    header = wcs.to_header()
    header.update(TELESCOP="HST", INSTRUME="ACS", DETECTOR="WFC", FILTER="F606W", TARGNAME="M51")
    header.update({"DATE-OBS": "2005-01-12", "EXPTIME": 500.0})
    return header


def make_file(path, tags=PREDICTION, header=None):
    """Write a FITS file, tagged or not."""
    fits.PrimaryHDU(DATA, sky_header() if header is None else header).writeto(path)
    if tags is not None:
        write_tags(path, replace(tags, origin=Origin(hdus=("0",), datasums=("12",))))
    return path


def draw_beside(path, color=(200, 30, 30)):
    """Write an annotated picture beside a file, whose image has one colour."""
    figure = Figure(figsize=(6, 3), dpi=100, facecolor="white")
    axes = figure.add_axes((0.1, 0.1, 0.4, 0.8))
    axes.imshow(np.full((8, 8, 3), color, np.uint8))
    axes.set(xticks=[], yticks=[])
    save_annotated(figure, picture_path(path))
    return picture_path(path)


def test_row(tmp_path):
    """A row says what the header says: observation, position, verdict; its cards are those of the header."""
    path = make_file(tmp_path / "m51.fits")
    write_label(path, "galaxy_field", by="W. Parsons")
    page = page_of(collect_entries(tmp_path), tmp_path)
    (row,), (details,) = page.rows, page.details
    expected = {
        "file": "m51.fits",
        "target": "M51",
        "telescope": "HST",
        "instrument": "ACS/WFC",
        "filter": "F606W",
        "date": "2005-01-12",
        "exposure": "500 s",
        "status": "OK",
        "verdict": "spiral_galaxy",
        "prob": 0.93,
        "class": "spiral_galaxy",
        "classProb": 0.93,
        "group": "galaxy",
        "groupProb": 0.97,
        "human": "galaxy_field",
        "listable": True,
    }
    assert {name: row[name] for name in expected} == expected
    assert set(row) - set(expected) == {"position"}
    assert row["position"] == pytest.approx([202.47, 47.195], abs=1e-5)
    header = {keyword: value for keyword, value in fits.getheader(path).items() if keyword.startswith("CLF")}
    assert dict(details["cards"]) == {k: None if isinstance(v, Undefined) else v for k, v in header.items()}


@pytest.mark.parametrize("status", Status)
def test_statuses(tmp_path, status):
    """Every status comes through, and the page has its sign, its colour and its reason."""
    make_file(tmp_path / "a.fits", replace(PREDICTION, status=status))
    page = page_of(collect_entries(tmp_path), tmp_path)
    assert page.rows[0]["status"] == str(status)
    known = {entry["name"]: entry for entry in page.data["statuses"]}
    assert known[str(status)] == {"name": str(status), "sign": MARKS[status].sign, "reason": MARKS[status].reason}
    assert f".status-{status} {{ --mark: {MARKS[status].color}; }}" in page.texts["style"]


def test_colours_are_those_of_the_pictures(tmp_path):
    """The page is light or dark in the colours of the annotated pictures."""
    style = page_of([], tmp_path).texts["style"]
    for name, value in vars(get_theme("light")).items():
        assert f"--{name}: light-dark({value}, {vars(get_theme('dark'))[name]});" in style


def test_combined_files_share_a_picture(tmp_path):
    """A file whose verdict is that of several has the picture beside another of these, unless it has its own."""
    files = [tmp_path / f"{name}.fits" for name in ("blue", "red", "other")]
    for file in files:
        others = tuple(f.name for f in files[:2] if f != file) if file != files[2] else ("blue.fits",)
        make_file(file, tags=None)
        write_tags(file, replace(PREDICTION, origin=Origin(hdus=("0",), datasums=("12",), inputs=others)))
    picture = draw_beside(files[0])
    blue, other, red = collect_entries(tmp_path)
    assert blue.picture == red.picture == picture
    assert blue.thumbnail == red.thumbnail != b""
    assert other.picture is None
    own = draw_beside(files[1], color=(10, 200, 10))
    assert read_entry(files[1]).picture == own


@pytest.mark.parametrize("name", ["../a.fits", "/etc/passwd", "", "..", "missing.fits"])
def test_combined_with_what_is_not_there(tmp_path, name):
    """Names of other files that lead nowhere, or elsewhere, are passed over."""
    path = make_file(tmp_path / "a.fits")
    fits.setval(path, "CLFIN1", value=name)
    assert read_entry(path).picture is None


def test_untagged(tmp_path):
    """A file without tags, and one with a person's label alone, are rows without a verdict."""
    make_file(tmp_path / "a.fits", tags=None)
    write_label(make_file(tmp_path / "b.fits", tags=None), "star", by="E. Hubble")
    first, second = page_of(collect_entries(tmp_path), tmp_path).rows
    assert first["status"] == second["status"] == "none"
    assert second["human"] == "star"
    assert not {"verdict", "class", "prob"} & (set(first) | set(second))


def test_stale(tmp_path):
    """A block that was copied from another file says so."""
    path = make_file(tmp_path / "a.fits")
    path.rename(tmp_path / "b.fits")
    assert page_of(collect_entries(tmp_path), tmp_path).rows[0]["stale"] is True


def test_unreadable(tmp_path):
    """A file that cannot be read, or is not there, is a row that says why; the others are there."""
    make_file(tmp_path / "a.fits")
    (tmp_path / "b.fits").write_bytes(b"no FITS file")
    entries = collect_entries([tmp_path, tmp_path / "missing.fits"])
    good, bad, missing = page_of(entries, tmp_path).rows
    assert (good["status"], bad["status"], missing["status"]) == ("OK", "error", "error")
    assert bad["error"].startswith("not a FITS file")
    assert missing["error"] == "No such file or directory"
    with pytest.raises(TagError, match=r"b\.fits: not a FITS file"):
        read_entry(tmp_path / "b.fits")


def test_pixels_are_not_read(tmp_path):
    """A file whose pixels are cut off has all that its headers say."""
    path = make_file(tmp_path / "a.fits")
    whole = read_entry(path)
    header = fits.getheader(path)
    path.write_bytes(path.read_bytes()[: len(header.tostring())])
    cut = read_entry(path)
    assert (dict(cut.tags), cut.facts, cut.position) == (dict(whole.tags), whole.facts, whole.position)
    assert cut.position is not None


def _plain(header):
    return fits.HDUList([fits.PrimaryHDU(DATA, header)])


def _extension(header):
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1, 2])], name="FIRST")
    return fits.HDUList([fits.PrimaryHDU(), table, fits.ImageHDU(DATA, header, name="SCI")])


def _compressed(header):
    return fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(DATA, header, name="SCI")])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("make", [_plain, _extension, _compressed])
def test_facts_and_position(tmp_path, make, pack):
    """Facts and the middle of the image are found in every kind of file."""
    stream = io.BytesIO()
    make(sky_header()).writeto(stream)
    (tmp_path / "a.fits").write_bytes(pack(stream.getvalue()))
    entry = read_entry(tmp_path / "a.fits")
    assert entry.position == pytest.approx((202.47, 47.195), abs=1e-6)
    assert (entry.facts.instrument, entry.facts.target, entry.facts.exptime) == ("ACS", "M51", 500.0)


@pytest.mark.parametrize(
    ("cards", "position"),
    [
        ({}, None),
        ({"RA_TARG": 83.6, "DEC_TARG": -5.4}, (83.6, -5.4)),
        ({"TARG_RA": 370.0, "TARG_DEC": 10.0}, (10.0, 10.0)),
        ({"RA_TARG": "05:34:31", "DEC_TARG": "+22:00:52"}, None),
        ({"RA_TARG": 10.0, "DEC_TARG": 99.0}, None),
        ({"RA_TARG": 10.0}, None),
    ],
)
def test_pointing(tmp_path, cards, position):
    """Without world coordinates the target's position counts, if it is one."""
    entry = read_entry(make_file(tmp_path / "a.fits", tags=None, header=fits.Header(cards)))
    assert entry.position == position


def test_distortion_tables(tmp_path):
    """Distortions kept in tables of the file, as Hubble's, do not cost the position."""
    header = sky_header()
    header.update({"CPDIS1": "LOOKUP", "CPDIS2": "LOOKUP", "D2IMDIS1": "LOOKUP", "D2IM1.EXTVER": 1, "DP1.EXTVER": 1})
    assert read_entry(make_file(tmp_path / "a.fits", tags=None, header=header)).position is not None


def test_thumbnail(tmp_path):
    """The thumbnail is the image of the annotated picture without the page around it; the picture is linked."""
    path = make_file(tmp_path / "m 51#.fits")
    draw_beside(path)
    page = page_of(collect_entries(tmp_path), tmp_path)
    assert page.rows[0]["picture"] == "m%2051%23_astroclf.png"
    with Image.open(io.BytesIO(base64.b64decode(page.details[0]["thumbnail"]))) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert max(thumbnail.size) == 144
        assert np.abs(np.asarray(thumbnail).astype(int) - (200, 30, 30)).max() < 12


def test_thumbnail_size(tmp_path):
    """Thumbnails have the size that was asked for; with 0 there are none, but the picture is linked."""
    draw_beside(make_file(tmp_path / "a.fits"))
    (small,) = collect_entries(tmp_path, thumbnail_size=32)
    (none,) = collect_entries(tmp_path, thumbnail_size=0)
    assert max(Image.open(io.BytesIO(small.thumbnail)).size) == 32
    assert none.thumbnail == b""
    assert none.picture == small.picture


def test_whole_page_as_thumbnail(tmp_path):
    """A picture of an earlier version, which does not say where its image is, is shown whole."""
    picture = draw_beside(make_file(tmp_path / "a.fits"))
    with Image.open(picture) as page:
        info, size = {"Software": page.info["Software"]}, page.size
        whole = page.convert("RGB")
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Software", info["Software"])
    whole.save(picture, pnginfo=text)
    (entry,) = collect_entries(tmp_path)
    with Image.open(io.BytesIO(entry.thumbnail)) as thumbnail:
        assert thumbnail.width / thumbnail.height == pytest.approx(size[0] / size[1], rel=0.02)


def test_no_picture(tmp_path):
    """Other people's pictures of that name are neither shown nor linked, and damaged ones have no thumbnail."""
    first, second = make_file(tmp_path / "a.fits"), make_file(tmp_path / "b.fits")
    Image.new("RGB", (50, 50)).save(picture_path(first))
    damaged = draw_beside(second)
    damaged.write_bytes(damaged.read_bytes()[:400])
    entries = {entry.path.name: entry for entry in collect_entries([first, second])}
    assert (entries["a.fits"].picture, entries["a.fits"].thumbnail) == (None, b"")
    assert entries["b.fits"].thumbnail == b""


def test_folders(tmp_path):
    """Folders are searched to the end; annotated pictures found there are no files of the night, tagged copies are."""
    (tmp_path / "deep").mkdir()
    draw_beside(make_file(tmp_path / "deep/b.fits"))
    make_file(tmp_path / "a.fits")
    Image.new("L", (64, 64), 9).save(tmp_path / "c.png")
    (tmp_path / "notes.txt").write_text("no frame")
    files = [row["file"] for row in page_of(collect_entries([tmp_path, tmp_path / "a.fits"]), tmp_path).rows]
    assert files == ["a.fits", "c.png", "deep/b.fits"]


def test_paths_are_relative_to_the_page(tmp_path):
    """Files and pictures are named from where the page is."""
    (tmp_path / "night").mkdir()
    (tmp_path / "pages").mkdir()
    draw_beside(make_file(tmp_path / "night/a.fits"))
    (row,) = page_of(collect_entries(tmp_path / "night"), tmp_path / "pages").rows
    assert row["file"] == "../night/a.fits"
    assert row["picture"] == "../night/a_astroclf.png"


def test_same_bytes(tmp_path):
    """The same files give the same bytes, which hold no time but those of the tags."""
    draw_beside(make_file(tmp_path / "a.fits"))
    write_report(collect_entries(tmp_path), tmp_path / "report.html")
    first = (tmp_path / "report.html").read_bytes()
    write_report(collect_entries(tmp_path), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == first
    tagged = fits.getheader(tmp_path / "a.fits")["CLFDATE"]
    assert set(re.findall(rb"20\d\d-\d\d-\d\dT[\d:]+", first)) == {tagged.encode()}


def test_nothing_is_fetched(tmp_path):
    """The page has no address but the name of SVG, and a policy that lets only its own style and program run."""
    page = page_of(collect_entries(make_file(tmp_path / "a.fits")), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+[^\s\"']*", text)) == {"http://www.w3.org/2000/svg"}
    (policy,) = (attrs["content"] for tag, attrs in page.elements if "http-equiv" in attrs)
    hashes = {name: sha256(page.texts[name].encode()).digest() for name in ("style", "script")}
    style, script = (f"sha256-{base64.b64encode(digest).decode()}" for digest in hashes.values())
    assert policy == (
        f"default-src 'none'; img-src 'self' file: data:; style-src '{style}'; script-src '{script}'; base-uri 'none'"
    )
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    program = Path(write_report.__code__.co_filename).parent / "data"
    for script in program.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


@pytest.fixture(scope="session")
def plain_elements(tmp_path_factory):
    """Return the elements of a page of two harmless files."""
    folder = tmp_path_factory.mktemp("plain")
    return [tag for tag, _ in page_of([Entry(folder / "a"), Entry(folder / "b", error="c")], folder).elements]


@settings(max_examples=60)
@example(target="", name="\x1f", value="", error="", title="")
@given(target=TEXTS, name=TEXTS, value=TEXTS, error=TEXTS, title=TEXTS)
def test_hostile_text(tmp_path_factory, plain_elements, target, name, value, error, title):
    """Whatever headers, names and messages hold, the page keeps its elements and shows no control character."""
    folder = tmp_path_factory.mktemp("hostile")
    name = name.replace("/", "").replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    path = folder / (name.strip(".") or "a")
    tags = Tags(
        {"CLFCLASS": value, "CLFSTAT": value, "CLFLAB1": value, "CLFPRB1": value, "CLFHLAB": value, "CLFNOVEL": np.nan}
    )
    facts = Facts(telescope=target, instrument=target, detector=value, filter=target, target=target, date=value)
    page = page_of([Entry(path, tags, facts), Entry(path, error=error)], folder, title=title)
    assert [tag for tag, _ in page.elements] == plain_elements
    first, second = page.rows
    assert first["file"] == path.name
    shown = [text for key, text in [*first.items(), *second.items()] if isinstance(text, str) and key != "file"]
    shown += [
        first.get("name", first["file"]),
        page.data["title"],
        *(v for _, v in page.details[0]["cards"] if isinstance(v, str)),
    ]
    for text in shown:
        assert not re.search("[\0-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert dict(page.details[0]["cards"])["CLFNOVEL"] == "nan"


def test_names_a_list_cannot_hold(tmp_path):
    """Files whose names are no UTF-8, or begin or end with blanks, are shown but cannot be listed."""
    names = ["good.fits", " blank.fits", "blank.fits ", "latin\udce9.fits", "com,ma\"quote'.fits"]
    rows = page_of([Entry(tmp_path / name) for name in names], tmp_path).rows
    assert [row["file"] for row in rows] == names
    assert [row["listable"] for row in rows] == [True, False, False, False, True]


def test_only_reports_are_replaced(tmp_path):
    """A report is replaced; any other file stays as it is, unless overwriting is asked for."""
    output = tmp_path / "report.html"
    write_report([], output)
    write_report([], output)
    assert is_report(output)
    output.write_text("my own page")
    assert not is_report(output)
    with pytest.raises(AstroclfError, match=r"report\.html exists and is no report of astroclf.*--overwrite"):
        write_report([], output)
    assert output.read_text() == "my own page"
    write_report([], output, overwrite=True)
    assert is_report(output)


@pytest.mark.parametrize("output", [".", "missing/report.html"])
def test_output_must_be_a_file_in_a_folder(tmp_path, output):
    """A folder, and a file in a folder that is not there, are refused."""
    with pytest.raises(AstroclfError, match="folder; name the HTML file to write"):
        write_report([], tmp_path / output)


def test_title(tmp_path):
    """The heading is the folder's name, or what is asked for, as text."""
    assert page_of(collect_entries(make_file(tmp_path / "a.fits")), tmp_path).texts["title"] == tmp_path.name
    assert page_of([], tmp_path, title="Night <1> & more").texts["title"] == "Night <1> & more"
    assert page_of([], tmp_path).texts["title"] == "astroclf report"


def test_command(tmp_path, capsys, monkeypatch):
    """The command writes the page where it is told, or here, and says what is in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "night").mkdir()
    make_file(tmp_path / "night/a.fits")
    assert main(["report", "night"]) == 0
    assert capsys.readouterr().out.startswith("report.html: 1 file, 0.")
    assert main(["report", "night", "-o", "night/all.html", "--title", "Mine", "--thumbnail-size", "0"]) == 0
    assert Page((tmp_path / "night/all.html").read_text("utf-8")).data["title"] == "Mine"


def test_one_default():
    """Command and Python make thumbnails of the same size."""
    assert make_parser().parse_args(["report", "a.fits"]).thumbnail_size == THUMBNAIL_SIZE


def test_command_goes_on(tmp_path, capsys):
    """A file that cannot be read is named, the status is 1, and the page has all files."""
    make_file(tmp_path / "b.fits")
    (tmp_path / "a.fits").write_bytes(b"")
    output = tmp_path / "report.html"
    assert main(["report", str(tmp_path), "-o", str(output)]) == 1
    out, err = capsys.readouterr()
    assert err == f"astroclf: {tmp_path}/a.fits: the file is empty\n"
    assert "2 files, 1 of which could not be read" in out
    assert [row["status"] for row in Page(output.read_text("utf-8")).rows] == ["error", "OK"]


def test_command_refuses(tmp_path, capsys):
    """Folders without frames and outputs that are no reports are refused, with the reason and status 1."""
    output = tmp_path / "report.html"
    assert main(["report", str(tmp_path), "-o", str(output)]) == 1
    assert "no FITS file and no picture" in capsys.readouterr().err
    assert not output.exists()
    make_file(tmp_path / "a.fits")
    output.write_text("mine")
    assert main(["report", str(tmp_path), "-o", str(output)]) == 1
    assert "is no report of astroclf" in capsys.readouterr().err
    assert main(["report", str(tmp_path), "-o", str(output), "--overwrite"]) == 0


@pytest.mark.parametrize("arguments", [["http://a.b/c.fits"], ["a.fits", "--thumbnail-size", "9999"], []])
def test_wrong_usage(arguments):
    """Remote files, absurd sizes and no files at all are wrong usage."""
    with pytest.raises(SystemExit, match="2"):
        main(["report", *arguments])


def test_tag_and_report(tmp_path, data_dir):
    """Tagging makes the page in one go, of the copies, with a file that failed among them."""
    (tmp_path / "bad.fits").write_bytes(b"")
    output = tmp_path / "tagged/report.html"
    frame = data_dir / "abell_2744_dwarf_galaxy_f105w.fits.gz"
    arguments = ["tag", "-o", str(tmp_path / "tagged"), "--no-png", "--report", str(output)]
    assert main([*arguments, str(frame), str(tmp_path / "bad.fits")]) == 1
    good, bad = Page(output.read_text("utf-8")).rows
    assert good["file"] == frame.name
    assert good["class"] in labels()
    assert (bad["file"], bad["status"]) == ("../bad.fits", "error")


def test_sidecars_and_report(tmp_path, data_dir):
    """Sidecars in a folder of their own stand for their files: tags and pictures are theirs, facts the files'."""
    frame = shutil.copy(data_dir / "abell_2744_dwarf_galaxy_f105w.fits.gz", tmp_path)
    tags, output = tmp_path / "tags", tmp_path / "tags/report.html"
    assert main(["tag", "--sidecar", "-o", str(tags), "--report", str(output), str(frame)]) == 0
    (row,) = Page(output.read_text("utf-8")).rows
    assert row["file"] == "abell_2744_dwarf_galaxy_f105w_astroclf.fits"
    assert row["class"] in labels()
    assert row["instrument"] == "WFC3/IR"
    assert row["picture"] == "abell_2744_dwarf_galaxy_f105w_astroclf.png"
    assert [entry.path.parent for entry in collect_entries(tmp_path)] == [tags]
    Path(frame).unlink()
    (entry,) = collect_entries(tags)
    assert (entry.tags.label, entry.facts, entry.picture.parent) == (row["class"], Facts(), tags)


def test_sidecars_beside_their_files(tmp_path, data_dir):
    """A sidecar beside its file is no file of its own."""
    frame = shutil.copy(data_dir / "abell_2744_dwarf_galaxy_f105w.fits.gz", tmp_path)
    assert main(["tag", "--sidecar", "--report", str(tmp_path / "report.html"), str(frame)]) == 0
    (row,) = Page((tmp_path / "report.html").read_text("utf-8")).rows
    assert row["file"] == Path(frame).name
    assert row["class"] in labels()
    assert [entry.path.name for entry in collect_entries(tmp_path)] == [row["file"]]


def test_tag_report_refuses(tmp_path, capsys):
    """--report is not for a plan, and is refused before any file is touched where it would cost somebody a page."""
    path = make_file(tmp_path / "a.fits", tags=None)
    before = path.read_bytes()
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(SystemExit, match="2"):
        main(["tag", "--dry-run", "--report", str(tmp_path / "new.html"), str(path)])
    assert main(["tag", "--report", str(tmp_path / "mine.html"), str(path)]) == 1
    assert "is no report of astroclf" in capsys.readouterr().err
    assert path.read_bytes() == before

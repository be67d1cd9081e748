# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of astroclf.annotation."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text
from numpy.testing import assert_allclose
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from astroclf import AstroclfError, EmptyFrameError
from astroclf.annotation import annotate, is_annotated, picture_path, save_annotated
from astroclf.annotation.layout import arrange
from astroclf.annotation.lengths import nice_length
from astroclf.annotation.theme import MARKS, get_theme
from astroclf.annotation.words import clean, exposure, human, observation, percent, quality
from astroclf.frames.frame import Facts, Frame, Origin
from astroclf.frames.sky import sky_orientation
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.taxonomy import groups, labels

FACTS = Facts("HST", "WFC3", "UVIS", "F606W", "NGC 1300", "2004-09-21T10:11:12", 2720.0)
LONG_FACTS = Facts(
    "Very Long Telescope Name of the Southern Observatory", "MULTI-OBJECT SPECTROGRAPH AND IMAGER", "CHIP-1",
    "CLEAR1L;F606W;POL120V", r"UDS-$\alpha^2_b$ deep field pointing 0042, é, 星雲, a name that goes on and on" * 3,
    "2004-09-21T10:11:12", 1234567.8,
)  # fmt: skip
LONG_ORIGIN = Origin(Path("a" * 80 + "_nrcalong_" + "b" * 80 + ".fits.gz"), ("SCI,1", "SCI,2", "SCI,3", "SCI,4"))
ASPECTS = 0.05, 0.25, 0.5, 1, 1.5, 1.99, 2.01, 4, 20


def make_wcs(angle=0.0, mirror=False, ctype=("RA---TAN", "DEC--TAN"), crval=(49.9, -19.4), pixel=0.05):
    """Return the WCS of a 200 x 200 frame whose north is ``angle`` degrees counterclockwise from up."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ctype, crval, (100, 100)
    wcs.wcs.cd = pixel / 3600 * np.array([[-cos, -sin], [-sin, cos]]) @ np.diag([-1 if mirror else 1, 1])
    return wcs


def make_frame(shape=(200, 200), facts=FACTS, wcs=None, origin=None):
    """Return a frame of noise."""
    data = np.random.default_rng(12345).normal(100, 5, shape).astype(np.float32)
    origin = origin or Origin(Path("j8d602niq_flc.fits"), ("SCI,1", "SCI,2"))
    return Frame(CCDData(data, unit="electron", mask=np.zeros(shape, bool), wcs=wcs), facts=facts, origin=origin)


def make_prediction(status=Status.OK, first="spiral_galaxy", group="galaxy"):
    """Return a prediction that gives 0.93 to the first class."""
    names = [first, *(name for name in ("irregular_galaxy", *labels()) if name != first)]
    probs = [0.93, 0.04, *([0.0025] * 12)]
    others = [name for name in groups() if name != group]
    return Prediction(
        tuple(dict.fromkeys(names)), tuple(probs), (group, *others), (0.9725, *([0.0275 / 6] * 6)), status, 0.017,
        Provenance("resnet50-astro-1", "0" * 64, "0" * 12),
    )  # fmt: skip


def draw(frame=None, prediction=None, **options):
    """Return an annotated figure of a grey picture."""
    frame = frame or make_frame()
    rgb = np.full((*frame.shape, 3), 0.5)
    return annotate(frame, prediction or make_prediction(), rgb=rgb, **options)


def texts_of(figure):
    """Return the visible texts of a figure."""
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def words_of(figure):
    """Return the strings on a figure."""
    return [text.get_text() for text in texts_of(figure)]


def extent(artist, figure):
    """Return the box of an artist in pixels."""
    if not isinstance(figure.canvas, FigureCanvasAgg):
        FigureCanvasAgg(figure)
    return artist.get_window_extent(figure.canvas.get_renderer())


def assert_nothing_collides(figure):
    """Assert that texts are on the page, and clear of each other, of the image and of the bars."""
    image, outside = figure.axes[0], [t for t in texts_of(figure) if t.axes is None]
    boxes = {text: extent(text, figure) for text in outside}
    patches = [extent(patch, figure) for patch in figure.artists if not isinstance(patch, FancyBboxPatch)]
    for text, box in boxes.items():
        assert figure.bbox.count_contains([box.min, box.max]) == 2, f"{text} is clipped"
        for other in [*patches, image.get_window_extent()]:
            assert not box.overlaps(other), f"{text} is on something"
    for one, two in combinations(outside, 2):
        assert not boxes[one].overlaps(boxes[two]), f"{one} is on {two}"
    assert_overlay_is_clear(figure, image)


def assert_overlay_is_clear(figure, image):
    """Assert that scale bar and compass are inside the image and clear of each other."""
    compass = [a for a in image.get_children() if isinstance(a, FancyArrowPatch)] + list(image.texts)
    boxes = [extent(artist, figure) for artist in compass]
    bars = [extent(artist, figure) for artist in image.artists]
    for box in boxes + bars:
        assert image.bbox.count_contains([box.min, box.max]) == 2
    assert not any(box.overlaps(bar) for box in boxes for bar in bars)


def test_says_everything():
    """Target, instrument, filter, exposure, date, verdict, probability, top three and small print are there."""
    words = words_of(draw())
    assert "NGC 1300" in words
    assert "HST  ·  WFC3/UVIS  ·  F606W  ·  2,720 s  ·  2004-09-21" in words
    assert words.count("spiral galaxy") == 2  # verdict and first bar
    assert {"irregular galaxy", "93%", "4%", "<1%", "calibrated probability", "✓ OK"} <= set(words)
    assert {"j8d602niq_flc.fits", "200 \N{MULTIPLICATION SIGN} 200 px  ·  HDU SCI,1 SCI,2", "resnet50-astro-1"} <= set(
        words
    )
    assert "1.7% of pixels unusable" in words


@pytest.mark.parametrize("status", Status)
def test_status_is_told_by_more_than_colour(status):
    """Every status has its word, its sign and its sentence."""
    words = words_of(draw(prediction=make_prediction(status)))
    assert f"{MARKS[status].sign} {status}" in words
    assert MARKS[status].reason in words
    assert len({mark.sign for mark in MARKS.values()}) == len({mark.color for mark in MARKS.values()}) == len(Status)


@pytest.mark.parametrize("status", [Status.UNCERTAIN, Status.NOVEL, Status.LOWQUAL])
def test_unknown_has_no_probability(status):
    """Where the verdict is unknown the picture says so, and names its best guess as a guess."""
    words = words_of(draw(prediction=make_prediction(status)))
    assert "unknown" in words
    assert "best guess: galaxy, 97%" in words
    assert "calibrated probability" not in words


def test_group_verdict_colours_its_members():
    """Under GROUP every bar of a member of the group has the colour of the status."""
    figure = draw(prediction=make_prediction(Status.GROUP))
    colors = [matplotlib.colors.to_hex(patch.get_facecolor()) for patch in figure.artists]
    assert "galaxy" in words_of(figure)
    assert colors.count(MARKS[Status.GROUP].color) == 1 + 1 + 2 + 1  # strip, badge and three galaxies


def test_file_name_stands_in_for_a_missing_target():
    """Without a target the title is the file name; an array says so too."""
    assert words_of(draw(make_frame(facts=Facts()))).count("j8d602niq_flc.fits") == 2
    assert "<array>" in words_of(draw(make_frame(facts=Facts(), origin=Origin())))


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("status", Status)
def test_nothing_collides(aspect, status):
    """No text is clipped or covered at any aspect ratio and status, with the longest names."""
    shape = (round(1000 / max(aspect, 1)), round(1000 * min(aspect, 1)))
    frame = make_frame(shape, LONG_FACTS, make_wcs(30), LONG_ORIGIN)
    assert_nothing_collides(draw(frame, make_prediction(status, "supernova_remnant")))


@pytest.mark.parametrize("label", labels())
def test_every_class_fits(label):
    """The verdict is written in full for each class, beside the image and below it."""
    for shape in ((100, 100), (100, 400)):
        figure = draw(make_frame(shape), make_prediction(first=label))
        assert words_of(figure)[words_of(figure).index("sure of the class") + 1] == human(label)
        assert_nothing_collides(figure)


@pytest.mark.parametrize("angle", range(0, 360, 40))
@pytest.mark.parametrize("shape", [(200, 200), (1000, 250), (250, 1000)])
def test_overlay_stays_inside(angle, shape):
    """Scale bar and compass are there, inside the image and apart, however north lies."""
    figure = draw(make_frame(shape, wcs=make_wcs(angle)))
    assert {"N", "E"} <= {text.get_text() for text in figure.axes[0].texts}
    assert_nothing_collides(figure)


@given(name=st.text(st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=30)
def test_any_name_is_drawn(name):
    """Any Unicode text in the header and the file name is drawn in one line, without a warning."""
    facts = Facts(*[name] * 5, date=name, exptime=float("nan"))
    figure = draw(make_frame(facts=facts, origin=Origin(Path("x" + name.replace("/", "")))))
    figure.canvas.draw()
    assert_nothing_collides(figure)
    assert not any(character in "".join(words_of(figure)) for character in "\n\r\t\x00\x1b\u202e")


def test_dollars_and_backslashes_are_no_mathematics():
    """What looks like TeX is drawn as it stands."""
    figure = draw(make_frame(facts=replace(FACTS, target=r"$\frac{1}$ _a^b \bad")))
    figure.canvas.draw()
    assert r"$\frac{1}$ _a^b \bad" in words_of(figure)


def test_long_names_are_elided():
    """A long title has two lines, the second with both ends; a long file name keeps both ends."""
    words = words_of(draw(make_frame(facts=LONG_FACTS, origin=LONG_ORIGIN)))
    first, second = next(pair for pair in pairwise(words) if pair[0].startswith(r"UDS-$\alpha^2_b$ deep field"))
    assert "…" not in first
    assert "…" in second
    assert second.endswith("goes on and on")
    assert any(word.startswith("aaa") and word.endswith(".fits.gz") and "…" in word for word in words)


@pytest.mark.parametrize("name", ["hlsp_frontier_hst_wfc3-60mas_abell2744_f105w_drz.fits.gz", "x" * 70])
def test_long_file_name_as_title(name):
    """A long file name is the title in full, on two lines."""
    figure = draw(make_frame(facts=Facts(), origin=Origin(Path(name))))
    words = words_of(figure)
    assert any(one + two == name for one, two in pairwise(words))
    assert_nothing_collides(figure)


def test_same_input_same_bytes(tmp_path):
    """Two pictures of one frame are equal byte for byte, drawn in threads or under other rcParams."""
    frame, paths = make_frame(wcs=make_wcs(20)), [tmp_path / f"{n}.png" for n in range(4)]
    draw(frame, path=paths[0])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: draw(frame, path=path), paths[1:3]))
    odd = {
        "figure.autolayout": True, "savefig.bbox": "tight", "text.usetex": True, "font.family": "serif",
        "text.color": "red", "axes.grid": True, "image.origin": "upper", "axes.spines.left": False, "figure.dpi": 50,
    }  # fmt: skip
    with matplotlib.rc_context(odd):
        draw(frame, path=paths[3])
    assert len({path.read_bytes() for path in paths}) == 1


def test_picture_of_a_real_rendering(tmp_path):
    """Without ``rgb`` the frame is rendered by the preprocessor; masked and NaN pixels are no obstacle."""
    frame = make_frame((120, 160))
    frame.ccd.data[30:40, 50:60] = np.nan
    frame.ccd.mask[:, :20] = True
    figure = annotate(frame, make_prediction(), tmp_path / "a.png")
    assert figure.axes[0].get_xlim() == (19.5, 159.5)
    shown = figure.axes[0].images[0].get_array()
    assert shown.shape == (120, 140, 3)
    assert np.ptp(shown) > 0.1
    assert np.all(np.ptp(shown, axis=2) == 0)  # one filter, no colours
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        assert image.size == tuple(figure.bbox.size.astype(int))


def test_nan_in_rgb_is_black():
    """NaN in a given picture is drawn black, and values beyond [0, 1] are clipped."""
    rgb = np.full((50, 50, 3), np.nan)
    rgb[0] = 7
    shown = annotate(make_frame((50, 50)), make_prediction(), rgb=rgb).axes[0].images[0].get_array()
    assert shown.max() == 1
    assert shown[1:].max() == 0


def test_frame_without_a_good_pixel():
    """A frame without a usable pixel is refused by name."""
    frame = make_frame()
    frame.ccd.mask[:] = True
    with pytest.raises(EmptyFrameError, match=r"j8d602niq_flc\.fits: no pixel"):
        annotate(frame, make_prediction())


@pytest.mark.parametrize("shape", [(5, 5), (5, 5, 4), (0, 5, 3)])
def test_bad_rgb(shape):
    """A picture of another shape is refused, and the shape named."""
    with pytest.raises(ValueError, match=rf"rgb must have the shape .*got \({shape[0]}, 5"):
        annotate(make_frame((5, 5)), make_prediction(), rgb=np.zeros(shape))


def test_bad_theme():
    """An unknown theme is refused, and the known ones named."""
    with pytest.raises(ValueError, match="theme must be one of dark, light; got 'pink'"):
        draw(theme="pink")


def luminance(color):
    """Return the relative luminance of a colour, as WCAG defines it."""
    rgb = np.array(matplotlib.colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


def contrast(one, two):
    """Return the contrast ratio of two colours."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_contrast(name):
    """Text meets the WCAG AA contrast of 4.5 on the page and on every badge."""
    theme, figure = get_theme(name), draw(theme=name)
    assert contrast(theme.ink, theme.page) > 7
    assert contrast(theme.muted, theme.page) > 4.5
    (on_badge,) = [text.get_color() for text in texts_of(figure) if text.get_text() == "✓ OK"]
    assert all(contrast(on_badge, mark.color) > 4.5 for mark in MARKS.values())


@given(aspect=st.floats(1e-4, 1e4))
def test_boxes_do_not_overlap(aspect):
    """The boxes of a page are on it and apart, whatever the aspect ratio; lines between them do not matter."""
    layout = arrange(aspect)
    boxes = layout.image, layout.heading, layout.verdict, layout.bars, layout.small_print
    for box in boxes:
        assert box.left > 0.3
        assert box.bottom > 0.3
        assert box.right < layout.width - 0.3
        assert box.top < layout.height - 0.3
    for one, two in combinations(boxes, 2):
        apart = max(one.left - two.right, two.left - one.right, one.bottom - two.top, two.bottom - one.top)
        assert apart > 0.1


def test_square_frame_makes_a_slide():
    """A square image makes a page of 1920 x 1080 pixels."""
    assert tuple(draw().bbox.size) == pytest.approx((1920, 1080))


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("angle", [0, 30, 135, 270])
def test_orientation(angle, mirror):
    """North is where the WCS says, east 90 degrees counterclockwise of it unless the frame is mirrored."""
    orientation = sky_orientation(make_wcs(angle, mirror), (200, 200))
    north = np.radians(angle) + np.pi / 2
    side = -1 if mirror else 1
    assert_allclose(orientation.north, (side * np.cos(north), np.sin(north)), atol=1e-3)
    assert_allclose(orientation.east, (side * np.cos(north + np.pi / 2), np.sin(north + np.pi / 2)), atol=1e-3)
    assert_allclose(orientation.scale, 0.05, rtol=1e-3)


def test_orientation_of_galactic_coordinates():
    """The compass shows equatorial north also for a WCS in galactic coordinates."""
    wcs = make_wcs(ctype=("GLON-TAN", "GLAT-TAN"), crval=(120, 30))
    center, pole = SkyCoord(120 * u.deg, 30 * u.deg, frame="galactic"), SkyCoord(0 * u.deg, 90 * u.deg)
    angle = center.position_angle(pole.galactic)
    assert_allclose(sky_orientation(wcs, (200, 200)).north, (-np.sin(angle), np.cos(angle)), atol=1e-3)


def test_orientation_at_the_pole():
    """A frame on the celestial pole has its scale and its right angle."""
    orientation = sky_orientation(make_wcs(crval=(0, 90)), (200, 200))
    assert_allclose(orientation.scale, 0.05, rtol=1e-3)
    assert_allclose(np.dot(orientation.north, orientation.east), 0, atol=0.02)


@pytest.mark.parametrize(
    "wcs",
    [
        None,
        WCS(naxis=2),
        WCS(naxis=3),
        make_wcs(ctype=("HPLN-TAN", "HPLT-TAN")),
        make_wcs(ctype=("TLON-TAN", "TLAT-TAN")),
        make_wcs(pixel=3600),
        make_wcs(ctype=("LINEAR", "WAVE")),
    ],
    ids=["none", "pixels", "cube", "solar", "terrestrial", "all sky", "spectrum"],
)
def test_no_orientation(wcs):
    """Without coordinates of the sky, or in too wide a field, there is no compass and no bar."""
    assert sky_orientation(wcs, (200, 200)) is None


def test_frame_without_wcs_has_no_compass():
    """Nothing is drawn on the image of a frame without coordinates."""
    (image,) = draw().axes
    assert not image.texts
    assert not image.artists


@given(longest=st.floats(0.001, 108000))
def test_nice_length(longest):
    """The bar is a round angle, and at least two fifths of the longest allowed."""
    length, label = nice_length(longest)
    assert 0.399 * longest <= length <= longest
    assert int(label.rstrip("mas\N{NO-BREAK SPACE}\N{DOUBLE PRIME}\N{PRIME}\N{DEGREE SIGN}")) in (
        1,
        2,
        5,
        10,
        20,
        30,
        50,
        100,
        200,
        500,
    )


def test_scale_bar_has_its_length():
    """The bar covers as many pixels as its label says."""
    (image,) = draw(make_frame((400, 400), wcs=make_wcs(pixel=0.05))).axes
    (bar,) = image.artists
    assert bar.txt_label.get_text() == "5″"
    assert bar.size_bar.get_children()[0].get_width() == pytest.approx(100, rel=1e-3)
    assert nice_length(0.0005) == (0.0, "")


def test_words():
    """Names, numbers and header text come out as people write them."""
    assert [human(name) for name in ("early_type_galaxy", "edge_on_galaxy", "none", "German_shepherd")] == [
        "early-type galaxy", "edge-on galaxy", "no source", "German shepherd",
    ]  # fmt: skip
    assert [percent(p) for p in (0, 0.004, 0.005, 0.42, 0.994, 0.999, 1)] == [
        "0%", "<1%", "0%", "42%", "99%", ">99%", "100%",
    ]  # fmt: skip
    assert [quality(q) for q in (0, 0.0004, 0.25)] == [
        "no unusable pixels", "<0.1% of pixels unusable", "25.0% of pixels unusable",
    ]  # fmt: skip
    assert [exposure(t) for t in (None, -1, float("inf"), 0, 0.00532, 90, 68952.4)] == [
        "", "", "", "0 s", "0.00532 s", "90 s", "68,952 s",
    ]  # fmt: skip


def test_observation():
    """The known facts come in order, and a detector is not said twice."""
    assert observation(FACTS) == ["HST", "WFC3/UVIS", "F606W", "2,720 s", "2004-09-21"]
    assert observation(Facts(instrument="STE3 CCD", detector="CCD", date="29/11/51")) == ["STE3 CCD", "29/11/51"]
    assert observation(Facts()) == []
    assert observation(Facts(filter="F336W+F438W+F606W+F814W")) == ["F336W+F438W+F606W+F814W"]
    assert observation(Facts(filter="F275W+F336W+F438W+F606W+F814W")) == ["F275W to F814W, 5 filters"]


def test_clean():
    """Control characters become spaces, formatting and loose accents go, undecodable bytes are marked."""
    assert clean("a\x1b[31m\nb\u202ec\u200b e\u0301 z\u0323\u0310\udce9") == "a [31m bc é ẓ\N{REPLACEMENT CHARACTER}"
    assert len(clean("a" * 100_000)) == 400


@given(
    stem=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30),
    suffix=st.sampled_from(["", ".fits", ".fit", ".fts", ".FITS", ".fits.gz", ".fits.bz2", ".fits.fz", ".Fit.GZ"]),
)
def test_picture_path(stem, suffix):
    """The name loses exactly one FITS suffix, and the picture lies beside the file or in the given folder."""
    stem = f"x{stem}x"
    assert picture_path(f"/data/{stem}{suffix}") == Path(f"/data/{stem}_astroclf.png")
    assert picture_path(f"/data/{stem}{suffix}", "out") == Path(f"out/{stem}_astroclf.png")


def test_picture_path_of_odd_names():
    """Other suffixes stay, and a file that is all suffix keeps its name."""
    assert picture_path("a.b.fits.fits").name == "a.b.fits_astroclf.png"
    assert picture_path("a.fits.zip").name == "a.fits.zip_astroclf.png"
    assert picture_path(".fits").name == ".fits_astroclf.png"


def test_own_picture_is_overwritten(tmp_path):
    """A picture that astroclf made is replaced, keeps its mode, and leaves nothing beside it."""
    path = tmp_path / "a.png"
    draw(path=path)
    path.chmod(0o640)
    assert is_annotated(path)
    before = path.read_bytes()
    draw(path=path, theme="light")
    assert path.read_bytes() != before
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a.png"]


def save_foreign(path, software):
    """Write a PNG with a ``Software`` text, or none."""
    info = PngInfo()
    info.add_text("Title", "mine")
    if software:
        info.add_text("Software", software)
    Image.new("RGB", (3, 3)).save(path, pnginfo=info)


@pytest.mark.parametrize("software", [None, "Matplotlib version 3", "astroclfake 1", "not astroclf 1"])
def test_foreign_picture_is_refused(tmp_path, software):
    """A PNG of another program is left alone, and the error says what to do."""
    path = tmp_path / "a.png"
    save_foreign(path, software)
    before = path.read_bytes()
    with pytest.raises(AstroclfError, match=r"a\.png exists and was not made by astroclf: move it"):
        draw(path=path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXtSoft", b"notes"])
def test_other_file_is_refused(tmp_path, content):
    """Empty, cut and other files are left alone."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(AstroclfError, match="not made by astroclf"):
        draw(path=path)
    assert path.read_bytes() == content


def test_folder_and_pipe_are_refused(tmp_path):
    """A folder or a named pipe of that name is refused, and not waited for."""
    (tmp_path / "a.png").mkdir()
    os.mkfifo(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        assert not is_annotated(tmp_path / name)
        with pytest.raises(AstroclfError, match="not made by astroclf"):
            draw(path=tmp_path / name)


def test_link_is_followed(tmp_path):
    """A link to a picture stays a link, and its target is replaced."""
    target, link = tmp_path / "target.png", tmp_path / "a.png"
    draw(path=target)
    link.symlink_to(target)
    draw(path=link, theme="light")
    assert link.is_symlink()
    assert is_annotated(target)


def test_missing_folder(tmp_path):
    """A folder that is not there is named."""
    with pytest.raises(AstroclfError, match=r"nowhere/a\.png cannot be written: No such file or directory"):
        draw(path=tmp_path / "nowhere" / "a.png")


def test_full_disk_leaves_the_old_picture(tmp_path, monkeypatch):
    """A write that fails leaves the old picture and nothing else."""

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.png"
    figure = draw(path=path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(AstroclfError, match=r"a\.png cannot be written: No space left"):
        save_annotated(figure, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


def test_notebook_shows_the_figure():
    """A figure is a PNG to notebooks, and saving leaves its canvas alone."""
    figure = draw()
    canvas = figure.canvas
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figure.canvas is canvas


def test_imports_are_lazy():
    """The room is entered without matplotlib, and a picture is drawn without pyplot."""
    code = (
        "import sys\nfrom astroclf import annotate\nfrom astroclf.annotation import picture_path, is_annotated\n"
        "assert 'matplotlib' not in sys.modules\nimport astroclf.annotation.figure\n"
        "assert 'matplotlib.pyplot' not in sys.modules\nassert callable(annotate)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

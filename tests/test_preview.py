# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of astroclf preview: the figure of the stages, the file of the sky, the command."""

import os
import re
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from zlib import crc32

import matplotlib
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import AstroclfError, Preprocessor, read_frame
from astroclf.annotation import draw_preview, is_annotated
from astroclf.annotation.figure import Page
from astroclf.annotation.files import to_png
from astroclf.annotation.grid import LONGEST_RATIO, arrange_panels
from astroclf.annotation.scales import number, power, round_levels, widened
from astroclf.annotation.shrinking import coverage, field_of_view, shrink
from astroclf.annotation.theme import get_theme
from astroclf.annotation.words import share
from astroclf.clean import Background
from astroclf.cli import main, preview
from astroclf.datasets import make_frame
from astroclf.frames.frame import Exposure, Facts, Frame, Origin
from astroclf.model.record import load_record
from astroclf.products import save_background
from astroclf.render import Stretch

FACTS = Facts("HST", "WFC3", "UVIS", "F606W", "NGC 1300", "2004-09-21T10:11:12", 2720.0)
SHAPES = (1, 1), (3, 2), (16, 2000), (2000, 16), (150, 60), (60, 150), (100, 100)


def make(shape=(100, 100), facts=FACTS, mask=None, unit="electron", level=100.0, **options):
    """Return a frame of noise with a star in its middle and a line of bad pixels."""
    data = np.random.default_rng(12345).normal(level, 5, shape).astype(np.float32)
    data[shape[0] // 2, shape[1] // 2] += 500
    if mask is None:
        mask = np.zeros(shape, bool)
        mask[:, 1:2] = shape[1] > 2
    return Frame(CCDData(data, unit=unit, mask=mask), facts=facts, origin=Origin(Path("a_flt.fits")), **options)


def draw(frame=None, preprocessor=None, **options):
    """Return the preview of a frame."""
    preprocessor = preprocessor or load_record().preprocessor
    stages = preprocessor.stages(make() if frame is None else frame)
    return draw_preview(stages, preprocessor=preprocessor, **options)


def words_of(figure):
    """Return the strings on a figure."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def assert_nothing_collides(figure):
    """Assert that all texts are on the page, clear of each other and, but for those on them, of the images."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    boxes = {text: text.get_window_extent(renderer) for text in texts}
    outside = [text for text in texts if text.axes is None]
    for text in outside:
        assert figure.bbox.count_contains([boxes[text].min, boxes[text].max]) == 2, f"{text} is clipped"
        for axes in figure.axes:
            assert not boxes[text].overlaps(axes.get_window_extent()), f"{text} is on a panel"
    for one, two in combinations(texts, 2):
        assert not boxes[one].overlaps(boxes[two]), f"{one} is on {two}"


def all_masked_but_one(shape=(64, 48)):
    """Return a mask with one good pixel."""
    mask = np.ones(shape, bool)
    mask[20, 30] = False
    return mask


@pytest.fixture
def coarse(monkeypatch):
    """Draw few dots: what is tested is elsewhere."""
    monkeypatch.setattr("astroclf.annotation.preview._DPI", 72)


class TestLayout:
    """Where texts are."""

    @pytest.mark.slow
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_nothing_collides(self, shape):
        """No text is clipped or covered, whatever the shape of the frame."""
        assert_nothing_collides(draw(make(shape)))

    @pytest.mark.parametrize(
        "frame",
        [
            make((64, 48), mask=all_masked_but_one()),
            make(level=-1.23456e-7),
            make(level=1.23456e9, unit="kR"),
            make((100, 100), Facts(*["W" * 300] * 6), steps=("x" * 999, "y z " * 300)),
            make((90, 90), Facts(), unit=""),
            make((2, 900), Facts(*["W" * 300] * 6), unit="1e-20 erg / (Angstrom s cm2)"),
        ],
        ids=["one pixel", "small", "large", "long names", "no names", "long unit"],
    )
    def test_nothing_collides_on_odd_frames(self, frame):
        """The same where masks, numbers, names and units are odd."""
        assert_nothing_collides(draw(frame))

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_themes(self, theme):
        """Both themes are drawn, each on its page."""
        figure = draw(theme=theme)
        assert (sum(figure.get_facecolor()[:3]) > 1.5) == (theme == "light")
        assert_nothing_collides(figure)

    @pytest.mark.parametrize("value", [0.0, -1e30])
    def test_constant_frames(self, value):
        """A frame of one value, without noise, is drawn."""
        frame = make((40, 50))
        frame.ccd.data[:] = value
        figure = draw(frame)
        assert_nothing_collides(figure)
        assert any(re.match("noise . 0", text) for text in words_of(figure))


@pytest.mark.usefixtures("coarse")
class TestFigure:
    """What is on the figure."""

    def test_panels_in_order(self):
        """Six panels, lettered in the order of the line."""
        words = words_of(draw())
        letters = [text for text in words if text in tuple("abcdef")]
        assert letters == list("abcdef")
        titles = "as read", "replaced, masked, filled", "sky", "sky subtracted", "as the network sees it"
        places = [words.index(title) for title in titles]
        assert places == sorted(places)

    def test_says_what_was_done(self):
        """Name, instrument, counts of pixels, level, reader's steps, reason and digest are on the page."""
        figure = draw(make(steps=("trimmed to columns 1-100",), exposure=Exposure.SINGLE))
        words = " | ".join(words_of(figure)).replace("\N{MULTIPLICATION SIGN}", "x")
        for text in (
            "NGC 1300", "a_flt.fits", "HST  ·  WFC3/UVIS  ·  F606W  ·  2,720 s  ·  2004-09-21", "100 x 100 px",
            "masked: 100 (1.0%)", "trimmed to columns 1-100", "electron, flat", load_record().preprocessor.digest,
            "looked for", "a single exposure of a CCD", "the first is 1, as in FITS",
        ):  # fmt: skip
            assert text in words
        assert "cosmic rays: not looked for" in words_of(draw())
        assert f"not looked for: {Exposure.UNKNOWN}" in words_of(draw())

    def test_counts_cosmic_rays(self):
        """What was replaced is counted and drawn in its colour."""
        frame = make((100, 100), exposure=Exposure.SINGLE)
        frame.ccd.data[20, 30:36] += 3000
        stages = load_record().preprocessor.stages(frame)
        struck = np.count_nonzero(stages.struck)
        figure = draw_preview(stages)
        assert struck >= 6
        assert f"cosmic rays: {struck} ({share(struck / 1e4)})" in words_of(figure)
        assert f"looked for, {struck} pixels replaced: {Exposure.SINGLE}" in words_of(figure)
        masks = figure.axes[2].images[0].get_array()
        assert_allclose(masks[20, 33], matplotlib.colors.to_rgb("#d55e00"))
        assert_allclose(masks[50, 1], matplotlib.colors.to_rgb(get_theme("light").bar))  # without any data, so filled

    def test_images_are_those_of_the_stages(self):
        """The picture is drawn as it is, in the pixels of the frame."""
        stages = load_record().preprocessor.stages(make((60, 80)))
        figure = draw_preview(stages)
        (picture,) = [axes for axes in figure.axes if any(image.get_array() is not None for image in axes.images)][-1:]
        assert_array_equal(np.asarray(picture.images[0].get_array()), stages.rgb)
        assert picture.get_xlim() == (-0.5, 79.5)
        assert picture.get_ylim() == (-0.5, 59.5)

    def test_other_settings_are_no_network(self):
        """Only the model's own settings are called what the network sees."""
        figure = draw(preprocessor=Preprocessor(stretch=Stretch.grey(curve="log")))
        assert "as the network sees it" not in words_of(figure)
        assert "one stretch, in grey" in words_of(figure)

    def test_stretch_points(self):
        """Black and white are those of the settings, even where no pixel is white; without them, of the picture."""
        stages = load_record().preprocessor.stages(make())
        words = words_of(draw_preview(stages, preprocessor=load_record().preprocessor))
        assert {"R 15", "lines: brightness; black at \N{MINUS SIGN}1, white at"} <= set(words)
        dark = replace(stages, rgb=stages.rgb * 0.5)
        assert {"R beyond", "G beyond", "B beyond"} <= set(words_of(draw_preview(dark)))

    def test_tilt_and_mesh(self):
        """A plane is said to be tilted; a mesh has a range; a level is flat."""
        frame = make((200, 200))
        frame.ccd.data += np.linspace(0, 300, 200, dtype=np.float32)
        assert any(", tilt " in word for word in words_of(draw(frame)))
        mesh = Preprocessor(background=Background(model="mesh"))
        assert any(", range " in word for word in words_of(draw(frame, mesh)))

    def test_pattern(self):
        """Stripes are shown with the sky."""
        frame = make((200, 200))
        frame.ccd.data[77] += 20
        words = words_of(draw(frame))
        assert "sky and pattern" in words
        assert any(", pattern " in word for word in words)

    def test_not_to_scale(self):
        """A very long frame is said to be out of scale, and by how much."""
        assert any("drawn 20.8 times higher than wide" in word for word in words_of(draw(make((16, 2000)))))
        assert not any("not to scale" in word for word in words_of(draw(make((100, 500)))))

    def test_bad_theme(self):
        """An unknown theme is refused."""
        with pytest.raises(ValueError, match="theme must be one of dark, light; got 'pink'"):
            draw(theme="pink")

    def test_same_input_same_bytes(self):
        """Two figures of one frame are equal byte for byte, whatever the user's settings are."""
        frame = make((60, 80), exposure=Exposure.SINGLE)
        odd = {
            "figure.autolayout": True, "text.usetex": True, "font.family": "serif", "text.color": "red",
            "axes.grid": True, "image.origin": "upper", "image.cmap": "jet", "axes.spines.left": False,
            "figure.dpi": 50, "xtick.top": True, "xtick.minor.visible": True, "lines.linewidth": 9,
            "lines.linestyle": ":", "xtick.major.pad": 20, "ytick.right": True, "axes.xmargin": 0.3,
        }  # fmt: skip
        one = to_png(draw(frame))
        with matplotlib.rc_context(odd):
            assert to_png(draw(frame)) == one

    @pytest.mark.parametrize(
        "name",
        ["$\\frac{1}$ _a^b", "a\nb\x1b[31m\u202edne", "\ud800\udfff" + "\u0301" * 50 + "<b>&amp;" + "x" * 5000],
        ids=["mathematics", "control", "long"],
    )
    def test_hostile_names(self, name):
        """Any text in the header is drawn in one line, as it is, without a warning."""
        facts = Facts(*[name] * 5, date=name, exptime=float("nan"))
        figure = draw(make((30, 30), facts, steps=(name, name)))
        figure.canvas.draw()
        assert_nothing_collides(figure)
        assert not any(character in "".join(words_of(figure)) for character in "\n\r\t\x00\x1b\u202e")

    def test_frame_is_not_modified(self):
        """Drawing leaves the frame and its stages alone."""
        frame = make((40, 40), exposure=Exposure.SINGLE)
        stages = load_record().preprocessor.stages(frame)
        before = frame.ccd.data.copy(), stages.rgb.copy(), stages.flat.copy(), stages.picture.copy()
        draw_preview(stages)
        for old, new in zip(before, (frame.ccd.data, stages.rgb, stages.flat, stages.picture)):
            assert_array_equal(old, new)


class TestParts:
    """What the figure is made of."""

    @given(aspect=st.floats(1 / LONGEST_RATIO, LONGEST_RATIO), footer=st.floats(0.1, 3))
    def test_boxes_do_not_overlap(self, aspect, footer):
        """Panels, heading and footer are on the page and apart; image and caption of a panel are inside it."""
        grid = arrange_panels(aspect, footer)
        boxes = [grid.heading, grid.footer, *(panel.slot for panel in grid.panels)]
        for box in boxes:
            assert box.left > 0.1
            assert box.bottom > 0.1
            assert box.right < grid.width - 0.1
            assert box.top < grid.height - 0.1
        for one, two in combinations(boxes, 2):
            assert max(one.left - two.right, two.left - one.right, one.bottom - two.top, two.bottom - one.top) > -1e-9
        for panel in grid.panels:
            for box in (panel.image, panel.caption):
                assert box.width > 0.3
                assert box.height > 0.3
                assert box.left >= panel.slot.left
                assert box.right <= panel.slot.right + 1e-9
                assert box.bottom >= panel.slot.bottom - 1e-9
            assert_allclose(panel.image.width / panel.image.height, aspect)

    def test_single_pixels_stay_visible(self):
        """One marked pixel of a large frame marks the panel, and nothing marks an empty one."""
        marked = np.zeros((4146, 4096), bool)
        marked[1234, 2345] = True
        assert np.count_nonzero(coverage(marked, (580, 570))) >= 9
        assert not coverage(np.zeros_like(marked), (580, 570)).any()

    def test_coverage_is_a_fraction(self):
        """Where many pixels are marked, how many is told."""
        marked = np.zeros((100, 100), bool)
        marked[:, ::2] = True
        assert_allclose(coverage(marked, (10, 10)), 0.5, rtol=1e-6)
        assert_array_equal(coverage(marked, (500, 500)), marked)

    def test_shrink_leaves_bad_pixels_out(self):
        """Averages know good pixels only; without any they are NaN."""
        data, mask = np.ones((40, 40), np.float32), np.zeros((40, 40), bool)
        data[3, 4], mask[3, 4], mask[20:, 20:] = np.inf, True, True
        shrunk = shrink(data, mask, (4, 4))
        assert_allclose(shrunk[:2], 1)
        assert np.isnan(shrunk[2:, 2:]).all()

    def test_field_of_view(self):
        """All of a frame is shown if most of it is exposed, else the exposed part and a little around it."""
        assert field_of_view((100, 80), (slice(10, 90), slice(0, 60))) == (slice(0, 100), slice(0, 80))
        assert field_of_view((100, 80), (slice(40, 60), slice(0, 20))) == (slice(38, 62), slice(0, 22))

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0"), (-1, "-1"), (1234, "1230"), (99999, "10^5"), (2.5e6, "2.5x10^6"), (0.00123, "0.00123"),
            (-1.5e-39, "-1.5x10^-39"), (12.30, "12.3"), (-1e-7, "-10^-7"),
        ],
    )  # fmt: skip
    def test_numbers(self, value, text):
        """Numbers are written as people write them, with the signs of mathematics."""
        mantissa, _, exponent = text.partition("^")
        expected = mantissa.replace("-", "\N{MINUS SIGN}").replace("x", "\N{MULTIPLICATION SIGN}") + power(exponent)
        assert number(value) == expected

    @pytest.mark.parametrize(
        ("fraction", "text"),
        [(0, "0%"), (1, "100%"), (1e-9, "<0.01%"), (0.00123, "0.12%"), (0.5, "50.0%"), (0.99999, ">99.9%")],
    )
    def test_shares(self, fraction, text):
        """A fraction is never rounded to none or to all."""
        assert share(fraction) == text

    def test_ranges_are_never_empty(self):
        """A range of one value is widened, and levels of a narrow range are still levels."""
        for value in (0.0, 7.0, -1e30, 1e-30):
            low, high = widened(value, value)
            assert low < value < high
        assert round_levels(-3, 40).tolist() == [-3, 0, 3, 10, 30]
        assert round_levels(0.1, 0.2).size > 2


class TestSaveBackground:
    """The sky as a FITS file."""

    def stages(self, **options):
        """Return the stages of a frame with a tilted sky, a masked border and a WCS."""
        frame = make((80, 100), **options)
        frame.ccd.data += np.linspace(0, 200, 100, dtype=np.float32)
        frame.ccd.mask[:10] = True
        frame.ccd.wcs = WCS(naxis=2)
        frame.ccd.wcs.wcs.ctype, frame.ccd.wcs.wcs.crval = ("RA---TAN", "DEC--TAN"), (10, 20)
        frame.ccd.wcs.wcs.crpix, frame.ccd.wcs.wcs.cdelt = (50, 40), (-1e-4, 1e-4)
        return Preprocessor().stages(frame)

    def test_round_trip(self, tmp_path):
        """What is read back is the sky, with unit, coordinates and history; NaN outside the exposed part."""
        stages = self.stages()
        save_background(stages, tmp_path / "sky.fits", preprocessor=Preprocessor())
        with fits.open(tmp_path / "sky.fits", checksum=True) as hdus:
            (hdu,) = hdus
            assert hdu.header["BITPIX"] == -32
            assert_array_equal(hdu.data, stages.sky_model)
            assert np.isnan(hdu.data[:10]).all()
            assert np.isfinite(hdu.data[10:]).all()
            assert hdu.header["BUNIT"] == "electron"
            assert_allclose(WCS(hdu.header).wcs_pix2world([[3, 4]], 0), stages.frame.ccd.wcs.wcs_pix2world([[3, 4]], 0))
            history = "\n".join(hdu.header["HISTORY"])
        for text in ("a_flt.fits", "astroclf", Preprocessor().digest, "background model plane", "rows 11 to 80"):
            assert text in history

    def test_same_input_same_bytes(self, tmp_path):
        """The file has no date: the same frame gives the same bytes."""
        for name in ("a.fits", "b.fits"):
            save_background(self.stages(), tmp_path / name)
        assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()

    @pytest.mark.parametrize(("unit", "card"), [("kR", "kR"), ("", None), ("electron / s", "electron / s")])
    def test_units(self, tmp_path, unit, card):
        """A unit FITS does not know is written as it is; none, not at all."""
        save_background(self.stages(unit=unit), tmp_path / "sky.fits")
        assert fits.getheader(tmp_path / "sky.fits").get("BUNIT") == card

    def test_hostile_name(self, tmp_path):
        """Any file name is history that FITS can hold."""
        stages = self.stages()
        frame = replace(stages.frame, origin=Origin(Path("é\n\x1b\udcff星" * 30)))
        save_background(replace(stages, frame=frame), tmp_path / "sky.fits")
        assert "\\xe9" in "".join(fits.getheader(tmp_path / "sky.fits")["HISTORY"])

    def test_no_overwriting(self, tmp_path):
        """A file that exists stays, unless it is to be overwritten; a folder stays in any case."""
        path = tmp_path / "sky.fits"
        path.write_text("mine")
        with pytest.raises(AstroclfError, match=r"sky\.fits: exists; choose another name"):
            save_background(self.stages(), path)
        assert path.read_text() == "mine"
        save_background(self.stages(), path, overwrite=True)
        assert fits.getdata(path).shape == (80, 100)
        with pytest.raises(AstroclfError, match="exists; choose another name"):
            save_background(self.stages(), tmp_path, overwrite=True)

    def test_full_disk_leaves_the_old_file(self, tmp_path, monkeypatch):
        """A write that fails leaves the old file and nothing else."""

        def fail(descriptor):
            raise OSError(28, "No space left on device")

        path = tmp_path / "sky.fits"
        path.write_text("mine")
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(AstroclfError, match=r"sky\.fits cannot be written: No space left"):
            save_background(self.stages(), path, overwrite=True)
        assert path.read_text() == "mine"
        assert os.listdir(tmp_path) == ["sky.fits"]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Return the path of a small simulated frame; not to be changed."""
    path = tmp_path_factory.mktemp("simulated") / "sim_flt.fits"
    make_frame("wfc3_ir_sub256_flt", "spiral_galaxy", seed=1).writeto(path)
    return path


@pytest.fixture
def folder(tmp_path, simulated, monkeypatch):
    """Work in a folder with two frames, a.fits and b.fits, and a file that is none, bad.fits."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(simulated, "a.fits")
    shutil.copy(simulated, "b.fits")
    Path("bad.fits").write_text("not FITS")
    return tmp_path


def sketch(stages, *, preprocessor, theme):
    """Return a small figure that depends on what `draw_preview` depends on."""
    digits = f"{crc32(stages.rgb.tobytes()):08x}"
    return Page(figsize=(0.1, 0.1), facecolor=f"#{digits[:4]}{'00' if theme == 'light' else 'ff'}")


class TestCommand:
    """astroclf preview."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch, request):
        """Draw a sketch in place of the figure, where that is not what is tested."""
        if "folder" in request.fixturenames and "real" not in request.node.name:
            monkeypatch.setattr("astroclf.annotation.preview.draw_preview", sketch)

    def test_real_figure(self, folder, coarse):
        """The figure that is written is the one the Python API draws, as a PNG."""
        assert main(["preview", "a.fits", "--theme", "dark"]) == 0
        preprocessor = load_record().preprocessor
        stages = preprocessor.stages(read_frame("a.fits"))
        figure = draw_preview(stages, preprocessor=preprocessor, theme="dark")
        assert Path("a_preview.png").read_bytes() == to_png(figure)

    def test_default_output(self, folder, capsys):
        """The figure is beside the file, which stays as it is; one line says where."""
        before = Path("a.fits").read_bytes()
        Path("sub").mkdir()
        shutil.move("b.fits", "sub/b.fits.gz")
        assert main(["preview", "a.fits"]) == 0
        assert capsys.readouterr().out == "a.fits -> a_preview.png\n"
        assert is_annotated("a_preview.png")
        assert Path("a.fits").read_bytes() == before
        assert main(["preview", "sub/b.fits.gz"]) == 0
        assert is_annotated("sub/b_preview.png")

    def test_output_picture(self, folder):
        """-o names the figure, which is replaced by a later one; --theme changes it."""
        assert main(["preview", "a.fits", "-o", "x.png"]) == 0
        first = Path("x.png").read_bytes()
        assert main(["preview", "a.fits", "-o", "x.png", "--theme", "dark"]) == 0
        assert Path("x.png").read_bytes() != first
        assert main(["preview", "a.fits", "-o", "x.png"]) == 0
        assert Path("x.png").read_bytes() == first

    def test_batch(self, folder, capsys):
        """A file that fails is named; the others are drawn, into a folder that is made."""
        assert main(["preview", "a.fits", "bad.fits", "b.fits", "-o", "new/dir"]) == 1
        assert sorted(os.listdir("new/dir")) == ["a_preview.png", "b_preview.png"]
        captured = capsys.readouterr()
        assert captured.out.splitlines() == [f"{name}.fits -> new/dir/{name}_preview.png" for name in "ab"]
        assert captured.err.startswith("astroclf: bad.fits: ")

    def test_foreign_file_stays(self, folder, capsys):
        """A file that astroclf did not make is not overwritten."""
        Path("a_preview.png").write_text("mine")
        assert main(["preview", "a.fits"]) == 1
        assert Path("a_preview.png").read_text() == "mine"
        assert "a_preview.png exists and was not made by astroclf" in capsys.readouterr().err

    def test_settings(self, folder, monkeypatch):
        """Options change the settings they name and no other."""
        seen = []
        monkeypatch.setattr(
            "astroclf.annotation.preview.draw_preview",
            lambda stages, **options: seen.append(options) or sketch(stages, **options),
        )
        arguments = ["--stretch", "sqrt", "--interval", "percentile", "--background-model", "constant"]
        assert main(["preview", "a.fits", *arguments]) == 0
        usual, (used,) = load_record().preprocessor, seen
        expected = replace(
            usual,
            stretch=replace(usual.stretch, curve="sqrt", interval="percentile"),
            background=replace(usual.background, model="constant"),
        )
        assert used == {"preprocessor": expected, "theme": "light"}

    @pytest.mark.parametrize("curve", preview._CURVES)
    @pytest.mark.parametrize("interval", preview._INTERVALS)
    def test_every_stretch_is_known(self, curve, interval):
        """Every choice is one the settings accept."""
        Stretch(curve=curve, interval=interval)

    @pytest.mark.parametrize("model", preview._MODELS)
    def test_every_model_is_known(self, model):
        """Every choice is one the settings accept."""
        Background(model=model)

    def test_save_background(self, folder, capsys):
        """The sky is written beside the figure, and not again unless asked to."""
        command = ["preview", "a.fits", "--save-background", "sky.fits"]
        assert main(command) == 0
        assert capsys.readouterr().out == "a.fits -> a_preview.png, sky.fits\n"
        stages = load_record().preprocessor.stages(read_frame("a.fits"))
        assert_array_equal(fits.getdata("sky.fits"), stages.sky_model)
        before = Path("sky.fits").read_bytes()
        assert main(command) == 1
        assert Path("sky.fits").read_bytes() == before
        assert "sky.fits exists: choose another name" in capsys.readouterr().err
        assert main([*command, "--overwrite"]) == 0

    def test_hdu(self, folder):
        """--hdu chooses what is drawn."""
        assert main(["preview", "a.fits", "--hdu", "ERR,1", "-o", "err.png"]) == 0
        assert main(["preview", "a.fits", "--hdu", "SCI,1", "-o", "sci.png"]) == 0
        assert Path("err.png").read_bytes() != Path("sci.png").read_bytes()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["a.fits", "b.fits", "-o", "x.png"], "one picture, and there are 2 files; use -o DIR"),
            (["a.fits", "-o", "bad.fits"], "-o bad.fits is neither a .png nor a folder"),
            (["a.fits", "b.fits", "--save-background", "s.fits"], "is for one FILE; there are 2"),
            (["a.fits", "--overwrite"], "--overwrite is for --save-background"),
            (["a.fits", "--save-background", "./a.fits", "--overwrite"], "a.fits is one of the files to read"),
            (["x.png", "-o", "x.png"], "x.png is one of the files to read"),
            (["a.fits", "sub/a.fits", "-o", "out"], "would both write out/a_preview.png"),
            (["a.fits", "--stretch", "cubic"], "invalid choice: 'cubic'"),
        ],
    )
    def test_wrong_usage(self, folder, capsys, arguments, message):
        """Wrong usage is told before anything is done."""
        before = sorted(os.listdir())
        with pytest.raises(SystemExit) as error:
            main(["preview", *arguments])
        assert error.value.code == 2
        assert message in " ".join(capsys.readouterr().err.split())
        assert sorted(os.listdir()) == before

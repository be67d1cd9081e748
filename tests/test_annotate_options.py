# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what annotate draws on request: axes of one's own, north up, outlines, tiles, sizes, the frame as read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import CCDData
from astropy.wcs import WCS
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from astroclf.annotation import annotate
from astroclf.annotation.layout import arrange
from astroclf.annotation.theme import MARKS
from astroclf.cli.common import drawing_of
from astroclf.cli.program import make_parser
from astroclf.frames.frame import Facts, Frame, Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.taxonomy import groups, labels


def make_frame(shape=(120, 160), angle=None, mirror=False):
    """Return a frame of noise with two round sources, and a WCS if there is an angle."""
    rows, columns = np.indices(shape)
    data = np.random.default_rng(12345).normal(100, 5, shape)
    for x, y in ((shape[1] / 4, shape[0] / 4), (shape[1] / 2, shape[0] / 1.5)):
        data += 300 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    wcs = None
    if angle is not None:
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (49.9, -19.4), (60, 60)
        wcs.wcs.cd = 1e-4 * np.array([[-cos, -sin], [-sin, cos]]) @ np.diag([-1 if mirror else 1, 1])
    ccd = CCDData(data.astype(np.float32), unit="electron", mask=np.zeros(shape, bool), wcs=wcs)
    return Frame(ccd, facts=Facts("HST", target="NGC 1300"), origin=Origin(Path("a.fits")))


def make_prediction(status=Status.OK):
    """Return a prediction that gives 0.93 to spiral galaxies."""
    return Prediction(
        labels(), (0.93, 0.04, *([0.0025] * 12)), groups(), (0.9725, *([0.0275 / 6] * 6)), status, 0.017,
        Provenance("resnet50-astro-1", "0" * 64, "0" * 12),
    )  # fmt: skip


def lines_of(axes):
    """Return the lines of an image, in pixels of the page."""
    (collection,) = (artist for artist in axes.collections if isinstance(artist, LineCollection))
    return [collection.get_transform().transform(line) for line in collection.get_segments()]


@pytest.mark.parametrize("status", Status)
def test_own_axes(status):
    """Picture and verdict go into a user's axes, and nothing else of the figure changes."""
    figure = Figure(figsize=(8, 4))
    left, right = figure.subplots(1, 2)
    left.plot([0, 1])
    assert annotate(make_frame(angle=20), make_prediction(status), ax=right) is figure
    assert right.get_title().startswith(f"{MARKS[status].sign} {status}: ")
    sure = {Status.OK: "spiral galaxy, 93%", Status.GROUP: "galaxy, 97%"}
    assert right.get_title().endswith(sure.get(status, "unknown"))
    assert right.get_xlim() == (-0.5, 159.5)
    assert right.get_aspect() == 1
    assert {"N", "E"} <= {text.get_text() for text in right.texts}
    assert len(figure.axes) == 2
    assert not left.images
    figure.canvas.draw()


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("angle", [0, 35, 180, 250])
def test_north_up(angle, mirror):
    """On request north is up and east left in the picture, the compass says so, and the whole frame is seen."""
    frame = make_frame(angle=angle, mirror=mirror)
    axes = annotate(frame, make_prediction(), north_up=True).axes[0]
    to_page = axes.images[0].get_transform()
    middle = frame.ccd.wcs.pixel_to_world(80, 60)
    north, east = (middle.directional_offset_by(turn * u.deg, 1 * u.arcsec) for turn in (0, 90))
    start, up, left = (to_page.transform(np.array(frame.ccd.wcs.world_to_pixel(sky))) for sky in (middle, north, east))
    assert_allclose((up - start) / np.hypot(*(up - start)), (0, 1), atol=1e-3)
    assert_allclose((left - start) / np.hypot(*(left - start)), (-1, 0), atol=1e-3)
    places = {text.get_text(): np.array(text.get_position()) for text in axes.texts}
    assert places["N"][1] > places["E"][1]
    assert places["E"][0] < places["N"][0]
    corners = to_page.transform([(-0.5, -0.5), (159.5, -0.5), (-0.5, 119.5), (159.5, 119.5)])
    box = axes.bbox.extents
    assert_allclose([*corners.min(axis=0), *corners.max(axis=0)], box, atol=1)


def test_north_up_without_coordinates():
    """A frame whose orientation is not known stays as it is."""
    axes = annotate(make_frame(), make_prediction(), north_up=True).axes[0]
    assert axes.get_xlim() == (-0.5, 159.5)
    assert_allclose(axes.images[0].get_transform().get_matrix()[0, 1], 0)


@pytest.mark.parametrize("north_up", [False, True])
def test_outlines(north_up):
    """Each source has a closed line around it, also in a picture that is turned."""
    frame = make_frame(angle=35)
    axes = annotate(frame, make_prediction(), outlines=True, north_up=north_up).axes[0]
    lines = lines_of(axes)
    to_page = axes.images[0].get_transform()
    for source in ((40, 30), (80, 80)):
        place = to_page.transform(source)
        (line,) = [line for line in lines if np.hypot(*(line.mean(axis=0) - place)) < 25]
        assert_allclose(line[0], line[-1])
        assert 60 < np.ptp(line, axis=0).max() < 240


def test_nothing_to_outline():
    """A picture of nothing has no outline."""
    frame = make_frame()
    frame.ccd.data[:] = 7
    axes = annotate(frame, make_prediction(), outlines=True).axes[0]
    assert not axes.collections


def test_tiles():
    """The edges of the tiles are drawn, of those that views looks at."""
    axes = annotate(make_frame(), make_prediction(), tiles=3).axes[0]
    back = axes.transData.inverted()
    tiles = [back.transform(line) for line in lines_of(axes)]
    assert len(tiles) == 9
    assert_allclose(tiles[0].min(axis=0), (-0.5, -0.5))
    assert_allclose(tiles[0].max(axis=0), (52.5, 39.5))
    assert_allclose(tiles[-1].max(axis=0), (159.5, 119.5))


@pytest.mark.parametrize("size", [300, 1000, 2501])
@pytest.mark.parametrize("shape", [(120, 160), (50, 200), (200, 50)])
def test_size(size, shape):
    """The longer side of the page has as many pixels as asked for, and its texts are those of any other."""
    page = annotate(make_frame(shape), make_prediction(), size=size)
    assert max(map(int, page.bbox.size)) == size
    box = page.axes[0].bbox
    assert_allclose(box.extents, np.round(box.extents), atol=1e-6)


@pytest.mark.parametrize("shape", [(120, 160), (50, 200)])
def test_before(shape):
    """The frame as it was read is beside or above its picture, linear, and says so; nothing overlaps."""
    frame = make_frame(shape, angle=10)
    page = annotate(frame, make_prediction(), before=frame)
    picture, raw = page.axes
    assert not picture.bbox.overlaps(raw.bbox)
    assert [text.get_text() for text in raw.texts] == ["as read"]
    grey = raw.images[0].get_array()[..., 0]
    good = (grey > 0) & (grey < 1)
    assert np.corrcoef(grey[good], frame.ccd.data[good])[0, 1] > 0.999
    renderer = page.canvas.get_renderer() if hasattr(page.canvas, "get_renderer") else None
    for text in page.texts:
        assert not text.get_window_extent(renderer).overlaps(raw.bbox)
        assert not text.get_window_extent(renderer).overlaps(picture.bbox)


@pytest.mark.parametrize("aspect", [0.05, 0.5, 1, 1.99, 2.01, 20])
def test_room_for_two_images(aspect):
    """The boxes of a page with two images are on it and apart."""
    layout = arrange(aspect, before=True)
    boxes = layout.before, layout.image, layout.heading, layout.verdict, layout.bars, layout.small_print
    assert all(box.left > 0.3 and box.right < layout.width - 0.3 for box in boxes)
    assert all(box.bottom > 0.3 and box.top < layout.height - 0.3 for box in boxes)
    for n, one in enumerate(boxes):
        for two in boxes[:n]:
            apart = max(one.left - two.right, two.left - one.right, one.bottom - two.top, two.bottom - one.top)
            assert apart > 0.1


@pytest.mark.parametrize("north_up", [False, True])
@pytest.mark.parametrize(("angle", "mirror"), [(0, False), (35, False), (250, True)])
def test_axes_of_the_sky(angle, mirror, north_up):
    """What is drawn at a place on the sky is where the frame has it, and the axes say where that is."""
    frame = make_frame(angle=angle, mirror=mirror)
    axes = annotate(frame, make_prediction(), axes="wcs", north_up=north_up).axes[0]
    sky = frame.ccd.wcs.pixel_to_world([30, 140], [100, 5]).icrs
    world = np.transpose([sky.ra.deg, sky.dec.deg])
    drawn = axes.get_transform("icrs").transform(world)
    assert_allclose(drawn, axes.images[0].get_transform().transform([(30, 100), (140, 5)]), atol=1e-3)
    assert_allclose(axes.coords[0].transform.transform(axes.transData.inverted().transform(drawn)), world, rtol=1e-9)
    assert [coord.get_axislabel() for coord in axes.coords] == ["RA (ICRS)", "Dec (ICRS)"]


@pytest.mark.parametrize("kind", ["wcs", "pixels"])
def test_axes_of_pixels(kind):
    """The first pixel is 1, 1, also where the sky was asked for and is not known."""
    axes = annotate(make_frame(angle=35 if kind == "pixels" else None), make_prediction(), axes=kind).axes[0]
    assert_allclose(axes.coords[0].transform.transform([(0, 0), (159, 119)]), [(1, 1), (160, 120)])
    assert [coord.get_axislabel() for coord in axes.coords] == ["x (pixels)", "y (pixels)"]


@pytest.mark.parametrize(("kind", "shape"), [("wcs", (120, 160)), ("wcs", (30, 600)), ("pixels", (600, 30))])
@pytest.mark.parametrize(("angle", "north_up", "beside"), [(0, False, True), (45, False, False), (100, True, True)])
def test_axes_collide_with_nothing(kind, shape, angle, north_up, beside):
    """Numbers are on the page, and clear of all text, of the other image and of its numbers."""
    frame = make_frame(shape, angle)
    page = annotate(
        frame, make_prediction(Status.UNCERTAIN), rgb=np.zeros((*shape, 3)), axes=kind, size=600, north_up=north_up,
        before=frame if beside else None,
    )  # fmt: skip
    renderer = FigureCanvasAgg(page).get_renderer()
    page.draw(renderer)
    taken = [axes.get_tightbbox(renderer) for axes in page.axes]
    assert taken[0].width * taken[0].height > 1.05 * np.prod(page.axes[0].bbox.size)
    assert all(page.bbox.count_contains([box.min, box.max]) == 2 for box in taken)
    taken += [text.get_window_extent(renderer) for text in page.texts]
    assert not any(box.overlaps(other) for box in taken[: len(page.axes)] for other in taken if other is not box)


def test_axes_are_the_same_everywhere(tmp_path):
    """The user's settings of matplotlib change nothing."""
    odd = {
        "text.usetex": True,
        "axes.grid": True,
        "xtick.labelsize": 20,
        "axes.labelweight": "bold",
        "lines.color": "r",
    }
    for name, settings in (("a", {}), ("b", odd)):
        with rc_context(settings):
            annotate(make_frame(angle=35), make_prediction(), tmp_path / name, axes="wcs", size=900)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("verb", ["tag", "classify"])
def test_axes_on_the_command_line(verb):
    """--axes is an option of the picture, which has none unless it is given."""
    assert drawing_of(make_parser().parse_args([verb, "--axes", "wcs", "a.fits"])) == {"axes": "wcs"}
    assert drawing_of(make_parser().parse_args([verb, "a.fits"])) == {}


def test_axes_of_ones_own_keep_their_numbers():
    """A user's axes of the sky keep their ticks and names."""
    frame, figure = make_frame(angle=35), Figure()
    axes = figure.add_subplot(projection=frame.ccd.wcs)
    axes.set(xlabel="right ascension")
    annotate(frame, make_prediction(), ax=axes)
    bare = axes.bbox
    assert axes.get_xlabel() == "right ascension"
    assert axes.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).width > 1.1 * bare.width
    with pytest.raises(ValueError, match="north_up turns the picture, not the coordinates that ax has"):
        annotate(frame, make_prediction(), ax=axes, north_up=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 299}, "size must be 300 to 20000 pixels; got 299"),
        ({"tiles": 0}, "tiles must be at least 1; got 0"),
        ({"outlines": True, "rgb": np.zeros((5, 5, 3))}, "outlines are those of the rendered picture"),
        ({"ax": 1, "size": 500}, "path, size, before and axes are for a page"),
        ({"ax": 1, "axes": "wcs"}, "path, size, before and axes are for a page"),
        ({"axes": "sky"}, "axes must be one of wcs, pixels; got 'sky'"),
        ({"ax": 1, "path": "a.png"}, "path, size, before and axes are for a page"),
        ({"before": make_frame((5, 5))}, r"before must be of the frame, whose shape is \(120, 160\)"),
    ],
)
def test_refused(options, message):
    """What cannot be drawn is refused, and the argument named."""
    with pytest.raises(ValueError, match=message):
        annotate(make_frame(), make_prediction(), **options)


def test_combination():
    """All at once is drawn, whatever the facts are."""
    frame = make_frame(angle=35, mirror=True)
    bare = replace(frame, facts=Facts())
    page = annotate(bare, make_prediction(), before=frame, outlines=True, north_up=True, size=900, theme="light")
    assert page._repr_png_().startswith(b"\x89PNG")

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of explanations: which parts of a frame speak for a class."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from matplotlib.collections import LineCollection

from astroclf import Classifier, Explanation, annotate
from astroclf.annotation import is_annotated
from astroclf.annotation.words import human
from astroclf.cli import main
from astroclf.datasets import make_frame
from astroclf.frames import read_frame
from astroclf.model import load_record
from astroclf.model.explanation import make_explanation, read_head
from astroclf.model.onnx_backend import OnnxBackend
from astroclf.model.weights import read_weights
from astroclf.preprocess import Preprocessor
from astroclf.render import orient
from astroclf.taxonomy import labels

PLACES = [((300, 300), (60, 220)), ((300, 300), (230, 90)), ((260, 520), (400, 60)), ((700, 350), (80, 560))]
"""Shapes of frames, and where (x, y) their only source is."""


@pytest.fixture(scope="module")
def classifier():
    """Return the bundled classifier."""
    return Classifier()


def one_source(shape, place, round_source, sigma=12.0):
    """Return a frame of noise with one source, which has a border of NaN."""
    data = np.random.default_rng(12345).normal(100, 5, shape) + 2e5 * round_source(shape, *place, sigma)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (49.9, -19.4), (100, 100)
    wcs.wcs.cdelt = -1e-4, 1e-4
    data = np.pad(data, ((30, 0), (0, 20)), constant_values=np.nan)
    return read_frame(CCDData(data.astype(np.float32), unit="electron", wcs=wcs))


def made_up(shape=(40, 60), wcs=None):
    """Return an explanation whose only loud cell is that of row 2 and column 4 of a frame without padding."""
    grid = np.full((7, 7), -1.0)
    grid[2, 4] = 6.0
    cells = tuple((np.arange(n) + 0.5) * 7 / n - 0.5 for n in shape)
    return Explanation("star", grid, 0.5, shape, (slice(0, shape[0]), slice(0, shape[1])), cells, wcs)


@pytest.mark.parametrize("in_colour", [False, True])
@pytest.mark.parametrize("views", [1, 2, 4, 8])
def test_map_is_the_logit(views, in_colour, round_source):
    """The mean of the map and the constant are the averaged logit of every class, to float precision."""
    classifier = Classifier(views=views)
    frame = one_source((120, 200), (50, 80), round_source)
    if in_colour:
        frame = replace(frame, colours=np.random.default_rng(0).integers(0, 256, (*frame.shape, 3), dtype=np.uint8))
    logits = classifier._look(frame)[0].mean(axis=0)
    backends = [classifier._backend, classifier._coloured]
    heads = [read_head(classifier.record), classifier._coloured.head]
    seen = zip(backends, heads, classifier.record.preprocessor.looks(frame))
    looks = [(backend.outputs(orient(rgb, views), "maps")[0], head) for backend, head, rgb in seen]
    assert len(looks) == 1 + in_colour
    explained = [make_explanation(label, frame, looks, classifier.record) for label in labels()]
    np.testing.assert_allclose([e.logit for e in explained], logits, rtol=0, atol=2e-5)
    np.testing.assert_allclose([e.grid.mean() + e.bias for e in explained], logits, rtol=0, atol=2e-5)


def test_label(classifier, round_source):
    """By default the most probable class is explained, under the prior if there is one; another must be a class."""
    frame = one_source((100, 100), (50, 50), round_source)
    first = classifier(frame).label
    assert classifier.explain(frame).label == first
    unlikely = Classifier(prior={first: 1e-9})
    assert unlikely.explain(frame).label == unlikely(frame).label != first
    with pytest.raises(ValueError, match=r"label must be one of spiral_galaxy, .*; got 'galaxy'"):
        classifier.explain(frame, "galaxy")


@pytest.mark.parametrize(("shape", "place", "views"), [*((*case, 4) for case in PLACES), (*PLACES[1], 1)])
def test_peak_is_on_the_source(shape, place, views, round_source):
    """In a frame with one source off the centre, the peak is in its cell; of one rotation, in that or the next."""
    classifier = Classifier(views=views)
    frame = one_source(shape, place, round_source)
    explanation = classifier.explain(frame)
    assert explanation.label != "no_source"
    cell = max(shape) / 7 * (1.0 if views == 1 else 0.65)
    x, y = explanation.peak
    assert abs(x - place[0]) < cell
    assert abs(y - (place[1] + 30)) < cell


def test_peak_on_the_sky(classifier, round_source):
    """The peak has its place on the sky where the frame has world coordinates."""
    frame = one_source((100, 100), (50, 50), round_source)
    explanation = classifier.explain(frame)
    there = frame.ccd.wcs.pixel_to_world(*explanation.peak)
    assert explanation.peak_sky.separation(there).arcsec == pytest.approx(0, abs=1e-6)
    assert explanation.peak_sky.frame.name == "icrs"
    assert replace(explanation, wcs=None).peak_sky is None
    spectral = WCS({"CTYPE1": "WAVE", "CUNIT1": "m", "CTYPE2": "LINEAR", "NAXIS": 2})
    assert replace(explanation, wcs=spectral).peak_sky is None


def test_on_frame(classifier, round_source):
    """The map has the shape of the frame, is NaN where nothing was exposed, and its top is the peak."""
    frame = one_source((300, 200), (60, 220), round_source)
    explanation = classifier.explain(frame)
    heat = explanation.on_frame()
    assert heat.shape == frame.shape
    assert heat.dtype == np.float32
    assert np.array_equal(np.isnan(heat), ~frame.good)
    x, y = explanation.peak
    assert heat[y, x] == pytest.approx(np.nanmax(heat), rel=0.01)


def test_cells_are_where_the_picture_is():
    """A pixel of a frame is in the picture where part_to_picture says: in frames that shrink, and that grow."""
    for shape, place in (((900, 500), (700, 120)), ((100, 180), (30, 140)), ((64, 64), (10, 50))):
        data = np.zeros(shape, np.float32)
        data[place[0] - 4 : place[0] + 5, place[1] - 4 : place[1] + 5] = 100
        preprocessor = Preprocessor()
        light = preprocessor(read_frame(data + np.random.default_rng(1).normal(0, 0.1, shape))).mean(axis=2)
        light = np.where(light > 0.9 * light.max(), light, 0)
        rows, columns = preprocessor.part_to_picture((slice(0, shape[0]), slice(0, shape[1])))
        found = [(light.sum(axis=1 - axis) * np.arange(224)).sum() / light.sum() for axis in (0, 1)]
        np.testing.assert_allclose(found, [rows[place[0]], columns[place[1]]], atol=0.6)


def test_contours():
    """The lines are around the loud cell, at the height asked for."""
    explanation = made_up()
    (line,) = explanation.contours()
    assert explanation.peak == (38, 14)
    assert np.hypot(*(line.mean(axis=0) - explanation.peak)) < 2
    heat = explanation.on_frame()
    on_line = [heat[round(y), round(x)] for x, y in line]
    np.testing.assert_allclose(on_line, 3, atol=1)
    assert len(explanation.contours(0.9)[0]) < len(line)


def test_no_contours():
    """There are none where nothing speaks for a class, where all does alike, and where there is one row only."""
    explanation = made_up()
    assert replace(explanation, grid=np.full((7, 7), -1.0)).contours() == []
    assert replace(explanation, grid=np.ones((7, 7))).contours() == []
    assert made_up((1, 60)).contours() == []
    for level in (0, 1, np.nan):
        with pytest.raises(ValueError, match="level must be between 0 and 1; got"):
            explanation.contours(level)


def test_runtimes_agree(need):
    """TensorFlow and ONNX Runtime give the same map."""
    try:
        import onnx  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError as error:
        need(f"{error.name} is not installed")
    frame = read_frame(make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2))
    ours, theirs = (Classifier(backend=name).explain(frame, "star") for name in ("onnx", "tensorflow"))
    np.testing.assert_allclose(theirs.grid, ours.grid, atol=2e-3)
    assert theirs.bias == ours.bias


def test_activations():
    """The activations give the logits, through the weights that are read from the file."""
    images = np.random.default_rng(1).random((2, 224, 224, 3), dtype=np.float32)
    backend = OnnxBackend(load_record().read_bytes())
    logits, maps = backend.outputs(images, "logits", "maps")
    np.testing.assert_array_equal(logits, backend.logits(images))
    head = read_head(load_record())
    np.testing.assert_allclose(head(maps.mean(axis=(2, 3))), logits, atol=1e-4)


def test_weights(need):
    """Weights are those that onnx reads; one that is not there is a KeyError."""
    try:
        import onnx
    except ImportError:
        need("onnx is not installed")
    content = load_record().read_bytes()
    stored = {item.name: item for item in onnx.load_from_string(content).graph.initializer}
    names = ["head/kernel", "head/bias", "conv1_conv/kernel:scale", "mean"]
    for name, weights in read_weights(content, names).items():
        np.testing.assert_array_equal(weights, onnx.numpy_helper.to_array(stored[name]))
    with pytest.raises(KeyError, match="tail"):
        read_weights(content, ["tail"])


def lines_of(figure):
    """Return the contours on the image of a figure."""
    return figure.axes[0].findobj(LineCollection)


def test_drawing(classifier, round_source):
    """The picture has the contour and says for what, and the image keeps its limits."""
    frame = one_source((200, 300), (90, 130), round_source)
    prediction, explanation = classifier(frame), classifier.explain(frame)
    plain, explained = annotate(frame, prediction), annotate(frame, prediction, explanation=explanation)
    assert lines_of(plain) == []
    (lines,) = lines_of(explained)
    np.testing.assert_array_equal(lines.get_segments()[0], explanation.contours()[0])
    assert explained.axes[0].get_xlim() == plain.axes[0].get_xlim()
    assert explained.axes[0].get_ylim() == plain.axes[0].get_ylim()
    words = [text.get_text() for text in explained.axes[0].texts]
    assert f"- - speaks for {human(prediction.label)}" in words
    nothing = replace(explanation, grid=np.full((7, 7), -1.0))
    assert lines_of(annotate(frame, prediction, explanation=nothing)) == []
    with pytest.raises(ValueError, match=r"explanation must be of the frame, .*got one of shape \(40, 60\)"):
        annotate(frame, prediction, explanation=made_up())


def test_tag(tmp_path, monkeypatch, capsys):
    """``tag --explain`` draws another picture and writes the same cards."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.fits", "b.fits"):
        make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2).writeto(name)
    assert main(["tag", "a.fits"]) == main(["tag", "--explain", "b.fits"]) == 0
    plain, explained = (tmp_path / f"{name}_astroclf.png" for name in "ab")
    assert is_annotated(explained)
    assert plain.read_bytes() != explained.read_bytes()
    assert fits.getval("a.fits", "CLFOPTS") == fits.getval("b.fits", "CLFOPTS") == ""
    for option in ("--combine", "--no-png"):
        with pytest.raises(SystemExit):
            main(["tag", "--explain", option, "a.fits"])
        assert f"--explain is for the picture of one frame: leave {option} out" in capsys.readouterr().err

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what notebooks show of frames and verdicts."""

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from astropy.nddata import CCDData
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from astroclf.annotation.theme import MARKS
from astroclf.annotation.words import clean
from astroclf.frames.frame import Exposure, Facts, Frame, Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.taxonomy import groups, labels

TAGS = {"div", "span", "strong", "table", "tr", "td", "img"}
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\x1b[31m\u202e${}"


class Page(HTMLParser):
    """What is on a page: its elements, their attributes and its text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.words = [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Check that elements are nested."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Keep text."""
        self.words.append(data.strip())


def harmless(html):
    """Return a page after asserting that it has plain elements, styles and embedded pictures only."""
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag in TAGS
        assert set(attributes) <= {"style", "src", "alt"}
        assert "url(" not in attributes.get("style", "")
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
    return page


def make_frame(shape=(40, 60), **options):
    """Return a frame of noise with one bright pixel at its lower left."""
    data = np.random.default_rng(12345).normal(100, 5, shape).astype(np.float32)
    data[1:4, 1:4] = 1000
    return Frame(CCDData(data, unit="adu", mask=np.zeros(shape, bool)), **options)


def make_prediction(status=Status.OK, origin=None, model="resnet50-astro-1"):
    """Return a prediction that gives 0.93 to spiral galaxies."""
    return Prediction(
        labels(), (0.93, 0.04, *([0.0025] * 12)), groups(), (0.9725, *([0.0275 / 6] * 6)), status, 0.017,
        Provenance(model, "0" * 64, "0" * 12), origin=origin or Origin(Path("a.fits")),
    )  # fmt: skip


@pytest.mark.parametrize("status", Status)
def test_prediction(status):
    """Mark, verdict, first classes with bars, group, quality, file and model are there."""
    prediction = make_prediction(status)
    page = harmless(prediction._repr_html_())
    assert f"{MARKS[status].sign} {status}" in page.words
    assert MARKS[status].reason in page.words
    verdict = {Status.OK: "spiral galaxy", Status.GROUP: "galaxy"}.get(status, "unknown")
    assert page.words.count(verdict) >= 1
    assert {"spiral galaxy", "early-type galaxy", "edge-on galaxy", "93%", "4%", "<1%", "a.fits"} <= set(page.words)
    assert "galaxy, 97%" in page.words
    assert [a["style"] for _, a in page.elements if "width:93.0%" in a.get("style", "")]


def test_bars_of_the_verdict_have_its_colour():
    """Under OK the class, under GROUP its members, and else no bar has the colour of the status."""
    for status, count in ((Status.OK, 1), (Status.GROUP, 3), (Status.UNCERTAIN, 0)):
        html = make_prediction(status)._repr_html_()
        assert len(re.findall(rf"%;background:{MARKS[status].color}", html)) == count


def test_no_colours_of_its_own():
    """Text has the colour of the page it is on, light or dark, but on the badge; nothing else has a background."""
    for html in (make_prediction()._repr_html_(), make_frame()._repr_html_()):
        assert len(re.findall('[; "]color:', html)) == html.count("border-radius:9px")
        grounds = set(re.findall('background:([^;"]+)', html))
        assert grounds <= {"transparent", "rgba(128,128,128,0.3)", "rgba(128,128,128,0.8)", MARKS[Status.OK].color}


def test_frame():
    """A frame shows its picture, and what is known of it."""
    facts = Facts("HST", "ACS", "WFC", "F606W", "M 101", "2002-11-16T01:02:03", 360.0)
    frame = make_frame(facts=facts, origin=Origin(Path("j.fits"), ("SCI,1",)), layout="acs_wfc", notes=("Look out.",))
    page = harmless(frame._repr_html_())
    assert {
        "M 101", "j.fits", " \N{MIDDLE DOT} ".join(["HST", "ACS/WFC", "F606W", "360 s", "2002-11-16"]),
        "60 \N{MULTIPLICATION SIGN} 40 px adu, HDU SCI,1", "acs_wfc", "Look out.", "no unusable pixels",
    } <= set(page.words)  # fmt: skip
    (source,) = [attributes["src"] for tag, attributes in page.elements if tag == "img"]
    with Image.open(BytesIO(b64decode(source.partition(",")[2]))) as image:
        assert image.size == (60, 40)


def test_frame_picture():
    """The picture of a frame has its row 0 at the bottom, and its exposed part alone."""
    frame = make_frame((1500, 300))
    frame.ccd.mask[:, 200:] = True
    with Image.open(BytesIO(frame._repr_png_())) as image:
        assert image.size == (137, 1024)
        pixels = np.asarray(image)
    assert pixels[-2, 1] > 200
    assert pixels[1, 1] < 150


def test_frame_without_a_good_pixel():
    """A frame without a usable pixel has no picture, and says what it can."""
    frame = make_frame()
    frame.ccd.mask[:] = True
    assert frame._repr_png_() is None
    page = harmless(frame._repr_html_())
    assert "<array>" in page.words
    assert not [tag for tag, _ in page.elements if tag == "img"]


def test_cosmic_rays_are_left_in():
    """A single exposure is shown as it is: looking at a frame takes no search for cosmic rays."""
    frame = make_frame()
    assert replace(frame, exposure=Exposure.SINGLE)._repr_png_() == frame._repr_png_()


def test_pictures_in_colour():
    """A picture in colour is shown as it is, row 0 at the bottom; without its colours in grey."""
    colours = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    ccd = CCDData(colours.mean(axis=2, dtype=np.float32), unit="adu")
    frame = Frame(ccd, layout="picture", exposure=Exposure.PICTURE, colours=colours)
    with Image.open(BytesIO(frame._repr_png_())) as image:
        np.testing.assert_array_equal(np.asarray(image), colours[::-1])
    with Image.open(BytesIO(replace(frame, colours=None)._repr_png_())) as image:
        assert image.mode == "L"


def test_hostile_text():
    """Markup in headers, file names and model names is text."""
    facts = Facts(*[NASTY] * 5, date=NASTY, exptime=float("inf"))
    origin = Origin(Path(NASTY.replace("/", "")), (NASTY,))
    frame = make_frame(facts=facts, origin=origin, layout=NASTY, notes=(NASTY,))
    page = harmless(frame._repr_html_())
    assert clean(NASTY) in page.words
    assert sum(tag == "img" for tag, _ in page.elements) == 1
    page = harmless(make_prediction(origin=origin, model=NASTY)._repr_html_())
    assert clean(NASTY) in page.words
    own = replace(make_prediction(), labels=(NASTY, *labels()[1:]), groups=(NASTY, *groups()[1:]))
    assert f"{clean(NASTY)}, 97%" in harmless(own._repr_html_()).words


@given(text=st.text(st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=50)
def test_any_text_is_harmless(text):
    """Whatever the names are, the page is as it should be, in one encoding."""
    harmless(make_prediction(origin=Origin(Path("x" + text.replace("/", ""))), model=text)._repr_html_())
    html = make_frame((5, 5), facts=Facts(*[text] * 5, date=text), notes=(text,))._repr_html_()
    harmless(html)
    html.encode()

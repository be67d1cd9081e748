# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of what annotated pictures look like: pages of simulated frames against the pictures in ``data/pages``.

    python tests/test_annotate_images.py

draws those pictures anew.
"""

from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from matplotlib import ft2font
from matplotlib.testing.compare import compare_images
from PIL import Image

from astroclf import Preprocessor, annotate, read_frame
from astroclf.annotation import core, figure, overlay, theme
from astroclf.annotation.files import to_png
from astroclf.datasets import make_frame
from astroclf.model.explanation import Explanation
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.render import Stretch
from astroclf.taxonomy import groups, labels

PAGES = Path(__file__).parent / "data" / "pages"
FREETYPE = "2.14.3"
"""That they were drawn with; another one, in another matplotlib, sets text a little differently."""

SIZE, REDUCED = 960, 2
"""Longer side of a page, and how many of its pixels across are one of the picture that is kept."""

TOLERANCE = 0.5
"""Root mean square of the differences, of 255."""


@cache
def simulated(name="F160W"):
    """Return a frame of 256 x 256 pixels with world coordinates, north down and a little to the right, cleaned."""
    return Preprocessor().clean(read_frame(make_frame("wfc3_ir_sub256_flt", "spiral_galaxy", seed=4, filter=name)))


@cache
def rendered(name="F160W"):
    """Return its picture."""
    return Preprocessor(stretch=Stretch.grey()).render(simulated(name), size=256)


def verdict(status=Status.OK):
    """Return a prediction that is much in favour of a class if it is sure, else a little."""
    sure = status in (Status.OK, Status.GROUP)
    probs = (0.91, 0.05, *[0.04 / 12] * 12) if sure else (0.31, 0.27, 0.2, 0.12, *[0.01] * 10)
    shares = (0.97, *[0.005] * 6) if sure else (0.58, 0.3, *[0.024] * 5)
    return Prediction(
        labels(), probs, groups(), shares, status, 0.017, Provenance("resnet50-astro-2", "0" * 64, "0" * 12)
    )


def explanation():
    """Return an explanation: the upper right speaks for spiral galaxies."""
    frame, weight = simulated(), np.exp(-((np.arange(7) - 4.2) ** 2) / 3)
    cells, part = zip(*((np.linspace(0, 6, n), slice(0, n)) for n in frame.shape))
    return Explanation("spiral_galaxy", np.outer(weight, weight), 0.0, frame.shape, part, cells, frame.ccd.wcs)


def draw(status=Status.OK, part=np.s_[:, :], **options):
    """Return a page of a part of the frame in grey."""
    frame = replace(simulated(), ccd=simulated().ccd[part])
    return annotate(frame, verdict(status), rgb=rendered()[part], size=SIZE, **options)


def draw_overlays():
    """Return a page with all that can be drawn on the image, which annotate renders itself."""
    return annotate(simulated(), verdict(), size=SIZE, outlines=True, tiles=3, explanation=explanation())


def draw_colours():
    """Return a page of several filters."""
    names = "F160W", "F125W", "F105W"
    facts = replace(simulated().facts, filter="+".join(names[::-1]))
    frame = replace(simulated(), facts=facts, layout="combined")
    rgb = rendered() * [1, 0.8, 0.5] + rendered()[::-1] * [0, 0.2, 0.5]
    return annotate(frame, verdict(), rgb=rgb, size=SIZE)


MIDDLE = np.s_[96:160, 96:160]
DRAW = {
    "dark": draw,
    "light": lambda: draw(theme="light", part=MIDDLE),
    "group": lambda: draw(Status.GROUP, MIDDLE),
    "uncertain": lambda: draw(Status.UNCERTAIN, MIDDLE, theme="light"),
    "novel": lambda: draw(Status.NOVEL, MIDDLE),
    "lowqual": lambda: draw(Status.LOWQUAL, MIDDLE, theme="light"),
    "overlays": draw_overlays,
    "north_up": lambda: draw(north_up=True, theme="light"),
    "sky": lambda: draw(part=MIDDLE, axes="wcs", north_up=True, theme="light"),
    "pixels": lambda: draw(part=MIDDLE, axes="pixels", before=replace(simulated(), ccd=simulated().ccd[MIDDLE])),
    "before": lambda: draw(before=simulated()),
    "wide": lambda: draw(part=np.s_[100:112, 8:248]),
    "tall": lambda: draw(part=np.s_[8:248, 100:112], theme="light"),
    "colours": draw_colours,
}


def save(name, folder):
    """Draw a page of version 0.1 and save it as it is kept: of half the size; return where."""
    path = folder / f"{name}.png"
    with patch.object(figure, "__version__", "0.1"):
        page = Image.open(BytesIO(to_png(DRAW[name]())))
    page.reduce(REDUCED).save(path, optimize=True)
    return path


def compare(name, folder):
    """Return how a page differs from the one that is kept, as a message; None where it does not."""
    return compare_images(PAGES / f"{name}.png", save(name, folder), TOLERANCE)


@pytest.fixture
def _same_fonts():
    if ft2font.__freetype_version__ != FREETYPE:
        pytest.skip(f"the pages were drawn with FreeType {FREETYPE}; matplotlib has {ft2font.__freetype_version__}")


@pytest.mark.usefixtures("_same_fonts")
@pytest.mark.parametrize("name", DRAW)
def test_looks_the_same(tmp_path, name):
    """A page looks as it did when a person last looked at it."""
    message = compare(name, tmp_path)
    assert message is None, message


@pytest.mark.usefixtures("_same_fonts")
@pytest.mark.parametrize(
    ("change", "name"),
    [
        (patch.object(overlay, "_PADDING", 0.25), "dark"),
        (patch.dict(theme.MARKS, {Status.OK: replace(theme.MARKS[Status.OK], sign="?")}), "light"),
        (patch.object(overlay, "_SIZE", 14), "north_up"),
        (patch.object(core, "_SMOOTHING", 1.6), "overlays"),
    ],
    ids=["compass moved by a twelfth of an inch", "another sign", "other size of text", "other outlines"],
)
def test_small_changes_are_seen(tmp_path, change, name):
    """What nobody asked for is caught."""
    with change:
        assert "Error: Image files did not match" in compare(name, tmp_path)


if __name__ == "__main__":
    for name in DRAW:
        print(save(name, PAGES))

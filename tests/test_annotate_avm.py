# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the Astronomy Visualization Metadata (AVM) in the pictures that astroclf draws."""

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS, Sip
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from PIL import Image
from pyavm import AVM

from astroclf.annotation import annotate, draw_preview, save_annotated
from astroclf.annotation.files import to_png
from astroclf.annotation.layout import Box, whole_pixels
from astroclf.annotation.metadata import observation_avm
from astroclf.annotation.place import page_place
from astroclf.frames.frame import Facts, Frame, Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.preprocess import Preprocessor
from astroclf.tags.xmp import avm_packet
from astroclf.taxonomy import groups, labels

FACTS = Facts("HST", "WFC3", "UVIS", "F606W", "NGC 1300", "2004-09-21T10:11:12", 2720.0)
REACH = 48
"""How far from the centre of a dot its light is counted, in pixels of the page: four of its sigma."""


def make_wcs(angle=0.0, mirror=False, ctype=("RA---TAN", "DEC--TAN"), crval=(49.9, -19.4), pixel=0.05, frame="ICRS"):
    """Return a WCS whose north is ``angle`` degrees counterclockwise from up, with a reference pixel off the middle."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ctype, crval, (31.3, 77.9)
    if ctype[0].startswith("RA"):
        wcs.wcs.radesys = frame
    wcs.wcs.cd = pixel / 3600 * np.array([[-cos, -sin], [-sin, cos]]) @ np.diag([-1 if mirror else 1, 1])
    return wcs


def make_frame(shape=(200, 200), wcs=None, facts=FACTS, header=(), layout="generic", data=None):
    """Return a frame of noise, or of given pixels."""
    if data is None:
        data = np.random.default_rng(12345).normal(100, 5, shape)
    ccd = CCDData(data.astype(np.float32), unit="electron", mask=np.zeros(shape, bool), wcs=wcs)
    ccd.meta = fits.Header(list(header))
    return Frame(ccd, facts=facts, origin=Origin(Path("j8d602niq_flc.fits")), layout=layout)


def make_prediction(status=Status.OK):
    """Return a prediction that gives 0.93 to spiral galaxies."""
    return Prediction(
        labels(), (0.93, 0.04, *([0.0025] * 12)), groups(), (0.9725, *([0.0275 / 6] * 6)), status, 0.017,
        Provenance("resnet50-astro-1", "0" * 64, "0" * 12),
    )  # fmt: skip


def drawn(tmp_path, frame, rgb=0.5, status=Status.OK, **options):
    """Draw a frame, grey by default, and return the path of the picture."""
    rgb = np.full((*frame.shape, 3), rgb) if np.isscalar(rgb) else rgb
    annotate(frame, make_prediction(status), tmp_path / "a.png", rgb=rgb, **options)
    return tmp_path / "a.png"


def page_wcs(path):
    """Return the world coordinates that a reader finds in a picture, and their quality."""
    avm = AVM.from_image(str(path))
    with Image.open(path) as image:
        assert tuple(avm.Spatial.ReferenceDimension) == image.size
        return avm.to_wcs(target_shape=image.size), avm.Spatial.Quality


def worst_dot(path, frame, places):
    """Return by how many pixels of the page the sky is wrong at the centres of dots drawn on a black picture."""
    wcs, quality = page_wcs(path)
    assert quality == "Full"
    with Image.open(path) as image:
        light = np.asarray(image.convert("L"))[::-1].astype(float)
    wrong = []
    for place in places:
        expected = np.array(wcs.world_to_pixel(frame.ccd.wcs.pixel_to_world(*place)))
        column, row = np.round(expected).astype(int)
        window = slice(row - REACH, row + REACH + 1), slice(column - REACH, column + REACH + 1)
        rows, columns = np.mgrid[window]
        found = np.array([(light[window] * axis).sum() for axis in (columns, rows)]) / light[window].sum()
        wrong.append(np.hypot(*(found - expected)))
    return max(wrong)


def dots(shape):
    """
    Return a black picture with round dots in white, and where they are: columns and rows of the frame.

    It has nine pixels to one of the frame, as matplotlib draws large pixels as squares of unequal sizes.
    """
    ny, nx = shape
    places = [(x * nx, y * ny) for x in (0.31, 0.52, 0.67) for y in ((0.31, 0.52, 0.67) if nx < 2 * ny else (0.52,))]
    places = places if ny < 2 * nx else places[3:6]
    rows, columns = (np.mgrid[: 3 * ny, : 3 * nx] - 1) / 3
    light = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / 2.5**2) for x, y in places)
    return np.repeat(light[..., None], 3, 2), places


@pytest.mark.parametrize("shape", [(200, 200), (150, 197), (61, 300), (300, 61)])
def test_dots_are_where_the_metadata_say(tmp_path, shape):
    """Dots found in the pixels of the PNG are at their places on the sky, to a tenth of a pixel, as PyAVM reads it."""
    frame = make_frame(shape, make_wcs(33))
    rgb, places = dots(shape)
    assert worst_dot(drawn(tmp_path, frame, rgb), frame, places) < 0.1


@pytest.mark.parametrize("kind", ["turned", "mirrored", "larger", "beside", "numbered"])
def test_dots_on_other_pages(tmp_path, kind):
    """So they are where the picture is turned, mirrored back, of another size, beside another or has axes."""
    frame = make_frame((200, 200), make_wcs(33, mirror=kind == "mirrored"))
    others = {"larger": {"size": 2500}, "beside": {"before": frame}, "numbered": {"axes": "wcs"}}
    options = others.get(kind, {"north_up": True})
    rgb, places = dots((200, 200))
    assert worst_dot(drawn(tmp_path, frame, rgb, **options), frame, places) < 0.1


@pytest.mark.parametrize("angle", [0, 90, 180, 211.5])
@pytest.mark.parametrize(
    "options",
    [{}, {"frame": "FK5"}, {"ctype": ("GLON-CAR", "GLAT-CAR"), "crval": (18, 0)}, {"ctype": ("RA---SIN", "DEC--SIN")}],
)
def test_full_solution(tmp_path, angle, options):
    """A frame without distortion has a full solution: at the corners of its picture, the sky is that of the frame."""
    frame = make_frame((100, 130), make_wcs(angle, **options))
    figure = annotate(frame, make_prediction(), rgb=np.full((100, 130, 3), 0.5))
    save_annotated(figure, tmp_path / "a.png")
    wcs, quality = page_wcs(tmp_path / "a.png")
    assert quality == "Full"
    corners = np.array([(-0.5, -0.5), (129.5, -0.5), (-0.5, 99.5), (129.5, 99.5)])
    there = figure.axes[0].transData.transform(corners) - 0.5
    apart = frame.ccd.wcs.pixel_to_world(*corners.T).separation(wcs.pixel_to_world(*there.T))
    assert apart.arcsec.max() < 0.1 * 0.05 * 130 / figure.axes[0].bbox.width


@pytest.mark.parametrize("kind", ["mirrored", "distorted", "skewed"])
def test_position_alone(tmp_path, kind):
    """What AVM cannot say exactly has the quality Position, and the middle of the picture is right all the same."""
    wcs = make_wcs(20, mirror=kind == "mirrored")
    if kind == "distorted":
        wcs.wcs.ctype = "RA---TAN-SIP", "DEC--TAN-SIP"
        a = np.zeros((3, 3))
        a[2, 0] = 3e-4
        wcs.sip = Sip(a, a, None, None, wcs.wcs.crpix)
    if kind == "skewed":
        wcs.wcs.cd = wcs.wcs.cd @ [[1, 0.1], [0, 1]]
    frame = make_frame(wcs=wcs)
    path = drawn(tmp_path, frame)
    avm = AVM.from_image(str(path))
    assert avm.Spatial.Quality == "Position"
    assert (avm.Spatial.Scale is None) == (kind == "mirrored")
    assert_allclose(avm.Spatial.ReferencePixel, (540.5, 540.5), atol=1e-6)
    middle = frame.ccd.wcs.pixel_to_world(99.5, 99.5)
    assert_allclose(avm.Spatial.ReferenceValue, (middle.ra.deg, middle.dec.deg), atol=1e-9)


@pytest.mark.parametrize("wcs", [None, make_wcs(ctype=("HPLN-TAN", "HPLT-TAN")), make_wcs(pixel=1800)])
def test_no_place(tmp_path, wcs):
    """Without world coordinates of the sky, or on a field too wide for one scale, nothing is said of them."""
    avm = AVM.from_image(str(drawn(tmp_path, make_frame(wcs=wcs))))
    assert not [name for name, _ in avm.items() if name.startswith("Spatial")]


def test_a_part_is_shown(tmp_path):
    """Of a frame whose edges are masked the exposed part is drawn, and is where it is on the sky."""
    frame = make_frame(wcs=make_wcs(-50))
    frame.ccd.mask[:, :40] = frame.ccd.mask[170:] = True
    rgb, places = dots(frame.shape)
    drawn(tmp_path, frame, rgb[: 3 * 170, 3 * 40 :])
    assert worst_dot(tmp_path / "a.png", frame, places) < 0.1


def test_what_was_observed(tmp_path):
    """Target, telescope, camera, filter, band, wavelength, date, exposure, dataset, proposal and credit are there."""
    header = [("ROOTNAME", "j8d602niq"), ("PROPOSID", 9822), ("OBSERVER", "Leavitt"), ("AUTHOR", "Hubble, E.")]
    avm = AVM.from_image(str(drawn(tmp_path, make_frame(header=header))))
    assert (avm.Title, avm.Subject.Name, avm.Facility, avm.Instrument) == (
        "NGC 1300", ["NGC 1300"], ["HST"], ["WFC3/UVIS"],
    )  # fmt: skip
    assert (avm.Spectral.Band, avm.Spectral.Bandpass, avm.Spectral.CentralWavelength) == (["Optical"], ["F606W"], [606])
    assert avm.Spectral.ColorAssignment == ["Grayscale"]
    assert (avm.Temporal.StartTime, avm.Temporal.IntegrationTime) == (["2004-09-21T10:11:12"], [2720])
    assert (avm.DatasetID, avm.ProposalID, avm.Credit) == (["j8d602niq"], ["9822"], "Hubble, E.")
    assert (avm.Type, avm.MetadataVersion) == ("Observation", 1.2)


@pytest.mark.parametrize(
    ("status", "category"),
    [(Status.OK, ["E.5.1.1"]), (Status.GROUP, ["E.5"]), (Status.UNCERTAIN, None), (Status.LOWQUAL, None)],
)
def test_what_it_shows(tmp_path, status, category):
    """The category is that of the verdict, and left out where that is not sure."""
    avm = AVM.from_image(str(drawn(tmp_path, make_frame(), status=status)))
    assert avm.Subject.Category == category
    assert avm.Description.startswith("Classified by astroclf")
    assert str(status) in avm.Headline


def test_nothing_known(tmp_path):
    """Of a frame that says nothing, nothing is said."""
    avm = AVM.from_image(str(drawn(tmp_path, make_frame(facts=Facts()), status=Status.UNCERTAIN)))
    names = {name for name, _ in avm.items()}
    assert names == {"MetadataVersion", "Type", "Description", "Headline", "Spectral.ColorAssignment"}


def test_stretch(tmp_path):
    """Levels of sky, black and white are in the unit of the frame, and say what was done."""
    annotate(make_frame(), make_prediction(), tmp_path / "a.png")
    levels = AVM.from_image(str(tmp_path / "a.png")).FL
    assert levels.StretchFunction == ["ArcSinh"]
    assert levels.BackgroundLevel[0] == pytest.approx(100, abs=1)
    assert levels.BlackLevel[0] == pytest.approx(levels.BackgroundLevel[0] - 5, abs=0.5)
    assert levels.WhiteLevel[0] == pytest.approx(levels.BackgroundLevel[0] + 15 * 5, abs=8)


def test_colours():
    """Filters of a picture in colour have their colours, bands and wavelengths, each in its place."""
    rgb = np.random.default_rng(1).random((5, 5, 3))
    three = observation_avm(make_combined("F275W", "F606W", "F160W"), rgb)
    assert three["Spectral.ColorAssignment"] == ["Blue", "Green", "Red"]
    assert three["Spectral.Bandpass"] == ["F275W", "F606W", "F160W"]
    assert three["Facility"] == ["HST"] * 3
    assert observation_avm(make_combined("B", "I"), rgb)["Spectral.ColorAssignment"] == ["Blue", "Red"]
    assert observation_avm(make_frame(), rgb)["Spectral.ColorAssignment"] == ["Pseudocolor"]
    names = observation_avm(make_combined("U", "V", "Ks", "odd"), rgb)
    assert names["Spectral.Band"] == ["Ultraviolet", "Optical", "Infrared", None]
    AVM.from_xml(avm_packet(names))


def test_times_of_colours(tmp_path):
    """Each colour has the time when its exposures began and how long they were; a dash where that is not known."""
    frame = make_combined("F275W", "F606W", "F160W")
    known = [("2004-09-21T05:00:00", 300.0), ("", None), ("2004-09-23", 1200.5)]
    frame = replace(frame, parts=tuple(replace(part, date=d, exptime=t) for part, (d, t) in zip(frame.parts, known)))
    annotate(frame, make_prediction(), tmp_path / "a.png", rgb=np.random.default_rng(1).random((200, 200, 3)))
    avm = AVM.from_image(str(tmp_path / "a.png"))
    assert len(avm.Spectral.Bandpass) == 3
    assert avm.Temporal.StartTime == ["2004-09-21T05:00:00", "-", "2004-09-23"]
    assert avm.Temporal.IntegrationTime == [300.0, None, 1200.5]


def make_combined(*names):
    """Return a frame that several of so many filters became."""
    return replace(make_frame(layout="combined"), parts=tuple(replace(FACTS, filter=name) for name in names))


@pytest.mark.parametrize(("value", "kind"), [(True, "Simulation"), (False, "Observation")])
def test_simulated(value, kind):
    """A simulated frame is no observation."""
    assert observation_avm(make_frame(header=[("SIMULATD", value)]))["Type"] == kind


@pytest.mark.parametrize(
    ("date", "start"),
    [("1951-08-09T09:60:00", ["1951-08-09"]), ("2004-09-21", ["2004-09-21"]), ("29/11/51", []), ("soon", []), ("", [])],
)
def test_dates(date, start):
    """A date that is one is said; a time that is none is not."""
    assert observation_avm(make_frame(facts=replace(FACTS, date=date)))["Temporal.StartTime"] == start


@given(text=st.text(st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=50)
def test_any_text_makes_xml(text):
    """Whatever is in a header, the packet is XML that PyAVM reads, and says no more than it should."""
    packet = avm_packet(observation_avm(make_frame((5, 5), facts=Facts(*[text] * 5, date=text, exptime=float("nan")))))
    root = ET.fromstring(packet)
    assert len(root) == 1
    AVM.from_xml(packet)


def test_same_bytes():
    """Two drawings of one frame are equal byte for byte, metadata and all."""
    frame = make_frame(wcs=make_wcs(20))
    one, two = (to_png(annotate(frame, make_prediction(), rgb=np.full((9, 9, 3), 0.5))) for _ in range(2))
    assert one == two
    assert b"Spatial.ReferencePixel" in one


def test_preview(tmp_path):
    """The figure of the stages is a chart of the same observation, and lies nowhere on the sky."""
    preprocessor = Preprocessor()
    figure = draw_preview(preprocessor.stages(make_frame(wcs=make_wcs())), preprocessor=preprocessor)
    save_annotated(figure, tmp_path / "a.png")
    avm = AVM.from_image(str(tmp_path / "a.png"))
    assert (avm.Type, avm.Facility, avm.Spatial.Quality) == ("Chart", ["HST"], None)


def test_exiftool(tmp_path):
    """ExifTool, which knows AVM too, reads what PyAVM reads."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    path = drawn(tmp_path, make_frame(wcs=make_wcs(10), header=[("ROOTNAME", "j8d602niq")]))
    avm = AVM.from_image(str(path))
    done = subprocess.run(
        ["exiftool", "-j", "-n", "-XMP-avm:all", "-XMP-dc:all", path], capture_output=True, check=True
    )
    (found,) = json.loads(done.stdout)
    assert found["Subject"] == "NGC 1300"
    assert (found["Facility"], found["Instrument"], found["DatasetID"]) == ("HST", "WFC3/UVIS", "j8d602niq")
    assert (found["SubjectCategory"], found["SpatialQuality"]) == ("E.5.1.1", "Full")
    for name in ("ReferencePixel", "ReferenceValue", "ReferenceDimension", "Scale"):
        values = found[f"Spatial{name}"]
        assert_allclose([float(value) for value in values], getattr(avm.Spatial, name), rtol=1e-9)
    assert float(found["SpatialRotation"]) == pytest.approx(avm.Spatial.Rotation)


@given(aspect=st.floats(1 / 6, 6), width=st.floats(0.8, 12), height=st.floats(0.8, 7))
def test_images_fill_whole_pixels(aspect, width, height):
    """An image is within its box, has edges on those of pixels, and nearly its aspect ratio."""
    room = Box(0.4, 0.7, width, height)
    box = whole_pixels(room, aspect, 150)
    pixels = np.array([box.left, box.bottom, box.width, box.height]) * 150
    assert_allclose(pixels, np.round(pixels), atol=1e-6)
    assert box.left >= room.left - 0.5 / 150
    assert box.right <= room.right + 0.5 / 150
    assert box.bottom >= room.bottom - 0.5 / 150
    assert box.top <= room.top + 0.5 / 150
    longer, shorter = sorted(pixels[2:], reverse=True)
    assert abs(longer / max(aspect, 1 / aspect) - shorter) <= 0.5


@given(
    crval=st.tuples(st.floats(-400, 400), st.floats(-90, 90)),
    crpix=st.tuples(*[st.floats(-1e5, 1e5)] * 2),
    cd=st.lists(st.floats(-0.1, 0.1), min_size=4, max_size=4),
    projection=st.sampled_from(["TAN", "SIN", "ZEA", "CAR", "AIT", "STG"]),
    axes=st.sampled_from(["RA---{},DEC--{}", "DEC--{},RA---{}", "GLON-{},GLAT-{}", "ELON-{},ELAT-{}"]),
)
@settings(max_examples=20)
def test_any_coordinates(crval, crpix, cd, projection, axes):
    """Whatever the world coordinates are, there is a packet that can be read; what it calls full can be evaluated."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = axes.format(projection, projection).split(",")
    wcs.wcs.crval = crval[::-1] if axes.startswith("DEC") else crval
    wcs.wcs.crpix, wcs.wcs.cd = crpix, np.reshape(cd, (2, 2))
    frame = make_frame((20, 30), wcs)
    to_page = np.array([[30.0, 0, 60], [0, 30.0, 60], [0, 0, 1]])
    place = page_place(frame, (slice(0, 20), slice(0, 30)), to_page, (1920, 1080))
    avm = AVM.from_xml(avm_packet(place))
    if avm.Spatial.Quality == "Full":
        sky = avm.to_wcs(target_shape=(1920, 1080)).pixel_to_world(*(to_page @ (14, 9, 1))[:2] - 0.5)
        assert sky.separation(frame.ccd.wcs.pixel_to_world(14, 9)).deg < 0.1 * avm.Spatial.Scale[1]

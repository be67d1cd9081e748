# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Colour frames become grey: mosaics of colour filters, and images of three planes."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import FrameError, read_frame

COLOURS = {"R": 900.0, "G": 500.0, "B": 100.0}
SKY = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 20.0, "CRPIX1": 14.0, "CRPIX2": 9.0,
    "CD1_1": -1e-4, "CD1_2": 1e-5, "CD2_1": 1e-5, "CD2_2": 1e-4,
}  # fmt: skip


def one(image, **cards):
    """Return a file of one image."""
    hdu = fits.PrimaryHDU(image)
    hdu.header.update(cards)
    return fits.HDUList([hdu])


def coloured(pattern="RGGB", shape=(40, 60)):
    """Return the raw frame of a white scene through a colour filter on every pixel, and the scene's luminance."""
    scene = np.random.default_rng(2).integers(1, 30, (shape[0] // 2, shape[1] // 2))
    image = np.repeat(np.repeat(scene, 2, axis=0), 2, axis=1).astype(np.float32)
    for position, colour in enumerate(pattern):
        image[position // 2 :: 2, position % 2 :: 2] *= COLOURS[colour]
    return image.astype(np.uint16), scene * np.mean([COLOURS[colour] for colour in pattern])


@pytest.mark.parametrize("keyword", ["BAYERPAT", "COLORTYP"])
@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "gbrg"])
def test_squares_of_colours(keyword, pattern):
    """Whatever the order of the colours, the luminance is the mean of a square of pixels."""
    image, luminance = coloured(pattern.upper())
    frame = read_frame(one(image, **{keyword: pattern}))
    assert_allclose(frame.ccd.data, luminance)
    assert frame.layout == "bayer"
    assert frame.steps == (f"averaged 2 x 2 pixels of the colours {pattern.upper()}",)
    assert frame.notes == ()


def test_order_of_rows_and_offsets_do_not_matter():
    """Every square of pixels holds all colours, wherever the pattern begins."""
    image, luminance = coloured()
    for cards in ({"ROWORDER": "TOP-DOWN"}, {"XBAYROFF": 1, "YBAYROFF": 1}):
        assert_allclose(read_frame(one(image, BAYERPAT="RGGB", **cards)).ccd.data, luminance)


def test_odd_sizes_are_cropped():
    """A last row or column without partner is left out."""
    image, luminance = coloured()
    odd = np.pad(image, ((0, 1), (0, 1)), constant_values=9999)
    assert_allclose(read_frame(one(odd, BAYERPAT="RGGB")).ccd.data, luminance)


def test_sky_of_squares():
    """The middle of a square is where its pixel now has its sky."""
    frame = read_frame(one(coloured()[0], BAYERPAT="RGGB", **SKY))
    before = WCS(fits.Header(SKY)).all_pix2world([[0.5, 0.5], [20.5, 30.5]], 0)
    assert_allclose(frame.ccd.wcs.all_pix2world([[0, 0], [10, 15]], 0), before, atol=1e-9)


def test_overscan_of_colour_cameras():
    """Sections are obeyed before the colours are averaged."""
    image, luminance = coloured()
    full = np.hstack([image + 100, np.full((40, 6), 100, np.uint16)])
    frame = read_frame(one(full, BAYERPAT="RGGB", BIASSEC="[61:66,1:40]", TRIMSEC="[1:60,1:40]", SATURATE=20000, **SKY))
    assert_allclose(frame.ccd.data, luminance, atol=0.01)
    assert frame.layout == "bayer"
    assert len(frame.steps) == 3
    assert_allclose(frame.ccd.wcs.wcs.crpix, (7.25, 4.75))
    assert frame.quality == np.mean(luminance * 900 / 500 >= 19900)


@pytest.mark.parametrize("pattern", ["XTRANS", "GGRGGBGGBGGRBRGRBGGGBGGRGGRGGBRBGBRG", "RGBE", "RGGX"])
def test_other_patterns_are_refused(pattern):
    """A pattern that is no square of 2 x 2 colours is refused by name; as a plain image it can still be had."""
    hdul = one(coloured()[0], BAYERPAT=pattern)
    with pytest.raises(FrameError, match=f"BAYERPAT = '{pattern}', no pattern of 2 x 2 colours; .* hdu="):
        read_frame(hdul)
    assert read_frame(hdul, hdu=0).shape == (40, 60)


@pytest.mark.parametrize("pattern", ["", "NONE", "mono", 0, False, True, "TRUE"])
def test_grey_sensors(pattern):
    """A keyword that names no colours is none."""
    frame = read_frame(one(coloured()[0], BAYERPAT=pattern))
    assert (frame.shape, frame.layout) == ((40, 60), "plain")


def planes():
    """Return three planes of colour."""
    return np.random.default_rng(4).normal(size=(3, 30, 40)).astype(np.float32)


@pytest.mark.parametrize("cards", [{"CTYPE3": "RGB"}, {"COLORSPC": "RGB"}])
def test_planes_of_colour(cards):
    """An image of three colours is their mean, with the sky of its two axes."""
    frame = read_frame(one(planes(), **cards, **SKY))
    assert_allclose(frame.ccd.data, planes().mean(axis=0), atol=1e-6)
    assert (frame.layout, frame.steps, frame.notes) == ("rgb", ("averaged 3 planes of colour",), ())
    assert_allclose(frame.ccd.wcs.wcs.crpix, (14, 9))


@pytest.mark.parametrize("axis", [0, 2])
def test_planes_taken_for_colours(axis):
    """Three planes of which nothing is said are taken for colours, and a note says so."""
    frame = read_frame(one(np.moveaxis(planes(), 0, axis)))
    assert_allclose(frame.ccd.data, planes().mean(axis=0), atol=1e-6)
    assert frame.notes == ("its 3 planes were taken for red, green and blue; choose one with plane=",)


def test_debayered_images():
    """An image of three planes that still has the pattern of its sensor is not averaged over squares."""
    assert read_frame(one(planes(), BAYERPAT="RGGB")).shape == (30, 40)


@pytest.mark.parametrize(
    ("shape", "cards", "words"),
    [((3, 30, 40), {"CTYPE3": "FREQ"}, "cube of 3 planes along FREQ .*choose one with plane=, from 1 to 3"),
     ((3, 30, 40), {"CTYPE3": "TIME"}, "3 planes along TIME"), ((3, 30, 40), {"CTYPE3": "STOKES"}, "along STOKES"),
     ((30, 40, 3), {"CTYPE1": "WAVE"}, "30 planes"), ((4, 30, 40), {}, "cube of 4 planes .*from 1 to 4"),
     ((2, 3, 30, 40), {}, "more than the axes of a cube")],
)  # fmt: skip
def test_other_cubes_are_refused(shape, cards, words):
    """Cubes of wavelength, time or whatever else are refused, and the message says how to choose a plane."""
    with pytest.raises(FrameError, match=words):
        read_frame(one(np.zeros(shape, np.float32), **cards))


def test_a_colour_by_its_plane():
    """One colour can be had by its number."""
    assert_array_equal(read_frame(one(planes()), plane=2).ccd.data, planes()[1])


def test_pixels_without_one_colour():
    """A pixel that lacks a colour is masked."""
    cube = planes()
    cube[1, 10, 20] = np.nan
    assert np.argwhere(read_frame(one(cube)).ccd.mask).tolist() == [[10, 20]]

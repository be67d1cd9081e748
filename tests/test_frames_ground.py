# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""CCDs on the ground: sections are obeyed where they make sense, and chips lie where DETSEC has them."""

import re

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import block_reduce
from astropy.wcs import WCS, Sip
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import read_frame
from astroclf.datasets import LAYOUTS, make_frame
from astroclf.frames import Exposure
from astroclf.frames.layouts import mosaic as mosaics
from astroclf.frames.layouts.geometry import Section, SectionError, moved_wcs, parse_section

FLUX, SIGMA, HALF = 3e5, 3.0, 15
SHAPE, PRESCAN, OVERSCAN = (40, 50), 6, 8
LIT = f"[{PRESCAN + 1}:{PRESCAN + SHAPE[1]},1:{SHAPE[0]}]"
BIAS = f"[{PRESCAN + SHAPE[1] + 1}:{PRESCAN + SHAPE[1] + OVERSCAN},1:{SHAPE[0]}]"


def picture(shape=SHAPE):
    """Return counts no two rows or columns of which are alike."""
    return np.random.default_rng(5).integers(20, 2000, shape).astype(np.float32)


def raw(level=1000.0, drift=0.0, image=None):
    """Return a picture between absurd prescan and overscan of this level, which drifts up the rows."""
    image = picture() if image is None else image
    ny, nx = image.shape
    full = np.full((ny, nx + PRESCAN + OVERSCAN), 30000.0, np.float32)
    bias = level + drift * np.arange(ny, dtype=np.float32)[:, None]
    full[:, PRESCAN : PRESCAN + nx] = image + bias
    full[:, PRESCAN + nx :] = bias
    return full


def one(image, **cards):
    """Return a file of one image."""
    hdu = fits.PrimaryHDU(image)
    hdu.header.update(cards)
    return fits.HDUList([hdu])


def many(*images):
    """Return a file of extensions, each an image and its cards."""
    hdul = fits.HDUList([fits.PrimaryHDU()])
    for number, (image, cards) in enumerate(images, 1):
        hdu = fits.ImageHDU(image, name=f"IM{number}")
        hdu.header.update(cards)
        hdul.append(hdu)
    return hdul


def sky_cards(x, y, cd=((-1e-4, 1e-5), (1e-5, 1e-4))):
    """Return the cards of a tangential WCS with this reference pixel."""
    return {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 20.0, "CRPIX1": x, "CRPIX2": y,
        "CD1_1": cd[0][0], "CD1_2": cd[0][1], "CD2_1": cd[1][0], "CD2_2": cd[1][1],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------ sections


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.booleans())
def test_sections_are_those_of_iraf(x0, x1, y0, y1, spaces):
    """A section within the image selects its pixels, both ends included; others are refused."""
    text = f"[{x0}:{x1},{y0}:{y1}]"
    text = text.replace(":", " : ").replace("[", "[  ") if spaces else text
    image = np.arange(40 * 50).reshape(40, 50)
    if max(x0, x1) > 50 or max(y0, y1) > 40:
        with pytest.raises(SectionError):
            parse_section(text, image.shape)
        return
    section = parse_section(text, image.shape)
    corner = image[section.slices][0, 0]
    assert corner == (min(y0, y1) - 1) * 50 + min(x0, x1) - 1
    assert section.shape == (abs(y1 - y0) + 1, abs(x1 - x0) + 1)
    assert section.flipped == (y0 > y1, x0 > x1)


@given(st.text(alphabet="[]:,*- 0123456789a", max_size=20))
def test_any_text_is_a_section_or_not(text):
    """Whatever a header says is a section inside the image, nothing, or a `SectionError`."""
    try:
        section = parse_section(text, (40, 50))
    except SectionError:
        return
    if section is not None:
        assert 0 <= section.rows.start < section.rows.stop <= 40
        assert 0 <= section.columns.start < section.columns.stop <= 50


@pytest.mark.parametrize("text", [None, "", "  ", "[]", "[0:0,0:0]", "[0:0, 0:0]"])
def test_no_section(text):
    """Empty texts and zeros are how headers say that there is none."""
    assert parse_section(text, SHAPE) is None


def test_stars_are_whole_axes():
    """A star is a whole axis, and needs an image to be one."""
    assert parse_section("[3:4,*]", SHAPE) == Section(slice(0, 40), slice(2, 4))
    with pytest.raises(SectionError):
        parse_section("[3:4,*]")


@pytest.mark.parametrize("scale", [(1, 1), (0.5, 0.5), (-1, 1), (1 / 3, -1 / 3)])
@pytest.mark.parametrize("kind", ["CD", "PC", "CROTA", "SIP"])
def test_the_sky_stays_with_the_pixels(scale, kind):
    """Pixels that are moved, flipped or averaged keep their place on the sky, distortion included."""
    cards = sky_cards(31.0, 22.0)
    if kind in ("PC", "CROTA"):
        cards = {key: value for key, value in cards.items() if not key.startswith("CD")} | {
            "CDELT1": -1e-4,
            "CDELT2": 2e-4,
        }
        cards |= {"CROTA2": 20.0} if kind == "CROTA" else {"PC1_1": 0.9, "PC1_2": 0.2, "PC2_1": -0.2, "PC2_2": 0.9}
    wcs = WCS(fits.Header(cards))
    if kind == "SIP":
        a, b = np.zeros((3, 3)), np.zeros((3, 3))
        a[2, 0], a[1, 1], b[0, 2] = 1e-4, 2e-4, -3e-4
        wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
        wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    shift = (7.25, -3.5)
    pixels = np.array([[0.0, 0], [60, 10], [12, 70]])
    moved = moved_wcs(wcs, scale, shift)
    assert_allclose(moved.all_pix2world(pixels * scale + shift, 0), wcs.all_pix2world(pixels, 0), atol=1e-9)


# -------------------------------------------------------------------------------------------- one CCD


def test_overscan_and_trimming():
    """The level of the overscan is subtracted, its drift too; the image is trimmed and its WCS with it."""
    cards = {"BIASSEC": BIAS, "TRIMSEC": LIT, "GAIN": 2.5, "RDNOISE": 7.0, **sky_cards(PRESCAN + 11, 13)}
    frame = read_frame(one(raw(drift=0.5), **cards))
    assert_allclose(frame.ccd.data, picture(), atol=2e-3)
    assert_allclose(frame.ccd.wcs.wcs.crpix, (11, 13))
    assert (frame.layout, frame.facts.product, frame.ccd.unit) == ("ccd", "raw", u.adu)
    assert (frame.facts.gain, frame.facts.readnoise) == ((2.5,), (7.0,))
    assert frame.steps == (
        "subtracted the level of 8 columns of overscan: 1009.8 adu",
        "trimmed to columns 7-56 and rows 1-40",
    )
    assert frame.notes == ()


def test_overscan_above_the_image():
    """Overscan rows are read across, and DATASEC serves where there is no TRIMSEC."""
    image = np.vstack([picture() + 500, np.full((4, 50), 500, np.float32)])
    frame = read_frame(one(image, BIASSEC="[1:50,41:44]", DATASEC="[*,1:40]"))
    assert_allclose(frame.ccd.data, picture(), atol=1e-3)
    assert frame.steps[0] == "subtracted the level of 4 rows of overscan: 500.0 adu"


def test_overscan_shorter_than_the_image():
    """Of overscan that does not run along the whole image the one level is taken."""
    frame = read_frame(one(raw(), BIASSEC=BIAS.replace("1:40", "5:30"), TRIMSEC=LIT))
    assert_allclose(frame.ccd.data, picture(), atol=1e-3)


def test_cosmic_rays_in_the_overscan():
    """A few pixels struck in the overscan do no harm."""
    image = raw()
    image[::9, -3] = 60000
    assert_allclose(read_frame(one(image, BIASSEC=BIAS, TRIMSEC=LIT)).ccd.data, picture(), atol=1e-3)


def test_trimming_alone():
    """TRIMSEC without BIASSEC trims and subtracts nothing."""
    frame = read_frame(one(raw(), TRIMSEC=LIT))
    assert_allclose(frame.ccd.data, picture() + 1000)
    assert frame.facts.product == ""


def test_saturation():
    """Pixels at SATURATE, a level of the raw counts, count as unusable and are not masked."""
    image = raw()
    image[7, PRESCAN + 9] = 50000
    frame = read_frame(one(image, BIASSEC=BIAS, TRIMSEC=LIT, SATURATE=50000))
    assert not frame.ccd.mask.any()
    assert frame.quality == pytest.approx(1 / picture().size)


@pytest.mark.parametrize(
    ("cards", "words"),
    [({"TRIMSEC": "[7:560,1:40]"}, r"TRIMSEC does not fit the image of 64 x 40 pixels: '\[7:560,1:40\]'"),
     ({"TRIMSEC": "[56:7,1:40]"}, "TRIMSEC = .* runs backwards"), ({"TRIMSEC": "all"}, "TRIMSEC does not fit .*'all'"),
     ({"TRIMSEC": "[7:6,41:40]"}, "TRIMSEC"), ({"TRIMSEC": "[0:56,1:40]"}, "TRIMSEC does not fit"),
     ({"BIASSEC": "[4096:4109]"}, r"BIASSEC does not fit .*\[4096:4109\]"),
     ({"BIASSEC": "[40:64,1:40]"}, "BIASSEC .* overlaps"),
     ({"TRIMSEC": ""}, "BIASSEC .* overlaps"), ({"LTV1": -12.0}, "LTV1 = -12.0.* cut out of that of TRIMSEC"),
     ({"TRIMSEC": "", "DATASEC": "[1:2,3]"}, "DATASEC does not fit")],
)  # fmt: skip
def test_sections_that_make_no_sense(cards, words):
    """Such an image is left as it is, and the note says why."""
    frame = read_frame(one(raw(), **{"BIASSEC": BIAS, "TRIMSEC": LIT, **cards}))
    assert_array_equal(frame.ccd.data, raw())
    assert (frame.steps, frame.layout) == ((), "ccd")
    (note,) = frame.notes
    assert note.endswith("; nothing was trimmed or subtracted")
    assert re.search(words, note)


def test_sections_of_another_image():
    """Sections that leave out much of an image, of a mosaic made of it for example, are not obeyed."""
    image = np.pad(raw(), ((0, 60), (0, 40)))
    frame = read_frame(one(image, BIASSEC=BIAS, TRIMSEC=LIT))
    assert_array_equal(frame.ccd.data, image)
    assert frame.notes[0].startswith("the sections leave out more than a quarter of the 104 x 100 pixels")


@given(
    st.integers(0, 12),
    st.integers(46, 66),
    st.integers(0, 3),
    st.integers(37, 42),
    st.integers(0, 70),
    st.integers(0, 70),
)
def test_no_header_trims_wrongly(c1, c2, l1, l2, b1, b2):
    """An image is left as it is with a note, or cut to TRIMSEC less the level of BIASSEC, whatever the sections."""
    image = raw()
    frame = read_frame(one(image, TRIMSEC=f"[{c1}:{c2},{l1}:{l2}]", BIASSEC=f"[{b1}:{b2},1:40]"))
    fits_in = 1 <= c1 and c2 <= 64 and 1 <= l1 and l2 <= 40
    fits_in = fits_in and 1 <= b1 <= b2 <= 64 and (b2 < c1 or b1 > c2)
    if 1 <= c1 and 1 <= l1 and (c2 - c1, l2 - l1) == (63, 39):  # trimmed before, so that BIASSEC is out of date
        assert not frame.notes
        assert_array_equal(frame.ccd.data, image)
    elif not fits_in:
        assert frame.notes
        assert_array_equal(frame.ccd.data, image)
    elif not frame.notes:
        wanted = image[l1 - 1 : l2, c1 - 1 : c2]
        assert frame.shape == wanted.shape
        level = wanted - frame.ccd.data
        assert_allclose(level, np.broadcast_to(level[:, :1], level.shape), atol=0.02)


@pytest.mark.parametrize(
    "cards",
    [{"TRIM": "Jun  2 18:18 Trim data section is [7:56,1:40]"}, {"TRIMIM": "ccd=<CCDData>"}, {},
     {"TRIMSEC": "[1:50,1:40]", "BIASSEC": "[51:58,1:40]"}, {"TRIMSEC": "[1:50,1:40]", "BIASSEC": "[1:6,1:40]"},
     {"LTV1": -6.0}],
)  # fmt: skip
def test_what_was_trimmed_is_not_trimmed_again(cards):
    """Words of ccdproc, IRAF's or Python's, or the size of the section show that an image was trimmed before."""
    frame = read_frame(one(picture(), **{"BIASSEC": BIAS, "TRIMSEC": LIT, **cards}))
    assert_array_equal(frame.ccd.data, picture())
    assert (frame.steps, frame.notes, frame.facts.product) == ((), (), "")


def test_a_smaller_image_that_was_trimmed():
    """An image that says it was trimmed is not, though its old section would fit."""
    frame = read_frame(one(picture(), TRIMSEC="[3:40,1:38]", TRIM="Jun  2 18:18 Trim data section is [3:40,1:38]"))
    assert frame.shape == SHAPE


def test_what_was_subtracted_is_not_subtracted_again():
    """Where only the overscan was taken off the image is trimmed still."""
    frame = read_frame(one(raw(), BIASSEC=BIAS, TRIMSEC=LIT, OVERSCAN="Jun  2 18:18 Overscan section is ..."))
    assert_allclose(frame.ccd.data, picture() + 1000)


@pytest.mark.parametrize(
    ("cards", "gain"),
    [({"GAIN": 100}, ()), ({"GAIN": 100, "EGAIN": 0.8}, (0.8,)), ({"GAIN": 1.9, "READNOIS": 5}, (1.9,)),
     ({"GAIN": "high", "RDNOISE": 5}, ()), ({"EGAIN": -1}, ()), ({"GAIN": 0, "RON": 4}, ())],
)  # fmt: skip
def test_gain(cards, gain):
    """EGAIN is a gain; GAIN is one only beside a read noise, for else it may be a setting."""
    assert read_frame(one(raw(), BIASSEC=BIAS, TRIMSEC=LIT, **cards)).facts.gain == gain


@pytest.mark.parametrize(
    ("cards", "exposure"),
    [({}, Exposure.UNKNOWN), ({"NCOMBINE": 1}, Exposure.UNKNOWN), ({"NCOMBINE": 5}, Exposure.COMBINED),
     ({"IMCMB001": "a.fits"}, Exposure.COMBINED), ({"STACKCNT": 30}, Exposure.COMBINED)],
)  # fmt: skip
def test_stacks(cards, exposure):
    """A stack is one; of others nothing is assumed, so that no sharp star is taken for a cosmic ray."""
    assert read_frame(one(raw(), BIASSEC=BIAS, TRIMSEC=LIT, **cards)).exposure is exposure


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32", "float64"])
def test_types_on_disk(tmp_path, dtype):
    """Every type is read alike from disk, compressed too."""
    image = raw().astype(dtype)
    one(image, BIASSEC=BIAS, TRIMSEC=LIT).writeto(tmp_path / "a.fits")
    kind = {"compression_type": "GZIP_1" if "float" in dtype else "RICE_1"}
    hdu = fits.CompImageHDU(image, fits.Header({"BIASSEC": BIAS, "TRIMSEC": LIT}), quantize_level=0, **kind)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "b.fits.fz")
    for name in ("a.fits", "b.fits.fz"):
        assert_allclose(read_frame(tmp_path / name).ccd.data, picture(), atol=0.05)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32"])
def test_blank_pixels(tmp_path, dtype):
    """Integers that stand for nothing are masked, unsigned ones too."""
    image = picture().astype(dtype) % 100
    image[20, 30] = 111
    hdul = one(image)
    hdul[0].header["BLANK"] = 111 - int(hdul[0].header.get("BZERO", 0))
    hdul.writeto(tmp_path / "a.fits")
    assert np.argwhere(read_frame(tmp_path / "a.fits").ccd.mask).tolist() == [[20, 30]]


# ---------------------------------------------------------------------------- amplifiers of one image


def test_two_amplifiers_in_one_image():
    """Amplifiers of DECam's kind have their own overscan at either end of the rows."""
    image = picture((30, 40))
    full = np.hstack([np.full((30, 5), 900.0), image + np.repeat([900, 1300], 20), np.full((30, 5), 1300.0)])
    cards = {
        "TRIMSEC": "[6:45,1:30]", "DATASECA": "[26:45,1:30]", "BIASSECA": "[46:50,1:30]", "CCDSECA": "[21:40,1:30]",
        "DATASECB": "[6:25,1:30]", "BIASSECB": "[1:5,1:30]", "CCDSECB": "[1:20,1:30]", "GAINA": 2.0, "GAINB": 2.5,
        "RDNOISEA": 7.0, "RDNOISEB": 6.0, **sky_cards(5 + 11, 13),
    }  # fmt: skip
    frame = read_frame(one(full.astype(np.float32), **cards))
    assert_allclose(frame.ccd.data, image * np.repeat([2.5, 2.0], 20), rtol=1e-5)
    assert (frame.facts.gain, frame.facts.readnoise) == ((2.0, 2.5), (7.0, 6.0))
    assert_allclose(frame.ccd.wcs.wcs.crpix, (11, 13))
    assert frame.steps[-1] == "put 2 parts together by CCDSEC"


def test_four_amplifiers_of_arcon():
    """Arcon's four have their overscan between them, in the middle of the image."""
    image, full = picture((40, 60)), np.zeros((40, 72), np.float32)
    cards = {}
    for row, rows in ((1, slice(0, 20)), (2, slice(20, 40))):
        for column, (data, bias, place) in ((1, ((0, 30), (30, 36), (0, 30))), (2, ((42, 72), (36, 42), (30, 60)))):
            level = 100 * row + 10 * column
            full[rows, slice(*data)] = image[rows, slice(*place)] + level
            full[rows, slice(*bias)] = level
            lines = f"{rows.start + 1}:{rows.stop}"
            for keyword, (first, last) in (("DSEC", data), ("BSEC", bias), ("CSEC", place)):
                cards[f"{keyword}{row}{column}"] = f"[{first + 1}:{last},{lines}]"
    frame = read_frame(one(full, **cards))
    assert_allclose(frame.ccd.data, image, atol=1e-3)
    assert frame.ccd.unit == u.adu
    assert frame.facts.gain == ()


def test_amplifiers_of_chips_in_a_mosaic():
    """MegaCam's kind: amplifiers lie on chips by CSECA and CSECB, and chips in the mosaic by DETSEC, rotated too."""
    image, chips = picture((60, 40)), []
    for row, turned in ((0, False), (30, True)):
        part = image[row : row + 30][::-1, ::-1] if turned else image[row : row + 30]
        full = np.hstack([np.full((30, 4), 700.0), part + np.repeat([700, 900], 20), np.full((30, 4), 900.0)])
        cards = {
            "BSECA": "[1:4,1:30]", "DSECA": "[5:24,1:30]", "CSECA": "[1:20,1:30]", "BSECB": "[45:48,1:30]",
            "DSECB": "[25:44,1:30]", "CSECB": "[21:40,1:30]", "DETSEC": "[40:1,60:31]" if turned else "[1:40,1:30]",
        }  # fmt: skip
        chips.append((full.astype(np.float32), cards))
    frame = read_frame(many(*chips))
    assert_allclose(frame.ccd.data, image, atol=1e-3)
    assert frame.steps[-1] == "put 4 parts together by DETSEC"


def test_an_amplifier_without_place():
    """Amplifiers that lie nowhere are left as they are."""
    cards = {"DATASECA": LIT, "BIASSECA": BIAS}
    assert "does not say where the amplifier A lies" in read_frame(one(raw(), **cards)).notes[0]


# ------------------------------------------------------------------------------------------- mosaics

FLIPS = [(False, False), (True, False), (False, True), (True, True)]


def mosaic(image, flips=FLIPS, binning=1, **cards):
    """Return four raw chips that make up an image, each stored its own way round, with cards for all."""
    ny, nx = (n // 2 for n in image.shape)
    chips = []
    for number, flipped in enumerate(flips):
        row, column = number // 2 * ny, number % 2 * nx
        rows, columns = (slice(None, None, -1 if backwards else 1) for backwards in flipped)
        ends = []
        for start, length, backwards in ((row, ny, flipped[0]), (column, nx, flipped[1])):
            pair = [start * binning + 1, (start + length) * binning]
            ends.append("{}:{}".format(*(pair[::-1] if backwards else pair)))
        part = raw(1000 + 50 * number, image=image[row : row + ny, column : column + nx][rows, columns])
        own = {
            "DETSEC": f"[{ends[1]},{ends[0]}]",
            "DATASEC": f"[7:{6 + nx},1:{ny}]",
            "BIASSEC": f"[{7 + nx}:{14 + nx},1:{ny}]",
        }
        crpix = [11 - column, 13 - row]
        cd = np.array([[-1e-4, 1e-5], [1e-5, 1e-4]])
        for axis, length in ((0, nx), (1, ny)):
            if flipped[1 - axis]:
                crpix[axis] = length + 1 - crpix[axis]
                cd[:, axis] *= -1
        chips.append((part, {**own, **sky_cards(crpix[0] + PRESCAN, crpix[1], cd), **cards}))
    return many(*chips)


def test_chips_lie_where_detsec_has_them():
    """All chips are read, the right way round; the WCS is that of the whole."""
    image = picture((60, 80))
    frame = read_frame(mosaic(image))
    assert_allclose(frame.ccd.data, image, atol=1e-3)
    assert frame.origin.hdus == ("IM1,1", "IM2,1", "IM3,1", "IM4,1")
    assert_allclose(frame.ccd.wcs.wcs.crpix, (11, 13))
    assert (frame.layout, frame.notes, frame.facts.product) == ("mosaic", (), "raw")
    assert frame.steps == (
        "subtracted the level of the overscan of 4 amplifiers: 1000.0 to 1150.0 adu",
        "put 4 parts together by DETSEC",
    )


@pytest.mark.parametrize("kind", [{"CCDSUM": "2 2"}, {}])
def test_binned_chips(kind):
    """DETSEC counts pixels that are not binned."""
    image = picture((60, 80))
    assert_allclose(read_frame(mosaic(image, binning=2, **kind)).ccd.data, image, atol=1e-3)


def test_sections_of_a_real_camera():
    """Two chips binned by 3 whose width is no multiple of 3 touch, as those of the 4K imager of MDM."""
    left, right = (picture((100, 682)) + shift for shift in (0, 3000))
    cards = {"DATASEC": "[1:682,1:100]", "BIASSEC": "[683:690,1:100]"}
    chips = [
        (np.hstack([part + 500, np.full((100, 8), 500.0)]).astype(np.float32), {**cards, "DETSEC": place})
        for part, place in ((left, "[1:2048,1:300]"), (right, "[2049:4096,1:300]"))
    ]
    frame = read_frame(many(*chips))
    assert frame.shape == (100, 1366)
    assert_allclose(frame.ccd.data[:, :682], left, atol=1e-3)
    assert_allclose(frame.ccd.data[:, 682:-2], right, atol=1e-3)


def test_gaps_were_never_exposed():
    """Gaps between chips are masked and do not count."""
    hdul = mosaic(picture((60, 80)))
    for number in (2, 4):
        ends = hdul[number].header["DETSEC"].strip("[]").split(",")
        first, last = (int(end) + 7 for end in ends[0].split(":"))
        hdul[number].header["DETSEC"] = f"[{first}:{last},{ends[1]}]"
    frame = read_frame(hdul)
    assert frame.shape == (60, 87)
    assert np.flatnonzero(frame.ccd.mask.all(axis=0)).tolist() == list(range(40, 47))
    assert frame.quality == 0
    (note,) = frame.notes
    assert note.startswith("the WCS is that of IM")
    assert note.endswith("elsewhere it is up to 7 pixels off")


def test_trimmed_chips():
    """Chips whose edges were cut off lie in the middle of their places; stale overscan is ignored."""
    image = picture((120, 160))
    hdul = mosaic(image, flips=[(False, False)] * 4)
    for hdu in hdul[1:]:
        hdu.data = hdu.data[1:-1, PRESCAN + 1 : PRESCAN + 79]
        hdu.header["DATASEC"] = "[1:78,1:58]"
    frame = read_frame(hdul)
    assert frame.shape == (120, 160)
    assert_allclose(frame.ccd.data[1:59, 1:79], image[1:59, 1:79] + 1000, atol=1e-3)
    assert_allclose(frame.ccd.data[61:119, 81:159], image[61:119, 81:159] + 1150, atol=1e-3)
    assert frame.facts.product == ""


def test_gains_of_a_mosaic():
    """Gains are applied if there is one for every chip, with a read noise, and the image was raw."""
    image = picture((60, 80))
    hdul = mosaic(image, RDNOISE=5.0, GAIN=2.0)
    hdul[3].header["GAIN"] = 3.0
    frame = read_frame(hdul)
    assert_allclose(frame.ccd.data[:30], image[:30] * 2, rtol=1e-4)
    assert_allclose(frame.ccd.data[30:, :40], image[30:, :40] * 3, rtol=1e-4)
    assert (frame.ccd.unit, frame.facts.gain) == (u.electron, (2.0, 2.0, 3.0, 2.0))
    del hdul[2].header["GAIN"]
    frame = read_frame(hdul)
    assert (frame.ccd.unit, frame.facts.gain) == (u.adu, ())


def test_large_mosaics_are_averaged(monkeypatch):
    """A mosaic that is too large is averaged over squares of pixels, and its WCS follows."""
    monkeypatch.setattr(mosaics, "_LARGEST", 60 * 80 / 4)
    image = picture((60, 80))
    hdul = mosaic(image, SATURATE=35000)
    hdul[1].data[4, PRESCAN + 6] = 40000
    frame = read_frame(hdul)
    expected = block_reduce(image, 2, np.mean)
    assert_allclose(np.delete(frame.ccd.data, 2, axis=0), np.delete(expected, 2, axis=0), atol=1e-2)
    monkeypatch.undo()
    sky = read_frame(mosaic(image)).ccd.wcs.all_pix2world([[20.5, 24.5]], 0)
    assert_allclose(frame.ccd.wcs.all_pix2world([[10, 12]], 0), sky, atol=1e-9)
    assert frame.steps[-1] == "averaged 2 x 2 pixels"
    assert frame.quality == pytest.approx(1 / 1200)


@pytest.mark.parametrize(
    ("number", "cards", "words"),
    [(2, {"DETSEC": "[1:40,1:30]"}, "IM2,1 overlaps another image"),
     (3, {"DETSEC": "[1:400,31:60]"}, "unlike scale"),
     (1, {"DETSEC": "somewhere"}, "'somewhere' is no section"),
     (1, {"DETSEC": "[1:20,1:15]"}, "does not fit its place"),
     (4, {"BIASSEC": "[47:99,1:30]"}, "BIASSEC does not fit the image"),
     (4, {"DATASEC": "[9:99,1:30]"}, "DATASEC does not fit")],
)  # fmt: skip
def test_mosaics_that_make_no_sense(number, cards, words):
    """The first image is read alone, and notes say why, and how to have the others."""
    hdul = mosaic(picture((60, 80)))
    hdul[number].header.update(cards)
    frame = read_frame(hdul)
    assert_array_equal(frame.ccd.data, hdul[1].data)
    assert words in frame.notes[0]
    assert frame.notes[0].endswith("; the images were not put together")
    assert frame.notes[1] == "read IM1,1 alone; choose another with hdu=: IM2,1 IM3,1 IM4,1"


def test_science_extensions_with_places():
    """SCI extensions are put together without their variances; what DQ flags is bad."""
    image = picture((60, 80))
    hdul = fits.HDUList([fits.PrimaryHDU()])
    for version, source in enumerate(mosaic(image)[1:], 1):
        header = source.header.copy()
        del header["EXTNAME"]
        hdul.append(fits.ImageHDU(source.data, header, name="SCI", ver=version))
        dq = np.zeros(source.data.shape, np.uint16)
        dq[3, PRESCAN + 4] = 8 if version == 1 else 0
        hdul.append(fits.ImageHDU(dq, header, name="DQ", ver=version))
        hdul.append(fits.ImageHDU(source.data, header, name="VAR", ver=version))
    frame = read_frame(hdul)
    assert_allclose(frame.ccd.data, image, atol=1e-3)
    assert frame.origin.hdus == ("SCI,1", "SCI,2", "SCI,3", "SCI,4")
    assert np.argwhere(frame.ccd.mask).tolist() == [[3, 4]]


def test_extensions_without_places():
    """Without DETSEC the first image is read as one CCD, and a note names the others."""
    frame = read_frame(many(*[(raw(), {"BIASSEC": BIAS, "TRIMSEC": LIT})] * 3))
    assert_allclose(frame.ccd.data, picture(), atol=1e-3)
    assert (frame.layout, len(frame.notes)) == ("ccd", 1)


# ----------------------------------------------------------------------------------------- simulated


def spots(plane):
    """Return positions (x, y) of sources in the four quadrants of a plane."""
    ny, nx = plane
    return [(0.2 * nx, 0.15 * ny), (0.8 * nx, 0.3 * ny), (0.15 * nx, 0.85 * ny), (0.7 * nx, 0.8 * ny)]


def scene(plane):
    """Return a dark scene with a round source of flux 1 in every quadrant."""
    rows, columns = np.ogrid[: plane[0], : plane[1]]
    sources = [np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SIGMA**2)) for x, y in spots(plane)]
    return (sum(sources) / (2 * np.pi * SIGMA**2)).astype(np.float32)


@pytest.mark.parametrize("name", ["ground_ccd_raw", "ground_ccd_reduced", "ground_mosaic_raw", "ground_bayer_raw"])
def test_sources_keep_place_flux_and_sky(name):
    """Sources of a simulated frame are read where they were put, with their flux and their place on the sky."""
    camera = LAYOUTS[name].camera
    options = {"seed": 6, "signal": FLUX, "sky": 0, "cosmic_rays": False}
    frame = read_frame(make_frame(name, scene(camera.plane), **options))
    half = 2 if camera.pattern else 1
    gain = 1.0 if frame.ccd.unit == u.electron else camera.amplifiers[0].gain
    bias = camera.amplifiers[0].bias if camera.pattern else 0.0
    for x, y in spots(camera.plane):
        x, y = (x - (half - 1) / 2) / half, (y - (half - 1) / 2) / half
        x0, y0 = round(x) - HALF, round(y) - HALF
        box = np.s_[y0 : y0 + 2 * HALF + 1, x0 : x0 + 2 * HALF + 1]
        rows, columns = np.mgrid[box]
        data = frame.ccd.data[box] - bias
        assert_allclose(((columns * data).sum() / data.sum(), (rows * data).sum() / data.sum()), (x, y), atol=0.3)
        assert_allclose(data.sum() * half**2, FLUX / gain, rtol=0.03)
    middle = (np.array(camera.plane[::-1]) - 1) / 2
    pixel = (middle - (half - 1) / 2) / half
    assert_allclose(frame.ccd.wcs.all_pix2world([pixel], 0)[0], _target(name, options), atol=1e-6)
    assert frame.notes == ()


def _target(name, options):
    """Return where on the sky the middle of the plane is: equal seeds point alike."""
    header = make_frame("jwst_nircam_sub160_rate", "no_source", seed=options["seed"])[0].header
    return header["TARG_RA"], header["TARG_DEC"]


@pytest.mark.parametrize("name", ["ground_ccd_raw", "ground_ccd_reduced", "ground_mosaic_raw", "ground_bayer_raw"])
def test_simulated_frames_are_valid(name, tmp_path):
    """Frames pass verification, and equal seeds give equal bytes."""
    for copy in ("a", "b"):
        make_frame(name, "spiral_galaxy", seed=4).writeto(tmp_path / copy)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with fits.open(tmp_path / "a") as hdul:
        hdul.verify("exception")
        assert hdul[0].header["SIMULATD"] is True
        image = hdul[len(hdul) > 1]
        assert image.data.dtype.name == ("float32" if name.endswith("reduced") else "uint16")


def test_raw_and_reduced_agree():
    """A raw frame has the level of the one that was reduced, which is not trimmed again."""
    raw_frame, reduced = (
        read_frame(make_frame(f"ground_ccd_{kind}", "no_source", seed=2)) for kind in ("raw", "reduced")
    )
    assert raw_frame.shape == reduced.shape == (1024, 1024)
    assert_allclose(np.median(raw_frame.ccd.data), np.median(reduced.ccd.data), rtol=0.005)
    assert reduced.steps == ()


def test_a_real_raw_frame(frames_dir):
    """A raw frame of the SAAO loses its overscan, and its sky is that of the 1.0 m telescope."""
    frame = read_frame(frames_dir / "a8280271.fits")
    assert frame.shape == (520, 512)
    assert frame.facts.gain == (1.9,)
    assert frame.steps[1] == "trimmed to columns 17-528 and rows 1-520"

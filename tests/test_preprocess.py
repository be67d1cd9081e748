# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of preprocessing: the picture of a frame depends on the sky it shows and on the settings, on nothing else."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from astropy.nddata import CCDData
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import EmptyFrameError, Frame, Preprocessor, read_frame
from astroclf.clean import CosmicRays
from astroclf.datasets import draw_scene, make_frame
from astroclf.datasets.detector import cosmic_rays
from astroclf.frames import Exposure

# each field with another value than the default
OTHER = {
    "size": 96,
    "boxes": 6,
    "black": 2.0,
    "white": 20.0,
    "percentile": (99.0, 99.0, 99.0),
    "softening": (1.0, 2.0, 3.0),
    "cosmic_rays": CosmicRays(objlim=3.0),
}
OF_RAYS = {
    "sigclip": 5.0,
    "sigfrac": 0.5,
    "objlim": 5.0,
    "iterations": 2,
    "fwhm": 2.0,
    "method": "astroscrappy",
}


def sky(shape=(256, 256), scene="spiral_galaxy", seed=1):
    """Return an image of a scene with noise, in electrons."""
    rng = np.random.default_rng(seed)
    return (300 * draw_scene(scene, shape, rng) + rng.normal(100, 3, shape)).astype(np.float32)


def frame_of(image, mask=None, cosmic_rays=False):
    """Return the frame of an image, with or without cosmic rays to be expected."""
    exposure = Exposure.SINGLE if cosmic_rays else Exposure.UNKNOWN
    return Frame(CCDData(image, unit="electron", mask=mask), exposure=exposure)


def picture(image, mask=None, **kwargs):
    """Return what the network sees of an image."""
    return Preprocessor(**kwargs)(frame_of(image, mask))


# ---------------------------------------------------------------------------------------- the picture


@pytest.mark.parametrize("shape", [(256, 256), (120, 300), (300, 120), (16, 16), (16, 2000), (700, 16)], ids=str)
def test_shape_and_range(shape):
    """The network sees a square of float32 in [0, 1], whatever the frame's shape; a larger frame is not cut."""
    rgb = picture(sky(shape))
    assert (rgb.shape, rgb.dtype) == ((224, 224, 3), np.float32)
    assert 0 <= rgb.min() < rgb.max() <= 1
    assert picture(sky(shape), size=64).shape == (64, 64, 3)


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(16, 90), st.integers(16, 90)), st.floats(0, 0.999), st.booleans(), st.integers(0, 99))
def test_any_frame_has_a_picture(shape, masked, rays, seed):
    """Frames of any shape and mask, with NaN, with or without cosmic rays, have a picture."""
    rng = np.random.default_rng(seed)
    image, mask = rng.normal(50, 4, shape).astype(np.float32), rng.random(shape) < masked
    image[rng.random(shape) < 0.1] = np.nan
    image[5, 5], mask[5, 5] = 60, False
    rgb = Preprocessor(size=64)(frame_of(image, mask, cosmic_rays=rays))
    assert np.isfinite(rgb).all()
    assert 0 <= rgb.min() <= rgb.max() <= 1


def test_oblongs_are_padded_with_sky():
    """An oblong lies in the middle of the square, and what is around it is one colour: that of the sky."""
    image = sky((128, 256))
    rgb, oblong = picture(image), Preprocessor().render(frame_of(image))
    assert oblong.shape == (112, 224, 3)
    assert_array_equal(rgb[56:168], oblong)
    around = np.concatenate([rgb[:56], rgb[168:]])
    assert np.ptp(around, axis=(0, 1)).max() == 0
    assert_allclose(around[0, 0], np.median(oblong, axis=(0, 1)), atol=0.1)


@pytest.mark.parametrize("size", [50, 224, 512])
@pytest.mark.parametrize("shape", [(100, 200), (333, 222), (60, 60)], ids=str)
def test_render_keeps_the_aspect_ratio(shape, size):
    """The longer side of a rendered picture is the size asked for, the other in proportion."""
    rgb = Preprocessor().render(frame_of(sky(shape)), size=size)
    assert max(rgb.shape[:2]) == size
    assert_allclose(rgb.shape[0] / rgb.shape[1], shape[0] / shape[1], rtol=0.5 / min(rgb.shape[:2]) + 1e-9)
    assert (rgb.shape[2], rgb.dtype) == (3, np.float32)


def test_render_is_what_the_network_sees():
    """At its own size, the rendered picture of a square frame is the network's."""
    frame = frame_of(sky())
    assert_array_equal(Preprocessor().render(frame), Preprocessor()(frame))


def test_objects_are_bright_and_sky_is_dark():
    """The middle of a galaxy is bright, most of the frame is dark."""
    y, x = np.mgrid[-128:128, -128:128]
    rgb = picture(sky(scene="no_source") + 400 * np.exp(-np.hypot(x, y) / 15).astype(np.float32))
    assert rgb[105:119, 105:119].mean() > 0.6
    assert np.median(rgb) < 0.2


def test_empty_sky_is_dark():
    """A frame of nothing but noise is dark: its noise is not stretched to white."""
    rgb = picture(sky(scene="no_source"))
    assert np.mean(rgb > 0.5) < 0.01


def test_one_frame_one_picture():
    """The picture is the same every time, and the frame is as it was."""
    image, mask = sky(), sky() > 500
    frame = frame_of(image.copy(), mask.copy(), cosmic_rays=True)
    assert_array_equal(Preprocessor()(frame), Preprocessor()(frame))
    assert_array_equal(frame.ccd.data, image)
    assert_array_equal(frame.ccd.mask, mask)


# ---------------------------------------------------------------------------------- what must not matter


@pytest.mark.parametrize("scene", ["spiral_galaxy", "diffuse_nebula", "star_field", "no_source"])
@pytest.mark.parametrize(("gain", "offset"), [(64.0, 0.0), (1e-7, 0.0), (37.0, 0.0), (1.0, -5000.0), (0.3, 1000.0)])
def test_unit_and_bias_do_not_matter(scene, gain, offset):
    """A frame in another unit or with another bias gives the same picture, to a hundredth."""
    image = sky(scene=scene)
    assert_allclose(picture(image * np.float32(gain) + np.float32(offset)), picture(image), atol=0.01)


@pytest.mark.parametrize("flip", [np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]], ids=["rows", "columns", "both"])
def test_flipped_frames_give_flipped_pictures(flip):
    """Flipping a frame flips its picture and does nothing else to it."""
    image = sky()
    image[40:44, 100:104] = np.nan
    assert_allclose(picture(image[flip]), picture(image)[flip], atol=1e-3)


def test_first_row_stays_first():
    """Row 0 of the frame is row 0 of the picture."""
    image = sky(scene="no_source")
    image[20:40, 60:80] += 500
    rgb = picture(image)
    assert rgb[18:35, 53:70].min() > 0.9
    assert rgb[-40:].max() < 0.7


def test_byte_order_and_type_do_not_matter():
    """Big-endian, double and integer frames give the same picture."""
    image = np.rint(sky())
    for dtype in (">f4", "f8", "i4", ">u2"):
        assert_array_equal(picture(image.astype(dtype)), picture(image))


def test_masked_values_do_not_matter():
    """What masked pixels hold changes nothing, in frames with and without cosmic rays."""
    image = sky()
    mask = np.random.default_rng(3).random(image.shape) < 0.05
    for rays in (True, False):
        pictures = [
            Preprocessor()(frame_of(np.where(mask, np.float32(value), image), mask, cosmic_rays=rays))
            for value in (0, 1e9, np.nan)
        ]
        assert_array_equal(pictures[1], pictures[0])
        assert_array_equal(pictures[2], pictures[0])


# --------------------------------------------------------------------------------------- masked parts


def test_gaps_are_filled():
    """A gap between chips is filled from its neighbours: the picture there is nearly that without a gap."""
    y, x = np.mgrid[-256:256, -256:256]
    image = sky((512, 512), "no_source") + 300 * np.exp(-np.hypot(x, y) / 60).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    mask[250:257] = True
    filled, whole = picture(image, mask)[108:115], picture(image)[108:115]
    assert np.abs(filled - whole).mean() < 0.03
    assert filled[3, 112].min() > 0.9


def test_wide_holes_are_sky():
    """In the middle of a hole there is sky, as around an oblong."""
    image, mask = sky(), np.zeros((256, 256), bool)
    mask[100:160, 100:160] = True
    rgb, oblong = picture(image, mask), picture(image[:128])
    middle = rgb[105:125, 105:125]
    assert np.ptp(middle, axis=(0, 1)).max() == 0
    assert_allclose(middle[0, 0], oblong[0, 0], atol=0.05)


def test_empty_borders_are_cropped():
    """Borders without a good pixel are cut off: the picture is that of the exposed part."""
    image = sky((200, 150))
    framed = np.full((300, 400), np.nan, np.float32)
    framed[70:270, 30:180] = image
    assert_array_equal(picture(framed), picture(image))


def test_rotated_mosaics():
    """The empty corners of a rotated mosaic are sky."""
    y, x = np.mgrid[-150:150, -150:150]
    mask = np.abs(x) + np.abs(y) > 150
    rgb = picture(np.where(mask, np.nan, sky((300, 300))))
    corners = np.stack([rgb[:40, :40], rgb[:40, -40:], rgb[-40:, :40], rgb[-40:, -40:]])
    assert np.ptp(corners, axis=(0, 1, 2)).max() == 0


def test_single_good_row():
    """A frame of which one row is good, not even all of it, has a picture."""
    image = np.full((40, 300), np.nan, np.float32)
    image[7, 50:250] = sky((40, 300))[7, 50:250]
    assert Preprocessor().render(frame_of(image)).shape == (1, 224, 3)


def test_few_good_pixels():
    """A frame with one good pixel in a hundred has a picture, if a dark one."""
    image = sky((500, 500))
    rgb = picture(image, np.random.default_rng(4).random(image.shape) > 0.01)
    assert np.isfinite(rgb).all()


@pytest.mark.parametrize("rays", [True, False])
def test_no_good_pixel(rays):
    """A frame without a good pixel has no picture, and the error names the file."""
    frame = frame_of(np.full((30, 40), np.nan), cosmic_rays=rays)
    for render in (Preprocessor(), Preprocessor().render):
        with pytest.raises(EmptyFrameError, match=r"<array>: no pixel of the 40 x 30 image is finite and unmasked"):
            render(frame)


def test_constant_with_a_dead_pixel():
    """A constant image with one dead pixel is evenly dark but for that pixel."""
    image = np.full((224, 224), 100, np.float32)
    image[30, 40] = 0
    rgb = picture(image)
    assert rgb[30, 40].max() == 0
    assert_allclose(np.delete(rgb.reshape(-1, 3), 30 * 224 + 40, axis=0), rgb[0, 0][None].repeat(224**2 - 1, 0))


# ---------------------------------------------------------------------------------------- cosmic rays


def test_cosmic_rays_are_removed_where_they_are_expected():
    """Rays are gone from the picture of a single exposure, and left in that of any other frame."""
    image = sky(scene="no_source")
    struck = cosmic_rays(image.shape, np.random.default_rng(5), 40)
    clean, cleaned, left = (
        Preprocessor()(frame_of(data, cosmic_rays=expected))
        for data, expected in ((image, False), (image + struck, True), (image + struck, False))
    )
    assert np.mean(clean > 0.8) == 0
    assert np.mean(left > 0.8) > 0.0005
    assert np.mean(cleaned > 0.8) < 0.0001


# ------------------------------------------------------------------------------------------- settings


def test_digest_of_the_defaults():
    """The digest of the default settings is known: it changes with them, and then a new model is due."""
    assert Preprocessor().digest == "7ea37af29708"


def test_digest_in_another_process():
    """The digest does not depend on the process."""
    code = "from astroclf import Preprocessor; print(Preprocessor(boxes=6).digest)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == Preprocessor(boxes=6).digest


@pytest.mark.parametrize("name", OTHER)
def test_digest_tells_settings_apart(name):
    """Every setting is part of the digest, of equality and of the hash."""
    changed = Preprocessor(**{name: OTHER[name]})
    assert changed != Preprocessor()
    assert changed.digest != Preprocessor().digest
    assert len(changed.digest) == 12
    assert hash(changed) != hash(Preprocessor())


@pytest.mark.parametrize("name", OF_RAYS)
def test_digest_tells_settings_of_cosmic_rays_apart(name):
    """Every setting of the search for cosmic rays is part of the digest too."""
    assert Preprocessor(cosmic_rays=CosmicRays(**{name: OF_RAYS[name]})).digest != Preprocessor().digest


def test_other_values_cover_all_settings():
    """The tests above know every setting there is."""
    assert set(OTHER) == {field.name for field in dataclasses.fields(Preprocessor)}
    assert set(OF_RAYS) == {field.name for field in dataclasses.fields(CosmicRays)}


@pytest.mark.parametrize("settings_of", [{}, OTHER], ids=["defaults", "others"])
def test_settings_survive_json(settings_of):
    """Settings go through JSON and back to an equal preprocessor of the same digest."""
    preprocessor = Preprocessor(**settings_of)
    again = Preprocessor.from_dict(json.loads(json.dumps(preprocessor.to_dict())))
    assert again == preprocessor
    assert again.digest == preprocessor.digest
    assert hash(again) == hash(preprocessor)


def test_settings_can_be_read_and_not_changed():
    """A preprocessor prints all it is, and is immutable."""
    preprocessor = Preprocessor(**OTHER)
    assert eval(repr(preprocessor), {"Preprocessor": Preprocessor, "CosmicRays": CosmicRays}) == preprocessor
    with pytest.raises(dataclasses.FrozenInstanceError):
        preprocessor.size = 10


@pytest.mark.parametrize("name", ["boxes", "black", "white", "percentile", "softening"])
def test_settings_change_the_picture(name):
    """Every setting of the stretch does something, the least white level where there is nothing bright."""
    image = sky((200, 256), scene="no_source" if name == "white" else "diffuse_nebula")
    assert np.abs(picture(image, **{name: OTHER[name]}) - picture(image)).max() > 0.01


# ---------------------------------------------------------------------------------------- real frames


def test_real_frames(data_dir):
    """The real frames shipped with the tests have pictures: sky dark, objects up to white, a bias grey all over."""
    pictures = {path.name[:5]: Preprocessor()(read_frame(path)) for path in data_dir.glob("*.fit*")}
    for name in ("abell", "xdf_h", "m51_i"):
        assert np.median(pictures[name]) < 0.35
        assert pictures[name].max() > 0.95
    assert np.mean(pictures["combi"] > 0.9) < 0.02


def test_cleaned_once_is_cleaned():
    """A frame cleaned beforehand renders as the frame itself does, and is not cleaned again."""
    frame = read_frame(make_frame("wfc3_uvis_c512c_flc", "star_field", seed=3))
    preprocessor = Preprocessor()
    clean = preprocessor.clean(frame)
    assert frame.cosmic_rays
    assert not clean.cosmic_rays
    assert preprocessor.clean(clean) is clean
    assert_array_equal(preprocessor(clean), preprocessor(frame))

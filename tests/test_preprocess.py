# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of preprocessing: the picture of a frame depends on the sky it shows and on the settings, on nothing else."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.visualization import AsinhStretch, ManualInterval, PercentileInterval
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import EmptyFrameError, Frame, Preprocessor, read_frame
from astroclf.clean import Background, CosmicRays, Pattern
from astroclf.datasets import draw_scene, make_frame
from astroclf.datasets.detector import cosmic_rays
from astroclf.frames import Exposure
from astroclf.render import Stretch

# each field with another value than the default
OTHER = {
    "size": 96,
    "cosmic_rays": CosmicRays(objlim=3.5),
    "background": Background(boxes=6),
    "pattern": None,
    "points": (8.0, 5.0),
    "stretch": Stretch(black=2.0),
}
OF_STEPS = {
    "cosmic_rays": {
        "sigclip": 5.0, "sigfrac": 0.5, "objlim": 5.0, "iterations": 2, "fwhm": 2.0, "method": "astroscrappy",
    },
    "background": {"boxes": 6, "darkest": 25.0, "model": "mesh"},
    "pattern": {"significance": 3.0},
    "stretch": {
        "curve": "log", "interval": "zscale", "black": 2.0, "white": 20.0, "percentile": (99.0, 99.0, 99.0),
        "softening": (1.0, 2.0, 3.0),
    },
}  # fmt: skip
STEPS = {"cosmic_rays": CosmicRays, "background": Background, "pattern": Pattern, "stretch": Stretch}
CHANGES = [(step, name) for step, settings_of in OF_STEPS.items() for name in settings_of]


def changed(step, name):
    """Return the preprocessor that differs in one setting of one step."""
    return Preprocessor(**{step: STEPS[step](**{name: OF_STEPS[step][name]})})


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


@settings(max_examples=25)
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
    assert Preprocessor().digest == "3bd7327cf01d"


def test_digest_in_another_process():
    """The digest does not depend on the process."""
    code = "from astroclf import Preprocessor; print(Preprocessor(size=96).digest)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == Preprocessor(size=96).digest


@pytest.mark.parametrize("name", OTHER)
def test_digest_tells_settings_apart(name):
    """Every setting is part of the digest, of equality and of the hash."""
    other = Preprocessor(**{name: OTHER[name]})
    assert other != Preprocessor()
    assert other.digest != Preprocessor().digest
    assert len(other.digest) == 12
    assert hash(other) != hash(Preprocessor())


@pytest.mark.parametrize(("step", "name"), CHANGES)
def test_digest_tells_settings_of_steps_apart(step, name):
    """Every setting of every step is part of the digest too."""
    assert changed(step, name).digest != Preprocessor().digest


def test_other_values_cover_all_settings():
    """The tests above know every setting there is."""
    assert set(OTHER) == {field.name for field in dataclasses.fields(Preprocessor)}
    for step, kind in STEPS.items():
        assert set(OF_STEPS[step]) == {field.name for field in dataclasses.fields(kind)}


@pytest.mark.parametrize(
    "preprocessor", [Preprocessor(), Preprocessor(**OTHER), *(changed(*change) for change in CHANGES)], ids=str
)
def test_settings_survive_json(preprocessor):
    """Settings go through JSON and back to an equal preprocessor of the same digest."""
    again = Preprocessor.from_dict(json.loads(json.dumps(preprocessor.to_dict())))
    assert again == preprocessor
    assert again.digest == preprocessor.digest
    assert hash(again) == hash(preprocessor)


def test_settings_can_be_read_and_not_changed():
    """A preprocessor prints all it is, and is immutable."""
    preprocessor = Preprocessor(**OTHER)
    assert eval(repr(preprocessor), {kind.__name__: kind for kind in (Preprocessor, *STEPS.values())}) == preprocessor
    with pytest.raises(dataclasses.FrozenInstanceError):
        preprocessor.size = 10


@pytest.mark.parametrize(("step", "name"), [change for change in CHANGES if change[0] in ("background", "stretch")])
def test_settings_change_the_picture(step, name):
    """Every setting of sky and stretch does something, the least white level where there is nothing bright."""
    frame = frame_of(sky((200, 256), scene="no_source" if name == "white" else "diffuse_nebula"))
    assert np.abs(changed(step, name)(frame) - Preprocessor()(frame)).max() > 0.002


@pytest.mark.parametrize("settings_of", [{"colour": 1}, {"stretch": {"colour": 1}}, {"stretch": {"curve": "cubic"}}])
def test_unknown_settings(settings_of):
    """Settings that this version does not know are refused, not left out."""
    with pytest.raises((TypeError, ValueError)):
        Preprocessor.from_dict(settings_of)


# --------------------------------------------------------------------------------------------- stages


def test_stages_are_the_way_to_the_picture():
    """The stages of a frame lead to its picture, each from the one before it."""
    rays = cosmic_rays((256, 256), np.random.default_rng(5), 40)
    frame = frame_of(sky() + rays, cosmic_rays=True)
    stages = Preprocessor().stages(frame)
    assert stages.frame is frame
    assert stages.struck.sum() > 100
    assert_array_equal(stages.clean.ccd.data[~stages.struck], frame.ccd.data[~stages.struck])
    assert_allclose(stages.flat, stages.reduced - stages.pattern - stages.sky.on(stages.reduced.shape), atol=1e-3)
    assert_array_equal(stages.rgb, Preprocessor().render(frame))
    assert (stages.picture >= stages.flat).all()


def test_sky_model_covers_the_frame():
    """The model of the sky has the shape of the frame, follows its slope, and is NaN outside the exposed part."""
    image = sky((300, 256), "no_source") + np.float32(0.2) * np.arange(256, dtype=np.float32)
    image[:40] = np.nan
    model = Preprocessor().stages(frame_of(image)).sky_model
    assert model.shape == (300, 256)
    assert np.isnan(model[:40]).all()
    assert_allclose(model[40:] - 0.2 * np.arange(256), 100, atol=1.5)


def test_stretch_of_astropy():
    """Any transform of astropy can stand for the stretch, one for all channels or one for each."""
    frame = frame_of(sky())
    transform = AsinhStretch(0.1) + PercentileInterval(99.5)
    flat = Preprocessor().stages(frame).picture
    rgb = Preprocessor().render(frame, scales=transform)
    assert_allclose(rgb, np.repeat(np.clip(transform(flat), 0, 1)[..., None], 3, axis=2), atol=1e-6)
    each = Preprocessor().render(frame, scales=[transform, ManualInterval(0, 100), transform])
    assert_array_equal(each[..., 0], rgb[..., 0])
    assert np.abs(each[..., 1] - rgb[..., 1]).max() > 0.1


def test_stripes_and_steps_are_taken_out():
    """The picture of a frame with striped rows and unequal amplifiers is nearly that of one without."""
    image = sky((448, 448))
    stripes = np.random.default_rng(6).normal(0, 6, (448, 1)).astype(np.float32)
    steps = np.where(np.arange(448) < 224, 0, 5).astype(np.float32)
    wanted, without, with_pattern = (
        Preprocessor(pattern=pattern)(frame_of(data))
        for data, pattern in ((image, Pattern()), (image + stripes + steps, None), (image + stripes + steps, Pattern()))
    )
    assert np.abs(with_pattern - wanted).mean() < 0.6 * np.abs(without - wanted).mean()


def test_small_stars_are_kept():
    """Faint stars of a large frame are seen in its picture, and are not where none are to be kept."""
    image = np.random.default_rng(7).normal(100, 3, (3600, 3600)).astype(np.float32)
    y, x = np.mgrid[-5:6, -5:6]
    star = 27 * np.exp(-(x**2 + y**2) / 1.5)
    places = np.random.default_rng(8).integers(50, 3550, (60, 2))
    for row, column in places:
        image[row - 5 : row + 6, column - 5 : column + 6] += star
    at = tuple((places * 224 // 3600).T)
    seen, lost = (Preprocessor(points=points)(frame_of(image))[..., 0][at] for points in ((8.0, 10.0), None))
    assert np.median(seen) > 0.6
    assert np.median(lost) < 0.55


# ------------------------------------------------------------------------------------------- in colour


def coloured(shape=(60, 90), mask=None):
    """Return the frame of a picture of random colours, each in a square of 3 x 3 pixels."""
    small = np.random.default_rng(4).integers(0, 256, (shape[0] // 3, shape[1] // 3, 3), dtype=np.uint8)
    colours = np.repeat(np.repeat(small, 3, axis=0), 3, axis=1)
    ccd = CCDData(colours.mean(axis=2, dtype=np.float32), unit="adu", mask=mask)
    return Frame(ccd, layout="picture", exposure=Exposure.PICTURE, colours=colours), small


def test_looks():
    """A picture in colour is seen in grey and as it is: averaged, in the middle of black."""
    frame, small = coloured()
    settings_of_30 = Preprocessor(size=30)
    grey, in_colour = settings_of_30.looks(frame)
    assert_array_equal(grey, settings_of_30(frame))
    assert in_colour.dtype == np.float32
    assert_allclose(in_colour[5:25], small / 255, atol=1e-6)
    assert not in_colour[:5].any()
    assert not in_colour[25:].any()
    assert_array_equal(in_colour, settings_of_30.in_colour(frame))


def test_no_colours():
    """A frame without colours is seen once."""
    grey = frame_of(sky())
    assert Preprocessor().in_colour(grey) is None
    assert_array_equal(Preprocessor().looks(grey), Preprocessor()(grey)[None])


def test_transparent_parts_are_black():
    """What is transparent is black, and the colours beside it do not spread into it; borders are left out."""
    mask = np.zeros((60, 90), bool)
    mask[:, :30] = mask[30:33, 60:63] = True
    frame, small = coloured(mask=mask)
    small = small[:, 10:].copy()
    small[10, 10] = 0
    assert_allclose(Preprocessor(size=20).in_colour(frame), small / 255, atol=1e-6)


# ---------------------------------------------------------------------------------------------- views


def test_views():
    """The whole, the middle and the tiles show what is there, under the sky of the whole frame."""
    y, x = np.mgrid[:800, :800]
    glow = 60 * np.exp(-np.hypot(x - 600, y - 600) / 200)
    image = np.random.default_rng(9).normal(100, 3, (800, 800)) + glow + 900 * np.exp(-np.hypot(x - 150, y - 640) / 9)
    frame = frame_of(image.astype(np.float32), cosmic_rays=True)
    views = {view.name: view for view in Preprocessor().views(frame, sources=1)}
    assert_array_equal(views["whole"].rgb, Preprocessor()(frame))
    assert set(views) == {"whole", "centre", *(f"tile {r},{c}" for r in (1, 2) for c in (1, 2)), "source 1"}
    rows, columns = views["source 1"].part
    assert (rows.start < 640 < rows.stop, columns.start < 150 < columns.stop) == (True, True) or (
        rows.start < 600 < rows.stop and columns.start < 600 < columns.stop
    )
    filled, empty = views["tile 2,2"].rgb, views["tile 1,1"].rgb
    assert np.median(filled[..., 0]) > 0.5 > 0.4 > np.median(empty[..., 0])


def test_views_without_a_good_pixel():
    """Tiles of which nothing is good are left out; frames of which nothing is good are refused."""
    image = sky((300, 300))
    image[100:, :150] = np.nan
    image[250:, 200:] = np.nan
    names = [view.name for view in Preprocessor().views(frame_of(image), ("tiles",), tiles=3)]
    assert "tile 3,1" not in names
    assert "tile 1,1" in names
    with pytest.raises(EmptyFrameError):
        Preprocessor().views(frame_of(np.full((30, 40), np.nan)))


def test_other_stretches():
    """A picture in another stretch is that of settings with that stretch."""
    frame = frame_of(sky((300, 400)), cosmic_rays=True)
    pictures = Preprocessor().stretched(frame, (2, 1, 0.5))
    for picture, softening in zip(pictures, ((4.0, 16.0, -0.3), (2.0, 8.0, -0.15), (1.0, 4.0, -0.075))):
        assert_array_equal(picture, Preprocessor(stretch=Stretch(softening=softening))(frame))


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

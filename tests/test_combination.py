# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of several filters of one target: one grid, one colour picture, one image of all light."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.wcs import WCS

from astroclf import Classifier, FrameError, color_image, combine_frames, read_frame
from astroclf.datasets import make_frame
from astroclf.frames import Exposure, Facts, Frame
from astroclf.frames.filters import pivot_wavelength
from astroclf.render.alignment import UNALIGNED, align
from astroclf.render.combination import by_wavelength, portray

SCALE = 0.05
TARGET = 150.1, 2.2
"""Degrees, ICRS."""


def make_wcs(shape, scale=SCALE, roll=0.0, offset=(0.0, 0.0), center=TARGET):
    """Return world coordinates whose centre is off that of the image by pixels (x, y)."""
    wcs = WCS(naxis=2)
    turn = np.radians(roll)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = center
    wcs.wcs.crpix = (shape[1] + 1) / 2 + offset[0], (shape[0] + 1) / 2 + offset[1]
    wcs.wcs.cd = scale / 3600 * np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    wcs.wcs.set()
    return wcs


def make_ccd(data, name="", wcs=None, mask=None, **facts):
    """Return a frame of pixels."""
    data = np.asarray(data, np.float32)
    mask = np.zeros(data.shape, bool) if mask is None else mask
    return Frame(CCDData(data, unit="adu", mask=mask, wcs=wcs), facts=Facts(filter=name, **facts))


def sky(shape, seed, level=0.0, sigma=1.0):
    """Return noise around a level."""
    return np.random.default_rng(seed).normal(level, sigma, shape)


def place_of(frame):
    """Return the centroid (x, y) of a frame with one source."""
    light = np.nan_to_num(frame.ccd.data)
    y, x = np.indices(light.shape)
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


@pytest.fixture(scope="module")
def colours(round_source):
    """Return three frames of two sources, equally bright in units of their noise; skies and noises differ."""
    shape = (200, 220)
    light = 60 * np.pi * 18 * (round_source(shape, 60, 60) + round_source(shape, 150, 120))
    noises = {"I": (3.0, 1000.0), "V": (1.0, 10.0), "B": (0.2, -4.0)}
    wcs = make_wcs(shape)
    return [
        make_ccd(light * sigma + sky(shape, seed, level, sigma), name, wcs)
        for seed, (name, (sigma, level)) in enumerate(noises.items())
    ]


class TestAlign:
    """align."""

    @pytest.mark.parametrize("size", [331, 150, 97])
    def test_reduction_keeps_world_coordinates(self, round_source, size):
        """After a reduction by any factor, of a part only, a source is where the world coordinates say, to 0.05 px."""
        shape = (300, 331)
        wcs = make_wcs(shape, roll=25, offset=(7.3, -4.1))
        data = round_source(shape, 170.4, 121.7, sigma=7)
        data[:13], data[:, :29] = np.nan, np.nan
        (frame,) = align([make_ccd(data, wcs=wcs)], size=size)
        assert max(frame.shape) == min(size, 302)
        expected = frame.ccd.wcs.world_to_pixel(wcs.pixel_to_world(170.4, 121.7))
        np.testing.assert_allclose(place_of(frame), expected, atol=0.05)

    @pytest.mark.parametrize("size", [400, 111])
    def test_one_grid(self, round_source, size):
        """Frames of other scale, roll and pointing show a source at the same pixel, to 0.05 px."""
        shapes, frames = [(300, 260), (150, 190)], []
        spots = make_wcs((1, 1)).pixel_to_world(12.3, -20.7)
        for shape, scale, roll in zip(shapes, (0.05, 0.08), (10, -73)):
            wcs = make_wcs(shape, scale, roll, offset=(3.2, 1.6))
            frames.append(make_ccd(round_source(shape, *wcs.world_to_pixel(spots), sigma=0.4 / scale), wcs=wcs))
        one, other = align(frames, size=size)
        assert one.shape == other.shape
        assert one.ccd.wcs is other.ccd.wcs
        expected = one.ccd.wcs.world_to_pixel(spots)
        np.testing.assert_allclose(place_of(one), expected, atol=0.05)
        np.testing.assert_allclose(place_of(other), expected, atol=0.05)

    def test_sip_distortion(self, round_source):
        """A distortion is kept through reduction and undone through alignment."""
        shape = (240, 240)
        plain = make_wcs(shape)
        header = plain.to_header()
        header.update(CTYPE1="RA---TAN-SIP", CTYPE2="DEC--TAN-SIP", A_ORDER=2, B_ORDER=2, A_2_0=2e-4, B_1_1=-1e-4)
        bent = WCS(header)
        spot = plain.pixel_to_world(170, 70)
        frames = [make_ccd(round_source(shape, *wcs.world_to_pixel(spot), sigma=5), wcs=wcs) for wcs in (plain, bent)]
        assert abs(bent.world_to_pixel(spot)[0] - 170) > 0.3
        for frame in align(frames, size=120):
            np.testing.assert_allclose(place_of(frame), frame.ccd.wcs.world_to_pixel(spot), atol=0.05)

    def test_largest_is_the_reference(self):
        """The grid is that of the largest on the sky; the other, its brightness kept, is NaN and masked outside."""
        small, large = (np.full((100, 100), value) for value in (7, 3))
        frames = [make_ccd(small, wcs=make_wcs((100, 100))), make_ccd(large, wcs=make_wcs((100, 100), 0.1))]
        inner, outer = align(frames)
        assert outer.shape == (100, 100)
        assert outer.good.all()
        assert 0.2 < inner.good.mean() < 0.3
        np.testing.assert_allclose(inner.ccd.data[inner.good], 7, rtol=1e-6)
        assert np.isnan(inner.ccd.data[~inner.good]).all()

    def test_bad_pixels_do_not_spread(self):
        """A bad pixel is left out of its neighbours, whatever its value."""
        shape = (80, 80)
        data, mask = np.full(shape, 5.0), np.zeros(shape, bool)
        mask[40, 40], data[40, 40] = True, 1e9
        frames = [make_ccd(data, wcs=make_wcs(shape, offset=(x, x)), mask=mask) for x in (0, 0.4)]
        for frame in align(frames):
            np.testing.assert_allclose(frame.ccd.data[frame.good], 5, rtol=1e-6)
            assert frame.good[2:-2, 2:-2].sum() >= 76 * 76 - 2

    def test_frames_are_not_modified(self, colours):
        """Aligning leaves the frames, and says what it did."""
        before = colours[0].ccd.data.copy()
        aligned = align(colours, size=50)
        assert aligned[0].steps == ("put on a grid of 50 x 45 pixels",)
        np.testing.assert_array_equal(colours[0].ccd.data, before)

    def test_no_world_coordinates(self):
        """Frames of one shape without world coordinates are taken as aligned, which a note says."""
        frames = align([make_ccd(np.ones((40, 50))), make_ccd(np.ones((40, 50)))], size=25)
        assert [frame.shape for frame in frames] == [(20, 25)] * 2
        assert [frame.notes for frame in frames] == [(UNALIGNED,)] * 2

    def test_no_world_coordinates_and_other_parts(self):
        """Of such frames the same part is shown, though not the same part was exposed."""
        data = np.ones((40, 60))
        left, right = data.copy(), data.copy()
        left[:, 40:], right[:, :20] = np.nan, np.nan
        one, other = align([make_ccd(left), make_ccd(right)])
        assert one.shape == other.shape == (40, 60)
        assert not one.good[:, 40:].any()
        assert not other.good[:, :20].any()

    @pytest.mark.parametrize("other", [make_wcs((40, 40)), None])
    def test_refused_without_world_coordinates(self, other):
        """A frame that cannot be aligned is refused by name."""
        frame = make_ccd(np.ones((41, 40) if other is None else (40, 40)))
        with pytest.raises(FrameError, match=r"<array>: has no celestial world coordinates .* leave it out"):
            align([make_ccd(np.ones((40, 40)), wcs=other), frame])

    def test_refused_elsewhere(self):
        """So is a frame of another part of the sky, of the other side too, and none at all."""
        for center in [(150.1, 2.3), (330.1, -2.2)]:
            frames = [make_ccd(np.ones((40, 40)), wcs=make_wcs((40, 40), center=c)) for c in (TARGET, center)]
            with pytest.raises(FrameError, match=r"<array>: does not overlap"):
                align(frames)
        with pytest.raises(FrameError, match="at least one frame"):
            align([])

    def test_cosmic_rays_go_first(self):
        """Single exposures are cleaned before their pixels are averaged."""
        data = sky((64, 64), 1, 100, 2)
        data[20, 30] += 5000
        frame = replace(make_ccd(data), exposure=Exposure.SINGLE)
        (clean,) = align([frame], size=32)
        assert clean.exposure is Exposure.CLEANED
        assert clean.ccd.data.max() < 120


class TestWavelengths:
    """pivot_wavelength and by_wavelength."""

    @pytest.mark.parametrize(
        ("facts", "angstroms"),
        [
            (Facts("HST", "ACS", "WFC", "F606W"), 6060),
            (Facts("HST", "WFC3", "UVIS", "F225W"), 2250),
            (Facts("HST", "WFC3", "IR", "F160W"), 16000),
            (Facts("HST", "NICMOS", "NIC2", "F110W"), 11000),
            (Facts("HST", "WFPC2", "", "F1042M"), 10420),
            (Facts("HST", "ACS", "WFC", "F814W+POL0V"), 8140),
            (Facts("HST", "ACS", "WFC", "F606W", pivot=5921.9), 5921.9),
            (Facts("JWST", "NIRCAM", "", "F200W"), 20000),
            (Facts("JWST", "NIRCAM", "", "F444W+F405N"), 40500),
            (Facts("JWST", "MIRI", "", "F2550W"), 255000),
            (Facts("SDSS 2.5m", filter="g"), 4770),
            (Facts(filter="SDSS-r'"), 6231),
            (Facts(filter="Johnson V"), 5477),
            (Facts(filter="Ks"), 21590),
            (Facts(filter="F606W"), None),
            (Facts("HST", "ACS", "WFC", "POL0V"), None),
            (Facts(filter="clear"), None),
            (Facts(), None),
        ],
    )
    def test_wavelength(self, facts, angstroms):
        """The header's pivot wavelength counts first, then the name of the filter as its telescope means it."""
        assert pivot_wavelength(facts) == angstroms

    def test_order(self):
        """The bluest comes first."""
        frames = [make_ccd(np.ones((20, 20)), name) for name in "igur"]
        assert [frame.facts.filter for frame in by_wavelength(frames)] == list("ugri")

    def test_unknown(self):
        """With a filter nobody knows, the order is that given, and a note says so; of one filter there is none."""
        frames = [make_ccd(np.ones((20, 20)), name) for name in ("i", "clear", "g")]
        ordered = by_wavelength(frames)
        assert [frame.facts.filter for frame in ordered] == ["i", "clear", "g"]
        assert [len(frame.notes) for frame in ordered] == [0, 1, 0]
        assert "not known" in ordered[1].notes[0]
        assert not by_wavelength(frames[1:2] * 2)[0].notes


class TestColor:
    """color_image."""

    def test_shape_and_range(self, colours):
        """A picture of float32 in [0, 1], row 0 at the bottom."""
        rgb = color_image(colours, size=110)
        assert rgb.shape == (100, 110, 3)
        assert rgb.dtype == np.float32
        assert rgb.min() == 0
        assert rgb.max() == 1
        assert rgb[30, 30].min() > 0.9
        assert rgb[60, 75].min() > 0.9

    @pytest.mark.parametrize("stretch", ["asinh", "lupton"])
    def test_equal_signal_to_noise_is_grey(self, colours, stretch):
        """Unlinked, sources as bright in units of the noise are grey, and so is the sky, whatever its level."""
        rgb = color_image(colours, stretch=stretch)
        for row, column in [(60, 60), (120, 150)]:
            peak = rgb[row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1))
            assert np.ptp(peak) < 0.03
        wing = rgb[60, 66:69].mean(axis=0)
        assert 0.2 < wing.mean() < 0.9
        assert np.ptp(wing) < 0.1
        corner = rgb[150:, :80].mean(axis=(0, 1))
        assert corner.max() < 0.2
        assert np.ptp(corner) < 0.01

    @pytest.mark.parametrize("stretch", ["linear", "lupton"])
    def test_linked_keeps_ratios(self, round_source, stretch):
        """Linked, channels are to each other as the fluxes, whatever the skies."""
        shape = (120, 120)
        light = round_source(shape, 60, 60) * 56.5
        parts = {"R": (400, 50.0), "V": (200, 900.0), "B": (100, 3.0)}
        frames = [
            make_ccd(flux * light + sky(shape, seed, level, 0.5), name)
            for seed, (name, (flux, level)) in enumerate(parts.items())
        ]
        rgb = color_image(frames, linked=True, stretch=stretch)
        red, green, blue = rgb[56:65, 56:65].reshape(-1, 3).mean(axis=0)
        low, high = (1.9, 2.1)
        if stretch == "linear":
            red, green, blue = rgb[60, 65:67].mean(axis=0)
        assert low < green / blue < high
        assert low < red / green < high

    def test_linked_asinh_equal_fluxes(self, round_source):
        """Linked, equal fluxes are grey though the noises differ."""
        shape = (120, 120)
        light = round_source(shape, 60, 60) * 56.5 * 1000
        frames = [make_ccd(light + sky(shape, n, 10 * n, 1 + n), name) for n, name in enumerate("BVR")]
        rgb = color_image(frames, linked=True)
        assert np.ptp(rgb[60, 66:69].mean(axis=0)) < 0.05

    def test_reddest_is_red(self, round_source):
        """Sources of one filter each have its colour, in whatever order the frames come."""
        shape = (100, 100)
        spots = {"r": (20, 20), "i": (80, 80), "g": (20, 80)}
        frames = [
            make_ccd(round_source(shape, x, y) * 30000 + sky(shape, n), name)
            for n, (name, (x, y)) in enumerate(spots.items())
        ]
        rgb = color_image(frames)
        for name, channel in zip("irg", range(3)):
            x, y = spots[name]
            assert rgb[y, x].argmax() == channel
            assert rgb[y, x, channel] - np.delete(rgb[y, x], channel).max() > 0.5

    def test_one_filter_is_grey(self, colours):
        """One filter, in one exposure or several, is grey."""
        same = replace(colours[1], facts=replace(colours[0].facts, filter="I"))
        for frames in (colours[:1], [colours[0], same]):
            rgb = color_image(frames)
            assert (rgb == rgb[..., :1]).all()

    def test_two_filters(self, round_source):
        """Of two filters, green is the mean."""
        shape = (60, 60)
        frames = [
            make_ccd(round_source(shape, 30, y) * 3000 + sky(shape, y), name) for y, name in ((15, "g"), (45, "i"))
        ]
        rgb = color_image(frames, stretch="linear")
        assert rgb[45, 35, 0] > rgb[45, 35, 1] > rgb[45, 35, 2]
        assert rgb[15, 35, 0] < rgb[15, 35, 1] < rgb[15, 35, 2]

    def test_five_filters(self, round_source):
        """More filters are spread by wavelength: hues go from blue to red."""
        shape = (100, 40)
        frames = [
            make_ccd(round_source(shape, 20, 10 + 20 * n) * 30000 + sky(shape, n), name)
            for n, name in enumerate("ugriz")
        ]
        rgb = color_image(frames, linked=True, stretch="lupton")
        hues = [pixel @ [1, 0, -1] / pixel.sum() for pixel in (rgb[10 + 20 * n, 26] for n in range(5))]
        assert hues == sorted(hues)
        assert len(set(np.round(hues, 1))) == 5
        assert rgb[50, 26].argmax() == 1

    def test_outside_is_black(self):
        """Where no frame reaches all is black, where one does not its channel is."""
        shape = (60, 60)
        frames = [make_ccd(sky(shape, n) + 50, name) for n, name in enumerate("BVR")]
        for frame in frames:
            frame.ccd.mask[10:15, 10:15] = True
        frames[2].ccd.mask[40:45, 40:45] = True
        frames[2].ccd.data[40:45, 40:45] = np.nan
        rgb = color_image(frames)
        assert not rgb[10:15, 10:15].any()
        assert not rgb[40:45, 40:45, 0].any()
        assert rgb[40:45, 40:45, 1:].any()

    def test_bad_pixels_are_filled(self, colours):
        """Single bad pixels and columns do not show."""
        frames = [replace(frame, ccd=frame.ccd.copy()) for frame in colours]
        for frame in frames:
            frame.ccd.mask[60, 60] = frame.ccd.mask[:, 152] = True
            frame.ccd.data[60, 60] = np.nan
        whole, filled = color_image(colours), color_image(frames)
        assert abs(filled[60, 60] - whole[60, 60]).max() < 0.05
        assert abs(filled[115:125, 152] - whole[115:125, 152]).max() < 0.15

    def test_sky_has_no_hue(self, round_source):
        """However bright a filter's sources, the sky is the same grey in all channels."""
        shape = (150, 150)
        light = round_source(shape, 75, 75, sigma=12) * 900
        peaks = {"B": 10, "V": 100, "R": 1000}
        frames = [
            make_ccd(peak * light + sky(shape, peak, 3 * peak), name, make_wcs(shape)) for name, peak in peaks.items()
        ]
        rgb = color_image(frames)
        assert np.ptp(np.median(rgb[:30], axis=(0, 1))) < 0.02

    def test_images_without_noise(self):
        """Constant frames make a dark picture."""
        rgb = color_image([make_ccd(np.full((30, 30), 7.0), name) for name in "BVR"])
        assert rgb.max() < 0.2
        assert (rgb == rgb[0, 0, 0]).all()

    def test_wrong_stretch(self, colours):
        """An unknown stretch is refused with those there are."""
        with pytest.raises(ValueError, match=r"asinh, linear, lupton; got 'log'"):
            color_image(colours, stretch="log")


class TestCombine:
    """combine_frames, portray and Classifier.combine."""

    def test_is_deeper(self, colours):
        """The noise is that of the mean of three in units of the noise; sources stay as far above the sky."""
        frame = combine_frames(colours)
        dark = frame.ccd.data[150:, :80]
        assert dark.std() == pytest.approx(1 / 3**0.5, rel=0.06)
        assert dark.mean() == pytest.approx(0, abs=0.2)
        assert frame.ccd.data[58:63, 58:63].max() == pytest.approx(60, rel=0.05)

    def test_exposures_of_a_filter_are_one(self, round_source):
        """Nine exposures of a filter weigh as one of another that is as deep as they together."""
        shape = (80, 80)
        light = round_source(shape, 40, 40) * 56.5
        nine = [make_ccd(30 * light + sky(shape, n), "V") for n in range(9)]
        frame = combine_frames([*nine, make_ccd(sky(shape, 10), "R")])
        assert frame.ccd.data[39:42, 39:42].mean() == pytest.approx(30 * 3 / 2, rel=0.1)
        assert frame.facts.filter == "V+R"

    def test_record(self, colours):
        """It says what it is made of."""
        first = replace(colours[0], quality=0.3, facts=Facts("HST", "ACS", filter="I", exptime=100, target="M 1"))
        frame = combine_frames([first, *colours[1:]], size=110)
        assert frame.exposure is Exposure.COMBINED
        assert frame.quality == pytest.approx(0.1)
        assert frame.facts == Facts("HST", "ACS", filter="B+V+I", exptime=100, target="M 1")
        assert [part.filter for part in frame.parts] == ["B", "V", "I"]
        assert frame.parts[2] == Facts("HST", "ACS", filter="I", exptime=100, target="M 1")
        assert frame.origin.inputs == ("<array>",) * 3
        assert frame.origin.name == "<array>+<array>+<array>"
        assert frame.shape == (100, 110)
        assert frame.steps[-1] == "averaged 3 filters: <array>, <array>, <array>"
        assert frame.ccd.wcs.wcs.ctype[0] == "RA---TAN"

    def test_mask(self):
        """Masked is what no frame reaches."""
        shape = (50, 50)
        frames = [make_ccd(sky(shape, n), name) for n, name in enumerate("VR")]
        frames[0].ccd.mask[:10] = True
        frames[1].ccd.mask[5:20] = True
        good = combine_frames(frames).good
        assert not good[5:10].any()
        assert good[:5].all()
        assert good[10:].all()

    def test_portray(self, colours):
        """The picture shows the exposed part of the frame."""
        frame, rgb = portray(colours, size=110)
        rows, columns = frame.exposed
        assert rgb.shape[:2] == (rows.stop - rows.start, columns.stop - columns.start)

    def test_deterministic(self, colours):
        """The same frames give the same pixels."""
        np.testing.assert_array_equal(combine_frames(colours).ccd.data, combine_frames(colours).ccd.data)
        np.testing.assert_array_equal(color_image(colours), color_image(colours))

    def test_verdict_is_the_mean(self, colours):
        """The probabilities are the mean of those of the filters, each that of its frames."""
        classifier = Classifier()
        again = replace(colours[1], ccd=colours[2].ccd)
        frames = [*colours, again]
        single = [dict(zip(p.labels, p.probs)) for p in map(classifier, frames)]
        together = classifier.combine(frames)
        for label, prob in zip(together.labels, together.probs):
            first, second, third, fourth = (probs[label] for probs in single)
            assert prob == pytest.approx((first + (second + fourth) / 2 + third) / 3, abs=1e-6)
        assert sum(together.probs) == pytest.approx(1)
        assert together.provenance.options == "combine=4"
        assert together.origin.inputs == ("<array>",) * 4

    def test_verdict_on_one(self, colours):
        """Of one frame it is the ordinary verdict; of none there is none."""
        classifier = Classifier()
        assert classifier.combine(colours[:1]) == classifier(colours[0])
        with pytest.raises(FrameError, match="at least one frame"):
            classifier.combine([])


def test_simulated_filters():
    """Simulated Hubble frames of one scene in three filters, with their headers' pivots, become a picture."""
    frames = [
        read_frame(make_frame("wfc3_ir_sub256_flt", "planetary_nebula", seed=4, filter=name))
        for name in ("F160W", "F105W", "F110W")
    ]
    frame, rgb = portray(frames)
    assert frame.facts.filter == "F105W+F110W+F160W"
    assert rgb.shape == (*frame.shape, 3)
    assert 0.02 < rgb.mean() < 0.9


def test_sdss(frames_dir):
    """Three real frames make a picture with a dark, neutral sky, white stars and coloured galaxies."""
    frames = []
    for name in "gri":  # the headers of all three are that of g
        frame = read_frame(frames_dir / f"reprojected_sdss_{name}.fits.bz2")
        frames.append(replace(frame, facts=replace(frame.facts, filter=name)))
    frame, rgb = portray(frames)
    assert frame.facts.filter == "g+r+i"
    assert rgb.shape == (*frame.shape, 3)
    sky_colour = np.median(rgb, axis=(0, 1))
    assert sky_colour.max() < 0.15
    assert np.ptp(sky_colour) < 0.03
    bright = rgb[rgb.mean(axis=2) > 0.3]
    assert 0.005 < len(bright) / rgb[..., 0].size < 0.2
    assert np.ptp(np.median(bright, axis=0)) < 0.15
    assert Classifier().combine(frames).group == "galaxy_field"

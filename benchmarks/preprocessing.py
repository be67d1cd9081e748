# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From an open file to the tensor the network sees: astroclf beside the usual tools, on the same data, in turn.

Needs ``pip install sep`` for a part of the second table; run ``python benchmarks/preprocessing.py [RUNS]``. Prints
four tables:

1. full frames of two chips of 2048 x 4096 pixels, SCI, ERR and DQ, from an open file to the tensor: where the time of
   astroclf goes, beside the cost of reading the pixels once (a sum over the science arrays), and the usual chain:
   astroscrappy on both chips, Background2D on both at full resolution, a linear resampling. Minimum of RUNS.
2. the sky of one chip: Background2D at full resolution, sep, and astroclf's on the reduced image. ``level`` is the mean
   and ``apart`` the greatest error, over a grid, in units of the noise of a pixel; ``kept`` what is left of the light
   of the objects.
3. reduction to 224 pixels: share of the flux of bright stars that is kept, its scatter from star to star, and the share
   of faint stars (15 times the noise high) that stand out by five times the noise of the reduced image.
4. how the time grows with the size of the frame, from an array to the tensor.
"""

import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import astroscrappy
import numpy as np
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.stats import SigmaClip
from photutils.background import Background2D, MedianBackground
from scipy.ndimage import zoom

from astroclf import Frame, Preprocessor, read_frame
from astroclf.clean import Background, Sky
from astroclf.datasets import draw_scene, make_frame
from astroclf.frames import Exposure
from astroclf.render import fit_inside, keep_points, reduce_image

try:
    import sep
except ImportError:
    sep = None

FILES = {"ACS/WFC flt": "acs_wfc_flt", "WFC3/UVIS flc": "wfc3_uvis_flc"}
SCENES = ("galaxy_field", "globular_cluster", "diffuse_nebula")
CHIP, LEVEL, SIGMA, SIZE = (2048, 4096), 100.0, 6.0, 224
SHAPES = ((512, 512), (1024, 1024), (2048, 2048), (2048, 4096), (4096, 4096))
SETTINGS = Preprocessor()


def seconds(work):
    """Return how long something takes, and what it returns."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


# ----------------------------------------------------------------------------------------- whole frames


def ours(path):
    """Return the tensor of a file, and the seconds of each step."""
    read, frame = seconds(lambda: read_frame(path))
    clean, cleaned = seconds(lambda: SETTINGS.clean(frame))
    rest, rgb = seconds(lambda: SETTINGS(cleaned))
    return {"read": read, "cosmic rays": clean, "reduce, sky, stretch": rest, "all": read + clean + rest}, rgb


def usual(path):
    """Return the tensor of a file made by the usual tools, and the seconds of each step."""
    spent = dict.fromkeys(("read", "cosmic rays", "sky", "resample"), 0.0)
    chips = []
    with fits.open(path) as hdus:
        for version in (1, 2):
            took, (data, flags) = seconds(lambda v=version: (hdus["SCI", v].data.astype("f4"), hdus["DQ", v].data > 0))
            spent["read"] += took
            took, (_, data) = seconds(lambda d=data, m=flags: scrappy(d, m))
            spent["cosmic rays"] += took
            took, sky = seconds(lambda d=data, m=flags: full_background(d, m))
            spent["sky"] += took
            chips.append(data - sky.background)
    took, tensor = seconds(lambda: zoom(np.concatenate(chips), SIZE / 4096, order=1))
    spent["resample"] = took
    return spent | {"all": sum(spent.values())}, tensor


def scrappy(data, mask):
    """Return what astroscrappy, with the fast of its medians, takes for rays, and the cleaned image."""
    return astroscrappy.detect_cosmics(data, mask, sigclip=4.5, sigfrac=0.3, objlim=5, niter=4, sepmed=True)


def full_background(data, mask):
    """Return the sky of an image at full resolution."""
    with warnings.catch_warnings(action="ignore"):
        return Background2D(data, 64, mask=mask, sigma_clip=SigmaClip(3, maxiters=5), bkg_estimator=MedianBackground())


def pixels_once(path):
    """Read every pixel of the science arrays once."""
    with fits.open(path) as hdus:
        return sum(float(hdus["SCI", version].data.sum(dtype=np.float32)) for version in (1, 2))


def compare_frames(folder, runs):
    """Print the steps of both ways, in turn."""
    for name, layout in FILES.items():
        path = folder / f"{layout}.fits"
        make_frame(layout, "galaxy_field", seed=1).writeto(path)
        mine, others, once = [], [], []
        for _ in range(runs):
            once.append(seconds(lambda p=path: pixels_once(p))[0])
            mine.append(ours(path)[0])
            others.append(usual(path)[0])
        print(f"{name}, seconds, least of {runs}; every pixel read once: {min(once):.2f}")
        for who, all_spent in (("astroclf", mine), ("usual tools", others)):
            print(f"  {who:12}", *(f"{step} {min(s[step] for s in all_spent):.2f} " for step in all_spent[0]))
        ratios = [other["all"] / own["all"] for own, other in zip(mine, others)]
        print(f"  ratio        {min(ratios):.1f} to {max(ratios):.1f}")


# -------------------------------------------------------------------------------------------------- sky


def reduced_sky(image):
    """Return astroclf's sky on a grid, and at every pixel."""
    reduced, empty = reduce_image(image, np.zeros(image.shape, bool), fit_inside(image.shape, SIZE))
    return Background()(reduced, empty)


def compare_skies():
    """Print time, error and kept light of the ways to the sky."""
    ways = {
        "Background2D, 64 px": lambda image: full_background(image, None).background,
        "astroclf, reduced": lambda image: reduced_sky(image).on(image.shape),
    }
    if sep:
        ways["sep, 64 px"] = lambda image: sep.Background(image, bw=64, bh=64).back()
    print(f"\nsky of {CHIP[1]} x {CHIP[0]} pixels    seconds   level   apart   kept")
    tilt = np.linspace(-4, 4, CHIP[1])
    for scene in (None, *SCENES):
        rng = np.random.default_rng(2)
        light = 0 if scene is None else 60 * draw_scene(scene, CHIP, rng)
        image = (rng.normal(LEVEL, SIGMA, CHIP) + tilt + light).astype(np.float32)
        for name, way in ways.items():
            spent, level = seconds(lambda w=way, i=image: w(i))
            off = (level - LEVEL - tilt)[::16, ::16] / SIGMA
            kept = "" if scene is None else f"{1 - (level - LEVEL - tilt).sum() / light.sum():6.2f}"
            print(f"{scene or 'tilted sky':15} {name:20} {spent:6.3f}  {off.mean():6.2f}  {abs(off).max():6.2f} {kept}")


# -------------------------------------------------------------------------------------------- reduction


def starry(peak, rng, count=300, fwhm=2.0):
    """Return an image of unit noise with stars of one height, and their places."""
    image = rng.normal(0, 1, (4096, 4096)).astype(np.float32)
    places = rng.uniform(40, 4056, (count, 2))
    y, x = np.mgrid[-8:9, -8:9]
    for row, column in places:
        r, c = round(row), round(column)
        square = (y + r - row) ** 2 + (x + c - column) ** 2
        image[r - 8 : r + 9, c - 8 : c + 9] += peak * np.exp(-4 * np.log(2) / fwhm**2 * square)
    return image, places


def area(image):
    """Return the area averages of an image."""
    return reduce_image(image, np.zeros(image.shape, bool), (SIZE, SIZE))[0]


def area_with_points(image):
    """Return the area averages of an image, small stars kept."""
    reduced, mask = area(image), np.zeros(image.shape, bool)
    sky = Sky(np.zeros((1, 1), np.float32), SIZE / len(image))
    return keep_points(reduced, sky.sigma, image, mask, sky=sky, least=8.0, most=10.0)


def compare_reductions():
    """Print what becomes of stars."""
    ways = {
        "every 18th pixel": lambda image: image[9::18, 9::18][:SIZE, :SIZE],
        "linear (zoom)": lambda image: zoom(image, SIZE / len(image), order=1),
        "area": area,
        "area, stars kept": area_with_points,
    }
    rng = np.random.default_rng(3)
    (bright, at_bright), (faint, at_faint) = (starry(peak, rng) for peak in (3000, 15))
    flux = 3000 * np.pi * 2.0**2 / (4 * np.log(2))
    print(f"\n4096 x 4096 to {SIZE} x {SIZE}  seconds   flux   scatter   faint stars seen")
    for name, way in ways.items():
        spent, reduced = seconds(lambda w=way: w(bright))
        factor = (len(bright) / len(reduced)) ** 2
        fluxes = [window(reduced, place, len(bright)).sum() * factor / flux for place in at_bright]
        seen, noise = way(faint), np.std(way(rng.normal(0, 1, bright.shape).astype(np.float32)))
        found = np.mean([window(seen, place, len(faint)).max() > 5 * noise for place in at_faint])
        print(f"{name:24} {spent:7.3f}  {np.mean(fluxes):6.2f} {np.std(fluxes):8.2f} {found:12.2f}")


def window(reduced, place, side):
    """Return the 3 x 3 pixels of a reduced image around a place of the full one."""
    row, column = (int(axis * len(reduced) / side) for axis in place)
    return reduced[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]


# ------------------------------------------------------------------------------------------------- size


def compare_sizes(runs):
    """Print the seconds from array to tensor, with and without the search for cosmic rays."""
    print("\npixels           with rays looked for   without")
    for shape in SHAPES:
        image = make_scene(shape)
        frame = Frame(CCDData(image, unit="electron"), exposure=Exposure.SINGLE)
        spent = [
            min(seconds(lambda f=which: SETTINGS(f))[0] for _ in range(runs))
            for which in (frame, replace(frame, exposure=Exposure.COMBINED))
        ]
        print(f"{shape[1]:5} x {shape[0]:<9} {spent[0]:12.2f} {spent[1]:16.2f}")


def make_scene(shape):
    """Return a field of galaxies with noise."""
    rng = np.random.default_rng(4)
    return (rng.normal(LEVEL, SIGMA, shape) + 600 * draw_scene("galaxy_field", shape, rng)).astype(np.float32)


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with TemporaryDirectory() as folder:
        compare_frames(Path(folder), runs)
    compare_skies()
    compare_reductions()
    compare_sizes(runs)

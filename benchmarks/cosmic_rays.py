# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cosmic rays: astroclf beside astroscrappy, on the same simulated exposures, in turn.

Run ``python benchmarks/cosmic_rays.py [SIDE]``. Where ``deepCR`` is installed, its network for ACS/WFC is run too; it
was trained on real frames, and has never seen a simulated one. Prints three tables:

1. what the defaults do to each scene. A pixel counts as struck (``true``) where a ray left more than 3 sigma and 50
   electrons, as clean (``false``) where it left less than 5. ``bins`` is the fraction of 16 x 16 bins whose mean is
   more than 5 sigma from the truth, which is what the network sees; ``hurt`` the fraction of stars brighter than
   5000 electrons, and not hit, that lose more than 5 % of their light.
2. the receiver-operating curve: ``objlim`` (of deepCR, the threshold) is varied, and the share of struck pixels found
   is given at equal shares of clean pixels lost; where a search never loses so many, the most that it finds.
3. how the time grows with the size of the frame, the last line that of a whole chip; without deepCR, which takes
   minutes there.

astroscrappy is told the true read noise; astroclf measures it.
"""

import sys
import time
from importlib.util import find_spec
from itertools import chain

import astroscrappy
import numpy as np
from astropy.nddata import CCDData
from scipy.special import erf

from astroclf.clean import CosmicRays
from astroclf.datasets.detector import cosmic_rays, noisy
from astroclf.datasets.scenes import draw_scene

GROUPS = {
    "stars": [f"stars {fwhm}" for fwhm in (1.5, 1.7, 2.0, 2.5)] + ["open_cluster", "globular_cluster"],
    "galaxies": ["galaxy_field", "spiral_galaxy", "early_type_galaxy", "edge_on_galaxy"],
    "nebulae": ["diffuse_nebula", "planetary_nebula", "supernova_remnant"],
}
READNOISE, SKY, PEAK, FULL_WELL = 5.0, 60.0, 3000.0, 70000.0
RAYS_PER_PIXEL = 1250 / 1024**2
BIN = 16
STARS, FAINTEST, BRIGHT = 400, 500.0, 5000.0
OBJLIMS = {
    "astroclf": (0.0, 0.5, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0),
    "astroscrappy": (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 11.0, 15.0),
    "deepCR": (0.01, 0.1, 0.5, 0.9),
}
DEFAULTS = {"astroclf": CosmicRays().objlim, "astroscrappy": 5.0, "deepCR": 0.5}
FALSE = (0.0002, 0.0005, 0.001, 0.002, 0.005)
SHAPES = ((512, 512), (1024, 1024), (2048, 2048), (2048, 4096))


def draw_stars(side, fwhm, rng):
    """Return stars of a Gaussian point-spread function, and their rows, columns and electrons."""
    image, sigma = np.zeros((side, side)), fwhm / 2.3548
    places = rng.uniform(10, side - 10, (STARS, 2))
    charges = FAINTEST * 10 ** rng.uniform(0, 2.5, STARS)
    edges = np.arange(-9, 9) + 0.5
    for (row, column), charge in zip(places, charges):
        (top, above), (left, beside) = divmod(row, 1), divmod(column, 1)
        profile = [np.diff(erf((edges - offset) / sigma / 2**0.5)) / 2 for offset in (above, beside)]
        window = np.s_[int(top) - 8 : int(top) + 9, int(left) - 8 : int(left) + 9]
        image[window] += charge * np.outer(*profile)
    return image, np.column_stack([places, charges])


def expose(scene, shape):
    """Return the expected electrons of a 500 s exposure, those with noise and rays, the rays, and the stars."""
    rng, stars = np.random.default_rng(5), None
    if scene.startswith("stars"):
        light, stars = draw_stars(shape[0], float(scene.split()[1]), rng)
    else:
        light = draw_scene(scene, shape, rng, fwhm=2.0, spikes=0.02) * PEAK
    expected = np.minimum(light + SKY, FULL_WELL)
    rays = cosmic_rays(shape, rng, int(RAYS_PER_PIXEL * expected.size))
    return expected, (noisy(expected, rng, READNOISE) + rays).astype(np.float32), rays, stars


def ours(image, objlim):
    """Return what astroclf takes for rays, and the cleaned image."""
    clean, struck = CosmicRays(objlim=objlim)(CCDData(image, unit="electron"))
    return struck, clean.data


def theirs(image, objlim):
    """Return what astroscrappy takes for rays, and the cleaned image."""
    return astroscrappy.detect_cosmics(
        image, gain=1, readnoise=READNOISE, sigclip=4.5, sigfrac=0.3, objlim=objlim, niter=4
    )


def network(image, threshold):
    """Return what deepCR takes for rays, and the cleaned image."""
    struck, clean = network.model.clean(image, threshold=threshold, inpaint=True)
    return struck.astype(bool), clean


SEARCHES = {"astroclf": ours, "astroscrappy": theirs}
if find_spec("deepCR"):
    from deepCR import deepCR

    network.model = deepCR(mask="ACS-WFC", device="CPU")
    SEARCHES["deepCR"] = network


def rates(expected, rays, struck):
    """Return the shares of struck pixels that were found, and of clean ones that were lost."""
    true, false = rays > np.maximum(3 * np.sqrt(expected + READNOISE**2), 50), rays < 5
    return (struck & true).sum() / true.sum(), (struck & false).sum() / false.sum()


def bins_off(expected, clean):
    """Return the fraction of bins whose mean is more than 5 sigma from the truth."""
    n = expected.shape[0] // BIN
    total, square = (
        a[: n * BIN, : n * BIN].reshape(n, BIN, n, BIN).sum((1, 3)) for a in (clean - expected, expected + READNOISE**2)
    )
    return (abs(total) > 5 * square**0.5).mean()


def hurt(image, clean, rays, stars):
    """Return the fraction of bright stars, not hit themselves, that lose more than 5 % of their light."""
    lost = []
    for row, column, charge in stars:
        window = np.s_[round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3]
        if charge > BRIGHT and not (rays[window] > 5).any():
            lost.append((image[window] - clean[window]).sum() > 0.05 * charge)
    return np.mean(lost)


def compare_scenes(side):
    """Print one line a scene and method."""
    print(f"{side} x {side} pixels{'':10} seconds  true   false    bins    hurt")
    for scene in chain(*GROUPS.values()):
        expected, image, rays, stars = expose(scene, (side, side))
        for name, search in SEARCHES.items():
            start = time.perf_counter()
            struck, clean = search(image, DEFAULTS[name])
            spent = time.perf_counter() - start
            true, false = rates(expected, rays, struck)
            marks = f"{true:.3f}  {false:.5f}  {bins_off(expected, clean):.4f}"
            print(
                f"{scene:17} {name:13} {spent:6.2f}  {marks}",
                *([] if stars is None else [f"{hurt(image, clean, rays, stars):7.3f}"]),
            )


def compare_curves(side):
    """Print the share of struck pixels found at equal shares of clean ones lost."""
    print(f"\nfound at a loss of{'':13}", *(f"{false:<8}" for false in FALSE))
    for group, scenes in GROUPS.items():
        exposures = [expose(scene, (side, side)) for scene in scenes]
        for name, search in SEARCHES.items():
            points = [
                np.mean([rates(e, rays, search(image, objlim)[0]) for e, image, rays, _ in exposures], axis=0)
                for objlim in OBJLIMS[name]
            ]
            true, false = np.transpose(sorted(points, key=lambda point: point[1]))
            true = np.maximum.accumulate(true)
            found = np.interp(np.log(FALSE), np.log(false), true, left=np.nan)
            print(f"{group:17} {name:13}", *(f"{share:<8.3f}" for share in found))


def compare_sizes():
    """Print the seconds of both methods, the median of three runs in turn, by size of the frame."""
    print(f"\n{'pixels':17} astroclf  astroscrappy  ratio")
    for shape in SHAPES:
        _, image, _, _ = expose("galaxy_field", shape)
        spent = {ours: [], theirs: []}
        for _ in range(3):
            for search, objlim in ((ours, DEFAULTS["astroclf"]), (theirs, DEFAULTS["astroscrappy"])):
                start = time.perf_counter()
                search(image, objlim)
                spent[search].append(time.perf_counter() - start)
        ours_, theirs_ = (np.median(seconds) for seconds in spent.values())
        print(f"{shape[1]:5} x {shape[0]:<9} {ours_:8.2f}  {theirs_:12.2f}  {theirs_ / ours_:5.1f}")


if __name__ == "__main__":
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    compare_scenes(side)
    compare_curves(side)
    compare_sizes()

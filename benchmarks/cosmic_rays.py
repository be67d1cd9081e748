# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cosmic rays: astroclf beside astroscrappy, on the same simulated exposures, in turn.

Needs ``pip install astroscrappy``; run ``python benchmarks/cosmic_rays.py [SIDE]``. A pixel counts as struck where
a ray left more than 3 sigma and 50 electrons, as clean where it left less than 5. ``bins`` is the fraction of 16 x 16
bins whose mean is more than 5 sigma from the truth, which is what the network sees.
"""

import sys
import time

import astroscrappy
import numpy as np
from astropy.nddata import CCDData

from astroclf.clean import CosmicRays
from astroclf.datasets.detector import cosmic_rays, noisy
from astroclf.datasets.scenes import draw_scene

SCENES = ("star_field", "open_cluster", "globular_cluster", "galaxy_field", "spiral_galaxy", "diffuse_nebula", "star")
READNOISE, SKY, PEAK, FULL_WELL = 5.0, 60.0, 3000.0, 70000.0
RAYS_PER_PIXEL = 1250 / 1024**2
BIN = 16


def expose(scene, side):
    """Return the expected electrons of a 500 s exposure, those with noise and rays, and the rays."""
    rng = np.random.default_rng(5)
    expected = np.minimum(draw_scene(scene, (side, side), rng, fwhm=2.0, spikes=0.02) * PEAK + SKY, FULL_WELL)
    rays = cosmic_rays((side, side), rng, int(RAYS_PER_PIXEL * side**2))
    return expected, noisy(expected, rng, READNOISE) + rays, rays


def ours(image):
    """Return what astroclf takes for rays, and the cleaned image."""
    clean, struck = CosmicRays()(CCDData(image, unit="electron"))
    return struck, clean.data


def theirs(image):
    """Return what astroscrappy takes for rays, and the cleaned image."""
    return astroscrappy.detect_cosmics(image, gain=1, readnoise=READNOISE, sigclip=4.5, sigfrac=0.3, objlim=5, niter=4)


def marks(expected, rays, struck, clean):
    """Return true- and false-positive rate, and the fraction of bins that are off."""
    variance = expected + READNOISE**2
    true = rays > np.maximum(3 * np.sqrt(variance), 50)
    false = rays < 5
    n = expected.shape[0] // BIN
    total, square = (
        (a[: n * BIN, : n * BIN].reshape(n, BIN, n, BIN).sum((1, 3))) for a in (clean - expected, variance)
    )
    return (
        (struck & true).sum() / true.sum(),
        (struck & false).sum() / false.sum(),
        (abs(total) > 5 * square**0.5).mean(),
    )


def main(side=1024):
    """Print one line a scene and method."""
    print(f"{side} x {side} pixels{'':10} seconds  true   false    bins")
    for scene in SCENES:
        expected, image, rays = expose(scene, side)
        for name, search in (("astroclf", ours), ("astroscrappy", theirs)):
            start = time.perf_counter()
            found = search(image.astype(np.float32))
            spent = time.perf_counter() - start
            true, false, bins = marks(expected, rays, *found)
            print(f"{scene:17} {name:13} {spent:6.2f}  {true:.3f}  {false:.5f}  {bins:.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What scenes are drawn with: profiles, points, fractal clouds and point-spread functions."""

import numpy as np
from scipy import fft, ndimage, signal

__all__ = [
    "add_stamp",
    "blur",
    "cloud",
    "convolve",
    "log_uniform",
    "points",
    "polar",
    "power_law",
    "psf",
    "sersic",
    "unit",
]


def log_uniform(rng, low, high, size=None):
    """Return numbers whose logarithm is uniform between those of ``low`` and ``high``."""
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def power_law(rng, size, slope, span=1e4):
    """Return fluxes in (0, 1] with N(>f) proportional to ``f**-slope``, over a range of ``span``."""
    low = span**-slope
    return ((low + (1 - low) * rng.random(size)) ** (-1 / slope) / span).astype(np.float32)


def unit(image, percentile=99.8):
    """Scale an image so that this percentile is 1; the maximum where the percentile is not positive."""
    level = np.percentile(image, percentile)
    if level <= 3e-5 * image.max():
        level = image.max()
    return image / level if level > 0 else image


def polar(shape, center, q=1.0, angle=0.0):
    """
    Return elliptical radius and azimuth of every pixel, float32 arrays (ny, nx).

    ``center`` is (x, y) in pixels, ``q`` the axis ratio, ``angle`` that of the major axis in radians.
    """
    y, x = np.ogrid[: shape[0], : shape[1]]
    dx, dy = (x - center[0]).astype(np.float32), (y - center[1]).astype(np.float32)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = dx * c + dy * s, (dy * c - dx * s) / np.float32(q)
    return np.hypot(u, v), np.arctan2(v, u)


def sersic(radius, r_e, n):
    """Return the Sersic (1963) profile, 1 at the effective radius; b_n after Ciotti & Bertin (1999)."""
    b = 2 * n - 1 / 3 + 4 / (405 * n)
    return np.exp(-b * ((np.maximum(radius, 0.25) / r_e) ** (1 / n) - 1)).astype(np.float32)


def add_stamp(image, center, half, draw):
    """
    Add ``draw(shape, center)`` to the square of half-width ``half`` around ``center`` (x, y), in place.

    ``draw`` gets the shape of the part inside the image and the centre in its coordinates.
    """
    x0, y0 = (max(int(c - half), 0) for c in center)
    x1, y1 = (min(int(c + half) + 1, n) for c, n in zip(center, image.shape[::-1]))
    if x0 < x1 and y0 < y1:
        image[y0:y1, x0:x1] += draw((y1 - y0, x1 - x0), (center[0] - x0, center[1] - y0))


def points(shape, x, y, flux):
    """Return an image of point sources, each shared bilinearly by its four pixels; those outside are dropped."""
    ny, nx = shape
    ix, iy = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - ix, y - iy
    image = np.zeros(ny * nx)
    for dy, wy in ((0, 1 - fy), (1, fy)):
        for dx, wx in ((0, 1 - fx), (1, fx)):
            inside = (ix + dx >= 0) & (ix + dx < nx) & (iy + dy >= 0) & (iy + dy < ny)
            cell = (iy + dy)[inside] * nx + (ix + dx)[inside]
            image += np.bincount(cell, (flux * wx * wy)[inside], ny * nx)
    return image.reshape(shape).astype(np.float32)


def cloud(shape, rng, slope=1.8, largest=1.0):
    """
    Return Gaussian noise whose amplitude spectrum falls as ``k**-slope``, float32, mean 0, variance 1.

    ``largest`` is the largest structure, in units of the frame's longer side.
    """
    ny, nx = (fft.next_fast_len(n, real=True) for n in shape)
    k = np.hypot(fft.fftfreq(ny)[:, None], fft.rfftfreq(nx)[None]) * max(ny, nx)
    amplitude = (np.maximum(k, 1 / largest) ** -slope).astype(np.float32)
    noise = rng.standard_normal((ny, nx), dtype=np.float32)
    image = fft.irfft2(fft.rfft2(noise) * amplitude, s=(ny, nx))[: shape[0], : shape[1]]
    return (image - image.mean()) / image.std()


def psf(rng, fwhm, spikes=0.0):
    """
    Return a point-spread function that sums to 1: a Moffat core and wings, with diffraction spikes.

    Parameters
    ----------
    rng : `~numpy.random.Generator`
        Chooses the Moffat index (2.2 to 4.5) and the angle of the spikes.
    fwhm : float
        Full width at half maximum in pixels.
    spikes : float
        Fraction of the light in the four spikes, in [0, 1).
    """
    half = int(np.clip(16 * fwhm, 15, 95))
    beta = rng.uniform(2.2, 4.5)
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    shape, center = (2 * half + 1, 2 * half + 1), (half, half)
    radius, azimuth = polar(shape, center)
    kernel = (1 + (radius / alpha) ** 2) ** -beta
    kernel /= kernel.sum()
    if spikes:
        width = np.abs(np.sin(2 * (azimuth - rng.uniform(0, np.pi / 2)))) * radius
        cross = np.exp(-((width / max(fwhm, 1.2)) ** 2)) / (1 + (radius / (3 * fwhm)) ** 1.5)
        kernel = (1 - spikes) * kernel + spikes * cross / cross.sum()
    return kernel.astype(np.float32)


def convolve(image, kernel):
    """Return the image seen through a point-spread function; what lies outside the frame is dark."""
    return np.maximum(signal.fftconvolve(image, kernel, mode="same"), 0).astype(np.float32)


def blur(image, sigma):
    """Return the image smoothed by a Gaussian of ``sigma`` pixels."""
    return ndimage.gaussian_filter(image, sigma)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What scenes are drawn with: profiles, points, fractal clouds and point-spread functions."""

import numpy as np
from scipy import fft, ndimage, signal

__all__ = [
    "add_stamp",
    "blur",
    "cloud",
    "convolve",
    "diffraction",
    "log_uniform",
    "points",
    "polar",
    "power_law",
    "psf",
    "ramp",
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


def ramp(shape, rng):
    """Return how far each pixel is from the middle along a random direction: half a unit at the sides of the frame."""
    turn = rng.uniform(0, 2 * np.pi)
    y, x = np.meshgrid(*(np.linspace(-0.5, 0.5, n) for n in shape), indexing="ij")
    return x * np.cos(turn) + y * np.sin(turn)


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


def diffraction(rng, fwhm):
    """
    Return the point-spread function of a space telescope, which sums to 1: that of its pupil in broad-band light.

    Parameters
    ----------
    rng : `~numpy.random.Generator`
        Chooses the pupil, Hubble's (round, a third of its diameter obstructed, four vanes) or one like Webb's
        (six-sided, three struts), the width of the band (5 to 40 %), the orientation and the jitter.
    fwhm : float
        Full width at half maximum in pixels, at least 1.

    Returns
    -------
    kernel : `~numpy.ndarray` of float32, shape (n, n)
        Squared modulus of the pupil's Fourier transform, the mean over the band.
    """
    size = 2 ** int(np.ceil(np.log2(np.clip(32 * fwhm, 64, 256))))
    pupil, turn = rng.choice([_hubble_pupil, _webb_pupil], p=[0.7, 0.3]), rng.uniform(0, 2 * np.pi)
    half_band = rng.uniform(0.025, 0.2)
    light = np.zeros((size, size))
    for colour in np.linspace(1 - half_band, 1 + half_band, 7):
        light += np.abs(fft.fft2(pupil(size, size / max(fwhm * colour, 1), turn), norm="ortho")) ** 2
    kernel = ndimage.gaussian_filter(fft.fftshift(light), rng.uniform(0.25, 0.5))[1:, 1:]
    return (kernel / kernel.sum()).astype(np.float32)


def _pupil_plane(size, diameter, turn):
    """Return coordinates over a pupil, in units of its radius, and the width of a sample."""
    at = (np.arange(size) - size / 2) * (2 / diameter)
    x, y = at[None] * np.cos(turn) + at[:, None] * np.sin(turn), at[:, None] * np.cos(turn) - at[None] * np.sin(turn)
    return x, y, 2 / diameter


def _hubble_pupil(size, diameter, turn):
    x, y, step = _pupil_plane(size, diameter, turn)
    radius = np.hypot(x, y)
    vanes = np.clip((np.minimum(np.abs(x), np.abs(y)) - 0.011) / step + 0.5, 0, 1)
    return np.clip((1 - radius) / step + 0.5, 0, 1) * np.clip((radius - 0.33) / step + 0.5, 0, 1) * vanes


def _webb_pupil(size, diameter, turn):
    x, y, step = _pupil_plane(size, diameter, turn)
    sides = [np.abs(x * np.cos(a) + y * np.sin(a)) for a in np.radians((0, 60, 120))]
    radius = np.max(sides, axis=0)
    struts = np.where(y > 0, np.abs(x), np.minimum(np.abs(x - 0.55 * y), np.abs(x + 0.55 * y)))
    open_to_light = np.clip((0.87 - radius) / step + 0.5, 0, 1) * np.clip((radius - 0.17) / step + 0.5, 0, 1)
    return open_to_light * np.clip((struts - 0.02) / step + 0.5, 0, 1)


def convolve(image, kernel):
    """Return the image seen through a point-spread function; what lies outside the frame is dark."""
    return np.maximum(signal.fftconvolve(image, kernel, mode="same"), 0).astype(np.float32)


def blur(image, sigma):
    """Return the image smoothed by a Gaussian of ``sigma`` pixels."""
    return ndimage.gaussian_filter(image, sigma)

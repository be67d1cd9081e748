# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a detector does to light: noise, cosmic rays, hot pixels, bad columns, saturation, digitisation.

Every function draws from the `~numpy.random.Generator` it is given and returns new arrays. Arrays are
(ny, nx), in electrons unless said otherwise, and columns are the direction in which charge is read out.
"""

import numpy as np

__all__ = [
    "bad_columns",
    "cosmic_rays",
    "digitise",
    "flat_field",
    "hot_pixels",
    "noisy",
    "saturate",
]

_POISSON_LIMIT = 1000.0
_STEPS_PER_PIXEL = 2.0
_LONGEST_TRACK = 500.0
_NORMAL_Q95 = 1.645
_WORM_LENGTH = 15.0
_WORM_TURN = 0.35
_TOP_ADU = 65535


def noisy(expected, rng, readnoise=0.0):
    """
    Draw photon and read noise.

    Parameters
    ----------
    expected : array_like, shape (ny, nx)
        Expected electrons per pixel; negative and non-finite values count as 0.
    rng : `~numpy.random.Generator`
        Source of randomness.
    readnoise : float or array_like, optional
        Standard deviation of the read noise in electrons, one value or one per pixel.

    Returns
    -------
    image : `~numpy.ndarray` of float32, shape (ny, nx)
        One realisation in electrons. Photon noise is Poisson up to 1000 electrons and Gaussian above,
        where the two cannot be told apart.
    """
    expected = np.nan_to_num(np.asarray(expected, dtype=np.float32), posinf=0.0)
    expected = np.maximum(expected, 0.0)
    image = rng.poisson(np.minimum(expected, _POISSON_LIMIT)).astype(np.float32)
    bright = expected > _POISSON_LIMIT
    level = expected[bright]
    image[bright] = level + np.sqrt(level) * rng.standard_normal(level.shape, dtype=np.float32)
    image += np.float32(readnoise) * rng.standard_normal(expected.shape, dtype=np.float32)
    return image


def cosmic_rays(shape, rng, count, *, charge=(500.0, 2500.0), thickness=1.0, worms=0.03):
    """
    Draw the charge that cosmic rays leave in a CCD.

    Rays arrive isotropically and cross a slab of silicon: one at the angle ``theta`` from the normal leaves
    a track of ``thickness * tan(theta)`` pixels and charge in proportion to its path. Most are dots of four
    or five pixels, a few are long grazing tracks. Charge diffusion is that of a quadratic spline three
    pixels wide. In orbit about 1.1 rays arrive per second and square centimetre [1]_: 20 a second on one
    ACS/WFC chip, which touch 1.5 to 3 % of the pixels in 1000 s with a median near 1000 electrons and
    hardly any below 500 [2]_.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image, (ny, nx).
    rng : `~numpy.random.Generator`
        Source of randomness.
    count : int
        Number of rays.
    charge : tuple of float, optional
        5th and 95th percentile, in electrons, of the charge a ray leaves at normal incidence
        (log-normal).
    thickness : float, optional
        Thickness of the sensitive layer in pixels.
    worms : float, optional
        Fraction of tracks that wander, as those of scattered electrons do, in [0, 1].

    Returns
    -------
    electrons : `~numpy.ndarray` of float32, shape (ny, nx)
        Charge to add to an image; 0 where no ray passed.

    Raises
    ------
    ValueError
        If ``count`` is negative or ``charge`` is not a rising pair of positive numbers.

    References
    ----------
    .. [1] Miles, N. D., et al. 2021, ApJ 918, 86.
    .. [2] ACS Instrument Handbook, section 4.3, "Cosmic Rays".
    """
    low, high = charge
    if count < 0 or not 0 < low < high:
        msg = f"count must be 0 or more and charge a rising pair of positive numbers; got {count!r}, {charge!r}"
        raise ValueError(msg)
    median, spread = np.sqrt(low * high), np.log(high / low) / (2 * _NORMAL_Q95)
    length, wander = _tracks(rng, count, thickness, worms)
    total = rng.lognormal(np.log(median), spread, count) * np.hypot(1, length / thickness)
    steps = 1 + np.ceil(length * _STEPS_PER_PIXEL).astype(int)
    x, y = _walk(shape, rng, length, steps, wander)
    return _deposit(shape, x, y, _shares(rng, total, steps))


def hot_pixels(shape, rng, fraction, *, threshold=0.14):
    """
    Draw the dark current of hot pixels.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image, (ny, nx).
    rng : `~numpy.random.Generator`
        Source of randomness.
    fraction : float
        Expected fraction of hot pixels, in [0, 1]: 0.01 to 0.02 in the CCDs of ACS and WFC3.
    threshold : float, optional
        Least dark current of a hot pixel, in electrons per second: 0.14 for ACS/WFC, 0.015 for WFC3/UVIS
        (ACS data-quality flag definitions; WFC3 Data Handbook 5.3).

    Returns
    -------
    rate : `~numpy.ndarray` of float32, shape (ny, nx)
        Dark current in the unit of ``threshold``; 0 in ordinary pixels. Hot ones follow a power law of
        index -2.5, so that the brightest few in a million reach thousands of times the threshold.
    """
    rate = np.zeros(shape, dtype=np.float32)
    where = rng.integers(rate.size, size=rng.binomial(rate.size, fraction))
    rate.flat[where] = threshold * (1 + rng.pareto(1.5, where.size))
    return rate


def bad_columns(shape, rng, count):
    """
    Draw columns blocked by a trap.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image, (ny, nx).
    rng : `~numpy.random.Generator`
        Source of randomness.
    count : int
        Number of columns; one in five has a bad neighbour too.

    Returns
    -------
    mask : `~numpy.ndarray` of bool, shape (ny, nx)
        True in bad columns: half of them whole, the others from some row to the last one, for a trap
        spoils the pixels read out through it. Row 0 is nearest the amplifier.
    """
    ny, nx = shape
    first = np.where(rng.random(count) < 0.5, 0, rng.integers(ny, size=count))
    width = 1 + (rng.random(count) < 0.2)
    mask = np.zeros(shape, dtype=bool)
    for row, column, wide in zip(first, rng.integers(nx, size=count), width, strict=True):
        mask[row:, column : column + wide] = True
    return mask


def saturate(image, full_well, *, bleed=True):
    """
    Limit pixels to the full well and let the excess bleed along columns.

    Parameters
    ----------
    image : array_like, shape (ny, nx)
        Electrons; finite.
    full_well : float
        Electrons a pixel can hold.
    bleed : bool, optional
        Whether the excess runs up and down its column, half each way, into the next free pixels. What
        reaches an edge is lost. Otherwise all excess is lost.

    Returns
    -------
    image : `~numpy.ndarray` of float32, shape (ny, nx)
        Electrons, none above ``full_well``.
    saturated : `~numpy.ndarray` of bool, shape (ny, nx)
        True where the well is full.
    """
    image = np.asarray(image, dtype=np.float32)
    limited = np.minimum(image, np.float32(full_well))
    columns = np.flatnonzero((image > full_well).any(axis=0))
    if bleed and columns.size:
        held = limited[:, columns].astype(float)
        half = (image[:, columns] - held) / 2
        held = _fill(held, half, full_well)
        held = _fill(held[::-1], half[::-1], full_well)[::-1]
        limited[:, columns] = held
    return limited, limited >= np.float32(full_well) * np.float32(1 - 1e-6)


def flat_field(shape, rng, *, scatter=0.005, slope=0.01):
    """
    Draw what is left of the flat field after division by a good reference.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image, (ny, nx).
    rng : `~numpy.random.Generator`
        Source of randomness.
    scatter : float, optional
        Standard deviation from pixel to pixel.
    slope : float, optional
        Largest departure from 1 of the smooth part, a plane tilted in a random direction.

    Returns
    -------
    flat : `~numpy.ndarray` of float32, shape (ny, nx)
        Relative sensitivity, near 1.
    """
    ny, nx = shape
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, nx, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, ny, dtype=np.float32) * np.float32(np.sin(angle))
    flat = np.float32(slope / np.sqrt(2)) * (y[:, None] + x) + 1
    return flat + np.float32(scatter) * rng.standard_normal(shape, dtype=np.float32)


def digitise(electrons, gain, bias):
    """
    Turn electrons into the 16-bit numbers of a raw frame.

    Parameters
    ----------
    electrons : array_like, shape (ny, nx)
        Signal with its noise.
    gain : float or array_like
        Electrons per count (DN).
    bias : float or array_like
        Counts of an empty pixel.

    Returns
    -------
    counts : `~numpy.ndarray` of uint16, shape (ny, nx)
        Counts (DN), rounded and limited to [0, 65535].
    overflow : `~numpy.ndarray` of bool, shape (ny, nx)
        True where the converter ran out of numbers.
    """
    counts = np.rint(np.asarray(electrons, dtype=np.float32) / np.float32(gain) + np.float32(bias))
    return np.clip(counts, 0, _TOP_ADU).astype(np.uint16), counts >= _TOP_ADU


def _tracks(rng, count, thickness, worms):
    """Projected lengths in pixels of isotropic rays through a slab, and the turn of each per step."""
    sine2 = rng.random(count)
    length = np.minimum(thickness * np.sqrt(sine2 / (1 - sine2)), _LONGEST_TRACK)
    worm = rng.random(count) < worms
    length = np.where(worm, rng.exponential(_WORM_LENGTH, count), length)
    return length, np.where(worm, _WORM_TURN, 0.0)


def _walk(shape, rng, length, steps, wander):
    """Positions of all steps of all tracks, one after the other."""
    ny, nx = shape
    start = np.cumsum(steps) - steps
    angle = rng.normal(0, 1, steps.sum()) * np.repeat(wander, steps)
    angle[start] = rng.uniform(0, 2 * np.pi, steps.size)
    angle = _restarting_cumsum(angle, start, steps)
    stride = np.repeat(length / np.maximum(steps - 1, 1), steps)
    stride[start] = 0
    x = _restarting_cumsum(stride * np.cos(angle), start, steps) + np.repeat(rng.uniform(0, nx, steps.size), steps)
    y = _restarting_cumsum(stride * np.sin(angle), start, steps) + np.repeat(rng.uniform(0, ny, steps.size), steps)
    return x - 0.5, y - 0.5


def _shares(rng, total, steps):
    """Charge left at each step: uneven, with the given sum over each track."""
    shares = rng.standard_gamma(4.0, steps.sum())
    if not steps.size:
        return shares
    return shares * np.repeat(total / np.add.reduceat(shares, np.cumsum(steps) - steps), steps)


def _restarting_cumsum(values, start, steps):
    """Cumulative sum that begins again at every index of ``start``."""
    total = np.cumsum(values)
    return total - np.repeat(total[start] - values[start], steps)


def _deposit(shape, x, y, charge):
    """Sum of charges at points, each spread by a quadratic spline over 3 x 3 pixels."""
    ny, nx = shape
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    column, row, charge = column[inside], row[inside], charge[inside]
    wide = nx + 2
    corner = row * wide + column
    across, up = _spline(x[inside] - column), _spline(y[inside] - row)
    where = [corner + j * wide + i for j in range(3) for i in range(3)]
    weights = [charge * up[j] * across[i] for j in range(3) for i in range(3)]
    total = np.bincount(np.concatenate(where), np.concatenate(weights), minlength=(ny + 2) * wide)
    return total.reshape(ny + 2, wide)[1:-1, 1:-1].astype(np.float32)


def _spline(offset):
    """Shares of the left, middle and right pixel of a point ``offset`` from the middle one's centre."""
    return 0.5 * (0.5 - offset) ** 2, 0.75 - offset**2, 0.5 * (0.5 + offset) ** 2


def _fill(held, excess, full_well):
    """Run ``excess`` along increasing rows into wells with room; a queue in closed form."""
    total = np.cumsum(held + excess - full_well, axis=0)
    carried = total - np.minimum(np.minimum.accumulate(total, axis=0), 0)
    carried_in = np.vstack([np.zeros(carried.shape[1]), carried[:-1]])
    return held + excess + carried_in - carried

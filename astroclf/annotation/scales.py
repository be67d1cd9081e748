# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Numbers along axes and colour bars, written so that none covers another."""

import numpy as np
from matplotlib.ticker import MaxNLocator

__all__ = [
    "SIZE",
    "number",
    "paragraph",
    "power",
    "round_levels",
    "round_values",
    "widened",
    "write_column",
    "write_row",
]

SIZE = 6.0
"""Font size of numbers, in points."""

_LEVELS = (-1000, -100, -30, -10, -3, 0, 3, 10, 30, 100, 300, 1000, 3000, 1e4, 3e4, 1e5, 1e6)
_APART = 0.06
_LEADING = 0.1
_DIGITS = 9
_SUPERSCRIPT = str.maketrans("0123456789-", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b")


def round_values(low, high, most, *, integer=False):
    """
    Return round numbers in a range.

    Parameters
    ----------
    low, high : float
        The range.
    most : int
        About how many.
    integer : bool, optional
        Whether they are to be whole.

    Returns
    -------
    values : `~numpy.ndarray`
        In ascending order; without one inside, the ends.
    """
    values = MaxNLocator(max(most, 1), integer=integer, steps=[1, 2, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    inside = values[(values >= low - slack) & (values <= high + slack)]
    return inside if inside.size else np.array([low, high])


def round_levels(low, high):
    """Return round levels, two a decade, in a range; those of a narrow one are evenly spaced."""
    inside = np.array([level for level in _LEVELS if low <= level <= high])
    return inside if inside.size > 2 else round_values(low, high, 4)


def widened(low, high, least=0.0):
    """Return the ends of a range, apart by at least ``least`` and by what float32 can tell."""
    low, high = float(low), float(high)
    largest = max(abs(low), abs(high))
    lacking = max(least, 1e-6 * largest) - (high - low)
    if not high > low:
        lacking = least or 0.02 * largest or 1.0
    return (low - lacking / 2, high + lacking / 2) if lacking > 0 else (low, high)


def number(value, digits=3):
    """Return a number as people write it: powers of ten for the very large and small, a minus for a hyphen."""
    rounded = float(f"{value:.{digits}g}")
    size = int(np.floor(np.log10(abs(rounded)))) if rounded else 0
    if -4 < size < 5:
        text = f"{rounded:.{max(digits - 1 - size, 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa = f"{rounded / 10**size:.{digits - 1}f}".rstrip("0").rstrip(".")
        times = "" if mantissa in ("1", "-1") else "\N{MULTIPLICATION SIGN}"
        text = f"{mantissa if times else mantissa[:-1]}{times}10{power(size)}"
    return text.replace("-", "\N{MINUS SIGN}")


def power(exponent):
    """Return an exponent in superscript digits."""
    return str(exponent).translate(_SUPERSCRIPT)


def paragraph(setter, text, size, room, most):
    """Break a text between words into at most ``most`` lines that fit if they can; the last may be too long."""
    words, space = text.split(" "), setter.measure(" ", size)
    lines, length = [], 0.0
    for n, word in enumerate(words):
        width = setter.measure(word, size)
        if lines and length + space + width <= room:
            lines[-1], length = f"{lines[-1]} {word}", length + space + width
        elif len(lines) == most:
            lines[-1] = " ".join([lines[-1], *words[n:]])
            break
        else:
            lines.append(word)
            length = width
    return lines


def write_row(setter, values, places, left, right, baseline, color):
    """
    Write numbers below an axis, as many as there is room for; zero goes first, then large ones.

    Parameters
    ----------
    setter : `~astroclf.annotation.typography.Typesetter`
        Writes them.
    values : sequence of float
        The numbers.
    places : sequence of float
        Where they belong, in inches from the left edge of the page.
    left, right : float
        Beyond which none goes.
    baseline : float
        Their height on the page.
    color : str
        Their colour.

    Returns
    -------
    written : list of float
        The places of those that are written.
    """
    taken, written = [], []
    ranked = sorted(zip(values, _distinct(values), places), key=lambda known: (known[0] != 0, -abs(known[0])))
    for _, label, place in ranked:
        width = setter.measure(label, SIZE)
        start = min(max(place - width / 2, left), right - width)
        if all(start >= other + length + _APART or other >= start + width + _APART for other, length in taken):
            setter.write(label, start, baseline, SIZE, color, room=right - left)
            taken.append((start, width))
            written.append(place)
    return written


def write_column(setter, labels, places, right, color):
    """Write labels left of an axis that ends at ``right``, as many as there is room for; see `write_row`."""
    step = 1
    while len(places) > step and abs(places[step] - places[0]) < _LEADING:
        step += 1
    for label, place in list(zip(labels, places))[::step]:
        setter.write(label, right, place - 0.36 * SIZE / 72, SIZE, color, align="right")


def _distinct(values):
    """Return numbers in as few digits as tell them apart and are true to them."""
    for digits in range(3, _DIGITS):
        labels = [number(value, digits) for value in values]
        true = all(np.isclose(float(f"{value:.{digits}g}"), value, rtol=1e-9, atol=0) for value in values)
        if true and len(set(labels)) == len(labels):
            break
    return labels

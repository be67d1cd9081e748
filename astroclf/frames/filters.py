# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The wavelength of a filter: as the header has it, else as its name tells."""

import re

__all__ = ["pivot_wavelength"]

_SPACE_FILTER = re.compile(r"F(\d{3,4})(LP|W2?|X|M|N)", re.IGNORECASE)
_WIDTHS = "N", "M", "W", "W2", "X", "LP"
"""Narrow first: of two filters in the beam the narrower one decides."""

_LETTERS = {
    "u": 3543, "g": 4770, "r": 6231, "i": 7625, "z": 9134, "y": 9633,
    "up": 3543, "gp": 4770, "rp": 6231, "ip": 7625, "zp": 9134, "zs": 8700,
    "U": 3656, "B": 4353, "V": 5477, "R": 6349, "I": 8797,
    "Y": 10200, "Z": 8800, "J": 12350, "H": 16620, "K": 21590, "Ks": 21590,
    "FUV": 1535, "NUV": 2301, "W1": 33526, "W2": 46028, "W3": 115608, "W4": 220883,
}  # fmt: skip
"""Pivot wavelengths in angstroms: SDSS, Johnson and Cousins, 2MASS, GALEX, WISE; others of the same letter are near."""


def pivot_wavelength(facts):
    """
    Return the wavelength of the filter of a frame.

    Parameters
    ----------
    facts : `~astroclf.frames.Facts`
        What its headers say.

    Returns
    -------
    wavelength : float or None
        Pivot wavelength in angstroms where the header has it; else what the name of the filter says: F606W is 606 nm
        with Hubble, 6.06 um with JWST, and F160W 1.6 um with Hubble's infrared cameras; u, g, r, i, z, U, B, V, R, I,
        J, H, K and the like are those of the common systems. None where neither is known.
    """
    if facts.pivot and facts.pivot > 0:
        return facts.pivot
    return _of_space_filter(facts) or _of_letter(facts.filter)


def _of_space_filter(facts):
    """Return the wavelength in the name of a filter of Hubble or JWST, the narrower one of two, or None."""
    telescope = facts.telescope.upper()
    if telescope not in ("HST", "JWST"):
        return None
    infrared = telescope == "JWST" or facts.instrument == "NICMOS" or facts.detector == "IR"
    found = [match.groups() for match in map(_SPACE_FILTER.fullmatch, facts.filter.split("+")) if match]
    if not found:
        return None
    number, _ = min(found, key=lambda part: _WIDTHS.index(part[1].upper()))
    return float(number) * (100 if infrared else 10)


def _of_letter(name):
    """Return the wavelength of the first word of a name that is one of the common filters, or None."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    return next((float(_LETTERS[word]) for word in words if word in _LETTERS), None)

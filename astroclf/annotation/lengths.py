# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Round angles for the scale bar."""

__all__ = ["nice_length"]

_UNITS = (("mas", 1e-3), ("\N{DOUBLE PRIME}", 1.0), ("\N{PRIME}", 60.0), ("\N{DEGREE SIGN}", 3600.0))
_STEPS = {"mas": (1, 2, 5, 10, 20, 50, 100, 200, 500)}
_SEXAGESIMAL = (1, 2, 5, 10, 20, 30)


def nice_length(longest):
    """
    Return the longest round angle that is no longer than a given one.

    Parameters
    ----------
    longest : float
        Angle in arcseconds.

    Returns
    -------
    length : float
        Angle in arcseconds; 0 if ``longest`` is shorter than 1 mas.
    label : str
        The angle with its unit; empty if ``length`` is 0.
    """
    lengths = [(n * size, f"{n}{_gap(unit)}{unit}") for unit, size in _UNITS for n in _STEPS.get(unit, _SEXAGESIMAL)]
    return max(((length, label) for length, label in lengths if length <= longest), default=(0.0, ""))


def _gap(unit):
    return "\N{NO-BREAK SPACE}" if unit.isalpha() else ""

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The classes astroclf knows, their groups, and their names in other vocabularies."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["TAXONOMY", "UNKNOWN", "Concept", "concept", "group_of", "group_or_self", "groups", "labels"]

TAXONOMY = "astroclf-14/1"
"""Name and version of the taxonomy, as written to ``CLFTAXON``."""

UNKNOWN = "unknown"
"""The verdict when neither class nor group is sure."""

_ANY_SCALE = "E"


@dataclass(frozen=True)
class Concept:
    """
    A class or group in the vocabularies of the field.

    Parameters
    ----------
    name : str
        Class or group name, at most 18 ASCII characters.
    uat : int or None
        Concept number in the Unified Astronomy Thesaurus (http://astrothesaurus.org/uat/<uat>).
    avm : str or None
        Subject.Category of the Astronomy Visualization Metadata standard, with its scale letter:
        ``E`` (unspecified) where the class does not fix it.
    """

    name: str
    uat: int | None
    avm: str | None


_GROUP_CONCEPTS = {
    "galaxy": Concept("galaxy", 573, "E.5"),
    "galaxy_field": Concept("galaxy_field", 573, "E.5"),
    "star_cluster": Concept("star_cluster", 1567, "E.3.6.4"),
    "stellar": Concept("stellar", 1583, "E.3"),
    "nebula": Concept("nebula", 1095, "E.4"),
    "solar_system": Concept("solar_system", 1528, "A.1;A.2"),
    "none": Concept("none", None, None),
    UNKNOWN: Concept(UNKNOWN, None, None),
}


@cache
def _rows():
    text = files("astroclf").joinpath("taxonomy.csv").read_text(encoding="ascii")
    return {row["label"]: row for row in csv.DictReader(text.splitlines())}


def labels():
    """
    Return the class names, in the order of the taxonomy.

    Returns
    -------
    labels : tuple of str
        14 names; the order is that of the model's outputs.
    """
    return tuple(_rows())


def groups():
    """
    Return the group names, in the order of the taxonomy.

    Returns
    -------
    groups : tuple of str
        7 names, each once.
    """
    return tuple(dict.fromkeys(row["group"] for row in _rows().values()))


def group_of(label):
    """
    Return the group a class belongs to.

    Parameters
    ----------
    label : str
        A class name, one of `labels`.

    Returns
    -------
    group : str
        One of `groups`.

    Raises
    ------
    ValueError
        If ``label`` is not a class of the taxonomy.
    """
    if label not in _rows():
        msg = f"label must be one of {', '.join(_rows())}; got {label!r}"
        raise ValueError(msg)
    return _rows()[label]["group"]


def group_or_self(label):
    """
    Return the group of a class of any taxonomy.

    Parameters
    ----------
    label : str
        A class name.

    Returns
    -------
    group : str
        One of `groups`; ``label`` itself if it is not a class of this taxonomy.

    Examples
    --------
    >>> from astroclf.taxonomy import group_or_self
    >>> group_or_self("spiral_galaxy"), group_or_self("ring_galaxy")
    ('galaxy', 'ring_galaxy')
    """
    return group_of(label) if label in _rows() else label


def concept(name):
    """
    Return the vocabulary entry of a class, a group or ``"unknown"``.

    Parameters
    ----------
    name : str
        A verdict: a class name, a group name or ``"unknown"``. A name that is both a class and
        a group (``galaxy_field``, ``solar_system``) means the same thing in both.

    Returns
    -------
    concept : Concept
        Never narrower than ``name``; without numbers if ``name`` is none of these, as a class of somebody's
        own is.
    """
    if name in _GROUP_CONCEPTS:
        return _GROUP_CONCEPTS[name]
    if name not in _rows():
        return Concept(name, None, None)
    row = _rows()[name]
    return Concept(name, int(row["uat_id"]) if row["uat_id"] else None, _with_scale(row["avm_category"]))


def _with_scale(category):
    if not category:
        return None
    return category if category[0].isalpha() else f"{_ANY_SCALE}.{category}"

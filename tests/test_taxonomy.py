# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the taxonomy: 14 classes, 7 groups, and their names in the vocabularies of the field."""

import csv
import dataclasses
import re
from pathlib import Path

import pytest

import astroclf
from astroclf.taxonomy import TAXONOMY, UNKNOWN, Concept, concept, group_of, group_or_self, groups, labels

ROWS = list(csv.DictReader((Path(astroclf.__file__).parent / "taxonomy.csv").read_text("ascii").splitlines()))

LABELS = (
    "spiral_galaxy", "early_type_galaxy", "edge_on_galaxy", "irregular_galaxy", "galaxy_field", "globular_cluster",
    "open_cluster", "star_field", "star", "diffuse_nebula", "planetary_nebula", "supernova_remnant", "solar_system",
    "no_source",
)  # fmt: skip
GROUPS = ("galaxy", "galaxy_field", "star_cluster", "stellar", "nebula", "solar_system", "none")

# verdict: concept of the Unified Astronomy Thesaurus, Subject.Category of Astronomy Visualization Metadata
VOCABULARIES = {
    "spiral_galaxy": (1560, "E.5.1.1"),
    "early_type_galaxy": (429, "E.5"),
    "edge_on_galaxy": (391, "E.5"),
    "irregular_galaxy": (573, "E.5"),
    "galaxy_field": (573, "E.5"),
    "globular_cluster": (656, "E.3.6.4.2"),
    "open_cluster": (1160, "E.3.6.4.1"),
    "star_field": (2103, "E.3"),
    "star": (1583, "E.3"),
    "diffuse_nebula": (382, "E.4"),
    "planetary_nebula": (1249, "E.4.1.3"),
    "supernova_remnant": (1667, "E.4.1.4"),
    "solar_system": (1528, "A.1;A.2"),
    "no_source": (None, None),
    "galaxy": (573, "E.5"),
    "star_cluster": (1567, "E.3.6.4"),
    "stellar": (1583, "E.3"),
    "nebula": (1095, "E.4"),
    "none": (None, None),
    "unknown": (None, None),
}


def test_version():
    """The taxonomy names its number of classes and its version."""
    assert TAXONOMY == f"astroclf-{len(LABELS)}/1"


def test_labels_and_groups():
    """Classes and groups come in the order of the table, which is that of the model's outputs."""
    assert labels() == LABELS == tuple(row["label"] for row in ROWS)
    assert groups() == GROUPS


def test_names_fit_a_card():
    """Every verdict is lower-case ASCII of at most 18 characters, and no class is called unknown."""
    for name in {*labels(), *groups(), UNKNOWN}:
        assert re.fullmatch(r"[a-z_]{1,18}", name), name
    assert UNKNOWN not in {*labels(), *groups()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["label"])
def test_groups_of_classes(row):
    """The group of a class is that of its row."""
    assert group_of(row["label"]) == row["group"]
    assert row["group"] in groups()


@pytest.mark.parametrize("name", ["galaxy", "unknown", "", "Spiral_Galaxy", None])
def test_group_of_what_is_no_class(name):
    """A name that is no class has no group, and the error lists the classes."""
    with pytest.raises(ValueError, match=f"label must be one of spiral_galaxy, .*no_source; got {name!r}"):
        group_of(name)


@pytest.mark.parametrize("name", VOCABULARIES)
def test_vocabularies(name):
    """Every verdict has its concept in both vocabularies, AVM with a scale letter."""
    assert concept(name) == Concept(name, *VOCABULARIES[name])


def test_vocabularies_are_complete():
    """The table above knows every verdict."""
    assert set(VOCABULARIES) == {*labels(), *groups(), UNKNOWN}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["label"])
def test_vocabularies_are_those_of_the_table(row):
    """Concepts of classes are those of the table; the scale letter is all that is added."""
    found = concept(row["label"])
    assert str(found.uat or "") == row["uat_id"]
    assert (found.avm or "").removeprefix("E.") == row["avm_category"]


def test_groups_are_never_narrower_than_their_classes():
    """The AVM category of a group is a prefix of those of its classes."""
    for label in labels():
        wide, narrow = concept(group_of(label)).avm, concept(label).avm
        assert (wide is None and narrow is None) or narrow.startswith(wide), label


def test_avm_is_well_formed():
    """AVM categories are a scale letter and numbers, several joined by semicolons."""
    for name in VOCABULARIES:
        for category in (concept(name).avm or "E.1").split(";"):
            assert re.fullmatch(r"[A-E](\.\d+)+", category), name


@pytest.mark.parametrize("name", ["Galaxy", "quasar", "ring_galaxy"])
def test_classes_of_other_taxonomies(name):
    """A class of one's own is in no vocabulary, and a group of its own; those of the taxonomy keep their group."""
    assert concept(name) == Concept(name, None, None)
    assert group_or_self(name) == name
    assert group_or_self("spiral_galaxy") == "galaxy"


def test_concepts_are_immutable():
    """A concept cannot be changed."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        concept("star").uat = 1

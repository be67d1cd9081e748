# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the verdict: what it says by status, as a row and as text, and that it cannot be changed."""

import dataclasses
import inspect
import json

import pytest

from astroclf import Prediction
from astroclf.frames import Origin
from astroclf.prediction import Provenance, Status
from astroclf.taxonomy import TAXONOMY, UNKNOWN, concept

PROVENANCE = Provenance("resnet50", "0" * 64, "fbbdaf28f771")


def prediction(status=Status.OK, **kwargs):
    """Return a verdict of three classes in two groups."""
    return Prediction(
        labels=("spiral_galaxy", "early_type_galaxy", "star"),
        probs=(0.61234567, 0.3, 0.08765433),
        groups=("galaxy", "stellar"),
        group_probs=(0.91234567, 0.08765433),
        status=status,
        quality=0.01,
        provenance=PROVENANCE,
        **kwargs,
    )


@pytest.mark.parametrize(
    ("status", "verdict", "prob"),
    [
        (Status.OK, "spiral_galaxy", 0.61234567),
        (Status.GROUP, "galaxy", 0.91234567),
        (Status.UNCERTAIN, UNKNOWN, None),
        (Status.NOVEL, UNKNOWN, None),
        (Status.LOWQUAL, UNKNOWN, None),
    ],
)
def test_verdict_by_status(status, verdict, prob):
    """The verdict is the class if sure of it, the group if sure of that, else unknown, without a probability."""
    found = prediction(status)
    assert (found.verdict, found.prob) == (verdict, prob)
    assert (found.label, found.group) == ("spiral_galaxy", "galaxy")
    assert concept(found.verdict).name == verdict


def test_statuses():
    """There are five statuses, in the order in which they are asked; they are words of at most 9 letters."""
    assert list(Status) == ["LOWQUAL", "NOVEL", "OK", "GROUP", "UNCERTAIN"]
    assert all(str(status) == status.value and len(status) <= 9 for status in Status)


def test_status_may_be_text():
    """A status read from a header, as text, gives the same verdict."""
    assert prediction("GROUP").verdict == "galaxy"
    assert prediction("GROUP") == prediction(Status.GROUP)


@pytest.mark.parametrize(("n_set", "expected"), [(None, None), (0, ()), (2, ("spiral_galaxy", "early_type_galaxy"))])
def test_label_set(n_set, expected):
    """The conformal set is the first labels, empty if it is, None where there is none."""
    assert prediction(n_set=n_set).label_set == expected


@pytest.mark.parametrize("status", Status)
def test_row(status):
    """A row has the columns of the table, plain values that JSON takes, and the best class whatever the status."""
    row = prediction(status).to_row()
    assert list(row) == ["status", "verdict", "label", "prob", "group", "gprob"]
    assert json.loads(json.dumps(row)) == {
        "status": status.value,
        "verdict": prediction(status).verdict,
        "label": "spiral_galaxy",
        "prob": 0.6123,
        "group": "galaxy",
        "gprob": 0.9123,
    }
    assert type(row["status"]) is str


@pytest.mark.parametrize("status", Status)
def test_dict(status):
    """All that is known is there, the row first but not rounded, as values that JSON gives back as they are."""
    origin = Origin(hdus=("SCI,1",), inputs=("b.fits",), plane=2)
    found = prediction(status, agreement=0.75, novelty=0.1234567, n_set=2, coverage=0.9, origin=origin)
    values = found.to_dict()
    assert json.loads(json.dumps(values)) == values
    assert list(values)[:6] == list(found.to_row())
    assert values["prob"] == values["probs"][0] == 0.61234567
    assert values["gprob"] == values["group_probs"][0] == 0.91234567
    assert values["options"] == "plane=2"
    for name in ("labels", "groups", "n_set", "coverage", "quality", "agreement", "novelty", "taxonomy"):
        expected = getattr(found, name)
        assert values[name] == (list(expected) if isinstance(expected, tuple) else expected)
    for name in ("model", "sha256", "preprocessing"):
        assert values[name] == getattr(found.provenance, name)
    assert (values["hdus"], values["inputs"]) == (["SCI,1"], ["b.fits"])


def test_text():
    """As text, a verdict is one line of verdict, status, three best classes and group."""
    assert str(prediction(Status.GROUP)) == (
        "galaxy [GROUP] (spiral_galaxy 0.612, early_type_galaxy 0.300, star 0.088; group galaxy 0.912)"
    )


def test_defaults():
    """Without more, there is no agreement, novelty or label set; the taxonomy is ours, the origin an array."""
    found = prediction()
    assert (found.agreement, found.novelty, found.n_set, found.coverage) == (None, None, None, None)
    assert found.taxonomy == TAXONOMY
    assert found.origin == Origin()
    assert PROVENANCE.options == ""


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Prediction)])
def test_predictions_are_immutable(name):
    """No field of a verdict can be changed."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(prediction(), name, None)


def test_records_are_immutable():
    """Nor can provenance and origin, nor what a verdict derives."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROVENANCE.model = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        Origin().path = "other"
    with pytest.raises(AttributeError):
        prediction().verdict = "star"


def test_predictions_compare_and_hash():
    """Equal verdicts are equal and hash alike, others differ."""
    assert prediction() == prediction()
    assert hash(prediction()) == hash(prediction())
    assert prediction() != prediction(Status.GROUP)


def test_every_field_is_documented():
    """The docstring names every field."""
    for record in (Prediction, Provenance):
        for field in dataclasses.fields(record):
            assert f"\n{field.name} : " in inspect.getdoc(record), field.name

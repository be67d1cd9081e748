# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of priors: how common classes are where the frames come from."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from astroclf import Classifier, read_tags
from astroclf.cli import main
from astroclf.datasets import make_frame
from astroclf.model.prior import Prior, parse_prior
from astroclf.tags import to_cards
from astroclf.taxonomy import group_of, groups, labels

NAMES = sorted({*labels(), *groups()})
UNIFORM = np.full(14, 1 / 14)


def of(shares):
    """Return the prior of each class: what equal probabilities become."""
    return dict(zip(labels(), Prior(shares, labels())(UNIFORM)))


@pytest.fixture(scope="module")
def sim():
    """Return a small simulated frame."""
    return make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2)


def test_groups_are_shared_by_their_members():
    """A group's share goes evenly to its members, or to those that are not named; the others share the rest."""
    prior = of({"galaxy": 0.7, "spiral_galaxy": 0.1})
    assert prior["spiral_galaxy"] == pytest.approx(0.1)
    assert prior["early_type_galaxy"] == prior["irregular_galaxy"] == pytest.approx(0.2)
    assert prior["star"] == prior["galaxy_field"] == pytest.approx(0.03)
    assert sum(prior.values()) == pytest.approx(1)
    assert of({"galaxy_field": 0.5})["galaxy_field"] == pytest.approx(0.5)


def test_nothing_left():
    """What shares that sum to 1 leave out is ruled out, rounding apart."""
    prior = of({"galaxy": 0.7, "nebula": 0.2, "star": 0.1})
    assert prior["star_field"] == pytest.approx(0, abs=1e-15)
    assert prior["edge_on_galaxy"] == pytest.approx(0.175)


def test_bayes():
    """Probabilities are multiplied by the prior over that of the training, and normalised (Saerens et al. 2002)."""
    probs = np.random.default_rng(12345).dirichlet(np.ones(14))
    shares = {name: 0.5 if name == "star" else 0.5 / 13 for name in labels()}
    expected = probs * np.array([*shares.values()]) / (1 / 14)
    np.testing.assert_allclose(Prior(shares, labels())(probs), expected / expected.sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("shares", "match"),
    [
        ({}, r"prior must be a dictionary.*got \{\}"),
        ("galaxy", "prior must be a dictionary.*got 'galaxy'"),
        ({"quasar": 0.5}, "prior names 'quasar', which is no class or group; there are diffuse_nebula, "),
        ({"galaxy": "0.7"}, "prior of galaxy must be a number between 0 and 1; got '0.7'"),
        ({"galaxy": np.nan}, "prior of galaxy must be a number between 0 and 1; got nan"),
        ({"star": 0}, "prior of star must be a number between 0 and 1; got 0"),
        ({"star": 1}, "prior of star must be a number between 0 and 1; got 1"),
        ({"galaxy": 0.7, "star": 0.4}, "parts of all there is, which is 1, is 1.1, more than that"),
        ({"galaxy": 0.2, "spiral_galaxy": 0.3}, "parts of galaxy, which is 0.2, is 0.3, more than that"),
        ({"stellar": 0.5, "star": 0.1, "star_field": 0.1}, "parts of stellar, which is 0.5, is 0.2, less than that"),
        (dict.fromkeys(labels(), 0.05), "parts of all there is, which is 1, is 0.7, less than that"),
    ],
)
def test_bad_priors(shares, match):
    """What is wrong with a prior is said in one sentence, with the value."""
    with pytest.raises(ValueError, match=match):
        Prior(shares, labels())


@given(st.dictionaries(st.sampled_from(NAMES), st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20))
def test_any_prior(shares):
    """Any shares are refused by name, or make a prior that sums to 1, keeps them, and reads back from its text."""
    try:
        prior = Prior(shares, labels())
    except ValueError as error:
        refused = str(error)
    else:
        refused = None
    if refused:
        assert refused.startswith("prior must add up")
        return
    probs = prior(UNIFORM)
    assert probs.sum() == pytest.approx(1)
    assert (probs >= 0).all()
    for name, share in shares.items():
        members = [p for label, p in zip(labels(), probs) if name in (label, group_of(label))]
        assert sum(members) == pytest.approx(share, abs=1e-7)
    again = parse_prior(str(prior))
    assert again == shares
    np.testing.assert_array_equal(Prior(again, labels())(UNIFORM), probs)


@given(st.text("abglxy=:,.0123456789e- \n", max_size=40) | st.text(max_size=20))
def test_any_text(text):
    """Any text is read, or refused with a sentence."""
    try:
        told = f"prior {Prior(parse_prior(text), labels())}"
    except ValueError as error:
        told = str(error)
    assert told.startswith("prior ")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "prior must be NAME=PROBABILITY, several joined by commas; got ''"),
        ("galaxy", "got 'galaxy'"),
        ("galaxy=lots", "got 'galaxy=lots'"),
        ("galaxy=0.7,,star=0.1", "got ''"),
        ("star=0.7,star=0.1", "prior names 'star' twice, with 0.7 and 0.1"),
    ],
)
def test_bad_texts(text, match):
    """The part that cannot be read is named."""
    with pytest.raises(ValueError, match=match):
        parse_prior(text)


def test_text():
    """Both ways of writing are read, and what is written is sorted, so that the same prior is the same text."""
    shares = {"spiral_galaxy": 0.1, "galaxy": 0.7}
    assert parse_prior("spiral_galaxy=0.1, galaxy=0.7") == parse_prior("galaxy:0.7,spiral_galaxy:0.1") == shares
    assert str(Prior(shares, labels())) == "galaxy:0.7,spiral_galaxy:0.1"


def test_classifier(sim):
    """Ranking, groups and status are those under the prior; there is no label set; the prior is on record."""
    plain, prior = Classifier()(sim), {"globular_cluster": 1e-6, "no_source": 0.5}
    prediction = Classifier(prior=prior)(sim)
    expected = Prior(prior, labels())(np.array([dict(zip(plain.labels, plain.probs))[name] for name in labels()]))
    found = dict(zip(prediction.labels, prediction.probs))
    np.testing.assert_allclose([found[name] for name in labels()], expected, rtol=1e-9)
    assert list(prediction.probs) == sorted(prediction.probs, reverse=True)
    for group, prob in zip(prediction.groups, prediction.group_probs):
        assert prob == pytest.approx(sum(p for label, p in found.items() if group_of(label) == group))
    assert plain.label == "globular_cluster" != prediction.label
    assert (prediction.n_set, prediction.coverage, prediction.label_set) == (None, None, None)
    assert prediction.provenance.options == "prior=globular_cluster:1e-06,no_source:0.5"
    assert Classifier(prior=dict.fromkeys(labels(), 1 / 14))(sim).probs == pytest.approx(plain.probs, rel=1e-9)


def test_agreement_is_under_the_prior(sim):
    """What one view names is what it names under the prior, so that a lone view agrees with itself."""
    assert Classifier(views=1, prior={"globular_cluster": 1e-6})(sim).agreement == 1


def test_combine(sim):
    """A combined verdict is weighed once: that on a frame with itself is that on the frame."""
    classifier = Classifier(prior={"globular_cluster": 0.01})
    combined, alone = classifier.combine([sim, sim]), classifier(sim)
    assert combined.labels == alone.labels
    assert combined.probs == pytest.approx(alone.probs)
    assert combined.provenance.options == "combine=2;prior=globular_cluster:0.01"


def test_cards(sim):
    """The longest prior fits into cards, which read back whole; the label set's are undefined."""
    prior = dict.fromkeys(labels(), 1 / 14)
    cards = fits.Header(to_cards(Classifier(prior=prior)(sim)))
    assert parse_prior(cards["CLFOPTS"].removeprefix("prior=")) == prior
    assert cards["CLFNSET"] is cards["CLFCOVER"] is None


def test_command_line(sim, tmp_path, monkeypatch, capsys):
    """``--prior`` of classify and tag is the prior of Python."""
    monkeypatch.chdir(tmp_path)
    sim.writeto("a.fits")
    expected = Classifier(prior={"star": 0.9, "galaxy": 0.05})("a.fits")
    assert main(["classify", "-t", "csv", "--prior", "star=0.9,galaxy=0.05", "a.fits"]) == 0
    assert f"{expected.label},{expected.to_row()['prob']}" in capsys.readouterr().out
    assert main(["tag", "--no-png", "--prior", "star=0.9,galaxy=0.05", "a.fits"]) == 0
    tags = read_tags("a.fits")
    assert tags["CLFOPTS"] == "prior=galaxy:0.05,star:0.9"
    assert tags.label_set is None
    assert tags.label == expected.label


@pytest.mark.parametrize("verb", ["classify", "tag"])
def test_bad_command_lines(verb, capsys):
    """A prior that makes no sense is wrong usage, told before any work."""
    with pytest.raises(SystemExit) as stopped:
        main([verb, "--prior", "quasar=0.5", "a.fits"])
    assert stopped.value.code == 2
    assert "argument --prior: prior names 'quasar', which is no class or group" in capsys.readouterr().err


def test_imagenet_has_no_prior(capsys):
    """A prior of astronomy says nothing of everyday things."""
    with pytest.raises(SystemExit):
        main(["classify", "--model", "imagenet", "--prior", "star=0.5", "a.fits"])
    assert "--prior is for the astro model" in capsys.readouterr().err

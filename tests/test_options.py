# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the settings of a verdict as headers have them."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astroclf.frames.frame import Origin
from astroclf.model import Prior
from astroclf.model.prior import parse_prior
from astroclf.options import Options
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.taxonomy import groups, labels

SHARES = st.dictionaries(
    st.sampled_from(labels()[:6]), st.floats(1e-12, 0.16, exclude_min=True), min_size=1, max_size=5
).map(lambda shares: str(Prior(shares, labels())))
OPTIONS = st.builds(
    Options,
    combine=st.none() | st.integers(2, 10**6),
    prior=st.none() | SHARES,
    views=st.none() | st.sampled_from([1, 2, 4, 8]),
    stretches=st.sampled_from([None, 3]),
    backend=st.sampled_from([None, "tensorflow"]),
    hdu=st.none() | st.integers(0, 10**4),
    plane=st.none() | st.integers(1, 10**4),
)


@given(OPTIONS)
def test_settings_survive(options):
    """Whatever was set is read back as it was."""
    assert Options.parse(str(options)) == options


@given(SHARES)
def test_priors_survive(text):
    """A prior is the same to the last digit once it was written to a header and read from it."""
    assert str(Prior(parse_prior(Options.parse(f"prior={text}").prior), labels())) == text


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    """What is no list of settings is a ValueError, and what is one is written back as it was read."""
    with suppress(ValueError):
        options = Options.parse(text)
        assert Options.parse(str(options)) == options
        assert sorted(str(options).split(";")) == sorted(text.split(";"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "view=4",
            "'view=4' is no setting of a verdict; they are combine, prior, views, stretches, backend, hdu, plane",
        ),
        ("views", "'views' is no setting"),
        ("views=", "'views=' is no setting"),
        ("views=4;", "'' is no setting"),
        ("views=4;views=8", "views is set twice, to 4 and to 8"),
        ("views=four", "views must be a number from 1; got 'four'"),
        ("combine=1", "combine must be a number from 2; got '1'"),
        ("plane=0", "plane must be a number from 1; got '0'"),
        ("hdu=-1", "hdu must be a number from 0; got '-1'"),
    ],
)
def test_what_is_refused(text, message):
    """A message names what is wrong."""
    with pytest.raises(ValueError, match=message):
        Options.parse(text)


def test_part_of_the_file():
    """The settings of a prediction name the part of the file that was asked for, of each file its own."""
    prediction = Prediction(
        labels(), (1.0,) + (0.0,) * 13, groups(), (1.0,) + (0.0,) * 6, Status.OK, 0.0,
        Provenance("model", "0" * 64, "1" * 12, "combine=2;views=4"), origin=Origin(inputs=("a.fits", "b.fits")),
    )  # fmt: skip
    assert prediction.options == "combine=2;views=4"
    assert prediction.written_to(Origin(hdu=0, plane=3)).options == "combine=2;views=4;hdu=0;plane=3"
    whole = replace(prediction, provenance=replace(prediction.provenance, options=""))
    assert whole.options == ""

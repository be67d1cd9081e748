# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of header cards as bytes."""

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from astroclf.tags.cards import card_value, join_cards, keyword_of, printable, split_cards, string_image

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)
IMAGE = st.binary(min_size=80, max_size=80)


@given(TEXT)
def test_strings_survive(value):
    """Any printable string reads back as written, trailing blanks apart, in cards of 80 bytes."""
    image = string_image("CLFOPTS", value)
    assert len(image) % 80 == 0
    assert split_cards(image) == [image]
    assert card_value(image) == value.rstrip()


@given(st.text("abc /=;:_0123456789", max_size=300))
def test_astropy_reads_the_same_strings(value):
    """Strings of the kind astroclf writes mean the same to astropy."""
    assert fits.Card.fromstring(string_image("CLFOPTS", value)).value.rstrip() == value.rstrip()


def test_astropy_reads_quotes_between_cards():
    """A doubled quote is never split between two cards, where astropy would lose the rest."""
    value = "a" * 66 + "'" * 3 + "b" * 90
    image = string_image("CLFFILE", value)
    assert card_value(image) == value
    assert fits.Card.fromstring(image).value == value


def test_short_string_looks_like_astropys():
    """A short string has the layout astropy gives it."""
    for value in ("OK", "spiral_galaxy", "x" * 40):
        assert string_image("CLFCLASS", value, "verdict") == str(fits.Card("CLFCLASS", value, "verdict")).encode()


@pytest.mark.parametrize("value", [True, False, 0, -32768, 1560, 0.973142, 1.23457e-06, -2.5e300, "OK", "it's", ""])
def test_values_are_read_as_astropy_writes_them(value):
    """Values of all types come back, with their type."""
    read = card_value(str(fits.Card("KEY", value, "a / comment")).encode())
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text", ["KEY     =  / nothing", "COMMENT = 'x'", "KEY     = 'open", "KEY     = (1, 2)", "KEY"]
)
def test_no_value(text):
    """A card without a value, or with none the standard knows, reads as None."""
    if text.startswith("COMMENT"):
        text = text.replace("= ", "  ")
    assert card_value(text.ljust(80).encode()) is None


def test_double_precision_exponent():
    """The exponent letter D of Fortran is understood."""
    assert card_value(b"KEY     = 1.5D3".ljust(80)) == 1500.0


@given(st.lists(IMAGE, max_size=40))
def test_split_and_join_lose_nothing(images):
    """Whatever the bytes, splitting keeps all of them in order, and joining makes whole blocks."""
    raw = b"".join(images)
    cards = split_cards(raw)
    assert b"".join(cards) == raw
    header = join_cards(cards)
    assert header.startswith(raw + b"END ")
    assert len(header) % 2880 == 0
    assert len(header) - len(raw) <= 2880


def test_continue_joins_only_a_string_that_goes_on():
    """A CONTINUE card after a string without ``&`` stays on its own."""
    first, stray = b"KEY     = 'abc'     / foo &".ljust(80), b"CONTINUE  'def'".ljust(80)
    assert split_cards(first + stray) == [first, stray]
    long = b"KEY     = 'abc&'    / comment".ljust(80)
    assert split_cards(long + stray) == [long + stray]
    assert card_value(long + stray) == "abcdef"


def test_keyword_and_printable():
    """Keywords lose their blanks; what a header cannot hold is escaped."""
    assert keyword_of(b"CLFAVM  = 'E.5'".ljust(80)) == "CLFAVM"
    assert printable("façade\n.fits") == r"fa\xe7ade\n.fits"

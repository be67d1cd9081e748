# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the FITS checksums, against astropy's."""

import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from astroclf.checksum import VALID, add, datasum, encode

WORD = st.integers(0, VALID)


def _hdu_bytes(data):
    stream = io.BytesIO()
    fits.PrimaryHDU(data).writeto(stream, checksum=True)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["u1", ">i2", ">i4", ">f4", ">f8"])
def test_datasum_is_what_astropy_writes(dtype):
    """The sum over the data span is the DATASUM card, and over the whole HDU minus zero."""
    data = np.random.default_rng(12345).integers(0, 255, (60, 77)).astype(dtype)
    raw = _hdu_bytes(data)
    header = fits.Header.fromstring(raw[:2880].decode("ascii"))
    assert datasum(raw[2880:]) == int(header["DATASUM"])
    assert datasum(raw) == VALID


def test_one_flipped_bit_shows():
    """A sum over damaged bytes is no longer minus zero."""
    raw = bytearray(_hdu_bytes(np.ones((8, 8))))
    raw[3000] ^= 4
    assert datasum(raw) != VALID


@given(st.binary(max_size=400), st.integers(0, 100))
def test_chunks_add_up(raw, words):
    """Summing in chunks, or apart, equals summing at once."""
    whole, cut = datasum(raw), 4 * words
    assert datasum(raw[cut:], previous=datasum(raw[:cut])) == whole
    assert add(datasum(raw[:cut]), datasum(raw[cut:])) == whole


@given(WORD)
def test_encode_is_what_astropy_writes(total):
    """The 16 characters are those of astropy, hence of CFITSIO."""
    assert encode(total) == fits.PrimaryHDU()._char_encode(VALID - total)


@given(WORD, st.integers(0, 11))
def test_encode_brings_any_place_to_minus_zero(total, offset):
    """With the characters in place of the zeros, wherever these are, the sum is minus zero."""
    before, zeros = bytes(offset), b"0" * 16
    blank = datasum(before + zeros, previous=total)
    text = encode(blank, offset)
    assert text.isalnum()
    assert datasum(before + text.encode("ascii"), previous=total) == VALID


def test_memoryviews_and_arrays_are_bytes_too():
    """Any contiguous buffer is summed as its bytes."""
    array = np.arange(10, dtype=">u4")
    assert datasum(array) == datasum(memoryview(array)) == datasum(array.tobytes()) == 45

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Silence for what astropy has to say about other people's headers."""

import warnings
from contextlib import contextmanager

from astropy.io.fits.verify import VerifyWarning
from astropy.utils.exceptions import AstropyWarning

__all__ = ["quiet"]


@contextmanager
def quiet():
    """Ignore warnings about headers that are odd but can be read."""
    with warnings.catch_warnings():
        for category in (AstropyWarning, VerifyWarning, RuntimeWarning):
            warnings.simplefilter("ignore", category)
        yield

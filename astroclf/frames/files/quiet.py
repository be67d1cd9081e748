# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What astropy has to say about other people's files: warnings are dropped, errors become one kind."""

import warnings
from contextlib import contextmanager

from astropy.io.fits.verify import VerifyWarning
from astropy.utils.exceptions import AstropyWarning

from astroclf.exceptions import FrameError

__all__ = ["quiet", "refusing"]


@contextmanager
def quiet():
    """Ignore warnings about headers that are odd but can be read."""
    with warnings.catch_warnings():
        for category in (AstropyWarning, VerifyWarning, RuntimeWarning):
            warnings.simplefilter("ignore", category)
        yield


@contextmanager
def refusing(where, kind=FrameError):
    """
    Raise a `FrameError` for whatever is raised over a file that is broken.

    Parameters
    ----------
    where : str
        What to call the file or HDU in the message.
    kind : type, optional
        Which `FrameError` to raise.
    """
    try:
        yield
    except FrameError:
        raise
    except Exception as error:  # astropy, wcslib and the decoders raise a score of kinds
        why = "not enough memory" if isinstance(error, MemoryError) else str(error) or type(error).__name__
        msg = f"{where} cannot be read, it may be damaged or cut short: {why}"
        raise kind(msg) from error

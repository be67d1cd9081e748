# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Exceptions and warnings of astroclf.

.. code-block:: text

    AstroclfError
    ├── FrameError            the input cannot be read as an image
    │   └── EmptyFrameError   an image, but without one usable pixel
    ├── TagError              the header block cannot be written, read or removed
    ├── ModelError            the model file is missing, altered or not understood
    └── MissingDependencyError  an optional package is needed and absent
    AstroclfWarning           the result stands, with a reservation
"""

from astropy.utils.exceptions import AstropyUserWarning

__all__ = [
    "AstroclfError",
    "AstroclfWarning",
    "EmptyFrameError",
    "FrameError",
    "MissingDependencyError",
    "ModelError",
    "TagError",
]


class AstroclfError(Exception):
    """Root of every error astroclf raises for a cause the user can mend."""


class FrameError(AstroclfError):
    """The input cannot be read as an image."""


class EmptyFrameError(FrameError):
    """The input is an image, but has no pixel that is finite and unmasked."""


class TagError(AstroclfError):
    """The tag block cannot be written, read or removed; the file is as it was."""


class ModelError(AstroclfError):
    """The model file is missing, altered or not understood."""


class MissingDependencyError(AstroclfError):
    """An optional package is needed and not installed; the message says which extra has it."""


class AstroclfWarning(AstropyUserWarning):
    """The result stands, with a reservation the user should know."""

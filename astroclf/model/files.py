# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Files that lie beside a model's record: data, never code, and checked before they are used."""

import hashlib
import io
from zipfile import BadZipFile

import numpy as np

from astroclf.exceptions import ModelError

__all__ = ["pack_arrays", "read_arrays", "read_checked"]


def read_checked(path, sha256, what):
    """
    Return the content of a file, once it has proved to be the one the record speaks of.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.
    sha256 : str
        Its SHA-256, as the model's record has it.
    what : str
        What the file is, for messages.

    Returns
    -------
    content : bytes
        The whole file.

    Raises
    ------
    ModelError
        If it is missing or has another SHA-256.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path}: the {what} file cannot be read: {error.strerror}; install astroclf again"
        raise ModelError(msg) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        msg = (
            f"{path}: SHA-256 is {found}, the record says {sha256}: the file is damaged or was "
            "replaced; install astroclf again, or point to the record that belongs to it"
        )
        raise ModelError(msg)
    return content


def pack_arrays(arrays):
    """Return the content of a ``.npz`` file of arrays, given by name."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def read_arrays(path, sha256, what, types, shapes):
    """
    Read what `pack_arrays` made.

    Parameters
    ----------
    path, sha256, what
        As of `read_checked`.
    types : dict
        Names and types of the arrays.
    shapes : callable
        Takes the arrays, and returns the shape that each should have.

    Returns
    -------
    arrays : dict of `~numpy.ndarray`
        All finite.

    Raises
    ------
    ModelError
        If the file is missing, has another SHA-256, or does not hold what it should.
    """
    content = read_checked(path, sha256, what)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in types}
        _check(arrays, types, shapes(arrays))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        msg = f"{path}: not a {what} file of this model: {error}"
        raise ModelError(msg) from error
    return arrays


def _check(arrays, types, shapes):
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype != types[name] or not np.isfinite(array).all():
            msg = f"{name} must be finite {types[name]} of shape {shapes[name]}; got {array.dtype} {array.shape}"
            raise ValueError(msg)

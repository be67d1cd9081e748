# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Last layers: another one on the same network has other classes, or another look at the frame."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from astroclf.model.files import pack_arrays, read_arrays

__all__ = ["FEATURES", "Head", "HeadBackend", "HeadFile"]

FEATURES = 2048
"""Outputs of the network's last layer but one."""

_TYPES = {"kernel": "float32", "bias": "float32"}


@dataclass(frozen=True, eq=False)
class Head:
    """
    A linear last layer.

    Parameters
    ----------
    kernel : `~numpy.ndarray` of float32, shape (2048, classes)
        Weights of the features.
    bias : `~numpy.ndarray` of float32, shape (classes,)
        Constants.
    """

    kernel: np.ndarray
    bias: np.ndarray

    def __call__(self, features):
        """Return the logits, shape (n, classes), of features of shape (n, 2048)."""
        return features @ self.kernel + self.bias

    def to_bytes(self):
        """Return the content of a `HeadFile`."""
        return pack_arrays({name: getattr(self, name) for name in _TYPES})


@dataclass(frozen=True)
class HeadFile:
    """
    What a model's record says of a last layer that lies beside it.

    Parameters
    ----------
    path : `~pathlib.Path`
        A ``.npz`` file.
    sha256 : str
        Its SHA-256, 64 hexadecimal digits.
    """

    path: Path
    sha256: str

    @classmethod
    def from_dict(cls, described, folder):
        """
        Read a section of a record.

        Parameters
        ----------
        described : dict or None
            The section; None where the model has none.
        folder : `~pathlib.Path`
            Folder of the record.

        Returns
        -------
        file : HeadFile or None
            The file itself is not opened.
        """
        return None if described is None else cls(folder / Path(described["file"]).name, str(described["sha256"]))

    def read(self, classes):
        """
        Read the layer.

        Parameters
        ----------
        classes : int
            Number of classes of the model.

        Returns
        -------
        head : Head
            Ready to use.

        Raises
        ------
        ModelError
            If the file is missing, has another SHA-256, or does not hold what it should.
        """
        shapes = {"kernel": (FEATURES, classes), "bias": (classes,)}
        return Head(**read_arrays(self.path, self.sha256, "last layer", _TYPES, lambda arrays: shapes))


class HeadBackend:
    """
    A runtime whose network has another last layer.

    Parameters
    ----------
    backend : object
        A runtime of `astroclf.model`, with a method ``outputs``.
    head : Head
        The last layer.
    """

    def __init__(self, backend, head):
        self._backend, self.head = backend, head

    @property
    def name(self):
        """Name of the runtime."""
        return self._backend.name

    def logits(self, images):
        """Return the logits, shape (n, classes), of pictures of shape (n, 224, 224, 3)."""
        return self.outputs(images, "logits")[0]

    def outputs(self, images, *names):
        """Return outputs as the runtime does, the logits from the other last layer."""
        wanted = sorted({"features", *names} - {"logits"})
        found = dict(zip(wanted, self._backend.outputs(images, *wanted)))
        found["logits"] = self.head(found["features"])
        return [found[name] for name in names]

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The novelty score: how unlike everything in the taxonomy a frame is, judged by what the network makes of it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import expit, logsumexp

from astroclf.model.files import pack_arrays, read_arrays

__all__ = ["DISTANCES", "NOVEL", "NoveltyFile", "NoveltyScore"]

NOVEL = 0.5
"""Least novelty of a frame whose status is ``NOVEL``."""

DISTANCES = 4
"""Number of distances in the margin, beside the coordinates."""

_ARRAYS = {"mean": "float32", "axes": "float16", "whitening": "float32", "centres": "float32", "weights": "float32"}


@dataclass(frozen=True)
class NoveltyFile:
    """
    What a model's record says of its novelty score.

    Parameters
    ----------
    path : `~pathlib.Path`
        A ``.npz`` file, which lies beside the record.
    sha256 : str
        SHA-256 of the file, 64 hexadecimal digits.
    threshold : float
        Margin of a frame whose novelty is 0.5.
    method : str
        How the score was made, in words.
    fitted_on : tuple of str, optional
        What it was fitted on: ``usual``, and the kinds of oddities.
    """

    path: Path
    sha256: str
    threshold: float
    method: str
    fitted_on: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, described, folder):
        """
        Read the section ``novelty`` of a record.

        Parameters
        ----------
        described : dict or None
            The section; None where the model has no novelty score.
        folder : `~pathlib.Path`
            Folder of the record.

        Returns
        -------
        file : NoveltyFile or None
            The file itself is not opened.
        """
        if described is None:
            return None
        path = folder / Path(described["file"]).name
        fitted_on = tuple(described.get("fitted_on", ()))
        return cls(path, str(described["sha256"]), float(described["threshold"]), str(described["method"]), fitted_on)


@dataclass(frozen=True, eq=False)
class NoveltyScore:
    """
    A linear margin between what the network was made for and what it was not; call it with its outputs.

    It looks before the last stage of the network, which is taught to see nothing but the taxonomy: of kinds that no
    score was fitted on, one on what that stage makes of them finds fewer. The square roots of the means of the maps
    there, less their mean, are laid along the ``axes``, on which they scatter within a class by 1. To these
    coordinates come four distances, all of which grow with novelty: the logarithm of that to the nearest class
    (Mahalanobis distance; Lee et al. 2018), of its ratio to that to the middle of all classes (Ren et al. 2021 take
    the difference), of what lies off the axes (as in ViM; Wang et al. 2022), and the energy of the logits (Liu et al.
    2020). The weights are those of a logistic regression between frames of the taxonomy and others (outlier exposure;
    Hendrycks et al. 2019).

    Parameters
    ----------
    mean : `~numpy.ndarray` of float32, shape (maps,)
        Mean of these square roots over frames in the taxonomy.
    axes : `~numpy.ndarray` of float16, shape (maps, k)
        Principal axes, orthogonal.
    whitening : `~numpy.ndarray` of float32, shape (k, k)
        Makes of coordinates along the axes those whose scatter within a class is 1.
    centres : `~numpy.ndarray` of float32, shape (classes, k)
        Means of the classes in these coordinates.
    weights : `~numpy.ndarray` of float32, shape (k + 4,)
        Of the coordinates and the distances.
    threshold : float
        Margin of a frame whose novelty is 0.5.
    """

    mean: np.ndarray
    axes: np.ndarray
    whitening: np.ndarray
    centres: np.ndarray
    weights: np.ndarray
    threshold: float = 0.0

    def __call__(self, logits, middle):
        """
        Return the novelty of frames.

        Parameters
        ----------
        logits : `~numpy.ndarray`, shape (n, classes)
            Outputs of the network, means over the views of each frame.
        middle : `~numpy.ndarray`, shape (n, maps)
            Means of its maps before the last stage, never negative, likewise.

        Returns
        -------
        novelty : `~numpy.ndarray`, shape (n,), range [0, 1]
            0.5 at the threshold.
        """
        return expit(self.inputs(logits, middle) @ self.weights.astype(float) - self.threshold)

    def inputs(self, logits, middle):
        """
        Return what the margin is a weighted sum of.

        Parameters
        ----------
        logits, middle : `~numpy.ndarray`
            As in the call.

        Returns
        -------
        inputs : `~numpy.ndarray`, shape (n, k + 4)
            Coordinates, then distances, of order 1.
        """
        centred, axes = np.sqrt(middle.astype(float)) - self.mean, self.axes.astype(float)
        along = centred @ axes
        z = along @ self.whitening
        nearest = _squares(z[:, None] - self.centres).min(axis=1)
        off = np.linalg.norm(centred - along @ axes.T, axis=1)
        energy = -logsumexp(logits.astype(float), axis=1)
        distances = np.log(nearest), np.log(nearest / _squares(z - self.centres.mean(axis=0))), np.log(off), energy / 5
        return np.column_stack([z, *distances])

    def to_bytes(self):
        """Return the content of its file: all arrays; the threshold is in the record."""
        return pack_arrays({name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def from_file(cls, file, classes):
        """
        Read the score of a model.

        Parameters
        ----------
        file : NoveltyFile
            What the record says of it.
        classes : int
            Number of classes of the model.

        Returns
        -------
        score : NoveltyScore
            Ready to use.

        Raises
        ------
        ModelError
            If the file is missing, has another SHA-256, or does not hold what it should.
        """
        arrays = read_arrays(file.path, file.sha256, "novelty", _ARRAYS, partial(_shapes, classes=classes))
        return cls(**arrays, threshold=file.threshold)


def _shapes(arrays, *, classes):
    size, k = arrays["axes"].shape if arrays["axes"].ndim == 2 else (0, 0)
    return {
        "mean": (size,), "axes": (size, k), "whitening": (k, k), "centres": (classes, k), "weights": (k + DISTANCES,),
    }  # fmt: skip


def _squares(vectors):
    return np.maximum(np.square(vectors).sum(axis=-1), 1e-9)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ImageNet mode: the stock ResNet50 and its thousand everyday labels, which are not astronomy."""

import warnings
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from astroclf.exceptions import AstroclfWarning, ModelError
from astroclf.frames import read_frame
from astroclf.frames.frame import Origin
from astroclf.model.tensorflow_backend import import_keras
from astroclf.preprocess import Preprocessor
from astroclf.render import Stretch

__all__ = ["ImageNetClassifier", "ImageNetPrediction", "imagenet_classes"]

_PLAIN = Preprocessor(stretch=Stretch.grey())
"""A plain grey picture, which is what comes nearest to a photograph; pictures in colour are photographs."""


@cache
def imagenet_classes():
    """
    Return the names of ImageNet's classes.

    Returns
    -------
    classes : tuple of str
        1000 names, in the order of the network's outputs.
    """
    return tuple(files("astroclf.model").joinpath("data/imagenet_classes.txt").read_text("ascii").splitlines())


@dataclass(frozen=True)
class ImageNetPrediction:
    """
    What ImageNet's network takes a frame for; not a verdict, and never written to headers.

    Parameters
    ----------
    labels : tuple of str
        The five most probable classes.
    probs : tuple of float
        Their probabilities, in [0, 1], not calibrated.
    origin : Origin
        Where the frame came from.
    """

    labels: tuple[str, ...]
    probs: tuple[float, ...]
    origin: Origin = field(default_factory=Origin)

    @property
    def label(self):
        """The most probable class."""
        return self.labels[0]

    @property
    def prob(self):
        """Its probability."""
        return self.probs[0]

    def to_row(self):
        """Return the row of a table, with the columns of `astroclf.Prediction.to_row`."""
        return {
            "status": "IMAGENET", "verdict": "unknown", "label": self.label, "prob": round(self.prob, 4),
            "group": "", "gprob": None,
        }  # fmt: skip

    def to_dict(self):
        """Return what `to_row` does, with numbers in full, and all ``labels`` with their ``probs``."""
        return self.to_row() | {"prob": self.prob, "labels": list(self.labels), "probs": list(self.probs)}

    def __str__(self):
        return ", ".join(f"{label} {prob:.3f}" for label, prob in zip(self.labels[:3], self.probs))


class ImageNetClassifier:
    """
    The stock ResNet50 in Keras; made by ``Classifier("imagenet")``.

    Parameters
    ----------
    weights : path-like, optional
        Local file with the weights: ``.h5`` as Keras keeps them, or ``.npz`` with one array a
        variable, named ``layer/variable``. By default Keras downloads them once and keeps them.

    Raises
    ------
    MissingDependencyError
        If TensorFlow is not installed.
    ModelError
        If the weights cannot be downloaded or read.

    Warns
    -----
    AstroclfWarning
        Always: these labels are not astronomy.
    """

    def __init__(self, weights=None):
        self._model = _load(import_keras(), weights)
        warnings.warn(
            "ImageNet's labels are everyday things, not astronomy: a galaxy will be called a jellyfish or worse",
            AstroclfWarning,
            stacklevel=3,
        )

    def __call__(self, source):
        """
        Classify one frame.

        Parameters
        ----------
        source : `~astroclf.Frame` or anything `~astroclf.read_frame` takes
            The frame; not modified.

        Returns
        -------
        prediction : ImageNetPrediction
            The five most probable of ImageNet's classes.
        """
        from keras.applications.resnet50 import preprocess_input

        frame = read_frame(source)
        upright = _PLAIN.looks(frame)[-1][::-1]
        probs = np.asarray(self._model(preprocess_input(255 * upright[None]), training=False))[0]
        best = np.argsort(-probs)[:5]
        return ImageNetPrediction(tuple(imagenet_classes()[i] for i in best), tuple(probs[best].tolist()), frame.origin)


def _load(keras, weights):
    try:
        if weights is None:
            return keras.applications.ResNet50(weights="imagenet")
        if Path(weights).suffix == ".npz":
            from astroclf.train.network import fill_from_npz

            model = keras.applications.ResNet50(weights=None)
            fill_from_npz(model, weights)
            return model
        return keras.applications.ResNet50(weights=str(weights))
    except (OSError, KeyError, ValueError) as error:
        source = "Keras's download" if weights is None else weights
        msg = f"{source}: no weights of ResNet50 to be had: {error}; with a local copy, use weights=FILE (--weights)"
        raise ModelError(msg) from error
    except Exception as error:  # Keras wraps a failed download in a bare Exception
        msg = f"Keras could not download the weights ({error}); with a local copy, use weights=FILE (--weights)"
        raise ModelError(msg) from error

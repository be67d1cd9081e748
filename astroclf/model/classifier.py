# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The classifier: frames in, predictions out."""

import numpy as np

from astroclf.frames import read_frame
from astroclf.model.record import BUNDLED, load_record
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.taxonomy import group_of

__all__ = ["Classifier"]


class Classifier:
    """
    A model ready to look at frames.

    Parameters
    ----------
    model : str or path-like, optional
        ``"astro"``, the bundled model; the ``.json`` record of another; or ``"imagenet"``, which makes an
        `~astroclf.model.imagenet.ImageNetClassifier`, whose labels are not astronomy.
    backend : {'onnx', 'tensorflow'}, optional
        Runtime; both give the same probabilities.
    views : {1, 2, 4}, optional
        Rotations of each frame, by right angles, whose logits are averaged; by default as in the
        model's record.
    weights : path-like, optional
        Of ``"imagenet"`` only: a file with its weights.
    threads : int, optional
        Threads of ONNX Runtime; by default one a core. TensorFlow decides for itself.

    Raises
    ------
    ModelError
        If the model is missing, altered or not understood.
    MissingDependencyError
        If the runtime is not installed.
    ValueError
        If ``backend`` or ``views`` is none of those named.

    Examples
    --------
    >>> from astroclf import Classifier
    >>> from astroclf.datasets import make_frame
    >>> Classifier()(make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=1)).group
    'star_cluster'
    """

    def __new__(cls, model="astro", **settings):
        """Make the classifier of another kind that ``"imagenet"`` names."""
        if model == "imagenet":
            from astroclf.model.imagenet import ImageNetClassifier

            return ImageNetClassifier(settings.get("weights"))
        return super().__new__(cls)

    def __init__(self, model="astro", *, backend="onnx", views=None, weights=None, threads=0):
        if weights is not None:
            msg = f"weights is for model='imagenet' only; got weights={str(weights)!r} with model={str(model)!r}"
            raise ValueError(msg)
        if views not in (None, 1, 2, 4):
            msg = f"views must be 1, 2 or 4; got {views!r}"
            raise ValueError(msg)
        self.record = load_record(None if model in ("astro", BUNDLED) else model)
        self.views = views or self.record.views
        self._backend = _make_backend(backend, self.record, threads)

    def __call__(self, source):
        """
        Classify one frame.

        Parameters
        ----------
        source : `~astroclf.Frame` or anything `~astroclf.read_frame` takes
            The frame; not modified.

        Returns
        -------
        prediction : `~astroclf.Prediction`
            The verdict. It depends on pixels and the file's layout only, never on names and coordinates.

        Raises
        ------
        FrameError
            If ``source`` holds no image that can be read.
        """
        frame = self.record.preprocessor.clean(read_frame(source))  # the frame as read is let go
        rgb = self.record.preprocessor(frame)
        turned = np.stack([np.rot90(rgb, k * (4 // self.views)) for k in range(self.views)])
        return self._judge(self._backend.logits(turned), frame)

    def _judge(self, logits, frame):
        """Return the verdict on the logits of the views, shape (views, classes)."""
        calibration, labels = self.record.calibration, self.record.labels
        probs = _softmax(logits.mean(axis=0) / calibration.temperature)
        order = np.argsort(-probs, kind="stable")
        groups = _group_probs(labels, probs)
        ranked = probs[order]
        return Prediction(
            labels=tuple(labels[i] for i in order),
            probs=tuple(ranked.tolist()),
            groups=tuple(groups),
            group_probs=tuple(groups.values()),
            status=_status(ranked[0], next(iter(groups.values())), frame.quality, calibration),
            quality=frame.quality,
            provenance=self._provenance(),
            agreement=float(np.mean(logits.argmax(axis=1) == order[0])),
            n_set=max(int(np.count_nonzero(ranked >= calibration.conformal)), 1),
            coverage=calibration.coverage,
            taxonomy=self.record.taxonomy,
            origin=frame.origin,
        )

    def _provenance(self):
        record = self.record
        options = []
        if self.views != record.views:
            options.append(f"views={self.views}")
        if self._backend.name != "onnx":
            options.append(f"backend={self._backend.name}")
        return Provenance(record.name, record.sha256, record.preprocessor.digest, ";".join(options))


def _make_backend(name, record, threads):
    if name == "onnx":
        from astroclf.model.onnx_backend import OnnxBackend

        return OnnxBackend(record.read_bytes(), threads)
    if name == "tensorflow":
        from astroclf.model.tensorflow_backend import TensorFlowBackend

        return TensorFlowBackend(record.read_bytes(), len(record.labels))
    msg = f"backend must be 'onnx' or 'tensorflow'; got {name!r}"
    raise ValueError(msg)


def _softmax(logits):
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()


def _group_probs(labels, probs):
    """Return {group: probability}, most probable first."""
    sums = {}
    for label, prob in zip(labels, probs):
        group = group_of(label)
        sums[group] = sums.get(group, 0.0) + float(prob)
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _status(prob, group_prob, quality, calibration):
    if quality > calibration.worst_quality:
        return Status.LOWQUAL
    if prob >= calibration.sure_class:
        return Status.OK
    return Status.GROUP if group_prob >= calibration.sure_group else Status.UNCERTAIN

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The classifier: frames in, predictions out."""

import numpy as np

from astroclf.exceptions import FrameError
from astroclf.frames import Origin, read_frame
from astroclf.model.head import HeadBackend
from astroclf.model.novelty import NOVEL, NoveltyScore
from astroclf.model.prior import Prior
from astroclf.model.record import BUNDLED, load_record
from astroclf.model.userfile import UserRecord, is_user_model, load_user_model
from astroclf.options import Options
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.render import ORIENTATIONS, STRETCHES, orient
from astroclf.taxonomy import group_or_self

__all__ = ["Classifier", "load_model"]


class Classifier:
    """
    A model ready to look at frames.

    Parameters
    ----------
    model : str or path-like, optional
        ``"astro"``, the bundled model; an ``.astroclf`` file, with classes of one's own; the ``.json`` record of
        another network; or ``"imagenet"``, which makes an `~astroclf.model.imagenet.ImageNetClassifier`,
        whose labels are not astronomy.
    backend : {'onnx', 'tensorflow'}, optional
        Runtime; both give the same probabilities.
    views : {1, 2, 4, 8}, optional
        Orientations of each frame whose logits are averaged, see `astroclf.render.orient`; by default as in the
        model's record.
    stretches : {1, 3}, optional
        Stretches in which each frame is looked at: that of the model, by default alone, or a softer and a harder one,
        too, see `astroclf.render.STRETCHES`. The others count in ``agreement``, one view each, and in nothing else.
    prior : dict, optional
        How common classes and groups are where the frames come from, as ``{"galaxy": 0.7, "spiral_galaxy": 0.1}``;
        see `~astroclf.model.Prior`. By default all classes are equally common, as they were in training. With it
        predictions have no conformal label set, whose coverage is promised for that mix only.
    weights : path-like, optional
        Of ``"imagenet"`` only: a file with its weights.
    threads : int, optional
        Threads of ONNX Runtime; by default one for each core that the process may use, which a batch system or
        ``taskset`` limits. TensorFlow decides for itself.

    Raises
    ------
    ModelError
        If the model is missing, altered or not understood.
    MissingDependencyError
        If the runtime is not installed.
    ValueError
        If ``backend``, ``views`` or ``stretches`` is none of those named, or ``prior`` is none.

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

    def __init__(self, model="astro", *, backend="onnx", views=None, stretches=1, prior=None, weights=None, threads=0):
        if weights is not None:
            msg = f"weights is for model='imagenet' only; got weights={str(weights)!r} with model={str(model)!r}"
            raise ValueError(msg)
        if views not in (None, *ORIENTATIONS):
            msg = f"views must be 1, 2, 4 or 8; got {views!r}"
            raise ValueError(msg)
        if stretches not in tuple(STRETCHES):
            msg = f"stretches must be 1 or 3; got {stretches!r}"
            raise ValueError(msg)
        self.record = load_model(model)
        self.views = views or self.record.views
        self.stretches = stretches
        self.prior = None if prior is None else Prior(prior, self.record.labels)
        self._backend = _make_backend(backend, self.record, threads)
        novelty, colour = self.record.novelty, self.record.colour
        self._coloured = None if colour is None else HeadBackend(self._backend, colour.read(len(self.record.labels)))
        self._novelty = None if novelty is None else NoveltyScore.from_file(novelty, len(self.record.labels))

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
        logits, votes, novelty = self._look(frame)
        return self._verdict(self._probs(logits), votes, frame.quality, frame.origin, novelty=novelty)

    def combine(self, sources):
        """
        Classify several frames of one target together, as of several filters.

        The verdict is on the mean of the calibrated probabilities of the filters, each of which is the mean of those
        of its frames: on held-out pictures that was as good as classifying the frames stacked. The frames need not
        be aligned.

        Parameters
        ----------
        sources : iterable of `~astroclf.Frame` or anything `~astroclf.read_frame` takes
            The frames; not modified. Each is let go when it has been looked at.

        Returns
        -------
        prediction : `~astroclf.Prediction`
            The verdict, its quality and novelty the means of those of the frames. ``origin`` names them in ``inputs``,
            and has no path: to tag a file with it, put that file's in its place.

        Raises
        ------
        FrameError
            If a source holds no image that can be read, or there is none.
        """
        filters, votes, origins, qualities, novelties = {}, [], [], [], []
        for source in sources:
            frame = self.record.preprocessor.clean(read_frame(source))
            logits, named, novelty = self._look(frame)
            filters.setdefault(frame.facts.filter or len(filters), []).append(self._probs(logits))
            votes.append(named)
            origins.append(frame.origin)
            qualities.append(frame.quality)
            novelties.append(novelty)
        if not origins:
            msg = "sources must hold at least one frame; got none"
            raise FrameError(msg)
        probs = np.mean([np.mean(group, axis=0) for group in filters.values()], axis=0)
        origin = Origin(inputs=tuple(origin.name for origin in origins)) if len(origins) > 1 else origins[0]
        novelty = None if self._novelty is None else float(np.mean(novelties))
        quality, votes = float(np.mean(qualities)), np.concatenate(votes)
        return self._verdict(probs, votes, quality, origin, novelty=novelty, combined=len(origins))

    def explain(self, source, label=None):
        """
        Say which parts of a frame speak for a class.

        Parameters
        ----------
        source : `~astroclf.Frame` or anything `~astroclf.read_frame` takes
            The frame; not modified.
        label : str, optional
            A class; by default the most probable one.

        Returns
        -------
        explanation : `~astroclf.Explanation`
            The class activation map of that class, in the cells of the network and on the frame.

        Raises
        ------
        FrameError
            If ``source`` holds no image that can be read.
        ValueError
            If ``label`` is not a class.
        """
        from astroclf.model.explanation import check_label, make_explanation, read_head

        check_label(label, self.record.labels)
        frame = self.record.preprocessor.clean(read_frame(source))
        logits, maps = zip(*self._outputs(frame, self.record.preprocessor(frame), "logits", "maps"))
        heads = [read_head(self.record)] + ([self._coloured.head] if self._coloured else [])
        best = self.record.labels[self._weigh(self._probs(np.concatenate(logits))).argmax()]
        return make_explanation(label or best, frame, list(zip(maps, heads)), self.record)

    def _look(self, frame):
        """Return the logits of the orientations of a cleaned frame, the class that each view names, and its novelty."""
        first, *others = self.record.preprocessor.stretched(frame, STRETCHES[self.stretches])
        names = ("logits",) if self._novelty is None else ("logits", "middle")
        looks = self._outputs(frame, first, *names)
        logits = np.concatenate([outputs[0] for outputs in looks])
        views = np.concatenate([logits, *(self._backend.logits(other[None]) for other in others)])
        return logits, self._votes(views), self._novelty_of(looks[0])

    def _outputs(self, frame, rendered, *names):
        """Return outputs for all orientations of a frame's rendering, and then of the picture if it is in colour."""
        looks = [self._backend.outputs(orient(rendered, self.views), *names)]
        coloured = self.record.preprocessor.in_colour(frame) if self._coloured else None
        if coloured is not None:
            looks.append(self._coloured.outputs(orient(coloured, self.views), *names))
        return looks

    def _novelty_of(self, outputs):
        """Return the novelty of a frame by what the network makes of its views; None where the model has none."""
        if self._novelty is None:
            return None
        return float(self._novelty(*(output.mean(axis=0, keepdims=True) for output in outputs))[0])

    def _probs(self, logits):
        return _softmax(logits.mean(axis=0) / self.record.calibration.temperature)

    def _votes(self, logits):
        """Return the class that each view names."""
        return np.array([self._weigh(self._probs(view[None])).argmax() for view in logits])

    def _weigh(self, probs):
        return probs if self.prior is None else self.prior(probs)

    def _verdict(self, probs, votes, quality, origin, *, novelty=None, combined=1):
        """Return the verdict on calibrated probabilities, and on the classes that the views name."""
        calibration, labels = self.record.calibration, self.record.labels
        probs = self._weigh(probs)
        order = np.argsort(-probs, kind="stable")
        groups = _group_probs(labels, probs)
        ranked = probs[order]
        return Prediction(
            labels=tuple(labels[i] for i in order),
            probs=tuple(ranked.tolist()),
            groups=tuple(groups),
            group_probs=tuple(groups.values()),
            status=_status(ranked[0], next(iter(groups.values())), quality, novelty, calibration),
            quality=quality,
            provenance=self._provenance(combined),
            agreement=float(np.mean(votes == order[0])),
            novelty=novelty,
            n_set=None if self.prior else max(int(np.count_nonzero(ranked >= calibration.conformal)), 1),
            coverage=None if self.prior else calibration.coverage,
            taxonomy=self.record.taxonomy,
            origin=origin,
        )

    def _provenance(self, combined):
        record = self.record
        options = Options(
            combine=combined if combined > 1 else None,
            prior=str(self.prior) if self.prior else None,
            views=self.views if self.views != record.views else None,
            stretches=self.stretches if self.stretches > 1 else None,
            backend=self._backend.name if self._backend.name != "onnx" else None,
        )
        return Provenance(record.name, record.sha256, record.preprocessor.digest, str(options))


def load_model(model):
    """
    Return the record of a model.

    Parameters
    ----------
    model : str or path-like
        As of `Classifier`, but for ``"imagenet"``.

    Returns
    -------
    record : `~astroclf.model.ModelRecord`
        What is known of it.

    Raises
    ------
    ModelError
        If the model is missing, altered or not understood.
    """
    if is_user_model(model):
        return load_user_model(model)
    return load_record(None if model in ("astro", BUNDLED) else model)


def _make_backend(name, record, threads):
    if isinstance(record, UserRecord):
        return HeadBackend(_make_backend(name, record.base, threads), record.head)
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
        group = group_or_self(label)
        sums[group] = sums.get(group, 0.0) + float(prob)
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _status(prob, group_prob, quality, novelty, calibration):
    if quality > calibration.worst_quality:
        return Status.LOWQUAL
    if novelty is not None and novelty >= NOVEL:
        return Status.NOVEL
    if prob >= calibration.sure_class:
        return Status.OK
    return Status.GROUP if group_prob >= calibration.sure_group else Status.UNCERTAIN

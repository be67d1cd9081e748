# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Classify a tagged file again, with the model and the settings that its tags name, and compare."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

from astroclf import __version__
from astroclf.exceptions import TagError
from astroclf.options import Options
from astroclf.prediction import Prediction
from astroclf.tags.block import same_number
from astroclf.tags.cards import printable
from astroclf.tags.keywords import to_cards
from astroclf.tags.models import Models
from astroclf.tags.read import Tags, read_tags
from astroclf.tags.sidecar import is_sidecar, sidecar_path, subject_of

__all__ = ["Replay", "Replayer", "replay_tags"]

_VERDICT = frozenset(
    {"CLFCLASS", "CLFSTAT", "CLFPROB", "CLFLAB", "CLFPRB", "CLFGROUP", "CLFGPROB", "CLFNSET", "CLFCOVER", "CLFNOVEL",
     "CLFQUAL", "CLFAGREE", "CLFTAXON", "CLFUAT", "CLFAVM"}
)  # fmt: skip
"""Keywords that must be the same, without their numbers."""


@dataclass(frozen=True)
class Replay:
    """
    A verdict made again.

    Parameters
    ----------
    tags : `~astroclf.tags.Tags`
        The block as it is in the file.
    prediction : `~astroclf.Prediction`
        The verdict as it is now.
    differences : tuple of str
        Where they differ by more than the rounding of the cards, one keyword each.
    notes : tuple of str
        What can explain that: other pixels, another version of astroclf.
    """

    tags: Tags
    prediction: Prediction
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def same(self):
        """Whether the verdict is the same: class, status, ranked classes and groups, and all numbers."""
        return not self.differences

    def to_row(self):
        """
        Return the replay as one row of a table.

        Returns
        -------
        row : dict
            ``result``, which is ``SAME`` or ``DIFFERENT``; ``status``, ``verdict`` and ``prob`` as recorded;
            ``new_status``, ``new_verdict`` and ``new_prob`` as they are now; and all that is to be said as ``text``.
        """
        new = self.prediction
        return {
            "result": str(self),
            "status": self.tags.status,
            "verdict": self.tags.verdict,
            "prob": self.tags.prob,
            "new_status": str(new.status),
            "new_verdict": new.verdict,
            "new_prob": None if new.prob is None else round(new.prob, 6),
            "text": "; ".join((*self.differences, *self.notes)) or None,
        }

    def __str__(self):
        return "SAME" if self.same else "DIFFERENT"


def replay_tags(path, *, model=None, inputs=()):
    """
    Classify a tagged file again, with the model and the settings that its tags name, and compare.

    Nothing is written.

    Parameters
    ----------
    path : path-like
        A tagged file.
    model : str or path-like, optional
        A model at hand besides the bundled one, as of `~astroclf.Classifier`.
    inputs : iterable of path-like, optional
        Where to look, by their names, for the other frames of a combined verdict that are not beside the file.

    Returns
    -------
    replay : Replay
        The verdict as it is now, and how it differs.

    Raises
    ------
    TagError
        If the file has no verdict, its settings are not understood, or another frame of a combined verdict is
        not found.
    ModelError
        If the model that made the verdict is not at hand, or altered.
    FrameError
        If a file cannot be read as an image.
    MissingDependencyError
        If the verdict was made in TensorFlow and that is not installed.

    Examples
    --------
    >>> from astroclf import replay_tags
    >>> replay_tags("m51.fits").same  # doctest: +SKIP
    True
    """
    return Replayer(model, inputs)(path)


class Replayer:
    """
    Makes verdicts again, as `replay_tags` does, of one file after the other; the last network stays loaded.

    Parameters
    ----------
    model, inputs
        As for `replay_tags`.
    threads : int, optional
        As of `~astroclf.Classifier`.
    """

    def __init__(self, model=None, inputs=(), threads=0):
        self._models = Models(model)
        self._inputs = tuple(map(Path, inputs))
        self._threads = threads
        self._last = None, None

    def __call__(self, path):
        """Return the `Replay` of a file."""
        tags, path = read_tags(path), Path(path)
        if tags is None or tags.verdict is None:
            msg = f"{path}: has no verdict that could be made again; astroclf tag writes one"
            raise TagError(msg)
        classifier, subject = self._classifier(path, tags), subject_of(path)
        if tags.inputs:
            prediction = self._combined(subject, tags, classifier, path.parent)
        else:
            prediction = classifier(_read(subject, tags))
        return Replay(tags, prediction, _differences(tags, prediction), _notes(tags, prediction))

    def _classifier(self, path, tags):
        """Return the classifier that the tags name; that of the file before, if it is the same."""
        from astroclf.model.classifier import Classifier
        from astroclf.model.prior import parse_prior

        model, _ = self._models.find(tags)
        options = _options(path, tags)
        wanted = model, options.backend, options.views, options.stretches, options.prior
        if self._last[0] != wanted:
            prior = options.prior and parse_prior(options.prior)
            looks = {"views": options.views, "stretches": options.stretches or 1}
            settings = {"backend": options.backend or "onnx", "prior": prior, "threads": self._threads}
            with _understood(path, tags):
                self._last = wanted, Classifier(model, **looks, **settings)
        return self._last[1]

    def _combined(self, path, tags, classifier, sidecars):
        """Return the verdict on several frames together, as it is written into one of them."""
        files, origins = [path], []
        for name in map(str, tags.inputs):
            files.append(self._find(name, files))

        def frames():
            for file in files:
                frame = _read(file, tags if file == path else _of_same_verdict(file, tags, sidecars))
                origins.append(frame.origin)
                yield frame

        return classifier.combine(frames()).written_to(origins[0])

    def _find(self, name, taken):
        """Return another frame of a combined verdict: beside the first, or among those that were named."""
        folder = taken[0].parent
        beside = [folder / name] if (folder / name).is_file() else sorted(folder.iterdir())
        for file in (*beside, *map(subject_of, self._inputs)):
            if printable(file.name) == name and file.is_file() and file not in taken:
                return file
        msg = f"{taken[0]}: the verdict is also on {name}, which is not beside it; name that file, too (inputs=)"
        raise TagError(msg)


def _options(path, tags):
    with _understood(path, tags):
        return Options.parse(str(tags.get("CLFOPTS") or ""))


@contextmanager
def _understood(path, tags):
    """Say which card is meant where its settings make no sense."""
    try:
        yield
    except ValueError as error:
        msg = f"{path}: CLFOPTS = {tags.get('CLFOPTS')!r} cannot be repeated: {error}"
        raise TagError(msg) from error


def _read(path, tags):
    """Read what the verdict was on: the part of the file that was asked for, if one was."""
    from astroclf.frames import read_frame

    options = Options() if tags is None else _options(path, tags)
    return read_frame(path, options.hdu, options.plane)


def _of_same_verdict(path, tags, sidecars):
    """Return the tags of another frame if they are those of the same verdict, from a folder of sidecars too."""
    sidecar = sidecar_path(path, sidecars)
    for other in (read_tags(path), read_tags(sidecar) if is_sidecar(sidecar) else None):
        if other and len(other.inputs) == len(tags.inputs) and other.get("CLFSHA") == tags.get("CLFSHA"):
            return other
    return None


def _differences(tags, prediction):
    new = read_tags(fits.Header(to_cards(prediction)))
    keywords = [key for key in dict.fromkeys((*tags, *new)) if key.rstrip("0123456789") in _VERDICT]
    return tuple(
        f"{key} was {_told(tags.get(key))}, is {_told(new.get(key))}"
        for key in keywords
        if not _same(tags.get(key), new.get(key))
    )


def _same(old, new):
    numbers = all(value is None or isinstance(value, int | float) for value in (old, new))
    return same_number(old, new) if numbers else old == new


def _told(value):
    return "without a value" if value is None else str(value)


def _notes(tags, prediction):
    """Say what can explain another verdict."""
    origin, provenance = prediction.origin, prediction.provenance
    notes = []
    if tags.stale:
        notes.append(f"the tags are of {tags.get('CLFFILE')}, this is {tags.file}")
    if (tags.get("CLFDSUM") or "") != " ".join(origin.datasums):
        notes.append("the pixels are not those of the tagging: CLFDSUM differs")
    if (tags.get("CLFHDU") or "") != " ".join(origin.hdus):
        notes.append(f"other HDUs were read: {tags.get('CLFHDU')} then, {' '.join(origin.hdus)} now")
    if tags.get("CLFMODEL") != provenance.model:
        notes.append(f"the model was {tags.get('CLFMODEL')}, this is {provenance.model}, of the same network")
    if tags.get("CLFPREP") != provenance.preprocessing:
        notes.append("the preprocessing settings are not those of the tagging: CLFPREP differs")
    if tags.get("CLFVERS") != __version__:
        notes.append(f"tagged by astroclf {tags.get('CLFVERS')}, this is {__version__}")
    return tuple(notes)

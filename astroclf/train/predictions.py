# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What a classifier said of files whose truth is known: as arrays, and as a CSV file that anyone can recompute."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from astroclf.exceptions import AstroclfError
from astroclf.taxonomy import group_or_self, labels
from astroclf.train.calibrate import group_matrix

__all__ = ["KINDS", "UNREAD", "Predictions", "read_predictions", "write_predictions"]

KINDS = ("picture", "simulated", "frame")
"""What a file is; results of each are kept apart."""

UNREAD = "UNREAD"
"""Stands for the status of a file that could not be read."""

_DECIMALS = 6
_COLUMNS = ("file", "object_key", "kind", "snr", "truth", "accept", "label", "prob", "group")
_ENDS = ("status", "n_set", "novelty")
_CLASS = "p_"


@dataclass(frozen=True)
class Predictions:
    """
    Verdicts on ``n`` files, and their truth.

    Parameters
    ----------
    files, objects, kinds : `~numpy.ndarray` of str, shape (n,)
        Name of each file, the object it shows, and one of `KINDS`.
    snr : `~numpy.ndarray` of float, shape (n,)
        Signal to noise; NaN where the manifest does not tell.
    truth : `~numpy.ndarray` of str, shape (n,)
        The label of the manifest.
    accepted : `~numpy.ndarray` of bool, shape (n, classes)
        Which of ``classes`` count as right.
    probs : `~numpy.ndarray` of float, shape (n, classes)
        Probabilities of six decimals; 0 where the file could not be read.
    status : `~numpy.ndarray` of str, shape (n,)
        Name of an `~astroclf.prediction.Status`, empty where the classifier has none, or `UNREAD`.
    sizes : `~numpy.ndarray` of int, shape (n,)
        Number of classes in the conformal set; 0 where there is none.
    novelty : `~numpy.ndarray` of float, shape (n,)
        Novelty score; NaN where there is none.
    classes : tuple of str
        The classes that the classifier names, in the order of the columns of ``accepted`` and ``probs``.
    """

    files: np.ndarray
    objects: np.ndarray
    kinds: np.ndarray
    snr: np.ndarray
    truth: np.ndarray
    accepted: np.ndarray
    probs: np.ndarray
    status: np.ndarray
    sizes: np.ndarray
    novelty: np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def from_probs(cls, cases, probs, status="", sizes=None, novelty=None, classes=None):
        """
        Make them of probabilities.

        Parameters
        ----------
        cases : sequence of Case
            What `astroclf.train.evaluate.read_cases` returns.
        probs : `~numpy.ndarray` of float, shape (n, classes)
            In the order of the cases and of the classes.
        status : str or sequence of str, optional
            Statuses; by default the classifier has none.
        sizes : sequence of int, optional
            Sizes of the conformal sets; by default there are none.
        novelty : sequence of float, optional
            Novelty scores; by default there are none.
        classes : sequence of str, optional
            The classes; by default those of the taxonomy.

        Returns
        -------
        predictions : Predictions
            Probabilities are rounded as they are in the CSV file, so that both give the same numbers.
        """
        n, classes = len(cases), labels() if classes is None else tuple(classes)
        return cls(
            files=np.array([case.name for case in cases], str),
            objects=np.array([case.object_key for case in cases], str),
            kinds=np.array([case.kind for case in cases], str),
            snr=np.array([case.snr for case in cases], float),
            truth=np.array([case.label for case in cases], str),
            accepted=np.array([[name in case.accept for name in classes] for case in cases], bool).reshape(n, -1),
            probs=np.round(np.asarray(probs, float), _DECIMALS).reshape(n, -1),
            status=np.broadcast_to(np.array(status, str), (n,)),
            sizes=np.zeros(n, int) if sizes is None else np.array(sizes, int),
            novelty=np.full(n, np.nan) if novelty is None else np.array(novelty, float),
            classes=classes,
        )

    @classmethod
    def from_outcomes(cls, outcomes, classes=None):
        """
        Make them of what a classifier said.

        Parameters
        ----------
        outcomes : sequence of Outcome
            What `astroclf.train.evaluate.run_cases` yields.
        classes : sequence of str, optional
            The classes; by default those of the taxonomy.

        Returns
        -------
        predictions : Predictions
            A class that the classifier does not know has the probability 0.
        """
        classes = labels() if classes is None else tuple(classes)
        said = [outcome.prediction for outcome in outcomes]
        known = [{} if one is None else dict(zip(one.labels, one.probs)) for one in said]
        return cls.from_probs(
            [outcome.case for outcome in outcomes],
            np.array([[row.get(label, 0.0) for label in classes] for row in known]),
            [UNREAD if one is None else str(one.status) for one in said],
            [0 if one is None else one.n_set or 0 for one in said],
            [np.nan if one is None or one.novelty is None else one.novelty for one in said],
            classes,
        )

    def __len__(self):
        return len(self.files)

    def __getitem__(self, rows):
        """Return some of the rows, chosen as numpy chooses them."""
        names = self.__dataclass_fields__.keys() - {"classes"}
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def in_order(self, classes):
        """
        Return the same with the classes in another order.

        Parameters
        ----------
        classes : sequence of str
            All the classes.

        Returns
        -------
        predictions : Predictions
            With these ``classes``.

        Raises
        ------
        ValueError
            If the classes are others.
        """
        if set(classes) != set(self.classes):
            msg = f"the classes are {', '.join(self.classes)}, and not {', '.join(classes)}; choose models of the same"
            raise ValueError(msg)
        columns = [self.classes.index(name) for name in classes]
        return replace(self, classes=tuple(classes), accepted=self.accepted[:, columns], probs=self.probs[:, columns])

    @property
    def groups(self):
        """The groups of the classes; a class that is not of the taxonomy is a group of its own."""
        return tuple(dict.fromkeys(map(group_or_self, self.classes)))

    @property
    def was_read(self):
        """Whether each file could be read, bool, shape (n,)."""
        return self.status != UNREAD

    @property
    def named(self):
        """The most probable class, str, shape (n,); empty where the file could not be read."""
        return np.where(self.was_read, np.array(self.classes)[self.probs.argmax(axis=1)], "")

    @property
    def named_group(self):
        """The most probable group, str, shape (n,); empty where the file could not be read."""
        best = (self.probs @ group_matrix(self.classes)).argmax(axis=1)
        return np.where(self.was_read, np.array(self.groups)[best], "")

    @property
    def true_group(self):
        """Group of the label of the manifest, str, shape (n,)."""
        return np.array([group_or_self(label) for label in self.truth], str)

    @property
    def right(self):
        """Whether the most probable class counts as right, bool, shape (n,)."""
        return self.was_read & self.accepted[np.arange(len(self)), self.probs.argmax(axis=1)]

    @property
    def right_group(self):
        """Whether the most probable group is that of a class that counts as right, bool, shape (n,)."""
        of_groups = self.accepted @ group_matrix(self.classes) > 0
        return (of_groups & (self.named_group[:, None] == np.array(self.groups))).any(axis=1)


def write_predictions(predictions, path):
    """
    Write one row a file.

    Parameters
    ----------
    predictions : Predictions
        What to write.
    path : path-like
        The CSV file: ``file, object_key, kind, snr, truth, accept, label, prob, group``, one column ``p_<class>`` a
        class, ``status, n_set, novelty``. What is not known is empty.
    """
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*_COLUMNS, *(_CLASS + label for label in predictions.classes), *_ENDS])
        writer.writerows(_row(predictions, i) for i in range(len(predictions)))


def _row(predictions, i):
    p = predictions
    read = p.was_read[i]
    accept = " ".join(label for label, right in zip(p.classes, p.accepted[i]) if right)
    probs = [f"{prob:.{_DECIMALS}f}" if read else "" for prob in (p.probs[i].max(), *p.probs[i])]
    return [
        p.files[i], p.objects[i], p.kinds[i], _number(p.snr[i]), p.truth[i], accept, p.named[i], probs[0],
        p.named_group[i], *probs[1:], p.status[i], p.sizes[i] or "", _number(p.novelty[i]),
    ]  # fmt: skip


def _number(value):
    return "" if np.isnan(value) else f"{value:.6g}"


def read_predictions(path):
    """
    Read what `write_predictions` wrote.

    Parameters
    ----------
    path : path-like
        The CSV file.

    Returns
    -------
    predictions : Predictions
        Equal to those written.

    Raises
    ------
    AstroclfError
        If the file cannot be read, lacks a column, or a value is none that belongs there.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: the predictions cannot be read: {error}"
        raise AstroclfError(msg) from error
    classes = tuple(name.removeprefix(_CLASS) for name in columns if name.startswith(_CLASS))
    missing = [name for name in (*_COLUMNS, *_ENDS) if name not in columns] + ([] if classes else [f"{_CLASS}<class>"])
    if missing:
        msg = f"{path}: not a file that astroclf evaluate -o writes: it lacks the columns {', '.join(missing)}"
        raise AstroclfError(msg)
    try:
        return _parse(rows, classes)
    except ValueError as error:
        msg = f"{path}: not a file that astroclf evaluate -o writes: {error}"
        raise AstroclfError(msg) from error


def _parse(rows, classes):
    texts = {name: np.array([row[name] or "" for row in rows], str) for name in (*_COLUMNS, *_ENDS)}
    accepted = [[label in row["accept"].split() for label in classes] for row in rows]
    probs = [[float(row[_CLASS + label] or 0) for label in classes] for row in rows]
    return Predictions(
        files=texts["file"], objects=texts["object_key"], kinds=texts["kind"], truth=texts["truth"],
        status=texts["status"], snr=_floats(texts["snr"]), novelty=_floats(texts["novelty"]),
        sizes=np.array([int(text or 0) for text in texts["n_set"]]),
        accepted=np.array(accepted, bool), probs=np.array(probs, float), classes=classes,
    )  # fmt: skip


def _floats(texts):
    return np.array([float(text) if text else np.nan for text in texts])

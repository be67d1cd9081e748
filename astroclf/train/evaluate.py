# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Evaluation on labelled frames and pictures: accuracy by class and group, with counts and intervals."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.table import Table

from astroclf.exceptions import AstroclfError
from astroclf.frames import read_frame
from astroclf.taxonomy import group_or_self, labels
from astroclf.train.examples import split_of

__all__ = ["Case", "Outcome", "class_table", "read_cases", "read_examples", "run_cases", "summary", "wilson_interval"]


@dataclass(frozen=True)
class Case:
    """A file whose truth is known: the label, the labels that count as right, and the object it shows."""

    path: Path
    label: str
    accept: tuple[str, ...]
    object_key: str


@dataclass(frozen=True)
class Outcome:
    """A case and what the classifier said of it; ``prediction`` is None where the file could not be read."""

    case: Case
    prediction: object
    error: str = ""

    @property
    def right(self):
        """Whether the most probable class counts as right."""
        return self.prediction is not None and self.prediction.label in self.case.accept

    @property
    def right_group(self):
        """Whether the most probable group is that of a label that counts as right."""
        return self.prediction is not None and self.prediction.group in {group_or_self(x) for x in self.case.accept}


def read_cases(manifest, split=None, *, known=None):
    """
    Read the labelled files of a manifest.

    Parameters
    ----------
    manifest : path-like
        CSV file with the columns ``file`` or ``path`` (relative to it), ``label`` and ``object_key``;
        ``accept``, if there, lists the labels that count as right, and rows where it is empty are left out.
    split : {'train', 'calibration', 'test'}, optional
        Only the objects of this split.
    known : sequence of str, optional
        Labels that may occur; by default those of the taxonomy.

    Returns
    -------
    cases : list of Case
        In the order of the file.

    Raises
    ------
    AstroclfError
        If the manifest cannot be read, lacks a column or names an unknown label.
    """
    known = labels() if known is None else known
    cases = [_case(row, manifest) for row in _rows(manifest) if (row.get("accept", "-") or "").strip()]
    for case in cases:
        unknown = {case.label, *case.accept} - set(known)
        if unknown:
            named = ", ".join(sorted(unknown))
            msg = f"{manifest}: {case.path.name}: unknown label {named}; known are {', '.join(known)}"
            raise AstroclfError(msg)
    return [case for case in cases if split is None or split_of(case.object_key) == split]


def read_examples(manifest):
    """
    Read the labelled files of a manifest whose labels may be any.

    Parameters
    ----------
    manifest : path-like
        CSV file with the columns ``file`` or ``path`` (relative to it) and ``label``; a file without an
        ``object_key`` is an object of its own.

    Returns
    -------
    cases : list of Case
        In the order of the file.

    Raises
    ------
    AstroclfError
        If the manifest cannot be read or lacks a column.
    """
    return [_case(row, manifest, keyed=False) for row in _rows(manifest)]


def _rows(manifest):
    try:
        with Path(manifest).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{manifest}: the manifest cannot be read: {error}"
        raise AstroclfError(msg) from error


def _case(row, manifest, keyed=True):
    name = row.get("file") or row.get("path")
    key = row.get("object_key") or (None if keyed else name)
    if not name or not row.get("label") or not key:
        wanted = "file (or path), label and object_key" if keyed else "file (or path) and label"
        msg = f"{manifest}: a manifest needs the columns {wanted}; got {', '.join(map(str, row))}"
        raise AstroclfError(msg)
    accept = tuple((row.get("accept") or row["label"]).split())
    return Case(Path(manifest).parent / name, row["label"], accept, key)


def run_cases(cases, classifier):
    """
    Classify files whose truth is known, one by one.

    Parameters
    ----------
    cases : iterable of Case
        The files: FITS frames, or pictures.
    classifier : `~astroclf.Classifier`
        The classifier.

    Yields
    ------
    outcome : Outcome
        One a case, in their order.
    """
    for case in cases:
        try:
            yield Outcome(case, classifier(read_frame(case.path)))
        except AstroclfError as error:
            yield Outcome(case, None, str(error))


def wilson_interval(rate, count, z=1.96):
    """
    Return the Wilson (1927) interval of a proportion.

    Parameters
    ----------
    rate : float
        Observed proportion, in [0, 1].
    count : float
        Number of independent trials.
    z : float, optional
        Standard deviations; 1.96 for 95 per cent.

    Returns
    -------
    low, high : float
        In [0, 1]; (0, 1) where ``count`` is 0.

    Examples
    --------
    >>> from astroclf.train.evaluate import wilson_interval
    >>> low, high = wilson_interval(0.9, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    if not count:
        return 0.0, 1.0
    middle = rate + z**2 / (2 * count)
    half = z * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    return tuple(float((middle + sign * half) / (1 + z**2 / count)) for sign in (-1, 1))


def summary(outcomes):
    """
    Sum up outcomes over all files and over all objects.

    Parameters
    ----------
    outcomes : sequence of Outcome
        What `run_cases` yields.

    Returns
    -------
    table : `~astropy.table.Table`
        Rows ``label``, ``group``, ``label when OK``: columns ``files``, ``objects``, ``by_file``,
        ``by_object`` (the mean over objects of their share of right files), ``low`` and ``high`` (Wilson
        95 per cent interval of ``by_object``, one trial an object).
    """
    sure = [outcome for outcome in outcomes if outcome.prediction is not None and outcome.prediction.status == "OK"]
    rows = [
        _row("label", outcomes, lambda outcome: outcome.right),
        _row("group", outcomes, lambda outcome: outcome.right_group),
        _row("label when OK", sure, lambda outcome: outcome.right),
    ]
    table = Table(rows=rows)
    table.meta["balanced accuracy"] = _balanced(outcomes)
    return table


def _row(name, outcomes, judge):
    by_object = defaultdict(list)
    for outcome in outcomes:
        by_object[outcome.case.object_key].append(judge(outcome))
    shares = [np.mean(right) for right in by_object.values()]
    by_object_rate = float(np.mean(shares)) if shares else 0.0
    low, high = wilson_interval(by_object_rate, len(shares))
    by_file = float(np.mean([judge(outcome) for outcome in outcomes])) if outcomes else 0.0
    return {
        "right": name, "files": len(outcomes), "objects": len(shares), "by_file": round(by_file, 4),
        "by_object": round(by_object_rate, 4), "low": round(low, 4), "high": round(high, 4),
    }  # fmt: skip


def _balanced(outcomes):
    by_class = defaultdict(list)
    for outcome in outcomes:
        by_class[outcome.case.label].append(outcome.right)
    return round(float(np.mean([np.mean(right) for right in by_class.values()])), 4) if by_class else 0.0


def class_table(outcomes):
    """
    Tabulate recall and precision by class.

    Parameters
    ----------
    outcomes : sequence of Outcome
        What `run_cases` yields.

    Returns
    -------
    table : `~astropy.table.Table`
        Columns ``label``, ``files``, ``objects``, ``recall`` with its Wilson interval by file, and
        ``precision`` (NaN where the class was never named), with ``named``, how often it was.
    """
    rows = []
    for label in _occurring(outcomes):
        mine = [outcome for outcome in outcomes if outcome.case.label == label]
        named = [
            outcome for outcome in outcomes if outcome.prediction is not None and outcome.prediction.label == label
        ]
        recall = float(np.mean([outcome.right for outcome in mine])) if mine else float("nan")
        low, high = wilson_interval(recall, len(mine)) if mine else (float("nan"), float("nan"))
        precision = float(np.mean([outcome.right for outcome in named])) if named else float("nan")
        rows.append({
            "label": label, "files": len(mine), "objects": len({outcome.case.object_key for outcome in mine}),
            "recall": round(recall, 3), "low": round(low, 3), "high": round(high, 3),
            "named": len(named), "precision": round(precision, 3),
        })  # fmt: skip
    return Table(rows=rows)


def _occurring(outcomes):
    """Return the labels that occur in outcomes: those of the taxonomy in its order, then others."""
    named = {outcome.prediction.label for outcome in outcomes if outcome.prediction is not None}
    found = {outcome.case.label for outcome in outcomes} | named
    return [*(label for label in labels() if label in found), *sorted(found - set(labels()))]

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What predictions are worth: every number of ``astroclf evaluate``, as a dictionary and as text."""

from itertools import pairwise

import numpy as np
from astropy.table import Table

from astroclf.train.metrics import (
    area_under_risk_coverage,
    bootstrap_interval,
    brier_score,
    calibration_error,
    calibration_error_by_chance,
    is_covered,
    is_right,
    mean_by_object,
    paired_difference,
    risk_coverage,
    wilson_interval,
)
from astroclf.train.predictions import KINDS, UNREAD

__all__ = ["FEWEST_OBJECTS", "compare", "comparison_text", "measure", "report_text"]

FEWEST_OBJECTS = 20
"""Groups with fewer objects get no verdict in a comparison."""

_TITLES = {"picture": "Pictures", "simulated": "Simulated frames", "frame": "Real frames"}
_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)
_DEPTHS = (0, 20, 50, 150, 500, np.inf)


def measure(predictions):
    """
    Measure predictions, each kind of file apart.

    Parameters
    ----------
    predictions : `~astroclf.train.predictions.Predictions`
        What was said, and the truth.

    Returns
    -------
    sections : dict
        By kind: ``shares``, ``balanced_accuracy``, ``classes``, ``confusion``, ``calibration``, ``selective``,
        ``statuses`` and ``by_snr``, of plain numbers. Intervals are 95 %, and count an object once.
    """
    kinds = [kind for kind in KINDS if (predictions.kinds == kind).any()]
    return {kind: _section(predictions[predictions.kinds == kind]) for kind in kinds}


def _section(p):
    read = p[p.was_read]
    return {
        "files": len(p),
        "objects": len(set(p.objects)),
        "unread": int((~p.was_read).sum()),
        "several_right": int((p.accepted.sum(axis=1) > 1).sum()),
        "shares": _shares(p),
        "balanced_accuracy": float(np.mean([p.right[p.truth == label].mean() for label in set(p.truth)])),
        "classes": [_class_row(p, label) for label in p.classes if label in {*p.truth, *p.named}],
        "confusion": _confusion(p),
        "calibration": _calibration(read),
        "selective": _selective(read),
        "statuses": [_status_row(p, status) for status in sorted(set(p.status)) if status],
        "by_snr": [_snr_row(p, *ends) for ends in pairwise(_DEPTHS) if _between(p, *ends).any()],
    }


def _share(right, objects):
    """Return a share over files, and over objects with its Wilson interval."""
    count = len(set(objects))
    by_object = float(mean_by_object(right, objects).mean()) if count else float("nan")
    low, high = wilson_interval(by_object, count) if count else (float("nan"),) * 2
    by_file = float(np.mean(right)) if count else float("nan")
    return {"files": len(right), "objects": count, "by_file": by_file, "by_object": by_object, "low": low, "high": high}


def _shares(p):
    sure = p.status == "OK"
    shares = {
        "label": _share(p.right, p.objects),
        "label in top 3": _share(p.was_read & is_right(p.probs, p.accepted, 3), p.objects),
        "group": _share(p.right_group, p.objects),
    }
    return shares | ({"label when OK": _share(p.right[sure], p.objects[sure])} if sure.any() else {})


def _class_row(p, label):
    mine, named = p.truth == label, p.named == label
    return {"class": label, **_rate("recall", p, mine), **_rate("precision", p, named)}


def _rate(name, p, rows):
    """Return a share over files with its Wilson interval of as many trials as there are objects."""
    files, objects = int(rows.sum()), len(set(p.objects[rows]))
    rate = float(p.right[rows].mean()) if files else float("nan")
    low, high = wilson_interval(rate, objects) if files else (float("nan"),) * 2
    return {
        f"{name}_right": int(p.right[rows].sum()), f"{name}_files": files, f"{name}_objects": objects,
        name: rate, f"{name}_low": low, f"{name}_high": high,
    }  # fmt: skip


def _confusion(p):
    used = [label for label in (*p.classes, "") if label in {*p.truth, *p.named}]
    truths = [label for label in used if label in set(p.truth)]
    counts = [[int(((p.truth == truth) & (p.named == named)).sum()) for named in used] for truth in truths]
    return {"truth": truths, "named": [label or UNREAD for label in used], "counts": counts}


def _calibration(p):
    confidence = p.probs.max(axis=1)
    low, high = bootstrap_interval(lambda rows: calibration_error(confidence[rows], p.right[rows]), p.objects)
    chance, chance_low, chance_high = calibration_error_by_chance(confidence, p.objects)
    found = {
        "ece": calibration_error(confidence, p.right),
        "ece_low": low,
        "ece_high": high,
        "ece_by_chance": chance,
        "ece_by_chance_low": chance_low,
        "ece_by_chance_high": chance_high,
        "brier": brier_score(p.probs, p.accepted),
    }
    told = p.sizes > 0
    if told.any():
        covered = is_covered(p.probs, p.accepted, p.sizes)[told]
        found |= {"coverage": _share(covered, p.objects[told]), "set_size": float(p.sizes[told].mean())}
    return found


def _selective(p):
    coverage, risk = risk_coverage(p.probs.max(axis=1), p.right)
    chosen = {f"{share:.0%}": _risk_at(coverage, risk, share) for share in _COVERAGES}
    return {"risk": chosen, "aurc": area_under_risk_coverage(p.probs.max(axis=1), p.right)}


def _risk_at(coverage, risk, share):
    return float(risk[np.searchsorted(coverage, share - 1e-9)]) if len(risk) else float("nan")


def _status_row(p, status):
    rows = p.status == status
    return {
        "status": status, "files": int(rows.sum()), "share": float(rows.mean()),
        "label": float(p.right[rows].mean()), **_ends("label", p.right[rows], p.objects[rows]),
        "group": float(p.right_group[rows].mean()), **_ends("group", p.right_group[rows], p.objects[rows]),
    }  # fmt: skip


def _ends(name, right, objects):
    low, high = wilson_interval(float(right.mean()), len(set(objects)))
    return {f"{name}_low": low, f"{name}_high": high}


def _between(p, low, high):
    return (p.snr >= low) & (p.snr < high)


def _snr_row(p, low, high):
    rows = _between(p, low, high)
    return {
        "snr_from": float(low), "snr_to": float(high) if np.isfinite(high) else None, "files": int(rows.sum()),
        "label": float(p.right[rows].mean()), **_ends("label", p.right[rows], p.objects[rows]),
        "group": float(p.right_group[rows].mean()), "confidence": float(p.probs[rows].max(axis=1).mean()),
    }  # fmt: skip


def report_text(sections):
    """
    Write what `measure` returns for people.

    Parameters
    ----------
    sections : dict
        What `measure` returns.

    Returns
    -------
    text : str
        A heading a kind, and its tables.
    """
    return "\n".join(_section_text(_TITLES[kind], section) for kind, section in sections.items())


def _section_text(title, s):
    cal = s["calibration"]
    head = f"{title}: {s['files']} files of {s['objects']} objects; {s['unread']} could not be read"
    shares = [{"right": name, **row} for name, row in s["shares"].items()]
    if "coverage" in cal:
        shares.append({"right": "in label set", **cal["coverage"]})
    lines = [
        head, "=" * len(head), "", _table(shares), f"balanced accuracy          {s['balanced_accuracy']:.3f}",
        f"expected calibration error {_ranged(cal, 'ece')}; of a perfect calibration {_ranged(cal, 'ece_by_chance')}",
        f"Brier score                {cal['brier']:.3f}",
    ]  # fmt: skip
    lines += [f"mean size of label sets    {cal['set_size']:.2f}"] if "set_size" in cal else []
    risks = ", ".join(f"{risk:.3f} at {share}" for share, risk in s["selective"]["risk"].items())
    lines += [
        f"risk at coverage           {risks}; area {s['selective']['aurc']:.3f}",
        "",
        _table(_compact(s["classes"])),
    ]
    lines += [_table(s[name]) for name in ("statuses", "by_snr") if s[name]]
    return "\n".join([*lines, _confusion_text(s["confusion"])])


def _ranged(numbers, name):
    return f"{numbers[name]:.3f} ({numbers[f'{name}_low']:.3f}, {numbers[f'{name}_high']:.3f})"


def _compact(rows):
    """Return the rows of the classes with counts and intervals as text."""
    return [{"class": row["class"], **_said(row, "recall"), **_said(row, "precision")} for row in rows]


def _said(row, name):
    right, files, objects = (row[f"{name}_{part}"] for part in ("right", "files", "objects"))
    ends = f"({row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f})"
    return {name: f"{row[name]:.2f} {ends}" if files else "-", f"of ({name})": f"{right}/{files}, {objects} objects"}


def _table(rows):
    table = Table(rows=[{name: np.nan if cell is None else cell for name, cell in row.items()} for row in rows])
    for column in table.itercols():
        if column.dtype.kind == "f":
            column.format = ".3f"
    return "\n".join(line.rstrip() for line in table.pformat(max_lines=-1, max_width=-1, align="<")) + "\n"


def _confusion_text(confusion):
    heads = [f"{chr(97 + i)}" for i in range(len(confusion["named"]))]
    names = [f"{head} {name}" for head, name in zip(heads, confusion["named"])]
    rows = [
        {"truth": truth, **{head: str(n or ".") for head, n in zip(heads, counts)}}
        for truth, counts in zip(confusion["truth"], confusion["counts"])
    ]
    return _table(rows) + "named: " + ", ".join(names) + "\n"


def compare(predictions, other):
    """
    Compare two classifiers on the files that both were given.

    Parameters
    ----------
    predictions, other : `~astroclf.train.predictions.Predictions`
        What the two said.

    Returns
    -------
    comparison : dict
        ``files`` in both, ``left_out``, and ``sections``: by kind rows for all files and each true group, with the
        differences in label and group accuracy, over objects, their intervals of a paired bootstrap, and a verdict.

    Raises
    ------
    ValueError
        If their classes differ, they have no file in common, or they differ on the truth, the object or the kind of
        one.
    """
    first, second = _matched(predictions, other)
    kinds = [kind for kind in KINDS if (first.kinds == kind).any()]
    return {
        "files": len(first), "left_out": len(predictions) + len(other) - 2 * len(first),
        "sections": {kind: _differences(*(p[first.kinds == kind] for p in (first, second))) for kind in kinds},
    }  # fmt: skip


def _matched(first, second):
    second = second.in_order(first.classes)
    names, rows, others = np.intersect1d(first.files, second.files, return_indices=True)
    if not len(names):
        msg = "no file is in both; compare predictions of the same manifest"
        raise ValueError(msg)
    first, second = first[rows], second[others]
    same = (first.objects == second.objects) & (first.kinds == second.kinds)
    same &= (first.truth == second.truth) & (first.accepted == second.accepted).all(axis=1)
    if not same.all():
        msg = f"{names[~same][0]}: truth, object or kind differ; compare predictions of the same manifest"
        raise ValueError(msg)
    return first, second


def _differences(first, second):
    of_group = {group: first.true_group == group for group in first.groups}
    rows = {"all": np.ones(len(first), bool)} | {name: rows for name, rows in of_group.items() if rows.any()}
    return [_difference(name, first[chosen], second[chosen]) for name, chosen in rows.items()]


def _difference(name, first, second):
    count = len(set(first.objects))
    row = {"group": name, "files": len(first), "objects": count}
    for what, one, two in (("label", first.right, second.right), ("group", first.right_group, second.right_group)):
        gain, low, high = paired_difference(one, two, first.objects)
        row |= {f"{what}_gain": gain, f"{what}_low": low, f"{what}_high": high}
        row[f"{what}_verdict"] = _verdict(low, high) if count >= FEWEST_OBJECTS else "too few objects"
    return row


def _verdict(low, high):
    return "better" if low > 0 else "worse" if high < 0 else "no difference shown"


def comparison_text(comparison):
    """
    Write what `compare` returns for people.

    Parameters
    ----------
    comparison : dict
        What `compare` returns.

    Returns
    -------
    text : str
        A table a kind.
    """
    lines = [f"Compared on {comparison['files']} files in both; {comparison['left_out']} rows left out\n"]
    for kind, rows in comparison["sections"].items():
        lines += [_TITLES[kind], _table(rows)]
    return "\n".join(lines)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Write the numbers of the model card.

Run ``python benchmarks/model_card.py docs/user_guide/numbers.inc MODEL.csv [MODEL.csv ...] --other NAME=OTHER.csv
[OTHER.csv ...] [--other ...]``. MODEL.csv are what ``astroclf evaluate -o`` and ``benchmarks/signal_to_noise.py -o``
wrote of the bundled model; OTHER.csv what ``benchmarks/baselines.py -o`` wrote, or ``astroclf evaluate --model``. The
first of the others is what groups are compared with. Intervals are 95 %: Wilson's, one trial an object, of shares;
bootstraps over objects of all else.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from astropy.table import Table

from astroclf.train.predictions import KINDS, read_predictions
from astroclf.train.report import compare, measure

TITLES = {"frame": "Real frames", "picture": "Held-out pictures", "simulated": "Simulated frames"}
SHARES = ("label", "label in top 3", "group", "label when OK")


def read_all(paths):
    """Return the predictions in files, by the kind of what they are of."""
    read = [read_predictions(path) for path in paths]
    return {kind: said[said.kinds == kind] for said in read for kind in KINDS if (said.kinds == kind).any()}


def measure_all(predictions):
    """Return the numbers of predictions, by kind."""
    return {kind: measure(said)[kind] for kind, said in predictions.items()}


def between(value, low, high):
    """Return a number and its interval as text."""
    return f"{value:.2f} ({low:.2f}, {high:.2f})"


def of_share(share):
    """Return a share over objects as text."""
    return between(share["by_object"], share["low"], share["high"])


def table(rows):
    """Return rows as a table of reStructuredText."""
    text = io.StringIO()
    Table(rows=rows).write(text, format="ascii.rst")
    return text.getvalue()


def share_rows(section):
    """Return a row a share that was right, and one of the label sets."""
    shares = {name: section["shares"][name] for name in SHARES if name in section["shares"]}
    shares |= {"in the label set": section["calibration"]["coverage"]} if "coverage" in section["calibration"] else {}
    return [
        {"right": name, "files": f"{round(share['by_file'] * share['files'])} of {share['files']}",
         "by file": f"{share['by_file']:.3f}", "by object": of_share(share)}
        for name, share in shares.items()
    ]  # fmt: skip


def class_rows(section):
    """Return a row a class, intervals over its objects."""
    return [
        {"class": row["class"], **{name: rate(row, name) for name in ("recall", "precision")}}
        for row in section["classes"]
    ]


def rate(row, name):
    """Return recall or precision of a class as text."""
    right, files, objects = (row[f"{name}_{part}"] for part in ("right", "files", "objects"))
    ends = between(row[name], row[f"{name}_low"], row[f"{name}_high"]) if files else ""
    return f"{ends}, {right} of {files} ({objects})" if files else "-"


def depth_rows(section):
    """Return a row a range of signal to noise."""
    return [
        {"signal from": f"{row['snr_from']:g}", "files": row["files"],
         "label": between(row["label"], row["label_low"], row["label_high"]),
         "group": f"{row['group']:.2f}", "mean confidence": f"{row['confidence']:.2f}"}
        for row in section["by_snr"]
    ]  # fmt: skip


def section_text(kind, section):
    """Return one kind of files as reStructuredText."""
    calibration = section["calibration"]
    head = f"{TITLES[kind]}: {section['files']} files of {section['objects']} objects"
    lines = [head, "-" * len(head), "", table(share_rows(section))]
    ece, chance = (
        between(*(calibration[f"{name}{end}"] for end in ("", "_low", "_high"))) for name in ("ece", "ece_by_chance")
    )
    lines.append(
        f"Balanced accuracy {section['balanced_accuracy']:.2f}; expected calibration error {ece}, of a perfect "
        f"calibration {chance}; Brier score {calibration['brier']:.2f}; label sets of {calibration['set_size']:.2f} "
        "classes on average.\n"
    )
    if section["by_snr"]:
        lines += ["The signal is in units of the noise of the sky.\n", table(depth_rows(section))]
    lines += ["Files, and in brackets objects, of each class, and of those named so:\n", table(class_rows(section))]
    return "\n".join(lines)


def standing_rows(names, measured):
    """Return a row a classifier and kind."""
    rows = []
    for kind in ("picture", "frame"):
        for name, sections in zip(names, measured):
            if kind in sections:
                section = sections[kind]
                rows.append({
                    "on": TITLES[kind].lower(), "classifier": name, "label": of_share(section["shares"]["label"]),
                    "group": of_share(section["shares"]["group"]), "balanced": f"{section['balanced_accuracy']:.2f}",
                    "ECE": f"{section['calibration']['ece']:.2f}", "Brier": f"{section['calibration']['brier']:.2f}",
                })  # fmt: skip
    return rows


def gain_rows(model, other):
    """Return a row a kind and group, with the gain of the model."""
    kinds = [kind for kind in TITLES if kind in model and kind in other]
    sections = {kind: compare(model[kind], other[kind])["sections"][kind] for kind in kinds}
    return [
        {"on": TITLES[kind].lower(), "group": row["group"], "files": row["files"], "objects": row["objects"],
         **{f"{what} gain": signed(row, what) for what in ("label", "group")}, "label is": row["label_verdict"],
         "group is": row["group_verdict"]}
        for kind, rows in sections.items()
        for row in rows
    ]  # fmt: skip


def signed(row, what):
    """Return a gain with its interval, if there is one, as text."""
    if np.isnan(row[f"{what}_low"]):
        return f"{row[f'{what}_gain']:+.2f}"
    return f"{row[f'{what}_gain']:+.2f} ({row[f'{what}_low']:+.2f}, {row[f'{what}_high']:+.2f})"


def main():
    """Read, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("model", nargs="+")
    parser.add_argument("--other", nargs="+", action="append", default=[], metavar=("NAME=OTHER.csv", "OTHER.csv"))
    args = parser.parse_args()
    model, others = read_all(args.model), {}
    for first, *more in args.other:
        name, path = first.split("=", 1)
        others[name] = read_all([path, *more])
    sections = measure_all(model)
    text = [".. Written by benchmarks/model_card.py: do not edit.\n"]
    text += [section_text(kind, sections[kind]) for kind in TITLES if kind in sections]
    if others:
        names, measured = ["this model", *others], [sections, *map(measure_all, others.values())]
        head = "Other classifiers on the same files"
        text += [head, "-" * len(head), "", table(standing_rows(names, measured))]
        first = next(iter(others))
        text += [f"What this model gains on: {first}. Differences over objects, with those of a paired bootstrap:\n"]
        text += [table(gain_rows(model, others[first]))]
    Path(args.output).write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()

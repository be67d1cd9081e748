# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Draw the misses: what the network saw of the files it called something else.

Run ``python benchmarks/misses.py PREDICTIONS.csv MANIFEST.csv FIGURE [--columns 6]``.
PREDICTIONS.csv is what ``astroclf evaluate -o`` wrote of the files of MANIFEST.csv, whose columns ``licence`` (and
``redistributable``, if there is one) say what may be shown: files whose terms are not open are left out of the figure,
and printed like the others. Red, green and blue are what the network looks at: three white levels of one frame, or the
colours that a picture has.
"""

import argparse
import csv
import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from astroclf.annotation.theme import get_theme
from astroclf.frames import read_frame
from astroclf.model import load_record
from astroclf.train.predictions import read_predictions

OPEN = re.compile(r"CC BY|BSD|MIT|public|NASA", re.IGNORECASE)
UNCLEAR = re.compile(r"unclear|not stated|DSS", re.IGNORECASE)


def shown(row):
    """Return whether a file of a manifest may be shown."""
    if "redistributable" in row:
        return row["redistributable"] == "yes"
    return bool(OPEN.search(row["licence"])) and not UNCLEAR.search(row["licence"])


def misses(predictions, manifest):
    """Yield row of the manifest, index of the prediction, of each file with another class."""
    with Path(manifest).open(newline="", encoding="utf-8") as file:
        rows = {Path(row.get("file") or row["path"]).name: row for row in csv.DictReader(file)}
    for i in np.flatnonzero(~predictions.right):
        yield rows[Path(predictions.files[i]).name], i


def caption(predictions, i, name):
    """Return what is said of a file: its name, the truth, and the two most probable classes."""
    first, second = np.argsort(-predictions.probs[i])[:2]
    said = ", ".join(f"{predictions.classes[k]} {predictions.probs[i, k]:.2f}" for k in (first, second))
    return f"{name}\n{predictions.truth[i]} [{predictions.status[i]}]\n{said}"


def draw(pictures, columns, path):
    """Draw pictures with their captions in rows."""
    theme, rows = get_theme("dark"), -(-len(pictures) // columns)
    figure = Figure(figsize=(2.6 * columns, 3.1 * rows), layout="constrained", facecolor=theme.page)
    for axes in (grid := figure.subplots(rows, columns, squeeze=False)).flat:
        axes.set_axis_off()
    for axes, (rgb, text) in zip(grid.flat, pictures):
        axes.imshow(rgb, origin="lower", interpolation="nearest")
        axes.set_title(text, fontsize=6.5, color=theme.ink, loc="left")
    figure.savefig(path, dpi=90, bbox_inches="tight", pad_inches=0.15)


def main():
    """Find, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictions")
    parser.add_argument("manifest")
    parser.add_argument("figure")
    parser.add_argument("--columns", type=int, default=6)
    args = parser.parse_args()
    preprocessor, predictions, pictures = load_record().preprocessor, read_predictions(args.predictions), []
    for row, i in misses(predictions, args.manifest):
        name = row.get("file") or row["path"]
        text = caption(predictions, i, Path(name).name)
        print(text.replace("\n", ": "))
        if shown(row):
            frame = read_frame(Path(args.manifest).parent / name)
            pictures.append((preprocessor.looks(preprocessor.clean(frame))[-1], text))
    if pictures:
        draw(pictures, min(args.columns, len(pictures)), args.figure)


if __name__ == "__main__":
    main()

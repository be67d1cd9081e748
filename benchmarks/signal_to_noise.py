# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How deep a frame must be: accuracy, confidence and abstention against signal to noise.

Run ``python benchmarks/signal_to_noise.py LABELS.CSV CURVE.png [-o PREDICTIONS.csv] [--scenes N] [--model RECORD]``.
LABELS.CSV is the manifest of labelled pictures, of which only objects of the test split are used. Of each class with
pictures of enough objects, N pictures are turned into light, and of each class N scenes are drawn; each is exposed at
six depths by `astroclf.train.forward`, so that every depth shows the same scenes. The depth is the height of the
99.8th percentile of the light in units of the noise of the sky. ``no_source``, which has no signal, is left out.
Everything is seeded. PREDICTIONS.csv, as ``astroclf evaluate -o`` writes it, gets every verdict. Bands are 95 %
Wilson intervals, one trial an object; a drawn scene is an object.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from astroclf import Classifier
from astroclf.annotation.theme import MARKS, get_theme
from astroclf.datasets.scenes import draw_scene
from astroclf.prediction import Status
from astroclf.taxonomy import labels
from astroclf.train.evaluate import Case, Outcome
from astroclf.train.examples import group_by_object, open_picture, read_manifest, split_of
from astroclf.train.forward import expose, light_from_picture
from astroclf.train.metrics import mean_by_object, wilson_interval
from astroclf.train.predictions import Predictions, write_predictions

DEPTHS, SHAPE, FWHM, SEED = (8, 20, 50, 150, 500, 1600), (260, 260), 2.2, 71
DRAWN = "drawn "
"""How the object of a drawn scene is called."""


def scenes(pictures, count):
    """Yield label, object and light of the scenes of all classes."""
    by_object = group_by_object([picture for picture in pictures if split_of(picture.object_key) == "test"])
    for number, label in enumerate(label for label in labels() if label != "no_source"):
        for i in range(count):
            rng = np.random.default_rng((SEED, number, i))
            if label in by_object:
                key = sorted(by_object[label])[i % len(by_object[label])]
                chosen = by_object[label][key][rng.integers(len(by_object[label][key]))]
                yield label, key, light_from_picture(open_picture(chosen.path), SHAPE, rng)
            yield label, f"{DRAWN}{label} {i}", draw_scene(label, SHAPE, rng, fwhm=FWHM, spikes=0.0)


def classify(pictures, count, classifier):
    """Return the predictions of all scenes at all depths."""
    outcomes = []
    for number, (label, key, light) in enumerate(tqdm(scenes(pictures, count))):
        for depth in DEPTHS:
            name = f"{number}_{depth}"
            frame = expose(light, depth, np.random.default_rng((SEED, number)))
            case = Case(Path(name), label, (label,), key, name, "simulated", depth)
            outcomes.append(Outcome(case, classifier(frame)))
    return Predictions.from_outcomes(outcomes)


def curves(predictions):
    """Return the four curves by name, each with values, and lower and upper ends or None."""
    abstained = ~np.isin(predictions.status, [Status.OK, Status.GROUP])
    values = {
        "label right": predictions.right, "group right": predictions.right_group,
        "mean probability of the label": predictions.probs.max(axis=1), "verdict unknown": abstained,
    }  # fmt: skip
    return {name: curve(predictions, value) for name, value in values.items()}


def curve(predictions, values):
    """Return the mean over objects at each depth, and its interval where the values are shares."""
    points = []
    for depth in DEPTHS:
        rows = predictions.snr == depth
        means = mean_by_object(values[rows], predictions.objects[rows])
        points.append((means.mean(), *wilson_interval(means.mean(), len(means))))
    middle, low, high = np.array(points).T
    return (middle, low, high) if values.dtype == bool else (middle, None, None)


def draw(predictions, path):
    """Draw the curves of scenes made of pictures, and of those drawn, side by side."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib.figure import Figure

    theme = get_theme("light")
    figure = Figure(figsize=(9, 4), layout="constrained", facecolor=theme.page)
    drawn = np.char.startswith(predictions.objects, DRAWN)
    titles = {"Held-out pictures": ~drawn, "Drawn scenes": drawn}
    for axes, (title, rows) in zip(figure.subplots(1, 2, sharey=True), titles.items()):
        if rows.any():
            draw_panel(axes, predictions[rows], theme)
        axes.set_title(f"{title}: {len(set(predictions.objects[rows]))} objects", color=theme.ink, loc="left")
    figure.axes[0].legend(frameon=False, labelcolor=theme.ink, fontsize=8)
    figure.savefig(path, dpi=150)


def draw_panel(axes, predictions, theme):
    """Draw the curves of one kind; marker and dash tell them apart as well as colour."""
    colors = [MARKS[status].color for status in (Status.OK, Status.GROUP)] + [theme.ink, MARKS[Status.LOWQUAL].color]
    for (name, (middle, low, high)), color, form in zip(curves(predictions).items(), colors, ("o-", "s-", "^--", "x:")):
        axes.plot(DEPTHS, middle, form, color=color, label=name, markersize=5)
        if low is not None:
            axes.fill_between(DEPTHS, low, high, color=color, alpha=0.12, linewidth=0)
    axes.set(xscale="log", xlabel="signal, in units of the noise of the sky", ylim=(-0.02, 1.02))
    axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
    axes.minorticks_off()
    axes.grid(color=theme.line, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=theme.muted)
    axes.xaxis.label.set_color(theme.muted)


def main():
    """Classify, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures")
    parser.add_argument("figure")
    parser.add_argument("-o", "--output")
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--model", default="astro")
    args = parser.parse_args()
    predictions = classify(read_manifest(args.pictures), args.scenes, Classifier(args.model))
    if args.output:
        write_predictions(predictions, args.output)
    draw(predictions, args.figure)


if __name__ == "__main__":
    main()

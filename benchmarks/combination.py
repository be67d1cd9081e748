# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Several filters of one target: the verdict on the combined frame, or the mean of the verdicts on each.

    python benchmarks/combination.py LABELS.CSV [PICTURES]

Red, green and blue of pictures of the test split become three exposures each, of the same pointing and depth, their
noise and defects independent; see `astroclf.train.forward`. Compared are: one filter; the mean of the three
probability vectors, arithmetic and geometric (that is, of the logits); the frame that `astroclf.combine_frames` makes;
and the mean of its probabilities and theirs. Accuracies and log losses have 95 % intervals of a bootstrap over the
pictures; ``gain`` is the accuracy less that of one filter, paired; ``over`` is the mean probability of the class named
less the accuracy: above 0 a verdict is too sure of itself. Everything is seeded.
"""

import sys
from collections import defaultdict
from dataclasses import replace

import numpy as np

from astroclf import Classifier
from astroclf.frames import Facts
from astroclf.render.combination import combine_frames
from astroclf.taxonomy import labels
from astroclf.train.examples import open_picture, read_manifest, split_of
from astroclf.train.forward import expose, light_from_picture

DEPTHS = (12, 100)
SHAPE = (256, 256)
FILTERS = ("R", "V", "B")
RESAMPLES = 2000
LEAST_COLOUR = 1.0


def choose_pictures(path, count):
    """Return (picture, label) of the test split, in turn one of each class, those without colour or black left out."""
    classes = defaultdict(list)
    rng = np.random.default_rng(0)
    pictures = [picture for picture in read_manifest(path) if split_of(picture.object_key) == "test"]
    for index in rng.permutation(len(pictures)):
        classes[pictures[index].label].append(pictures[index])
    turns = [picture for turn in range(len(pictures)) for c in classes.values() for picture in c[turn : turn + 1]]
    chosen = []
    for picture in turns:
        pixels = open_picture(picture.path)
        spread = np.abs(pixels - pixels.mean(axis=2, keepdims=True)).mean()
        if spread > LEAST_COLOUR and len({fades(pixels[..., c]) for c in range(3)}) == 1:
            chosen.append((pixels, picture.label))
        if len(chosen) == count:
            break
    return chosen


def fades(channel):
    """Return whether a channel fades to black at its border: if not all do, their crops would differ."""
    border = np.concatenate([channel[0], channel[-1], channel[:, 0], channel[:, -1]])
    return np.percentile(border, 90) < 0.02 * 255


def make_frames(pixels, depth, seed):
    """Return three exposures of a picture, one a colour."""
    frames = []
    for channel, name in enumerate(FILTERS):
        grey = np.repeat(pixels[..., channel : channel + 1], 3, axis=2)
        light = light_from_picture(grey, SHAPE, np.random.default_rng(seed))
        frame = expose(light, depth, np.random.default_rng((seed, depth, channel)))
        frames.append(replace(frame, facts=Facts(filter=name)))
    return frames


def probabilities(prediction):
    """Return the probabilities in the order of the taxonomy."""
    by_label = dict(zip(prediction.labels, prediction.probs))
    return np.array([by_label[label] for label in labels()])


def verdicts(classifier, frames):
    """Return {method: probabilities}; of one filter, those of each."""
    single = np.stack([probabilities(classifier(frame)) for frame in frames])
    stacked = probabilities(classifier(combine_frames(frames)))
    logits = np.log(np.clip(single, 1e-9, None)).mean(axis=0)
    geometric = np.exp(logits - logits.max())
    mean = single.mean(axis=0)
    return {
        "one filter": single,
        "mean of probabilities": mean[None],
        "mean of logits": geometric[None] / geometric.sum(),
        "combined frame": stacked[None],
        "combined frame and filters": (0.5 * stacked + 0.5 * mean)[None],
    }


def report(depth, results, truth):
    """Print a table of one depth."""
    rng = np.random.default_rng(1)
    draws = rng.integers(0, len(truth), (RESAMPLES, len(truth)))
    heads = [
        f"depth {depth}, {len(truth)} pictures".ljust(30),
        *(h.ljust(22) for h in ("accuracy", "gain", "log loss")),
    ]
    print("  ".join([*heads, "over"]))
    rights, losses = {}, {}
    for name in results[0]:
        probs = np.stack([result[name] for result in results])
        right = (probs.argmax(axis=2) == truth[:, None]).mean(axis=1)
        loss = -np.log(np.clip(np.take_along_axis(probs, truth[:, None, None], 2), 1e-6, None)).mean(axis=(1, 2))
        rights[name], losses[name], base = right, loss, rights.get("one filter", right)
        over = (probs.max(axis=2).mean(axis=1) - right).mean()
        cells = [interval(values, draws) for values in (right, right - base, loss)]
        print(f"{name:30}  {'  '.join(cells)}  {over:+.3f}")
    pair = "mean of probabilities", "combined frame"
    less = [interval(values[pair[0]] - values[pair[1]], draws) for values in (rights, losses)]
    print(f"{pair[0]} less {pair[1]}: accuracy {less[0]}, log loss {less[1]}", flush=True)


def interval(values, draws):
    """Return a mean and its 95 % interval as text."""
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return f"{values.mean():+.3f} ({low:+.3f}, {high:+.3f})"


def main(path, count=150):
    """Print a table a depth."""
    classifier = Classifier()
    chosen = choose_pictures(path, int(count))
    truth = np.array([labels().index(label) for _, label in chosen])
    for depth in DEPTHS:
        frames = (make_frames(pixels, depth, seed) for seed, (pixels, _) in enumerate(chosen))
        report(depth, [verdicts(classifier, three) for three in frames], truth)


if __name__ == "__main__":
    main(*sys.argv[1:])

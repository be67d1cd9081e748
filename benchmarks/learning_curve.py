# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How the accuracy grows with the number of objects that are learned from.

Needs ``astroclf[tensorflow]``. Run ``python benchmarks/learning_curve.py WORK RESNET50.npz``. WORK is the folder of
``python -m astroclf.train examples``, RESNET50.npz holds the ImageNet weights. A linear head is fitted to ImageNet's
features of the training frames of a random part of the objects, and of all drawn frames; it is scored on the test
frames that were made of pictures, by object. Parts are nested, and drawn anew for each repetition; the strength of the
regularisation is fixed. The features of the bundled model would not do: it has seen all these objects.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from astropy.table import Table

from astroclf.taxonomy import labels
from astroclf.train.calibrate import group_matrix
from astroclf.train.head import fit_head
from astroclf.train.metrics import mean_by_object, wilson_interval
from astroclf.train.network import TRUNK_OUTPUT, build_classifier, cache_trunk, load_imagenet
from astroclf.train.recipe import load_examples

SHARES, REPEATS, STRENGTH, BATCH = (1 / 8, 1 / 4, 1 / 2, 1), 5, 1e-2, 64
LEARNED = 12600
"""Training examples used: the features of all would take 20 GB."""


def object_keys(folder, split):
    """Return the object of each example, empty where it was drawn."""
    return np.array(json.loads(Path(folder, f"{split}.json").read_text())["objects"])


def pooled_features(imagenet, folder):
    """Return ImageNet's features of the training and of the test examples, shape (n, 2048)."""
    import keras
    import tensorflow as tf

    model = build_classifier(len(labels()))
    load_imagenet(model, imagenet)
    trunk = cache_trunk(model, load_examples(folder, "train")[0][:LEARNED], Path(folder, "train_trunk.npy"))
    pooled = model.get_layer("avg_pool").output
    tail = keras.Model(model.get_layer(TRUNK_OUTPUT).output, pooled)
    whole, prepare = keras.Model(model.input, pooled), keras.applications.resnet50.preprocess_input
    known = in_parts(tf.function(tail), trunk)
    return known, in_parts(tf.function(lambda part: whole(prepare(part))), load_examples(folder, "test")[0])


def in_parts(network, arrays):
    """Return the outputs of a network, a batch at a time."""
    starts = range(0, len(arrays), BATCH)
    parts = (arrays[start : start + BATCH].astype(np.float32) for start in starts)
    return np.concatenate([network(part).numpy() for part in parts]).astype(float)


def score(head, features, truth, objects):
    """Return the shares of right labels and groups, by object."""
    found = (features @ head.kernel + head.bias).argmax(axis=1)
    group = group_matrix(labels()).argmax(axis=1)
    return [mean_by_object(right, objects).mean() for right in (found == truth, group[found] == group[truth])]


def curve(folder, imagenet):
    """Yield a row for each part of the objects: how many they are, and what is right, mean over repetitions."""
    known, new = pooled_features(imagenet, folder)
    (_, truth, _), (_, asked, pictured) = (load_examples(folder, split) for split in ("train", "test"))
    truth, of, asked_of = truth[:LEARNED], object_keys(folder, "train")[:LEARNED], object_keys(folder, "test")
    every = np.unique(of[of != ""])
    orders = [np.random.default_rng(seed).permutation(every) for seed in range(REPEATS)]
    for share in SHARES:
        count, marks = round(share * len(every)), []
        for order in orders[: REPEATS if share < 1 else 1]:
            rows = np.flatnonzero(np.isin(of, [*order[:count], ""]))
            head = fit_head(known[rows], truth[rows], len(labels()), STRENGTH)
            marks.append(score(head, new[pictured], asked[pictured], asked_of[pictured]))
        label, group = np.mean(marks, axis=0)
        low, high = wilson_interval(label, len(np.unique(asked_of[pictured])))
        yield {"objects": count, "frames": len(rows), "label": label, "low": low, "high": high, "group": group,
               "spread of label": np.std(marks, axis=0)[0]}  # fmt: skip


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("imagenet")
    args = parser.parse_args()
    table = Table(rows=list(curve(args.folder, args.imagenet)))
    for column in table.itercols():
        column.format = ".3f" if column.dtype.kind == "f" else None
    table.pprint_all()


if __name__ == "__main__":
    main()

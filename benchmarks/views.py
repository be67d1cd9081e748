# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What looking at a frame in more ways gains, and what it costs.

Run ``python benchmarks/views.py LABELS.CSV [--split SPLIT] [--frames N] [--model RECORD]``. LABELS.CSV is the manifest
of labelled pictures; those of the split (default: calibration, so that what is chosen by this table is not chosen on
the objects that the model is measured on) are looked at as they are, and N frames (default: 280) are made of them by
`astroclf.train.forward`. Pictures are looked at in grey, and in one of the ways, which is that of
`astroclf.Classifier`, in colour, too. Logits are averaged over all pictures of a way. Accuracies are shares of
objects, with 95 % Wilson intervals; the loss is the mean of -log p(truth) with the best temperature of each way, so
that ways are not told apart by how well the model's own fits them. Agreement is the area under the curve of agreement
against rightness: how often a right answer has more of the pictures behind it than a wrong one. Cost is the time of a
frame over that of one orientation, medians of interleaved runs of the same ten frames; reading a file is not in it.

A second table is of the verdict of four orientations and of ways to count agreement with it, by votes or by the mean
probability of its class: the same area, and what agreement says beyond the calibrated probability. That is how much the
loss of a logistic regression on whether the verdict is right falls when agreement is added to the probability, both
cross-validated with objects apart. Intervals are bootstraps over objects.
"""

import argparse
import time
from functools import partial

import numpy as np
from astropy.table import Table, vstack
from scipy.special import logit, softmax
from scipy.stats import rankdata
from tqdm import tqdm

from astroclf.frames import read_frame
from astroclf.model import load_record
from astroclf.model.head import HeadBackend
from astroclf.model.onnx_backend import OnnxBackend
from astroclf.render import ORIENTATIONS, orient
from astroclf.taxonomy import labels
from astroclf.train.calibrate import fit_temperature, group_matrix
from astroclf.train.evaluate import read_cases
from astroclf.train.examples import choose_example, group_by_object, open_picture, read_manifest, split_of
from astroclf.train.forward import simulate_frame
from astroclf.train.metrics import bootstrap_interval, mean_by_object, wilson_interval

SEED, TIMED, ROUNDS = 83, 10, 3
FEWEST = 10
"""Right verdicts, and wrong ones, at least, to tell them apart by regression."""


# ------------------------------------------------------------------------------------------- pictures


def whole(preprocessor, frame):
    """Return the picture of a frame in all orientations."""
    return orient(preprocessor(frame), 8)


def parts(preprocessor, frame, kind):
    """Return the pictures of the parts of a frame, each in four orientations; none where there are no sources."""
    return in_four(preprocessor, [view.rgb for view in preprocessor.views(frame, [kind])])


def coloured(preprocessor, frame):
    """Return the picture in its colours, in four orientations; none where it has none."""
    rgb = preprocessor.in_colour(frame)
    return in_four(preprocessor, [] if rgb is None else [rgb])


def in_four(preprocessor, pictures):
    """Return pictures, of which there may be none, each in four orientations."""
    none = np.empty((0, preprocessor.size, preprocessor.size, 3), np.float32)
    return np.concatenate([none, *(orient(rgb, 4) for rgb in pictures)])


def stretched(preprocessor, frame, factor):
    """Return the picture of a frame softer or harder stretched, in four orientations."""
    return orient(preprocessor.stretched(frame, [factor])[0], 4)


LOOKS = {
    "whole": whole,
    "colour": coloured,
    **{kind: partial(parts, kind=kind) for kind in ("centre", "tiles", "sources")},
    "softer": partial(stretched, factor=2.0),
    "harder": partial(stretched, factor=0.5),
}
"""Pictures of a frame, by name."""

FOUR, ALL = {"whole": list(ORIENTATIONS[4])}, slice(None)
WAYS = {
    **{f"{n} orientation{'s' * (n > 1)}": {"whole": list(picks)} for n, picks in ORIENTATIONS.items()},
    "4, and in colour": FOUR | {"colour": ALL},
    "4, and the centre": FOUR | {"centre": ALL},
    "4, and 4 tiles": FOUR | {"tiles": ALL},
    "4, and 4 sources": FOUR | {"sources": ALL},
    "4, in 3 stretches": FOUR | {"softer": ALL, "harder": ALL},
}
"""Which of these pictures each way looks at."""

ONCE, EACH = {"softer": [0], "harder": [0]}, {"softer": ALL, "harder": ALL}
AGREEMENTS = {
    "4": FOUR, "4, and 2 stretches": FOUR | ONCE, "4, in 3 stretches": FOUR | EACH,
    "8": {"whole": ALL}, "8, and 2 stretches": {"whole": ALL} | ONCE,
}  # fmt: skip
"""Which of them agree, or do not, with the verdict of four orientations."""


# ---------------------------------------------------------------------------------------------- frames


def picture_frames(manifest, split):
    """Yield frame, label and object of labelled pictures, as they are."""
    for case in read_cases(manifest, split):
        yield read_frame(case.path), case.label, case.object_key


def simulated_frames(manifest, split, count):
    """Yield frame, label and object of frames made of the pictures, and drawn."""
    by_object = group_by_object(
        [picture for picture in read_manifest(manifest) if split_of(picture.object_key) == split]
    )
    for i in range(count):
        rng, label = np.random.default_rng((SEED, i)), labels()[i % len(labels())]
        source = choose_example(label, by_object, rng)
        frame = simulate_frame(label, rng, source and open_picture(source.path))
        yield frame, label, source.object_key if source else f"drawn {i}"


# ------------------------------------------------------------------------------------------------ marks


def outputs(backend, pictures):
    """Return the logits of pictures, of which there may be none."""
    return backend.outputs(pictures, "logits")[0] if len(pictures) else np.empty((0, len(labels())))


def start_networks(record):
    """Return the network with its last layer for pictures in colour, and with that for all else."""
    grey = OnnxBackend(record.read_bytes())
    return {"colour": HeadBackend(grey, record.colour.read(len(record.labels))), "grey": grey}


def network_for(networks, name):
    """Return the network for pictures of a name."""
    return networks.get(name, networks["grey"])


def look(frames, record, networks):
    """Return the mean logits and the agreement of each way, the agreements with the verdict, truth and objects."""
    logits, votes, truth, objects = {way: [] for way in WAYS}, {way: [] for way in WAYS}, [], []
    agreed = []
    for frame, label, key in tqdm(list(frames), unit="frame", disable=None):
        clean = record.preprocessor.clean(frame)
        seen = {
            name: outputs(network_for(networks, name), show(record.preprocessor, clean)) for name, show in LOOKS.items()
        }
        for way, picks in WAYS.items():
            found = choose(seen, picks)
            logits[way].append(found.mean(axis=0))
            votes[way].append(np.mean(found.argmax(axis=1) == found.mean(axis=0).argmax()))
        agreed.append(agreements(seen, record.calibration.temperature))
        truth.append(labels().index(label))
        objects.append(key)
    ways = {way: (np.array(logits[way]), np.array(votes[way])) for way in WAYS}
    return ways, Table(rows=agreed), np.array(truth), np.array(objects)


def choose(seen, picks):
    """Return the logits of some of the pictures."""
    return np.concatenate([seen[name][which] for name, which in picks.items()])


def agreements(seen, temperature):
    """Return the probability of the verdict of four orientations, and how far each set of pictures agrees with it."""
    probs = softmax(choose(seen, FOUR).mean(axis=0) / temperature)
    best = probs.argmax()
    found = {"verdict": best, "probability": probs[best]}
    for name, picks in AGREEMENTS.items():
        logits = choose(seen, picks)
        found[f"{name}: votes"] = np.mean(logits.argmax(axis=1) == best)
        found[f"{name}: probability"] = softmax(logits / temperature, axis=1)[:, best].mean()
    return found


def doubts(agreed, right, objects):
    """Return the rows of the table of what tells right from wrong."""
    sure = logit(np.clip(agreed["probability"], 1e-6, 1 - 1e-6))
    alone = held_out_losses([sure], right, objects)
    rows = []
    for name in agreed.colnames[1:]:  # all but the verdict
        values = agreed[name].data
        found = {"agreement": name, "area": mark(lambda rows, values=values: area(values[rows], right[rows]), objects)}
        if name != "probability":
            gain = alone - held_out_losses([sure, values], right, objects)
            found["gain"] = mark(lambda rows, gain=gain: gain[rows].mean(), objects)
        rows.append(found)
    return rows


def mark(statistic, objects):
    """Return a statistic of all rows, with its interval, as text."""
    low, high = bootstrap_interval(statistic, objects)
    return f"{statistic(np.arange(len(objects))):.3f} ({low:.3f}, {high:.3f})"


def held_out_losses(inputs, right, objects):
    """Return -log p of whether each verdict is right, by logistic regressions that have not seen its object."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = GroupKFold(10, shuffle=True, random_state=SEED)
    probs = cross_val_predict(model, np.transpose(inputs), right, groups=objects, cv=folds, method="predict_proba")
    return -np.log(probs[np.arange(len(right)), right.astype(int)])


def marks(logits, votes, truth, objects):
    """Return the marks of one way."""
    matrix = group_matrix(labels())
    right = logits.argmax(axis=1) == truth
    temperature, loss = fit_temperature(logits, truth)
    probs = np.exp(logits / temperature)
    right_group = (probs @ matrix).argmax(axis=1) == matrix.argmax(axis=1)[truth]
    return {"label": share(right, objects), "group": share(right_group, objects), "loss": f"{loss:.3f}",
            "agreement": f"{area(votes, right):.3f}"}  # fmt: skip


def share(right, objects):
    """Return the share of objects, with its interval, as text."""
    means = mean_by_object(right, objects)
    low, high = wilson_interval(means.mean(), len(means))
    return f"{means.mean():.3f} ({low:.3f}, {high:.3f})"


def area(votes, right):
    """Return how often a right answer has more agreement than a wrong one; ties count half."""
    ranks, n = rankdata(votes), right.sum()
    return (ranks[right].sum() - n * (n + 1) / 2) / max(n * (len(right) - n), 1)


def costs(frames, record, networks):
    """Return the time of a frame of each way over that of the first."""
    spent = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for frame in frames:
            clean = record.preprocessor.clean(frame)
            for way, picks in WAYS.items():
                start = time.perf_counter()
                for name, which in picks.items():
                    outputs(network_for(networks, name), LOOKS[name](record.preprocessor, clean)[which])
                spent[way].append(time.perf_counter() - start)
    first = np.array(spent[next(iter(WAYS))])
    return {way: float(np.median(np.array(times) / first)) for way, times in spent.items()}, np.median(first)


def main():
    """Look, time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures")
    parser.add_argument("--split", default="calibration", choices=["calibration", "test"])
    parser.add_argument("--frames", type=int, default=280)
    parser.add_argument("--model")
    args = parser.parse_args()
    record = load_record(args.model)
    networks = start_networks(record)
    kinds = {
        "pictures": list(picture_frames(args.pictures, args.split)),
        "simulated frames": list(simulated_frames(args.pictures, args.split, args.frames)),
    }
    ratio, base = (
        costs([row[0] for row in kinds["simulated frames"][:TIMED]], record, networks) if args.frames else ({}, 0)
    )
    told = []
    for kind, frames in kinds.items():
        found, agreed, truth, objects = look(frames, record, networks)
        print(f"\n{kind}: {len(truth)} of {len(set(objects))} objects ({args.split} split)")
        rows = [{"way": way, **marks(*found[way], truth, objects), "cost": f"{ratio.get(way, 0):.2f}"} for way in WAYS]
        Table(rows=rows).pprint(max_lines=-1, max_width=-1, align="<")
        told.append((agreed, agreed["verdict"].data == truth, objects))
    together = vstack([agreed for agreed, *_ in told]), *(np.concatenate(part) for part in list(zip(*told))[1:])
    for kind, (agreed, right, objects) in zip([*kinds, "both"], [*told, together]):
        print(f"\n{kind}: of the verdicts of four orientations {right.sum()} are right, {(~right).sum()} wrong")
        if min(right.sum(), (~right).sum()) >= FEWEST:
            Table(rows=doubts(agreed, right, objects)).pprint(max_lines=-1, max_width=-1, align="<")
    print(f"\ncost 1 is {base:.3f} s a frame")


if __name__ == "__main__":
    main()

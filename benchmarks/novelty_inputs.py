# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where in the network the novelty score should look: before the last stage, or after it.

Run ``python benchmarks/novelty_inputs.py WORK LABELS.csv``. WORK is the folder of ``python -m astroclf.train
examples``, LABELS.csv the manifest of the labelled pictures. The score is fitted on one half of the kinds that it is
fitted on, and asked for the other half; both ways, for several random halves. The kinds that only test are not touched.
The network sees one view of each frame.
"""

import argparse
import os

import numpy as np
from astropy.table import Table

from astroclf.model import load_record
from astroclf.model.novelty import NOVEL
from astroclf.model.onnx_backend import OnnxBackend
from astroclf.train.calibrate import view_outputs
from astroclf.train.novelty import fit_score, render_oddities, usual_frames
from astroclf.train.oddities import FITTED

EXAMPLES, ODDITIES, SPLITS, SEED = 500, 40, 3, 4


def halves(rng):
    """Yield halves of the kinds, each followed by the other."""
    for _ in range(SPLITS):
        order = rng.permutation(FITTED)
        yield order[: len(order) // 2]
        yield order[len(order) // 2 :]


def flagged(usual, truth, objects, odd):
    """Return the share flagged of each kind by scores that were fitted on others, and the mean over the kinds."""
    kinds, shares = np.repeat(FITTED, ODDITIES), {kind: [] for kind in FITTED}
    for half in halves(np.random.default_rng(SEED)):
        known = np.isin(kinds, half)
        score = fit_score(usual, truth, tuple(output[known] for output in odd), objects)
        novel = score(*odd) >= NOVEL
        for kind in set(FITTED) - set(half):
            shares[kind].append(novel[kinds == kind].mean())
    means = {kind: float(np.mean(found)) for kind, found in shares.items()}
    return means | {"all": np.mean(list(means.values()))}


def main():
    """Print a row for each output of the network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("work", help="where the examples are")
    parser.add_argument("labels", help="manifest of the labelled pictures (CSV)")
    args = parser.parse_args()
    record, workers = load_record(), os.cpu_count()
    images, truth, objects = usual_frames(
        args.work, args.labels, record.preprocessor, examples=EXAMPLES, workers=workers
    )
    odd = [render_oddities(kind, ODDITIES, record.preprocessor, seed=SEED, workers=workers) for kind in FITTED]
    backend, outputs = OnnxBackend(record.read_bytes()), ("logits", "features", "middle")
    usual, odd = (view_outputs(backend, part, 1, *outputs) for part in (images, np.concatenate(odd)))
    rows = [
        {"from": outputs[i]} | flagged((usual[0], usual[i]), truth, objects, (odd[0], odd[i])) for i in (1, 2)
    ]  # fmt: skip
    table = Table(rows=rows)
    for name in table.colnames[1:]:
        table[name].format = ".2f"
    table.pprint_all()


if __name__ == "__main__":
    main()

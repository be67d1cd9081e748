# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Make the bundled model.

0. That the pictures are those it was made from::

    python -m astroclf.train check docs/development/pictures.csv FOLDER

1. Frames from pictures and drawn scenes, rendered (some 6 GB, 5 minutes on 2 cores)::

    python -m astroclf.train examples labels.csv work

2. The network (16 GB of cached features, about an hour on 2 cores)::

    python -m astroclf.train fit work --imagenet resnet50_imagenet.npz

3. The model file and its record, calibrated::

    python -m astroclf.train export work astroclf/model/data

4. If only the preprocessing has changed: the record of the same model file, calibrated again::

    python -m astroclf.train examples labels.csv work --splits calibration test
    python -m astroclf.train calibrate work astroclf/model/data

5. How good it is on the test examples::

    python -m astroclf.train measure work

6. The novelty score of the model file, whenever that is new, and how good it is (scikit-image is needed for the
   photographs among the oddities of the second)::

    python -m astroclf.train novelty work astroclf/model/data --pictures labels.csv
    python -m astroclf.train measure-novelty work --pictures labels.csv
"""

import argparse
import os

from astroclf.model import load_record
from astroclf.train.examples import check_pictures
from astroclf.train.novelty import fit_novelty, measure_novelty
from astroclf.train.recipe import COUNTS, calibrate_model, export_model, fit_model, measure_model, write_examples


def main(argv=None):
    """Run one step."""
    parser = argparse.ArgumentParser(
        "python -m astroclf.train", None, __doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    steps = parser.add_subparsers(required=True)
    step = steps.add_parser("check", help="check that the pictures are those of the bundled model")
    step.add_argument("checksums", help="their checksums (CSV)")
    step.add_argument("folder", help="where they are")
    step.set_defaults(
        run=lambda args: print(f"{check_pictures(args.checksums, args.folder)} pictures, all as they were")
    )
    step = steps.add_parser("examples", help="make the training, calibration and test frames")
    step.add_argument("pictures", help="manifest of the labelled pictures (CSV)")
    step.add_argument("folder", help="where the examples go")
    step.add_argument("--splits", nargs="+", choices=COUNTS, default=list(COUNTS), help="which (default: all)")
    step.set_defaults(run=_make_examples)
    step = steps.add_parser("fit", help="fit the network")
    step.add_argument("folder", help="where the examples are")
    step.add_argument("--imagenet", metavar="FILE", help="ImageNet weights as .npz (default: Keras downloads them)")
    step.add_argument("--start", metavar="RECORD", help="begin with the last stage and head of this model")
    step.add_argument("--free", action="store_true", help="learn from redistributable pictures and drawn scenes only")
    step.set_defaults(run=lambda args: fit_model(args.folder, args.imagenet, args.start, free=args.free))
    step = steps.add_parser("export", help="export and calibrate the network")
    step.add_argument("folder", help="where the fitted weights are")
    step.add_argument("output", help="where the model file and its record go")
    step.set_defaults(run=lambda args: export_model(args.folder, args.output))
    step = steps.add_parser("calibrate", help="calibrate the model file again")
    step.add_argument("folder", help="where the examples are")
    step.add_argument("output", help="where the model file and its record are")
    step.set_defaults(run=lambda args: calibrate_model(args.folder, args.output))
    step = steps.add_parser("measure", help="measure the bundled model on the test examples")
    step.add_argument("folder", help="where the examples are")
    step.set_defaults(run=lambda args: measure_model(args.folder, load_record()).pprint(max_width=-1))
    step = steps.add_parser("novelty", help="fit the novelty score of the model file")
    step.add_argument("folder", help="where the examples are")
    step.add_argument("output", help="where the model file and its record are")
    step.add_argument("--pictures", metavar="FILE", help="manifest of the labelled pictures (CSV): usual frames too")
    step.set_defaults(run=_fit_novelty)
    step = steps.add_parser("measure-novelty", help="measure the novelty score of the bundled model")
    step.add_argument("folder", help="where the examples are")
    step.add_argument("--pictures", metavar="FILE", help="manifest of the labelled pictures (CSV): measured too")
    step.set_defaults(run=_measure_novelty)
    args = parser.parse_args(argv)
    args.run(args)


def _make_examples(args):
    counts = {split: COUNTS[split] for split in args.splits}
    write_examples(args.pictures, args.folder, counts=counts, workers=os.cpu_count())


def _fit_novelty(args):
    fit_novelty(args.folder, args.output, args.pictures, workers=os.cpu_count())


def _measure_novelty(args):
    for table in measure_novelty(args.folder, load_record(), args.pictures, workers=os.cpu_count()):
        table.pprint_all()


if __name__ == "__main__":
    main()

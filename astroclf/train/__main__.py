# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Make the bundled model.

0. That the pictures are those it was made from::

    python -m astroclf.train check docs/development/pictures.csv FOLDER

1. Frames from pictures and drawn scenes, rendered (some 9 GB, half an hour on 2 cores)::

    python -m astroclf.train examples labels.csv work

2. The network (an hour on 2 cores; two hours from ImageNet's weights)::

    python -m astroclf.train fit work --imagenet resnet50_imagenet.npz

3. The model file and its record, calibrated::

    python -m astroclf.train export work astroclf/model/data

4. Its last layer for pictures in colour (ten minutes)::

    python -m astroclf.train colour work astroclf/model/data

5. If only the preprocessing has changed: the record of the same model file, calibrated again::

    python -m astroclf.train examples labels.csv work --splits calibration test
    python -m astroclf.train calibrate work astroclf/model/data

6. How good it is on the test examples::

    python -m astroclf.train measure work

7. The novelty score of the model file, whenever that is new, and how good it is (scikit-image is needed for the
   photographs among the oddities of the second)::

    python -m astroclf.train novelty work astroclf/model/data --pictures labels.csv --photographs imagenet
    python -m astroclf.train measure-novelty work --pictures labels.csv --photographs imagenet
"""

import argparse
import os
from functools import partial

from astroclf.model import load_record
from astroclf.train.examples import check_pictures
from astroclf.train.novelty import fit_novelty, measure_novelty
from astroclf.train.recipe import (
    COUNTS,
    calibrate_model,
    export_model,
    fit_colour,
    fit_model,
    measure_model,
    write_examples,
)

_EXAMPLES, _MODEL = "where the examples are", "where the model file and its record are"


def main(argv=None):
    """Run one step."""
    parser = argparse.ArgumentParser(
        "python -m astroclf.train", None, __doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = partial(_add_step, parser.add_subparsers(required=True))
    add("check", "check that the pictures are those of the bundled model", _check_pictures,
        checksums="their checksums (CSV)", folder="where they are")  # fmt: skip
    step = add("examples", "make the training, calibration and test frames", _make_examples,
               pictures="manifest of the labelled pictures (CSV)", folder="where the examples go")  # fmt: skip
    step.add_argument("--splits", nargs="+", choices=COUNTS, default=list(COUNTS), help="which (default: all)")
    step = add("fit", "fit the network", _fit, folder=_EXAMPLES)
    step.add_argument("--imagenet", metavar="FILE", help="ImageNet weights as .npz (default: Keras downloads them)")
    step.add_argument("--start", metavar="RECORD", help="begin with this model, not with ImageNet's weights")
    step.add_argument("--free", action="store_true", help="learn from redistributable pictures and drawn scenes only")
    add("export", "export and calibrate the network", lambda args: export_model(args.folder, args.output),
        folder="where the fitted weights are", output="where the model file and its record go")  # fmt: skip
    add("colour", "fit the last layer for pictures in colour", lambda args: fit_colour(args.folder, args.output),
        folder=_EXAMPLES, output=_MODEL)  # fmt: skip
    add("calibrate", "calibrate the model file again", lambda args: calibrate_model(args.folder, args.output),
        folder=_EXAMPLES, output=_MODEL)  # fmt: skip
    add("measure", "measure the bundled model on the test examples", _measure, folder=_EXAMPLES)
    step = add("novelty", "fit the novelty score of the model file", _fit_novelty, folder=_EXAMPLES, output=_MODEL)
    step.add_argument("--pictures", metavar="FILE", help="manifest of the labelled pictures (CSV): usual frames too")
    step.add_argument("--photographs", metavar="FOLDER", help="photographs of anything but the sky: oddities too")
    step = add("measure-novelty", "measure the novelty score of the bundled model", _measure_novelty, folder=_EXAMPLES)
    step.add_argument("--pictures", metavar="FILE", help="manifest of the labelled pictures (CSV): measured too")
    step.add_argument("--photographs", metavar="FOLDER", help="photographs of anything but the sky: measured too")
    args = parser.parse_args(argv)
    args.run(args)


def _add_step(steps, name, text, run, **arguments):
    """Add a step with positional arguments, given with what they are."""
    step = steps.add_parser(name, help=text)
    for argument, meaning in arguments.items():
        step.add_argument(argument, help=meaning)
    step.set_defaults(run=run)
    return step


def _check_pictures(args):
    print(f"{check_pictures(args.checksums, args.folder)} pictures, all as they were")


def _fit(args):
    fit_model(args.folder, args.imagenet, args.start, free=args.free)


def _measure(args):
    measure_model(args.folder, load_record()).pprint(max_width=-1)


def _make_examples(args):
    counts = {split: COUNTS[split] for split in args.splits}
    write_examples(args.pictures, args.folder, counts=counts, workers=os.cpu_count())


def _fit_novelty(args):
    fit_novelty(args.folder, args.output, args.pictures, args.photographs, workers=os.cpu_count())


def _measure_novelty(args):
    measure = partial(measure_novelty, args.folder, load_record(), args.pictures, args.photographs)
    for table in measure(workers=os.cpu_count()):
        table.pprint_all()


if __name__ == "__main__":
    main()

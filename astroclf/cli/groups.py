# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What ``--combine`` does for a verb: files of one target become one item."""

from contextlib import closing
from functools import partial
from operator import itemgetter

from astroclf.cli.common import open_frame, outcomes

__all__ = ["add_combine_argument", "group_outcomes"]


def add_combine_argument(parser):
    """
    Add the argument that makes one verdict of several files.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    """
    parser.add_argument(
        "--combine",
        action="store_true",
        help="one verdict for all files of one target: same telescope, most of the smaller on the larger by their "
        "world coordinates",
    )


def group_outcomes(factory, args):
    """
    Group the files, work on the groups, name what fails on stderr, and yield what became of each.

    Parameters
    ----------
    factory : callable
        Makes the function of a tuple of file names; see `astroclf.batch.run`.
    args : `~argparse.Namespace`
        Parsed arguments of `~astroclf.cli.common.add_file_arguments` and
        `~astroclf.cli.common.add_part_arguments`.

    Yields
    ------
    outcome : `astroclf.batch.Outcome`
        One a group, whose item is its files joined by ``+``, and one a file that cannot be read, in the order of the
        (first) files.
    """
    groups, failures = _find_groups(args)
    plan = [(args.files.index(group[0]), None) for group in groups]
    plan += [(args.files.index(failure.item), failure) for failure in failures]
    with closing(outcomes(factory, args, groups)) as done:
        for _, failure in sorted(plan, key=itemgetter(0)):
            yield failure or next(done)


def _find_groups(args):
    """Read the files once; return the groups, in the order of their first files, and the outcomes of what failed."""
    from astroclf.frames.visits import group_footprints

    done = list(outcomes(partial(_make, args.hdu, args.plane), args))
    read = [outcome for outcome in done if outcome.error is None]
    groups = group_footprints([outcome.value for outcome in read])
    files = [tuple(read[index].item for index in group) for group in groups]
    return files, [outcome for outcome in done if outcome.error is not None]


def _make(hdu, plane):
    from astroclf.frames.visits import Footprint

    return lambda path: Footprint.of(open_frame(path, hdu, plane))

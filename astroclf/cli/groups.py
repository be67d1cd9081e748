# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What ``--combine`` does for a verb: files of one target become one item."""

from functools import partial

from astroclf.cli.common import open_frame, outcomes

__all__ = ["add_combine_argument", "find_groups"]


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


def find_groups(args):
    """
    Read the files once, name those that fail on stderr, and group the others.

    Parameters
    ----------
    args : `~argparse.Namespace`
        Parsed arguments of `~astroclf.cli.common.add_file_arguments` and
        `~astroclf.cli.common.add_part_arguments`.

    Returns
    -------
    groups : list of tuple of str
        Files that belong together, in the order of the first of each group.
    failed : list of str
        Files that cannot be read.
    """
    from astroclf.frames.visits import group_footprints

    done = list(outcomes(partial(_make, args.hdu, args.plane), args))
    read = [outcome for outcome in done if outcome.error is None]
    groups = group_footprints([outcome.value for outcome in read])
    files = [tuple(read[index].item for index in group) for group in groups]
    return files, [outcome.item for outcome in done if outcome.error is not None]


def _make(hdu, plane):
    from astroclf.frames.visits import Footprint

    return lambda path: Footprint.of(open_frame(path, hdu, plane))

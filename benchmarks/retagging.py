# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How often a new tag needs another number of header blocks than the one before, so that it cannot be written in place.

Run ``python benchmarks/retagging.py SIZES.csv... --files FILE...``. SIZES.csv is what ``astroclf evaluate -o`` writes;
its column ``n_set`` has the sizes of the label sets. A set of more than three classes takes two cards more for each.
FILE is a FITS file; the smaller layouts of ``astroclf.datasets`` are added. For each the cards of the header that
holds the tags are counted, with tags of a set of each size. Two verdicts on a file are taken to have sizes drawn
independently, which is more change than there is when a file is classified again.
"""

import argparse
import csv
import math
import tempfile
from collections import Counter
from pathlib import Path

from astroclf import read_frame
from astroclf.datasets import LAYOUTS, make_frame
from astroclf.exceptions import AstroclfError
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import to_cards
from astroclf.tags.cards import BLOCK, join_cards
from astroclf.tags.container import open_fits
from astroclf.tags.fitsfile import homes, walk
from astroclf.tags.keywords import is_tag
from astroclf.taxonomy import groups, labels

LARGEST = 2**19
"""Pixels of a simulated frame."""


def main():
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="+", type=Path)
    parser.add_argument("--files", nargs="*", default=[], type=Path)
    args = parser.parse_args()
    sizes = read_sizes(args.sizes)
    print(f"sizes of {sizes.total()} label sets: {dict(sorted(sizes.items()))}")
    report("files", args.files, sizes)
    with tempfile.TemporaryDirectory() as folder:
        report("layouts", simulated(Path(folder)), sizes)


def read_sizes(paths):
    """Return how many label sets have which size."""
    sizes = Counter()
    for path in paths:
        with open(path, newline="", encoding="utf-8") as stream:
            sizes.update(int(row["n_set"]) for row in csv.DictReader(stream) if row["n_set"])
    return sizes


def simulated(folder):
    """Write a frame of each small layout, whose headers are as those of the large ones, and yield its path."""
    for layout, facts in LAYOUTS.items():
        if math.prod(facts.plane) > LARGEST:
            continue
        hdus = make_frame(layout, "no_source", seed=1, cosmic_rays=False)
        path = folder / f"{layout}.fits"
        hdus.writeto(path)
        yield path
        path.unlink()


def report(name, paths, sizes):
    """Print the shares of some files."""
    found = {}
    for path in paths:
        try:
            found[path] = blocks(path, range(1, len(labels()) + 1))
        except AstroclfError as error:
            print(f"left out: {error}")
    uneven = sum(changed(each, sizes) > 0 for each in found.values())
    rest = [changed(each, sizes) for each in found.values()]
    any_size = [changed(each, Counter(dict.fromkeys(each, 1))) for each in found.values()]
    print(f"{name}: {len(found)}, {uneven} of them with a size that needs another block")
    print(f"  re-tags that need another number of blocks: {sum(rest) / len(rest):.5f}")
    print(f"  the same if all sizes were as common: {sum(any_size) / len(any_size):.4f}")


def blocks(path, sizes):
    """Return the number of header blocks of a tagged file, by size of the label set."""
    with open_fits(path) as stream:
        home = homes(walk(stream, path))[-1]
    others = [card for card in home.cards if not is_tag(card)]
    origin = read_frame(path).origin
    lengths = {}
    for size in sizes:
        cards = [card.image.encode("ascii") for card in to_cards(verdict(size, origin), file=path.name)]
        lengths[size] = len(join_cards([*others, *cards])) // BLOCK
    return lengths


def verdict(size, origin):
    """Return a verdict with a label set of a size."""
    count = len(labels())
    return Prediction(
        labels=labels(),
        probs=(1 / count,) * count,
        groups=groups(),
        group_probs=(1 / 7,) * 7,
        status=Status.OK,
        quality=0.0,
        provenance=Provenance("resnet50-astro-1", "ab" * 32, "0123456789ab"),
        n_set=size,
        coverage=0.9,
        origin=origin,
    )


def changed(lengths, sizes):
    """Return the share of pairs of sizes that need different numbers of blocks."""
    common = Counter()
    for size, times in sizes.items():
        common[lengths[size]] += times
    return 1 - sum(times**2 for times in common.values()) / sizes.total() ** 2


if __name__ == "__main__":
    main()

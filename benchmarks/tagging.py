# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The time of writing a tag block into a full frame of ACS/WFC, beside a plain copy and the usual ways to edit a header.

Run ``python benchmarks/tagging.py [RUNS] [FOLDER]``; FOLDER is on the disk to be measured, by default that of temporary
files. In each of RUNS turns every contender changes a fresh copy of the same file, which is in the system's cache:

- ``cp``: ``cp`` and fsync of the copy, the unit of the ratios;
- ``astroclf``: ``write_tags``, 27 cards, as durable as that: synced, with an undo journal or as a new file;
- ``atomic``: the same with ``atomic=True``;
- ``setval``: ``astropy.io.fits.setval``, one card, not synced;
- ``update``: astropy's update mode, the same 27 cards, not synced.

for a header with room, for one that needs another block, and for one that has a block already. Prints the median of
the ratios, the fastest run in ms, and the kB that ``astroclf`` reads and writes. It needs Linux.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from astropy.io import fits

from astroclf import write_tags
from astroclf.datasets import make_frame
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import to_cards
from astroclf.taxonomy import groups, labels

BLOCK = 36
PREDICTION = Prediction(
    labels=labels(),
    probs=(0.93,) + (0.07 / 13,) * 13,
    groups=groups(),
    group_probs=(0.97,) + (0.005,) * 6,
    status=Status.OK,
    quality=0.0,
    provenance=Provenance("model", "ab" * 32, "0123456789ab"),
)
CARDS = to_cards(PREDICTION)


def make_files(folder):
    """
    Write the files that are changed.

    Parameters
    ----------
    folder : `~pathlib.Path`
        Where to.

    Returns
    -------
    files : dict of str to `~pathlib.Path`
        Of 168 MB each, by what there is in their first header.
    """
    files = {}
    for name, free in (("with room", len(CARDS)), ("growing", len(CARDS) - 1)):
        hdus = make_frame("acs_wfc_flt", "spiral_galaxy", seed=1)
        header = hdus[0].header
        while (len(header) + 1 + free) % BLOCK:
            header.append(("COMMENT", "what a pipeline has to say"), end=True)
        files[name] = folder / f"{name.replace(' ', '_')}.fits"
        hdus.writeto(files[name])
    files["tagged before"] = folder / "tagged.fits"
    shutil.copyfile(files["with room"], files["tagged before"])
    write_tags(files["tagged before"], PREDICTION)
    return files


def copy(path):
    """Copy a file to another name, and sync it."""
    other = path.with_name("other.fits")
    subprocess.run(["cp", path, other], check=True)
    descriptor = os.open(other, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)


def update(path):
    """Write the cards in astropy's update mode."""
    with fits.open(path, mode="update") as hdus:
        for card in CARDS:
            hdus[0].header.append(card, end=True)


CONTENDERS = {
    "cp": copy,
    "astroclf": lambda path: write_tags(path, PREDICTION),
    "atomic": lambda path: write_tags(path, PREDICTION, atomic=True),
    "setval": lambda path: fits.setval(path, "CLFCLASS", value="spiral_galaxy"),
    "update": update,
}


def measure(contender, path):
    """
    Let a contender change a copy of a file.

    Parameters
    ----------
    contender : callable
        What changes the file.
    path : `~pathlib.Path`
        The file.

    Returns
    -------
    seconds : float
        How long it took.
    read, written : int
        Bytes.
    """
    work = path.with_name("work.fits")
    shutil.copyfile(path, work)
    os.sync()
    before, begin = traffic(), time.perf_counter()
    contender(work)
    seconds, after = time.perf_counter() - begin, traffic()
    work.unlink()
    return seconds, *(b - a for a, b in zip(before, after))


def traffic():
    """Return the bytes that this process has read and written so far."""
    facts = Path("/proc/self/io").read_text(encoding="ascii")
    return [int(re.search(rf"{name}: (\d+)", facts)[1]) for name in ("rchar", "wchar")]


def main():
    """Print the ratios."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        for case, path in make_files(Path(folder)).items():
            turns = [{name: measure(work, path) for name, work in CONTENDERS.items()} for _ in range(runs)]
            print(f"{case}, {path.stat().st_size / 1e6:.0f} MB, {runs} turns")
            for name in CONTENDERS:
                ratio = statistics.median(turn[name][0] / turn["cp"][0] for turn in turns)
                least = min(turn[name][0] for turn in turns)
                _, read, written = turns[-1][name]
                moved = f"{read / 1e3:11.0f} kB read {written / 1e3:9.0f} kB written" if name != "cp" else ""
                print(f"  {name:9} {ratio:7.3f} times cp {1e3 * least:9.1f} ms at best{moved}", flush=True)


if __name__ == "__main__":
    main()

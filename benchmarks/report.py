# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Time and size of ``astroclf report`` with very many files.

The page of 10,000 synthetic rows, each with the cards of a true tag block and a thumbnail of a noisy image: how long it
takes to write and how large it is; in Chromium, how long it takes to load, to filter, to sort, to search and to scroll.
And, from a few true files, how long it takes to read one, with and without a picture beside it.

    python benchmarks/report.py [--rows N] [-o REPORT]

The part in the browser needs Chromium, ChromeDriver and selenium. Times are processor time, in the browser that of the
page's thread, so that what else the machine does matters less; medians.
"""

import argparse
import sys
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from astropy.io import fits
from PIL import Image

from astroclf import read_frame, write_tags
from astroclf.annotation import annotate, picture_path
from astroclf.datasets import make_frame
from astroclf.frames.frame import Facts, Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.report import Entry, read_entry, write_report
from astroclf.tags import Tags, read_tags
from astroclf.taxonomy import groups, labels

REPEATS = 7
ACTIONS = {
    "filter by class": "choose({ class: [ROWS[0].class], q: '' })",
    "clear the filters": "choose(structuredClone(NOTHING_CHOSEN))",
    "search": "choose({ q: 't12' })",
    "clear the search": "choose({ q: '' })",
    "sort by probability": "choose({ sort: 'probability' })",
    "sort by file": "choose({ sort: 'file' })",
    "open a file": "openDetails(ROWS[ROWS.length >> 1])",
    "scroll far": "window.scrollTo(0, Math.random() * document.body.scrollHeight); draw()",
}


def make_prediction(rng):
    """Return a verdict with random probabilities."""
    probs = np.sort(rng.dirichlet(np.full(len(labels()), 0.15)))[::-1]
    return Prediction(
        labels=tuple(rng.permutation(labels()).tolist()),
        probs=tuple(probs.tolist()),
        groups=groups(),
        group_probs=(0.97,) + (0.005,) * 6,
        status=rng.choice(list(Status), p=(0.7, 0.1, 0.1, 0.05, 0.05)),
        quality=0.01,
        provenance=Provenance("resnet50-astro-1", "ab" * 32, "0123456789ab"),
        origin=Origin(hdus=("SCI,1",), datasums=("2503531142",)),
    )


def make_entries(count, folder):
    """Return synthetic rows, none of which has a file."""
    rng = np.random.default_rng(20261128)
    blocks = [_tags(folder, make_prediction(rng)) for _ in range(min(count, 200))]
    thumbnails = [_thumbnail(rng) for _ in range(min(count, 200))]
    entries = []
    for n in range(count):
        facts = Facts("HST", ("ACS", "WFC3")[n % 2], "WFC", f"F{400 + n % 20}W", f"T{n}", "2005-01-12", 500.0)
        position = float(rng.uniform(0, 360)), float(np.degrees(np.arcsin(rng.uniform(-1, 1))))
        path = folder / f"j{n:08d}_flt.fits"
        row = facts, position, picture_path(path), thumbnails[n % len(thumbnails)], (0.05, 0.1, 0.5, 0.9, 1.8)
        entries.append(Entry(path, blocks[n % len(blocks)], *row))
    return entries


def _tags(folder, prediction):
    path = folder / "scratch.fits"
    fits.PrimaryHDU(np.zeros((2, 2), "u1")).writeto(path, overwrite=True)
    write_tags(path, prediction)
    return Tags(dict(read_tags(path)))


def _thumbnail(rng):
    stream = BytesIO()
    image = np.clip(rng.normal(30, 12, (144, 144)), 0, 255).astype("u1")
    Image.fromarray(image).convert("RGB").save(stream, "jpeg", quality=62, optimize=True)
    return stream.getvalue()


def measure_files(folder):
    """Print how long it takes to read a true file, without and with its picture."""
    path = folder / "frame.fits"
    make_frame("wfc3_ir_sub256_flt", "spiral_galaxy", seed=1).writeto(path)
    frame, prediction = read_frame(path), make_prediction(np.random.default_rng(1))
    write_tags(path, prediction)
    bare = _median(lambda: read_entry(path))
    annotate(frame, prediction, picture_path(path))
    drawn = _median(lambda: read_entry(path))
    print(f"read a file: {1000 * bare:.1f} ms; with an annotated picture: {1000 * drawn:.1f} ms")


def _median(function):
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return median(times)


def measure_browser(path):
    """Print how long the page takes in Chromium."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from browser import lacking, open_browser

    missing = lacking()
    if missing:
        print(f"browser: not measured, {missing}")
        return
    with open_browser(1280, 900) as browser:
        browser.set_script_timeout(600)
        browser.set_page_load_timeout(600)
        browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        browser.get(path.resolve().as_uri())
        browser.execute_async_script(_SETTLE)
        print(f"load: {1000 * _busy(browser):.0f} ms")
        for name, action in ACTIONS.items():
            print(f"{name}: {1000 * median(_cost(browser, action) for _ in range(REPEATS)):.0f} ms", flush=True)
            browser.execute_script("dialog.close()")
        elements = browser.execute_script("return document.querySelectorAll('*').length")
        print(f"elements: {elements}")
        heap = browser.execute_script("return performance.memory.usedJSHeapSize") / 1e6
        print(f"heap of the program: {heap:.0f} MB")


_SETTLE = "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(arguments[0], 0)))"


def _busy(browser):
    """Return the processor time of the page's thread so far, in seconds."""
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def _cost(browser, action):
    """Return the processor time of an action, drawn and all, in seconds."""
    before = _busy(browser)
    browser.execute_script(action)
    browser.execute_async_script(_SETTLE)
    return _busy(browser) - before


def main():
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("-o", "--output", type=Path, help="keep the page")
    args = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        entries = make_entries(args.rows, folder)
        output = args.output or folder / "report.html"
        start = time.process_time()
        write_report(entries, output, title="A benchmark")
        took, size = time.process_time() - start, output.stat().st_size
        pictures = sum(len(entry.thumbnail) for entry in entries) * 4 / 3
        print(
            f"{args.rows} rows: written in {took:.1f} s, {size / 1e6:.1f} MB, "
            f"of which thumbnails {pictures / 1e6:.1f} MB"
        )
        measure_files(folder)
        measure_browser(output)


if __name__ == "__main__":
    main()

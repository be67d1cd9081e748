# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Make the pictures of the guide's page on reports: a night of simulated frames, tagged, and its report in Chromium.

    python docs/report_picture.py

It needs Chromium, ChromeDriver and selenium; ``--night DIR`` keeps the frames, and uses those that are there.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from astroclf.datasets import make_frame
from astroclf.taxonomy import labels

HERE = Path(__file__).parent
LAYOUTS = (
    "wfc3_ir_sub256_flt",
    "jwst_nircam_sub160_cal",
    "acs_wfc_512a_flc",
    "ground_ccd_reduced",
    "jwst_miri_sub256_cal",
)
PICTURES = {
    "report.png": {"width": 1280, "height": 940, "theme": "light"},
    "report_details.png": {"width": 1280, "height": 860, "theme": "dark", "open": True},
}
COLORS = 128


def make_night(folder, count=42):
    """
    Simulate, tag and label frames.

    Parameters
    ----------
    folder : `~pathlib.Path`
        Where to; frames that are there are kept.
    count : int, optional
        How many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20261128)
    classes = list(labels())
    for number in range(count):
        ra, dec = rng.uniform(0, 360), float(np.degrees(np.arcsin(rng.uniform(-0.95, 0.95))))
        path = folder / f"sim{number:03d}.fits"
        if not path.exists():
            simulate(path, LAYOUTS[number % len(LAYOUTS)], classes[number % len(classes)], number, (ra, dec))
    run("tag", *sorted(folder.glob("*.fits")))
    run("label", folder / "sim004.fits", "--as", classes[4], "--by", "C. Herschel")
    (folder / "sim999.fits").write_bytes((folder / "sim000.fits").read_bytes()[:1000])


def simulate(path, layout, scene, seed, position):
    """Write one frame, pointed somewhere."""
    frame = make_frame(layout, scene, seed=seed)
    for hdu in frame:
        if "CRVAL1" in hdu.header and str(hdu.header.get("CTYPE1", "")).startswith("RA"):
            hdu.header["CRVAL1"], hdu.header["CRVAL2"] = position
    frame[0].header["TARGNAME"] = f"SIM-{seed:03d}"
    frame[0].header["FILENAME"] = path.name
    frame.writeto(path, overwrite=True)


def run(*arguments):
    """Run astroclf."""
    subprocess.run([sys.executable, "-m", "astroclf", *map(str, arguments)], check=False)


def take_pictures(report, folder):
    """
    Take the pictures of a report.

    Parameters
    ----------
    report : `~pathlib.Path`
        The page.
    folder : `~pathlib.Path`
        Where the pictures go.
    """
    sys.path.insert(0, str(HERE.parent / "tests"))
    from browser import open_browser

    for name, picture in PICTURES.items():
        with open_browser(picture["width"], picture["height"], theme=picture["theme"]) as browser:
            browser.get(report.resolve().as_uri())
            if picture.get("open"):
                browser.find_element("css selector", "#gallery .card").click()
            browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 500))")
            browser.save_screenshot(str(folder / name))
        shrink(folder / name)


def shrink(path):
    """Keep a picture small: few colours are enough for a page."""
    from PIL import Image

    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def main():
    """Make the night, the report and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--night", type=Path, help="keep the frames in this folder")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "user_guide", help="where the pictures go")
    args = parser.parse_args()
    with TemporaryDirectory() as scratch:
        night = args.night or Path(scratch, "night")
        if not (night / "sim999.fits").exists():
            make_night(night)
        run("report", night, "-o", night / "report.html", "--title", "A simulated night")
        take_pictures(night / "report.html", args.output)


if __name__ == "__main__":
    main()

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Make the guide's gallery: its pictures, with the bundled model, and its page.

    python docs/gallery_pictures.py FRAMES [NAME ...]

FRAMES is a folder with the real frames; the simulated ones are made. NAME is that of a picture, all by default.
"""

import argparse
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill

from astropy.io import fits
from PIL import Image

from astroclf import Classifier, annotate, read_frame
from astroclf.annotation import picture_path
from astroclf.datasets import make_frame

GUIDE = Path(__file__).parent / "user_guide"
SIZE, QUALITY = 900, 85
WIDTH, INDENT = 118, "   "

HUBBLE = "Hubble data are in the public domain"
SIMULATED = "Simulated"

HEAD = """Gallery
=======

.. This page is written by docs/gallery_pictures.py.

Frames that come from telescopes, and from ``astroclf.datasets``, with the verdict of the bundled model. They were
chosen for what there is to see; on some of them the model abstains, and on one it is wrong. How often it is right, the
:doc:`model card <model_card>` says. Each picture is what its command makes, with ``--png-size 900``; the options are
explained in :doc:`pictures`.
"""


@dataclass(frozen=True)
class Picture:
    """
    One picture of the gallery.

    Parameters
    ----------
    name : str
        Of its file.
    command : str
        What makes it.
    text : str
        What there is to see.
    credit : str
        Whose it is, and under which licence.
    simulated : tuple
        Layout, scene and seed of the frame, if it is simulated: its file is the last word of the command.
    filters : tuple of str
        What the filters of the files are, in their order, where their headers are wrong.
    """

    name: str
    command: str
    text: str
    credit: str = SIMULATED
    simulated: tuple = ()
    filters: tuple = ()


PICTURES = (
    Picture(
        "m51", "astroclf tag m51_iraf_pix.fits.gz",
        "M51, the test picture of IRAF: the page as it is by default.",
        "IRAF, National Optical Astronomy Observatories; by way of astropy-workshop, BSD-3-Clause",
    ),
    Picture(
        "xdf", "astroclf tag --theme light --north-up --axes wcs xdf_hst_wfc3ir_60mas_f105w_sci.fits",
        "A field of galaxies in the Hubble eXtreme Deep Field, light, with right ascension and declination.",
        f"NASA, ESA, G. Illingworth, D. Magee, P. Oesch, R. Bouwens and the XDF team; {HUBBLE}; by way of "
        "astropy-workshop, BSD-3-Clause",
    ),
    Picture(
        "hcg88", "astroclf tag --combine reprojected_sdss_*.fits.bz2",
        "Galaxies of the group Hickson 88, and the stars before them: one verdict of three filters, and one picture in "
        "colour. (The headers of all three say g; FILTER was set to what it is.)",
        "Sloan Digital Sky Survey, public data; by way of astropy-data",
        filters=("g", "i", "r"),
    ),
    Picture(
        "ugc12517", "astroclf tag --north-up u12517j.fits.gz",
        "UGC 12517, an early-type galaxy, turned and mirrored so that north is up and east left.",
        f"NASA, ESA, STScI; {HUBBLE}; by way of AstroVista, MIT",
    ),
    Picture(
        "abell2744", "astroclf tag --outlines --theme light abell_2744_cd_galaxy_f105w.fits.gz",
        "The cD galaxy of the cluster Abell 2744, with the edges of what photutils finds.",
        f"NASA, ESA, the Hubble Frontier Fields team and STScI; {HUBBLE}; by way of PetroFit, BSD-3-Clause",
    ),
    Picture(
        "glimpse", "astroclf tag --tiles 3 spitzer_example_image.fits",
        "The plane of the Galaxy in the infrared: a wide frame, and the edges of nine tiles.",
        "NASA/JPL-Caltech, Spitzer, the GLIMPSE team; public data; by way of astropy-data",
    ),
    Picture(
        "globular", "astroclf tag --explain globular.fits",
        "A globular cluster, and what speaks for it.",
        simulated=("wfc3_ir_flt", "globular_cluster", 7),
    ),
    Picture(
        "cosmic_rays", "astroclf classify --show --beside raw.fits",
        "An exposure as it was read, full of cosmic rays, and the picture of it.",
        simulated=("wfc3_uvis_c512c_raw", "spiral_galaxy", 5),
    ),
    Picture(
        "remnant", "astroclf tag --explain --theme light remnant.fits",
        "A supernova remnant seen by the mid-infrared camera of Webb.",
        simulated=("jwst_miri_sub256_cal", "supernova_remnant", 6),
    ),
    Picture(
        "bias", "astroclf tag --axes pixels --theme light combined_bias.fit.gz",
        "A master bias shows no source. It has no coordinates of the sky, so its axes are in pixels.",
        "Matthew Craig; by way of astropy-workshop, BSD-3-Clause",
    ),
    Picture(
        "cosmos", "astroclf tag --north-up --axes wcs 147246.0_150.416558_1.998697_masknoise.fits",
        "A small galaxy of the COSMOS survey, on which the model abstains: no class has more than one half.",
        f"NASA, ESA, the COSMOS team; {HUBBLE}; by way of GalSim, BSD-like",
    ),
    Picture(
        "ngc4151", "astroclf classify --show --beside hubble_wfpc2_sample.fits",
        "NGC 4151 at the edge of a frame of WFPC2, through a narrow filter, full of cosmic rays: the model abstains.",
        f"NASA, ESA, STScI; {HUBBLE}",
    ),
    Picture(
        "kelt16", "astroclf tag --theme light kelt-16-b-S001-R001-C084-r.fit.gz",
        "Faint stars in a cut-out from a small telescope: again the model abstains.",
        "Matthew Craig; by way of astropy-workshop, BSD-3-Clause",
    ),
    Picture(
        "galactic_centre", "astroclf tag --explain --axes wcs gc_2mass_j.fits",
        "The Galactic centre, where dust hides the stars, and the model is wrong: this is a field of stars.",
        "Atlas image of the Two Micron All Sky Survey, a joint project of the University of Massachusetts and "
        "IPAC/Caltech, funded by NASA and the NSF; public data; by way of astropy-data",
    ),
)  # fmt: skip


def draw(picture, frames, folder):
    """
    Run the command of a picture.

    Parameters
    ----------
    picture : Picture
        Which.
    frames : `~pathlib.Path`
        Folder of the real frames.
    folder : `~pathlib.Path`
        A folder for what is made.

    Returns
    -------
    path : `~pathlib.Path`
        The PNG.
    """
    _, verb, *words = shlex.split(picture.command)
    options = [word for word in words if not word.endswith((".fits", ".gz", ".bz2"))]
    files = [file for word in words if word not in options for file in sorted(frames.glob(word))]
    if picture.simulated:
        layout, scene, seed = picture.simulated
        files = [folder / words[-1]]
        make_frame(layout, scene, seed=seed).writeto(files[0])
    if picture.filters:
        files = [name_filter(file, name, folder) for file, name in zip(files, picture.filters)]
    path = picture_path(files[0], folder)
    if verb == "classify":  # which would open a window
        draw_beside(files[0], path)
    else:
        more = ["--png-size", str(SIZE), "-o", str(folder / picture.name)]
        subprocess.run([sys.executable, "-m", "astroclf", verb, *options, *more, *map(str, files)], check=True)
        path = picture_path(files[0], folder / picture.name)
    return path


def name_filter(file, name, folder):
    """Copy a file whose header names another filter than its own; return the copy."""
    with fits.open(file) as hdus:
        hdus[0].header["FILTER"] = name
        hdus.writeto(folder / file.name, output_verify="silentfix")
    return folder / file.name


def draw_beside(file, path):
    """Draw a frame as it was read beside its picture."""
    classifier, frame = Classifier(), read_frame(file)
    clean = classifier.record.preprocessor.clean(frame)
    annotate(clean, classifier(clean), path, before=frame, size=SIZE)


def figure(picture):
    """Return command, picture and caption for the page."""
    credit = picture.credit
    if picture.simulated:
        layout, scene, seed = picture.simulated
        credit += f': ``make_frame("{layout}", "{scene}", seed={seed})``'
    texts = picture.text, f"{credit}."
    command = f".. code-block:: console\n\n   {picture.command}\n"
    caption = "\n".join(fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT) + "\n" for text in texts)
    return f"{command}\n.. figure:: gallery/{picture.name}.jpg\n   :alt: {picture.text}\n\n{caption}"


def gallery_page():
    """Return the page."""
    return "\n".join([HEAD, *map(figure, PICTURES)])


def main():
    """Make the pictures and the page."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("frames", metavar="FRAMES", type=Path, help="folder of the real frames")
    parser.add_argument("names", metavar="NAME", nargs="*", help="pictures to draw (default: all)")
    args = parser.parse_args()
    (GUIDE / "gallery").mkdir(exist_ok=True)
    for picture in [picture for picture in PICTURES if picture.name in args.names or not args.names]:
        with TemporaryDirectory() as folder, Image.open(draw(picture, args.frames, Path(folder))) as page:
            page.save(GUIDE / "gallery" / f"{picture.name}.jpg", quality=QUALITY, subsampling=0, optimize=True)
    (GUIDE / "gallery.rst").write_text(gallery_page(), encoding="utf-8")


if __name__ == "__main__":
    main()

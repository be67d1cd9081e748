# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Headers of simulated frames of WFPC2, by the keywords of its archive."""

import numpy as np
from astropy.io import fits
from astropy.time import Time

from astroclf.datasets.cards import exposure_cards, target_cards
from astroclf.datasets.headers import recentred

__all__ = ["group_cards", "group_table", "primary_header"]

_DONE = ("MASKCORR", "ATODCORR", "BLEVCORR", "BIASCORR", "DARKCORR", "FLATCORR", "DOPHOTOM")
_OMITTED = ("SHADCORR", "DOSATMAP", "DOHISTOS")
_FILETYPES = {"c1m": "SDQ"}
_FORMATS = {float: "E15.7", int: "I12", str: "A48", bool: "A1"}
_PRECISE = ("CRVAL1", "CRVAL2", "FPKTTIME", "LPKTTIME")


def primary_header(shot):
    """
    Return the primary header of a frame.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        With SIMULATD = T; dates are those of the exposure, so that equal seeds give equal files.
    """
    start, camera = Time(shot.start, format="mjd"), shot.camera
    done = "PERFORM" if shot.product.startswith("d0") else "COMPLETE"
    header = fits.Header()
    header.extend([
        ("ORIGIN", "astroclf", "FITS file originator"),
        ("DATE", start.strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)"),
        ("NEXTEND", 1 if shot.product.endswith("f") else len(camera.chips), "Number of standard extensions"),
        ("FILENAME", f"{shot.rootname}_{shot.product}.fits", "name of file"),
        ("FILETYPE", _FILETYPES.get(shot.product, "SCI"), "shp, ext, edq, sdq, sci"),
        ("TELESCOP", "HST", "telescope used to acquire data"),
        ("INSTRUME", camera.instrument, "instrument in use"),
        ("EQUINOX", 2000.0, "equinox of the celestial coordinate system"),
        ("SIMULATD", True, "simulated, not an observation"),
        ("ROOTNAME", shot.rootname, "rootname of the observation set"),
        ("MODE", camera.mode, "instr. mode: FULL (full res.), AREA (area int.)"),
        ("SERIALS", "OFF", "serial clocks: ON, OFF"),
        ("IMAGETYP", "EXT", "DARK/BIAS/IFLAT/UFLAT/VFLAT/KSPOT/EXT/ECAL"),
        ("FILTNAM1", shot.filter.name, "first filter name"),
        ("FILTNAM2", "", "second filter name"),
        ("FILTROT", 0.0, "partial filter rotation angle (degrees)"),
        ("LRFWAVE", 0.0, "linear ramp filter wavelength"),
        ("KSPOTS", "OFF", "Status of Kelsall spot lamps: ON, OFF"),
        ("SHUTTER", "A", "Shutter in place at beginning of the exposure"),
        ("ATODGAIN", float(camera.setting), "Analog to Digital Gain (Electrons/DN)"),
        *((key, done, "calibration switch: PERFORM, OMIT, COMPLETE") for key in _DONE),
        *((key, "OMIT", "calibration switch: PERFORM, OMIT, COMPLETE") for key in _OMITTED),
        ("SATURATE", 4095, "Data value at which saturation occurs"),
        ("DARKTIME", shot.exptime, "Dark time (seconds)"),
        ("FGSLOCK", "FINE", "commanded FGS lock (FINE,COARSE,GYROS,UNKNOWN)"),
        *exposure_cards(shot, shot.exptime),
        *target_cards(shot),
    ])  # fmt: skip
    for line in shot.history:
        header.add_history(line)
    return header


def group_cards(shot, chip, wcs, image):
    """
    Return the keywords of the image of one chip.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.
    chip : WFPC2Chip
        The chip.
    wcs : `~astropy.wcs.WCS`
        World coordinates of the plane.
    image : `~numpy.ndarray`
        The image.

    Returns
    -------
    cards : list of tuple
        Keyword, value and comment: in extensions as they are, in waivered files a row of the table.
    """
    camera = shot.camera
    reference = (np.array(chip.reference) - 0.5) / camera.binning + 0.5
    steps = np.array([[0, 0.5, -0.5, 0, 0], [0, 0, 0, 0.5, -0.5]]) + reference[:, None] - 1
    centre, right, left, up, down = np.array(camera.on_plane(chip, *steps)).T
    local = recentred(wcs, centre + 1)
    cd = local.wcs.cd @ np.array([right - left, up - down]).T
    bias = 0.0 if shot.product.startswith("d0") else chip.amplifiers[0].bias
    element, gain = shot.filter, chip.amplifiers[0].gain
    return [
        ("CRVAL1", float(local.wcs.crval[0]), "right ascension of reference pixel (deg)"),
        ("CRVAL2", float(local.wcs.crval[1]), "declination of reference pixel (deg)"),
        ("CRPIX1", float(reference[0]), "x-coordinate of reference pixel"),
        ("CRPIX2", float(reference[1]), "y-coordinate of reference pixel"),
        *((f"CD{i + 1}_{j + 1}", float(cd[i, j]), "partial derivative") for i in range(2) for j in range(2)),
        ("DATAMIN", float(image.min()), "minimum value of the data"),
        ("DATAMAX", float(image.max()), "maximum value of the data"),
        ("MIR_REVR", True, "is the image mirror reversed?"),
        ("ORIENTAT", float(np.degrees(np.arctan2(cd[0, 1], cd[1, 1]))), "orientation of the image (deg)"),
        ("FILLCNT", 0, "number of segments containing fill"),
        ("ERRCNT", 0, "number of segments containing errors"),
        ("FPKTTIME", shot.start, "time of the first packet (Modified Julian Date)"),
        ("LPKTTIME", shot.start, "time of the last packet (Modified Julian Date)"),
        ("CTYPE1", "RA---TAN", "first coordinate type"),
        ("CTYPE2", "DEC--TAN", "second coordinate type"),
        ("DETECTOR", chip.number, "CCD detector: PC 1, WF 2-4"),
        ("DEZERO", bias, "bias level from EED"),
        ("BIASEVEN", bias, "even column bias level"),
        ("BIASODD", bias, "odd column bias level"),
        ("PHOTMODE", f"WFPC2,{chip.number},A2D{camera.setting},{element.name},,CAL", "photometry mode"),
        ("PHOTFLAM", element.photflam * gain, "inverse sensitivity, ergs/cm2/A/DN"),
        ("PHOTZPT", -21.1, "zero point"),
        ("PHOTPLAM", element.photplam, "pivot wavelength (Angstroms)"),
        ("PHOTBW", element.photbw, "rms bandwidth (Angstroms)"),
    ]


def group_table(groups, name):
    """
    Return the table of a waivered file.

    Parameters
    ----------
    groups : list of list of tuple
        The cards of each plane of the cube, from `group_cards`.
    name : str
        Value of EXTNAME.

    Returns
    -------
    table : `~astropy.io.fits.TableHDU`
        A text table, a row a plane and a column a keyword; logical values are ``T`` and ``F``.
    """
    columns = []
    for cards in zip(*groups):
        key, first, _ = cards[0]
        values = ["FT"[value] if isinstance(value, bool) else value for _, value, _ in cards]
        form = "D25.17" if key in _PRECISE else _FORMATS[type(first)]
        columns.append(fits.Column(key, format=form, array=np.array(values), ascii=True))
    table = fits.TableHDU.from_columns(columns)
    table.name = name
    return table

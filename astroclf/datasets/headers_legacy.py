# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Cards of simulated frames of NICMOS, STIS and FOC, modelled on their archive and interface documents."""

from astropy.time import Time

from astroclf.datasets.headers import plane_wcs

__all__ = ["exposure_cards", "file_cards", "image_cards", "photometry_cards", "sky_cards", "switch_cards"]

_SECONDS_PER_DAY = 86400.0


def file_cards(shot, extensions):
    """Return the cards that open a primary header: the file, the observation and its target."""
    camera = shot.camera
    return [
        ("ORIGIN", "astroclf", "FITS file originator"),
        ("DATE", Time(shot.start, format="mjd").strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)"),
        ("NEXTEND", extensions, "Number of standard extensions"),
        ("FILENAME", f"{shot.rootname}_{shot.product}.fits", "name of file"),
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("TELESCOP", "HST", "telescope used to acquire data"),
        ("INSTRUME", camera.instrument, "identifier for instrument used to acquire data"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ("SIMULATD", True, "simulated, not an observation"),
        ("ROOTNAME", shot.rootname, "rootname of the observation set"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        ("TARGNAME", shot.target, "proposer's target name"),
        ("RA_TARG", shot.ra, "right ascension of the target (deg) (J2000)"),
        ("DEC_TARG", shot.dec, "declination of the target (deg) (J2000)"),
        ("PROPOSID", 0, "PEP proposal identifier"),
    ]


def exposure_cards(shot, seconds, since=0.0):
    """Return the cards of an exposure of so many seconds that begins ``since`` seconds into the observation."""
    begin = shot.start + since / _SECONDS_PER_DAY
    start = Time(begin, format="mjd")
    return [
        ("DATE-OBS", start.strftime("%Y-%m-%d"), "UT date of start of observation (yyyy-mm-dd)"),
        ("TIME-OBS", start.strftime("%H:%M:%S"), "UT time of start of observation (hh:mm:ss)"),
        ("EXPSTART", begin, "exposure start time (Modified Julian Date)"),
        ("EXPEND", begin + seconds / _SECONDS_PER_DAY, "exposure end time (Modified Julian Date)"),
        ("EXPTIME", seconds, "exposure duration (seconds)--calculated"),
        ("EXPFLAG", "NORMAL", "Exposure interruption indicator"),
    ]


def photometry_cards(shot, mode):
    """Return the cards of the photometry of a filter; ``mode`` is the value of PHOTMODE."""
    element = shot.filter
    return [
        ("PHOTMODE", mode, "observation configuration"),
        ("PHOTFLAM", element.photflam, "inverse sensitivity, ergs/s/cm2/A per count/s"),
        ("PHOTZPT", -21.1, "ST magnitude zero point"),
        ("PHOTPLAM", element.photplam, "Pivot wavelength (Angstroms)"),
        ("PHOTBW", element.photbw, "RMS bandwidth of filter plus detector"),
    ]


def switch_cards(steps, done):
    """Return the cards of calibration switches: COMPLETE where ``done``, else PERFORM."""
    return [(f"{step}", "COMPLETE" if done else "PERFORM", "calibration switch") for step in steps.split()]


def image_cards(shot, name, extver, unit):
    """Return the cards that open the header of an extension."""
    return [
        ("INHERIT", True, "inherit the primary header"),
        ("EXTNAME", name, "extension name"),
        ("EXTVER", extver, "extension version number"),
        ("ROOTNAME", shot.rootname, "rootname of the observation set"),
        ("EXPNAME", shot.rootname, "exposure identifier"),
        ("BUNIT", unit, "brightness units"),
    ]


def sky_cards(shot, corner=(0, 0), scale=(1.0, 1.0)):
    """
    Return the world coordinates of an image of the detector plane.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.
    corner : tuple of int
        Columns and rows of the image before the first one of the plane.
    scale : tuple of float
        Pixels of the image in one of the plane, along columns and rows.

    Returns
    -------
    cards : list of tuple
        Keyword, value and comment.
    """
    wcs = plane_wcs(shot).wcs
    cards = [(f"CRVAL{i + 1}", wcs.crval[i], "value at reference pixel") for i in range(2)]
    cards += [
        (f"CRPIX{i + 1}", scale[i] * (wcs.crpix[i] - 0.5) + 0.5 + corner[i], "coordinate of reference pixel")
        for i in range(2)
    ]
    cards += [(f"CTYPE{i + 1}", wcs.ctype[i], "the coordinate type") for i in range(2)]
    cards += [(f"CD{i + 1}_{j + 1}", wcs.cd[i, j] / scale[j], "partial derivative") for i in range(2) for j in range(2)]
    return cards

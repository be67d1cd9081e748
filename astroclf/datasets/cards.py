# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Cards that the headers of all simulated Hubble frames share."""

from astropy.time import Time

__all__ = ["exposure_cards", "file_cards", "image_cards", "target_cards"]

_SECONDS_PER_DAY = 86400.0


def file_cards(shot, extensions):
    """Return the cards that open a primary header."""
    return [
        ("ORIGIN", "astroclf", "FITS file originator"),
        ("DATE", Time(shot.start, format="mjd").strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)"),
        ("NEXTEND", extensions, "Number of standard extensions"),
        ("FILENAME", f"{shot.rootname}_{shot.product}.fits", "name of file"),
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("TELESCOP", "HST", "telescope used to acquire data"),
        ("INSTRUME", shot.camera.instrument, "identifier for instrument used to acquire data"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ("SIMULATD", True, "simulated, not an observation"),
    ]


def target_cards(shot):
    """Return the cards of the target and the programme."""
    return [
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

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Telescope, filter, target and the like, wherever a header keeps them."""

import math
import re

from astropy.io.fits.card import Undefined

from astroclf.frames.frame import Facts

__all__ = ["header_facts", "not_sky", "positive", "text_of"]

_FILTER_WHEELS = ("FILTER1", "FILTER2", "FILTNAM1", "FILTNAM2", "FILTNAM3", "FILTNAM4")
_CLEAR = ("CLEAR", "NONE", "N/A", "OPEN")
_KINDS = ("IMAGETYP", "OBSTYPE", "EXP_TYPE", "ESO DPR TYPE", "ESO DPR TECH")
"""Keywords that say what kind of picture was meant; the last two are HIERARCH keywords of ESO."""
_SKY = frozenset("OBJECT LIGHT SCIENCE".split())
_NO_SKY = frozenset(
    "BIAS ZERO DARK FLAT FLATFIELD DOMEFLAT SKYFLAT TWIFLAT LAMPFLAT INTFLAT DFLAT SFLAT PFLAT TFLAT IFLAT UFLAT VFLAT "
    "ECAL LAMP LED ARC COMP COMPARISON TUNGSTEN DEUTERIUM KSPOT KSPOTS DARKALL DARKIMG DARKMRS FLATIMAGE FLATMRS "
    "AUTOFLAT AUTOWAVE".split()
)
"""Words for calibration frames: Hubble's, JWST's (stdatamodels, ``core.schema``) and those of the ground."""
_SPECTRUM = frozenset("SPECTRUM ECHELLE GRISM TSGRISM WFSS MRS LRS IFU SOSS FIXEDSLIT MSASPEC BRIGHTOBJ MOS".split())
"""Words for spectra; so is any that begins with SPECTRO."""
_OLD_DATE = re.compile(r"(?P<day>0[1-9]|[12]\d|3[01])/(?P<month>0[1-9]|1[0-2])/(?P<year>[5-9]\d)")
"""Of a year below 50 it is in doubt which century is meant."""

_PER_SECOND = re.compile(r"/ ?S(EC)?\b|\bS(EC)?(\*\*|\^)?-1", re.IGNORECASE)
_DISPERSERS = re.compile(r"G\d{3}L?|G\d{2,3}[HM]|PR\d{3}L|PRISM\d?")
"""Grisms, gratings and prisms of Hubble among the filters: G800L, G280, G141, PR130L, PRISM1..."""


def header_facts(header):
    """
    Collect the facts of a frame from its header.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Primary header and that of the image, merged.

    Returns
    -------
    facts : Facts
        Empty where the header is silent.
    """
    date = _iso(text_of(header, "DATE-OBS", "DATE_OBS"))
    time = text_of(header, "TIME-OBS")
    instrument = text_of(header, "INSTRUME", "CAMERA")
    return Facts(
        telescope=text_of(header, "TELESCOP", "OBSERVAT"),
        instrument=instrument,
        detector=_detector(header, instrument),
        filter=_stis_element(header) if instrument == "STIS" else _filter(header),
        target=text_of(header, "TARGNAME", "TARGPROP", "OBJECT"),
        date=f"{date}T{time}" if date and time and "T" not in date else date,
        exptime=_exposure(header),
        pivot=_number(header, "PHOTPLAM"),
    )


def not_sky(header):
    """
    Return what the header says that the verdict must not depend on: that this is no picture of the sky.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Primary header and that of the image, merged.

    Returns
    -------
    notes : tuple of str
        At most one sentence a keyword.
    """
    notes = []
    for keyword in _KINDS:
        kind = text_of(header, keyword).upper()
        words = set(re.split(r"[^A-Z0-9]+", kind))
        if words & _NO_SKY and not words & _SKY:
            notes.append(f"{keyword} = {kind!r}: the header says this is no picture of the sky")
        elif words & _SPECTRUM or any(word.startswith("SPECTRO") for word in words):
            notes.append(f"{keyword} = {kind!r}: the header says this is a spectrum")
    if not notes and text_of(header, "TELESCOP") == "HST":
        elements = (name for name in _filter(header).split("+") if _DISPERSERS.fullmatch(name.upper()))
        notes += [f"filter {name}: the header says this shows spectra" for name in elements]
    return tuple(notes)


def positive(header, keyword):
    """Return the number of a keyword if it is one above 0, else 0: what pipelines have yet to fill in counts as 0."""
    return max(_number(header, keyword) or 0.0, 0.0)


def _detector(header, instrument):
    """Return DETECTOR; of NICMOS its camera and of FOC its relay; of WFPC2 nothing, where it numbers a chip."""
    if instrument == "NICMOS":
        return f"NIC{text_of(header, 'CAMERA')}"
    if instrument == "FOC":
        return text_of(header, "OPTCRLY")
    return "" if instrument == "WFPC2" else text_of(header, "DETECTOR", "CHANNEL")


def text_of(header, *keywords):
    """Return the first of these keywords that holds something, as text; empty if none does or can be parsed."""
    for keyword in keywords:
        try:
            value = header.get(keyword)
        except Exception:  # a card astropy cannot parse says nothing
            continue
        if not isinstance(value, Undefined | None) and str(value).strip():
            return str(value).strip()
    return ""


def _number(header, *keywords):
    for keyword in keywords:
        try:
            value = float(text_of(header, keyword))
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return None


def _iso(date):
    """Return a date as it is, but one since 1950 in the old form of FITS, DD/MM/YY, in that of ISO 8601."""
    old = _OLD_DATE.fullmatch(date)
    return f"19{old['year']}-{old['month']}-{old['day']}" if old else date


def _exposure(header):
    """Return the exposure time; None where it is 1 in a rate image, which says no more than that it is one."""
    seconds = _number(header, "EXPTIME", "EFFEXPTM", "EXPOSURE", "TEXPTIME")
    return None if seconds == 1 and _PER_SECOND.search(text_of(header, "BUNIT")) else seconds


def _filter(header):
    """Return FILTER, with JWST's PUPIL; else what is in the wheels that are not clear; WFPC2 numbers them besides."""
    name = text_of(header, "FILTER")
    if name:
        pupil = text_of(header, "PUPIL")
        if not pupil or pupil.upper().startswith(_CLEAR):
            return name
        return pupil if name.upper().startswith(_CLEAR) else f"{name}+{pupil}"
    wheels = [text_of(header, wheel) for wheel in _FILTER_WHEELS]
    used = [wheel for wheel in wheels if wheel and not wheel.isdecimal() and not wheel.upper().startswith(_CLEAR)]
    return "+".join(used) or text_of(header, "OPT_ELEM")


def _stis_element(header):
    """Return what STIS looked through: filters are apertures, and the disperser says what a spectrum is."""
    imaging = text_of(header, "OPT_ELEM").upper().startswith("MIR")
    return text_of(header, "APERTURE") if imaging else text_of(header, "OPT_ELEM") or _filter(header)

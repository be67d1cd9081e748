# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Names, numbers and header text in the words of people, safe to draw."""

import math
import unicodedata

__all__ = [
    "camera",
    "clean",
    "exposure",
    "human",
    "observation",
    "percent",
    "quality",
    "share",
    "size",
    "unit",
    "verdict",
]

_LONGEST = 400
_HYPHENATED = {"early type": "early-type", "edge on": "edge-on"}
_MOST_FILTERS = 4
_NO_SOURCE_GROUP = "none"


def clean(text):
    """
    Return text in one line, without control, format, private and loose combining characters.

    Parameters
    ----------
    text : str
        Text from a header or a file name, possibly hostile.

    Returns
    -------
    text : str
        At most 400 characters; undecodable bytes of a file name are U+FFFD.
    """
    text = unicodedata.normalize("NFC", str(text)[:_LONGEST])
    return " ".join("".join(map(_safe, text)).split())


def _safe(character):
    category = unicodedata.category(character)
    if category == "Cc" or category[0] == "Z":
        return " "
    if category == "Cf" or category[0] == "M":
        return ""
    return "\N{REPLACEMENT CHARACTER}" if category[0] == "C" else character


def human(name):
    """
    Return the name of a class or group as people write it: ``spiral galaxy``, ``edge-on galaxy``.

    Parameters
    ----------
    name : str
        As in the taxonomy.

    Returns
    -------
    words : str
        Lower case is kept, underscores are not.
    """
    words = clean(name.replace("_", " "))
    for plain, hyphenated in _HYPHENATED.items():
        words = words.replace(plain, hyphenated)
    return "no source" if words == _NO_SOURCE_GROUP else words


def percent(probability):
    """Return a probability in [0, 1] in whole percent, never rounded to certainty."""
    if 0 < probability < 0.005:
        return "<1%"
    if 0.995 <= probability < 1:
        return ">99%"
    return f"{probability:.0%}"


def quality(fraction):
    """Return the fraction of unusable pixels, in [0, 1], as a phrase."""
    if fraction == 0:
        return "no unusable pixels"
    return f"{'<0.1' if fraction < 0.001 else f'{100 * fraction:.1f}'}% of pixels unusable"


def share(fraction):
    """Return a fraction of pixels, in [0, 1], in percent; never rounded to none or to all."""
    if fraction in (0, 1):
        return f"{100 * fraction:.0f}%"
    if fraction < 1e-4:
        return "<0.01%"
    if fraction > 0.999:
        return ">99.9%"
    return f"{100 * fraction:.{2 if fraction < 0.01 else 1}f}%"


def exposure(seconds):
    """Return an exposure time in seconds with its unit; empty if None, negative or not finite."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    return f"{seconds:,.0f} s" if seconds >= 100 else f"{seconds:.3g} s"


def size(shape):
    """Return the shape (ny, nx) of an image as people say it, width first."""
    return f"{shape[1]} \N{MULTIPLICATION SIGN} {shape[0]}"


def unit(frame):
    """Return the unit of a frame's pixels; empty where it has none."""
    return clean(frame.ccd.unit).replace(" / ", "/")


def verdict(prediction):
    """Return the verdict as a phrase, with its probability if it has one."""
    sure = "" if prediction.prob is None else f", {percent(prediction.prob)}"
    return f"{human(prediction.verdict)}{sure}"


def camera(facts):
    """Return the instrument of an observation with its detector, which is not said twice; empty if not known."""
    instrument, detector = clean(facts.instrument), clean(facts.detector)
    if detector and detector.lower() not in instrument.lower():
        return f"{instrument}/{detector}" if instrument else detector
    return instrument


def observation(facts):
    """
    Return what is known of an observation, in the order people say it.

    Parameters
    ----------
    facts : `~astroclf.frames.Facts`
        What the headers say.

    Returns
    -------
    phrases : list of str
        Telescope, instrument/detector, filter, exposure and date, those that are known.
    """
    phrases = [clean(facts.telescope), camera(facts), _filters(facts.filter), exposure(facts.exptime), _day(facts.date)]
    return [phrase for phrase in phrases if phrase]


def _filters(name):
    """Return the names of combined filters, of many the first and the last."""
    names = clean(name).split("+")
    return f"{names[0]} to {names[-1]}, {len(names)} filters" if len(names) > _MOST_FILTERS else clean(name)


def _day(date):
    """Return the day of an ISO 8601 date and time, any other date as it is."""
    day, separator, time = clean(date).partition("T")
    return day if separator and time[:1].isdigit() else clean(date)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What a picture says in Astronomy Visualization Metadata (AVM): what was observed, how, and what it shows."""

import math
from datetime import datetime

import numpy as np

from astroclf import __version__
from astroclf.annotation.words import camera, clean, verdict
from astroclf.frames.facts import text_of
from astroclf.frames.filters import pivot_wavelength
from astroclf.tags.xmp import avm_categories

__all__ = ["observation_avm", "stretch_avm", "verdict_avm"]

_BANDS = (
    (0.01, "Gamma-ray"), (10, "X-ray"), (400, "Ultraviolet"), (1000, "Optical"), (1e5, "Infrared"), (1e7, "Millimeter"),
    (math.inf, "Radio"),
)  # fmt: skip
"""The bands of AVM, and the wavelengths in nm where they end."""

_COLORS = "Blue", "Cyan", "Green", "Yellow", "Red"
"""Of the filters of a picture in colour, spread from the bluest to the reddest."""

_DATASET, _PROPOSAL = ("ROOTNAME",), ("PROPOSID", "PROGRAM", "PROPID")
_CREDIT = "CREDIT", "COPYRIGHT", "AUTHOR", "OBSERVER"
_FUNCTIONS = {"AsinhStretch": "ArcSinh", "LogStretch": "Log", "SqrtStretch": "Sqrt", "LinearStretch": "Linear"}


def observation_avm(frame, rgb=None):
    """
    Return what the headers of a frame say.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame, of one filter or of several that were combined.
    rgb : `~numpy.ndarray`, shape (ny, nx, 3), optional
        Its picture, for the colours that the filters have in it; by default they are grey. What was coloured in a
        picture file is not known.

    Returns
    -------
    values : dict
        Values by their names in AVM, with one item for each filter where it has lists; empty where nothing is known.
    """
    header, target = frame.ccd.meta, clean(frame.facts.target)
    filters = frame.parts or (frame.facts,)
    waves, count = [_nanometres(facts) for facts in filters], len(filters)
    return {
        "Title": target or None,
        "Subject.Name": [target] if target else [],
        "Type": _kind(frame),
        "Credit": _header_text(header, *_CREDIT) or None,
        "Facility": _known([clean(facts.telescope) or None for facts in filters], unknown="-"),
        "Instrument": _known([camera(facts) or None for facts in filters], unknown="-"),
        "Spectral.ColorAssignment": [] if frame.colours is not None else _colors(rgb, count),
        "Spectral.Band": _known([_band(wave) for wave in waves]),
        "Spectral.Bandpass": _known([clean(facts.filter) or None for facts in filters], unknown="-"),
        "Spectral.CentralWavelength": _known(waves),
        "Temporal.StartTime": _known([_start(facts.date) for facts in filters]),
        "Temporal.IntegrationTime": _known([_seconds(facts.exptime) for facts in filters]),
        "DatasetID": _each(_header_text(header, *_DATASET), count),
        "ProposalID": _each(_header_text(header, *_PROPOSAL), 1),
    }


def verdict_avm(prediction):
    """
    Return what a picture shows.

    Parameters
    ----------
    prediction : `~astroclf.Prediction`
        The verdict.

    Returns
    -------
    values : dict
        Values by their names in AVM; there is no category where the verdict is not sure.
    """
    return {
        "Headline": f"{verdict(prediction)} ({prediction.status})",
        "Description": f"Classified by astroclf {__version__}: {clean(str(prediction))}",
        "Subject.Category": avm_categories(prediction),
    }


def stretch_avm(stages):
    """
    Return how the numbers of a frame became grey levels.

    Parameters
    ----------
    stages : `~astroclf.preprocess.Stages`
        A frame on its way to a grey picture, which is stretched by `~astroclf.render.Stretch`.

    Returns
    -------
    values : dict
        The levels of sky, black and white by their names in AVM, in the unit of the frame. They are those where the
        sky is in the middle between its extremes.
    """
    scale = stages.scales[0]
    sky = float(np.median(stages.sky.on(stages.flat.shape)))
    return {
        "FL.BackgroundLevel": [sky],
        "FL.BlackLevel": [sky + float(scale.transform_1.vmin)],
        "FL.WhiteLevel": [sky + float(scale.transform_1.vmax)],
        "FL.StretchFunction": [_FUNCTIONS[type(scale.transform_2).__name__]],
    }


def _kind(frame):
    """Return the type of a picture; None for one of unknown making."""
    if frame.layout == "picture":
        return None
    return "Simulation" if text_of(frame.ccd.meta, "SIMULATD") in ("True", "T") else "Observation"


def _header_text(header, *keywords):
    return clean(text_of(header, *keywords))


def _each(text, count):
    return [text] * count if text else []


def _known(values, unknown=None):
    """Return a list in which something is known, else an empty one."""
    return [unknown if value is None else value for value in values] if any(values) else []


def _nanometres(facts):
    wave = pivot_wavelength(facts)
    return None if wave is None else round(wave / 10, 4)


def _band(nanometres):
    return None if nanometres is None else next(band for end, band in _BANDS if nanometres <= end)


def _colors(rgb, count):
    if rgb is None or (rgb == rgb[..., :1]).all():
        return ["Grayscale"] * count
    if count == 1:
        return ["Pseudocolor"]
    return [_COLORS[round(place)] for place in np.linspace(0, len(_COLORS) - 1, count)]


def _start(date):
    """Return a date and time as AVM has them; the date alone where the time is none; None where there is no date."""
    for text in (date, date[:10]):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            continue
        return text
    return None


def _seconds(exptime):
    return exptime if exptime is not None and math.isfinite(exptime) and exptime > 0 else None

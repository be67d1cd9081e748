# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What notebooks show of a frame and of a verdict: HTML without scripts, in the colours of the page it is on."""

from base64 import b64encode
from dataclasses import replace
from html import escape
from io import BytesIO

import numpy as np

from astroclf.annotation.theme import MARKS, ON_MARK, supports
from astroclf.annotation.words import clean, human, observation, percent, quality, size, unit
from astroclf.exceptions import EmptyFrameError
from astroclf.frames.frame import Exposure

__all__ = ["frame_html", "frame_png", "prediction_html"]

_SHOWN = 3
_THUMBNAIL, _PICTURE = 320, 1024
_CELL = "padding:2px 10px 2px 0;text-align:left;background:transparent;border:0;white-space:normal"
_QUIET = "opacity:0.75"
_TRACK = "display:inline-block;width:120px;height:8px;border-radius:4px;background:rgba(128,128,128,0.3)"
_BAR = "height:8px;border-radius:4px"


def prediction_html(prediction):
    """
    Return a verdict as HTML.

    Parameters
    ----------
    prediction : `~astroclf.Prediction`
        The verdict. Names in it are escaped.

    Returns
    -------
    html : str
        Status, verdict, and the most probable classes with bars.
    """
    mark = MARKS[prediction.status]
    badge = (
        f'<span style="background:{mark.color};color:{ON_MARK};border-radius:9px;padding:1px 9px;font-weight:bold">'
        f"{mark.sign} {escape(prediction.status)}</span>"
    )
    sure = "" if prediction.prob is None else f" {escape(percent(prediction.prob))}"
    heading = f'<div>{badge} <strong style="font-size:115%">{_text(human(prediction.verdict))}</strong>{sure}</div>'
    reason = f'<div style="{_QUIET};margin:2px 0 6px">{escape(mark.reason)}</div>'
    rows = [_bar_row(prediction, *pair) for pair in zip(prediction.labels[:_SHOWN], prediction.probs)]
    rows += [
        _row(name, _text(value))
        for name, value in {
            "group": f"{human(prediction.group)}, {percent(prediction.group_probs[0])}",
            "quality": quality(prediction.quality),
            "file": prediction.origin.name,
            "model": prediction.provenance.model,
        }.items()
    ]
    return _box(heading + reason + _table(rows))


def frame_html(frame):
    """
    Return a frame as HTML.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame. What its headers say is escaped.

    Returns
    -------
    html : str
        A small picture, and what is known of the frame.
    """
    hdus = " ".join(frame.origin.hdus)
    facts = {
        "observed": " \N{MIDDLE DOT} ".join(observation(frame.facts)),
        "image": f"{size(frame.shape)} px {unit(frame)}" + (f", HDU {clean(hdus)}" if hdus else ""),
        "read as": frame.layout,
        "quality": quality(frame.quality),
        "cosmic rays": frame.exposure,
        "notes": "; ".join(frame.notes),
    }
    target, name = clean(frame.facts.target), clean(frame.origin.name)
    heading = f'<strong style="font-size:115%">{escape(target or name)}</strong>'
    if target:
        heading += f' <span style="{_QUIET}">{escape(name)}</span>'
    table = _table([_row(key, _text(value)) for key, value in facts.items() if value])
    png = _png(frame, _THUMBNAIL)
    if png is None:
        return _box(heading + table)
    image = (
        f'<img alt="picture of the frame" src="data:image/png;base64,{b64encode(png).decode()}" style="{_fit(png)}">'
    )
    return _box(f"{heading}<div>{image}</div>{table}")


def frame_png(frame):
    """
    Return the picture of a frame.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame; cosmic rays are left in it.

    Returns
    -------
    png : bytes or None
        The exposed part in grey, or in the colours that a picture has, row 0 at the bottom, of no more pixels than it
        has and 1024 at most; None where no pixel is finite and unmasked.
    """
    return _png(frame, _PICTURE)


def _png(frame, longest):
    from PIL import Image

    from astroclf.annotation.showing import grey_stages, shown

    try:
        side = max(axis.stop - axis.start for axis in frame.exposed)
    except EmptyFrameError:
        return None
    as_read = replace(frame, exposure=Exposure.UNKNOWN)
    pixels = np.round(255 * shown(grey_stages(as_read, min(side, longest)))[::-1]).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels[..., 0] if frame.colours is None else pixels).save(stream, "png")
    return stream.getvalue()


def _fit(png):
    """Return the style of a small picture: small frames are enlarged, with their pixels to be seen."""
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    zoom = _THUMBNAIL / max(width, height)
    sharp = ";image-rendering:pixelated" if zoom >= 2 else ""
    return f"width:{max(round(width * zoom), 1)}px;height:{max(round(height * zoom), 1)}px;margin:4px 0{sharp}"


def _bar_row(prediction, label, prob):
    color = MARKS[prediction.status].color if supports(prediction, label) else "rgba(128,128,128,0.8)"
    bar = f'<div style="{_TRACK}"><div style="{_BAR};width:{100 * prob:.1f}%;background:{color}"></div></div>'
    return _row(human(label), f"{bar} {escape(percent(prob))}", quiet=False)


def _row(name, value, quiet=True):
    style = f"{_CELL};{_QUIET}" if quiet else _CELL
    cells = "".join(f'<td style="{style}">{cell}</td>' for cell in (_text(name), value))
    return f'<tr style="background:transparent">{cells}</tr>'


def _table(rows):
    return f'<table style="border-collapse:collapse;border:0;margin:0">{"".join(rows)}</table>'


def _text(text):
    return escape(clean(text))


def _box(content):
    return f'<div style="font-family:sans-serif;line-height:1.5">{content}</div>'

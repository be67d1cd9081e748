# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The page: rows as JSON, put into the template with its style and its program."""

import json
import math
import os
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import quote

from astroclf import __version__
from astroclf.exceptions import AstroclfError
from astroclf.tags.keywords import KEYWORDS
from astroclf.taxonomy import group_of, labels

__all__ = ["check_output", "is_report", "write_report"]

_MARK = '<meta name="generator" content="astroclf report '
_HEAD = 2048
_SCRIPTS = "rows.js", "gallery.js", "sky.js", "details.js", "page.js"
_CHUNK = 100
"""Rows whose cards and thumbnails are parsed together, once one of them is shown."""

_UNTAGGED = {"none": ("\N{EN DASH}", "no verdict in the header"), "error": ("!", "the file cannot be read")}
"""Sign and reason of what stands in the place of a status where there is none."""

_POLICY = "default-src 'none'; img-src 'self' file: data:; style-src '{style}'; script-src '{script}'; base-uri 'none'"
"""Nothing is fetched but the annotated pictures beside the files."""


def write_report(entries, output, *, title=None, overwrite=False):
    """
    Write a page that shows files and their tags.

    The page is one file that works without a network; only the annotated pictures are opened where they are, by
    their paths relative to it. The same entries, version and place give the same bytes.

    Parameters
    ----------
    entries : iterable of `~astroclf.report.Entry`
        The files, as of `collect_entries`.
    output : path-like
        HTML file. A report that astroclf made is replaced.
    title : str, optional
        Heading of the page; by default the name of the folder in which all files are.
    overwrite : bool, optional
        Replace any file.

    Raises
    ------
    AstroclfError
        If ``output`` exists and is no report, or cannot be written.

    Examples
    --------
    >>> from astroclf.report import collect_entries, write_report
    >>> write_report(collect_entries("night1"), "night1/report.html")  # doctest: +SKIP
    """
    from astroclf.storage.drafts import write_whole

    check_output(output, overwrite=overwrite)
    output, entries = Path(os.path.realpath(output)), list(entries)
    content = _page(entries, output.parent, title or _common_folder(entries))
    try:
        write_whole(output, content.encode())
    except OSError as error:
        msg = f"{output} cannot be written: {error.strerror or error}"
        raise AstroclfError(msg) from error


def check_output(output, *, overwrite=False):
    """
    Refuse to write a report over another file.

    Parameters
    ----------
    output : path-like
        HTML file.
    overwrite : bool, optional
        Whether any file may be replaced.

    Raises
    ------
    AstroclfError
        If it exists and is no report, cannot be read, or its folder does not exist.
    """
    output = Path(output)
    if output.is_dir() or not output.parent.is_dir():
        msg = f"{output} is a folder" if output.is_dir() else f"{output.parent} is no folder"
        msg = f"{msg}; name the HTML file to write, as report.html in a folder that exists"
        raise AstroclfError(msg)
    if output.exists() and not overwrite and not is_report(output):
        msg = f"{output} exists and is no report of astroclf: choose another name, or use overwrite=True (--overwrite)"
        raise AstroclfError(msg)


def is_report(path):
    """
    Tell whether a file is a report that astroclf made.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    report : bool
        False also where there is no file or it cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return _MARK.encode() in stream.read(_HEAD)
    except OSError:
        return False


def _common_folder(entries):
    """Return the name of the folder in which all files are."""
    folders = [str(entry.path.parent.resolve()) for entry in entries]
    return os.path.basename(os.path.commonpath(folders)) if folders else ""


def _page(entries, folder, title):
    from astroclf.annotation.words import clean

    title = clean(title) or "astroclf report"
    data = _json(_data(entries, folder, title))
    style, script = f"{_colors()}\n{_file('page.css')}", _script()
    return Template(_file("page.html")).substitute(
        title=escape(title),
        mark=f'{_MARK}{__version__}">',
        policy=_POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        data=data,
        key=sha256(data.encode()).hexdigest()[:16],
        chunks="\n".join(_chunk(n, entries[start : start + _CHUNK]) for n, start in _starts(entries)),
        script=script,
    )


def _starts(entries):
    return enumerate(range(0, len(entries), _CHUNK))


def _file(name):
    return files("astroclf.report").joinpath("data", name).read_text(encoding="utf-8")


def _script():
    return "\n".join(['"use strict";', *map(_file, _SCRIPTS)])


def _digest(text):
    """Return the hash by which a content security policy knows an element."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _json(value):
    """Return JSON in which nothing can end the element that holds it, or begin another."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _colors():
    """Return the colours of the annotated pictures as properties, light and dark, and those of each status."""
    from astroclf.annotation.theme import MARKS, ON_MARK, get_theme

    light, dark = vars(get_theme("light")), vars(get_theme("dark"))
    lines = [f"  --{name}: light-dark({light[name]}, {dark[name]});" for name in light]
    marks = [f".status-{status} {{ --mark: {mark.color}; }}" for status, mark in MARKS.items()]
    return "\n".join([":root {", *lines, f"  --on-mark: {ON_MARK};", "}", *marks])


def _data(entries, folder, title):
    """Return what the page knows of all files from the start."""
    from astroclf.annotation.theme import MARKS
    from astroclf.annotation.words import human

    rows = [_row(entry, folder) for entry in entries]
    classes = {label: group_of(label) for label in labels()}
    named = {row[key] for row in rows for key in ("class", "group", "verdict", "human") if key in row}
    statuses = {str(status): (mark.sign, mark.reason) for status, mark in MARKS.items()} | _UNTAGGED
    return {
        "title": title,
        "chunk": _CHUNK,
        "statuses": [{"name": name, "sign": sign, "reason": reason} for name, (sign, reason) in statuses.items()],
        "classes": classes,
        "words": {name: human(name) for name in sorted({*named, *classes, *classes.values(), "unknown"})},
        "comments": {keyword.name: keyword.comment for keyword in KEYWORDS},
        "rows": rows,
    }


def _row(entry, folder):
    """Return what is filtered, sorted and shown of a file; what is empty is left out."""
    from astroclf.annotation.words import camera, clean, exposure

    facts, file = entry.facts, _relative(entry.path, folder)
    row = {
        "file": file,
        "name": (clean(file) or "?") if clean(file) != file else "",
        "listable": _listable(file),
        "error": clean(entry.error),
        "target": clean(facts.target),
        "telescope": clean(facts.telescope),
        "instrument": camera(facts),
        "filter": clean(facts.filter),
        "date": clean(facts.date),
        "exposure": exposure(facts.exptime),
        "position": entry.position and [round(value, 5) for value in entry.position],
        "picture": entry.picture and _url(_relative(entry.picture, folder)),
        "crop": [round(value, 4) for value in entry.crop] or None,
        **_verdict(entry.tags),
    }
    row["status"] = "error" if entry.error else row["status"]
    return {name: value for name, value in row.items() if value not in ("", None)}


def _verdict(tags):
    from astroclf.annotation.theme import MARKS

    if tags is None:
        return {"status": "none"}
    return {
        "status": tags.status if tags.status in set(MARKS) else "none",
        "verdict": _text(tags.verdict),
        "prob": _number(tags.prob),
        "class": _text(tags.label),
        "classProb": _number(tags.get("CLFPRB1")),
        "group": _text(tags.group),
        "groupProb": _number(tags.group_prob),
        "human": _text(tags.human_label),
        "stale": tags.stale or None,
    }


def _chunk(number, entries):
    """Return the element with the cards and thumbnails of some rows."""
    details = [_details(entry) for entry in entries]
    return f'<script type="application/json" id="chunk-{number}">{_json(details)}</script>'


def _details(entry):
    from astroclf.annotation.words import clean

    cards = [[keyword, _card(value)] for keyword, value in (entry.tags or {}).items()]
    earlier = [clean(label) for label in entry.tags.earlier_labels] if entry.tags else []
    details = {"cards": cards, "earlier": earlier, "thumbnail": b64encode(entry.thumbnail).decode()}
    return {name: value for name, value in details.items() if value}


def _relative(path, folder):
    """Return the way from the folder of the page to a file, links to the file itself not followed."""
    return Path(os.path.relpath(path.parent.resolve() / path.name, folder.resolve())).as_posix()


def _url(path):
    return quote(os.fsencode(path))


def _listable(file):
    """Tell whether a list of labels can hold a name: it is UTF-8, and blanks around it are lost."""
    try:
        return file == file.strip() and bool(file.encode())
    except UnicodeEncodeError:
        return False


def _text(value):
    from astroclf.annotation.words import clean

    return None if value is None else clean(value)


def _number(value):
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _card(value):
    number = _number(value)
    return _text(value) if number is None else number

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tables on stdout, in any text format astropy writes, and JSON, whole or line by line."""

import argparse
import io
import json
import math
import re
import sys
import warnings

from astroclf.cli.colors import paint
from astroclf.cli.common import one_line, printable, reason, say

__all__ = ["FAILED", "JSONL", "Rows", "add_table_argument", "format_rows", "json_text", "table_format"]

FAILED = {"status": "ERROR"}
"""What the row of a failed file says."""

JSON, JSONL = "json", "jsonl"
"""The formats that are not astropy's: all rows as one array, and each as a line of its own."""

_NUMBERS = ("prob", "gprob")


def add_table_argument(parser, default):
    """
    Add the argument that chooses the format of a table.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The verb's parser.
    default : str
        What is printed without it.
    """
    parser.add_argument(
        "-t",
        "--table",
        metavar="FORMAT",
        type=table_format,
        help="csv, json, jsonl (an object a line, as soon as the file is done), or any text format of astropy's "
        f"Table.write, as html, latex, ecsv, votable, fixed_width (default: {default})",
    )


class Rows:
    """
    The rows of a verb on their way to stdout: in lines of JSON each at once, in any other format all at the end.

    Parameters
    ----------
    layout : str or None
        A `table_format`; None is aligned columns for people.
    """

    def __init__(self, layout):
        self._layout = layout
        self._rows = []

    @property
    def nested(self):
        """Whether a cell may be a list or a mapping."""
        return self._layout in (JSON, JSONL)

    def add(self, outcome, row):
        """
        Add a row.

        Parameters
        ----------
        outcome : `~astroclf.batch.Outcome`
            What it tells of. A line of JSON about a failure is its file, status and error alone.
        row : dict
            Values by column; None is an empty cell.
        """
        if self._layout != JSONL:
            self._rows.append(row)
            return
        if outcome.error is not None:
            row = {"file": outcome.item} | FAILED | {"error": one_line(reason(outcome.error), outcome.item)}
        say(json_text(row))
        sys.stdout.flush()

    def write(self):
        """Write what has not been written; a column that a row has not is empty there."""
        columns = dict.fromkeys(name for row in self._rows for name in row)
        if self._rows:
            sys.stdout.write(format_rows([columns | row for row in self._rows], self._layout))
            sys.stdout.flush()


def table_format(name):
    """
    Check the name of an output format, as an argparse type.

    Parameters
    ----------
    name : str
        ``json``, ``jsonl``, or a format of `astropy.table.Table.write` that is text, with or without its ``ascii.``.

    Returns
    -------
    name : str
        In full.

    Raises
    ------
    argparse.ArgumentTypeError
        If no such format exists, or it is not text.
    """
    for full in (name, f"ascii.{name}"):
        if full in (JSON, JSONL) or _is_text(full):
            return full
    msg = f"{name!r} is not a text format; choose {', '.join((JSON, JSONL, *_text_formats()))}"
    raise argparse.ArgumentTypeError(msg)


def format_rows(rows, layout=None):
    """
    Lay out rows as text.

    Parameters
    ----------
    rows : list of dict
        At least one, all with the same keys, which name the columns; None is an empty cell.
    layout : str, optional
        A `table_format`; aligned columns for people by default.

    Returns
    -------
    text : str
        Ends with a line break. In columns for people statuses are coloured if stdout shows colours.
    """
    if layout == JSON:
        return json_text(rows, indent=2) + "\n"
    if layout is None:
        return "\n".join(_painted(_for_people(rows).pformat(max_lines=-1, max_width=-1, align="<"))) + "\n"
    return _write(_table(rows), layout)


def json_text(value, indent=None):
    """
    Return nested values as JSON, which does not know NaN: numbers that are not finite are null.

    Parameters
    ----------
    value : object
        Mappings, sequences, texts and numbers.
    indent : int, optional
        Blanks a level; by default all is one line.

    Returns
    -------
    text : str
        ASCII.
    """
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value):
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _for_people(rows):
    """Make a table without empty columns, its texts safe on a terminal."""
    used = [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)]
    return _table([{name: _shown(row[name]) for name in used} for row in rows])


def _shown(value):
    return printable(value) if isinstance(value, str) else value


def _painted(lines):
    """Paint the statuses of an aligned table, whose second line underlines its columns; none becomes wider."""
    spans = dict(zip(lines[0].split(), (column.span() for column in re.finditer("-+", lines[1]))))
    start, end = spans.get("status", (0, 0))
    cells = (line[start:end] for line in lines[2:])
    painted = (line[:start] + paint(cell, cell.strip()) + line[end:] for line, cell in zip(lines[2:], cells))
    return [*lines[:2], *painted]


def _table(rows):
    from astropy.table import MaskedColumn, Table

    columns = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        kind = _kind(name, [value for value in values if value is not None])
        empty = kind()
        filled = [empty if value is None else value for value in values]
        columns.append(MaskedColumn(filled, name, dtype=kind, mask=[value is None for value in values]))
    return Table(columns)


def _kind(name, values):
    """Return the type of a column: that of its values if they are numbers."""
    if name in _NUMBERS:
        return float
    kinds = {type(value) for value in values}
    return next((kind for kind in (int, float, bool) if kinds == {kind}), float if kinds == {int, float} else str)


def _write(table, layout):
    stream = io.BytesIO() if layout == "votable" else io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some formats miss metadata that a plain table has not
        table.write(stream, format=layout)
    text = stream.getvalue()
    return text.decode() if layout == "votable" else text


def _is_text(layout):
    from astropy.io.registry import IORegistryError

    try:
        _write(_table([{"file": "a.fits", "prob": None}]), layout)
    except (IORegistryError, TypeError, ImportError):
        return False
    return True


def _text_formats():
    from astropy.io.registry import get_formats
    from astropy.table import Table

    names = {name.removeprefix("ascii.") for name in get_formats(Table, readwrite="Write")["Format"]}
    return sorted(name for name in names if _is_text(name) or _is_text(f"ascii.{name}"))

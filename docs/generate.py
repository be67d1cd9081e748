# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Write the pages that are rendered from the code: the command line, the keywords and the taxonomy."""

import argparse
import csv
import os
from importlib.resources import files
from pathlib import Path

from astroclf.cli.program import make_parser
from astroclf.tags.keywords import keyword_table
from astroclf.taxonomy import TAXONOMY

PAGES = Path(__file__).parent / "reference"
WIDTH = "100"
"""Columns of the help texts, as the environment's COLUMNS."""

_NOTE = ".. Written by docs/generate.py: change the code, then run it again.\n\n"


def cli_page():
    """Return the page of the command line: what ``--help`` says, for the program and every verb."""
    parser = make_parser()
    sections = [_NOTE, _heading("Command line", "="), _literal(parser.format_help())]
    for name, verb in verbs(parser).items():
        sections += [_heading(f"astroclf {name}", "-"), _literal(verb.format_help())]
    return "".join(sections)


def verbs(parser):
    """Return the parsers of the verbs by name."""
    (choices,) = (action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return choices


def keywords_page():
    """Return the page of the header keywords."""
    text = (
        "All are plain 8-character FITS keywords with ASCII text or finite numbers; an unknown value is a card\n"
        "without a value. They are in the primary header; in that of the image where a compressed file's image is\n"
        "not the primary. A file has at most one block. :doc:`/user_guide/tagging` says how they get there.\n\n"
    )
    table = [("keyword", "type", "meaning")]
    table += [(f"``{row['keyword']}``", row["type"], row["meaning"]) for row in keyword_table()]
    return _NOTE + _heading("Header keywords", "=") + text + _list_table(table)


def taxonomy_page():
    """Return the page of the taxonomy: classes, groups and other vocabularies."""
    rows = csv.DictReader(files("astroclf").joinpath("taxonomy.csv").read_text(encoding="ascii").splitlines())
    text = f"``CLFTAXON`` is ``{TAXONOMY}``. The rule decides where two classes could be meant.\n\n"
    table = [("class", "group", "UAT concept", "AVM", "description", "rule")]
    for row in rows:
        uat = f"`{row['uat_concept']} <http://astrothesaurus.org/uat/{row['uat_id']}>`__" if row["uat_id"] else ""
        table.append((f"``{row['label']}``", row["group"], uat, row["avm_category"], row["description"], row["rule"]))
    return _NOTE + _heading("Taxonomy", "=") + text + _list_table(table)


def _heading(text, line):
    return f"{text}\n{line * len(text)}\n\n"


def _literal(text):
    return ".. code-block:: text\n\n" + "".join(f"   {line}".rstrip() + "\n" for line in text.splitlines()) + "\n"


def _list_table(rows):
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'  -' if n else '* -'} {cell}".rstrip() for n, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.environ["COLUMNS"] = WIDTH
    for page in (cli_page, keywords_page, taxonomy_page):
        PAGES.joinpath(f"{page.__name__.removesuffix('_page')}.rst").write_text(page(), encoding="utf-8")

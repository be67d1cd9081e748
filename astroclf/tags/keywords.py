# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The keywords of the tag block: their names, types and meanings, and how a `Prediction` fills them."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from astropy.io import fits
from astropy.table import Table

from astroclf.exceptions import TagError
from astroclf.tags.cards import printable, string_image
from astroclf.taxonomy import concept

__all__ = [
    "HUMAN", "KEYWORDS", "Keyword", "history_text", "is_label", "is_tag", "iso_date", "keyword_table", "make_card",
    "to_cards",
]  # fmt: skip

_SHA_DIGITS = 16
_MIN_RANKED = 3
_HISTORY_WIDTH = 72
_SHORT_VALUE, _COMMENT_WIDTH, _CARD_ROOM = 18, 47, 65


@dataclass(frozen=True)
class Keyword:
    """
    One keyword of the tag block.

    Parameters
    ----------
    name : str
        At most 8 characters; an ``n`` at the end stands for 1, 2, 3...
    kind : type
        ``str``, ``int`` or ``float``.
    comment : str
        Comment of the card.
    meaning : str
        Full description, for the documentation.
    read : callable or None
        Called with a `~astroclf.prediction.Prediction` and a stamp (``file``, ``version``, ``date``), returns
        the value, None if it is unknown, or a sequence if the keyword is numbered. None for a
        keyword that no prediction fills.
    """

    name: str
    kind: type
    comment: str
    meaning: str
    read: Callable | None = None

    @property
    def numbered(self):
        """Whether the keyword comes with a number: 1, 2, 3..."""
        return self.name.endswith("n")


@dataclass(frozen=True)
class _Stamp:
    file: str
    version: str
    date: str


KEYWORDS = (
    Keyword(
        "CLFCLASS",
        str,
        "verdict: class, group or unknown",
        "The verdict, safe to filter on: the class if CLFSTAT is OK, the group if GROUP, else ``unknown``.",
        lambda p, stamp: p.verdict,
    ),
    Keyword(
        "CLFSTAT",
        str,
        "status of the verdict",
        "The first that applies: LOWQUAL (too many bad pixels), NOVEL (unlike the training data), OK, "
        "GROUP (sure of the group, not of the class), UNCERTAIN.",
        lambda p, stamp: str(p.status),
    ),
    Keyword(
        "CLFPROB",
        float,
        "calibrated probability of CLFCLASS",
        "Calibrated probability of CLFCLASS; undefined where that is ``unknown``.",
        lambda p, stamp: p.prob,
    ),
    Keyword(
        "CLFLABn",
        str,
        "class of rank n",
        "Ranked classes, whatever the status: three, or more to hold the label set.",
        lambda p, stamp: p.labels[: _ranked(p)],
    ),
    Keyword(
        "CLFPRBn",
        float,
        "calibrated probability of CLFLABn",
        "Calibrated probability of CLFLABn.",
        lambda p, stamp: p.probs[: _ranked(p)],
    ),
    Keyword(
        "CLFGROUP",
        str,
        "most probable group",
        "Most probable group, whatever the status.",
        lambda p, stamp: p.group,
    ),
    Keyword(
        "CLFGPROB",
        float,
        "calibrated probability of CLFGROUP",
        "Calibrated probability of CLFGROUP: the sum over its classes.",
        lambda p, stamp: p.group_probs[0],
    ),
    Keyword(
        "CLFNSET",
        int,
        "number of CLFLABn in the conformal set",
        "The first CLFNSET of CLFLABn form the conformal label set; undefined where a prior was given.",
        lambda p, stamp: p.n_set,
    ),
    Keyword(
        "CLFCOVER",
        float,
        "nominal coverage of the conformal set",
        "Nominal coverage of the conformal label set, in (0, 1); undefined where a prior was given.",
        lambda p, stamp: p.coverage,
    ),
    Keyword(
        "CLFNOVEL",
        float,
        "novelty score in [0, 1]",
        "Novelty score in [0, 1]: how unlike the training data the frame is.",
        lambda p, stamp: p.novelty,
    ),
    Keyword(
        "CLFQUAL",
        float,
        "fraction of exposed pixels unusable",
        "Fraction of the exposed pixels that are unusable: flagged, saturated or not finite. Gaps, overscan, "
        "drizzle borders and repaired cosmic rays do not count.",
        lambda p, stamp: p.quality,
    ),
    Keyword(
        "CLFAGREE",
        float,
        "agreement of the views, in [0, 1]",
        "Fraction of the views of the frame that name CLFLAB1: its orientations and, if CLFOPTS has ``stretches=3``, "
        "one view in a softer and one in a harder stretch. Of a verdict on several frames, the views of all.",
        lambda p, stamp: p.agreement,
    ),
    Keyword(
        "CLFTAXON",
        str,
        "taxonomy and its version",
        "Taxonomy the labels belong to, and its version.",
        lambda p, stamp: p.taxonomy,
    ),
    Keyword(
        "CLFUAT",
        int,
        "UAT concept of CLFCLASS",
        "Unified Astronomy Thesaurus concept of CLFCLASS, never narrower than it: "
        "``http://astrothesaurus.org/uat/<number>``.",
        lambda p, stamp: concept(p.verdict).uat,
    ),
    Keyword(
        "CLFAVM",
        str,
        "AVM Subject.Category of CLFCLASS",
        "Astronomy Visualization Metadata Subject.Category of CLFCLASS, never narrower than it.",
        lambda p, stamp: concept(p.verdict).avm,
    ),
    Keyword(
        "CLFHDU",
        str,
        "HDUs classified",
        "What was classified: ``NAME,VER`` of each HDU, else its index; ``0`` is the primary.",
        lambda p, stamp: " ".join(p.origin.hdus) or None,
    ),
    Keyword(
        "CLFDSUM",
        str,
        "DATASUMs of the HDUs read",
        "DATASUMs of all HDUs read (science and data quality), of the bytes as stored, in the order of CLFHDU.",
        lambda p, stamp: " ".join(p.origin.datasums) or None,
    ),
    Keyword(
        "CLFFILE",
        str,
        "file that was tagged",
        "FILENAME (else the name of the file) when tagged. Where it differs from that of the file at hand the "
        "block is stale: pipelines copy primary cards to their products.",
        lambda p, stamp: stamp.file or None,
    ),
    Keyword(
        "CLFINn",
        str,
        "other frame behind this verdict",
        "The other frames of a verdict on several frames combined; it is written into each of them. Characters that a "
        "header cannot hold are escaped.",
        lambda p, stamp: [printable(name) for name in p.origin.inputs],
    ),
    Keyword(
        "CLFMODEL",
        str,
        "model",
        "Name of the model.",
        lambda p, stamp: p.provenance.model,
    ),
    Keyword(
        "CLFSHA",
        str,
        "first digits of its SHA-256",
        "First 16 hexadecimal digits of the SHA-256 of the model file.",
        lambda p, stamp: p.provenance.sha256[:_SHA_DIGITS],
    ),
    Keyword(
        "CLFPREP",
        str,
        "digest of its preprocessing settings",
        "Digest of the preprocessing settings of the model record, 12 hexadecimal digits.",
        lambda p, stamp: p.provenance.preprocessing,
    ),
    Keyword(
        "CLFOPTS",
        str,
        "settings that are not its defaults",
        "Every setting that differs from the model record's defaults, as ``key=value`` joined by ``;``: with "
        "CLFMODEL and CLFSHA enough to repeat the verdict, as ``astroclf replay`` does.",
        lambda p, stamp: p.options,
    ),
    Keyword(
        "CLFSIDE",
        str,
        "file the tags of this sidecar are of",
        "In a sidecar only: the file that its tags are of, as a path from the folder of the sidecar.",
    ),
    Keyword(
        "CLFVERS",
        str,
        "version of astroclf",
        "Version of astroclf that wrote the block.",
        lambda p, stamp: stamp.version,
    ),
    Keyword(
        "CLFDATE",
        str,
        "UTC of the tagging",
        "When the block was written: UTC, ISO 8601.",
        lambda p, stamp: stamp.date,
    ),
    Keyword(
        "CLFHLAB",
        str,
        "label given by a person",
        "A person's label; kept when the file is tagged again.",
    ),
    Keyword(
        "CLFHWHO",
        str,
        "who gave it",
        "Who gave that label.",
    ),
    Keyword(
        "CLFHDATE",
        str,
        "when",
        "When that label was given.",
    ),
)
"""All keywords of the tag block, in the order they are written."""

HUMAN = frozenset({"CLFHLAB", "CLFHWHO", "CLFHDATE"})
"""Keywords a person's label is kept in: a new tag leaves them, and so does untagging unless told otherwise."""

_BY_NAME = {keyword.name: keyword for keyword in KEYWORDS}
_PLAIN = frozenset(keyword.name for keyword in KEYWORDS if not keyword.numbered)
_NUMBERED = "|".join(keyword.name[:-1] for keyword in KEYWORDS if keyword.numbered)
_IS_NUMBERED = re.compile(rf"({_NUMBERED})[1-9][0-9]*")
_IS_HISTORY = re.compile(rb"HISTORY astroclf \S+ tagged ")
_IS_LABEL = re.compile(rb"HISTORY astroclf label[:+] ")


def is_tag(card, human=False):
    """
    Tell whether a card belongs to the tag block.

    Parameters
    ----------
    card : bytes
        Image of the card.
    human : bool, optional
        Whether a person's labels, the earlier ones in HISTORY among them, count as part of the block.

    Returns
    -------
    is_tag : bool
        True for the keywords of the table and for the HISTORY lines astroclf writes.
    """
    if is_label(card):
        return human
    if card[8:10] != b"= ":
        return bool(_IS_HISTORY.match(card))
    name = card[:8].decode("latin-1").rstrip()
    return name in _PLAIN or bool(_IS_NUMBERED.fullmatch(name))


def is_label(card):
    """
    Tell whether a card belongs to a person's labels.

    Parameters
    ----------
    card : bytes
        Image of the card.

    Returns
    -------
    is_label : bool
        True for CLFHLAB, CLFHWHO and CLFHDATE, and for the HISTORY lines of earlier labels.
    """
    if card[8:10] != b"= ":
        return bool(_IS_LABEL.match(card))
    return card[:8].decode("latin-1").rstrip() in HUMAN


def keyword_table():
    """
    Return the keywords as a table, for the documentation.

    Returns
    -------
    table : `~astropy.table.Table`
        Columns ``keyword``, ``type`` and ``meaning``, one row a keyword and one for each kind of HISTORY line.
    """
    rows = [(keyword.name, keyword.kind.__name__, keyword.meaning) for keyword in KEYWORDS]
    rows.append(("HISTORY", "", "``astroclf <version> tagged <date>: <verdict>``, one line, replaced by a new tag."))
    rows.append(("HISTORY", "", "``astroclf label: <label> by <who> <date>``, one for each earlier label of a person."))
    return Table(rows=rows, names=("keyword", "type", "meaning"))


def to_cards(prediction, *, file="", when=None):
    """
    Return the tag block of a prediction.

    Parameters
    ----------
    prediction : `~astroclf.prediction.Prediction`
        The verdict. Numbers that are None, NaN or infinite become cards without a value; all others
        have at most 6 significant digits.
    file : str, optional
        Name of the file the cards are for; characters that a header cannot hold are escaped.
    when : `~datetime.datetime`, optional
        Time of the tagging, aware of its zone; now by default.

    Returns
    -------
    cards : list of `~astropy.io.fits.Card`
        The cards in the order of the table, the HISTORY line last.

    Raises
    ------
    TagError
        If a string of the prediction is not printable ASCII.
    """
    from astroclf import __version__

    date = iso_date(when)
    stamp = _Stamp(printable(file), __version__, date)
    cards = []
    for numbered, group in groupby((k for k in KEYWORDS if k.read), key=lambda keyword: keyword.numbered):
        rows = [(keyword, keyword.read(prediction, stamp)) for keyword in group]
        cards.extend(_numbered_cards(rows) if numbered else [_card(k, k.name, value) for k, value in rows])
    return [*cards, fits.Card("HISTORY", history_text(__version__, date, prediction.verdict))]


def history_text(version, date, verdict):
    """Return what HISTORY says of a tagging: by which astroclf, when (ISO 8601) and with which verdict."""
    return f"astroclf {version} tagged {date}: {verdict}"[:_HISTORY_WIDTH]


def iso_date(when=None):
    """
    Write a time as headers have it.

    Parameters
    ----------
    when : `~datetime.datetime`, optional
        A time, aware of its zone; now by default.

    Returns
    -------
    date : str
        UTC, ISO 8601, to the second.
    """
    return (when or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def make_card(name, value):
    """
    Make a card of a keyword that has no number.

    Parameters
    ----------
    name : str
        A keyword of the table.
    value : str, int, float or None
        Its value; None for none.

    Returns
    -------
    card : `~astropy.io.fits.Card`
        With the comment of the table.

    Raises
    ------
    TagError
        If ``value`` is a string that is not printable ASCII.
    """
    return _card(_BY_NAME[name], name, value)


def _ranked(prediction):
    return max(_MIN_RANKED, prediction.n_set or 0)


def _numbered_cards(rows):
    length = max(len(values) for _, values in rows)
    return [
        _card(keyword, f"{keyword.name[:-1]}{n}", values[n - 1])
        for n in range(1, length + 1)
        for keyword, values in rows
        if n <= len(values)
    ]


def _card(keyword, name, value):
    comment = re.sub(r"n\b", name[len(keyword.name) - 1 :], keyword.comment) if keyword.numbered else keyword.comment
    value = _plain(keyword.kind, name, value)
    if value is None:
        return fits.Card.fromstring(f"{name:8}= {'':20} / {comment}")
    if keyword.kind is not str:
        return fits.Card(name, value, comment)
    length = len(value.replace("'", "''"))
    room = _COMMENT_WIDTH if length <= _SHORT_VALUE else _CARD_ROOM - length
    return fits.Card.fromstring(string_image(name, value, comment if len(comment) <= room else ""))


def _plain(kind, name, value):
    """Return the value as a header can hold it."""
    if value is None:
        return None
    if kind is str:
        if printable(value) != value:
            msg = f"{name} = {value!r} is not printable ASCII, the only text a FITS header holds; rename it"
            raise TagError(msg)
        return value
    if not math.isfinite(value):
        return None
    return int(value) if kind is int else float(f"{value:.6g}")

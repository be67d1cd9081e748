# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Whether a tag block is what astroclf writes: complete, its values of the right type and range, and in agreement."""

import re
from itertools import pairwise

from astroclf.options import Options
from astroclf.prediction import Status
from astroclf.tags.cards import keyword_of
from astroclf.tags.keywords import HUMAN, KEYWORDS, history_text, is_tag
from astroclf.taxonomy import TAXONOMY, UNKNOWN, concept, group_or_self, labels

__all__ = ["foreign_keywords", "is_verdict", "problems_of_cards", "problems_of_values", "same_number"]

_DIGITS = 1e-5
"""Numbers have 6 significant digits: by this part of them, and by a tenth of it, they may differ."""

_KINDS = {keyword.name: keyword.kind for keyword in KEYWORDS}
_ALWAYS = tuple(keyword.name for keyword in KEYWORDS if keyword.read and not keyword.numbered)
_MAY_BE_UNKNOWN = frozenset(
    {"CLFPROB", "CLFNSET", "CLFCOVER", "CLFNOVEL", "CLFAGREE", "CLFUAT", "CLFAVM", "CLFHDU", "CLFDSUM", "CLFFILE"}
)
_NAME, _DATE = ".{1,18}", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_FORMS = {
    "CLFCLASS": _NAME,
    "CLFLABn": _NAME,
    "CLFGROUP": _NAME,
    "CLFSTAT": "|".join(Status),
    "CLFDSUM": r"\d{1,10}( \d{1,10})*",
    "CLFSHA": "[0-9a-f]{16}",
    "CLFPREP": "[0-9a-f]{12}",
    "CLFDATE": _DATE,
    "CLFVERS": r"\S+",
    "CLFTAXON": ".+",
}
"""Patterns of texts."""


def is_verdict(card):
    """Tell whether a card (bytes) of a tag block has a keyword of its own: is no HISTORY and no person's label."""
    return is_tag(card) and keyword_of(card) != "HISTORY"


def foreign_keywords(cards):
    """
    Return keywords that begin as those of a tag block but are none.

    Parameters
    ----------
    cards : iterable of bytes
        Cards of a header.

    Returns
    -------
    keywords : list of str
        In the order of the header.
    """
    return [keyword_of(card) for card in cards if card.startswith(b"CLF") and not is_tag(card, human=True)]


def same_number(one, other):
    """
    Compare two numbers as far as headers hold them.

    Parameters
    ----------
    one, other : int, float or None
        None for an unknown number.

    Returns
    -------
    same : bool
        Whether they differ by less than a unit of the sixth significant digit, or by a millionth.
    """
    if one is None or other is None:
        return one is other
    return abs(one - other) <= max(_DIGITS * max(abs(one), abs(other)), _DIGITS / 10)


def problems_of_cards(headers):
    """
    Say what is wrong with where the cards of a tag block are.

    Parameters
    ----------
    headers : dict of int to sequence of bytes
        Cards of every header, by index of the HDU.

    Returns
    -------
    problems : list of str
        Empty if there is one block, each keyword once and one line in HISTORY.
    """
    blocks = {index: [card for card in cards if is_verdict(card)] for index, cards in headers.items()}
    homes = [str(index) for index, block in blocks.items() if block]
    problems = [] if len(homes) == 1 else [f"there are {len(homes)} blocks, in HDUs {', '.join(homes)}"]
    for index, block in blocks.items():
        keywords = [keyword_of(card) for card in block]
        twice = [keyword for keyword in dict.fromkeys(keywords) if keywords.count(keyword) > 1]
        problems += [f"{keyword} is there {keywords.count(keyword)} times in HDU {index}" for keyword in twice]
    lines = _history([card for cards in headers.values() for card in cards])
    if len(lines) != 1:
        problems.append(f"there are {len(lines)} lines of a tagging in HISTORY instead of one")
    return problems


def _history(cards):
    return [card[8:].decode("latin-1").strip() for card in cards if is_tag(card) and keyword_of(card) == "HISTORY"]


def problems_of_values(values, known=None, headers=None):
    """
    Say what is wrong with the values of a tag block.

    Parameters
    ----------
    values : mapping of str to str, int, float or None
        Values by keyword; None where a card has no value.
    known : sequence of str, optional
        The classes of the model; by default those of the taxonomy, if CLFTAXON names it.
    headers : dict, optional
        As for `problems_of_cards`: then HISTORY must say what the block says.

    Returns
    -------
    problems : list of str
        Empty if nothing is.
    """
    missing = [name for name in (*_ALWAYS, "CLFLAB1", "CLFPRB1", "CLFLAB2", "CLFPRB2") if name not in values]
    problems = [f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    wrong = [problem for name, value in values.items() if name not in HUMAN and (problem := _problem(name, value))]
    if missing or wrong:
        return problems + wrong  # what follows takes these for granted
    if known is None and values["CLFTAXON"] == TAXONOMY:
        known = labels()
    problems += [*_ranking(values, known), *_verdict(values), *_settings(values)]
    lines = [] if headers is None else _history([card for cards in headers.values() for card in cards])
    expected = history_text(values["CLFVERS"], values["CLFDATE"], values["CLFCLASS"])
    return problems + [f"HISTORY says {line!r}, not {expected!r}" for line in lines if line != expected]


def _problem(name, value):
    """Say what is wrong with one value; empty if nothing is."""
    stem = name if name in _KINDS else f"{name.rstrip('0123456789')}n"
    kind = _KINDS[stem]
    if value is None:
        return "" if stem in _MAY_BE_UNKNOWN else f"{name} has no value"
    if kind is str:
        fits = isinstance(value, str) and re.fullmatch(_FORMS.get(stem, ".*"), value)
        return "" if fits else f"{name} = {value!r} is none of its values"
    if type(value) is bool or not isinstance(value, int if kind is int else int | float):
        return f"{name} = {value!r} is no {'whole ' if kind is int else ''}number"
    within = value >= 1 if kind is int else 0 <= value <= 1
    return "" if within else f"{name} = {value} is not {'at least 1' if kind is int else 'in [0, 1]'}"


def _ranking(values, known):
    """Say what is wrong with the ranked classes and with the group."""
    names, probs = _numbered(values, "CLFLAB"), _numbered(values, "CLFPRB")
    total, n_set = sum(probs), values["CLFNSET"]
    given = sum(name.startswith(("CLFLAB", "CLFPRB")) for name in values)
    if len(names) != len(probs) or given != 2 * len(names):
        yield "CLFLABn and CLFPRBn do not come in pairs numbered 1, 2, 3..."
        return
    if len(set(names)) < len(names):
        yield f"a class is ranked twice: {', '.join(names)}"
    if any(second > first for first, second in pairwise(probs)):
        yield f"CLFPRBn do not fall: {', '.join(map(str, probs))}"
    if total > 1 + _DIGITS * len(probs):
        yield f"CLFPRBn add up to {total:.6g}, more than 1"
    if n_set is not None and n_set > len(names):
        yield f"CLFNSET = {n_set}, but {len(names)} classes are ranked"
    if known is None:
        return
    strange = [name for name in names if name not in known]
    if strange:
        yield f"{', '.join(strange)} is no class of {values['CLFTAXON']}"
    if total + (len(known) - len(names)) * probs[-1] < 1 - _DIGITS * len(known):
        yield f"CLFPRBn add up to {total:.6g}, less than they can: no class that is not ranked is more probable"
    if values["CLFGROUP"] not in set(map(group_or_self, known)):
        yield f"CLFGROUP = {values['CLFGROUP']!r} is no group of {values['CLFTAXON']}"
    members = sum(prob for name, prob in zip(names, probs) if group_or_self(name) == values["CLFGROUP"])
    if values["CLFGPROB"] < members - _DIGITS * len(names):
        yield f"CLFGPROB = {values['CLFGPROB']} is less than its ranked classes have, {members:.6g}"


def _verdict(values):
    """Say where the verdict is not what status and ranking make it."""
    sure = {Status.OK: ("CLFLAB1", "CLFPRB1"), Status.GROUP: ("CLFGROUP", "CLFGPROB")}.get(values["CLFSTAT"])
    name, prob = (values[key] for key in sure) if sure else (UNKNOWN, None)
    if values["CLFCLASS"] != name:
        yield f"CLFCLASS = {values['CLFCLASS']!r}; with CLFSTAT = {values['CLFSTAT']} it is {name!r}"
    if not same_number(values["CLFPROB"], prob):
        yield f"CLFPROB = {values['CLFPROB']}; with CLFSTAT = {values['CLFSTAT']} it is {prob}"
    if values["CLFTAXON"] == TAXONOMY and (values["CLFUAT"], values["CLFAVM"]) != (
        concept(name).uat,
        concept(name).avm,
    ):
        yield f"CLFUAT = {values['CLFUAT']} and CLFAVM = {values['CLFAVM']} are not those of {name}"


def _settings(values):
    """Say what is wrong with the settings and with what depends on them."""
    try:
        options = Options.parse(values["CLFOPTS"])
    except ValueError as error:
        yield f"CLFOPTS = {values['CLFOPTS']!r}: {error}"
        return
    others = sum(name.startswith("CLFIN") for name in values)
    if others != (options.combine or 1) - 1 or others != len(_numbered(values, "CLFIN")):
        yield f"CLFINn name {others} other frames; by CLFOPTS the verdict is on {options.combine or 1}"
    if (values["CLFNSET"] is None) != (values["CLFCOVER"] is None):
        yield "only one of CLFNSET and CLFCOVER has a value"
    sums, hdus = (len((values[name] or "").split()) for name in ("CLFDSUM", "CLFHDU"))
    if sums and not hdus:
        yield "CLFDSUM has a value, CLFHDU has none"


def _numbered(values, stem):
    found = []
    while f"{stem}{len(found) + 1}" in values:
        found.append(values[f"{stem}{len(found) + 1}"])
    return found

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Whether tags still hold: for these pixels, this file, the models at hand."""

from dataclasses import dataclass
from enum import StrEnum

from astropy.io import fits

from astroclf.exceptions import ModelError, TagError
from astroclf.frames.files.pictures import picture_kind
from astroclf.tags import memory
from astroclf.tags.block import foreign_keywords, problems_of_cards, problems_of_values
from astroclf.tags.keywords import KEYWORDS
from astroclf.tags.models import Models
from astroclf.tags.read import Tags, is_path, read_block, read_tags
from astroclf.tags.rewrite import find_paths, opened
from astroclf.tags.sidecar import find_sidecar, is_sidecar, read_sidecar, subject_of
from astroclf.tags.sums import same_sum, sum_span

__all__ = ["Finding", "Result", "Verification", "Verifier", "verify_tags"]

_TOO_MANY = "there is a sidecar, too, {}; the tags in the file go before it: untag the sidecar"
_IN_MEMORY = "an object in memory has no stored bytes to compare; give the path"


class Result(StrEnum):
    """What became of a check: ``OK``, ``WRONG``, or ``UNKNOWN`` where it could not be made."""

    OK = "OK"
    WRONG = "WRONG"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """
    What a check has found.

    Parameters
    ----------
    check : {'pixels', 'name', 'model', 'preprocessing', 'block'}
        What was checked: the data against CLFDSUM; the file's name against CLFFILE; the models at hand against
        CLFSHA; their settings against CLFPREP; the block itself.
    result : Result
        What became of it.
    text : str
        What is wrong, or why nothing could be found out; empty if all is well.
    """

    check: str
    result: Result = Result.OK
    text: str = ""

    def __str__(self):
        return f"{self.check}: {self.text or self.result}"


@dataclass(frozen=True)
class Verification:
    """
    What is known of the tags of a file.

    Parameters
    ----------
    tags : `~astroclf.tags.Tags` or None
        The block; None if there is none.
    findings : tuple of Finding
        One or more for each check; empty if there is no verdict to check.
    """

    tags: Tags | None
    findings: tuple[Finding, ...] = ()

    @property
    def tagged(self):
        """Whether there is a verdict: a person's label alone is none."""
        return _has_verdict(self.tags)

    @property
    def wrong(self):
        """The findings of what is wrong."""
        return tuple(finding for finding in self.findings if finding.result is Result.WRONG)

    @property
    def ok(self):
        """Whether there is a verdict and nothing is wrong with it."""
        return self.tagged and not self.wrong

    def to_row(self):
        """
        Return the findings as one row of a table.

        Returns
        -------
        row : dict
            ``result``, which is ``OK``, ``WRONG`` or ``MISSING``; the result of each check; and all that is to be
            said as ``text``. None where there is no verdict.
        """
        results = {check: self._result(check) for check in _CHECKS}
        text = "; ".join(finding.text for finding in self.findings if finding.text)
        return {"result": str(self), **results, "text": text or None}

    def _result(self, check):
        found = [finding.result for finding in self.findings if finding.check == check]
        worst = (result for result in (Result.WRONG, Result.UNKNOWN, Result.OK) if result in found)
        return next(map(str, worst), None)

    def __str__(self):
        return "MISSING" if not self.tagged else str(Result.WRONG if self.wrong else Result.OK)


def _has_verdict(tags):
    return tags is not None and tags.verdict is not None


_CHECKS = ("pixels", "name", "model", "preprocessing", "block")


def verify_tags(target, *, model=None):
    """
    Check the tags of a file, or of headers in memory.

    DATASUMs are computed from the bytes as stored, never taken from cards.

    Parameters
    ----------
    target : str, `~pathlib.Path`, `~astropy.io.fits.HDUList`, `~astropy.io.fits.Header` or object with a header
        As for `~astroclf.read_tags`. Of an object in memory and of a picture the pixels are not checked.
    model : str or path-like, optional
        A model at hand besides the bundled one, as of `~astroclf.Classifier`.

    Returns
    -------
    verification : Verification
        What was found.

    Raises
    ------
    TagError
        If the file cannot be read, is not FITS or is damaged, or the object has no header.
    ModelError
        If ``model``, or the bundled one, is missing, altered or not understood.

    Examples
    --------
    >>> from astropy.io import fits
    >>> from astroclf import verify_tags
    >>> verification = verify_tags(fits.Header())
    >>> verification.ok, str(verification)
    (False, 'MISSING')
    """
    return Verifier(model)(target)


class Verifier:
    """
    Checks tags, as `verify_tags` does, of one file after the other.

    Parameters
    ----------
    model : str or path-like, optional
        As for `verify_tags`.
    """

    def __init__(self, model=None):
        self._models = Models(model)

    def __call__(self, target):
        """Return the `Verification` of a file or of headers in memory."""
        tags = read_tags(target)
        if not Verification(tags).tagged:
            return Verification(tags)
        if not is_path(target):
            return self._checked(tags, Finding("pixels", Result.UNKNOWN, _IN_MEMORY), _headers_in_memory(target))
        sidecar = target if is_sidecar(target) else find_sidecar(target)
        own = sidecar is None or (sidecar is not target and _has_verdict(read_block(target)))
        pixels, headers = _check_file(target, tags)
        if not own:
            headers = {0: read_sidecar(sidecar).cards}
        more = [Finding("block", Result.WRONG, _TOO_MANY.format(sidecar))] if own and sidecar else []
        return self._checked(tags, pixels, headers, more)

    def _checked(self, tags, pixels, headers, more=()):
        record, model = self._find_model(tags)
        prep = _check_preprocessing(tags, record)
        block = [*_check_block(tags, record, headers), *more]
        return Verification(tags, (pixels, _check_name(tags), model, prep, *block))

    def _find_model(self, tags):
        try:
            _, record = self._models.find(tags)
        except ModelError as error:
            return None, Finding("model", Result.WRONG, str(error))
        if record.name != tags.get("CLFMODEL"):
            text = f"CLFMODEL = {tags.get('CLFMODEL')!r}, but the model of CLFSHA is {record.name}"
            return record, Finding("model", Result.WRONG, text)
        return record, Finding("model")


def _headers_in_memory(target):
    """Return the cards of ours of all headers, by index of the HDU."""
    headers = [hdu.header for hdu in target] if isinstance(target, fits.HDUList) else memory.headers_of(target)
    return {index: tuple(memory.cards_of(header).values()) for index, header in enumerate(headers)}


def _check_file(target, tags):
    """Check the pixels that tags are of; return the cards of all headers, too, by index of the HDU."""
    try:
        path, _ = find_paths(subject_of(target), None)
    except TagError as error:
        return Finding("pixels", Result.WRONG, str(error)), None
    if picture_kind(path):
        return _no_sums("of a picture no DATASUMs are kept"), None
    with opened(path) as source:
        return _check_pixels(source, tags), {hdu.index: hdu.cards for hdu in source.hdus}


def _no_sums(why):
    return Finding("pixels", Result.UNKNOWN, f"nobody can tell whether the pixels changed: {why}")


def _check_pixels(source, tags):
    """Compare the DATASUMs of the HDUs that were read: those in CLFHDU, then those of the data quality."""
    recorded = [int(text) for text in str(tags.get("CLFDSUM") or "").split() if text.isdecimal()]
    if not recorded:
        return _no_sums("CLFDSUM has no value, the verdict was not on a local file")
    named = _find_named(str(tags.get("CLFHDU", "")), source.hdus)[: len(recorded)]
    changed = []
    for (name, hdu), old in zip(named, recorded):
        if not same_sum(new := _stored_sum(source, hdu), old):
            changed.append(f"the data of {name} changed since the tagging: DATASUM was {old}, is {new}")
    taken = {hdu.index for _, hdu in named}
    sums = (_stored_sum(source, hdu) for hdu in source.hdus if hdu.index not in taken)
    lost = _not_found(recorded[len(named) :], sums)
    changed += [f"data that were read changed since the tagging: no HDU has the DATASUM {old} now" for old in lost]
    return Finding("pixels", Result.WRONG, "; ".join(changed)) if changed else Finding("pixels")


def _find_named(text, hdus):
    """Return names and HDUs that CLFHDU lists, as far as they are in the file; names can have blanks."""
    found, left = [], {hdu.index: hdu for hdu in hdus}
    while text:
        fitting = [(name, hdu) for hdu in left.values() if (name := _name_at(text, hdu))]
        if not fitting:
            break
        name, hdu = max(fitting, key=lambda pair: len(pair[0]))
        found.append((name, left.pop(hdu.index)))
        text = text[len(name) :].lstrip()
    return found


def _name_at(text, hdu):
    """Return the name of an HDU, with the plane that was read, if a text begins with it; else nothing."""
    extname = str(hdu.get("EXTNAME", "COMPRESSED_IMAGE" if hdu.get("ZIMAGE") is True else "")).strip().upper()
    name = f"{extname},{hdu.get('EXTVER', 1)}" if hdu.index and extname else str(hdu.index)
    if not text.startswith(name):
        return ""
    rest = text[len(name) :]
    plane = rest[: rest.index("]") + 1] if rest.startswith("[*,*,") and "]" in rest else ""
    return name + plane if rest[len(plane) :][:1] in ("", " ") else ""


def _not_found(wanted, sums):
    """Return the wanted sums that are not among others, each of which is looked at once and only if need be."""
    wanted = list(wanted)
    while wanted and (total := next(sums, None)) is not None:
        wanted = _without(wanted, total)
    return wanted


def _without(wanted, total):
    place = next((i for i, old in enumerate(wanted) if same_sum(total, old)), len(wanted))
    return wanted[:place] + wanted[place + 1 :]


def _stored_sum(source, hdu):
    return sum_span(source.stream, hdu.data, hdu.end)


def _check_name(tags):
    if tags.stale:
        text = f"STALE: the tags are of {tags.get('CLFFILE')}, this is {tags.file}; tag it anew"
        return Finding("name", Result.WRONG, text)
    if not tags.get("CLFFILE") or not tags.file:
        return Finding("name", Result.UNKNOWN, "there is no name to compare with CLFFILE")
    return Finding("name")


def _check_preprocessing(tags, record):
    if record is None:
        return Finding("preprocessing", Result.UNKNOWN, "CLFPREP cannot be compared without the model")
    found, wanted = tags.get("CLFPREP"), record.preprocessor.digest
    if found != wanted:
        text = f"CLFPREP = {found!r}, but the settings of {record.name} are {wanted}: the pictures were made otherwise"
        return Finding("preprocessing", Result.WRONG, text)
    return Finding("preprocessing")


def _check_block(tags, record, headers):
    values = dict(tags)
    if headers is None:  # metadata of a picture leave out what is not known
        values = {keyword.name: None for keyword in KEYWORDS if keyword.read and not keyword.numbered} | values
    problems = [] if headers is None else problems_of_cards(headers)
    problems += problems_of_values(values, record and record.labels, headers)
    foreign = sorted({name for cards in (headers or {}).values() for name in foreign_keywords(cards)})
    found = [Finding("block", Result.WRONG, problem) for problem in problems]
    if foreign:
        text = f"{', '.join(foreign)}: no keyword of this astroclf; of a later one, or of another program"
        found.append(Finding("block", Result.UNKNOWN, text))
    return found or [Finding("block")]

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The XMP packet of a picture: Astronomy Visualization Metadata (AVM), and the tag block beside them.

The block is one ``rdf:Description``, put into the text of the packet and cut out of it again: what others wrote
there stays as it is, to the byte. People's labels are another one, which a new block leaves alone.
"""

import re
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from astropy.io.fits.card import Undefined

from astroclf.exceptions import TagError
from astroclf.tags.keywords import KEYWORDS, is_tag
from astroclf.tags.person import HumanLabel, Labels
from astroclf.taxonomy import concept

__all__ = [
    "AVM_VERSION",
    "add_block",
    "avm_categories",
    "avm_packet",
    "block_lines",
    "cut_block",
    "read_block",
    "read_labels",
    "set_labels",
]

AVM_VERSION = 1.2
"""Version of AVM."""

_TAGS = "urn:astroclf:tags/1/"
_LABELS = "urn:astroclf:labels/1/"
_SPACES = {
    "avm": "http://www.communicatingastronomy.org/avm/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
}
"""Where the properties of AVM are, by their prefixes."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

_END = "</rdf:RDF>"
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n<rdf:RDF xmlns:rdf="{_RDF}">\n{_END}\n</x:xmpmeta>\n<?xpacket end="w"?>'
)
_BLOCK = re.compile(rf'<rdf:Description rdf:about="[^"]*" xmlns:astroclf="{_TAGS}".*?</rdf:Description>\n', re.DOTALL)
_LABEL_BLOCK = re.compile(rf'<rdf:Description rdf:about="[^"]*" xmlns:astroclf_label="{_LABELS}"[^<>]*/>\n')
_KINDS = {keyword.name: keyword.kind for keyword in KEYWORDS}


def read_block(packet):
    """
    Return the tags in a packet.

    Parameters
    ----------
    packet : bytes or None
        The packet; None if the picture has none.

    Returns
    -------
    values : dict
        Values by keyword, in the order of the table; empty if there is no block, or no packet that can be parsed.
    """
    return {keyword: _value(keyword, text) for keyword, text in _attributes(packet, _TAGS) if _kind(keyword)}


def read_labels(packet):
    """
    Return people's labels in a packet.

    Parameters
    ----------
    packet : bytes or None
        The packet; None if the picture has none.

    Returns
    -------
    labels : `~astroclf.tags.person.Labels`
        Empty if there are none, or no packet that can be parsed.
    """
    values = dict(_attributes(packet, _LABELS))
    return Labels.from_values(values, tuple(map(HumanLabel.from_line, values.get("HISTORY", "").splitlines())))


def _attributes(packet, wanted):
    """Yield names and values of the attributes of one namespace in a packet."""
    try:
        nodes = ElementTree.fromstring(packet.strip(b"\0 \r\n\t")).iter() if packet else ()
    except (ElementTree.ParseError, LookupError, ValueError):
        return
    for node in nodes:
        for name, text in node.attrib.items():
            space, _, keyword = name.removeprefix("{").partition("}")
            if space == wanted:
                yield keyword, text


def _kind(keyword):
    """Return the type of a keyword's values; None if it is none of the table."""
    known = is_tag(f"{keyword:8}= ".encode())
    return _KINDS.get(keyword, _KINDS.get(f"{keyword.rstrip('0123456789')}n")) if known else None


def _value(keyword, text):
    try:
        return _kind(keyword)(text)
    except ValueError:
        return text


def block_lines(cards):
    """
    Return the cards of a tag block that a packet holds, those with a value.

    Parameters
    ----------
    cards : list of `~astropy.io.fits.Card`
        As of `astroclf.tags.keywords.to_cards`.

    Returns
    -------
    values : dict
        Values by keyword.
    """
    return {
        card.keyword: card.value
        for card in cards
        if card.keyword != "HISTORY" and not isinstance(card.value, Undefined)
    }


def cut_block(packet, path):
    """
    Cut the tag block out of a packet.

    Parameters
    ----------
    packet : bytes or None
        The packet; None if the picture has none.
    path : path-like
        The picture, for messages.

    Returns
    -------
    packet : bytes or None
        As it was before a block was added; None if nothing else is in it.

    Raises
    ------
    TagError
        If another program has rewritten the block, so that it cannot be cut out.
    """
    return _cut(packet, _BLOCK, _TAGS, path)


def set_labels(packet, labels, path):
    """
    Put people's labels into a packet, in place of those that are there.

    Parameters
    ----------
    packet : bytes or None
        The packet; None if the picture has none.
    labels : `~astroclf.tags.person.Labels`
        All labels; empty to remove those that are there.
    path : path-like
        The picture, for messages.

    Returns
    -------
    packet : bytes or None
        The packet; None if nothing is in it.

    Raises
    ------
    TagError
        If the packet cannot be understood, or another program has rewritten the labels in it.
    """
    packet = _cut(packet, _LABEL_BLOCK, _LABELS, path)
    values = labels.to_values()
    if labels.earlier:
        values["HISTORY"] = "\n".join(map(str, labels.earlier))
    if not values:
        return packet
    text = _room(packet, path)
    lines = [f'<rdf:Description rdf:about="{_about(text)}" xmlns:astroclf_label="{_LABELS}"']
    lines += [f" astroclf_label:{keyword}={quoteattr(value)}" for keyword, value in values.items()]
    lines[-1] += "/>\n"
    return _insert(text, "\n".join(lines))


def _cut(packet, pattern, space, path):
    """Cut a description of ours out of a packet; None if nothing else is in it."""
    if packet is None:
        return None
    text = pattern.sub("", _decode(packet, path))
    if any(_attributes(text.encode(), space)):
        msg = f"{path}: another program has rewritten its tags; take the picture they were made from"
        raise TagError(msg)
    return None if text == _EMPTY else text.encode()


def _room(packet, path):
    """Return the text of a packet to which a description can be added."""
    text = _EMPTY if packet is None else _decode(packet, path)
    if text.count(_END) != 1:
        msg = f"{path}: its XMP metadata are not laid out as usual, and nothing can be added to them safely"
        raise TagError(msg)
    return text


def _insert(text, block):
    """Put a description at the end of a packet."""
    before, after = text.split(_END)
    return f"{before}{block}{_END}{after}".encode()


def _about(text):
    """Return what the descriptions of a packet are about."""
    found = re.search(r'rdf:about="([^"<>]*)"', text)
    return found[1] if found else ""


def add_block(packet, cards, prediction, path):
    """
    Add a tag block, and AVM where the packet has none.

    Parameters
    ----------
    packet : bytes or None
        A packet without a block; None if the picture has none.
    cards : list of `~astropy.io.fits.Card`
        As of `astroclf.tags.keywords.to_cards`.
    prediction : `~astroclf.prediction.Prediction`
        The verdict.
    path : path-like
        The picture, for messages.

    Returns
    -------
    packet : bytes
        The packet with the block.

    Raises
    ------
    TagError
        If the packet cannot be understood.
    """
    text = _room(packet, path)
    there = _properties(text, path)
    values = block_lines(cards)
    lines = [f'<rdf:Description rdf:about="{_about(text)}" xmlns:astroclf="{_TAGS}"']
    lines += [_declared(("avm", "dc"))]
    lines += [f" astroclf:{keyword}={quoteattr(str(value))}" for keyword, value in values.items()]
    lines[-1] += ">"
    lines += [element for name, element in _elements(_verdict(values, prediction)).items() if name not in there]
    return _insert(text, "\n".join([*lines, "</rdf:Description>\n"]))


def _verdict(values, prediction):
    """Return the AVM of a tagged picture."""
    return {
        "MetadataVersion": AVM_VERSION,
        "MetadataDate": f"{values['CLFDATE']}Z",
        "Description": f"Classified by astroclf {values['CLFVERS']}: {prediction}",
        "Subject.Category": avm_categories(prediction),
    }


def avm_categories(prediction):
    """
    Return what a picture shows in the vocabulary of AVM.

    Parameters
    ----------
    prediction : `~astroclf.prediction.Prediction`
        The verdict.

    Returns
    -------
    categories : list of str
        As for ``Subject.Category``; empty where the verdict is not sure, or has no category.
    """
    return [category for category in (concept(prediction.verdict).avm or "").split(";") if category]


def avm_packet(values):
    """
    Make a packet of AVM.

    Parameters
    ----------
    values : dict
        Text, numbers and lists of these by their names in AVM, as ``Spatial.Scale``; None in a list is unknown. What
        is None or empty is left out.

    Returns
    -------
    packet : bytes
        The packet; equal values give equal bytes.

    Raises
    ------
    TypeError, ValueError
        If a value is not of the type or the vocabulary of its name.
    """
    elements = _elements({"MetadataVersion": AVM_VERSION} | values)
    lines = ['<rdf:Description rdf:about=""', f"{_declared(_SPACES)}>", *elements.values(), "</rdf:Description>\n"]
    return _insert(_EMPTY, "\n".join(lines))


def _declared(prefixes):
    return "".join(f' xmlns:{prefix}="{_SPACES[prefix]}"' for prefix in prefixes)


def _elements(values):
    """Return the elements of AVM by their names in Clark's notation."""
    from pyavm.specs import SPECS

    elements = {}
    for name, value in values.items():
        spec = SPECS[AVM_VERSION][name]
        if value is not None and value != []:
            tag = f"{spec.namespace}:{spec.tag}"
            elements[f"{{{_SPACES[spec.namespace]}}}{spec.tag}"] = (
                f"<{tag}>{_content(spec, spec.check_data(value))}</{tag}>"
            )
    return elements


def _content(spec, value):
    """Return a value as RDF has it: text, a list, or one text in languages of which there is one."""
    from pyavm.datatypes import AVMLocalizedString, AVMOrderedList

    if isinstance(value, list):
        items = "".join(f"<rdf:li>{'-' if item is None else escape(str(item))}</rdf:li>" for item in value)
        kind = "Seq" if isinstance(spec, AVMOrderedList) else "Bag"
        return f"<rdf:{kind}>{items}</rdf:{kind}>"
    if isinstance(spec, AVMLocalizedString):
        return f'<rdf:Alt><rdf:li xml:lang="x-default">{escape(value)}</rdf:li></rdf:Alt>'
    return escape(str(value))


def _properties(text, path):
    """Return the names of all properties in a packet, in Clark's notation."""
    try:
        root = ElementTree.fromstring(text.strip("\0 \r\n\t").encode())
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        msg = f"{path}: its XMP metadata cannot be parsed ({error}), so nothing can be added to them"
        raise TagError(msg) from error
    return {name for node in root.iter() for name in (node.tag, *node.attrib)}


def _decode(packet, path):
    try:
        return packet.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path}: its XMP metadata are no UTF-8, so nothing can be added to them"
        raise TagError(msg) from error

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tags of JPEG and PNG pictures: an XMP packet put between the parts of the file, which are copied as they are."""

import struct
import zlib
from dataclasses import dataclass

from astroclf.exceptions import TagError
from astroclf.frames.files.pictures import picture_kind
from astroclf.storage.recovery import held
from astroclf.storage.replacing import check_changeable, replacing
from astroclf.tags.keywords import to_cards
from astroclf.tags.person import Labels
from astroclf.tags.xmp import add_block, block_lines, cut_block, read_block, read_labels, set_labels

__all__ = [
    "label_picture",
    "plan_label_of_picture",
    "plan_picture",
    "read_picture_tags",
    "tag_picture",
    "untag_picture",
]

_SOI, _APP0, _APP1, _APP2, _SOS = 0xD8, 0xE0, 0xE1, 0xE2, 0xDA
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of JPEG that have no length."""

_ADOBE = b"http://ns.adobe.com/xap/1.0/\0"
_LONGEST = 65533
_PNG_XMP = b"XML:com.adobe.xmp\0"
_HUGE = 2**26


@dataclass(frozen=True)
class _Picture:
    """The bytes of a picture, its XMP packet, and the bytes ``start`` to ``end`` that hold it, or where one can go."""

    content: bytes
    kind: str
    packet: bytes | None
    start: int
    end: int

    @property
    def rest(self):
        """All bytes but those of the packet."""
        return self.content[: self.start] + self.content[self.end :]

    def with_packet(self, packet, path):
        """Return the bytes of the picture with another packet, or with none."""
        part = b"" if packet is None else _WRAP[self.kind](packet, path)
        return self.content[: self.start] + part + self.content[self.end :]


def read_picture_tags(path):
    """
    Return the tags of a picture.

    Parameters
    ----------
    path : `~pathlib.Path`
        A picture.

    Returns
    -------
    values : dict
        Values by keyword; empty if there are none.
    labels : `~astroclf.tags.person.Labels`
        People's labels.

    Raises
    ------
    TagError
        If the file cannot be read or is damaged.
    """
    packet = None if picture_kind(path) == "TIFF" else _open(path).packet
    return read_block(packet), read_labels(packet)


def tag_picture(path, prediction, destination, manner):
    """
    Write a copy of a picture with a verdict in its XMP metadata.

    Parameters
    ----------
    path, destination : `~pathlib.Path`
        The picture and the copy.
    prediction : `~astroclf.prediction.Prediction`
        The verdict.
    manner : `~astroclf.storage.manner.Manner`
        How the copy may be changed.

    Raises
    ------
    TagError
        If the picture is a TIFF or damaged, or the copy cannot be written, or another process is writing to it.
    """
    with held(destination):
        picture = _taggable(path, destination)
        cards = to_cards(prediction, file=destination.name)
        packet = add_block(cut_block(picture.packet, path), cards, prediction, path)
        _save(picture, picture.with_packet(packet, path), destination, manner)


def plan_picture(path, prediction, destination, manner):
    """
    Return what `tag_picture` would write, and write nothing.

    Parameters
    ----------
    path, prediction, destination, manner
        As for `tag_picture`.

    Returns
    -------
    values : dict
        Values by keyword.

    Raises
    ------
    TagError
        Where `tag_picture` would refuse.
    """
    picture = _taggable(path, destination)
    cards = to_cards(prediction, file=destination.name)
    picture.with_packet(add_block(cut_block(picture.packet, path), cards, prediction, path), path)
    check_changeable(destination, manner)
    return block_lines(cards)


def untag_picture(path, destination, manner, human=False):
    """
    Remove the tags of a picture: it becomes byte for byte what it was before.

    Parameters
    ----------
    path, destination : `~pathlib.Path`
        The picture, and where it goes; these may be the same.
    human : bool, optional
        Whether people's labels go too.
    manner : `~astroclf.storage.manner.Manner`
        How the copy may be changed.

    Raises
    ------
    TagError
        If the picture is damaged, cannot be replaced, or another process is writing to it.
    """
    with held(destination):
        if not any(read_picture_tags(path)):
            return
        picture = _open(path)
        packet = cut_block(picture.packet, path)
        if human:
            packet = set_labels(packet, Labels(), path)
        _save(picture, picture.with_packet(packet, path), destination, manner)


def label_picture(path, new, destination, manner):
    """
    Write a person's label into the XMP metadata of a copy of a picture, or of a copy that is tagged already.

    Parameters
    ----------
    path, destination : `~pathlib.Path`
        The picture and the copy; the same only if the picture has tags or labels.
    new : `~astroclf.tags.person.HumanLabel` or None
        The label; None to take the one that is there back.
    manner : `~astroclf.storage.manner.Manner`
        How the copy may be changed.

    Raises
    ------
    TagError
        If the picture is a TIFF, damaged, or no copy that may be changed, cannot be written, or another process is
        writing to it.
    """
    with held(destination):
        picture, old, labels = _relabelled(path, new, destination)
        if labels != old or destination != path:
            packet = set_labels(picture.packet, labels, path)
            _save(picture, picture.with_packet(packet, path), destination, manner)


def plan_label_of_picture(path, new, destination, manner):
    """
    Return the label that `label_picture` would write, and write nothing.

    Parameters
    ----------
    path, new, destination, manner
        As for `label_picture`.

    Returns
    -------
    values : dict
        Values by keyword; empty if there is nothing to write.

    Raises
    ------
    TagError
        Where `label_picture` would refuse.
    """
    picture, old, labels = _relabelled(path, new, destination)
    picture.with_packet(set_labels(picture.packet, labels, path), path)
    check_changeable(destination, manner)
    return {} if labels == old else labels.to_values()


def _relabelled(path, new, destination):
    """Return a picture that may be labelled, its labels, and what they become."""
    ours = any(read_picture_tags(path))
    picture = _open(path) if ours else _taggable(path, destination)
    old = read_labels(picture.packet)
    return picture, old, old.followed_by(new)


def _taggable(path, destination):
    if destination == path:
        msg = f"{path}: a picture has no FITS header to tag; name a folder for a tagged copy with output= (-o)"
        raise TagError(msg)
    if picture_kind(path) == "TIFF":
        msg = f"{path}: a TIFF picture cannot be tagged, only FITS files, and copies of JPEG and PNG pictures"
        raise TagError(msg)
    return _open(path)


def _save(picture, content, destination, manner):
    """Write a file once it has proved to differ from the picture in its packet only."""
    if _parse(content, picture.kind, destination).rest != picture.rest:
        msg = f"{destination}: the tagged picture would differ from the picture; nothing was written"
        raise TagError(msg)
    with replacing(destination, manner) as stream:
        stream.write(content)


def _open(path):
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise TagError(msg) from error
    return _parse(content, picture_kind(path), path)


def _parse(content, kind, path):
    try:
        return _PARSE[kind](content, path)
    except (IndexError, struct.error, zlib.error) as error:
        msg = f"{path}: the {kind} picture is damaged or cut short; get it again"
        raise TagError(msg) from error


def _parse_jpeg(content, path):
    """Walk the segments before the pixels."""
    position, place, found = 2, 2, []
    while (marker := content[position + 1]) != _SOS:
        if content[position] != 0xFF:
            raise IndexError
        if marker == 0xFF or marker in _BARE:
            position += 1 if marker == 0xFF else 2
            continue
        start, position = position, position + 2 + struct.unpack_from(">H", content, position + 2)[0]
        payload = content[start + 4 : position]
        if marker == _APP1 and payload.startswith(_ADOBE):
            found.append((payload[len(_ADOBE) :], start, position))
        elif start == place and (marker == _APP0 or (marker == _APP1 and payload.startswith(b"Exif\0"))):
            place = position
        elif marker == _APP2 and payload.startswith(b"MPF\0"):
            msg = f"{path}: holds several pictures (MPO), which point to each other; save it as one plain JPEG"
            raise TagError(msg)
    return _one(content, "JPEG", found, place, path)


def _parse_png(content, path):
    """Walk the chunks."""
    position, place, kind, found = 8, 8, b"", []
    while kind != b"IEND":
        start, (length, kind) = position, struct.unpack_from(">I4s", content, position)
        position += 12 + length
        if position > len(content):
            raise IndexError
        if kind == b"IHDR":
            place = position
        if kind == b"iTXt" and content.startswith(_PNG_XMP, start + 8):
            found.append((_international(content[start + 8 + len(_PNG_XMP) : position - 4]), start, position))
    return _one(content, "PNG", found, place, path)


def _international(text):
    """Return the text of an iTXt chunk after its keyword: compression flag and method, language, translation, text."""
    _, _, packet = text[2:].split(b"\0", 2) if text[2:].count(b"\0") >= 2 else (b"", b"", b"")
    return zlib.decompressobj().decompress(packet, _HUGE) if text[0] else packet


def _one(content, kind, found, place, path):
    if len(found) > 1:
        msg = f"{path}: has {len(found)} XMP packets, and it is not plain to which to add; remove all but one"
        raise TagError(msg)
    packet, start, end = found[0] if found else (None, place, place)
    return _Picture(content, kind, packet, start, end)


def _jpeg_segment(packet, path):
    payload = _ADOBE + packet
    if len(payload) > _LONGEST:
        msg = f"{path}: its XMP metadata fill the {_LONGEST} bytes that a JPEG has for them; nothing can be added"
        raise TagError(msg)
    return struct.pack(">BBH", 0xFF, _APP1, 2 + len(payload)) + payload


def _png_chunk(packet, path):
    body = b"iTXt" + _PNG_XMP + b"\0\0\0\0" + packet
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


_PARSE = {"JPEG": _parse_jpeg, "PNG": _parse_png}
_WRAP = {"JPEG": _jpeg_segment, "PNG": _png_chunk}

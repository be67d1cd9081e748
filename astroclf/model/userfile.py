# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Models of one's own: a new last layer on the bundled network, in an ``.astroclf`` file.

The file is a zip archive, nothing in it compressed, of ``record.json``, of the arrays ``kernel.npy`` and
``bias.npy`` and, after fine-tuning, of ``stage.bin``, weights that take the place of those of the network's last
stage: data, never code. Names, sizes, types, shapes and hashes are checked before an array is used.
"""

import hashlib
import io
import json
import math
import re
import struct
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from astroclf.exceptions import ModelError
from astroclf.model.head import FEATURES, Head
from astroclf.model.record import Calibration, ModelRecord, load_record
from astroclf.model.weights import replace_stage
from astroclf.preprocess import Preprocessor
from astroclf.render import ORIENTATIONS
from astroclf.storage.drafts import write_whole
from astroclf.taxonomy import UNKNOWN

__all__ = [
    "SUFFIX",
    "TunedRecord",
    "UserRecord",
    "check_label",
    "check_name",
    "is_user_model",
    "load_user_model",
    "save_user_model",
]

SUFFIX = ".astroclf"
"""Ending of the names of these files."""

_SCHEMA = 1
_RECORD, _KERNEL, _BIAS, _STAGE = "record.json", "kernel.npy", "bias.npy", "stage.bin"
_ALWAYS = _RECORD, _KERNEL, _BIAS
_MOST_CLASSES = 1000
_LARGEST = {
    _RECORD: 16 << 20, _KERNEL: (FEATURES * _MOST_CLASSES * 4) + 4096, _BIAS: _MOST_CLASSES * 4 + 4096,
    _STAGE: 16 << 20,
}  # fmt: skip
"""Bytes of each member, at most."""

_LABEL = re.compile(r"[a-z0-9_]{1,18}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_TEXTS = ("name", "taxonomy", "licence", "credits", "made_by", "made_on")
_UNREADABLE = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError,
    AttributeError, struct.error, OverflowError,
)  # fmt: skip
"""What parsing bytes that are no such file may raise."""


@dataclass(frozen=True, eq=False)
class TunedRecord(ModelRecord):
    """
    The bundled network with other weights in its last stage.

    Parameters
    ----------
    stage : bytes
        These weights, as `astroclf.model.weights.read_stage` returns them.

    Notes
    -----
    The other parameters are those of `~astroclf.model.ModelRecord`, of the bundled network.
    """

    stage: bytes = field(repr=False, kw_only=True)

    def read_bytes(self):
        """
        Return the content of the bundled model file with the other weights in it.

        Raises
        ------
        ModelError
            If the bundled file is missing or has another SHA-256.
        ValueError
            If the weights are not as many as those they replace, or not finite.
        """
        return replace_stage(super().read_bytes(), self.stage)


@dataclass(frozen=True, eq=False)
class UserRecord(ModelRecord):
    """
    A model of one's own and what belongs to it.

    Parameters
    ----------
    base : `~astroclf.model.ModelRecord`
        The network whose features it uses; a `TunedRecord` if it was fine-tuned.
    head : Head
        Its last layer.
    made_on : str
        Date, ISO 8601.
    scores : dict
        How well it did in cross-validation, as `astroclf.train.head.scores` returns it.
    examples : tuple of dict
        The files it was made of: ``file``, ``label``, ``object_key`` and ``sha256``.

    Notes
    -----
    The other parameters are those of `~astroclf.model.ModelRecord`; ``path`` and ``sha256`` are those of
    the ``.astroclf`` file.
    """

    base: ModelRecord
    head: Head
    made_on: str
    scores: dict
    examples: tuple[dict, ...]


def is_user_model(model):
    """Tell whether ``model`` (a name or path) is the name of an ``.astroclf`` file."""
    return Path(model).suffix.lower() == SUFFIX


def check_label(label):
    """
    Return a label that can be written to headers.

    Parameters
    ----------
    label : str
        Name of a class.

    Returns
    -------
    label : str
        The same.

    Raises
    ------
    ValueError
        If it is not of 1 to 18 ASCII lower-case letters, digits and underscores, or is ``unknown``.
    """
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        msg = f"label {label!r} must have 1 to 18 characters, only a to z, 0 to 9 and _; rename the class"
        raise ValueError(msg)
    if label == UNKNOWN:
        msg = f"label {label!r} is what astroclf writes where it is not sure; rename the class"
        raise ValueError(msg)
    return label


def check_name(name):
    """
    Return a name that a model can have.

    Parameters
    ----------
    name : str
        Name of a model.

    Returns
    -------
    name : str
        The same.

    Raises
    ------
    ValueError
        If it is not of 1 to 40 ASCII letters, digits, dots, hyphens and underscores, the first a letter or digit.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        msg = f"name {name!r} must have 1 to 40 characters, only letters, digits, '.', '-' and '_'; choose another name"
        raise ValueError(msg)
    return name


def load_user_model(path):
    """
    Read a model of one's own.

    Parameters
    ----------
    path : path-like
        An ``.astroclf`` file.

    Returns
    -------
    record : UserRecord
        With its last layer; the bundled network is opened only if the model is a fine-tuned one.

    Raises
    ------
    ModelError
        If the file is missing, too large, damaged, altered, of another schema, or made for another network.
    """
    content = _read(Path(path))
    try:
        members = _unpack(content)
        fields = json.loads(members[_RECORD].decode("utf-8"), parse_constant=_refuse_constant)
        return _parse(fields, members, Path(path), hashlib.sha256(content).hexdigest())
    except _UNREADABLE as error:
        msg = f"{path}: not a model of schema {_SCHEMA} that astroclf train made, or damaged: {_told(error)}"
        raise ModelError(msg) from error


def save_user_model(path, fields, head, stage=None):
    """
    Write a model of one's own; the same model gives the same bytes.

    Parameters
    ----------
    path : path-like
        The file, replaced at once if it exists.
    fields : dict
        The record, without ``schema`` and ``arrays``.
    head : Head
        The last layer.
    stage : bytes, optional
        The last stage of the network, if it is another than the bundled one, as
        `astroclf.model.weights.read_stage` returns it.

    Raises
    ------
    ModelError
        If the record is not one that can be read again.
    """
    members = {_KERNEL: _packed(head.kernel), _BIAS: _packed(head.bias)} | ({} if stage is None else {_STAGE: stage})
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    record = {"schema": _SCHEMA, **fields, "arrays": sums}
    try:
        members[_RECORD] = (json.dumps(record, indent=1, allow_nan=False) + "\n").encode("utf-8")
        _parse(record, members, Path(path), "")
    except _UNREADABLE as error:
        msg = f"{path}: the record of the model is not valid: {_told(error)}"
        raise ModelError(msg) from error
    write_whole(Path(path), _zipped(members))


def _zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members, key=list(_LARGEST).index):
            member = zipfile.ZipInfo(name)
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, members[name])
    return stream.getvalue()


def _packed(array):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array, "<f4"), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def _read(path):
    most = sum(_LARGEST.values()) + 4096
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        msg = f"{path}: the model cannot be read: {error.strerror}; astroclf train makes one"
        raise ModelError(msg) from error
    if len(content) > most:
        msg = f"{path}: larger than any model astroclf train makes ({most} bytes); point to another file"
        raise ModelError(msg)
    return content


def _unpack(content):
    """Return the members of the archive by name, none of them larger than it may be."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = archive.infolist()
        if sorted(member.filename for member in found) not in (sorted(_ALWAYS), sorted(_LARGEST)):
            has = ", ".join(member.filename for member in found[:5])
            msg = f"it must hold {', '.join(sorted(_ALWAYS))} and may hold {_STAGE}; it has {has!r}"
            raise ValueError(msg)
        return {member.filename: _member(archive, member) for member in found}


def _member(archive, member):
    name, most = member.filename, _LARGEST[member.filename]
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        msg = f"{name} is compressed"
        raise ValueError(msg)
    if member.file_size > most:
        msg = f"{name} has {member.file_size} bytes, more than {most}"
        raise ValueError(msg)
    return archive.read(member)


def _parse(fields, members, path, sha256):
    if fields["schema"] != _SCHEMA:
        msg = f"schema is {fields['schema']!r}; this astroclf reads {_SCHEMA}"
        raise ValueError(msg)
    texts = {key: _text(key, fields[key]) for key in _TEXTS}
    labels = _labels(fields["labels"])
    check_name(texts["name"])
    check_name(texts["taxonomy"].removesuffix("/1"))
    views = fields["views"]
    if views not in ORIENTATIONS:
        msg = f"views is {views!r}, not 1, 2, 4 or 8"
        raise ValueError(msg)
    return UserRecord(
        path=path,
        sha256=sha256,
        labels=labels,
        preprocessor=Preprocessor.from_dict(fields["preprocessing"]),
        views=views,
        calibration=_calibration(fields["calibration"]),
        base=_base(fields["base"], fields["arrays"], members, path),
        head=_head(fields["arrays"], members, len(labels)),
        scores=dict(fields["scores"]),
        examples=tuple(dict(example) for example in fields["examples"]),
        **texts,
    )


def _text(key, value):
    if not isinstance(value, str):
        msg = f"{key} is {value!r}, not a text"
        raise TypeError(msg)
    return value


def _labels(values):
    labels = tuple(check_label(label) for label in values)
    if not 2 <= len(labels) <= _MOST_CLASSES or len(set(labels)) != len(labels):
        msg = f"there must be 2 to {_MOST_CLASSES} labels, all different; got {len(labels)}"
        raise ValueError(msg)
    return labels


def _calibration(fields):
    calibration = Calibration(**fields)
    for name, value in asdict(calibration).items():
        most = math.inf if name == "temperature" else 1
        if type(value) not in (int, float) or not 0 <= value <= most or not math.isfinite(value):
            msg = f"calibration: {name} is {value!r}, out of range"
            raise ValueError(msg)
    if not calibration.temperature:
        msg = "calibration: temperature is 0"
        raise ValueError(msg)
    return calibration


def _base(fields, sums, members, path):
    bundled = load_record()
    if fields["sha256"] != bundled.sha256:
        msg = (
            f"{path}: made for the network {fields['name']} (SHA-256 {str(fields['sha256'])[:16]}...); this one has "
            f"{bundled.name} ({bundled.sha256[:16]}...): run astroclf train again, or use the astroclf that made it"
        )
        raise ModelError(msg)
    return _tuned(bundled, sums, members) if _STAGE in sums or _STAGE in members else bundled


def _tuned(bundled, sums, members):
    """Return the network with the last stage of the file; its weights are tried once, so that bad ones are refused."""
    _check_sum(_STAGE, members[_STAGE], sums[_STAGE])
    tuned = TunedRecord(**vars(bundled), stage=members[_STAGE])
    tuned.read_bytes()
    return tuned


def _head(sums, members, classes):
    kernel = _array(_KERNEL, members[_KERNEL], sums[_KERNEL], (FEATURES, classes))
    return Head(kernel, _array(_BIAS, members[_BIAS], sums[_BIAS], (classes,)))


def _array(name, content, sha256, shape):
    """Return an array of float32 whose hash, type and shape are as expected; checked in this order."""
    _check_sum(name, content, sha256)
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    found = np.lib.format.read_array_header_1_0(stream) if version == (1, 0) else version
    start = stream.tell()
    if found != (shape, False, np.dtype("<f4")) or len(content) - start != 4 * math.prod(shape):
        msg = f"{name}: not an array of float32 of shape {shape}"
        raise ValueError(msg)
    array = np.frombuffer(content, "<f4", offset=start).reshape(shape)
    if not np.isfinite(array).all():
        msg = f"{name}: values that are not finite"
        raise ValueError(msg)
    return array


def _check_sum(name, content, sha256):
    if hashlib.sha256(content).hexdigest() != sha256:
        msg = f"{name}: its SHA-256 is not the one in {_RECORD}"
        raise ValueError(msg)


def _refuse_constant(text):
    msg = f"{text} is no number"
    raise ValueError(msg)


def _told(error):
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else f"{error}"

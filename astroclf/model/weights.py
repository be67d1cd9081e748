# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Weights out of an ONNX file and into it, without the onnx package.

ONNX Runtime does not give out weights, and onnx, which would, is as large as all else that classification
needs. The file is a protocol-buffer message (https://protobuf.dev/programming-guides/encoding/): field 7 of a model is
its graph, field 5 of a graph a tensor.
"""

import numpy as np

__all__ = ["read_stage", "read_weights", "replace_stage"]

_STAGE = b"conv5_"
"""What the names of the weights of the last stage begin with."""

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _KIND, _NAME, _RAW = 1, 2, 8, 9
_KINDS = {1: np.dtype("<f4"), 3: np.dtype("i1"), 10: np.dtype("<f2")}
_SIZES = {1: 8, 5: 4}
"""Bytes of the values of fixed size, by wire type."""


def read_weights(content, names):
    """
    Read some weights of a network.

    Parameters
    ----------
    content : bytes
        An ONNX file, as `astroclf.train.export.export_onnx` writes it.
    names : sequence of str
        Names of initializers.

    Returns
    -------
    weights : dict
        Arrays by name; they share the memory of ``content``.

    Raises
    ------
    KeyError
        If one is not in the file.
    """
    wanted = {name.encode() for name in names}
    found = {name.decode(): _array(fields) for name, fields in _tensors(content) if name in wanted}
    return {name: found[name] for name in names}


def read_stage(content):
    """
    Read the weights of the last stage of a network, the one that fine-tuning fits.

    Parameters
    ----------
    content : bytes
        An ONNX file, as `astroclf.train.export.export_onnx` writes it.

    Returns
    -------
    stage : bytes
        The weights, one tensor after the other in the order of their names, as they lie in the file.
    """
    return b"".join(array.tobytes() for array in _stage(content))


def replace_stage(content, stage):
    """
    Put other weights into the last stage of a network.

    Parameters
    ----------
    content : bytes
        An ONNX file, as `astroclf.train.export.export_onnx` writes it.
    stage : bytes
        What `read_stage` returns.

    Returns
    -------
    content : bytes
        The file with these weights; nothing else in it differs.

    Raises
    ------
    ValueError
        If ``stage`` is not as long as the weights it replaces, or holds numbers that are not finite.
    """
    changed = bytearray(content)
    arrays, start = _stage(changed), 0
    length = sum(array.nbytes for array in arrays)
    if len(stage) != length:
        msg = f"the last stage has {length} bytes of weights; got {len(stage)}"
        raise ValueError(msg)
    for array in arrays:
        array[...] = np.frombuffer(stage, array.dtype, array.size, start).reshape(array.shape)
        start += array.nbytes
    if not all(np.isfinite(array).all() for array in arrays):
        msg = "weights of the last stage are not finite"
        raise ValueError(msg)
    return bytes(changed)


def _stage(content):
    """Return the arrays of the last stage in the order of their names; they share the memory of ``content``."""
    found = {name: fields for name, fields in _tensors(content) if name.startswith(_STAGE)}
    return [_array(found[name]) for name in sorted(found)]


def _tensors(content):
    """Yield name and fields of each tensor of weights."""
    for graph in _messages(memoryview(content), _GRAPH):
        for tensor in _messages(graph, _INITIALIZER):
            fields = list(_fields(tensor))
            yield next(bytes(value) for number, value in fields if number == _NAME), fields


def _array(fields):
    values = dict(fields)
    shape = [value for number, value in fields if number == _DIMS]
    return np.frombuffer(values[_RAW], _KINDS[values[_KIND]]).reshape(shape)


def _messages(message, number):
    return (value for found, value in _fields(message) if found == number)


def _fields(message):
    """Yield number and value of each field of a message: an integer, or the bytes."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        if key & 7 == 0:
            value, place = _varint(message, place)
        else:
            size, place = _varint(message, place) if key & 7 == 2 else (_SIZES[key & 7], place)
            value, place = message[place : place + size], place + size
        yield key >> 3, value


def _varint(message, place):
    """Return the integer at a place, 7 bits a byte, lowest first, and the place after it."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place

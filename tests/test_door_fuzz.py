# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A small part of the campaign of damaged files; ``tests/fuzz/campaign.py`` is the whole."""

import importlib.util
import io
from pathlib import Path

import pytest

from astroclf import AstroclfError, Frame, read_frame

APART = {"HCOMPRESS_1", "PLIO_1"}


def load(name):
    """Return a module of the campaign."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "fuzz" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def damage():
    """Return what damages files."""
    return load("damage")


@pytest.fixture(scope="module")
def files(damage):
    """Return sound files of every make."""
    return damage.seeds()


def test_seeds(files):
    """The files are sound to begin with, or hold no image."""
    refused = set()
    for name, content in files.items():
        try:
            assert not read_frame(io.BytesIO(content)).notes or name == "cube", name
        except AstroclfError:
            refused.add(name)
    assert refused == {"table", "groups"}


@pytest.mark.parametrize("part", range(6))
def test_damaged_files(damage, files, part):
    """A damaged file gives a frame, or an error of one line; the same damage each time."""
    names = sorted(set(files) - APART)
    for number in range(100 * part, 100 * part + 100):
        content = damage.damaged(files[names[number % len(names)]], number)
        try:
            frame = read_frame(io.BytesIO(content))
            assert isinstance(frame, Frame)
            assert min(frame.shape) >= 16
            assert 0 <= frame.quality <= 1
        except AstroclfError as error:
            assert "\n" not in str(error)  # noqa: PT017  either end is right
    assert damage.damaged(files["plain"], part) == damage.damaged(files["plain"], part)

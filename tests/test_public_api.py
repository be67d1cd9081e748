# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what the package offers: names, their order, their documentation, the version."""

import configparser
import importlib
import inspect
import pkgutil
import tomllib
from pathlib import Path

import pytest

import astroclf

ROOT = Path(__file__).parents[1]

PUBLIC = [
    "AstroclfError",
    "AstroclfWarning",
    "Classifier",
    "EmptyFrameError",
    "Explanation",
    "Frame",
    "FrameError",
    "MissingDependencyError",
    "ModelError",
    "Prediction",
    "Preprocessor",
    "TagError",
    "__version__",
    "annotate",
    "color_image",
    "combine_frames",
    "group_visits",
    "read_frame",
    "read_tags",
    "recover",
    "remove_label",
    "remove_tags",
    "replay_tags",
    "summarize",
    "verify_tags",
    "write_label",
    "write_tags",
]

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(astroclf.__path__, "astroclf.")
    if not module.name.endswith(("__main__", "_version"))
)


def test_public_names():
    """The public names are these, no more and no fewer."""
    assert astroclf.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_resolves(name):
    """Every public name can be had, is the same each time, and is listed by dir."""
    value = getattr(astroclf, name)
    assert getattr(astroclf, name) is value
    assert name in dir(astroclf)


def test_annotate_is_the_function():
    """Importing the rooms does not put a module in the place of a function."""
    for room in ("annotation", "frames", "model", "tags"):
        importlib.import_module(f"astroclf.{room}")
    assert inspect.isfunction(astroclf.annotate)


def test_unknown_name():
    """An unknown name is an AttributeError that names it."""
    with pytest.raises(AttributeError, match="'astroclf' has no attribute 'clasifier'"):
        _ = astroclf.clasifier


@pytest.mark.parametrize("name", MODULES)
def test_modules_say_what_they_offer(name):
    """Every module has a docstring, and an explicit __all__ with its public names, all documented (ruff sorts it)."""
    module = importlib.import_module(name)
    assert module.__doc__.strip()
    offered = getattr(module, "__all__", [])
    assert len(offered) == len(set(offered))
    defined = {key for key, value in vars(module).items() if getattr(value, "__module__", None) == name}
    assert {key for key in defined if not key.startswith("_")} <= set(offered)
    for value in (getattr(module, key) for key in offered):
        assert not (inspect.isclass(value) or inspect.isroutine(value)) or inspect.getdoc(value), value


@pytest.mark.parametrize("name", MODULES)
def test_licence_line(name):
    """Every file of the package begins with the licence line."""
    source = inspect.getsource(importlib.import_module(name))
    assert source.startswith("# Licensed under a 3-clause BSD style license - see LICENSE.rst\n")


def test_version_fallbacks_agree():
    """An unbuilt tree, an archive without git and the citation tell the same version."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    fallback = settings["tool"]["setuptools_scm"]["fallback_version"]
    assert f'__version__ = "{fallback}"' in (ROOT / "astroclf/__init__.py").read_text(encoding="utf-8")
    assert f'version: "{fallback.removesuffix(".0.dev0")}"' in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_metadata_are_in_one_place():
    """Each configuration file has one job: setup.cfg metadata, pyproject.toml tools."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "project" not in settings
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    assert all(section == "metadata" or section.startswith("options") for section in parser.sections())

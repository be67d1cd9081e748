# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what is imported when: the package is light, and works where optional packages are absent."""

import ast
import configparser
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

HEAVY = (
    "tensorflow", "keras", "onnx", "onnxruntime", "matplotlib", "photutils", "scipy", "scipy.ndimage", "scipy.stats",
    "tqdm",
)  # fmt: skip

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""

MODULE_OF = {
    "bottleneck": (),
    "matplotlib": ("matplotlib", "mpl_toolkits"),
    "pillow": ("PIL",),
    "tensorflow": ("tensorflow", "keras"),
}
"""Import names of requirements, where they are not the requirement's; photutils imports bottleneck if it is there."""


def python(code, **options):
    """Run code in a new interpreter and return what it prints."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(code):
    """Run code in a new interpreter and return the heavy packages it has loaded."""
    return set(python(f"{code}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))").split())


def test_import_is_light():
    """Importing astroclf loads none of the heavy packages."""
    assert loaded("import astroclf; dir(astroclf); astroclf.__version__") == set()


def test_command_line_starts_light():
    """Neither does the parser of the command line, so that --help is quick."""
    assert loaded("from astroclf.cli.program import make_parser; make_parser()") == set()


@pytest.mark.parametrize("name", ["read_frame", "write_tags", "read_tags", "remove_tags", "Prediction", "Frame"])
def test_names_load_only_what_they_need(name):
    """The door and the tags need no network, no drawing and no deep-learning library."""
    unneeded = {"tensorflow", "keras", "onnxruntime", "matplotlib", "scipy.ndimage"}
    assert loaded(f"from astroclf import {name}") & unneeded == set()


def test_classifier_loads_no_tensorflow():
    """A classifier loads ONNX Runtime, and no package that takes long beside what astropy and photutils load."""
    code = "import numpy as np; from astroclf import Classifier; Classifier()(np.random.rand(64, 64))"
    assert loaded(code) & {"tensorflow", "keras", "onnx", "onnxruntime", "scipy.stats"} == {"onnxruntime"}


@pytest.mark.slow
def test_tag_without_tensorflow(tmp_path):
    """``astroclf tag`` works where TensorFlow, Keras and onnx are absent, and leaves a picture."""
    code = BLOCK.format(blocked=("tensorflow", "keras", "onnx")) + textwrap.dedent("""
        from astroclf.cli import main
        sys.exit(main(["demo"]) or main(["tag", "astroclf_demo_flt.fits"]))
    """)
    python(code, cwd=tmp_path)
    assert (tmp_path / "astroclf_demo_flt_astroclf.png").is_file()


def test_every_import_is_declared():
    """What the package imports is in the standard library, in install_requires or in an extra."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = parser["options.extras_require"]
    lines = parser["options"]["install_requires"] + extras["remote"] + extras["tensorflow"]
    names = re.findall(r"^\s*([A-Za-z0-9_-]+)", lines, re.MULTILINE)
    declared = {module for name in names for module in MODULE_OF.get(name, (name.replace("-", "_"),))}
    files = (ROOT / "astroclf").rglob("*.py")
    imported = {name for path in files for name in _imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert imported - set(sys.stdlib_module_names) - {"astroclf"} <= declared
    assert declared - imported == set()


def _imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests that the documentation says what the code does."""

import csv
import importlib.util
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from astroclf.cli import main
from astroclf.cli.program import make_parser
from astroclf.frames import LAYOUTS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

README_COMMANDS = ["python -m pip install . && astroclf demo", 'python -m pip install ".[test]" && pytest -n 2']


def load(name):
    """Import a script of docs/, which is in no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = load("generate")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in DOCS.rglob("*.rst")
    if not path.is_relative_to(DOCS / "reference/api")  # made by Sphinx
}
README = (ROOT / "README.rst").read_text(encoding="utf-8")


def blocks(text, language):
    """Return the code blocks of one language in a page."""
    found = re.findall(rf"^\.\. code-block:: {language}\n\n((?:(?:   .*)?\n)+)", text, re.MULTILINE)
    return [textwrap.dedent(block).strip() for block in found]


def commands():
    """Yield every astroclf command of README, the guide and the help texts, with where it stands."""
    texts = {"README.rst": "\n".join(blocks(README, "console"))}
    texts |= {name: "\n".join(blocks(page, "console")) for name, page in PAGES.items()}
    texts |= {f"astroclf {name} --help": verb.epilog for name, verb in GENERATE.verbs(make_parser()).items()}
    for name, text in texts.items():
        for line in text.splitlines():
            if line.strip().startswith("astroclf "):
                yield pytest.param(re.split(r" #| >| \|", line.strip())[0], id=f"{name}: {line.strip()}")


def test_readme_commands():
    """README installs with exactly two commands, and they are its first two."""
    first = blocks(README, "console")[:2]
    assert first == README_COMMANDS
    assert re.findall(r".*pip install.*", "\n".join(blocks(README, "console"))) == README_COMMANDS


def test_ci_runs_readme_commands():
    """What .ci/run takes for README's commands are README's commands."""
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert r"sed -n 's/^   \(python -m pip install .*\)/\1/p' README.rst" in script
    assert re.findall(r"^   (python -m pip install .*)", README, re.MULTILINE) == README_COMMANDS


def test_readme_script(tmp_path, monkeypatch, capsys):
    """README's Python script works as written, for a path, a CCDData and an array."""
    monkeypatch.chdir(tmp_path)
    main(["demo"])
    capsys.readouterr()
    (script,) = blocks(README, "python")
    exec(compile(script, "README.rst", "exec"), {})
    verdicts = capsys.readouterr().out.splitlines()
    assert len(verdicts) == 3
    assert (tmp_path / "demo.png").is_file()


def test_readme_is_valid_long_description():
    """README has none of Sphinx's own markup, which a package index would not render."""
    assert re.findall(r":[a-z:]+:`", README) == []


@pytest.mark.parametrize("name", ["cli", "keywords", "taxonomy"])
def test_generated_pages(name, monkeypatch):
    """A page rendered from the code is up to date; if not, run docs/generate.py."""
    monkeypatch.setenv("COLUMNS", GENERATE.WIDTH)
    page = getattr(GENERATE, f"{name}_page")()
    assert normalised(page) == normalised(PAGES[f"docs/reference/{name}.rst"])


def test_gallery():
    """The gallery is what docs/gallery_pictures.py writes, has all its pictures, and is small."""
    gallery = load("gallery_pictures")
    assert gallery.gallery_page() == PAGES["docs/user_guide/gallery.rst"]
    files = list((DOCS / "user_guide/gallery").iterdir())
    assert {file.name for file in files} == {f"{picture.name}.jpg" for picture in gallery.PICTURES}
    assert sum(file.stat().st_size for file in files) < 2e6


def normalised(page):
    """Undo what Python versions lay out differently: ``-j N, --jobs N`` and the spaces around it."""
    return " ".join(re.sub(r"(-\w) (\S+), (--\S+ \2)", r"\1, \3", page).split())


@pytest.mark.parametrize("verb", GENERATE.verbs(make_parser()))
def test_verbs_are_documented(verb):
    """Every verb has a section in the reference, an example in its help, and a place in the guide."""
    assert f"\nastroclf {verb}\n---" in PAGES["docs/reference/cli.rst"]
    assert f"  astroclf {verb}" in GENERATE.verbs(make_parser())[verb].epilog
    assert any(f"astroclf {verb}" in page for name, page in PAGES.items() if "user_guide" in name or "started" in name)


@pytest.mark.parametrize("command", list(commands()))
def test_commands_parse(command):
    """Every command in README, in the guide and in the help texts is one the program understands."""
    arguments = shlex.split(command)[1:]
    if arguments[0] != "VERB":
        make_parser().parse_args(arguments)


def test_every_page_is_in_a_toctree():
    """No page is lost; Sphinx checks the same, but the tests need no Sphinx."""
    listed = set()
    for name, page in PAGES.items():
        for block in re.findall(r"^\.\. toctree::\n(?:   :.*\n)*\n((?:   \S.*\n)+)", page, re.MULTILINE):
            listed |= {((ROOT / name).parent / entry.strip()).resolve() for entry in block.splitlines()}
    pages = {(ROOT / name).with_suffix("").resolve() for name in PAGES}
    assert pages - listed == {DOCS / "index"}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_name_no_machine(name):
    """The documentation has no paths of the machine it was written on."""
    assert not re.search(r"/(home|root|Users|work|tmp)/\w", PAGES[name])


def test_layouts_are_documented():
    """The table of layouts has a row for every one, and for pictures."""
    with (DOCS / "user_guide/layouts.csv").open(encoding="utf-8", newline="") as table:
        named = [row["layout"].strip("`") for row in csv.DictReader(table)]
    assert len(named) == len(set(named))
    assert set(named) == {layout.name for layout in LAYOUTS} | {"picture"}

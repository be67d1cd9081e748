# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Configuration of Sphinx; set ASTROCLF_DOCS_OFFLINE=1 to build without links into other projects' pages."""

import os

from astroclf import __version__

project = "astroclf"
author = "The astroclf developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "numpydoc",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "sphinx_automodapi.automodapi",
    "sphinx_automodapi.smart_resolver",
]
root_doc = "index"
exclude_patterns = ["_build"]
default_role = "obj"
html_theme = "furo"
html_title = f"astroclf {release}"

numpydoc_show_class_members = False
automodapi_toctreedirnm = "reference/api"

intersphinx_mapping = {
    "astropy": ("https://docs.astropy.org/en/stable/", None),
    "matplotlib": ("https://matplotlib.org/stable/", None),
    "numpy": ("https://numpy.org/doc/stable/", None),
    "photutils": ("https://photutils.readthedocs.io/en/stable/", None),
    "python": ("https://docs.python.org/3/", None),
    "reproject": ("https://reproject.readthedocs.io/en/stable/", None),
}
if os.environ.get("ASTROCLF_DOCS_OFFLINE"):
    intersphinx_mapping = {}

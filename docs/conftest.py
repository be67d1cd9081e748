# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The examples of the documentation run in a folder of their own."""

import pytest

collect_ignore_glob = ["_build/*", "reference/api/*"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

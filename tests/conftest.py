# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fixtures shared by all tests.

Environment
-----------
ASTROCLF_TEST_DATA
    A folder that holds ``frames/``, ``images/``, ``hostile/`` and ``headers/``: data that are not
    shipped with the package. Tests that need them are skipped without it.
ASTROCLF_REQUIRE
    If ``1``, nothing is skipped for want of data or of a tool: such a test fails.
"""

import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the processes of pytest -n, which have a part of the CPUs

hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.register_profile("repeat", hypothesis.settings.get_profile("explore"), derandomize=True)
hypothesis.settings.load_profile("repeat")


def pytest_configure(config):
    """Give each process of ``pytest -n`` CPUs of its own: the threads of their networks would wait for each other."""
    worker = getattr(config, "workerinput", {})
    if worker and hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]
        os.sched_setaffinity(0, mine or os.sched_getaffinity(0))


@pytest.fixture(scope="session")
def need():
    """Return a function that skips with a reason, or fails under ``ASTROCLF_REQUIRE=1``."""

    def lacking(reason):
        if os.environ.get("ASTROCLF_REQUIRE") == "1":
            pytest.fail(f"{reason} (and ASTROCLF_REQUIRE=1 forbids to skip)")
        pytest.skip(reason)

    return lacking


@pytest.fixture(scope="session")
def round_source():
    """Return a function that draws a round source of flux 1 at a pixel, 3 pixels wide (sigma)."""

    def draw(shape, x, y, sigma=3.0):
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        light = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
        return light.astype(np.float32)

    return draw


@pytest.fixture(scope="session")
def measure(round_source):
    """Return a function that fits flux and centre of such a source, near a pixel, to the good pixels of a frame."""

    def fit(frame, x, y, good=True):
        source = round_source(frame.shape, x, y).astype(float)
        along_y, along_x = np.gradient(source)
        near = frame.good & good & (source > 1e-3 * source.max())
        terms = np.stack([source[near], -along_x[near], -along_y[near], np.ones(near.sum())], axis=1)
        flux, dx, dy, _ = np.linalg.lstsq(terms, frame.ccd.data[near].astype(float), rcond=None)[0]
        return flux, x + dx / flux, y + dy / flux

    return fit


@pytest.fixture(scope="session")
def data_dir():
    """Return the folder of the small real frames shipped with the tests."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def frames_dir(need):
    """Return the folder of real FITS frames."""
    return _outside("frames", need)


@pytest.fixture(scope="session")
def images_dir(need):
    """Return the folder of labelled pictures."""
    return _outside("images", need)


@pytest.fixture(scope="session")
def hostile_dir(need):
    """Return the folder of odd, broken and misleading files."""
    return _outside("hostile", need)


@pytest.fixture(scope="session")
def headers_dir(need):
    """Return the folder of files with true full headers and tiny pixels."""
    return _outside("headers", need)


def _outside(name, need):
    root = os.environ.get("ASTROCLF_TEST_DATA")
    if not root:
        need(f"ASTROCLF_TEST_DATA is not set, and this test needs its folder {name}/")
    folder = Path(root) / name
    if not folder.is_dir():
        need(f"ASTROCLF_TEST_DATA={root} has no folder {name}/")
    return folder

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A small part of the campaign of faults; ``tests/faults/campaign.py`` is the whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the campaign needs Linux")

PARTS = {
    "calls of plain": ("calls", "plain", "tag"),
    "calls of growing": ("calls", "growing", "tag"),
    "calls of gz": ("calls", "gz", "tag"),
    "calls of fz": ("calls", "fz", "untag"),
    "recoveries": ("recoveries", "plain", "tag"),
    "full disks": ("full_disks", "plain", "tag"),
    "permissions": ("permissions", "growing", "tag"),
    "clocks": ("clocks", "checksums", "tag again"),
    "crowds": ("crowds", "plain", "tag"),
    "kills": ("kills", "bz2", "tag"),
}
LONG = "calls of gz", "calls of fz", "recoveries"


@pytest.mark.parametrize("part", [pytest.param(part, marks=[pytest.mark.slow] * (part in LONG)) for part in PARTS])
def test_survivors(part):
    """Whatever goes wrong, the old file or the new one is there, and the next run leaves nothing beside it."""
    experiment, file, change = PARTS[part]
    done = _run([experiment], [file], change)
    assert done.returncode == 0, done.stdout + done.stderr
    faults, old, new, failed = map(int, done.stdout.split()[-4:])
    assert faults == old + new > 2
    assert failed == 0
    assert new > 0 or experiment == "kills"  # which fall when they fall
    assert old > 0 or experiment in ("clocks", "crowds", "kills")


def test_power_cuts():
    """Whatever a power cut leaves, and a second one while that is put right, it is the old file or the new one."""
    done = _run(["cuts", "cuts_twice", "cuts_sidecar"], ["plain", "growing"], "untag", "--states", "12")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    for experiment, _, *counts in rows:
        faults, old, new, failed = map(int, counts)
        assert faults == old + new > 0
        assert failed == 0
        assert new > 0 or experiment == "cuts_twice"
        assert old > 0
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("unsynced", "file"), [("journal", "plain"), ("file", "plain"), ("folder", "plain"), ("draft", "growing")]
)
def test_missing_sync_is_found(unsynced, file):
    """Without any one of the syncs there is a power cut that does harm."""
    done = _run(["cuts"], [file], "tag", "--states", "12", "--unsynced", unsynced)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert int(done.stdout.split()[-1]) > 0


def _run(experiments, files, change, *options):
    options = ["--experiments", *experiments, "--files", *files, "--changes", change, "--count", "8", *options]
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("campaign.py")), *options]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of astroclf.batch."""

import os
import subprocess
import sys
import textwrap
from functools import partial
from operator import call, truediv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astroclf import AstroclfError
from astroclf.batch import Outcome, run

# Worker processes cannot import this file, so what they are given comes from the standard library.

RECIPROCAL = partial(partial, truediv, 1)
"""Makes the function 1 / item."""

CALL = partial(partial, call)
"""Makes the function that calls its item."""

DIE = partial(os._exit, 3)

WARN = """
import warnings
from astropy.io.fits.verify import VerifyWarning
from astroclf import AstroclfWarning
warnings.warn("a reservation", AstroclfWarning)
warnings.warn("a reservation", AstroclfWarning)
warnings.warn("of no interest", ResourceWarning)
warnings.warn("a bad card", VerifyWarning)
"""

RAISE_ODD = """
class Odd(Exception):
    "Cannot be pickled: it lives nowhere."
raise Odd("never mind")
"""


def executing(code):
    """Return a callable that executes code in a namespace of its own."""
    return partial(exec, code, {})


@given(st.lists(st.integers(-3, 3)))
def test_serial_order_and_errors(items):
    """Every item has one outcome, in order, with a value or an error."""
    outcomes = list(run(RECIPROCAL, items))
    assert [outcome.item for outcome in outcomes] == items
    for outcome in outcomes:
        assert isinstance(outcome.error, ZeroDivisionError) == (outcome.item == 0)
        assert outcome.value == (1 / outcome.item if outcome.item else None)


def test_parallel_equals_serial():
    """Several processes give what one gives, in the same order."""
    items = [*range(-5, 6)]
    parallel = list(run(RECIPROCAL, items, workers=2))
    assert [(o.item, o.value, type(o.error)) for o in parallel] == [
        (o.item, o.value, type(o.error)) for o in run(RECIPROCAL, items)
    ]
    assert "ZeroDivisionError" in parallel[5].traceback


def test_parallel_uses_other_processes():
    """With several workers the calling process only waits."""
    assert os.getpid() not in {outcome.value for outcome in run(CALL, [os.getpid] * 2, workers=2)}
    assert {outcome.value for outcome in run(CALL, [os.getpid] * 2)} == {os.getpid()}


def test_one_item_needs_no_pool():
    """A single item is worked on in the calling process, however many workers are allowed."""
    assert next(run(CALL, [os.getpid], workers=8)).value == os.getpid()


def test_no_items():
    """Nothing to do yields nothing, whatever the number of workers."""
    assert list(run(RECIPROCAL, [], workers=4)) == []


@pytest.mark.parametrize("workers", [0, -1])
def test_bad_workers(workers):
    """The error names the argument and the value."""
    with pytest.raises(ValueError, match=f"workers must be at least 1; got {workers}"):
        list(run(RECIPROCAL, [1], workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_factory_error_is_raised(workers):
    """A function that cannot be made ends the run: no item could succeed."""
    with pytest.raises(ValueError, match="invalid literal"):
        list(run(partial(int, "x"), [1, 2], workers=workers))


def test_a_dying_worker_costs_only_its_item():
    """The item that kills its process fails; all others, lost with it or not, succeed."""
    items = [os.getpid, DIE, os.getpid, os.getpid, DIE, *[os.getpid] * 6]
    outcomes = list(run(CALL, items, workers=2))
    assert [outcome.item for outcome in outcomes] == items
    for outcome in outcomes:
        assert isinstance(outcome.error, AstroclfError) == (outcome.item is DIE)
    assert "died" in str(outcomes[1].error)


@pytest.mark.parametrize("workers", [1, 2])
def test_unpicklable_error(workers):
    """An exception that cannot travel between processes arrives as text."""
    odd, fine = run(CALL, [executing(RAISE_ODD), os.getpid], workers=workers)
    assert isinstance(odd.error, RuntimeError)
    assert str(odd.error) == "Odd: never mind"
    assert fine.error is None


@pytest.mark.parametrize("workers", [1, 2])
def test_warnings_are_kept(workers):
    """Warnings meant for the user come with the outcome, each once; others are dropped."""
    quiet, loud = run(CALL, [os.getpid, executing(WARN)], workers=workers)
    assert quiet == Outcome(os.getpid, quiet.value)
    assert loud.warnings == ("a reservation", "a bad card")


def test_no_bar_where_stderr_is_no_terminal(capsys):
    """Progress asked for stays silent in pipes and files."""
    list(run(RECIPROCAL, range(1, 50), progress=True))
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_bar_on_a_terminal():
    """On a terminal the bar shows count, rate and time left."""
    import pty
    import termios

    code = """
        import time
        from astroclf.batch import run
        list(run(lambda: lambda item: time.sleep(0.02), range(20), progress=True))
    """
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], stderr=slave, check=True)
    shown = os.read(master, 65536).decode()
    os.close(slave)
    os.close(master)
    assert "20/20" in shown
    assert "file/s" in shown

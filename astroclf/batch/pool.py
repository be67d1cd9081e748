# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Run one function over many items, in order, in this process or in several."""

import multiprocessing
import pickle
import signal
import traceback
import warnings
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from astropy.utils.exceptions import AstropyUserWarning

from astroclf.batch.progress import progress_bar
from astroclf.exceptions import AstroclfError

__all__ = ["Outcome", "run"]

_AHEAD = 4
"""Items handed out per worker before the oldest is waited for: bounds what a long run holds in memory."""

_worker = {}
"""What this worker process calls, or the error that kept it from being made."""


@dataclass(frozen=True)
class Outcome:
    """
    What became of one item.

    Parameters
    ----------
    item : object
        The item, as given.
    value : object
        What the function returned; None where it failed.
    error : Exception or None
        What the function raised; None where it succeeded.
    warnings : tuple of str
        Texts of the `~astropy.utils.exceptions.AstropyUserWarning` it issued (those of astroclf are such),
        each once; other warnings are dropped.
    traceback : str
        Where ``error`` was raised, for a bug report; empty where there is none.
    """

    item: object
    value: object = None
    error: Exception | None = None
    warnings: tuple[str, ...] = ()
    traceback: str = ""


def run(factory, items, *, workers=1, progress=False):
    """
    Call a function on every item and yield the outcomes in the order of the items.

    An exception ends its item, not the run. So does the death of a worker process, say of one that
    used up the memory: its items are tried again, each alone, and one that kills its process again fails.

    Parameters
    ----------
    factory : callable
        Called without arguments, once in each process; returns the function to call on every item.
        With several workers, factory, items and results must be picklable.
    items : iterable
        What to work on.
    workers : int, optional
        Number of processes, at least 1; 1 works in the calling process.
    progress : bool, optional
        Whether to show a bar with rate and time left on stderr; there is none where that is no terminal.

    Yields
    ------
    outcome : Outcome
        One per item.

    Raises
    ------
    ValueError
        If ``workers`` is less than 1.
    Exception
        Whatever ``factory`` raises.
    """
    if workers < 1:
        msg = f"workers must be at least 1; got {workers}"
        raise ValueError(msg)
    items = list(items)
    workers = min(workers, len(items))
    outcomes = _pooled(factory, items, workers) if workers > 1 else _serial(factory, items)
    with progress_bar(len(items), shown=progress, leave=True) as bar:
        for outcome in outcomes:
            bar.update()
            yield outcome


def _serial(factory, items):
    function = factory()
    for item in items:
        yield Outcome(item, *_call(function, item))


def _pooled(factory, items, workers):
    waiting = deque(items)
    while waiting:
        in_doubt = yield from _until_a_worker_dies(factory, waiting, workers)
        for item, future in in_doubt:
            survived = future.done() and future.exception() is None
            yield Outcome(item, *(future.result() if survived else _alone(factory, item)))


def _until_a_worker_dies(factory, waiting, workers):
    handed_out = deque()
    pool = _pool(factory, workers)
    try:
        while waiting or handed_out:
            while waiting and len(handed_out) < _AHEAD * workers:
                handed_out.append((waiting[0], pool.submit(_work, waiting[0])))
                waiting.popleft()
            item, future = handed_out[0]
            outcome = Outcome(item, *future.result())
            handed_out.popleft()
            yield outcome
    except BrokenProcessPool:
        return handed_out
    finally:
        pool.shutdown(cancel_futures=True)
    return handed_out


def _alone(factory, item):
    with _pool(factory, 1) as pool:
        try:
            return pool.submit(_work, item).result()
        except BrokenProcessPool:
            msg = "the process working on it died; if memory ran out, use fewer workers"
            return None, AstroclfError(msg)


def _pool(factory, workers):
    # spawn: a forked child of a process with threads (ONNX Runtime, BLAS) can hang
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(factory,))


def _start(factory):
    # an interrupt is for the parent, which lets the items being worked on finish
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _worker["function"] = factory()
    except Exception as error:  # for the parent: raised again by the first item
        _worker["error"] = _picklable(error)


def _work(item):
    if "error" in _worker:
        raise _worker["error"]
    return _call(_worker["function"], item)


def _call(function, item):
    value, failure, text = None, None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = function(item)
        except Exception as error:  # the run goes on; whoever reads the outcome decides
            failure, text = _picklable(error), traceback.format_exc()
    texts = (str(one.message) for one in caught if issubclass(one.category, AstropyUserWarning))
    return value, failure, tuple(dict.fromkeys(texts)), text


def _picklable(error):
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its pickling raises, it cannot travel
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error

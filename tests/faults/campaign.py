# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A campaign of faults against the writing of tags.

    python tests/faults/campaign.py --count 1000

Files of every kind are tagged, tagged again and untagged while something goes wrong: the process is killed, at random
moments (``--count`` of them) and in each call that can change a file or a folder in turn; each such call fails; the
disk is full; a file or folder is read-only, from the beginning or from some call on; the clock jumps; several
processes tag one file at the same time, and some of them are killed; the power fails. After each the file must open and
be the old one or the new one, byte for byte but for dates and checksums; after the next run nothing else may be in its
folder. What is neither is printed. It needs Linux; as root, it acts as nobody where that matters.
"""

import argparse
import collections
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # processes are forked
sys.path.insert(0, str(Path(__file__).parent))

from injection import FAULTS, KILLED, Injection, die, die_halfway, forbid
from power import Recorder, cut
from specimens import FILES, Specimen, own

import astroclf.tags.keywords as keywords
from astroclf import read_tags, recover
from astroclf.exceptions import AstroclfError, AstroclfWarning
from astroclf.storage.drafts import sweep
from astroclf.storage.recovery import orphans

NOBODY = 65534
DONE, REFUSED, BROKEN = 0, 1, 3
CHANGES = ("tag", "tag again", "untag")


def apart(function, *args):
    """
    Call a function in a process of its own.

    Returns
    -------
    status : int
        0 if it was done, 1 if an error of astroclf was raised, 9 if the process was killed, 3 for any other end.
    told : object
        What it returned, or the text of the error; None if the process was killed.
    """
    reader, child = started(function, *args)
    with open(reader, "rb") as stream:
        content = stream.read()
    status = ended(child)
    return status, json.loads(content) if content else None


def started(function, *args):
    """Begin to call a function in a process of its own; return where its answer can be read, and its number."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return reader, child
    os.close(reader)
    _forget_folders()
    try:
        status, told = DONE, function(*args)
    except AstroclfError as error:
        status, told = REFUSED, str(error)
    except BaseException:
        status, told = BROKEN, traceback.format_exc()
    with os.fdopen(writer, "w") as stream:
        json.dump(told, stream)
    os._exit(status)


def _forget_folders():
    """Look at folders again, as a process that has just begun does."""
    sweep.cache_clear()
    orphans.cache_clear()


def ended(child):
    """Wait for a process; return its status, 9 if it was killed."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return KILLED if code == -signal.SIGKILL else code


def judged(specimen, status, told):
    """Say what a specimen is after a fault: ``old``, ``new``, or what is wrong."""
    if status not in (DONE, REFUSED, KILLED):
        return f"FAILED {told}"
    answer, state = apart(specimen.check)
    if answer != DONE:
        return f"FAILED {state}"
    return "FAILED said to be done, and is not" if (status, state) == (DONE, "old") else state


def as_nobody(function, *args):
    """Call a function as a user with no rights of its own."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return function(*args)


# --------------------------------------------------------------------------------------------------- experiments


def injected(specimen, number=0, fault=None, options=None):
    """Change a file with a fault in it; return the calls that were made."""
    injection = Injection(specimen.path.parent, number, fault)
    injection.install()
    specimen.do(**(options or {}))
    return injection.calls


def calls(name, folder, args, rng):
    """Let each call fail in turn, in each way, for each change, and with ``atomic``."""
    for change in args.changes:
        specimen = Specimen(name, folder, change)
        for options in ({}, {"atomic": True, "keep_times": True}) if name in ("plain", "fz") else ({},):
            _, made = apart(injected, specimen, 0, None, options)
            for word, fault in FAULTS.items():
                for number in range(1, len(made) + 1):
                    specimen.reset()
                    status, told = apart(injected, specimen, number, fault, options)
                    where = f"{change} {word} in call {number} of {len(made)}, {made[number - 1]} {options or ''}"
                    yield where, judged(specimen, status, told)


def recoveries(name, folder, args, rng):
    """Kill a process in each call, and then the one that puts right what it left, in each of its calls."""
    specimen = Specimen(name, folder)

    def put_right(number=0, fault=None):
        injection = Injection(folder, number, fault)
        injection.install()
        recover(folder)
        return injection.calls

    _, made = apart(injected, specimen)
    for first in range(1, len(made) + 1):
        second = 1
        while True:
            specimen.reset()
            apart(injected, specimen, first, die_halfway)
            status, told = apart(put_right, second, die_halfway if second % 2 else die)
            where = f"killed in call {first}, recovery killed in call {second}"
            yield where, judged(specimen, KILLED if status == DONE else status, told)
            if status != KILLED:
                break
            second += 1


def kills(name, folder, args, rng):
    """Kill a process at random moments."""
    for change in args.changes:
        specimen = Specimen(name, folder, change)
        begin = time.perf_counter()
        apart(specimen.do)
        took = time.perf_counter() - begin
        for number in range(-(-args.count // len(args.files) // len(args.changes))):
            specimen.reset()
            reader, child = started(specimen.do)
            time.sleep(rng.uniform(0, 1.1 * took))
            os.kill(child, signal.SIGKILL)
            status = ended(child)
            os.close(reader)
            yield f"{change} killed, {number}", judged(specimen, status, "")


def full_disks(name, folder, args, rng):
    """Let files not grow beyond some size."""

    def limited(specimen, size, options):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        specimen.do(**options)

    for change in args.changes:
        specimen = Specimen(name, folder, change)
        whole = specimen.path.stat().st_size
        for options in {}, {"atomic": True}:
            for size in (0, 100, 2000, 4000, 9000, whole // 2, whole - 1, whole, whole + 2880):
                specimen.reset()
                status, told = apart(limited, specimen, size, options)
                yield f"{change}, files of at most {size} bytes {options or ''}", judged(specimen, status, told)


def permissions(name, folder, args, rng):
    """Make file or folder read-only, from the beginning or from each call on."""
    for change in args.changes:
        specimen = Specimen(name, folder, change)
        _, made = apart(injected, specimen)
        for what, mode in (("file", 0o444), ("folder", 0o555)):
            target = specimen.path if what == "file" else Path(folder)
            usual = target.stat().st_mode
            for number in range(len(made) + 1):
                specimen.reset()
                if os.geteuid() == 0:
                    own(folder, NOBODY)
                if number == 0:
                    target.chmod(mode)
                status, told = apart(as_nobody, injected, specimen, number, forbid(target, mode))
                target.chmod(usual)
                yield f"{change}, {what} read-only from call {number} on", judged(specimen, status, told)


def clocks(name, folder, args, rng):
    """Let the clock, and the times of the file, jump back and forth."""
    years = (1970, 2100, 1999, 2038)

    class Jumping(keywords.datetime):
        turn = 0

        @classmethod
        def now(cls, tz=None):
            cls.turn += 1
            return super().now(tz).replace(year=years[cls.turn % len(years)], day=1)

    def work(specimen, seconds):
        keywords.datetime = Jumping
        for turn in range(4):
            os.utime(specimen.path, (seconds[turn % 2], seconds[turn % 2]))
            specimen.do(keep_times=bool(turn % 2))

    for change in args.changes:
        specimen = Specimen(name, folder, change)
        for seconds in ((0, 2**32), (2**33, 1), (2**31 - 1, -(2**31))):
            specimen.reset()
            yield f"{change}, times of {seconds} s", judged(specimen, *apart(work, specimen, seconds))


def crowds(name, folder, args, rng):
    """Let 2 to 8 processes change one file at the same time, and kill some of them."""

    def work(specimen, seed):
        for turn in range(3):
            specimen.do(atomic=(seed + turn) % 3 == 0)

    specimen = Specimen(name, folder)
    for crowd in range(2, 9):
        specimen.reset()
        children = [started(work, specimen, seed) for seed in range(crowd)]
        for _, child in children[:: 3 if crowd > 3 else crowd]:
            time.sleep(rng.uniform(0, 0.05))
            os.kill(child, signal.SIGKILL)
        ends = []
        for reader, child in children:
            with open(reader, "rb") as stream:
                told = stream.read().decode()
            ends.append((ended(child), told))
        broken = [told for status, told in ends if status not in (DONE, KILLED)]
        yield f"{crowd} processes", judged(specimen, BROKEN if broken else KILLED, "".join(broken))


# -------------------------------------------------------------------------------------------------- power cuts


def recover_folder(specimen):
    """Recover all that is in the folder; nothing may be left behind then."""
    _check_recovered(recover(specimen.path.parent))
    specimen.check_left("recover")


def recover_file(specimen):
    """Recover the file."""
    _check_recovered(recover(specimen.target if specimen.target.exists() else specimen.path))


def show(specimen):
    """Read the tags of the file."""
    read_tags(specimen.path)


def _check_recovered(recovered):
    wrong = [one for one in recovered if one.done not in ("restored", "whole", "removed")]
    if wrong:
        raise AssertionError(f"recover says {wrong}")


NEXT = (recover_folder, recover_file, show)
"""What a user may do next."""


def cuts(name, folder, args, rng, **options):
    """Let the power fail after each call, and look at all that this can leave."""
    for change in _changes(args, options):
        specimen = Specimen(name, folder, change, side=50, **options)
        status, told = apart(_cut, specimen, args, rng.random())
        yield from told if status == DONE else [(change, f"FAILED {told}")]


def cuts_copy(name, folder, args, rng):
    """Let the power fail while a tagged copy is made, or made again."""
    output = Path(folder, "copies", FILES[name][0])
    output.parent.mkdir()
    yield from cuts(name, folder, args, rng, output=output)


def cuts_twice(name, folder, args, rng):
    """Let the power fail, and again while what that left is put right."""
    for change in args.changes:
        specimen = Specimen(name, folder, change, side=50)
        status, told = apart(_cut_twice, specimen, args, rng.random())
        yield from told if status == DONE else [(change, f"FAILED {told}")]


def _changes(args, options):
    return [change for change in args.changes if change != "untag" or "output" not in options]


def _cut(specimen, args, seed):
    rng, recorder = _recorder(specimen, args, seed)
    left = cut(*recorder.record(specimen.do), args.states, rng)
    return [_after_cut(specimen, files, one, step) for files, one in left.items() for step in NEXT]


def _cut_twice(specimen, args, seed):
    rng, recorder = _recorder(specimen, args, seed)
    first = [files for files in cut(*recorder.record(specimen.do), args.states, rng) if _hidden(files)]
    ends = []
    for files in rng.sample(first, min(len(first), args.states // 5)):
        _fill(specimen, files)
        left = cut(*recorder.record(lambda: recover(specimen.path.parent)), args.states // 10, rng)
        ends += [_after_cut(specimen, files, one, rng.choice(NEXT), twice=True) for files, one in left.items()]
    return ends


def _recorder(specimen, args, seed):
    warnings.simplefilter("error", AstroclfWarning)
    recorder = Recorder(specimen.path.parent, args.unsynced)
    recorder.install()
    return random.Random(seed), recorder


def _hidden(files):
    return any(path.name.startswith(".") for path, _, _ in files)


def _fill(specimen, files):
    specimen.fill({path: (content, mode) for path, content, mode in files})
    _forget_folders()


def _after_cut(specimen, files, left, step, twice=False):
    """Return what was left, in words, and what a specimen is after that and the next step of a user."""
    _fill(specimen, files)
    here = ", ".join(sorted(f"{path.name} ({len(content)} bytes)" for path, content, _ in files))
    where = (
        f"{specimen.change} {specimen.options or ''}, {'' if left.ordered else 'un'}ordered, {here}, {step.__name__}"
    )
    try:
        step(specimen)
        told = specimen.check()
        if left.done and not twice and told == "old":
            raise AssertionError("said to be done, and is not")
    except Exception as error:
        return where, f"FAILED {error!r}"
    return where, told


EXPERIMENTS = {
    **{one.__name__: one for one in (calls, recoveries, kills, full_disks, permissions, clocks, crowds, cuts)},
    "cuts_atomic": partial(cuts, atomic=True),
    "cuts_times": partial(cuts, keep_times=True),
    "cuts_copy": cuts_copy,
    "cuts_sidecar": partial(cuts, sidecar=True),
    "cuts_twice": cuts_twice,
}


def main():
    """Run a campaign and print what became of the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="kills at random moments, of all files together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--changes", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--experiments", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--states", type=int, default=100, help="after a power cut, of each choice of names")
    unsynced = ("journal", "draft", "file", "folder")
    parser.add_argument("--unsynced", choices=unsynced, help="leave out its sync, so that power cuts must do harm")
    args = parser.parse_args()
    rng, failed = random.Random(args.seed), 0
    print(f"{'experiment':12} {'file':10} {'faults':>7} {'old':>6} {'new':>6} {'failed':>7}")
    for word in args.experiments:
        for name in args.files:
            ends = collections.Counter()
            with tempfile.TemporaryDirectory() as folder:
                for where, end in EXPERIMENTS[word](name, folder, args, rng):
                    ends[end.split()[0]] += 1
                    if end.startswith("FAILED"):
                        print(f"{name}: {where}: {end}", flush=True)
            counts = " ".join(f"{ends[key]:6}" for key in ("old", "new"))
            print(f"{word:12} {name:10} {ends.total():7} {counts} {ends['FAILED']:7}", flush=True)
            failed += ends["FAILED"]
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

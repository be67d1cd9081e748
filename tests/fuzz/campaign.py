# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A campaign of damaged files through the door.

    python tests/fuzz/campaign.py --count 20000 --first 0 --jobs 2

Every input must become a frame, or an error of astroclf with one line of text. Anything else is a failure: another
exception, the end of the process, more than 20 s, more than 1 GiB beyond what the process had to begin with. Inputs
that failed are written to ``--keep DIR``. Files whose tiles are decoded by a process of their own take half a second
each, so one in ten of their turns is taken. It needs Linux, which lets a process limit its memory.
"""

import argparse
import collections
import faulthandler
import io
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import damage

SLOW = "HCOMPRESS_1", "PLIO_1"
SECONDS, MEMORY = 20, 2**30


def inputs(files, first, count):
    """Yield number, name and content of damaged files."""
    names = sorted(files)
    for number in range(first, first + count):
        name = names[number % len(names)]
        if name in SLOW and number // len(names) % 10:
            name = "quantized"
        yield number, name, damage.damaged(files[name], number)


def outcome(content):
    """Return what becomes of an input, in a word or two; one that begins with ``FAILED`` is a failure."""
    from astroclf import AstroclfError, read_frame

    try:
        frame = read_frame(io.BytesIO(content))
        frame.exposed  # noqa: B018  what every later step asks for
    except AstroclfError as error:
        text = str(error)
        wrong = "\n" in text or "not enough memory" in text or len(text) > 1000
        return f"FAILED {text!r}" if wrong else type(error).__name__
    except BaseException as error:
        return f"FAILED {type(error).__name__}: {error}"
    return "frame"


def work(path, first, count):
    """Read inputs, and print number and outcome of each."""
    files = pickle.loads(Path(path).read_bytes())
    warnings.simplefilter("error")
    outcome(files["quantized"])
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    for number, name, content in inputs(files, first, count):
        print(number, name, "begins", flush=True)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        result = outcome(content)
        faulthandler.cancel_dump_traceback_later()
        print(number, name, " ".join(result.split()), flush=True)


def campaign(path, first, count):
    """Read inputs in a process, begun anew where one ends it; return lines of number, name and outcome."""
    lines, end = [], first + count
    while first < end:
        command = [sys.executable, __file__, "--work", path, "--first", str(first), "--count", str(end - first)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            lines.append(line)
            if line.endswith(" begins"):
                first = int(line.split()[0]) + 1
            else:
                lines.pop(-2)
        if done.returncode:
            if not lines or not lines[-1].endswith(" begins"):
                raise RuntimeError(done.stderr)
            lines[-1] = (
                lines[-1].removesuffix("begins")
                + f"FAILED process ended with {done.returncode}: "
                + (" ".join(done.stderr.split())[-300:])
            )
    return lines


def main():
    """Run a campaign and print what became of its inputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.work, args.first, args.count)
        return 0
    files = damage.seeds() | damage.simulated()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.jobs) as pool:
        path = Path(folder, "seeds")
        path.write_bytes(pickle.dumps(files))
        share = -(-args.count // (4 * args.jobs))
        starts = range(args.first, args.first + args.count, share)
        counts = [min(share, args.first + args.count - start) for start in starts]
        lines = [line for part in pool.map(campaign, [str(path)] * len(starts), starts, counts) for line in part]
    outcomes = collections.Counter(line.split()[2] for line in lines)
    print(f"{len(lines)} inputs from {len(files)} files:", ", ".join(f"{n} {word}" for word, n in outcomes.items()))
    failed = [line for line in lines if " FAILED " in line]
    for line in failed:
        print(line)
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        for line in failed:
            number, name, _ = line.split(maxsplit=2)
            (args.keep / f"{number}_{name}.fits").write_bytes(damage.damaged(files[name], int(number)))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

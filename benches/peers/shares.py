#!/usr/bin/env python3
"""Writes the table "Where the time goes" of docs/performance.md: the shares of one core's time of a fit, by `perf`.

    python3 benches/peers/shares.py [WORK ...]      the works iris, small, wide and tabular, or some of them

It needs Linux's `perf` and the binutils (`addr2line`, `readelf`), and no package of Python. mlp's workloads are built
in release with line tables in a directory of their own below the target directory, and each work runs on one core under
`perf record`. A sample is a stack of addresses; each address is looked up with the functions that were inlined there.
From the innermost outwards, the first function of the project that belongs to a part of the table (`PARTS`) decides;
helpers that serve several parts (elementwise loops, say) do not, and what is left is the engine's. Samples in malloc and
free count as memory, whoever called. Samples outside of a fit, such as those of making the data, are left out.
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from run import PAGE, ROOT, TARGET, TRAINING, between, pin, say

# Fits of each work: some seconds.
RUNS = {"iris": 2000, "small": 16, "wide": 3, "tabular": 6}
FREQUENCY = 1000

ARITHMETIC = "matrix products: arithmetic"
LAYING_OUT = "matrix products: laying out"
GATHERING = "gathering the rows of the batches"
CHECKS = "looking for NaN and infinity before the fit"
UPDATE = "the optimizer's update"
CROSS_ENTROPY = "cross-entropy"
LAYERS = "bias sums, activations, dropout"
TAPE = "the tape: appending, walking back"
MEMORY = "taking and returning memory"
ENGINE = "the engine: blocks, schedules, counters"

# The functions that move values rather than compute, and those that hand out memory.
MOVING = r"::(lay_out|interleave|transposed?|from_fn|new|to_tensor|clone)\b"
LENDING = r"::(room|blank|used|lend|take|take_back|put|new|into_vec|clone|drop|\w+_scope)\b"

# Files below crates/, a function in them (or any), and the part that they belong to; the first that matches decides.
PARTS = [
    (r"tensor/src/linalg/panels\.rs", MOVING, LAYING_OUT),
    (r"tensor/src/linalg/", r"", ARITHMETIC),
    (r"tensor/src/memory\.rs", LENDING, MEMORY),
    (r"tensor/src/softmax\.rs", r"", CROSS_ENTROPY),
    (r"autograd/src/ops/softmax\.rs", r"", CROSS_ENTROPY),
    (r"nn/src/losses/", r"", CROSS_ENTROPY),
    (r"tensor/src/random/", r"", LAYERS),
    (r"autograd/src/ops/", r"", LAYERS),
    (r"nn/src/(layers|activations)/", r"", LAYERS),
    (r"autograd/src/", r"", TAPE),
    (r"optim/src/", r"", UPDATE),
    (r"train/src/rows\.rs", r"::check_", CHECKS),
    (r"train/src/rows\.rs", r"", GATHERING),
    (r"train/src/", r"", ENGINE),
]
ORDER = [ARITHMETIC, LAYING_OUT, GATHERING, CHECKS, UPDATE, CROSS_ENTROPY, LAYERS, TAPE, MEMORY, ENGINE]

ALLOCATOR = re.compile(
    r"(_*(malloc|free|cfree|calloc|realloc|memalign|posix_memalign|aligned_alloc)\b"
    r"|_int_|__libc_(malloc|free|calloc|realloc)|sysmalloc|systrim|unlink_chunk|tcache_|_mid_memalign)"
)
COPYING = re.compile(r"_*mem(move|cpy|set)")


def build():
    """mlp's workloads with line tables; returns the program."""
    target = TARGET / "shares"
    command = ["cargo", "build", "--release", "--locked", "--bin", "workloads", "--target-dir", target]
    environment = {**os.environ, "CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only"}
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    return target / "release" / "workloads"


def record(program, work):
    """The stacks of a work's samples, each a list of (symbol, address in the program or None), innermost first."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "perf.data"
        command = [program, work, "--threads", "1", "--runs", str(RUNS[work])]
        perf = ["perf", "record", "--quiet", "--freq", str(FREQUENCY), "--call-graph", "dwarf,16384", "--output", data]
        output(*pin("one"), *perf, "--", *command)
        text = output("perf", "script", "--input", data, "--no-inline", "--fields", "ip,sym,dso", "--show-mmap-events")
    starts, stacks, stack, offset = [], [], [], segment(program)
    for line in [*text.splitlines(), ""]:
        if mapped := re.search(r"PERF_RECORD_MMAP.*\[(0x\w+)\((0x\w+)\) @ (0x\w+|0) .*r-xp (.*)", line):
            if Path(mapped[4]).name == program.name:
                starts.append([int(part, 16) for part in mapped.groups()[:3]])
        elif frame := re.match(r"\s+([0-9a-f]+) (.*) \((.*)\)$", line):
            address = int(frame[1], 16)
            # perf prints addresses of a stack as offsets in the file, others as they are in memory.
            for start, size, at in starts:
                if start <= address < start + size:
                    address += at - start
            stack.append((frame[2], address + offset if Path(frame[3]).name == program.name else None))
        elif not line.strip() and stack:
            stacks.append(stack)
            stack = []
    return stacks


def output(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace")
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def segment(program):
    """What is added to an offset in the program's file for the address that its symbols and lines have."""
    for line in output("readelf", "--segments", "--wide", program).splitlines():
        fields = line.split()
        if fields[:1] == ["LOAD"] and "R E" in line:
            return int(fields[2], 16) - int(fields[1], 16)
    sys.exit(f"{program} has no segment of code")


def functions(program, addresses):
    """Of each address the functions that it stands in, as (function, file), the innermost inlined one first."""
    command = ["addr2line", "--addresses", "--inlines", "--functions", "--demangle", "--exe", str(program)]
    asked = "\n".join(f"{address:#x}" for address in addresses)
    found, name = {}, None
    for line in subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            frames, name = found.setdefault(int(line, 16), []), None
        elif name is None:
            name = line
        else:
            frames.append((name, line))
            name = None
    return found


def part(stack, found):
    """The part of the table that a stack belongs to, or None outside of a fit."""
    frames = []
    for symbol, address in stack:
        frames += found.get(address) or [(symbol, "")]
    outer = [index for index, (name, file) in enumerate(frames) if "/crates/train/src/" in file]
    if not any(re.search(r"/crates/train/src/(fit|model/mod)\.rs", frames[index][1]) for index in outer):
        return None
    copied = False
    for index, (name, file) in enumerate(frames):
        if ALLOCATOR.match(name):
            return MEMORY
        copied = copied or bool(COPYING.match(name))
        if "/crates/" in file and "{closure" in name:
            name = around(frames[index:])
        for pattern, function, result in PARTS:
            if re.search("/crates/" + pattern, file) and re.search(function, "::" + name):
                return LAYING_OUT if result == ARITHMETIC and copied else result
    return ENGINE


def around(frames):
    """The function that a closure, the first of the frames, stands in: the next one outwards in its file."""
    source = lambda file: file.split(":")[0]
    names = (name for name, file in frames if source(file) == source(frames[0][1]) and "{closure" not in name)
    return next(names, frames[0][0])


def shares(program, work):
    """Percent of the samples of a work's fits by part."""
    stacks = record(program, work)
    addresses = sorted({address for stack in stacks for _, address in stack if address is not None})
    found = functions(program, addresses)
    counts = collections.Counter(part(stack, found) for stack in stacks)
    outside = counts.pop(None, 0)
    total = sum(counts.values())
    if not total:
        sys.exit(f"{work}: none of {outside} samples is in a fit")
    say(f"{work}: {total} samples in fits, {outside} outside")
    return {name: 100 * count / total for name, count in counts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", help="of " + ", ".join(TRAINING))
    parser.add_argument("--print", action="store_true", help="print the table in place of writing it")
    a = parser.parse_args()
    if unknown := set(a.works) - set(TRAINING):
        parser.error(f"there is no work {', '.join(sorted(unknown))}")
    for tool in ("perf", "addr2line", "readelf"):
        if not shutil.which(tool):
            sys.exit(f"there is no {tool} here; the shares of time cannot be measured without it")
    program, works = build(), a.works or TRAINING
    measured = [shares(program, work) for work in works]
    rows = [f"| | {' | '.join(works)} |", "|---|" + "---|" * len(works)]
    for name in ORDER:
        cells = [f"{of[name]:.0f}" if of.get(name, 0) >= 0.5 else "" for of in measured]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    table = "\n".join(rows)
    if a.print:
        print(table)
    else:
        PAGE.write_text(between(PAGE.read_text(), "shares", table))
        say(PAGE)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times mlp and its peers side by side and writes docs/performance.md's figures and picture.

    python3 benches/peers/run.py                    build, measure, write the page
    python3 benches/peers/run.py build              build mlp's workloads and the peers in Rust
    python3 benches/peers/run.py measure            measure, keep every result line in benches/peers/results.json
    python3 benches/peers/run.py page               write the page from results.json
    python3 benches/peers/run.py build-times [NAME ...]   time clean builds (mlp, candle, burn, rustyml, tract)

(The page's shares of time are made by shares.py, beside this script.)

The peers in Python run in the interpreter that runs this script: make a virtual environment, `pip install -r
benches/peers/python/requirements.txt`, and start it with that python. A peer that is not there is skipped, and the page
says so.

Everything is measured twice: on one core, where every process is bound to the same core (by `taskset`) and told to use
one thread, and on all cores, with the threads that each library takes by itself. Each work goes through all peers in
turn, several rounds, every other one in reverse order, so that all meet the same minutes of the machine. A turn is a
process of its own, with the same number of timed runs for every peer, after one that is thrown away. The page shows the
median over the runs of all rounds, and the lowest and the highest. A fit that takes over ten seconds is not repeated in
its turn, and one that takes over five seconds and ten times mlp's is not repeated in later rounds; the page marks them.

Before and after each round of a work, `peak` measures how fast the machine multiplies and adds at that time.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
RESULTS = HERE / "results.json"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.svg"

Work = namedtuple("Work", "widths rows epochs title")

# The same as in benches/work/src/lib.rs.
WORKS = {
    "iris": Work([4, 10, 3], 96, 100, "iris: 4-10-3, 100 epochs of 96 rows"),
    "small": Work([784, 128, 10], 60_000, 1, "small: 784-128-10, 60,000 rows"),
    "wide": Work([784, 512, 512, 10], 60_000, 1, "wide: 784-512-512-10, 60,000 rows"),
    "tabular": Work([28, 256, 256, 256, 2], 100_000, 1, "tabular: 28-256-256-256-2, 100,000 rows"),
    "infer1_small": Work([4, 10, 3], 1, 0, "one row through 4-10-3"),
    "infer1_wide": Work([784, 512, 512, 10], 1, 0, "one row through 784-512-512-10"),
    "infer4096_wide": Work([784, 512, 512, 10], 4096, 0, "4,096 rows through 784-512-512-10"),
}
TRAINING = [name for name, work in WORKS.items() if work.epochs]
INFERENCE = [name for name, work in WORKS.items() if not work.epochs]

CORES = {"one": "one core", "all": "all cores"}

# What tells the libraries to use one thread; the peers here read THREADS.
ONE_THREAD = {
    "THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MATMUL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def operations(name):
    """The multiplications and additions of the matrix products of a work: each layer's forward, and for training the
    product for its weight, and for its input in all layers but the first."""
    work = WORKS[name]
    layers = [inputs * outputs for inputs, outputs in zip(work.widths, work.widths[1:])]
    if not work.epochs:
        return 2 * sum(layers) * work.rows
    return (4 * sum(layers) + 2 * sum(layers[1:])) * work.rows * work.epochs


class Peer:
    """What is timed: a name for the page, the name in result lines, the command, and where its version stands."""

    def __init__(self, name, command, works=None, line=None, modules=(), package=None, crate=None, compiler=None):
        self.name, self.line, self.works = name, line or name, works or TRAINING + INFERENCE
        self.command = [str(part) for part in command]
        self.modules, self.package, self.crate, self.compiler = modules, package, crate, compiler

    def missing(self):
        """Why the peer cannot run, or None."""
        absent = [name for name in self.modules if importlib.util.find_spec(name) is None]
        if absent:
            return f"not installed in this Python: {', '.join(absent)}"
        if self.compiler and not shutil.which(self.compiler):
            return f"it needs a compiler, and there is no {self.compiler}"
        return None if Path(self.command[0]).exists() else "not built (run.py build)"

    def version(self):
        """The name and the version of what it is made with, or None."""
        if self.package:
            return self.package, importlib.metadata.version(self.package)
        if self.crate:
            lock = tomllib.loads((HERE / "rust" / self.crate[0] / "Cargo.lock").read_text())
            package = next(package for package in lock["package"] if package["name"] == self.crate[1])
            return package["name"], package["version"]
        return None

    def run(self, work, cores):
        """Runs a work in a process of its own."""
        command = [*pin(cores), *self.command, work]
        if cores == "one" and self in VARIANTS:
            command += ["--threads", "1"]
        return subprocess.run(command, env=environment(cores), capture_output=True, text=True)


def pin(cores):
    """What binds a command to one core, where that is wanted and this system has it."""
    if cores != "one" or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(min(os.sched_getaffinity(0)))]


def environment(cores):
    return {**os.environ, **(ONE_THREAD if cores == "one" else {})}


def mlp(name, line, *options, works=None):
    return Peer(name, [TARGET / "release" / "workloads", *options], works, line)


def python(name, line, file, modules, package, works=None, compiler=None):
    command = [sys.executable, HERE / "python" / file[0], *file[1:]]
    return Peer(name, command, works, line, modules=["numpy", *modules], package=package, compiler=compiler)


def rust(name, line, folder, crate, works=None):
    return Peer(name, [TARGET / "peers" / "release" / f"peer-{folder}"], works, line, crate=(folder, crate))


# mlp, and other ways to run it; the first is what all others are compared with. `line` is what `workloads` calls it.
MLP = mlp("mlp", "mlp")
VARIANTS = [
    MLP,
    mlp("mlp, bf16 weights", "mlp bf16", "--bf16", works=INFERENCE),
    mlp("mlp, int8 weights", "mlp int8", "--int8", works=INFERENCE),
    mlp("mlp, `Model::predict`", "mlp predict", "--plain", works=INFERENCE),
]
PEERS = [
    python("JAX, jitted scan", "JAX", ["jax_peer.py"], ["jax"], "jax"),
    python("PyTorch, eager", "PyTorch", ["torch_peer.py"], ["torch"], "torch"),
    python(
        "PyTorch, compiled",
        "PyTorch compiled",
        ["torch_peer.py", "--compile"],
        ["torch"],
        "torch",
        compiler=os.environ.get("CXX", "g++"),
    ),
    python("Keras", "Keras", ["keras_peer.py"], ["keras", "tensorflow"], "keras"),
    python("scikit-learn", "scikit-learn", ["sklearn_peer.py"], ["sklearn"], "scikit-learn"),
    python("onnxruntime", "onnxruntime", ["onnxruntime_peer.py"], ["onnxruntime", "onnx"], "onnxruntime", INFERENCE),
    rust("candle", "candle", "candle", "candle-core"),
    rust("burn, Flex", "burn", "burn", "burn"),
    rust("RustyML", "rustyml", "rustyml", "rustyml"),
    rust("tract", "tract", "tract", "tract-core", INFERENCE),
    rust("by hand over matrixmultiply", "by hand", "by_hand", "matrixmultiply"),
]
ALL = [*VARIANTS, *PEERS]
PEAK = TARGET / "release" / "peak"


def say(text):
    print(text, file=sys.stderr, flush=True)


def build():
    cargo = ["cargo", "build", "--release", "--locked"]
    subprocess.run([*cargo, "--bin", "workloads", "--bin", "peak", "--target-dir", TARGET], cwd=ROOT, check=True)
    for folder in sorted(HERE.glob("rust/*/Cargo.toml")):
        say(f"building {folder.parent.name}")
        done = subprocess.run([*cargo, "--target-dir", TARGET / "peers"], cwd=folder.parent)
        if done.returncode:
            say(f"{folder.parent.name} does not build; it will be skipped")


def measure(works, names, cores, rounds, out):
    """Runs everything, and writes every result line to `out`."""
    if MLP.missing() or not PEAK.exists():
        sys.exit("mlp's workloads and peak are not built (run.py build)")
    chosen = [*VARIANTS, *(peer for peer in PEERS if not names or peer.line in names)]
    skipped = {peer.name: reason for peer in chosen if (reason := peer.missing())}
    for name, reason in skipped.items():
        say(f"skipped: {name}, {reason}")
    peers = [peer for peer in chosen if peer.name not in skipped]
    if "one" in cores and not pin("one"):
        say("there is no taskset here: processes of one thread are not bound to a core")
    lines, peaks, done, start = [], [], set(), time.monotonic()

    def turn(peer, where, number):
        if where["work"] not in peer.works or (peer.name, *where.values()) in done:
            return
        process = peer.run(**where)
        if process.returncode:
            reason = (process.stderr.strip().splitlines() or ["no message"])[-1]
            skipped[f"{peer.name} on {where['work']}, {CORES[where['cores']]}"] = f"failed: {reason}"
            return done.add((peer.name, *where.values()))
        for line in process.stdout.splitlines():
            line = {**where, "round": number, **json.loads(line)}
            lines.append(line)
            seconds = statistics.median(line["s"])
            place = f"{where['cores']}  {where['work']:16} {line['peer']:18}"
            say(f"{time.monotonic() - start:6.0f} s  {place} {show(seconds)}")
            # A fit of many seconds, far behind: a second round says nothing new.
            if seconds > 5 and seconds > 10 * (Times(lines, MLP, **where).median or math.inf):
                done.add((peer.name, *where.values()))

    for work in works:
        for number in range(rounds):
            for where in ({"work": work, "cores": each} for each in cores):
                peaks.append({**where, "round": number, **peak(where["cores"])})
                for peer in peers if number % 2 == 0 else peers[::-1]:
                    turn(peer, where, number)
                peaks.append({**where, "round": number, **peak(where["cores"])})
    versions = dict(version for peer in peers if (version := peer.version()))
    old = json.loads(out.read_text()) if out.exists() else {}
    result = {"machine": machine(), "versions": versions, "rounds": rounds, "skipped": skipped}
    write(out, {**result, "peaks": peaks, "lines": lines, "builds": old.get("builds", [])})
    say(f"{time.monotonic() - start:.0f} s in all; {out}")


def peak(cores):
    """What the machine can do now, in GFLOP/s: on one core, and on all of those at once that the process may use."""
    command = [*pin(cores), PEAK, "peak"]
    text = subprocess.run(command, env=environment(cores), check=True, capture_output=True, text=True).stdout
    rate = lambda pattern: float(re.search(pattern + r"\s+([\d.]+) GFLOP/s", text)[1])
    return {"one": rate("one core, f32"), "together": rate("cores at once")}


def write(path, result):
    """JSON with one line for each entry of a list, so that a change of it can be read."""
    parts = []
    for key, value in result.items():
        if isinstance(value, list):
            value = ",\n".join("  " + json.dumps(entry) for entry in value)
            parts.append(f' "{key}": [\n{value}\n ]' if value else f' "{key}": []')
        else:
            parts.append(f' "{key}": {json.dumps(value)}')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def machine():
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    field = lambda name: next((row.split(":")[1].strip() for row in cpu.splitlines() if row.startswith(name)), "")
    flags = field("flags").split()
    output = lambda *command: subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    return {
        "processor": field("model name") or platform.processor(),
        "family": " ".join(f"{name} {field(name)}".strip() for name in ("cpu family", "model\t")).replace("\t", ""),
        "instructions": [name for name in ("avx2", "fma", "avx512f", "f16c", "asimd") if name in flags],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "pinned": bool(pin("one")),
        "system": f"{platform.system()} {platform.machine()}",
        "rustc": output("rustc", "--version").split()[1],
        "python": platform.python_version(),
        "commit": output("git", "rev-parse", "--short", "HEAD"),
        "date": time.strftime("%Y-%m-%d"),
    }


class Times:
    """The seconds of all runs of a peer on a work: their median (None without a run), lowest, highest and number."""

    def __init__(self, lines, peer, work, cores):
        of_it = lambda line: (line["peer"], line["work"], line["cores"]) == (peer.line, work, cores)
        seconds = [s for line in lines if of_it(line) for s in line["s"]]
        self.count = len(seconds)
        self.median = statistics.median(seconds) if seconds else None
        self.low, self.high = min(seconds, default=None), max(seconds, default=None)


UNITS = (("s", 1), ("ms", 1e-3), ("µs", 1e-6))


def unit(seconds):
    """The name and the size of the unit that suits a time."""
    return next((unit for unit in UNITS if seconds >= unit[1] * 0.9995), UNITS[-1])


def digits(value):
    """Three digits."""
    return f"{value:,.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def show(seconds):
    name, size = unit(seconds)
    return f"{digits(seconds / size)} {name}"


def spread(values, size=1):
    """The median of some values, and the lowest and the highest."""
    values = [value / size for value in values]
    return f"{digits(statistics.median(values))} ({digits(min(values))}–{digits(max(values))})"


def page(result, path=PAGE, picture=PICTURE):
    """Writes the figures between the page's markers, and the picture."""
    text = path.read_text()
    if lines := result["lines"]:
        text = between(text, "machine", machine_text(result))
        text = between(text, "peak", peak_text(result))
        text = between(text, "losses", losses(lines))
        for kind, works in (("training", TRAINING), ("inference", INFERENCE)):
            for cores in CORES:
                text = between(text, f"{kind} on {CORES[cores]}", table(result, works, cores))
        picture.write_text(svg(lines))
    if result["builds"]:
        rows = [f"| {b['name']} | {b['seconds']:.0f} s | {b['crates']} |" for b in result["builds"]]
        head = ["| program that uses | clean release build | crates |", "|---|---|---|"]
        text = between(text, "builds", "\n".join([*head, *rows]))
    path.write_text(text)
    say(f"{path}\n{picture}")


def between(text, name, new):
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{new}\n{end}{rest.split(end)[1]}"


def machine_text(result):
    m = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    bound = "bound to one core" if m["pinned"] else "not bound to a core, for want of `taskset`"
    processor = f"{m['processor']} ({m['family']}; {', '.join(m['instructions'])})"
    text = [
        f"- Machine: {processor}, {m['cores']} cores, {m['system']}.",
        f"- Versions: rustc {m['rustc']}, Python {m['python']}, {versions}.",
        f"- Measured on {m['date']} at commit {m['commit']}, {result['rounds']} rounds.",
        f"- The processes of one thread were {bound}.",
    ]
    text += [f"- Not measured: {name} ({reason})." for name, reason in result["skipped"].items()]
    return "\n".join(text)


def peak_text(result):
    """What the cores reach at once, against one alone."""
    peaks, count = [peak for peak in result["peaks"] if peak["cores"] == "all"], result["machine"]["cores"]
    if not peaks or count < 2:
        return "All cores at once were not measured beside one."
    one, together = ([peak[key] for peak in peaks] for key in ("one", "together"))
    ratio = statistics.median(all_of_them / alone for all_of_them, alone in zip(together, one))
    rates = f"{spread(one)} GFLOP/s, {count} at once {spread(together)}"
    text = f"One core reached {rates}: {ratio:.2f} times as much (medians, and the lowest and the highest)."
    if ratio < 0.95 * count:
        text += f" That is less than {0.95 * count:.1f}: no program can be {count} times as fast on {count} cores here."
    return text


def table(result, works, cores):
    """Peers down, works across: the median, the lowest and highest, and how many times mlp's it is; then the peak."""
    lines, rows, fewer = result["lines"], [f"| | {' | '.join(works)} |", "|---|" + "---|" * len(works)], False
    own = {work: Times(lines, MLP, work, cores) for work in works}
    for peer in ALL:
        cells = []
        for work in works:
            times = Times(lines, peer, work, cores)
            if not times.count:
                cells.append("")
                continue
            name, size = unit(times.median)
            cell = f"{digits(times.median / size)} {name} ({digits(times.low / size)}–{digits(times.high / size)})"
            if peer not in VARIANTS and own[work].count:
                ratio = times.median / own[work].median
                cell += f", {ratio:,.0f} x" if ratio >= 9.995 else f", {ratio:.2f} x"
            if times.count < own[work].count:
                cell, fewer = cell + " †", True
            cells.append(cell)
        if any(cells):
            rows.append(f"| {peer.name} | {' | '.join(cells)} |")
    key, name = ("one", "one core's") if cores == "one" else ("together", "all cores'")
    rates = [[p[key] for p in result["peaks"] if (p["work"], p["cores"]) == (work, cores)] for work in works]
    rows.append(f"| {name} peak, GFLOP/s | {' | '.join(spread(values) if values else '' for values in rates)} |")
    if cores == "one":
        shares = [
            f"{100 * operations(work) / own[work].median / statistics.median(values) / 1e9:.0f} %"
            if values and own[work].count
            else ""
            for work, values in zip(works, rates)
        ]
        rows.append(f"| mlp's share of the peak | {' | '.join(shares)} |")
    if fewer:
        rows += ["", "† Fewer runs than mlp: a fit that takes that long, or is that far behind, is not repeated."]
    return "\n".join(rows)


def losses(lines):
    """The final losses, peers down, training works across: the median over all rounds."""
    rows = [f"| | {' | '.join(TRAINING)} |", "|---|" + "---|" * len(TRAINING)]
    for peer in ALL:
        own = [line for line in lines if line["peer"] == peer.line and "loss" in line]
        found = [[line["loss"] for line in own if line["work"] == work] for work in TRAINING]
        if own:
            rows.append(f"| {peer.name} | {' | '.join(f'{statistics.median(x):.3f}' if x else '' for x in found)} |")
    return "\n".join(rows)


def svg(lines):
    """Bars of every peer, a panel for each work, one core on the left and all on the right, lengths by the logarithm of
    the median."""
    row, label, width, gap, out, y = 18, 190, 300, 80, [], 34
    column = label + width + gap
    for work in WORKS:
        bottom = y
        for left, cores in zip((0, column), CORES):
            bars = [(peer, Times(lines, peer, work, cores).median) for peer in ALL]
            bars = sorted(((peer, seconds) for peer, seconds in bars if seconds), key=lambda bar: bar[1])
            if not bars:
                continue
            at, low, high = y, bars[0][1] / 2, bars[-1][1]
            out.append(f'<text x="{left + 10}" y="{at}" class="title">{WORKS[work].title}; {CORES[cores]}</text>')
            for peer, seconds in bars:
                at += row
                kind = "mlp" if peer in VARIANTS else "hand" if peer.line == "by hand" else "peer"
                length = max(1, width * math.log(seconds / low) / math.log(high / low))
                x, name = left + label, peer.name.replace("`", "")
                out.append(f'<text x="{x}" y="{at + 4}" text-anchor="end">{name}</text>')
                out.append(f'<rect x="{x + 8}" y="{at - 8}" width="{length:.1f}" height="13" class="{kind}"/>')
                out.append(f'<text x="{x + 14 + length:.1f}" y="{at + 3}">{show(seconds)}</text>')
            bottom = max(bottom, at)
        y = bottom + 2 * row + 4 if bottom > y else y
    style = (
        "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.head{font-size:11px;fill:#777}"
        ".mlp{fill:#c1440e}.peer{fill:#8fa7bf}.hand{fill:#d9d9d9}"
    )
    head = '<text x="10" y="14" class="head">median time, shorter is better; lengths are logarithms</text>'
    size = f'width="{2 * column}" height="{y - row}"'
    shapes = "\n".join([head, *out])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{style}</style>\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{shapes}\n</svg>\n'
    )


def build_times(names, out):
    """Clean release builds, sources fetched before, of a program that uses mlp, and of the peers' programs."""
    result = json.loads(out.read_text()) if out.exists() else {"lines": []}
    builds = {entry["name"]: entry for entry in result.get("builds", [])}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "src").mkdir()
        (folder / "src" / "main.rs").write_text("use mlp::prelude::*;\n\nfn main() {\n    println!(\"{}\", Tensor::<f32>::ones([2, 2]));\n}\n")
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "user"\nversion = "0.0.0"\nedition = "2024"\n\n'
            f'[dependencies]\nmlp = {{ path = "{ROOT / "crates" / "mlp"}" }}\n\n[workspace]\n'
        )
        (folder / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())
        for name in names or ["mlp"]:
            source = folder if name == "mlp" else HERE / "rust" / name
            subprocess.run(["cargo", "fetch", "--quiet"], cwd=source, check=True)
            with tempfile.TemporaryDirectory() as target:
                start = time.monotonic()
                subprocess.run(["cargo", "build", "--release", "--target-dir", target], cwd=source, check=True)
                seconds = round(time.monotonic() - start, 1)
            tree = ["cargo", "tree", "-e", "normal,build", "--prefix", "none"]
            tree = subprocess.run(tree, cwd=source, check=True, capture_output=True, text=True).stdout
            # Without the program itself (and the crate of the works, for a peer).
            crates = {line.removesuffix(" (*)") for line in tree.splitlines()}
            crates = {crate for crate in crates if crate.split()[0] not in ("user", "work", f"peer-{name}")}
            builds[name] = {"name": name, "seconds": seconds, "crates": len(crates)}
            say(f"{name}: {seconds} s, {len(crates)} crates")
    write(out, {**result, "builds": list(builds.values())})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["all", "build", "measure", "page", "build-times"], default="all")
    parser.add_argument("names", nargs="*", help="for build-times")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--works", nargs="+", choices=TRAINING + INFERENCE, default=TRAINING + INFERENCE)
    parser.add_argument("--peers", nargs="+", choices=[peer.line for peer in PEERS], help="these alone, beside mlp")
    parser.add_argument("--cores", nargs="+", choices=CORES, default=list(CORES), help="on one core, on all, or both")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file of result lines")
    a = parser.parse_args()
    if a.what in ("all", "build"):
        build()
    if a.what in ("all", "measure"):
        measure(a.works, a.peers, a.cores, a.rounds, a.results)
    if a.what == "build-times":
        build_times(a.names, a.results)
    if a.what in ("all", "page", "build-times"):
        if not a.results.exists():
            sys.exit(f"there is no {a.results} (run.py measure)")
        page(json.loads(a.results.read_text()))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times mlp and its peers side by side and writes docs/performance.md's figures and picture.

    python3 benches/peers/run.py                    build, measure, write the page
    python3 benches/peers/run.py build              build mlp's workloads and the peers in Rust
    python3 benches/peers/run.py measure            measure, keep every result line in benches/peers/results.json
    python3 benches/peers/run.py page               write the page from results.json
    python3 benches/peers/run.py build-times [NAME ...]   time clean builds (mlp, candle, burn, rustyml, tract)

The peers in Python run in the interpreter that runs this script: make a virtual environment, `pip install -r
benches/peers/python/requirements.txt`, and start it with that python. A peer that is not there is skipped, and the page
says so. Each work goes through all peers in turn, several rounds, mlp at the start, in the middle and at the end of
each, so that all meet the same minutes of the machine; the best run of each counts.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
RESULTS = HERE / "results.json"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.svg"

TRAINING = ["iris", "small", "wide", "tabular"]
INFERENCE = ["infer1_small", "infer1_wide", "infer4096_wide"]
TITLES = {
    "iris": "iris: 4-10-3, 100 epochs of 96 rows",
    "small": "small: 784-128-10, 60,000 rows",
    "wide": "wide: 784-512-512-10, 60,000 rows",
    "tabular": "tabular: 28-256-256-256-2, 100,000 rows",
    "infer1_small": "one row through 4-10-3",
    "infer1_wide": "one row through 784-512-512-10",
    "infer4096_wide": "4,096 rows through 784-512-512-10",
}


class Peer:
    """What is timed: a name for the page, the name in result lines, the command, and where its version stands."""

    def __init__(self, name, command, works=None, module=None, package=None, crate=None, env=None, line=None):
        self.name, self.command, self.works = name, [str(part) for part in command], works or TRAINING + INFERENCE
        self.module, self.package, self.crate, self.env, self.line = module, package, crate, env or {}, line or name

    def missing(self):
        """Why the peer cannot run, or None."""
        if self.module:
            absent = [name for name in self.module if importlib.util.find_spec(name) is None]
            return f"not installed in this Python: {', '.join(absent)}" if absent else None
        return None if Path(self.command[0]).exists() else "not built (run.py build)"

    def version(self):
        if self.package:
            return importlib.metadata.version(self.package)
        if self.crate:
            lock = tomllib.loads((HERE / "rust" / self.crate[0] / "Cargo.lock").read_text())
            return next(package["version"] for package in lock["package"] if package["name"] == self.crate[1])
        return None


def python(name, file, module, package, works=None, line=None):
    command = [sys.executable, HERE / "python" / file]
    return Peer(name, command, works, module=["numpy", *module], package=package, line=line)


def rust(name, line, folder, crate, works=None):
    return Peer(name, [TARGET / "peers" / "release" / f"peer-{folder}"], works, crate=(folder, crate), line=line)


def limit(threads, works):
    command, cores = [TARGET / "peers" / "release" / "limit"], "one core" if threads == 1 else f"{threads} cores"
    return Peer(f"limit, {cores}", command, works, env={"THREADS": str(threads)}, line=f"limit{threads}")


MLP = Peer("mlp", [TARGET / "release" / "workloads"])
BFLOAT16 = Peer("mlp, bf16 weights", [TARGET / "release" / "workloads", "--bf16"], INFERENCE, line="mlp bf16")
INT8 = Peer("mlp, int8 weights", [TARGET / "release" / "workloads", "--int8"], INFERENCE, line="mlp int8")
PLAIN = Peer("mlp, `Model::predict`", [TARGET / "release" / "workloads", "--plain"], INFERENCE, line="mlp predict")
PEERS = [
    python("JAX, jitted scan", "jax_peer.py", ["jax"], "jax", line="JAX"),
    python("PyTorch", "torch_peer.py", ["torch"], "torch"),
    python("Keras", "keras_peer.py", ["keras", "tensorflow"], "keras"),
    python("scikit-learn", "sklearn_peer.py", ["sklearn"], "scikit-learn"),
    python("onnxruntime", "onnxruntime_peer.py", ["onnxruntime", "onnx"], "onnxruntime", INFERENCE),
    rust("candle", "candle", "candle", "candle-core"),
    rust("burn, Flex", "burn", "burn", "burn"),
    rust("RustyML", "rustyml", "rustyml", "rustyml"),
    rust("tract", "tract", "tract", "tract-core", INFERENCE),
    limit(1, TRAINING + INFERENCE),
    limit(2, INFERENCE[2:]),
]
ALL = [MLP, BFLOAT16, INT8, PLAIN, *PEERS]


def say(text):
    print(text, file=sys.stderr, flush=True)


def build():
    cargo = ["cargo", "build", "--release"]
    subprocess.run([*cargo, "--bin", "workloads", "--target-dir", TARGET], cwd=ROOT, check=True)
    for folder in sorted(HERE.glob("rust/*/Cargo.toml")):
        say(f"building {folder.parent.name}")
        done = subprocess.run([*cargo, "--locked", "--target-dir", TARGET / "peers"], cwd=folder.parent)
        if done.returncode:
            say(f"{folder.parent.name} does not build; it will be skipped")


def measure(works, names, rounds, out):
    """Runs everything, and writes every result line to `out`."""
    chosen = [peer for peer in PEERS if not names or peer.line in names]
    skipped = {peer.name: reason for peer in [MLP, *chosen] if (reason := peer.missing())}
    if MLP.name in skipped:
        sys.exit("mlp's workloads are not built (run.py build)")
    for name, reason in skipped.items():
        say(f"skipped: {name}, {reason}")
    peers = [peer for peer in chosen if peer.name not in skipped]
    lines, slow, start = [], set(), time.monotonic()

    def once(peer, work, number):
        if work not in peer.works or (peer.name, work) in slow:
            return
        done = subprocess.run([*peer.command, work], env={**os.environ, **peer.env}, capture_output=True, text=True)
        if done.returncode:
            skipped[f"{peer.name} on {work}"] = "failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1]
            return slow.add((peer.name, work))
        for line in done.stdout.splitlines():
            line = {**json.loads(line), "round": number}
            lines.append(line)
            say(f"{time.monotonic() - start:6.0f} s  {work:16} {line['peer']:14} {show(line['min'])}")
            # A fit of many seconds, far behind: a second round says nothing new.
            if line["min"] > 5 and line["min"] > 10 * best(lines, MLP.line, work):
                slow.add((peer.name, work))

    for work in works:
        for number in range(rounds):
            middle = len(peers) // 2
            for peer in [MLP, BFLOAT16, INT8, PLAIN, *peers[:middle], MLP, *peers[middle:], MLP, BFLOAT16, INT8, PLAIN]:
                once(peer, work, number)
    versions = {peer.name: version for peer in [*peers] if (version := peer.version())}
    old = json.loads(out.read_text()) if out.exists() else {}
    result = {"machine": machine(), "versions": versions, "rounds": rounds, "skipped": skipped, "lines": lines}
    write(out, {**result, "builds": old.get("builds", [])})
    say(f"{time.monotonic() - start:.0f} s in all; {out}")


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
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "rustc": output("rustc", "--version").split()[1],
        "python": platform.python_version(),
        "commit": output("git", "rev-parse", "--short", "HEAD"),
        "date": time.strftime("%Y-%m-%d"),
    }


def best(lines, peer, work):
    """The least seconds of a peer on a work, or None."""
    return min((line["min"] for line in lines if line["peer"] == peer and line["work"] == work), default=None)


def show(seconds):
    """Seconds in the unit that suits them, three digits."""
    if seconds is None:
        return ""
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size * 0.9995:
            break
    value = seconds / size
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{digits}f} {unit}"


def page(result, path=PAGE, picture=PICTURE):
    """Writes the figures between the page's markers, and the picture."""
    lines = result["lines"]
    text = path.read_text()
    text = between(text, "machine", machine_text(result))
    text = between(text, "training", table(lines, TRAINING))
    text = between(text, "inference", table(lines, INFERENCE))
    if result["builds"]:
        rows = [f"| {b['name']} | {b['seconds']:.0f} s | {b['crates']} |" for b in result["builds"]]
        text = between(text, "builds", "\n".join(["| program that uses | clean release build | crates |", "|---|---|---|", *rows]))
    path.write_text(text)
    picture.write_text(svg(lines))
    say(f"{path}\n{picture}")


def between(text, name, new):
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{new}\n{end}{rest.split(end)[1]}"


def machine_text(result):
    m = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    text = [
        f"- Machine: {m['processor']} ({m['family']}; {', '.join(m['instructions'])}), {m['cores']} cores, {m['system']}.",
        f"- Versions: rustc {m['rustc']}, Python {m['python']}, {versions}.",
        f"- Measured on {m['date']} at commit {m['commit']}, {result['rounds']} rounds, the best run of each.",
    ]
    text += [f"- Not measured: {name} ({reason})." for name, reason in result["skipped"].items()]
    return "\n".join(text)


def table(lines, works):
    """Peers down, works across; behind each time, how many times that of mlp it is."""
    rows = [f"| | {' | '.join(works)} |", "|---|" + "---|" * len(works)]
    for peer in ALL:
        cells = []
        for work in works:
            own, seconds = best(lines, MLP.line, work), best(lines, peer.line, work)
            ratio = ""
            if seconds and own and not peer.line.startswith("mlp"):
                times = seconds / own
                ratio = f" ({times:,.0f} x)" if times >= 10 else f" ({times:.2f} x)"
            cells.append(show(seconds) + ratio)
        if any(cells):
            rows.append(f"| {peer.name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def svg(lines):
    """Bars of every peer, a panel for each work, lengths by the logarithm of the time."""
    import math

    works = [work for work in TRAINING + INFERENCE if best(lines, MLP.line, work)]
    row, label, width, out, y = 18, 150, 520, [], 34
    for work in works:
        bars = [(peer, best(lines, peer.line, work)) for peer in ALL]
        bars = sorted(((peer, seconds) for peer, seconds in bars if seconds), key=lambda bar: bar[1])
        low, high = bars[0][1] / 2, bars[-1][1]
        out.append(f'<text x="10" y="{y}" class="title">{TITLES[work]}</text>')
        for peer, seconds in bars:
            y += row
            name = peer.name.replace("`", "")
            length = max(1, width * math.log(seconds / low) / math.log(high / low))
            kind = "mlp" if peer.line.startswith("mlp") else "limit" if peer.line.startswith("limit") else "peer"
            out.append(f'<text x="{label}" y="{y + 4}" text-anchor="end">{name}</text>')
            out.append(f'<rect x="{label + 8}" y="{y - 8}" width="{length:.1f}" height="13" class="{kind}"/>')
            out.append(f'<text x="{label + 14 + length:.1f}" y="{y + 3}">{show(seconds)}</text>')
        y += 2 * row + 4
    style = (
        "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.head{font-size:11px;fill:#777}"
        ".mlp{fill:#c1440e}.peer{fill:#8fa7bf}.limit{fill:#d9d9d9}"
    )
    head = '<text x="10" y="14" class="head">time, shorter is better; lengths are logarithms</text>'
    size = f'width="{label + width + 100}" height="{y - row}"'
    shapes = "\n".join([head, *out])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{style}</style>\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{shapes}\n</svg>\n'
    )


def build_times(names, out):
    """Clean release builds, sources fetched before, of a program that uses mlp, and of the peers' programs."""
    result = json.loads(out.read_text()) if out.exists() else {"lines": [], "skipped": {}, "versions": {}}
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
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file of result lines")
    a = parser.parse_args()
    if a.what in ("all", "build"):
        build()
    if a.what in ("all", "measure"):
        measure(a.works, a.peers, a.rounds, a.results)
    if a.what == "build-times":
        build_times(a.names, a.results)
    if a.what in ("all", "page", "build-times"):
        page(json.loads(a.results.read_text()))


if __name__ == "__main__":
    main()

"""The work that the peers in Python are timed on, the same as in benches/work/src/lib.rs, where it is described."""

import json
import sys
import time
from collections import namedtuple

import numpy as np

Training = namedtuple("Training", "name rows widths batch epochs optimizer dropout")
Inference = namedtuple("Inference", "name rows widths")

TRAINING = [
    Training("iris", 96, [4, 10, 3], 32, 100, "adam", 0.0),
    Training("small", 60_000, [784, 128, 10], 128, 1, "adam", 0.0),
    Training("wide", 60_000, [784, 512, 512, 10], 128, 1, "rmsprop", 0.2),
    Training("tabular", 100_000, [28, 256, 256, 256, 2], 256, 1, "adam", 0.0),
]

INFERENCE = [
    Inference("infer1_small", 1, [4, 10, 3]),
    Inference("infer1_wide", 1, [784, 512, 512, 10]),
    Inference("infer4096_wide", 4096, [784, 512, 512, 10]),
]


def run(peer, fit, predictor):
    """Times `peer` on the works named in the program's arguments, or on all.

    `fit(work, x, classes)` returns a call that trains a new network once and returns the seconds of the fit alone, or
    None where the peer cannot do the work. `predictor(work, x)` returns a call that predicts the rows `x`, likewise.
    """
    names = sys.argv[1:]
    for work in TRAINING:
        if fit and (not names or work.name in names):
            call = fit(work, *data(work))
            if call:
                report(peer, work.name, repeat(call))
    for work in INFERENCE:
        if predictor and (not names or work.name in names):
            x = np.random.default_rng(2).uniform(-1.7, 1.7, (work.rows, work.widths[0])).astype(np.float32)
            call = predictor(work, x)
            if call:
                report(peer, work.name, per_call(call))


def data(work):
    """Random rows, and as the class of each the largest output of a random linear map."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1.7, 1.7, (work.rows, work.widths[0])).astype(np.float32)
    weights = rng.uniform(-1.7, 1.7, (work.widths[0], work.widths[-1])).astype(np.float32)
    return x, (x @ weights).argmax(1)


def repeat(run):
    """At least two runs (one, if it takes over ten seconds), then as many as start within two seconds, at most 20."""
    seconds = []
    while len(seconds) < 2 and sum(seconds) < 10 or len(seconds) < 20 and sum(seconds) < 2:
        seconds.append(run())
    return seconds


def per_call(call):
    """Five samples of the seconds of a call, each of a fifth of a second; a sample before them is thrown away."""

    def sample():
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < 0.2:
            block = max(1, calls // 8)
            for _ in range(block):
                call()
            calls += block
        return (time.perf_counter() - start) / calls

    sample()
    return [sample() for _ in range(5)]


def report(peer, work, seconds):
    line = {"peer": peer, "work": work, "s": [float(f"{s:.4e}") for s in seconds], "min": float(f"{min(seconds):.4e}")}
    print(json.dumps(line), flush=True)

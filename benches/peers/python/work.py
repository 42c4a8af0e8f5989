"""The work that the peers in Python are timed on, the same as in benches/work/src/lib.rs, where it is described.

`THREADS` is how many threads a peer is told to use, by the variable of that name, or None: as many as it likes.
"""

import json
import os
import statistics
import sys
import time
from collections import namedtuple

import numpy as np

THREADS = int(os.environ["THREADS"]) if "THREADS" in os.environ else None

Training = namedtuple("Training", "name rows widths batch epochs optimizer runs dropout")
Inference = namedtuple("Inference", "name rows widths")

TRAINING = [
    Training("iris", 96, [4, 10, 3], 32, 100, "adam", 9, 0.0),
    Training("small", 60_000, [784, 128, 10], 128, 1, "adam", 3, 0.0),
    Training("wide", 60_000, [784, 512, 512, 10], 128, 1, "rmsprop", 3, 0.2),
    Training("tabular", 100_000, [28, 256, 256, 256, 2], 256, 1, "adam", 3, 0.0),
]

INFERENCE = [
    Inference("infer1_small", 1, [4, 10, 3]),
    Inference("infer1_wide", 1, [784, 512, 512, 10]),
    Inference("infer4096_wide", 4096, [784, 512, 512, 10]),
]


def run(peer, fit, predictor):
    """Times `peer` on the works named in the program's arguments, or on all.

    `fit(work, x, classes)` returns a call that trains a network anew, and returns the seconds of the fit alone and the
    training loss of the last epoch (the mean over its rows, each at the step that it was trained in, dropout and all,
    unless the peer says otherwise), or None where the peer cannot do the work. `predictor(work, x)` returns a call that
    predicts the rows `x`, likewise.
    """
    names = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    for work in TRAINING:
        if fit and (not names or work.name in names):
            call = fit(work, *data(work))
            if call:
                report(peer, work.name, *repeat(call, work.runs))
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


def repeat(run, runs):
    """The seconds of `runs` runs, and the loss of the last; a run before them is thrown away, but is the only one if it
    takes over ten seconds."""
    first, loss = run()
    if first > 10:
        return [first], loss
    results = [run() for _ in range(runs)]
    return [seconds for seconds, _ in results], results[-1][1]


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


def report(peer, work, seconds, loss=None):
    short = lambda value: float(f"{value:.4e}")
    line = {"peer": peer, "work": work, "s": [short(s) for s in seconds]}
    line |= {"median": short(statistics.median(seconds)), "min": short(min(seconds))}
    print(json.dumps(line if loss is None else {**line, "loss": round(float(loss), 4)}), flush=True)

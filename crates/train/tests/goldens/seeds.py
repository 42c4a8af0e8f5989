"""Writes seeds.json: what a model's seed is used for, number by number, in plain Python.

How to run: python seeds.py (needs nothing but Python; the generator is that of rng.py of mlp-tensor).

Every use of a seed draws from a stream of its own: [1, epoch] shuffles an epoch, counted from 0; the first word of
[2] is the seed of a validation split; the first word of [3, step] is the seed of a step, counted from 1. A file holds
a seed and these counters, so what they stand for must never change.

Numbers of 64 bits are written in decimal, as strings.
"""

import json
import platform
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "tensor" / "tests" / "goldens"))

from rng import MASK, permutation, stream

SHUFFLE, SPLIT, STEP = 1, 2, 3
LATE = (1 << 40) + 7


def uses(seed):
    return {
        "seed": str(seed),
        "split": str(stream(seed, [SPLIT]).next()),
        "steps": [{"step": str(step), "seed": str(stream(seed, [STEP, step]).next())} for step in (1, 2, 1000, LATE)],
        "shuffles": [{"epoch": str(epoch), "order": permutation(stream(seed, [SHUFFLE, epoch]), 20)}
                     for epoch in (0, 1, 99, LATE)],
    }


def build():
    return {"made_with": {"python": platform.python_version()},
            "seeds": [uses(seed) for seed in (0, 1, 42, MASK)]}


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes")

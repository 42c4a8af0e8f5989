"""Writes half.json: the bits of 64-bit floats and those of the 16-bit float that NumPy rounds each to (null where that
is infinite). Bits, since not every reader of JSON gets the last digit of a decimal number right.

How to run, in a virtual environment:

    pip install numpy
    python half.py

Only numbers from 0 up: the sign is a bit of its own. Among them are the points half-way between two 16-bit floats, and
the nearest 64-bit numbers on both sides of them, in every binade and below the smallest normal number.
"""

import json
from pathlib import Path

import numpy as np

SEED = 20240608

rng = np.random.default_rng(SEED)
values = [0.0, 5e-324, 1e-300, 1e-8, 0.1, 1 / 3, 1.0, np.pi, 1e4, 65504.0, 65519.99, 65520.0, 65536.0, 1e10, 1e300]
for exponent in range(-26, 17):
    values.append(float(2.0**exponent * (1 + rng.random())))
for bits in [0, 1, 2, 511, 1022, 1023, 1024, 1025, 0x7BFE] + [int(b) for b in rng.integers(0, 0x7BFF, 40)]:
    low, high = (float(v) for v in np.array([bits, bits + 1], dtype=np.uint16).view(np.float16))
    middle = (low + high) / 2
    values += [middle, float(np.nextafter(middle, 0)), float(np.nextafter(middle, np.inf))]


def bits_of(value):
    with np.errstate(over="ignore"):
        half = np.float64(value).astype(np.float16)
    return int(half.view(np.uint16)) if np.isfinite(half) else None


lines = ",\n".join(json.dumps([int(np.float64(value).view(np.uint64)), bits_of(value)]) for value in values)
made = json.dumps({"numpy": np.__version__})
Path(__file__).with_name("half.json").write_text(f'{{"made_with": {made}, "cases": [\n{lines}\n]}}\n')

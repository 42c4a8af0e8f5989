"""Writes compact.json: the bits of 32-bit floats and those of the bfloat16 that PyTorch rounds each to (null where that is
infinite), and matrices with the whole numbers that PyTorch quantizes them to, symmetrically and per column. All floats are
written as their bits, since not every reader of JSON gets the last digit of a decimal number right.

How to run, in a virtual environment:

    pip install numpy torch
    python compact.py

Only bfloat16 of numbers from 0 up: the sign is a bit of its own. Among them are the points half-way between two bfloat16,
and the nearest 32-bit floats on both sides of them, in every binade and below the smallest normal number.

The scale of a column is max |w| / 127 in float32, at least the smallest normal number; the whole numbers are those of
torch.quantize_per_channel with these scales and zero points of 0.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch

SEED = 20240611
TINY = np.finfo(np.float32).tiny


def bits(values):
    return np.asarray(values, dtype=np.float32).ravel().view(np.uint32).tolist()


def bfloat16_cases(rng):
    uppers = [0, 1, 2, 63, 126, 127, 128, 129, 0x3F80, 0x7F7E, 0x7F7F] + [int(b) for b in rng.integers(0, 0x7F7F, 80)]
    uppers += [exponent << 7 | int(rng.integers(0, 128)) for exponent in range(0, 255, 6)]
    words = []
    for upper in uppers:
        words += [(upper << 16) + lower for lower in (0, 0x7FFF, 0x8000, 0x8001, int(rng.integers(0, 0x10000)))]
    cases = []
    for word in words:
        value = torch.from_numpy(np.array([word], dtype=np.uint32).view(np.float32))
        rounded = value.to(torch.bfloat16)
        half = int(rounded.view(torch.int16)) if bool(torch.isfinite(rounded)) else None
        cases.append([word, half])
    return cases


def quantized(weight):
    weight = weight.astype(np.float32)
    scales = np.maximum(np.abs(weight).max(axis=0) / np.float32(127), TINY)
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    q = torch.quantize_per_channel(torch.from_numpy(weight), torch.from_numpy(scales), zeros, 1, torch.qint8).int_repr()
    return {"shape": list(weight.shape), "weight": bits(weight), "scales": bits(scales), "q": q.flatten().tolist()}


def matrices(rng):
    ties = np.array([[127.0, 254.0], [0.5, 1.0], [1.5, 3.0], [2.5, 5.0], [-0.5, -1.0], [-1.5, -3.0], [-126.5, -253.0]])
    edges = rng.normal(size=(9, 6)) * [1, 1e-30, 1e30, 0, 1e-38, 1e-44]
    edges[:, 2] *= 1e8
    return [quantized(m) for m in (ties, edges, rng.normal(size=(65, 19)), rng.standard_t(2, size=(3, 67)))]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(SEED)
    made = {"numpy": np.__version__, "torch": torch.__version__}
    entries = {"made_with": made, "bfloat16": bfloat16_cases(rng), "int8": matrices(rng)}
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in entries.items())
    Path(__file__).with_suffix(".json").write_text(f"{{\n{lines}\n}}\n")

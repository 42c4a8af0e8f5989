"""Writes f32.mlp, f64.mlp and expected.json: model files made without this library, and what they compute.

How to run, in a virtual environment:

    pip install msgpack numpy torch
    python model.py

A network of 4 inputs, 5 tanh units, dropout and 3 softmax outputs takes three Adam steps in PyTorch.
msgpack packs it as docs/format.md says, with the optimizer's state; zlib gives the checksum.
expected.json holds, for each file, rows before scaling, PyTorch's outputs for them, the gradients
of a fourth step and the weights after it. PyTorch keeps a weight as [outputs, inputs], the file as
[inputs, outputs].

The library versions are in expected.json under made_with. A rerun gives the same bytes with the
same versions on the same kind of processor (elsewhere a last digit may differ: vector width).
"""

import json
import platform
import zlib
from pathlib import Path

import msgpack
import numpy as np
import torch

SEED = 20240611
LEARNING_RATE = 0.01
L2 = 0.001


def prefix(body):
    head = msgpack.packb(["mlp-model", 1, zlib.crc32(body).to_bytes(4, "little"), None])
    return head[:-1]


def tensor(values):
    dtype = {"float32": "f32", "float64": "f64"}[str(values.dtype)]
    data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    return {"dtype": dtype, "shape": list(values.shape), "data": data}


def dense(units, activation, l2=None):
    return {"dense": {
        "units": units,
        "activation": activation,
        "use_bias": True,
        "initializer": "glorot_uniform",
        "regularizer": None if l2 is None else {"l1_l2": {"l1": 0.0, "l2": l2}},
    }}


def build(dtype):
    rng = np.random.default_rng(SEED)
    rows = rng.normal([5.0, -3.0, 100.0, 0.01], [1.0, 2.0, 30.0, 0.005], size=(12, 4))
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    x = torch.tensor((rows - mean) / scale, dtype=dtype)
    classes = torch.tensor(rng.integers(0, 3, size=12))

    torch.manual_seed(SEED)
    first, second = torch.nn.Linear(4, 5, dtype=dtype), torch.nn.Linear(5, 3, dtype=dtype)
    network = torch.nn.Sequential(first, torch.nn.Tanh(), torch.nn.Dropout(0.25), second).eval()
    names = {
        "layers.0.weight": first.weight, "layers.0.bias": first.bias,
        "layers.2.weight": second.weight, "layers.2.bias": second.bias,
    }
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)

    def backward():
        optimizer.zero_grad()
        penalty = L2 * (first.weight ** 2).sum()
        (torch.nn.functional.cross_entropy(network(x), classes) + penalty).backward()

    def ours(value):
        return value.detach().numpy().T.copy()

    for _ in range(3):
        backward()
        optimizer.step()
    state = {name: optimizer.state[p] for name, p in names.items()}
    outputs = torch.softmax(network(x), dim=1).detach().numpy()
    body = {
        "dtype": {torch.float32: "f32", torch.float64: "f64"}[dtype],
        "architecture": {
            "input_features": 4,
            "layers": [dense(5, "tanh", L2), {"dropout": {"rate": 0.25}}, dense(3, "identity"),
                       {"activation": "softmax"}],
        },
        "tensors": {name: tensor(ours(p)) for name, p in sorted(names.items())},
        "output": {
            "task": "multiclass", "function": "identity", "threshold": 0.5, "class_names": ["a", "b", "c"],
            "target_mean": [], "target_scale": [],
        },
        "training": {
            "optimizer": {"adam": {
                "learning_rate": LEARNING_RATE, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}},
            "steps": 3,
            "slots": {
                name: {"m": tensor(ours(s["exp_avg"])), "v": tensor(ours(s["exp_avg_sq"]))}
                for name, s in sorted(state.items())
            },
            "loss": "categorical_cross_entropy",
            "label_smoothing": 0.0,
            "metrics": ["accuracy"],
            "seed": SEED,
            "epochs": 3,
            "run": None,
        },
        "preprocessing": {"scaler": {"mean": mean.tolist(), "scale": scale.tolist()}},
        "feature_names": ["length", "width", "weight in g", "Dichte ρ"],
    }
    body = msgpack.packb(body)

    backward()
    gradients = {name: ours(p.grad).tolist() for name, p in names.items()}
    optimizer.step()
    after = {name: ours(p).tolist() for name, p in names.items()}
    expected = {"rows": rows.tolist(), "outputs": outputs.tolist(), "gradients": gradients, "after": after}
    return prefix(body) + body, expected


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder = Path(__file__).parent
    expected = {"made_with": {
        "python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__,
        "msgpack": ".".join(map(str, msgpack.version)),
    }}
    for name, dtype in [("f32", torch.float32), ("f64", torch.float64)]:
        data, expected[name] = build(dtype)
        (folder / f"{name}.mlp").write_bytes(data)
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()

"""Writes optimizers.json: the path PyTorch's optimizers take, in float64.

How to run, in a virtual environment:

    pip install numpy torch scikit-learn
    python optimizers.py

One vector of 6 parameters, 12 given gradients (fixed, not from any loss). parameters[i] of a case
is the vector after step i, which used gradients[i].

PyTorch's conventions: the momentum buffer is buffer = momentum * buffer + gradient and the step
is learning_rate * buffer (Nesterov: learning_rate * (gradient + momentum * buffer)); Adam and
RMSprop add eps after the square root, Adam after bias correction.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: vector width).
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch

SEED = 20240609
STEPS = 12

CASES = [
    ("sgd", {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.0, "nesterov": False}),
    ("sgd_momentum",
     {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": False}),
    ("sgd_nesterov",
     {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("adam", {"optimizer": "adam", "learning_rate": 0.01, "betas": [0.9, 0.999], "eps": 1e-8}),
    ("adam_other_betas",
     {"optimizer": "adam", "learning_rate": 0.01, "betas": [0.8, 0.95], "eps": 1e-6}),
    ("rmsprop", {"optimizer": "rmsprop", "learning_rate": 0.01, "alpha": 0.99, "eps": 1e-8}),
    ("rmsprop_other_alpha",
     {"optimizer": "rmsprop", "learning_rate": 0.01, "alpha": 0.9, "eps": 1e-7}),
]


def make_optimizer(config, parameters):
    lr = config["learning_rate"]
    if config["optimizer"] == "adam":
        return torch.optim.Adam(parameters, lr=lr, betas=tuple(config["betas"]), eps=config["eps"])
    if config["optimizer"] == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=lr, alpha=config["alpha"], eps=config["eps"])
    return torch.optim.SGD(
        parameters, lr=lr, momentum=config["momentum"], nesterov=config["nesterov"])


def build():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)
    start = rng.uniform(-1.0, 1.0, size=6)
    # Columns of differing size, so that eps and the scaling by past gradients are both seen.
    scale = np.array([1.0, 0.1, 3.0, 1e-3, 1.0, 1e-6])
    gradients = rng.uniform(-1.0, 1.0, size=(STEPS, 6)) * scale
    # The fifth parameter has no gradient for the first three steps.
    gradients[:3, 4] = 0.0

    cases = []
    for name, config in CASES:
        parameter = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = make_optimizer(config, [parameter])
        path = []
        for gradient in gradients:
            parameter.grad = torch.tensor(gradient, dtype=torch.float64)
            optimizer.step()
            path.append(parameter.detach().tolist())
        cases.append({"name": name, "config": config, "parameters": path})

    return {
        "made_with": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "start": start.tolist(),
        "gradients": gradients.tolist(),
        "cases": cases,
    }


def pretty(value, indent=0):
    """JSON text: objects and lists of objects spread over lines, every other list on one line."""
    pad = "  " * (indent + 1)
    end = "  " * indent
    if isinstance(value, dict):
        items = [f"{pad}{json.dumps(k)}: {pretty(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + end + "}"
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return "[\n" + ",\n".join(pad + pretty(v, indent + 1) for v in value) + "\n" + end + "]"
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".json")
    path.write_text(pretty(build()) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes")

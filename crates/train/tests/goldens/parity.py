"""Writes parity.json: what PyTorch's losses are, step by step, for a small network on Iris.

How to run, in a virtual environment:

    pip install numpy torch scikit-learn
    python parity.py

The network is 4-10-3 with ReLU between and logits out, the loss is the mean cross-entropy
against class indices. Weights are laid out [in, out] (transposed from torch.nn.Linear), so a
layer is x @ weight + bias. Training is 60 epochs of 5 batches (32, 32, 32, 32, 22 rows), 300
steps; epoch e visits the rows in the order epochs_order[e].

The data are standardized in float64 (population standard deviation), then rounded to float32;
initial weights and biases are rounded to float32 too. The float32 and float64 runs so start
from the very same numbers. losses[i] is the loss of batch i before step i is made; final (in
the float64 runs) is the weights after the last step.

PyTorch's RMSprop and Adam add eps after the square root.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: BLAS, vector width).
"""

import json
import platform
from pathlib import Path

import numpy as np
import sklearn
import torch
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

SEED = 20240607
EPOCHS = 60
BATCH = 32

RUNS = {
    "adam_f32": {"optimizer": "adam", "learning_rate": 0.005, "betas": [0.9, 0.999], "eps": 1e-8},
    "adam_f64": {"optimizer": "adam", "learning_rate": 0.005, "betas": [0.9, 0.999], "eps": 1e-8},
    "sgd_momentum_f32": {
        "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "nesterov": False},
    "sgd_momentum_f64": {
        "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "nesterov": False},
    "sgd_nesterov_f64": {
        "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "nesterov": True},
    "rmsprop_f64": {"optimizer": "rmsprop", "learning_rate": 0.001, "alpha": 0.99, "eps": 1e-8},
    "gradient_descent_f64": {
        "optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.0, "nesterov": False},
}


def make_optimizer(config, parameters):
    lr = config["learning_rate"]
    if config["optimizer"] == "adam":
        return torch.optim.Adam(parameters, lr=lr, betas=tuple(config["betas"]), eps=config["eps"])
    if config["optimizer"] == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=lr, alpha=config["alpha"], eps=config["eps"])
    return torch.optim.SGD(
        parameters, lr=lr, momentum=config["momentum"], nesterov=config["nesterov"])


def as_f32_values(array):
    """float64 array whose every value is a float32 value."""
    return np.asarray(array, dtype=np.float32).astype(np.float64)


def initial_weights(rng):
    def glorot(n_in, n_out):
        limit = np.sqrt(6.0 / (n_in + n_out))
        return as_f32_values(rng.uniform(-limit, limit, size=(n_in, n_out)))

    def bias(n):
        return as_f32_values(rng.uniform(0.02, 0.1, size=n) * rng.choice([-1.0, 1.0], size=n))

    return {
        "layers.0.weight": glorot(4, 10),
        "layers.0.bias": bias(10),
        "layers.1.weight": glorot(10, 3),
        "layers.1.bias": bias(3),
    }


def train(x, y, initial, order, config, dtype):
    x = torch.tensor(x, dtype=dtype)
    y = torch.tensor(y, dtype=torch.int64)
    weights = {
        name: torch.tensor(value, dtype=dtype, requires_grad=True)
        for name, value in initial.items()
    }
    w0, b0, w1, b1 = weights.values()
    optimizer = make_optimizer(config, list(weights.values()))
    criterion = torch.nn.CrossEntropyLoss()
    losses = []
    for epoch in order:
        for begin in range(0, len(epoch), BATCH):
            rows = epoch[begin:begin + BATCH]
            logits = torch.relu(x[rows] @ w0 + b0) @ w1 + b1
            loss = criterion(logits, y[rows])
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return losses, {name: w.detach().tolist() for name, w in weights.items()}


def build():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    iris = load_iris()
    x = as_f32_values(StandardScaler().fit_transform(iris.data))
    y = iris.target.tolist()
    rng = np.random.default_rng(SEED)
    initial = initial_weights(rng)
    order = [rng.permutation(len(y)).tolist() for _ in range(EPOCHS)]

    runs = {}
    for name, config in RUNS.items():
        dtype = torch.float32 if name.endswith("_f32") else torch.float64
        losses, final = train(x, y, initial, order, config, dtype)
        runs[name] = {**config, "losses": losses}
        if dtype == torch.float64:
            runs[name]["final"] = final
        print(f"{name}: first loss {losses[0]:.6f}, last {losses[-1]:.6f}, "
              f"least {min(losses):.6f}")
    for name in ("adam", "sgd_momentum"):
        a = np.array(runs[name + "_f32"]["losses"])
        b = np.array(runs[name + "_f64"]["losses"])
        print(f"{name}: float32 against float64, greatest relative difference "
              f"{np.max(np.abs(a - b) / b):.3e}")

    return {
        "made_with": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "initial": {name: value.tolist() for name, value in initial.items()},
        "x": x.tolist(),
        "y": y,
        "epochs_order": order,
        "batch_size": BATCH,
        "runs": runs,
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

"""Writes nn.json: PyTorch's float64 values and gradients of activations, losses, dense layers
and weight penalties.

How to run, in a virtual environment:

    pip install numpy torch scikit-learn
    python nn.py

Conventions: "gradient" of an activation or layer is that of sum(output * upstream). Softmax is
over the last axis. Dense weights are [in, out]: output = activation(x @ weight + bias). Mean
squared error is the mean over all elements. Cross-entropy is the mean over rows of
-sum(target * log(probability)). Penalties are l1 * sum(|w|) and l2 * sum(w^2), without a half
(Keras' convention); the derivative of |w| at 0 is 0, as is ReLU's at 0.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: BLAS, vector width).
"""

import platform
from pathlib import Path

import numpy as np
import torch

from pretty import leaf, plain, write

SEED = 20240608

ACTIVATIONS = {
    "identity": lambda x: x * 1.0,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda x: torch.softmax(x, dim=-1),
}


def uniform(rng, shape, low=-2.0, high=2.0):
    return rng.uniform(low, high, size=shape).tolist()


def activations(rng):
    x = [
        [1e4, -1e4, 0.0, 0.5, -0.5],
        [1000.0, -1000.0, 999.0, 1e-310, -1e-310],
        [0.0, 30.0, -30.0, 29.25, 1.75],
        [-1.25, 0.3, 2.125, -0.001, 0.7],
    ]
    upstream = uniform(rng, (4, 5))
    cases = {}
    for name, function in ACTIVATIONS.items():
        leaf_x = leaf(x)
        output = function(leaf_x)
        (output * torch.tensor(upstream, dtype=torch.float64)).sum().backward()
        cases[name] = {"output": plain(output), "gradient": plain(leaf_x.grad)}
    return {"input": x, "upstream": upstream, "cases": cases}


def losses(rng):
    def mse():
        predictions, targets = uniform(rng, (4, 3)), uniform(rng, (4, 3))
        p = leaf(predictions)
        loss = torch.nn.MSELoss()(p, torch.tensor(targets, dtype=torch.float64))
        loss.backward()
        return {"predictions": predictions, "targets": targets,
                "value": loss.item(), "gradient": plain(p.grad)}

    def from_logits(logits, targets):
        z = leaf(logits)
        loss = torch.nn.CrossEntropyLoss()(z, torch.tensor(targets, dtype=torch.float64))
        loss.backward()
        return {"predictions": logits, "targets": targets,
                "value": loss.item(), "gradient": plain(z.grad)}

    def from_logits_indices(logits, indices):
        z = leaf(logits)
        loss = torch.nn.CrossEntropyLoss()(z, torch.tensor(indices, dtype=torch.int64))
        loss.backward()
        return {"predictions": logits, "indices": indices,
                "value": loss.item(), "gradient": plain(z.grad)}

    def from_probabilities(logits, targets):
        z = leaf(logits)
        t = torch.tensor(targets, dtype=torch.float64)
        loss = -(t * torch.log(torch.softmax(z, dim=-1))).sum(dim=-1).mean()
        loss.backward()
        return {"predictions": logits, "targets": targets,
                "value": loss.item(), "gradient": plain(z.grad)}

    def one_hot(indices):
        return [[1.0 if i == j else 0.0 for j in range(3)] for i in indices]

    mse_case = mse()
    logits = uniform(rng, (4, 3), -3.0, 3.0)
    indices = [0, 2, 1, 1]
    extreme = [[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 999.5],
               [-1000.0, -1000.0, -1000.0], [1000.0, 1000.0, -1000.0]]
    extreme_indices = [1, 1, 2, 0]
    soft = [[0.2, 0.3, 0.5], [0.7, 0.2, 0.1], [0.0, 0.25, 0.75], [0.1, 0.1, 0.8]]
    others = uniform(rng, (4, 3), -2.0, 2.0)
    return {
        "mse": mse_case,
        "cross_entropy_logits_one_hot": from_logits(logits, one_hot(indices)),
        "cross_entropy_logits_indices": from_logits_indices(logits, indices),
        "cross_entropy_logits_soft": from_logits(logits, soft),
        "cross_entropy_extreme_logits_one_hot": from_logits(extreme, one_hot(extreme_indices)),
        "cross_entropy_extreme_logits_indices": from_logits_indices(extreme, extreme_indices),
        "cross_entropy_probabilities_one_hot": from_probabilities(others, one_hot(indices)),
        "cross_entropy_probabilities_soft": from_probabilities(others, soft),
    }


def dense(rng):
    x, weight = uniform(rng, (5, 4)), uniform(rng, (4, 3), -1.0, 1.0)
    bias, upstream = uniform(rng, (3,), -0.5, 0.5), uniform(rng, (5, 3))
    cases = {}
    for name, function in ACTIVATIONS.items():
        lx, lw, lb = leaf(x), leaf(weight), leaf(bias)
        output = function(lx @ lw + lb)
        (output * torch.tensor(upstream, dtype=torch.float64)).sum().backward()
        cases[name] = {"output": plain(output), "x_gradient": plain(lx.grad),
                       "weight_gradient": plain(lw.grad), "bias_gradient": plain(lb.grad)}
    return {"x": x, "weight": weight, "bias": bias, "upstream": upstream, "cases": cases}


def penalties(rng):
    weight = uniform(rng, (4, 3), -1.0, 1.0)
    weight[1][2] = 0.0
    cases = {}
    for name, l1, l2 in (("l1", 0.01, 0.0), ("l2", 0.0, 0.01), ("l1l2", 0.01, 0.01)):
        w = leaf(weight)
        value = l1 * w.abs().sum() + l2 * (w * w).sum()
        value.backward()
        cases[name] = {"l1": l1, "l2": l2, "value": value.item(), "gradient": plain(w.grad)}
    return {"weight": weight, "cases": cases}


def build():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)
    return {
        "made_with": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "activations": activations(rng),
        "losses": losses(rng),
        "dense": dense(rng),
        "penalties": penalties(rng),
    }


if __name__ == "__main__":
    write(build(), Path(__file__).with_suffix(".json"))

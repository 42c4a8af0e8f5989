"""Writes initializers.json: what the first weights of every initializer look like.

How to run, in a virtual environment:

    pip install keras numpy scipy torch
    python initializers.py

"moments" holds mean, standard deviation, kurtosis and bounds of each distribution by SciPy, with the
variance that the original promises, and the same measured in weights that PyTorch (or Keras, for
the truncated ones) has drawn. PyTorch has a weight as [outputs, inputs]; here it is [inputs,
outputs], so fan-in and fan-out are told apart by transposing.

"orthogonal" holds the means of tr Q and (tr Q)^2 over many small matrices that PyTorch has drawn; of
uniformly distributed ones they are 0 and 1. "identity" and "sparse" hold what does not depend on chance.

The library versions are in the file under made_with.
"""

import os
import platform
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import scipy
import scipy.stats
import torch
from torch.nn import init

from pretty import plain, write

SEED = 20240703
SHAPE = (300, 200)
MATRICES = 20_000


def by_torch(function, *settings):
    weight = torch.empty(SHAPE[::-1], dtype=torch.float64)
    function(weight, *settings)
    return weight.numpy()


def by_keras(initializer):
    return keras.ops.convert_to_numpy(initializer(SHAPE, dtype="float64"))


def uniform(low, high):
    return scipy.stats.uniform(low, high - low)


def truncated(std, mean=0.0):
    """Cut off at two standard deviations."""
    return scipy.stats.truncnorm(-2, 2, loc=mean, scale=std)


def widened(variance):
    """Cut off, and then with this variance."""
    return truncated(np.sqrt(variance) / scipy.stats.truncnorm(-2, 2).std())


def centered(variance):
    limit = np.sqrt(3 * variance)
    return uniform(-limit, limit)


def moments():
    i, o = SHAPE
    K = keras.initializers
    glorot, he, lecun = 2 / (i + o), 2 / i, 1 / i
    lecun_uniform = np.sqrt(3 / i)
    rows = [
        ({"uniform": {"low": -0.25, "high": 1.0}}, uniform(-0.25, 1.0), by_torch(init.uniform_, -0.25, 1.0)),
        ({"normal": {"mean": 0.5, "std": 0.1}}, scipy.stats.norm(0.5, 0.1), by_torch(init.normal_, 0.5, 0.1)),
        ({"truncated_normal": {"mean": 0.5, "std": 0.1}}, truncated(0.1, 0.5),
         by_torch(init.trunc_normal_, 0.5, 0.1, 0.3, 0.7)),
        ("glorot_uniform", centered(glorot), by_torch(init.xavier_uniform_)),
        ("glorot_normal", widened(glorot), by_keras(K.GlorotNormal(SEED))),
        ("he_uniform", centered(he), by_torch(lambda w: init.kaiming_uniform_(w, nonlinearity="relu"))),
        ("he_normal", widened(he), by_keras(K.HeNormal(SEED))),
        ("lecun_uniform", uniform(-lecun_uniform, lecun_uniform), by_keras(K.LecunUniform(SEED))),
        ("lecun_normal", widened(lecun), by_keras(K.LecunNormal(SEED))),
    ]
    cases = []
    for name, distribution, drawn in rows:
        mean, variance, excess = distribution.stats("mvk")
        low, high = distribution.support()
        measured = {"mean": drawn.mean(), "std": drawn.std(), "kurtosis": scipy.stats.kurtosis(drawn.ravel()) + 3}
        case = {"mean": float(mean), "std": float(np.sqrt(variance)), "kurtosis": float(excess) + 3}
        if np.isfinite(low):
            case["bounds"] = [float(low), float(high)]
        cases.append({"initializer": name, **case, "measured": {k: float(v) for k, v in measured.items()}})
    return {"shape": SHAPE, "cases": cases}


def orthogonal():
    traces = np.array([init.orthogonal_(torch.empty(3, 3, dtype=torch.float64)).trace().item() for _ in range(MATRICES)])
    return {"matrices": MATRICES, "mean_trace": traces.mean(), "mean_square_trace": (traces**2).mean()}


def sparse():
    cases = []
    for rows, columns, sparsity in ((10, 4, 0.3), (7, 3, 0.5), (5, 8, 0.9), (6, 2, 0.0), (4, 4, 1.0)):
        weight = init.sparse_(torch.empty(rows, columns), sparsity, std=0.5)
        zeros = (weight == 0).sum(dim=0)
        assert (zeros == zeros[0]).all()
        cases.append({"shape": [rows, columns], "sparsity": sparsity, "zeros_of_a_column": zeros[0].item()})
    return cases


def build():
    torch.manual_seed(SEED)
    identity = keras.initializers.Identity(gain=1.5)
    return {
        "made_with": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "torch": torch.__version__,
        },
        "moments": moments(),
        "orthogonal": orthogonal(),
        "identity": [{"gain": 1.5, "weight": plain(identity(shape, dtype="float64"))} for shape in ((3, 3), (2, 4), (4, 2))],
        "sparse": sparse(),
    }


if __name__ == "__main__":
    write(build(), Path(__file__).with_suffix(".json"))

"""Writes layers.json: what PyTorch's layers compute in float64, forward, backward and running
statistics, and Keras' penalty on activity.

How to run, in a virtual environment:

    pip install numpy torch keras jax
    python layers.py

Every case has a layer's weights and some batches: an ordinary one, one of a single row, and one with
values of 1e4, denormals and zeros. "gradient" is that of sum(output * upstream). Names are those of
the layer's parameters here: a dense weight is [in, out] where PyTorch has [out, in], and features are
on the last axis where PyTorch has channels on the second. "training" is true or false where the mode
matters and null where it does not.

Dropout, noise and their kin are random; of AlphaDropout the file has what PyTorch makes of a value
that is kept and of one that is dropped.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: BLAS, vector width).
"""

import os
import platform
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from pretty import leaf, plain, pretty

SEED = 20240703
EXTREME = [1e4, -1e4, 0.0, 1e-310, -1e-310, 0.5, -0.5, 30.0, -1.25, 2.0, 9999.0, 1e-5]


class Maker:
    def __init__(self):
        self.rng = np.random.default_rng(SEED)
        self.cases = {}

    def uniform(self, shape, low=-1.0, high=1.0):
        return self.rng.uniform(low, high, size=shape)

    def batches(self, row, categories=None):
        """Ordinary, one row, extreme."""
        if categories is not None:
            return {"ordinary": self.rng.integers(0, categories, (5, *row)).astype(float),
                    "one": self.rng.integers(0, categories, (1, *row)).astype(float)}
        size = 4 * int(np.prod(row))
        extreme = self.rng.permutation(np.resize(EXTREME, size)).reshape(4, *row)
        return {"ordinary": self.uniform((5, *row), -2, 2), "one": self.uniform((1, *row), -2, 2),
                "extreme": extreme}

    def add(self, name, row, parameters, forward, *, training=None, categories=None, batches=None,
            buffers=None, after=None, differentiable=True):
        """`forward(x, parameters)` with leaves; `after()` gives the buffers after the batch."""
        parameters = {k: np.asarray(v, dtype=float) for k, v in parameters.items()}
        found = []
        for kind, x in (batches or self.batches(row, categories)).items():
            leaves = {k: leaf(v.tolist()) for k, v in parameters.items()}
            lx = leaf(x.tolist())
            y = forward(lx, leaves)
            upstream = self.uniform(tuple(y.shape))
            (y * torch.tensor(upstream)).sum().backward()
            entry = {"kind": kind, "x": x.tolist(), "output": plain(y), "upstream": upstream.tolist(),
                     "gradients": {k: plain(v.grad) for k, v in leaves.items()}}
            if differentiable:
                entry["x_gradient"] = plain(lx.grad)
            if after is not None:
                entry["buffers"] = {k: plain(v) for k, v in after().items()}
            found.append(entry)
        case = {"name": name, "training": training,
                "parameters": {k: v.tolist() for k, v in parameters.items()}, "batches": found}
        if buffers is not None:
            case["buffers"] = {k: np.asarray(v).tolist() for k, v in buffers.items()}
        self.cases.setdefault(name, []).append(case)


def channels_second(f):
    """A layer with channels on the second axis, for features on the last."""
    def g(x):
        if x.dim() == 2:
            return f(x)
        return f(x.movedim(-1, 1)).movedim(1, -1)
    return g


def dense(p, prefix=""):
    bias = p.get(prefix + "bias")
    return lambda x: F.linear(x, p[prefix + "weight"].t(), bias)


def build():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    m = Maker()
    u = m.uniform

    w = {"weight": u((4, 3)), "bias": u(3)}
    m.add("dense", [4], w, lambda x, p: torch.tanh(dense(p)(x)))
    m.add("dense_without_bias", [4], {"weight": u((4, 3))}, lambda x, p: dense(p)(x))
    m.add("dense_rank3", [5, 4], w, lambda x, p: torch.tanh(dense(p)(x)))
    m.add("softmax", [5], {}, lambda x, p: torch.softmax(x, -1))

    def batch_norm(name, row, momentum, epsilon, affine, training):
        c = row[-1]
        parameters = {"weight": u(c), "bias": u(c)} if affine else {}
        buffers = {"running_mean": u(c), "running_var": u(c, 0.5, 2.0), "batches": 3.0}
        state = {}

        def forward(x, p):
            layer = nn.BatchNorm1d(c, eps=epsilon, momentum=momentum, affine=affine).double()
            layer.running_mean.copy_(torch.tensor(buffers["running_mean"]))
            layer.running_var.copy_(torch.tensor(buffers["running_var"]))
            layer.num_batches_tracked.fill_(3)
            layer.train(training)
            state["layer"] = layer
            return channels_second(lambda x: torch.func.functional_call(layer, p, (x,)))(x)

        def after():
            layer = state["layer"]
            return {"running_mean": layer.running_mean, "running_var": layer.running_var,
                    "batches": layer.num_batches_tracked.double()}

        batches = m.batches(row)
        if training and len(row) == 1:
            del batches["one"]  # PyTorch refuses it.
        m.add(name, row, parameters, forward, training=training, batches=batches, buffers=buffers, after=after)

    for training in (True, False):
        batch_norm("batch_norm", [4], 0.1, 1e-5, True, training)
        batch_norm("batch_norm_rank3", [3, 4], 0.25, 1e-3, True, training)
        batch_norm("batch_norm_cumulative", [4], None, 1e-5, False, training)

    affine = lambda c: {"weight": u(c), "bias": u(c)}
    m.add("layer_norm", [6], affine(6), lambda x, p: F.layer_norm(x, [6], p["weight"], p["bias"], 1e-5))
    m.add("layer_norm_rank3", [3, 6], {}, lambda x, p: F.layer_norm(x, [6], eps=1e-3))
    m.add("rms_norm", [6], {"weight": u(6)}, lambda x, p: F.rms_norm(x, [6], p["weight"], 1e-6))
    m.add("rms_norm_rank3", [3, 6], {}, lambda x, p: F.rms_norm(x, [6], eps=1e-3))

    def group_norm(groups, epsilon):
        return lambda x, p: channels_second(
            lambda x: F.group_norm(x, groups, p.get("weight"), p.get("bias"), epsilon))(x)
    m.add("group_norm", [6], affine(6), group_norm(2, 1e-5))
    m.add("group_norm_rank3", [5, 6], affine(6), group_norm(3, 1e-3))
    m.add("group_norm_without_affine", [6], {}, group_norm(1, 1e-5))

    def weight_norm(x, p):
        linear = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3).double(), dim=0)
        original = {"parametrizations.weight.original0": p["length"].reshape(3, 1),
                    "parametrizations.weight.original1": p["direction"].t(), "bias": p["bias"]}
        return torch.tanh(torch.func.functional_call(linear, original, (x,)))
    m.add("weight_norm", [4], {"direction": u((4, 3)), "length": u(3), "bias": u(3)}, weight_norm)

    m.add("embedding", [2], {"weight": u((5, 3))},
          lambda x, p: F.embedding(x.detach().long(), p["weight"]), categories=5, differentiable=False)
    m.add("select_columns", [5], {}, lambda x, p: x[:, [3, 0, 3]])
    m.add("select_columns_range", [5], {}, lambda x, p: x[:, 1:4])
    m.add("flatten", [2, 3], {}, lambda x, p: nn.Flatten()(x))

    stack = {"layers.0.weight": u((4, 3)), "layers.0.bias": u(3), "layers.1.weight": u((3, 4)),
             "layers.1.bias": u(4)}
    m.add("residual", [4], stack,
          lambda x, p: x + dense(p, "layers.1.")(torch.tanh(dense(p, "layers.0.")(x))))
    joined = {"branches.1.layers.0.weight": u((4, 3)), "branches.1.layers.0.bias": u(3),
              "branches.2.layers.0.weight": u(4), "branches.2.layers.0.bias": u(4)}
    m.add("concat", [4], joined, lambda x, p: torch.cat([
        x, torch.tanh(dense(p, "branches.1.layers.0.")(x)),
        F.layer_norm(x, [4], p["branches.2.layers.0.weight"], p["branches.2.layers.0.bias"])], -1))
    m.add("concat_rank3", [5, 4], {"branches.0.layers.0.weight": u((4, 3)), "branches.0.layers.0.bias": u(3)},
          lambda x, p: torch.cat([torch.tanh(dense(p, "branches.0.layers.0.")(x)), x], -1))
    m.add("prelu", [4], {"weight": u(1)}, lambda x, p: F.prelu(x, p["weight"]))
    m.add("prelu_per_feature", [3, 4], {"weight": u(4)},
          lambda x, p: channels_second(lambda x: F.prelu(x, p["weight"]))(x))
    m.add("glu", [6], {}, lambda x, p: F.glu(x, -1))
    m.add("custom", [4], {"factor": u(4)}, lambda x, p: torch.sin(1.5 * p["factor"] * x),
          batches={k: v for k, v in m.batches([4]).items() if k != "extreme"})

    return {
        "made_with": {"python": platform.python_version(), "numpy": np.__version__,
                      "torch": torch.__version__, "keras": keras.__version__},
        "cases": [case for cases in m.cases.values() for case in cases],
        "alpha_dropout": alpha_dropout(),
        "activity": activity(u),
    }


def alpha_dropout():
    """The two values that each x can become at rate 0.3, and the two derivatives."""
    torch.manual_seed(SEED)
    x = torch.tensor([[-2.0, -0.5, 0.0, 1.0, 3.0]], dtype=torch.float64)
    rows = x.repeat(1000, 1).requires_grad_()
    y = nn.AlphaDropout(0.3)(rows)
    y.sum().backward()
    dropped = rows.grad == 0
    values = lambda mask: [sorted(set(y[:, i][mask[:, i]].tolist())) for i in range(5)]
    kept, gone = values(~dropped), values(dropped)
    assert all(len(v) == 1 for v in kept + gone)
    slopes = sorted(set(rows.grad[~dropped].tolist()))
    assert len(slopes) == 1
    return {"x": x.tolist()[0], "rate": 0.3, "kept": [v[0] for v in kept],
            "dropped": [v[0] for v in gone], "slope": slopes[0]}


def activity(u):
    """Keras' penalty l1 = 0.125, l2 = 0.25 on tanh(x W + b), and its gradients. Keras' layers divide it by
    the number of rows; it is done by hand here, since on some backends they round to float32."""
    x, w, b = u((5, 4), -2, 2), u((4, 3)), u(3)
    regularizer = keras.regularizers.L1L2(0.125, 0.25)

    def loss(weights):
        kernel, bias = weights
        output = jax.numpy.tanh(jax.numpy.asarray(x) @ kernel + bias)
        return regularizer(output) / len(x)

    value, gradients = jax.value_and_grad(loss)([jax.numpy.asarray(w), jax.numpy.asarray(b)])
    numbers = [np.asarray(v).tolist() for v in (value, *gradients)]
    return {"x": x.tolist(), "weight": w.tolist(), "bias": b.tolist(), "value": numbers[0],
            "weight_gradient": numbers[1], "bias_gradient": numbers[2]}


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".json")
    path.write_text(pretty(build()) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes")

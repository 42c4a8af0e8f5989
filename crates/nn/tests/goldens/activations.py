"""Writes activations.json: values, gradients and second derivatives of the activations.

How to run, in a virtual environment:

    pip install mpmath numpy torch
    python activations.py

"torch" holds PyTorch's float64 numbers: "gradient" is that of sum(output * upstream), "second" the
gradient of sum(gradient) once more. PyTorch's softplus takes x itself above a threshold, which is
set so high here that it never does. "exact" holds the values of the smooth functions by mpmath, with
100 digits inside, where PyTorch's own lose theirs (tails), and their slopes by differences.

PReLU and GLU have a second input or another shape and are beside the others.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: vector width).
"""

import platform
from pathlib import Path

import mpmath
import numpy as np
import torch
import torch.nn.functional as F

from pretty import leaf, plain, write

SEED = 20240701

def mish(x):
    return x * torch.tanh(F.softplus(x, threshold=600.0))


def elu(above, alpha, rate):
    def function(x):
        below = torch.where(x > 0, 0.0, x)
        return torch.where(x > 0, above * x, alpha * torch.expm1(rate * below))

    return function


SELU = 1.0507009873554804934193349852946
SELU_ALPHA = SELU * 1.6732632423543772848170429916717

# As the library writes them in files, and PyTorch's function. PyTorch's own hard sigmoid has a sixth in single
# precision for a slope, so it is written out. The last function, where there is one, is for the second
# derivative: PyTorch's of mish is NaN at 1e4, and its ELUs have the first derivative of the curve at 0
# but the second of the line.
ACTIVATIONS = [
    ("identity", lambda x: x * 1.0),
    ("relu", F.relu),
    ("relu6", F.relu6),
    ({"leaky_relu": {"negative_slope": 0.01}}, F.leaky_relu),
    ({"leaky_relu": {"negative_slope": 0.2}}, lambda x: F.leaky_relu(x, 0.2)),
    ({"elu": {"alpha": 1.0}}, F.elu, elu(1.0, 1.0, 1.0)),
    ({"elu": {"alpha": 0.5}}, lambda x: F.elu(x, 0.5), elu(1.0, 0.5, 1.0)),
    ("selu", F.selu, elu(SELU, SELU_ALPHA, 1.0)),
    ({"celu": {"alpha": 1.0}}, F.celu, elu(1.0, 1.0, 1.0)),
    ({"celu": {"alpha": 2.0}}, lambda x: F.celu(x, 2.0), elu(1.0, 2.0, 0.5)),
    ("gelu", F.gelu),
    ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("silu", F.silu),
    ("mish", F.mish, mish),
    ({"softplus": {"beta": 1.0}}, lambda x: F.softplus(x, threshold=600.0)),
    ({"softplus": {"beta": 3.0}}, lambda x: F.softplus(x, beta=3.0, threshold=600.0)),
    ("softsign", F.softsign),
    ("sigmoid", torch.sigmoid),
    ("hard_sigmoid", lambda x: F.relu6(x + 3.0) / 6.0),
    ("hard_swish", F.hardswish),
    ("tanh", torch.tanh),
    ({"hard_tanh": {"low": -1.0, "high": 1.0}}, F.hardtanh),
    ({"hard_tanh": {"low": -2.0, "high": 0.5}}, lambda x: F.hardtanh(x, -2.0, 0.5)),
    ("log_sigmoid", F.logsigmoid),
    ("softmax", lambda x: torch.softmax(x, dim=-1)),
    ("log_softmax", lambda x: torch.log_softmax(x, dim=-1)),
]

# Nothing here is a kink, but for 0.
X = [
    [1e4, -1e4, 0.0, 0.5, -0.5],
    [1000.0, -1000.0, 999.0, 1e-310, -1e-310],
    [3.25, 30.0, -30.0, 29.25, 1.75],
    [-1.25, 0.3, 2.125, -0.001, 0.7],
    [6.5, 5.5, -2.75, -3.25, 2.9],
    [-0.0, -7.5, 12.0, -19.0, 1e-5],
]

# At these, one side's slope counts.
KINKS = [[0.0, -0.0, 6.0, 3.0, -3.0], [1.0, -1.0, -2.0, 0.5, 2.0]]


def gradient_of(function, x, upstream, create_graph):
    leaf_x = leaf(x)
    output = function(leaf_x)
    weighed = (output * torch.tensor(upstream, dtype=torch.float64)).sum()
    (gradient,) = torch.autograd.grad(weighed, leaf_x, create_graph=create_graph)
    return leaf_x, output, gradient


def once(function, x, upstream):
    _, output, gradient = gradient_of(function, x, upstream, False)
    return {"output": plain(output), "gradient": plain(gradient)}


def twice(function, x, upstream, simpler=None):
    leaf_x, _, gradient = gradient_of(simpler or function, x, upstream, True)
    second = None
    if gradient.requires_grad:
        (second,) = torch.autograd.grad(gradient.sum(), leaf_x, allow_unused=True)
    second = torch.zeros_like(leaf_x) if second is None else second
    return {**once(function, x, upstream), "second": plain(second)}


SETTINGS = {"elu": {"elu": {"alpha": 1.0}}, "softplus": {"softplus": {"beta": 1.0}}}


def exact():
    mpmath.mp.dps = 100
    mpf = mpmath.mpf
    sigmoid = lambda x: 1 / (1 + mpmath.exp(-x))
    softplus = lambda x: mpmath.log1p(mpmath.exp(x))
    phi = lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2
    functions = {
        "gelu": lambda x: x * phi(x),
        "gelu_tanh": lambda x: x * sigmoid(2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3)),
        "silu": lambda x: x * sigmoid(x),
        "mish": lambda x: x * mpmath.tanh(softplus(x)),
        "softplus": softplus,
        "softsign": lambda x: x / (1 + abs(x)),
        "sigmoid": sigmoid,
        "tanh": mpmath.tanh,
        "log_sigmoid": lambda x: -softplus(-x),
        "elu": lambda x: x if x > 0 else mpmath.expm1(x),
        "ln_cosh": lambda x: mpmath.log(mpmath.cosh(x)),
    }
    x = [1e-30, 1e-6, 0.01, 0.25, 0.9, 1.0, 1.5, 3.0, 6.0, 9.5, 12.0, 20.0, 40.0, 80.0, 1e3, 1e4]
    x = [-v for v in reversed(x)] + [0.0] + x
    cases = []
    for name, function in functions.items():
        values, slopes = [], []
        for v in x:
            v = mpf(v)
            step = mpf(10) ** -20 * max(abs(v), mpf(10) ** -10)
            values.append(float(function(v)))
            # The slope of softsign jumps in its derivative, at 0, and is 1 there.
            slopes.append(float((function(v + step) - function(v - step)) / (2 * step)))
        cases.append({"activation": SETTINGS.get(name, name), "value": values, "slope": slopes})
    return {"x": x, "cases": cases}


def prelu(rng):
    x, upstream = rng.uniform(-2, 2, (4, 3)).tolist(), rng.uniform(-2, 2, (4, 3)).tolist()
    x[0][0], x[1][1] = 0.0, 1e4
    cases = []
    for slope in ([0.25], [0.1, -0.5, 0.0]):
        lx, ls = leaf(x), leaf(slope)
        output = F.prelu(lx, ls)
        (output * torch.tensor(upstream, dtype=torch.float64)).sum().backward()
        cases.append({"slope": slope, "output": plain(output), "gradient": plain(lx.grad), "slope_gradient": plain(ls.grad)})
    return {"x": x, "upstream": upstream, "cases": cases}


def glu(rng):
    x = rng.uniform(-2, 2, (2, 3, 4)).tolist()
    x[0][0] = [1e4, -1e4, -1e4, 1e4]
    upstream = rng.uniform(-2, 2, (2, 3, 2)).tolist()
    return {"x": x, "upstream": upstream, **twice(F.glu, x, upstream)}


def build():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)
    upstream = rng.uniform(-2, 2, np.shape(X)).tolist()
    ones = np.ones(np.shape(KINKS)).tolist()
    return {
        "made_with": {
            "python": platform.python_version(),
            "mpmath": mpmath.__version__,
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "torch": {
            "input": X,
            "upstream": upstream,
            "kinks": KINKS,
            "cases": [
                {"activation": name, **twice(f, X, upstream, *simpler), "at_kinks": once(f, KINKS, ones)}
                for name, f, *simpler in ACTIVATIONS
            ],
        },
        "exact": exact(),
        "prelu": prelu(rng),
        "glu": glu(rng),
        "gains": [
            {"activation": name, "gain": torch.nn.init.calculate_gain(torch_name, *parameter)}
            for name, torch_name, *parameter in (
                ("identity", "linear"),
                ("sigmoid", "sigmoid"),
                ("tanh", "tanh"),
                ("relu", "relu"),
                ("selu", "selu"),
                ({"leaky_relu": {"negative_slope": 0.2}}, "leaky_relu", 0.2),
            )
        ],
    }


if __name__ == "__main__":
    write(build(), Path(__file__).with_suffix(".json"))

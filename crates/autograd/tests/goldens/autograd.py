"""Writes autograd.json: PyTorch's float64 values, gradients and second derivatives of operations.

How to run, in a virtual environment:

    pip install numpy torch scikit-learn
    python autograd.py

Every operation has cases: inputs, an "upstream" gradient u of its output y, and a vector v for
each input. "gradients" are g = d sum(u * y) / dx for each input x, and "second" those of
sum(g * v), again for each input (null: not compared); where PyTorch finds no dependence, zeros. An array is
{"shape": [...], "data": [...]}, flat in row-major order; inf, -inf and nan are strings. All inputs
are numbers that float32 holds exactly, so that float32 can be compared too.

The kinds of cases: "ordinary"; "extreme" inputs up to 1e4 and down to denormal numbers, with
equal ones among them; an "empty" batch; a batch of "one".

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: BLAS, vector width).
"""

import json
import math
import platform
from pathlib import Path

import numpy as np
import torch

SEED = 20240715

EXTREME = [[1e4, -1e4, 0.0, 1e-40, -1e-40], [30.0, -30.0, 1e-310, 2.0**-13, -88.0], [1e4, 1e4, -1e4, 0.5, 0.5]]
# For functions of positive numbers: nothing whose second derivative float32 could not hold.
EXTREME_POSITIVE = [[1e4, 2.0**-30, 1.0, 30.0, 0.5], [88.0, 2.0**-13, 2.0, 1e4, 1.0]]
# For ln(1 + x): nothing near -1, where float32 cannot tell the numbers apart.
EXTREME_LN_1P = [[1e4, 0.0, 1e-40, -1e-40, -0.75], [30.0, 1e-310, 2.0**-13, -(2.0**-20), 88.0]]
MASK = [1.0, 0.0, 0.0, 1.0, 1.0]


def single(values):
    """Rounded to float32, except for what that would make 0."""
    values = np.asarray(values, dtype=np.float64)
    rounded = values.astype(np.float32).astype(np.float64)
    return np.where((rounded == 0) & (values != 0), values, rounded)


def draw(rng, shape, low=-2.0, high=2.0):
    return single(rng.uniform(low, high, size=shape))


def leaf(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def number(value):
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value + 0.0


def stored(array):
    array = array.numpy(force=True) if isinstance(array, torch.Tensor) else np.asarray(array)
    return {"shape": list(array.shape), "data": [number(v) for v in array.ravel(order="C").tolist()]}


def derivatives(outputs, inputs, upstream):
    """Those of sum(outputs * upstream), with zeros where there is no dependence."""
    pairs = [(o, u) for o, u in zip(outputs, upstream) if o.requires_grad]
    if not pairs:
        return [torch.zeros_like(x) for x in inputs]
    outputs, upstream = zip(*pairs)
    found = torch.autograd.grad(outputs, inputs, upstream, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, inputs)]


def case(rng, kind, function, arrays):
    inputs = [leaf(array) for array in arrays]
    output = function(*inputs)
    upstream = draw(rng, tuple(output.shape))
    vectors = [draw(rng, array.shape) for array in arrays]
    first = derivatives([output], inputs, [torch.tensor(upstream)])
    second = derivatives(first, inputs, [torch.tensor(v) for v in vectors])
    return {
        "kind": kind,
        "inputs": [stored(array) for array in arrays],
        "upstream": stored(upstream),
        "vectors": [stored(vector) for vector in vectors],
        "output": stored(output),
        "gradients": [stored(gradient) for gradient in first],
        "second": [stored(gradient) for gradient in second],
    }


def once(case):
    """Without second derivatives."""
    return case | {"second": None}


def of_one(function, domain="any", empty=True):
    """The four kinds of cases of a function of one table of five columns."""
    low, extreme = {
        "any": (-2.0, EXTREME),
        "positive": (0.25, EXTREME_POSITIVE),
        "above -1": (-0.75, EXTREME_LN_1P),
    }[domain]

    def build(rng):
        tables = [("ordinary", draw(rng, (3, 5), low)), ("extreme", single(extreme)), ("one", draw(rng, (1, 5), low))]
        if empty:
            tables.append(("empty", draw(rng, (0, 5))))
        return [case(rng, kind, function, [table]) for kind, table in tables]

    return build


def of_two(function, shapes=(((3, 5), (3, 5)), ((3, 5), (5,)), ((3, 1), (1, 5)), ((0, 5), (5,)), ((1, 5), (1, 5))), low=-2.0,
           extreme=True):
    def build(rng):
        cases = []
        for a, b in shapes:
            kind = "empty" if 0 in a else "one" if a == b == (1, 5) else "ordinary"
            cases.append(case(rng, kind, function, [draw(rng, a, low), draw(rng, b)]))
        if extreme:
            cases.append(case(rng, "extreme", function, [single(EXTREME), single(EXTREME[::-1])]))
        return cases

    return build


def of_shapes(function, *shapes, low=-2.0):
    return lambda rng: [case(rng, "empty" if any(0 in s for s in group) else "ordinary", function,
                             [draw(rng, s, low) for s in group]) for group in shapes]


def both(*builders):
    return lambda rng: [c for build in builders for c in build(rng)]


def rows_of(indices):
    return torch.tensor(indices, dtype=torch.int64)


def take_rows(x):
    """The first column in even rows, the last in odd ones."""
    index = rows_of([0 if row % 2 == 0 else x.shape[1] - 1 for row in range(x.shape[0])])
    return torch.gather(x, 1, index[:, None])[:, 0]


def spread_rows(x):
    """Each of a vector's values in the first or the last of three columns."""
    index = rows_of([0 if row % 2 == 0 else 2 for row in range(x.shape[0])])
    return torch.zeros(x.shape[0], 3, dtype=x.dtype).scatter(1, index[:, None], x[:, None])


def cross_entropy(x, t):
    return -(t * torch.log_softmax(x, dim=1)).sum(dim=1).mean()


def standardized(dim):
    def function(x):
        variance, mean = torch.var_mean(x, dim=dim, correction=0, keepdim=True)
        return (x - mean) / torch.sqrt(variance + 0.125)

    return function


def norm(p, dim):
    return lambda x: torch.linalg.vector_norm(x, ord=p, dim=dim)


OPERATIONS = {
    "add": of_two(lambda a, b: a + b),
    "sub": of_two(lambda a, b: a - b),
    "mul": of_two(lambda a, b: a * b),
    "div": of_two(lambda a, b: b / a, low=0.5, extreme=False),
    "add_number": of_one(lambda x: x + 2.5),
    "scale": of_one(lambda x: x * -2.5),
    "exp": of_one(torch.exp),
    "exp_m1": of_one(torch.expm1),
    "ln": of_one(torch.log, "positive"),
    "ln_1p": of_one(torch.log1p, "above -1"),
    "sqrt": of_one(torch.sqrt, "positive"),
    "sin": of_one(torch.sin),
    "cos": of_one(torch.cos),
    "erf": of_one(torch.erf),
    "abs": of_one(torch.abs),
    "clamp": of_one(lambda x: x.clamp(-0.5, 0.5)),
    "relu": of_one(torch.relu),
    "sigmoid": of_one(torch.sigmoid),
    "tanh": of_one(torch.tanh),
    "powf 2.5": of_one(lambda x: x**2.5, "positive"),
    "powf -1": of_one(lambda x: x**-1.0, "positive"),
    "powf 3": of_one(lambda x: x**3.0),
    "powf 0": of_one(lambda x: x**0.0),
    "pow": of_two(torch.pow, low=0.25, extreme=False),
    "where_": of_two(lambda a, b: torch.where(torch.tensor(MASK) != 0, a, b)),
    "maximum": of_two(torch.maximum),
    "minimum": of_two(torch.minimum),
    "sum_axes 0": of_one(lambda x: x.sum(dim=0)),
    "sum_axes 1": of_one(lambda x: x.sum(dim=1)),
    "mean_axes 1": of_one(lambda x: x.mean(dim=1, keepdim=True)),
    "mean_axes 0 1": of_one(lambda x: x.mean(), empty=False),
    "max_axes 0": of_one(lambda x: x.amax(dim=0), empty=False),
    "max_axes 1": of_one(lambda x: x.amax(dim=1)),
    "min_axes 0": of_one(lambda x: x.amin(dim=0), empty=False),
    "min_axes 1": of_one(lambda x: x.amin(dim=1)),
    "var_axes 1 ddof 0": of_one(lambda x: x.var(dim=1, correction=0)),
    "var_axes 1 ddof 1": of_one(lambda x: x.var(dim=1, correction=1, keepdim=True)),
    "var_axes 0 1 ddof 1": of_one(lambda x: x.var(dim=(0, 1), correction=1), empty=False),
    "logsumexp_axes 0": of_one(lambda x: torch.logsumexp(x, dim=0), empty=False),
    "logsumexp_axes 1": of_one(lambda x: torch.logsumexp(x, dim=1)),
    "norm_axes 1": of_one(norm(1, 1)),
    "norm_axes 2": of_one(norm(2, 1)),
    "norm_axes 3": of_one(norm(3, 1)),
    "norm_axes inf": of_one(norm(math.inf, 1)),
    "norm_axes 2 of all": of_one(norm(2, (0, 1))),
    # PyTorch's second derivatives of lengths of 0 are nan, or are not, depending on p.
    "norm_axes 2 of zeros": lambda rng: [once(case(rng, "extreme", norm(2, 1), [np.zeros((2, 3))]))],
    "norm_axes 3 of zeros": lambda rng: [once(case(rng, "extreme", norm(3, 1), [np.zeros((2, 3))]))],
    "softmax": of_one(lambda x: torch.softmax(x, dim=1)),
    "softmax 0": of_one(lambda x: torch.softmax(x, dim=0)),
    "log_softmax": of_one(lambda x: torch.log_softmax(x, dim=1)),
    "log_softmax 0": of_one(lambda x: torch.log_softmax(x, dim=0)),
    "softmax_cross_entropy mean": both(
        of_two(cross_entropy, [((3, 5), (3, 5)), ((1, 5), (1, 5))], extreme=False),
        lambda rng: [case(rng, "extreme", cross_entropy, [single(EXTREME), draw(rng, (3, 5), 0.0, 1.0)])],
    ),
    "reshape": of_shapes(lambda x: x.reshape(5, 3), ((3, 5),)),
    "transpose": of_shapes(lambda x: x.T, ((3, 5),), ((0, 5),)),
    "broadcast_to": of_shapes(lambda x: x.expand(2, 3, 5), ((3, 1),), ((5,),)),
    "permute": of_shapes(lambda x: x.permute(2, 0, 1), ((2, 3, 4),), ((0, 3, 4),)),
    "slice": of_one(lambda x: x[:, 1:4]),
    "pad": of_one(lambda x: torch.nn.functional.pad(x, (2, 1))),
    "concatenate": of_shapes(lambda a, b: torch.cat([a, b, a], dim=1), ((3, 2), (3, 4)), ((0, 2), (0, 4))),
    "stack": of_shapes(lambda a, b: torch.stack([a, b], dim=1), ((3, 2), (3, 2)), ((0, 2), (0, 2))),
    "select_rows": of_shapes(lambda x: x[rows_of([2, 0, 2, 1])], ((3, 4),), ((3, 2, 2),)),
    "scatter_add_rows": of_shapes(
        lambda x: torch.zeros(5, x.shape[1], dtype=x.dtype).index_add(0, rows_of([4, 1, 4]), x), ((3, 4),)),
    "pick_along": of_one(take_rows),
    "scatter_along": of_shapes(spread_rows, ((4,),), ((0,),)),
    "cumsum": of_one(lambda x: x.cumsum(dim=1)),
    "cumsum 0": of_one(lambda x: x.cumsum(dim=0)),
    "cumsum from end": of_one(lambda x: x.flip(1).cumsum(dim=1).flip(1)),
    "matmul": of_shapes(torch.matmul, ((3, 4), (4, 2)), ((1, 4), (4, 2)), ((0, 4), (4, 2))),
    "matmul_nt": of_shapes(lambda a, b: a @ b.T, ((3, 4), (2, 4)), ((0, 4), (2, 4))),
    "matmul_tn": of_shapes(lambda a, b: a.T @ b, ((4, 3), (4, 2)), ((0, 3), (0, 2))),
    "linear": of_shapes(lambda x, w, b: x @ w + b, ((3, 4), (4, 2), (2,)), ((1, 4), (4, 2), (2,)), ((0, 4), (4, 2), (2,))),
    # No eps: PyTorch would divide by it only where a length is below.
    "normalize_axes 1": of_one(lambda x: torch.nn.functional.normalize(x, dim=1, eps=0.0)),
    "normalize_axes 0 1": of_one(lambda x: torch.nn.functional.normalize(x, dim=(0, 1), eps=0.0), empty=False),
    "standardize_axes 0": of_one(standardized(0), empty=False),
    "standardize_axes 1": of_one(standardized(1)),
}


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
        "operations": {name: cases(rng) for name, cases in OPERATIONS.items()},
    }


def pretty(value, indent=0):
    """JSON text: objects and lists of objects spread over lines, every other list on one line."""
    pad = "  " * (indent + 1)
    end = "  " * indent
    if isinstance(value, dict) and set(value) != {"shape", "data"}:
        items = [f"{pad}{json.dumps(k)}: {pretty(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + end + "}"
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return "[\n" + ",\n".join(pad + pretty(v, indent + 1) for v in value) + "\n" + end + "]"
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".json")
    path.write_text(pretty(build()) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes")

"""Writes tensor.json: NumPy's float64 results of broadcasting, reductions, transposes, matrix products,
statistics, comparisons, sorting, and of cutting and repeating.

How to run, in a virtual environment:

    pip install numpy torch scikit-learn
    python tensor.py

An array is written as {"shape": [...], "data": [...]}, data flat in row-major order; a scalar has
shape []. NaN and infinities are the strings "nan", "inf" and "-inf". argmax takes the first of equal values.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: BLAS, vector width).
"""

import json
import math
import platform
import warnings
from pathlib import Path

import numpy as np

SEED = 20240610


def stored(array):
    array = np.asarray(array)
    data = [v if not isinstance(v, float) or math.isfinite(v) else str(v) for v in array.ravel(order="C").tolist()]
    return {"shape": list(array.shape), "data": data}


def numbers(rng, shape):
    """Values in +-[0.25, 2]: never near 0, so that they divide well."""
    return rng.uniform(0.25, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)


def broadcasting(rng):
    operations = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
    shapes = [
        ([2, 3], [2, 3]),
        ([2, 3], [3]),
        ([3], [2, 3]),
        ([2, 3], [2, 1]),
        ([2, 1, 3], [4, 1]),
        ([1], [2, 2]),
        ([], [3]),
        ([2, 2], []),
        ([], []),
        ([0, 3], [3]),
        ([0, 3], [1, 1]),
        ([2, 0], [2, 1]),
    ]
    cases = []
    for a_shape, b_shape in shapes:
        a, b = numbers(rng, a_shape), numbers(rng, b_shape)
        case = {"a": stored(a), "b": stored(b)}
        for name, operation in operations.items():
            case[name] = stored(operation(a, b))
        cases.append(case)
    return cases


def reductions(rng):
    x = numbers(rng, [2, 3, 4])
    functions = {"sum": np.sum, "mean": np.mean, "max": np.max}
    cases = []
    for axes in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
        for keepdims in (False, True):
            case = {"axes": axes, "keepdims": keepdims}
            for name, function in functions.items():
                case[name] = stored(function(x, axis=tuple(axes), keepdims=keepdims))
            cases.append(case)
    return {"x": stored(x), "cases": cases, "argmax": argmax(x)}


def argmax(x):
    return [
        {"axis": axis, "keepdims": keepdims,
         "result": stored(np.argmax(x, axis=axis, keepdims=keepdims))}
        for axis in range(x.ndim) for keepdims in (False, True)
    ]


def argmax_ties():
    x = np.array([[1.0, 3.0, 3.0, -1.0], [2.0, 2.0, 2.0, 2.0], [1.0, 0.0, 3.0, 3.0]])
    return {"x": stored(x), "argmax": argmax(x)}


def transposes(rng):
    cases = []
    for shape, permutations in (
        ([2, 3], ([0, 1], [1, 0])),
        ([2, 3, 4], ([0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1])),
        ([0, 3], ([1, 0],)),
    ):
        x = numbers(rng, shape)
        for axes in permutations:
            cases.append({"x": stored(x), "axes": list(axes), "result": stored(x.transpose(axes))})
    return cases


def matmul(rng):
    def case(name, a, b, result):
        return {"name": name, "a": stored(a), "b": stored(b), "result": stored(result)}

    a, b = numbers(rng, [3, 4]), numbers(rng, [4, 2])
    a_t, b_t = numbers(rng, [4, 3]), numbers(rng, [2, 4])
    row, column = numbers(rng, [1, 5]), numbers(rng, [5, 1])
    empty = numbers(rng, [0, 4])
    return [
        case("a @ b", a, b, a @ b),
        case("a.T @ b", a_t, b, a_t.T @ b),
        case("a @ b.T", a, b_t, a @ b_t.T),
        case("a.T @ b.T", a_t, b_t, a_t.T @ b_t.T),
        case("a @ b", row, column, row @ column),
        case("a @ b", column, row, column @ row),
        case("a @ b", empty, b, empty @ b),
    ]


def with_holes(rng, shape):
    """Whole numbers from -3 to 3, so that many are equal, with NaN and infinities among them."""
    values = rng.integers(-3, 4, size=shape).astype(float)
    values[rng.uniform(size=shape) < 0.1] = np.nan
    values[rng.uniform(size=shape) < 0.05] = np.inf
    values[rng.uniform(size=shape) < 0.05] = -np.inf
    return values


def statistics(rng):
    x = numbers(rng, [3, 4])
    rows = [
        {"axis": axis, "ddof": ddof, "var": stored(np.var(x, axis=axis, ddof=ddof)),
         "std": stored(np.std(x, axis=axis, ddof=ddof))}
        for axis in (0, 1) for ddof in (0, 1, 2, 3, 4, 5)
    ]
    softmax = [stored(np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)) for axis in (0, 1)]
    same = np.full([2, 2], 3.0)
    return {"x": stored(x), "cases": rows, "all": stored([np.var(x), np.std(x)]), "softmax": softmax,
            "min": [stored(x.min(axis=axis)) for axis in (0, 1)],
            "argmin": [np.argmin(x, axis=axis).tolist() for axis in (0, 1)],
            "same": {"x": stored(same), "var": [stored(np.var(same, axis=0, ddof=ddof)) for ddof in (0, 1, 2, 3)]}}


def comparisons(rng):
    functions = {"gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal,
                 "eq": np.equal, "ne": np.not_equal}
    cases = []
    for a_shape, b_shape in (([5, 8], [5, 8]), ([5, 8], [8]), ([4, 1], [1, 6]), ([6], []), ([0, 3], [3])):
        a, b = with_holes(rng, a_shape), with_holes(rng, b_shape) if b_shape else np.array(1.0)
        case = {"a": stored(a), "b": stored(b), "where": stored(np.where(a > b, a, b)),
                "allclose": bool(np.allclose(a, b))}
        for name, function in functions.items():
            case[name] = stored(function(a, b).astype(float))
        cases.append(case)
    return cases


def closeness():
    inf, nan = np.inf, np.nan
    pairs = [([1.0, 2.0], [1.0, 2.0]), ([1.0], [1.00001]), ([1.0], [1.00002]), ([0.0], [1e-8]), ([0.0], [2e-8]),
             ([inf], [inf]), ([inf], [-inf]), ([1.0], [inf]), ([inf], [1.0]), ([nan], [nan]), ([1e10], [1.00001e10])]
    cases = [(a, b, 1e-5, 1e-8) for a, b in pairs] + [([100.0], [110.0], 0.095, 0.0), ([110.0], [100.0], 0.095, 0.0)]
    return [{"a": stored(a), "b": stored(b), "rtol": rtol, "atol": atol,
             "close": bool(np.allclose(a, b, rtol=rtol, atol=atol))} for a, b, rtol, atol in cases]


def sorting(rng):
    cases = []
    for shape in ([9], [4, 7], [2, 5, 3], [0, 3]):
        x = with_holes(rng, shape)
        for axis in range(len(shape)):
            cases.append({"x": stored(x), "axis": axis, "sort": stored(np.sort(x, axis=axis, kind="stable")),
                          "argsort": stored(np.argsort(x, axis=axis, kind="stable")), "unique": stored(np.unique(x))})
    return cases


def ranges():
    arange = [(0.0, 5.0, 1.0), (0.0, 1.0, 0.1), (1.0, 1.3, 0.1), (5.0, 0.0, -2.0), (0.0, -1.0, 1.0), (-1.5, 2.0, 0.5)]
    linspace = [(0.0, 1.0, 5), (-1.0, 1.0, 10), (3.0, 3.0, 4), (2.0, 5.0, 1), (2.0, 5.0, 0), (1.0, -1.0, 3), (0.0, 1.0, 2)]
    return {"arange": [{"arguments": list(a), "result": stored(np.arange(*a))} for a in arange],
            "linspace": [{"arguments": list(a), "result": stored(np.linspace(*a))} for a in linspace]}


def parts(rng):
    x = numbers(rng, [4, 6])
    cuts = [(2, 0), (3, 1), (1, 0), ([1, 3], 0), ([0, 2, 2], 1)]
    repeats = [(2, 0), (3, 1), (0, 0)]
    return {"x": stored(x),
            "split": [{"cuts": n, "axis": axis, "parts": [stored(part) for part in np.split(x, n, axis=axis)]}
                      for n, axis in cuts],
            "repeat": [{"n": n, "axis": axis, "result": stored(np.repeat(x, n, axis=axis)),
                        "tile": stored(np.tile(x, (n, 1) if axis == 0 else (1, n)))} for n, axis in repeats],
            "expand_dims": [{"axis": axis, "shape": list(np.expand_dims(x, axis).shape)} for axis in range(3)],
            "reshape": [{"shape": list(shape), "result": list(x.reshape(shape).shape)}
                        for shape in ([2, -1], [-1], [3, -1, 2], [-1, 24])],
            "round": {"x": stored([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6]),
                      "result": stored(np.round([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6]))}}


def build():
    rng = np.random.default_rng(SEED)
    return {
        "made_with": {"python": platform.python_version(), "numpy": np.__version__},
        "broadcasting": broadcasting(rng),
        "reductions": reductions(rng),
        "argmax_ties": argmax_ties(),
        "transposes": transposes(rng),
        "matmul": matmul(rng),
        "statistics": statistics(rng),
        "comparisons": comparisons(rng),
        "closeness": closeness(),
        "sorting": sorting(rng),
        "ranges": ranges(),
        "parts": parts(rng),
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
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    path = Path(__file__).with_suffix(".json")
    path.write_text(pretty(build()) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes")

"""Writes tensor.json: NumPy's float64 results of broadcasting, reductions, transposes and matrix
products.

How to run, in a virtual environment:

    pip install numpy torch scikit-learn
    python tensor.py

An array is written as {"shape": [...], "data": [...]}, data flat in row-major order; a scalar has
shape []. argmax takes the first of equal values.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: BLAS, vector width).
"""

import json
import platform
from pathlib import Path

import numpy as np

SEED = 20240610


def stored(array):
    array = np.asarray(array)
    return {"shape": list(array.shape), "data": array.ravel(order="C").tolist()}


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


def build():
    rng = np.random.default_rng(SEED)
    return {
        "made_with": {"python": platform.python_version(), "numpy": np.__version__},
        "broadcasting": broadcasting(rng),
        "reductions": reductions(rng),
        "argmax_ties": argmax_ties(),
        "transposes": transposes(rng),
        "matmul": matmul(rng),
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

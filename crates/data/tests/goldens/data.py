"""Writes data.json: what scikit-learn's scalers, encoders and splitters give.

How to run, in a virtual environment:

    pip install numpy torch scikit-learn
    python data.py

Of the shuffled splits only what does not depend on the random numbers is written: sizes, and how
many rows of each class; the script checks that many seeds agree on them.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions.
"""

import json
import platform
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

# 11 of class 0, 7 of class 1, 5 of class 2.
LABELS = [1, 0, 0, 2, 0, 1, 0, 2, 0, 0, 1, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 1, 2]


def standard_scaler(constant):
    """A table whose second column is constant; there scikit-learn's scale is 1."""
    first = [1.0, 2.5, -3.0, 4.25, 0.0, 7.5, -1.75]
    third = [100.0, 250.0, 175.0, -50.0, 310.0, 42.0, 99.5]
    table = [[a, constant, c] for a, c in zip(first, third)]
    scaler = StandardScaler().fit(np.array(table))
    return {
        "table": table,
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "transformed": scaler.transform(np.array(table)).tolist(),
    }


def one_hot_encoder():
    values = ["red", "green", "blue", "green", "red", "amber"]
    unknown = ["green", "violet", "amber"]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoded = encoder.fit_transform([[v] for v in values])
    return {
        "values": values,
        "categories": encoder.categories_[0].tolist(),
        "encoded": encoded.tolist(),
        "with_unknown": {
            "values": unknown,
            "encoded": encoder.transform([[v] for v in unknown]).tolist(),
        },
    }


def label_encoder():
    values = ["virginica", "setosa", "versicolor", "setosa", "virginica", "setosa"]
    encoder = LabelEncoder()
    encoded = encoder.fit_transform(values)
    return {"values": values, "classes": encoder.classes_.tolist(), "encoded": encoded.tolist()}


def k_fold():
    def tests(n, k):
        return [test.tolist() for _, test in KFold(k).split(np.zeros((n, 1)))]

    return {
        "sizes": [
            {"n": n, "k": k, "test_sizes": [len(t) for t in tests(n, k)]}
            for n in (10, 11, 150, 7) for k in (2, 3, 5, 7)
        ],
        "test_indices": {"n": 11, "k": 5, "folds": tests(11, 5)},
    }


def counts(labels):
    return np.bincount(np.asarray(labels), minlength=3).tolist()


def stratified_k_fold():
    labels = np.array(LABELS)
    tests = [t for _, t in StratifiedKFold(4).split(np.zeros((len(labels), 1)), labels)]
    return {
        "labels": LABELS,
        "k": 4,
        "class_counts": [counts(labels[t]) for t in tests],
        "test_indices": [t.tolist() for t in tests],
    }


def stratified_split(labels, test_size):
    def split(seed):
        train, test = train_test_split(
            np.array(labels), test_size=test_size, stratify=labels, random_state=seed)
        return len(train), len(test), counts(train), counts(test)

    found = {json.dumps(split(seed)) for seed in range(50)}
    assert len(found) == 1, found
    train_len, test_len, train_counts, test_counts = json.loads(found.pop())
    return {"labels": labels, "test_size": test_size,
            "train_len": train_len, "test_len": test_len,
            "train_class_counts": train_counts, "test_class_counts": test_counts}


def build():
    return {
        "made_with": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "standard_scaler": standard_scaler(4.0),
        # 0.1 seven times over does not add up to 7 * 0.1: the variance is found as 0 only if
        # rounding is allowed for.
        "standard_scaler_inexact_constant": standard_scaler(0.1),
        "one_hot_encoder": one_hot_encoder(),
        "label_encoder": label_encoder(),
        "k_fold": k_fold(),
        "stratified_k_fold": stratified_k_fold(),
        "train_test_split_stratified": {
            "iris": stratified_split(load_iris().target.tolist(), 0.2),
            "unequal": stratified_split(LABELS, 0.3),
        },
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

"""What the scripts beside this one share: tensors in, JSON out."""

import json

import torch


def leaf(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def plain(tensor):
    """Nested lists of floats, with -0.0 written as 0.0."""
    return (tensor.detach() + 0.0).tolist()


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


def write(goldens, path):
    path.write_text(pretty(goldens) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes")

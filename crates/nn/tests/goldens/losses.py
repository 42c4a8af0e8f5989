"""Writes losses.json: losses with their gradients, weights and label smoothing, in float64.

How to run, in a virtual environment:

    pip install keras numpy torch
    python losses.py

Where PyTorch has a loss, the numbers are PyTorch's ("from": "torch"), with reduction "none" and then
the mean over a row's values, or the sum where a row is one distribution. The others are Keras',
running on PyTorch in float64, with Keras' epsilon (which it adds to probabilities, rates and norms) all but 0.

"predictions" are what the library's losses take: logits for losses of probabilities, logarithms of rates for
Poisson's. Those under "through_activation" are what comes before the activation that ends a network: the original
takes the activation's values.

"rows" are the losses of the rows, "gradient" is that of their mean, or of the number under
"mean" or "sum" where there is one. "loss" and "options" are written as the library has them.

On PyTorch, Keras takes means in float32, whatever it is given; on TensorFlow it does not. build() tells
it to keep float64 here as well.

Extreme cases leave out what the original has as infinity or NaN.

The library versions are in the file under made_with. A rerun gives the same bytes with the same
versions on the same kind of processor (elsewhere a last digit may differ: vector width).
"""

import os
import platform
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
import torch.nn.functional as F
from keras.src.backend.common import dtypes
from keras.src.trainers.data_adapters.data_adapter_utils import class_weight_to_sample_weights

from pretty import leaf, plain, write

SEED = 20240702


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def of_torch(function, **settings):
    """The mean over a row's values of a PyTorch loss without reduction."""
    return lambda p, t: function(p, t, reduction="none", **settings).mean(dim=-1)


def of_keras(loss):
    return lambda p, t: loss(t, p)


def keras_number(name, sample_weight=None, **settings):
    """Keras' own reduction of its rows to one number."""
    loss = getattr(keras.losses, name)(**settings)
    weights = None if sample_weight is None else torch.as_tensor(sample_weight, dtype=torch.float64)
    return lambda p, t: loss(t, p, sample_weight=weights)


def keras_rows(name, **settings):
    return of_keras(getattr(keras.losses, name)(reduction="none", **settings))


def soft_cross_entropy(x, t):
    return F.cross_entropy(x, t, reduction="none")


def nll_of_probabilities(p, t):
    return -(t * torch.log(p)).sum(dim=-1)


def kl_divergence(x, t):
    return F.kl_div(F.log_softmax(x, dim=-1), t, reduction="none").sum(dim=-1)


def kl_of_probabilities(p, t):
    return F.kl_div(torch.log(p), t, reduction="none").sum(dim=-1)


def poisson(x, t):
    return F.poisson_nll_loss(x, t, log_input=True, full=False, reduction="none").mean(dim=-1)


def poisson_of_rates(r, t):
    return F.poisson_nll_loss(r, t, log_input=False, full=False, eps=0.0, reduction="none").mean(dim=-1)


def quantile(q):
    # Of a quantile regression in PyTorch's tutorials and of scikit-learn's mean_pinball_loss.
    return lambda p, t: torch.maximum(q * (t - p), (q - 1) * (t - p)).mean(dim=-1)


def gaussian(p, t):
    k = t.shape[-1]
    mean, variance = p[:, :k], torch.exp(p[:, k:])
    return F.gaussian_nll_loss(mean, t, variance, eps=1e-300, reduction="none").mean(dim=-1)


def case(source, loss, rows, predictions, targets, **more):
    p = leaf(predictions)
    found = rows(p, tensor(targets))
    found.mean().backward()
    return {"from": source, "loss": loss, "predictions": predictions, "targets": targets, **more,
            "rows": plain(found), "gradient": plain(p.grad)}


def uniform(rng, shape, low=-2.0, high=2.0):
    return rng.uniform(low, high, size=shape).tolist()


def one_hot(classes, k):
    return [[1.0 if i == j else 0.0 for j in range(k)] for i in classes]


def plain_losses(rng):
    numbers = uniform(rng, (4, 3), -3.0, 3.0)
    wanted = uniform(rng, (4, 3), -3.0, 3.0)
    far = [[1e4, -1e4, 0.25], [1e-310, 0.0, -1e-310], [1e-5, 3e-3, -1.0]]
    zeros = [[0.0, 0.0, 0.0]] * 3
    not_quite_zero = [[1e4, -1e4, 0.25], [1e-310, -1e-5, -1e-310]]
    yes_no = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.25, 0.9, 0.5]]
    answers = uniform(rng, (4, 3), -3.0, 3.0)
    logits = uniform(rng, (4, 3), -3.0, 3.0)
    extreme = [[1e4, -1e4, 0.0], [-1e4, 1e4, 999.5], [-1e4, -1e4, -1e4], [1e4, 1e4, -1e4], [30.0, 1e-310, -30.0]]
    extreme_answers = [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    extreme_classes = one_hot([1, 1, 2, 0, 2], 3)
    classes = one_hot([0, 2, 1, 1], 3)
    soft = [[0.2, 0.3, 0.5], [0.7, 0.2, 0.1], [0.0, 0.25, 0.75], [0.1, 0.1, 0.8]]
    extreme_soft = soft + [[1.0, 0.0, 0.0]]
    shares = uniform(rng, (4, 3))
    counts = [[0.0, 1.0, 2.0], [5.0, 3.0, 0.0], [1.0, 1.0, 7.0], [2.0, 0.0, 0.0]]
    log_rates = uniform(rng, (4, 3), -2.0, 2.0)
    signs = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0], [-1.0, 1.0, -1.0]]
    zero_one = [[max(t, 0.0) for t in row] for row in signs]
    q9 = {"quantile": {"q": 0.9}}
    focal = {"gamma": 2.0, "alpha": None}
    focal_binary = {"apply_class_balancing": False, "gamma": 2.0}
    focal_half = {"gamma": 0.5, "alpha": 0.25}
    focal_classes = {"gamma": 2.0, "alpha": 0.25}
    gaussian_rows = [n + s for n, s in zip(numbers, uniform(rng, (4, 3), -1.0, 1.0))]

    cases = []
    add = lambda *of: cases.append(case(*of))
    for p, t in ((numbers, wanted), (far, zeros), (numbers[:1], wanted[:1])):
        add("torch", "mean_squared_error", of_torch(F.mse_loss), p, t)
        add("torch", "mean_absolute_error", of_torch(F.l1_loss), p, t)
        for delta in (1.0, 0.5):
            add("torch", {"huber": {"delta": delta}}, of_torch(F.huber_loss, delta=delta), p, t)
        if p is not far:
            add("torch", q9, quantile(0.9), p, t)
    add("torch", q9, quantile(0.9), not_quite_zero, zeros[:2])
    add("keras", "log_cosh", keras_rows("LogCosh"), numbers, wanted)
    add("keras", "log_cosh", keras_rows("LogCosh"), [[1e4, -1e4, 0.25]], [[0.0, 0.0, 0.0]])

    for p, t in ((answers, yes_no), (extreme, extreme_answers), (logits, yes_no), (logits[:1], yes_no[:1])):
        add("torch", "binary_cross_entropy", of_torch(F.binary_cross_entropy_with_logits), p, t)
    for p, t in ((answers, yes_no), (logits[:1], yes_no[:1])):
        add("keras", {"binary_focal": focal},
            keras_rows("BinaryFocalCrossentropy", from_logits=True, **focal_binary), p, t)
        add("keras", {"binary_focal": focal_half},
            keras_rows("BinaryFocalCrossentropy", from_logits=True, apply_class_balancing=True, gamma=0.5, alpha=0.25),
            p, t)

    for t in (classes, soft):
        add("torch", "categorical_cross_entropy", soft_cross_entropy, logits, t)
        add("keras", {"categorical_focal": focal_classes},
            keras_rows("CategoricalFocalCrossentropy", from_logits=True, gamma=2.0, alpha=0.25), logits, t)
        add("torch", "kl_divergence", kl_divergence, shares, t)
    for name, function in (("categorical_cross_entropy", soft_cross_entropy), ("kl_divergence", kl_divergence)):
        add("torch", name, function, extreme, extreme_classes)
        add("torch", name, function, extreme, extreme_soft)
        add("torch", name, function, logits[:1], classes[:1])

    for name, keras_name in (("hinge", "Hinge"), ("squared_hinge", "SquaredHinge")):
        for p, t in ((numbers, signs), (numbers, zero_one), ([[1e4, -1e4, 0.5]], [[1.0, 1.0, -1.0]])):
            add("keras", name, keras_rows(keras_name), p, t)

    add("torch", "poisson", poisson, log_rates, counts)
    add("torch", "poisson", poisson, log_rates[:1], counts[:1])
    add("torch", "poisson", poisson, [[-1e4, 3.0, 1e-310]], [[2.0, 0.0, 1.0]])
    add("torch", "gaussian_nll", gaussian, gaussian_rows, wanted)
    add("torch", "gaussian_nll", gaussian, [[1e4, 0.0, 30.0, -20.0]], [[0.0, 1e-3]])
    cosine = keras_rows("CosineSimilarity")
    add("keras", "cosine_similarity", cosine, numbers, wanted)
    add("keras", "cosine_similarity", cosine, [[1e4, -1e4, 3.0]], [[2.0, 1.0, 1e4]])
    return cases


def through_activation(rng):
    """Losses as the originals take them: of an activation's values."""
    logits = uniform(rng, (4, 3), -3.0, 3.0)
    rates = uniform(rng, (4, 3), 0.1, 6.0)
    yes_no = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.25, 0.9, 0.5]]
    soft = [[0.2, 0.3, 0.5], [0.7, 0.2, 0.1], [0.0, 0.25, 0.75], [0.0, 0.0, 1.0]]
    counts = [[0.0, 1.0, 2.0], [5.0, 3.0, 0.0], [1.0, 1.0, 7.0], [2.0, 0.0, 0.0]]
    softmax = lambda x: torch.softmax(x, dim=-1)
    binary_focal = keras_rows("BinaryFocalCrossentropy", apply_class_balancing=False, gamma=2.0)
    after = lambda activation, rows: lambda x, t: rows(activation(x), t)
    cases = []
    add = lambda source, loss, name, activation, rows, x, t: cases.append(
        case(source, loss, after(activation, rows), x, t, activation=name))
    add("torch", "binary_cross_entropy", "sigmoid", torch.sigmoid, of_torch(F.binary_cross_entropy), logits, yes_no)
    add("keras", {"binary_focal": {"gamma": 2.0, "alpha": None}}, "sigmoid", torch.sigmoid, binary_focal, logits, yes_no)
    add("torch", "categorical_cross_entropy", "softmax", softmax, nll_of_probabilities, logits, soft)
    add("keras", {"categorical_focal": {"gamma": 2.0, "alpha": 0.25}}, "softmax", softmax,
        keras_rows("CategoricalFocalCrossentropy"), logits, soft)
    add("torch", "kl_divergence", "softmax", softmax, kl_of_probabilities, logits, soft)
    add("torch", "poisson", "relu", torch.relu, poisson_of_rates, rates, counts)
    add("torch", "poisson", {"softplus": {"beta": 1.0}}, F.softplus, poisson_of_rates, logits, counts)
    add("torch", "mean_squared_error", "tanh", torch.tanh, of_torch(F.mse_loss), logits, yes_no)
    return cases


def sparse(rng):
    """Class numbers as targets."""
    logits = uniform(rng, (4, 3), -3.0, 3.0)
    classes = [0, 2, 1, 1]
    cases = []
    for x, numbers in ((logits, classes), ([[1e4, -1e4, 0.0]], [1])):
        p = leaf(x)
        rows = F.cross_entropy(p, torch.tensor(numbers), reduction="none")
        rows.mean().backward()
        cases.append({"loss": "categorical_cross_entropy", "predictions": x, "classes": numbers,
                      "rows": plain(rows), "gradient": plain(p.grad)})
    return cases


def by_class(targets, weights):
    """Keras' weights of samples for class weights."""
    return tensor(class_weight_to_sample_weights(np.array(targets), dict(enumerate(weights))).tolist())


def one_number(loss, options, key, function, predictions, targets, **more):
    """A loss with options that is one number, `key`: its mean or its sum over the rows."""
    p = leaf(predictions)
    value = function(p, tensor(targets))
    value.backward()
    return {"loss": loss, "options": options, "predictions": predictions, "targets": targets, **more,
            key: value.item(), "gradient": plain(p.grad)}


def with_options(rng):
    logits = uniform(rng, (4, 3), -3.0, 3.0)
    numbers, wanted = uniform(rng, (4, 3)), uniform(rng, (4, 3))
    one = uniform(rng, (4, 1), -3.0, 3.0)
    classes = one_hot([0, 2, 1, 1], 3)
    soft = [[0.2, 0.3, 0.5], [0.7, 0.2, 0.1], [0.0, 0.25, 0.75], [0.1, 0.8, 0.1]]
    yes_no = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    shares = [[0.9], [0.5], [0.25], [1.0]]
    signs = [[2.0 * t - 1.0 for t in row] for row in yes_no]
    samples = [0.5, 2.0, 0.0, 1.25]
    weights = [0.5, 2.0, 1.25]
    pair = [1.0, 3.5]
    L = keras.losses
    weigh = lambda name, **settings: keras_number(name, sample_weight=samples, **settings)
    binary_focal = {"binary_focal": {"gamma": 2.0, "alpha": None}}
    categorical_focal = {"categorical_focal": {"gamma": 2.0, "alpha": 0.25}}
    # A weight for each value, no or yes.
    of_pair = lambda t: torch.where(t > 0.5, pair[1], pair[0])
    value_by_value = lambda loss: lambda p, t: (loss(t[..., None], p[..., None]) * of_pair(t)).mean()
    # Keras weighs by class through weights of samples.
    weigh_classes = lambda name, t, w, **settings: keras_number(name, sample_weight=by_class(t, w), **settings)
    cases = [
        # Keras' weighted mean: over the number of rows.
        one_number("mean_squared_error", {"sample_weights": samples}, "mean", weigh("MeanSquaredError"), numbers, wanted),
        one_number({"huber": {"delta": 1.0}}, {"sample_weights": samples}, "mean", weigh("Huber"), numbers, wanted),
        one_number("categorical_cross_entropy", {"sample_weights": samples}, "mean",
                   weigh("CategoricalCrossentropy", from_logits=True), logits, classes),
        one_number("binary_cross_entropy", {"sample_weights": samples}, "mean",
                   weigh("BinaryCrossentropy", from_logits=True), logits, yes_no),
        one_number("mean_squared_error", {"sample_weights": samples}, "sum", weigh("MeanSquaredError", reduction="sum"),
                   numbers, wanted),
        one_number("cosine_similarity", {"sample_weights": samples}, "sum",
                   weigh("CosineSimilarity", reduction="sum"), numbers, wanted),
        # Label smoothing.
        one_number("categorical_cross_entropy", {"label_smoothing": 0.1}, "mean",
                   lambda p, t: F.cross_entropy(p, t, label_smoothing=0.1), logits, classes),
        one_number("categorical_cross_entropy", {"label_smoothing": 0.1}, "mean",
                   lambda p, t: F.cross_entropy(p, t, label_smoothing=0.1), logits, soft),
        one_number("binary_cross_entropy", {"label_smoothing": 0.2}, "mean",
                   keras_number("BinaryCrossentropy", from_logits=True, label_smoothing=0.2), logits, yes_no),
        one_number(binary_focal, {"label_smoothing": 0.2}, "mean",
                   keras_number("BinaryFocalCrossentropy", from_logits=True, label_smoothing=0.2), logits, yes_no),
        one_number(categorical_focal, {"label_smoothing": 0.1}, "mean",
                   keras_number("CategoricalFocalCrossentropy", from_logits=True, label_smoothing=0.1), logits, classes),
        # Class weights. PyTorch's mean is the sum divided by the weights of the rows' classes.
        one_number("categorical_cross_entropy", {"class_weights": weights}, "sum",
                   lambda p, t: F.cross_entropy(p, t.argmax(-1), weight=tensor(weights), reduction="sum"),
                   logits, classes,
                   torch_mean=F.cross_entropy(tensor(logits), tensor(classes).argmax(-1), weight=tensor(weights)).item(),
                   torch_divides_by=sum(weights[c] for c in (0, 2, 1, 1))),
        one_number("categorical_cross_entropy", {"class_weights": weights}, "mean",
                   weigh_classes("CategoricalCrossentropy", soft, weights, from_logits=True), logits, soft),
        one_number("categorical_cross_entropy", {"class_weights": weights, "label_smoothing": 0.1}, "mean",
                   weigh_classes("CategoricalCrossentropy", classes, weights, from_logits=True, label_smoothing=0.1),
                   logits, classes),
        one_number("categorical_cross_entropy", {"class_weights": weights, "label_smoothing": 0.1}, "sum",
                   weigh_classes("CategoricalCrossentropy", soft, weights, from_logits=True, label_smoothing=0.1,
                                 reduction="sum"), logits, soft),
        one_number(categorical_focal, {"class_weights": weights}, "mean",
                   weigh_classes("CategoricalFocalCrossentropy", soft, weights, from_logits=True), logits, soft),
        one_number("kl_divergence", {"class_weights": weights}, "mean",
                   lambda p, t: (kl_divergence(p, t) * by_class(soft, weights)).mean(), logits, soft),
        one_number("binary_cross_entropy", {"class_weights": pair}, "mean",
                   weigh_classes("BinaryCrossentropy", shares, pair, from_logits=True), one, shares),
        one_number("binary_cross_entropy", {"class_weights": pair}, "mean",
                   lambda p, t: F.binary_cross_entropy_with_logits(p, t, pos_weight=tensor(pair[1])), logits, yes_no),
        one_number("hinge", {"class_weights": pair}, "mean", value_by_value(L.Hinge(reduction="none")), numbers, signs),
        one_number(binary_focal, {"class_weights": pair}, "mean",
                   value_by_value(L.BinaryFocalCrossentropy(from_logits=True, reduction="none")), logits, yes_no),
        one_number("binary_cross_entropy", {"class_weights": pair, "sample_weights": samples, "label_smoothing": 0.1},
                   "sum",
                   lambda p, t: ((F.binary_cross_entropy_with_logits(p, 0.9 * t + 0.05, reduction="none")
                                  * of_pair(t)).mean(-1) * tensor(samples)).sum(), logits, yes_no),
    ]
    return cases


def penalties_of_outputs(rng):
    """Keras' activity regularizers: the penalty divided by the number of rows."""
    x = uniform(rng, (4, 3))
    x[1][2] = 0.0
    cases = []
    for l1, l2 in ((0.01, 0.0), (0.0, 0.01), (0.03, 0.02)):
        layer = keras.layers.ActivityRegularization(l1=l1, l2=l2)
        p = leaf(x)
        layer(p)
        (value,) = layer.losses
        value.backward()
        cases.append({"l1": l1, "l2": l2, "value": value.item(), "gradient": plain(p.grad)})
    return {"output": x, "cases": cases}


def constraints(rng):
    weight = uniform(rng, (4, 3), -1.5, 1.5)
    weight = [[w * f for w, f in zip(row, (1.0, 0.1, 2.0))] for row in weight]
    bias = uniform(rng, (5,))
    C = keras.constraints
    kinds = [
        ({"max_norm": {"max": 2.0}}, C.MaxNorm(2.0)),
        ({"max_norm": {"max": 0.5}}, C.MaxNorm(0.5)),
        ("non_negative", C.NonNeg()),
        ("unit_norm", C.UnitNorm()),
        ({"min_max_norm": {"min": 0.5, "max": 1.0, "rate": 1.0}}, C.MinMaxNorm(0.5, 1.0)),
        ({"min_max_norm": {"min": 0.5, "max": 1.0, "rate": 0.3}}, C.MinMaxNorm(0.5, 1.0, 0.3)),
    ]
    return {
        "weight": weight,
        "bias": bias,
        "cases": [
            {"constraint": name, "weight": plain(kind(tensor(weight))), "bias": plain(kind(tensor(bias)))}
            for name, kind in kinds
        ],
    }


def build():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    keras.config.set_floatx("float64")
    keras.config.set_epsilon(1e-290)
    rng = np.random.default_rng(SEED)
    return {
        "made_with": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "cases": plain_losses(rng),
        "through_activation": through_activation(rng),
        "sparse": sparse(rng),
        "with_options": with_options(rng),
        "penalties_of_outputs": penalties_of_outputs(rng),
        "constraints": constraints(rng),
    }


if __name__ == "__main__":
    write(build(), Path(__file__).with_suffix(".json"))

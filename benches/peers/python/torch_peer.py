"""PyTorch on the works of the comparison: eager, or with `--compile` compiled.

Eager is the loop of its tutorials. Compiled, the network with its loss, forward and backward, goes through
`torch.compile`, and the optimizer updates all parameters in one call: `fused` for Adam, `foreach` for RMSprop, which
has no fused one. The compiling is left out of the time: one network is compiled, and its parameters are set back before
each fit. The loss is the mean over the rows of the last epoch, each at the step that it was trained in.
"""

import sys
import time

import torch
from torch import nn

import work as w

COMPILE = "--compile" in sys.argv

if w.THREADS:
    torch.set_num_threads(w.THREADS)
    torch.set_num_interop_threads(w.THREADS)


def network(widths, dropout=0.0):
    layers = []
    for index, (inputs, units) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.Linear(inputs, units))
        nn.init.xavier_uniform_(layers[-1].weight)
        nn.init.zeros_(layers[-1].bias)
        if index + 2 < len(widths):
            layers.append(nn.ReLU())
            if dropout:
                layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def optimizer(work, parameters):
    if work.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, 1e-3, foreach=True if COMPILE else None)
    return torch.optim.Adam(parameters, 1e-3, fused=True if COMPILE else None)


def compiled(call):
    """The call itself, or its compiled form; the last batch of an epoch, which is not full, gets one of its own."""
    return torch.compile(call, dynamic=False) if COMPILE else call


def fit(work, x, classes):
    x, y = torch.from_numpy(x), torch.from_numpy(classes)
    model, cross_entropy = network(work.widths, work.dropout), nn.CrossEntropyLoss()
    begin = {name: value.clone() for name, value in model.state_dict().items()}
    loss_of = compiled(lambda x, y: cross_entropy(model(x), y))

    def run():
        model.load_state_dict(begin)
        steps = optimizer(work, model.parameters())
        start = time.perf_counter()
        for _ in range(work.epochs):
            total = 0.0
            for rows in torch.randperm(work.rows).split(work.batch):
                steps.zero_grad()
                loss = loss_of(x[rows], y[rows])
                loss.backward()
                steps.step()
                total += loss.item() * len(rows)
        return time.perf_counter() - start, total / work.rows

    if COMPILE:
        run()
    return run


def predictor(work, x):
    model, x = compiled(nn.Sequential(network(work.widths), nn.Softmax(1)).eval()), torch.from_numpy(x)

    @torch.inference_mode()
    def call():
        return model(x)

    call()
    return call


w.run("PyTorch compiled" if COMPILE else "PyTorch", fit, predictor)

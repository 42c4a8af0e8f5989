"""PyTorch, eager, on the works of the comparison."""

import time

import torch
from torch import nn

import work as w


def network(widths, dropout=0.0):
    layers = []
    for index, (inputs, units) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.Linear(inputs, units))
        if index + 2 < len(widths):
            layers.append(nn.ReLU())
            if dropout:
                layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def fit(work, x, classes):
    x, y = torch.from_numpy(x), torch.from_numpy(classes)

    def run():
        model, loss = network(work.widths, work.dropout), nn.CrossEntropyLoss()
        optimizer = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}[work.optimizer](model.parameters(), 1e-3)
        start = time.perf_counter()
        for _ in range(work.epochs):
            order = torch.randperm(work.rows)
            for rows in order.split(work.batch):
                optimizer.zero_grad()
                loss(model(x[rows]), y[rows]).backward()
                optimizer.step()
        return time.perf_counter() - start

    return run


def predictor(work, x):
    model, x = nn.Sequential(network(work.widths), nn.Softmax(1)).eval(), torch.from_numpy(x)

    @torch.inference_mode()
    def call():
        return model(x)

    return call


w.run("PyTorch", fit, predictor)

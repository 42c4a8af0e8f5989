"""scikit-learn's MLPClassifier on the works of the comparison; it has neither dropout nor RMSprop.

The loss is its `loss_`: of the last epoch, the mean over its rows, each at the step that it was trained in. How many
threads its products use is told to OpenBLAS by a variable of the environment (run.py).
"""

import time
import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import work as w

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def network(widths, batch, epochs):
    return MLPClassifier(widths[1:-1], alpha=0.0, batch_size=batch, max_iter=epochs, n_iter_no_change=10**6, tol=0.0)


def fit(work, x, classes):
    if work.dropout or work.optimizer != "adam":
        return None

    def run():
        model = network(work.widths, work.batch, work.epochs)
        start = time.perf_counter()
        model.fit(x, classes)
        return time.perf_counter() - start, model.loss_

    return run


def predictor(work, x):
    few = w.data(w.Training("", 256, work.widths, 0, 0, "", 0, 0.0))
    model = network(work.widths, 128, 1).fit(*few)
    return lambda: model.predict_proba(x)


w.run("scikit-learn", fit, predictor)

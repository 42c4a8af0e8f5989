"""Keras on TensorFlow, `fit` and a compiled call, on the works of the comparison.

Both with and without XLA (`jit_compile`), whichever is faster on the work: that is tried before. One model is compiled,
and its weights and the optimizer's state are set back before each fit, so that no fit traces its functions again. The
loss is what `fit` reports of the last epoch: the mean over its rows, each at the step that it was trained in.
"""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from keras import layers

import work as w

if w.THREADS:
    tf.config.threading.set_intra_op_parallelism_threads(w.THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(w.THREADS)


def network(widths, dropout=0.0, last=None):
    model = keras.Sequential([keras.Input((widths[0],))])
    for units in widths[1:-1]:
        model.add(layers.Dense(units, activation="relu"))
        if dropout:
            model.add(layers.Dropout(dropout))
    model.add(layers.Dense(widths[-1], activation=last))
    return model


def optimizer(work):
    if work.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(0.001, rho=0.99, epsilon=1e-8)
    return keras.optimizers.Adam(0.001, epsilon=1e-8)


def fit(work, x, classes):
    def compiled(jit):
        model, loss = network(work.widths, work.dropout), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=optimizer(work), loss=loss, jit_compile=jit)
        model.optimizer.build(model.trainable_variables)
        variables = [*model.variables, *model.optimizer.variables]
        begin = [variable.numpy() for variable in variables]

        def run():
            for variable, value in zip(variables, begin):
                variable.assign(value)
            start = time.perf_counter()
            history = model.fit(x, classes, epochs=work.epochs, batch_size=work.batch, verbose=0)
            return time.perf_counter() - start, history.history["loss"][-1]

        return run

    return faster(compiled, lambda run: run()[0])


def predictor(work, x):
    model, x = network(work.widths, last="softmax"), tf.constant(x)

    def compiled(jit):
        call = tf.function(model, jit_compile=jit)
        return lambda: call(x)

    def seconds(call):
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < 0.2:
            call()
            calls += 1
        return (time.perf_counter() - start) / calls

    return faster(compiled, seconds)


def faster(compiled, seconds):
    """What `compiled` returns with or without XLA, whichever takes fewer `seconds` in the better of two runs."""
    calls = [compiled(jit) for jit in (False, True)]
    for call in calls:
        seconds(call)
    return min(calls, key=lambda call: min(seconds(call), seconds(call)))


w.run("Keras", fit, predictor)

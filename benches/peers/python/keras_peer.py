"""Keras on TensorFlow, `fit` and a compiled call, on the works of the comparison."""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from keras import layers

import work as w


def network(widths, dropout=0.0, last=None):
    model = keras.Sequential([keras.Input((widths[0],))])
    for units in widths[1:-1]:
        model.add(layers.Dense(units, activation="relu"))
        if dropout:
            model.add(layers.Dropout(dropout))
    model.add(layers.Dense(widths[-1], activation=last))
    return model


def fit(work, x, classes):
    def run():
        model = network(work.widths, work.dropout)
        model.compile(optimizer=work.optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        start = time.perf_counter()
        model.fit(x, classes, epochs=work.epochs, batch_size=work.batch, verbose=0)
        return time.perf_counter() - start

    return run


def predictor(work, x):
    model, x = tf.function(network(work.widths, last="softmax")), tf.constant(x)
    return lambda: model(x)


w.run("Keras", fit, predictor)

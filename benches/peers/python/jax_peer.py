"""JAX on the works of the comparison: the whole fit is one compiled program, a scan over the batches of each epoch.

The time of compiling it is left out. The last batch of an epoch is left out too where it is not full, since a scan
needs batches of one size: at most 0.2 % of the rows of the large works. RMSprop and Adam are written out here. The loss
is the mean over the steps of the last epoch, each before its update.
"""

import time

import jax
import jax.numpy as jnp

import work as w


def weights(widths, key):
    keys = jax.random.split(key, len(widths) - 1)
    shapes = zip(keys, widths, widths[1:])
    return [(jax.random.uniform(k, (a, b), minval=-1, maxval=1) * (6 / (a + b)) ** 0.5, jnp.zeros(b)) for k, a, b in shapes]


def forward(params, x, key=None, dropout=0.0):
    for weight, bias in params[:-1]:
        x = jax.nn.relu(x @ weight + bias)
        if dropout:
            key, mask = jax.random.split(key)
            x = jnp.where(jax.random.bernoulli(mask, 1 - dropout, x.shape), x / (1 - dropout), 0)
    weight, bias = params[-1]
    return x @ weight + bias


def update(optimizer, step, params, grads, first, second):
    """One step of Adam or RMSprop: the parameters and both states anew."""
    tree = jax.tree.map
    if optimizer == "rmsprop":
        second = tree(lambda v, g: 0.99 * v + 0.01 * g * g, second, grads)
        return tree(lambda p, g, v: p - 1e-3 * g / (jnp.sqrt(v) + 1e-8), params, grads, second), first, second
    first = tree(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = tree(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
    m_scale, v_scale = 1 / (1 - 0.9**step), 1 / (1 - 0.999**step)
    adam = lambda p, m, v: p - 1e-3 * m * m_scale / (jnp.sqrt(v * v_scale) + 1e-8)
    return tree(adam, params, first, second), first, second


def fit(work, x, classes):
    x, y = jnp.asarray(x), jnp.asarray(classes)
    batches = work.rows // work.batch

    def loss(params, x, y, key):
        output = jax.nn.log_softmax(forward(params, x, key, work.dropout))
        return -jnp.take_along_axis(output, y[:, None], 1).mean()

    def step(state, rows):
        count, params, first, second, key = state
        key, mask = jax.random.split(key)
        value, grads = jax.value_and_grad(loss)(params, x[rows], y[rows], mask)
        return (count + 1, *update(work.optimizer, count + 1, params, grads, first, second), key), value

    def epoch(_, state):
        (*state, key), _ = state
        key, order = jax.random.split(key)
        rows = jax.random.permutation(order, work.rows)[: batches * work.batch].reshape(batches, work.batch)
        state, losses = jax.lax.scan(step, (*state, key), rows)
        return state, losses.mean()

    whole = jax.jit(lambda state: jax.lax.fori_loop(0, work.epochs, epoch, state))

    def run():
        params = weights(work.widths, jax.random.PRNGKey(0))
        zeros = jax.tree.map(jnp.zeros_like, params)
        state = (jnp.float32(0), params, zeros, zeros, jax.random.PRNGKey(1)), jnp.float32(0)
        jax.block_until_ready(state)
        start = time.perf_counter()
        _, value = jax.block_until_ready(whole(state))
        return time.perf_counter() - start, value

    run()  # compiles
    return run


def predictor(work, x):
    params, x = weights(work.widths, jax.random.PRNGKey(0)), jnp.asarray(x)
    call = jax.jit(lambda x: jax.nn.softmax(forward(params, x)))
    return lambda: call(x).block_until_ready()


w.run("JAX", fit, predictor)

"""Training the LSTM by JAX and optax. Nothing else among the forecasters imports them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from holdgood.models.forecasting.lstm_network import Lstm
from holdgood.models.tabular.mlp_training import one_cpu_thread

_LAST_RATE = 0.02
_SAMPLE = 64
_LEAST = 256
_COMPILING = 6.0
"""Seconds that JAX may need before the first step; with less there is no training."""
_TIMED = 4
_USED = 0.8


@dataclass(frozen=True)
class Settings:
    """``levels``: those of the quantiles, or none for a negative binomial. Sizes and rates as usual."""

    levels: tuple[float, ...]
    width: int
    hidden: int
    dropout: float
    learning_rate: float
    weight_decay: float
    epochs: int
    batch: int

    @property
    def outputs(self) -> int:
        """Numbers a step ahead: a quantile a level, or the log of the mean's factor and of the dispersion."""
        return len(self.levels) or 2


@dataclass(frozen=True)
class Examples:
    """``context`` (n, steps, channels), ``features`` (n, steps ahead, features), ``aim`` and ``offset`` (n, steps ahead);
    ``weight`` (n, steps ahead), 0 where there is no outcome. All float32.

    ``aim``: the outcome's distance from the simple forecast in units of the level, or a count, whose mean is
    exp(offset) times what the network says.
    """

    context: np.ndarray
    features: np.ndarray
    aim: np.ndarray
    offset: np.ndarray
    weight: np.ndarray

    def arrays(self) -> tuple[np.ndarray, ...]:
        """In the order of the fields."""
        return self.context, self.features, self.aim, self.offset, self.weight


@dataclass(frozen=True)
class Trained:
    """The network; epochs kept; share of the epochs done before the time was up; what JAX answers to a sample."""

    network: Lstm
    epochs: int
    finished: float
    sample: tuple[np.ndarray, np.ndarray]
    expected: np.ndarray


def train(learn: Examples, held: Examples, settings: Settings, bias: np.ndarray, seed: int, deadline: float) -> Trained:
    """Epochs of AdamW with a cosine schedule; those are kept that were best on ``held``. ``bias`` (outputs,): where the
    head begins, which is also what answers where the time ends before the first epoch, or no epoch is better.

    With a ``deadline`` a few steps are timed first, and the schedule is as long as there is time for.
    """
    with one_cpu_thread() as jax:
        rng = np.random.default_rng(seed)
        epoch, begin, loss_on, forward = _compiled(settings)
        parameters: Any = _begin(rng, learn.context.shape[2], learn.features.shape[2], settings, bias)
        best, lowest, kept, done, pace_of_epoch = parameters, math.inf, 0, 0, 0.0
        n = len(learn.context)
        first = _order(np.random.default_rng(seed), n, settings.batch, max(_LEAST, 1 << max(0, n - 1).bit_length()))
        data, kept_apart = _padded(learn, n), _padded(held, len(held.context))
        steps, total = max(1, n // settings.batch), 0
        if deadline - time.monotonic() > _COMPILING:
            state = begin(parameters)
            lowest = float(loss_on(parameters, *kept_apart))
            total = settings.epochs
            if math.isfinite(deadline):
                pace = _pace(
                    lambda few: jax.block_until_ready(
                        epoch(parameters, state, *data, first, few, 0.0, jax.random.key(0))
                    )
                )
                room = int(_USED * (deadline - time.monotonic()) / pace)
                total, steps = max(1, min(total, room // steps)), max(1, min(steps, room))
        patience = max(4, total // 4)
        planned = total
        for number in range(planned):
            began = time.monotonic()
            if began + pace_of_epoch > deadline:
                break
            order = _order(rng, n, settings.batch, len(data[0]))
            share = 0.5 if not number else 0.5 * (1 + math.cos(math.pi * number / planned))
            rate = settings.learning_rate * (_LAST_RATE + (1 - _LAST_RATE) * share)
            key = jax.random.key(rng.integers(2**31))
            parameters, state = epoch(parameters, state, *data, order, steps, rate, key)
            loss = float(loss_on(parameters, *kept_apart))
            done = number + 1
            pace_of_epoch = max(0.7 * pace_of_epoch, time.monotonic() - began)
            if loss < lowest:
                best, lowest, kept = parameters, loss, done
            elif done - kept >= patience:
                total = done
                break
        network = Lstm(**{name: np.array(value) for name, value in best.items()})
        few = slice(0, _SAMPLE if done else 0)
        sample = learn.context[few], learn.features[few, 0]
        expected = np.asarray(forward(best, *sample)) if done else np.empty((0, settings.outputs))
        return Trained(network, kept, done / max(total, 1) * planned / settings.epochs, sample, expected)


@cache
def _compiled(settings: Settings) -> tuple[Callable[..., Any], ...]:
    """An epoch, the optimiser's first state, the loss and the answers; compiled at their first use for each shape."""
    import jax
    import jax.numpy as jnp
    import optax

    optimiser = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b2=0.99),
        optax.add_decayed_weights(
            settings.weight_decay, mask=lambda p: {n: n in ("gates", "first", "second") for n in p}
        ),
    )
    levels = jnp.asarray(settings.levels)

    def encode(p: Any, context: Any) -> Any:
        zero = jnp.zeros((len(context), settings.width))

        def step(carried: Any, x: Any) -> Any:
            state, cell = carried
            enter, keep, new, leave = jnp.split(jnp.hstack([x, state]) @ p["gates"] + p["gates_bias"], 4, axis=1)
            cell = jax.nn.sigmoid(keep) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
            return (jax.nn.sigmoid(leave) * jnp.tanh(cell), cell), None

        return jax.lax.scan(step, (zero, zero), jnp.swapaxes(context, 0, 1))[0][0]

    def dropped(a: Any, key: Any) -> Any:
        if key is None or not settings.dropout:
            return a
        return jnp.where(jax.random.bernoulli(key, 1 - settings.dropout, a.shape), a / (1 - settings.dropout), 0.0)

    def head(p: Any, state: Any, features: Any, key: Any = None) -> Any:
        hidden = jax.nn.relu(jnp.concatenate([state, features], axis=-1) @ p["first"] + p["first_bias"])
        return dropped(hidden, key) @ p["second"] + p["second_bias"]

    def forward(p: Any, context: Any, features: Any) -> Any:
        return head(p, encode(p, context), features)

    def pinball(said: Any, aim: Any, offset: Any) -> Any:
        short = aim[..., None] - said
        return jnp.maximum(levels * short, (levels - 1) * short).mean(axis=-1)

    def counts(said: Any, aim: Any, offset: Any) -> Any:
        """Negative log-likelihood of a negative binomial (its part that moves)."""
        mean = jnp.exp(offset + jnp.clip(said[..., 0], -5, 5))
        size = jnp.exp(-jnp.clip(said[..., 1], -5, 5))
        both = jnp.log(size + mean)
        fit = jax.lax.lgamma(aim + size) - jax.lax.lgamma(size)
        return -(fit + size * (jnp.log(size) - both) + aim * (jnp.log(mean) - both))

    def loss(p: Any, context: Any, features: Any, aim: Any, offset: Any, weight: Any, key: Any = None) -> Any:
        keys = (None, None) if key is None else jax.random.split(key)
        state = dropped(encode(p, context), keys[0])
        spread = jnp.broadcast_to(state[:, None, :], (*features.shape[:2], settings.width))
        each = (pinball if settings.levels else counts)(head(p, spread, features, keys[1]), aim, offset)
        return (each * weight).sum() / jnp.maximum(weight.sum(), 1e-9)

    @jax.jit
    def epoch(p: Any, state: Any, *rest: Any) -> Any:
        *data, order, steps, rate, key = rest

        def step(i: Any, carried: Any) -> Any:
            p, state = carried
            slope = jax.grad(loss)(p, *(a[order[i]] for a in data), jax.random.fold_in(key, i))
            change, state = optimiser.update(slope, state, p)
            return jax.tree.map(lambda a, b: a - rate * b, p, change), state

        return jax.lax.fori_loop(0, steps, step, (p, state))

    return epoch, jax.jit(optimiser.init), jax.jit(loss), jax.jit(forward)


def _pace(run: Callable[[int], Any]) -> float:
    """Seconds a step, after one that also compiles."""
    run(1)
    began = time.monotonic()
    run(_TIMED)
    return (time.monotonic() - began) / _TIMED


def _begin(rng: np.random.Generator, channels: int, features: int, s: Settings, bias: np.ndarray) -> dict[str, Any]:
    """Uniform weights by the root of what comes in, forget gates open, a head that says ``bias`` whatever comes."""

    def uniform(comes_in: int, goes_out: int) -> np.ndarray:
        return (rng.uniform(-1, 1, (comes_in, goes_out)) / math.sqrt(comes_in)).astype(np.float32)

    gates_bias = np.zeros(4 * s.width, np.float32)
    gates_bias[s.width : 2 * s.width] = 1.0
    return {
        "gates": uniform(channels + s.width, 4 * s.width),
        "gates_bias": gates_bias,
        "first": uniform(s.width + features, s.hidden),
        "first_bias": np.zeros(s.hidden, np.float32),
        "second": np.zeros((s.hidden, s.outputs), np.float32),
        "second_bias": bias.astype(np.float32),
    }


def _padded(examples: Examples, n: int) -> tuple[np.ndarray, ...]:
    """In arrays of a size that fits share, so that they share a compilation; what is added has no weight."""
    more = max(_LEAST, 1 << max(0, n - 1).bit_length()) - n
    return tuple(np.pad(a, ((0, more), *((0, 0),) * (a.ndim - 1))) for a in examples.arrays())


def _order(rng: np.random.Generator, n: int, batch: int, room: int) -> np.ndarray:
    """Examples of each step, shuffled: (steps that there is room for, batch). Fewer than a batch are drawn repeatedly."""
    order = np.zeros((max(1, room // batch), batch), np.int32)
    drawn = rng.permutation(n) if n >= batch else rng.integers(0, n, batch)
    steps = len(drawn) // batch
    order[:steps] = drawn[: steps * batch].reshape(steps, batch)
    return order

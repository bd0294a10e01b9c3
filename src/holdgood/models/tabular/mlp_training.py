"""Training the network of the MLP by JAX and optax. Nothing else in holdgood imports them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from holdgood.models.tabular.lost_units import dropped, keys_of
from holdgood.models.tabular.mlp_network import Network

_INPUTS = 32  # inputs are padded to a multiple of this, so that folds share a compilation
_SMALL = 1 << 15  # so many rows are padded to a power of two, more to a sixteenth of one
_LAST_RATE = 0.02
_SAMPLE_ROWS = 256


@dataclass(frozen=True)
class Settings:
    """``kind`` as in Task; ``outputs`` numbers a row; rates, sizes and shares as usual. ``epochs``: the whole schedule."""

    kind: str
    outputs: int
    members: int
    width: int
    dropout: float
    learning_rate: float
    weight_decay: float
    smoothing: float
    epochs: int


@dataclass(frozen=True)
class Rows:
    """Inputs (rows, inputs) float32, outcomes (standardised values or class codes) and weights, both float32."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Trained:
    """The network; epochs kept; share of the epochs done before the time was up; epochs of the schedule that was gone
    through; what JAX answers to a sample of rows.
    """

    network: Network
    epochs: int
    finished: float
    schedule: int
    sample: np.ndarray
    expected: np.ndarray


def train(
    rows: Rows,
    stop: Rows | None,
    loss_on: Callable[[Network, Rows], float],
    settings: Settings,
    bias: np.ndarray,
    seed: int,
    rounds: int | None,
    deadline: float,
) -> Trained:
    """Epochs of AdamW with a cosine schedule. With ``stop`` rows those epochs are kept that were best on them by
    ``loss_on``; ``rounds``: exactly so many. ``bias`` (outputs,): where the members begin. The clock ends between epochs;
    where it has run out before the first, the network answers ``bias``. Where it does not bear all epochs of a fit with
    ``stop`` rows, the schedule is cut to those that it does.
    """
    with one_cpu_thread() as jax:
        rng = np.random.default_rng(seed)
        inputs = rows.x.shape[1]
        padded = -(-inputs // _INPUTS) * _INPUTS
        parameters = _begin(rng, inputs, padded, settings, bias)
        epoch, begin, forward = compiled(settings)
        batch = _batch(len(rows.x))
        data = _padded(rows, padded)
        state = begin(parameters)
        total = settings.epochs if rounds is None else rounds
        schedule = settings.epochs
        patience = max(8, settings.epochs // 4)
        best, lowest, kept, done, pace = parameters, math.inf, 0, 0, 0.0
        for number in range(total):
            began = time.monotonic()
            if began + pace > deadline:
                break
            if stop is not None and rounds is None and pace and math.isfinite(deadline):
                total = schedule = min(schedule, number + max(1, int((deadline - began) / pace)))
            order = _order(rng, len(rows.x), batch, len(data[0]))
            rate = settings.learning_rate * _share_of_rate(number, schedule)
            key = rng.integers(2**32, dtype=np.uint32)
            parameters, state = epoch(parameters, state, *data, order, max(1, len(rows.x) // batch), rate, key)
            jax.block_until_ready(parameters)
            done = number + 1
            if number:  # the first epoch also compiles
                pace = max(0.7 * pace, time.monotonic() - began)
            if stop is None or rounds is not None:
                best, kept = parameters, done
                continue
            loss = loss_on(_network(parameters, inputs), stop)
            if loss < lowest:
                best, lowest, kept = parameters, loss, done
            elif done - kept >= patience:
                total = done
                break
        network = _network(best, inputs)
        if not kept:
            network.head[:] = 0.0
            return Trained(network, 0, 0.0, schedule, rows.x[:0], np.empty((0, settings.members, settings.outputs)))
        sample = rows.x[np.linspace(0, len(rows.x) - 1, _SAMPLE_ROWS).astype(np.int64)]
        expected = np.asarray(forward(best, np.pad(sample, ((0, 0), (0, padded - inputs)))))
        return Trained(network, kept, done / total, schedule, sample, expected)


@contextmanager
def one_cpu_thread() -> Iterator[Any]:
    """JAX on one thread of the CPU, whatever accelerators there are. Flags count only when its backend starts."""
    flags = {"NPROC": "1", "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()}
    before = {name: os.environ.get(name) for name in flags}
    os.environ.update(flags)
    try:
        import jax

        cpu = jax.devices("cpu")[0]
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    with jax.default_device(cpu):
        yield jax


def compiled(settings: Settings) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """What JAX compiles for some settings; the schedule is no part of it."""
    return _compiled(replace(settings, learning_rate=0.0, epochs=0))


@cache
def _compiled(settings: Settings) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """An epoch, the optimiser's first state and the members' answers; compiled at their first use for each shape."""
    import jax
    import jax.numpy as jnp
    import optax

    optimiser = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b2=0.98),
        optax.add_decayed_weights(
            settings.weight_decay, mask=lambda p: {n: n in ("first", "second", "head") for n in p}
        ),
    )

    def thinned(units: Any, key: Any) -> Any:
        return units if key is None else dropped(units, key, settings.dropout)

    def forward(p: Any, x: Any, keys: Any = (None, None)) -> Any:
        own = x[:, None, :] * p["adapter"]
        own = thinned(jax.nn.relu(own @ p["first"] + p["first_bias"]), keys[0])
        own = thinned(jax.nn.relu(own @ p["second"] + p["second_bias"]), keys[1])
        return jnp.einsum("bmw,mow->bmo", own, p["head"]) + p["head_bias"]

    def loss(p: Any, x: Any, y: Any, weight: Any, keys: Any) -> Any:
        said = forward(p, x, keys)
        if settings.kind == "regression":
            each = (said[..., 0] - y[:, None]) ** 2
        elif settings.kind == "binary":
            aim = y * (1 - settings.smoothing) + settings.smoothing / 2
            each = optax.sigmoid_binary_cross_entropy(said[..., 0], aim[:, None])
        else:
            aim = optax.smooth_labels(jax.nn.one_hot(y.astype(int), settings.outputs), settings.smoothing)
            each = optax.softmax_cross_entropy(said, aim[:, None, :])
        return (each.mean(axis=1) * weight).mean()

    @jax.jit
    def epoch(p: Any, state: Any, x: Any, y: Any, weight: Any, order: Any, steps: Any, rate: Any, key: Any) -> Any:
        def step(i: Any, carried: Any) -> Any:
            p, state = carried
            at = order[i]
            slope = jax.grad(loss)(p, x[at], y[at], weight[at], keys_of(key, i.astype(jnp.uint32), 2))
            change, state = optimiser.update(slope, state, p)
            return jax.tree.map(lambda a, b: a - rate * b, p, change), state

        return jax.lax.fori_loop(0, steps, step, (p, state))

    return epoch, jax.jit(optimiser.init), jax.jit(forward)


def _begin(rng: np.random.Generator, inputs: int, padded: int, s: Settings, bias: np.ndarray) -> dict[str, np.ndarray]:
    """Random signs for the adapter (TabM), uniform weights by the root of what comes in, heads around ``bias``."""

    def uniform(shape: tuple[int, ...], comes_in: int) -> np.ndarray:
        return rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(math.sqrt(comes_in))

    first = np.zeros((padded, s.width), np.float32)
    first[:inputs] = uniform((inputs, s.width), inputs)
    adapter = np.ones((s.members, padded), np.float32)
    adapter[:, :inputs] = rng.choice(np.array([-1.0, 1.0], np.float32), (s.members, inputs))
    return {
        "adapter": adapter,
        "first": first,
        "first_bias": uniform((s.width,), inputs),
        "second": uniform((s.width, s.width), s.width),
        "second_bias": uniform((s.width,), s.width),
        "head": uniform((s.members, s.outputs, s.width), s.width),
        "head_bias": np.tile(bias.astype(np.float32), (s.members, 1)),
    }


def _network(parameters: dict[str, Any], inputs: int) -> Network:
    arrays = {name: np.array(value) for name, value in parameters.items()}
    arrays["adapter"] = np.ascontiguousarray(arrays["adapter"][:, :inputs])
    arrays["first"] = np.ascontiguousarray(arrays["first"][:inputs])
    return Network(**arrays)


def _batch(rows: int) -> int:
    return next((size for least, size in ((4096, 256), (1024, 128), (256, 64), (64, 32)) if rows >= least), 8)


def _padded(rows: Rows, inputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows in arrays of a size that folds share; what is added is never looked at."""
    n = len(rows.x)
    whole = 2 ** (n - 1).bit_length()
    more = -n % (whole if n <= _SMALL else whole // 16)
    return (
        np.pad(rows.x, ((0, more), (0, inputs - rows.x.shape[1]))),
        np.pad(rows.y, (0, more)),
        np.pad(rows.weight, (0, more)),
    )


def _order(rng: np.random.Generator, rows: int, batch: int, room: int) -> np.ndarray:
    """Rows of each step, shuffled: (steps that there is room for, batch). Few rows than a batch are drawn repeatedly."""
    order = np.zeros((max(1, room // batch), batch), np.int32)
    drawn = rng.permutation(rows) if rows >= batch else rng.integers(0, rows, batch)
    steps = len(drawn) // batch
    order[:steps] = drawn[: steps * batch].reshape(steps, batch)
    return order


def _share_of_rate(epoch: int, epochs: int) -> float:
    """Half in the first epoch, then along half a cosine to a fiftieth."""
    if not epoch:
        return 0.5
    return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))

"""Which units a network loses in a step of training (dropout), by a hash of their places and a key of the step.

JAX's own generator (Threefry, twenty rounds a word) took half of an epoch of a small network and a third of its compilation. What is drawn here
has to look like chance to gradient descent, not to a cryptographer: one 32-bit word, mixed by the end of MurmurHash3 (Appleby 2011), decides of
four units, a byte each. ``share`` is therefore kept to the nearest 1/256.
"""

from __future__ import annotations

from typing import Any

_GOLDEN, _STEP = 0x9E3779B1, 0x27D4EB2F
"""Odd, so that multiples of one of them visit all 32-bit words."""
BYTES = 256


def mixed(word: Any) -> Any:
    """A 32-bit word (of JAX or NumPy, any shape) turned so that each bit of it flips each bit of the answer with a chance of a half; one to one."""
    kind = word.dtype.type
    word = (word ^ (word >> kind(16))) * kind(0x85EBCA6B)
    word = (word ^ (word >> kind(13))) * kind(0xC2B2AE35)
    return word ^ (word >> kind(16))


def keys_of(epoch: Any, step: Any, layers: int) -> list[Any]:
    """A key a layer for a step, from the key of its epoch (both unsigned, 32 bits)."""
    keys = [mixed(epoch + step * step.dtype.type(_STEP))]
    while len(keys) < layers:
        keys.append(mixed(keys[-1]))
    return keys


def dropped(units: Any, key: Any, share: float) -> Any:
    """``units`` (any shape, JAX) of which ``share`` (255/256 at most) are zero and the others larger, so that the mean stays."""
    import jax
    import jax.numpy as jnp

    lost = min(BYTES - 1, round(BYTES * share))
    if not lost:
        return units
    words = mixed(jax.lax.iota(jnp.uint32, -(-units.size // 4)) * jnp.uint32(_GOLDEN) ^ key)
    chance = jax.lax.bitcast_convert_type(words, jnp.uint8).ravel()[: units.size].reshape(units.shape)
    return jnp.where(chance >= lost, units * (BYTES / (BYTES - lost)), 0.0)

"""A commitment to the facts of an answer: they are not in it, and whoever still has them can prove that it was about them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from holdgood.core.errors import DataError
from holdgood.core.records.envelope import Part

_LEAST, _MOST = -(2**63), 2**64
"""Whole numbers that are kept to the digit; others are 64-bit floats, as parsers of JSON make them."""
_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class Commitment(Part):
    """``hash``: SHA-256 in hex of the salt, a colon and the facts as ``canonical`` writes them, in UTF-8. ``salt``: 128 random bits in hex.

    The salt lies beside the hash, and goes with it when the record is forgotten. Until then whoever reads both can try facts out: a row of few,
    coarse columns can be guessed, one with an amount or a time to the second in it hardly.
    """

    salt: str
    hash: str

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether these are the facts. Raises DataError for what is no plain JSON."""
        return hmac.compare_digest(self.hash, _hash(self.salt, facts))


def committed(facts: Mapping[str, Any]) -> dict[str, str]:
    """A commitment with a salt of its own, as it is stored. Raises DataError for what is no plain JSON."""
    salt = secrets.token_hex(16)
    return {"salt": salt, "hash": _hash(salt, facts)}


def canonical(value: Any) -> str:
    """JSON that is the same for the same facts, however they were written: names sorted, no spaces, no escapes that are not needed, 7.0 as 7.

    Raises DataError for what is no plain JSON: another type, a number that is not finite.

    >>> canonical({"b": 7.0, "a": [True, None, 0.5, "é"]})
    '{"a":[true,null,0.5,"é"],"b":7}'
    """
    try:
        return _encoded(_plain(value))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(
            "facts that are no plain JSON", "texts, finite numbers, true, false and null", "give the row as it was sent"
        ) from error


def _hash(salt: str, facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{salt}:{canonical(facts)}".encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if _LEAST <= value < _MOST else _plain(float(value))
    if kind is float:
        return int(value) if _LEAST <= value < _MOST and value.is_integer() else value
    if isinstance(value, Mapping):
        return {name: _plain(cell) for name, cell in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(cell) for cell in value]
    raise TypeError(kind.__name__)

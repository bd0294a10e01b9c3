"""Remember a result for as long as the Arrow table lives that it was computed from, so that checks of one run share it.

What is large is remembered only within a budget of bytes that all memories share. What does not fit any more is made anew
each time: checks go over the columns again and again in the same order, and there pushing out the oldest would help nobody.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

import pyarrow as pa

V = TypeVar("V")

BUDGET = 400_000_000
"""Bytes that all large results together may take, or less where little memory is allowed."""

_spent: dict[str, int] = {"bytes": 0}


@lru_cache(maxsize=1)
def _budget() -> int:
    # Here and not at the top: it looks at processes and containers, which importing the audit need not wait for.
    from holdgood.scale.memory import memory_allowed

    return min(BUDGET, memory_allowed())


class Memory(Generic[V]):
    """Results by (identity of an Arrow table, key). Arrow tables never change, and a dead one is forgotten at once.

    ``size``: bytes of a result, for results that are counted against the budget; without it all are kept.
    """

    def __init__(self, size: Callable[[V], int] | None = None) -> None:
        self._kept: dict[int, tuple[weakref.ref[pa.Table], dict[Hashable, V]]] = {}
        self._size = size

    def get(self, data: pa.Table, key: Hashable, make: Callable[[], V]) -> V:
        """The remembered result, or a fresh one that is then remembered where there is room."""
        results = self._of(data)
        if key in results:
            return results[key]
        made = make()
        self._keep(results, key, made)
        return made

    def put(self, data: pa.Table, key: Hashable, value: V) -> None:
        """Remember a result that came along with another one."""
        results = self._of(data)
        if key not in results:
            self._keep(results, key, value)

    def knows(self, data: pa.Table, key: Hashable) -> bool:
        """Whether a result is remembered."""
        return key in self._of(data)

    def _of(self, data: pa.Table) -> dict[Hashable, V]:
        number = id(data)
        entry = self._kept.get(number)
        if entry is None or entry[0]() is not data:
            entry = (weakref.ref(data, lambda _: self._forget(number)), {})
            self._kept[number] = entry
        return entry[1]

    def _keep(self, results: dict[Hashable, V], key: Hashable, value: V) -> None:
        if self._size is not None:
            size = self._size(value)
            if _spent["bytes"] + size > _budget():
                return
            _spent["bytes"] += size
        results[key] = value

    def _forget(self, number: int) -> None:
        entry = self._kept.pop(number, None)
        if entry is not None and self._size is not None:
            _spent["bytes"] -= sum(self._size(v) for v in entry[1].values())

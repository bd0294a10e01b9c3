"""Remember a result for as long as the Arrow table lives that it was computed from, so that checks of one run share it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import pyarrow as pa

V = TypeVar("V")


class Memory(Generic[V]):
    """Results by (identity of an Arrow table, key). Arrow tables never change, and a dead one is forgotten at once."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[pa.Table], dict[Hashable, V]]] = {}

    def get(self, data: pa.Table, key: Hashable, make: Callable[[], V]) -> V:
        """The remembered result, or a fresh one that is then remembered."""
        number = id(data)
        entry = self._kept.get(number)
        if entry is None or entry[0]() is not data:
            gone = weakref.ref(data, lambda _: self._kept.pop(number, None))
            entry = (gone, {})
            self._kept[number] = entry
        results = entry[1]
        if key not in results:
            results[key] = make()
        return results[key]

"""Scored pieces that are shown and not kept: in memory while they fit, beyond that in a temporary file."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from holdgood.connectors.store import Store


class Loose:
    """The same as ``Kept`` for answers that go to the terminal: nothing of them outlives the command."""

    old = False

    def __init__(self, size: int) -> None:
        self.size = size
        self._store = Store(share=0.5)
        self._said: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._said)

    def add(self, data: pa.Table, said: dict[str, Any]) -> None:
        """Take the next piece."""
        self._store.add(data)
        self._said.append(said)

    def said(self) -> list[dict[str, Any]]:
        """What was said about each piece, in order."""
        return self._said

    def tables(self) -> list[pa.Table]:
        """The pieces in order."""
        return self._store.tables()

    def close(self) -> None:
        """Nothing to let go of."""

    def remove(self) -> None:
        """Nothing to delete."""

"""replace-values: texts become the texts that were meant, by a frozen list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, some_columns, with_column
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted


class ReplaceValues:
    """Parameters: ``mapping`` (text = what it becomes) and ``missing`` (texts that become missing); at least one of them.

    Each cell is looked at once and alone: what a text becomes is not looked up again.
    """

    name: ClassVar[str] = "replace-values"
    title: ClassVar[str] = "texts become the texts that were meant"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Rewrite texts; DeclarationError for other columns and for lists that contradict themselves."""
        only_known(self.name, parameters, ("mapping", "missing"), needed=True)
        some_columns(self.name, columns)
        becomes = self._becomes(parameters)
        out, cells = table, 0
        for column in dict.fromkeys(columns):
            kind = out.data.schema.field(column).type
            if not pa.types.is_string(kind):
                raise DeclarationError(f"{self.name}: column {column!r} holds {kind}", "texts", "leave it as it is")
            out, changed = rewritten(out, column, becomes)
            cells += changed
        sentence = f"{counted(len(becomes), 'text')} replaced, {counted(cells, 'cell')} rewritten"
        return out, entry(self.name, table, columns, parameters, cells, sentence)

    def _becomes(self, parameters: Mapping[str, Any]) -> dict[str, str | None]:
        mapping, missing = parameters.get("mapping", {}), parameters.get("missing", ())
        sound = isinstance(mapping, Mapping) and all(isinstance(x, str) for pair in mapping.items() for x in pair)
        if not sound or not isinstance(missing, (list, tuple)) or not all(isinstance(x, str) for x in missing):
            raise DeclarationError(
                f"{self.name}: mapping = {mapping!r}, missing = {missing!r}",
                "texts and what they become, and a list of texts",
                'write mapping = { "Pariss" = "Paris" } and missing = ["P?r?s"]',
            )
        twice = [t for t in missing if t in mapping]
        again = [t for t, to in mapping.items() if t != to and (to in mapping or to in missing)]
        if twice or again:
            raise DeclarationError(
                f"{self.name}: {(twice + again)[0]!r} is listed twice, or becomes a text that is itself replaced",
                "each text once, becoming one that stays",
                "take one of them out",
            )
        return {**mapping, **dict.fromkeys(missing)}


def rewritten(table: Table, column: str, becomes: Mapping[str, str | None]) -> tuple[Table, int]:
    """The table with texts of one column replaced, each distinct one looked up once, and how many cells changed."""
    coded = table.data.column(column).combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    old = coded.dictionary.to_pylist()
    new = [becomes.get(t, t) for t in old]
    changed = pa.array([a != b for a, b in zip(old, new, strict=True)], pa.bool_()).take(coded.indices)
    hit = int(pc.sum(changed).as_py() or 0)
    if hit == 0:
        return table, 0
    return with_column(table, column, pa.chunked_array([pa.array(new, pa.string()).take(coded.indices)])), hit


REPAIR = ReplaceValues()
"""The repair that is registered."""

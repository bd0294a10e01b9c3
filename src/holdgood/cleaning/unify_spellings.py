"""unify-spellings: several spellings of one level become one."""

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

RULE = "case+space"


class UnifySpellings:
    """Parameters: ``mapping`` (spelling = the one to keep), or ``rule`` = "case+space" (lower case, single spaces).

    Either looks at one cell alone, so that a new row is treated as the old ones were.
    """

    name: ClassVar[str] = "unify-spellings"
    title: ClassVar[str] = "spellings of one level become one"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Rewrite texts; cells that already read so are not counted."""
        only_known(self.name, parameters, ("mapping", "rule"), needed=True)
        some_columns(self.name, columns)
        mapping = self._mapping(parameters)
        out, cells = table, 0
        for column in dict.fromkeys(columns):
            kind = out.data.schema.field(column).type
            if not pa.types.is_string(kind):
                raise DeclarationError(f"{self.name}: column {column!r} holds {kind}", "texts", "leave it as it is")
            coded = out.data.column(column).combine_chunks().dictionary_encode()
            coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
            old = coded.dictionary.to_pylist()
            if not old:
                continue
            new = [" ".join(t.casefold().split()) if mapping is None else mapping.get(t, t) for t in old]
            changed = pa.array([a != b for a, b in zip(old, new, strict=True)]).take(coded.indices)
            hit = int(pc.sum(changed).as_py() or 0)
            if hit:
                out = with_column(out, column, pa.chunked_array([pa.array(new, pa.string()).take(coded.indices)]))
            cells += hit
        what = "lower case and single spaces" if mapping is None else f"{counted(len(mapping), 'spelling')}"
        return out, entry(self.name, table, columns, parameters, cells, f"{what}: {counted(cells, 'cell')} rewritten")

    def _mapping(self, parameters: Mapping[str, Any]) -> dict[str, str] | None:
        """The mapping with chains followed to their end, or None for the rule."""
        if "rule" in parameters:
            if "mapping" in parameters or parameters["rule"] != RULE:
                raise DeclarationError(
                    f"{self.name}: rule = {parameters['rule']!r}",
                    f"either mapping, or rule = {RULE!r}",
                    "keep one of them",
                )
            return None
        mapping = parameters["mapping"]
        if (
            not isinstance(mapping, Mapping)
            or not mapping
            or not all(isinstance(x, str) for pair in mapping.items() for x in pair)
        ):
            raise DeclarationError(
                f"{self.name}: mapping = {mapping!r}",
                "texts and what they become",
                'write mapping = { "pars" = "Paris" }',
            )
        followed = {}
        for start in mapping:
            seen, at = [start], mapping[start]
            while at in mapping and at not in seen:
                seen.append(at)
                at = mapping[at]
            if at in seen[:-1] or (at == start and mapping[start] != start):
                raise DeclarationError(
                    f"{self.name}: the mapping runs in a circle at {start!r}", "one spelling that stays", "take one out"
                )
            followed[start] = at
        return followed


REPAIR = UnifySpellings()

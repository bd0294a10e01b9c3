"""AUD004: a key that does not name one row: declared keys, and keys found in the data that two different rows share."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.doubles import of_one_name, one_thing
from holdgood.audit.found import found, listed, percent
from holdgood.audit.keys import ROWS, Key, keys, repeated
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

MANY = 0.01


class Keys:
    """Counts rows whose declared key is missing or comes again; without one, rows that share a key that names all the others.

    Of a key that was found, only different things of one name are told. Copies of one thing are duplicates (AUD002, AUD029) or
    contradictions (AUD030). In a set of tables the grain of the main table is told as well.
    """

    code: ClassVar[str] = "AUD004"
    title: ClassVar[str] = "keys"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table with a declared key, and for a key in those of 50 rows without one."""
        declared = [(t, tuple(context.spec(name).key)) for name, t in context.tables.items() if context.spec(name).key]
        undeclared = [t for n, t in context.tables.items() if not context.spec(n).key and t.rows >= ROWS]
        if not declared and not undeclared:
            raise NotApplicable(f"no key is declared and no table has {ROWS} rows")
        out = [f for t, key in declared for f in self._declared(t, key)]
        for table in undeclared:
            out += [f for key in keys(table) if key.repeats for f in self._shared(table, key)]
        main = context.tables.get(context.declaration.main) if context.declaration.tables else None
        if main is not None and len(context.tables) > 1 and any(main is t for t in undeclared):
            out += self._grain(main)
        return out

    def _declared(self, table: Table, key: tuple[str, ...]) -> list[Finding]:
        for name in key:
            table.type_of(name)
        gone = np.zeros(table.rows, dtype=bool)
        for name in key:
            gone |= columns.missing(table, name)
        first, second = repeated(table, key)
        again = len(second)
        out = []
        if again:
            message = f"the key {listed(key)} is not unique: {again:,} of {table.rows:,} rows ({percent(again, table.rows)}) repeat a key"
            evidence = {"repeated": again, "share": round(again / table.rows, 6)}
            out.append(
                found(
                    self,
                    "issue",
                    "high",
                    table.name,
                    key,
                    message,
                    rows=again,
                    evidence=evidence,
                    examples=np.stack([first, second], axis=1)[:10].ravel(),
                )
            )
        if gone.any():
            empty = int(gone.sum())
            message = (
                f"the key {listed(key)} is missing in {empty:,} of {table.rows:,} rows ({percent(empty, table.rows)})"
            )
            evidence = {"missing": empty, "share": round(empty / table.rows, 6)}
            out.append(
                found(
                    self,
                    "issue",
                    "medium",
                    table.name,
                    key,
                    message,
                    rows=empty,
                    evidence=evidence,
                    examples=np.flatnonzero(gone),
                )
            )
        return out

    def _shared(self, table: Table, key: Key) -> list[Finding]:
        named = of_one_name(table, key)
        again = len(np.unique(named.second))
        if again == 0 or one_thing(table, named, key):
            return []
        verb = "names" if len(key.columns) == 1 else "name"
        message = (
            f"{listed(key.columns)} {verb} one row nearly everywhere, but {again:,} of {table.rows:,} rows "
            f"({percent(again, table.rows)}) {'carries' if again == 1 else 'carry'} a key that another row, with other content, has already"
        )
        many = again >= MANY * table.rows
        return [
            found(
                self,
                "issue" if many else "tip",
                "high" if many else "medium",
                table.name,
                key.columns,
                message,
                rows=again,
                evidence={"repeated": again, "share": round(again / table.rows, 6)},
                sure="likely",
                examples=np.stack([named.first, named.second], axis=1)[:10].ravel(),
            )
        ]

    def _grain(self, table: Table) -> list[Finding]:
        found_key = next((k for k in keys(table) if k.repeats == 0), None)
        if found_key is None:
            return []
        message = (
            f"one row of {table.name} is one {listed(found_key.columns)}: found in the data, unique in all {table.rows:,} rows. "
            "Declare it as the key, so that later tables are held to it"
        )
        return [
            found(
                self,
                "tip",
                "low",
                table.name,
                found_key.columns,
                message,
                rows=table.rows,
                evidence={"columns": len(found_key.columns)},
                sure="likely",
            )
        ]


CHECK = Keys()

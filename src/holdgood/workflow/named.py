"""What a declaration names must be there: a misspelt column under `known` or `ignore` would let in what was meant to stay out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from holdgood.core.declaration import Declaration, TableSpec
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.table import Table
from holdgood.core.text import counted


def check_sources(declaration: Declaration, given: Collection[str]) -> None:
    """Every table has a source, or was given as a frame; DeclarationError otherwise, before anything is written."""
    main = declaration.main
    for name in (main, *(n for n in declaration.tables if n != main)):
        if not declaration.tables[name].source and name not in given:
            raise DeclarationError(
                f"tables.{name} has no source",
                "a file, sqlite:///file.db?table=t or postgresql://…?table=t",
                f'write source = "FILE" under [tables.{name}]',
            )


def check_rows(table: Table) -> Table:
    """The table, where it has rows; DataError otherwise."""
    if table.rows == 0:
        raise DataError(
            f"table {table.name!r} has no rows",
            "at least some dozens of rows",
            f"check {table.source or table.name}: it has {counted(len(table.columns), 'column')} and nothing below",
        )
    return table


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, numbered where it comes again.

    >>> free_name("orders", ["orders", "orders_2"])
    'orders_3'
    """
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def check_columns(declaration: Declaration, tables: Mapping[str, Table]) -> None:
    """Columns that table sections name, and tables that repairs name, are there; an error with the nearest name otherwise."""
    main = tables[declaration.main]
    for name, spec in declaration.tables.items():
        for where, columns in _named(spec).items():
            _look(f"tables.{name}.{where}", columns, tables[name])
        if spec.join is not None:
            _look(f"tables.{name}.join.on", spec.join.on.keys(), main)
            _look(f"tables.{name}.join.on", spec.join.on.values(), tables[name])
    for repair in declaration.repairs:
        if repair.table is not None and repair.table not in tables:
            raise DeclarationError(
                f"repair {repair.repair!r} names the table {repair.table!r}",
                "one of: " + ", ".join(tables),
                did_you_mean(repair.table, tables) or "correct the table, or take the repair out",
            )


def _named(spec: TableSpec) -> dict[str, Iterable[str]]:
    return {"key": spec.key, "ids": spec.ids, "ignore": spec.ignore, "known": spec.known, "types": spec.types}


def _look(where: str, columns: Iterable[str], table: Table) -> None:
    there = set(table.names)
    for column in columns:
        if column not in there:
            raise DataError(
                f"{where} names {column!r}, which table {table.name!r} does not have",
                "one of: " + ", ".join(table.names[:12]) + (" …" if len(table.names) > 12 else ""),
                did_you_mean(column, table.names) or "correct the line, or take it out",
            )

"""The contract of a connector: what it reads is what was written, oddities are told, and errors speak the user's language."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from holdgood.core.errors import HoldgoodError
from holdgood.core.protocols import Connector
from holdgood.core.table import Table

Write = Callable[[pa.Table], str]


def sample() -> pa.Table:
    """One small table with a column of every kind, missing values, and texts that trip careless readers."""
    return pa.table(
        {
            "whole": pa.array([1, -2, None, 2**53, 0, 7], pa.int64()),
            "decimal": pa.array([0.1, -1.5e300, 3.0, None, 1e-9, 2.5], pa.float64()),
            "flag": pa.array([True, False, None, True, False, True], pa.bool_()),
            "word": pa.array(["red", "blue, dark", None, 'say "no"', "grün 漢字 🙂", "two\nlines"], pa.string()),
            "code": pa.array(["0012", "0450", "0007", "0100", None, "0099"], pa.string()),
            "moment": pa.array(
                [
                    dt.datetime(2024, 2, 29, 23, 59, 59),
                    None,
                    dt.datetime(1999, 12, 31),
                    *[dt.datetime(2013, 1, d, 6) for d in (1, 2, 3)],
                ],
                pa.timestamp("us"),
            ),
        }
    )


def check_connector(
    connector: Connector,
    write: Write,
    *,
    options: Mapping[str, Any] | None = None,
    keeps_empty: bool = True,
    missing: str | None = None,
) -> None:
    """Run the whole contract; AssertionError says what does not hold.

    ``write`` puts an Arrow table where the connector can read it and returns the source. ``keeps_empty``: whether a table
    without rows keeps its columns there. ``missing``: a source that does not exist (default: the source with ``-gone``
    before its suffix).
    """
    given = dict(options or {})
    check_identity(connector)
    check_round_trip(connector, write, given)
    check_names_do_not_matter(connector, write, given)
    check_declared_types(connector, write, given)
    check_empty(connector, write, given, keeps_empty=keeps_empty)
    check_errors(connector, write, given, missing=missing)


def check_identity(connector: Connector) -> None:
    """It says what it is called and what it answers to."""
    assert isinstance(connector, Connector), f"{connector!r} is no Connector"
    assert connector.name, "a connector needs a name"
    assert connector.suffixes or connector.schemes, f"{connector.name} answers to no suffix and no scheme"
    assert all(s.startswith(".") and s == s.lower() for s in connector.suffixes), (
        "suffixes are lower case, with their point"
    )
    assert all(s.isalnum() and s == s.lower() for s in connector.schemes), "schemes are lower case, without ://"


def check_round_trip(connector: Connector, write: Write, options: Mapping[str, Any]) -> None:
    """Every value comes back as it was, with its type, in the same order; twice the same."""
    data = sample()
    source = write(data)
    table = connector.read(source, name="sample", options=options, types={})
    assert table.name == "sample", f"the table is called {table.name!r}"
    assert table.names == tuple(data.column_names), f"columns came back as {table.names}"
    assert table.rows == data.num_rows, f"{table.rows} rows came back, {data.num_rows} were written"
    kinds = {c.name: c.type for c in table.columns}
    expected = dict.fromkeys(("whole", "decimal"), "number") | {"flag": "boolean", "moment": "datetime"}
    assert {n: kinds[n] for n in expected} == expected, f"types came back as {kinds}"
    assert kinds["code"] in ("category", "text"), "codes with leading zeros are text, not numbers"
    for name in data.column_names:
        _same(name, table.data.column(name).to_pylist(), data.column(name).to_pylist())
    assert not [n for n in table.notes if n.code in ("bad-lines", "changed-type", "mixed-types")], (
        f"notes on clean data: {table.notes}"
    )
    again = connector.read(source, name="sample", options=options, types={})
    assert again.fingerprint() == table.fingerprint(), "reading twice gave different data"
    assert again.notes == table.notes, "reading twice gave different notes"


def check_names_do_not_matter(connector: Connector, write: Write, options: Mapping[str, Any]) -> None:
    """Other column names change the names and nothing else."""
    data = sample()
    plain = connector.read(write(data), name="t", options=options, types={})
    renamed = connector.read(
        write(data.rename_columns([f"x {i}" for i in range(data.num_columns)])), name="t", options=options, types={}
    )
    assert [c.type for c in renamed.columns] == [c.type for c in plain.columns], "a type depends on a column's name"
    assert renamed.fingerprint() == plain.fingerprint(), "values depend on a column's name"


def check_declared_types(connector: Connector, write: Write, options: Mapping[str, Any]) -> None:
    """Declared types hold; what does not fit becomes missing and is counted, never silently."""
    data = pa.table({"a": ["1", "2.5", "many"], "b": ["x", "y", "z"], "c": [1, 2, 3]})
    table = connector.read(
        write(data), name="t", options=options, types={"a": "number", "c": "category", "not there": "number"}
    )
    assert table.type_of("a") == "number", "a declared type was not kept"
    assert table.data.column("a").to_pylist() == [1.0, 2.5, None], "declared numbers were not read as such"
    changed = [n for n in table.notes if n.code == "changed-type"]
    assert [n.count for n in changed] == [1], f"one value was lost, but the notes say {changed}"
    assert changed[0].columns == ("a",), "the note does not name its column"
    assert table.type_of("c") == "category", "a declared type was not kept"
    assert table.data.column("c").to_pylist() == ["1", "2", "3"], "a declared category is text"


def check_empty(connector: Connector, write: Write, options: Mapping[str, Any], *, keeps_empty: bool) -> None:
    """A table without rows is a table, or an error in three lines."""
    source = write(sample().slice(0, 0))
    if not keeps_empty:
        _three_lines(_error(connector, source, options))
        return
    table = connector.read(source, name="t", options=options, types={})
    assert table.rows == 0, f"{table.rows} rows out of none"
    assert table.names == tuple(sample().column_names), "the names were lost with the rows"


def check_errors(connector: Connector, write: Write, options: Mapping[str, Any], *, missing: str | None) -> None:
    """A source that is not there and an unknown option each get an error of ours, with what to do."""
    source = write(sample())
    gone = missing
    if gone is None:
        suffix = next((s for s in sorted(connector.suffixes, key=len, reverse=True) if source.endswith(s)), "")
        gone = source.removesuffix(suffix) + "-gone" + suffix
    _three_lines(_error(connector, gone, options))
    _three_lines(_error(connector, source, {**options, "no such option": 1}))


def _error(connector: Connector, source: str, options: Mapping[str, Any]) -> HoldgoodError:
    try:
        table: Table = connector.read(source, name="t", options=options, types={})
    except HoldgoodError as error:
        return error
    raise AssertionError(f"{connector.name} read {table.rows} rows where an error was due")


def _three_lines(error: HoldgoodError) -> None:
    assert error.came, f"an error that says nothing: {error!r}"
    assert error.expected, f"an error that does not say what was expected: {error}"
    assert error.do, f"an error that does not say what to do: {error}"


def _same(name: str, came: list[Any], expected: list[Any]) -> None:
    for row, (a, b) in enumerate(zip(came, expected, strict=True)):
        same = a == b or (isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-15))
        assert same, f"column {name!r}, row {row}: {b!r} was written and {a!r} came back"

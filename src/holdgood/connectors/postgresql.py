"""PostgreSQL: one table or view, or the rows of a query, copied out in one read-only transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from holdgood.connectors.column_types import Reading
from holdgood.connectors.finish import Raw, finish
from holdgood.connectors.place import checked
from holdgood.connectors.store import Store
from holdgood.core.errors import MissingExtra, ReadError, did_you_mean
from holdgood.core.sql import quote
from holdgood.core.table import Note, Table
from holdgood.core.urls import mask, parameters_of, secrets_of, without_parameters

_OURS = ("table", "query")
_ENDLESS = -(2**63)
_SECONDS_TO_CONNECT = 10
_PART = 32_000_000
_RELATIONS = """
    SELECT n.nspname, c.relname, pg_table_is_visible(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY 1, 2
"""


class PostgreSql:
    """Reads ``postgresql://user@host/db?table=t`` (or ``schema.t``); other parameters go to the server's client library.

    Options, also as URL parameters: ``table`` or ``query``. The password comes from the URL or from PGPASSWORD, and is
    shown nowhere. numeric becomes a 64-bit float, timestamptz UTC.
    """

    name: ClassVar[str] = "postgresql"
    suffixes: ClassVar[tuple[str, ...]] = ()
    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one table or query."""
        try:
            import psycopg  # here and not at the top: an optional library, wanted for PostgreSQL only
        except ModuleNotFoundError:
            raise MissingExtra.named("sql", "psycopg", "reading from PostgreSQL") from None
        inside = {k: v for k, v in parameters_of(source).items() if k in _OURS}
        chosen = checked({**inside, **options}, {"table": (str,), "query": (str,)}, "PostgreSQL")
        if ("table" in chosen) == ("query" in chosen):
            raise ReadError(
                f"{mask(source)} names no table to read",
                "a table, or a query",
                "add ?table=NAME to the URL, or an option",
            )
        url = without_parameters(source, *_OURS)
        if "connect_timeout" not in parameters_of(url):
            url += f"{'&' if parameters_of(url) else '?'}connect_timeout={_SECONDS_TO_CONNECT}"
        begun = False
        try:
            with psycopg.connect(url, client_encoding="UTF8") as connection:
                begun = True
                connection.read_only = True
                raw, notes, other = _copy(connection, chosen)
        except UnicodeError:
            raise ReadError(
                f"the URL {mask(source)} cannot be taken apart",
                "a URL",
                "write special characters of the password as %XX, or use PGPASSWORD",
            ) from None
        except psycopg.OperationalError as error:
            if begun:
                raise ReadError(
                    f"{mask(source)} went away while it was read: {_said(error, source)}",
                    "a server that stays until the table is read",
                    "try again, or export the table as Parquet",
                ) from None
            raise ReadError(
                f"no answer from {mask(source)}: {_said(error, source)}",
                "a server that can be reached, and a user it knows",
                "check host, port, user and the password (PGPASSWORD)",
            ) from None
        except psycopg.Error as error:
            raise ReadError(
                f"{mask(source)} refused: {_said(error, source)}",
                "a table or query that this user may read",
                "try it in psql first",
            ) from None
        shown = mask(source)
        return finish(raw, name=name, source=shown, types=types, reading=Reading(typed=True), notes=notes, other=other)


def _said(error: Exception, source: str) -> str:
    """What the server said, in one line and without secrets."""
    text = " ".join(str(error).split())
    for secret in secrets_of(source):
        text = text.replace(secret, "***")
    return text


# The same rows in the same order, whoever else reads: a large table is otherwise read from where another reader of it has stopped.
_IN_ORDER = ("SET LOCAL synchronize_seqscans = off", "SET LOCAL max_parallel_workers_per_gather = 0")


@dataclass(frozen=True)
class _Column:
    """One column of the result: what is selected for it, what it becomes, and whether it can be used."""

    name: str
    select: str
    kind: pa.DataType
    usable: bool = True
    note: Note | None = None


def _copy(connection: Any, chosen: Mapping[str, str]) -> tuple[Raw, list[Note], list[int]]:
    inner = (
        chosen["query"].strip().rstrip(";")
        if "query" in chosen
        else f"SELECT * FROM {_relation(connection, chosen['table'])}"
    )
    cursor = connection.cursor()
    for setting in _IN_ORDER:
        cursor.execute(setting)
    # Run on its own first: this proves that the query is one whole SELECT, so that nothing can break out of COPY ( … ).
    described = cursor.execute(f"SELECT * FROM (\n{inner}\n) AS q LIMIT 0", prepare=True).description
    oids = [d.type_code for d in described]
    known = {
        row[0]: (row[1], row[2])
        for row in cursor.execute(
            "SELECT oid, typcategory, typname FROM pg_type WHERE oid = ANY(%s)", (oids,)
        ).fetchall()
    }
    columns = [_column(i, d.name, *known.get(d.type_code, ("X", "unknown"))) for i, d in enumerate(described)]
    if not columns:
        raise ReadError("the table has no columns", "a table with columns", "check the option table")
    labels = ", ".join(f"c{i}" for i in range(len(columns)))
    selects = ", ".join(c.select for c in columns)
    store, size = Store(share=0.5), 0
    part: list[bytes] = []
    with cursor.copy(f"COPY (SELECT {selects} FROM (\n{inner}\n) AS q({labels})) TO STDOUT (FORMAT csv)") as copy:
        for row in copy:  # the server sends whole rows, one at a time
            part.append(bytes(row))
            size += len(row)
            if size >= _PART:
                store.add(_parse(b"".join(part), columns))
                part, size = [], 0
    store.add(_parse(b"".join(part), columns))
    notes = [c.note for c in columns if c.note]
    other = [i for i, c in enumerate(columns) if not c.usable]
    copied = pa.concat_tables(store.tables()).columns
    # What is said about endless dates joins the notes when the last step comes to their column.
    return Raw([c.name for c in columns], _finished(columns, copied, notes)), notes, other


def _finished(columns: Sequence[_Column], copied: list[pa.ChunkedArray], notes: list[Note]) -> Iterator[pa.Table]:
    """One column after the other, each let go before the next; moments are made of whole numbers."""
    copied.reverse()
    for column in columns:
        values = copied.pop()
        if pa.types.is_timestamp(column.kind):
            values, note = _moments(column.name, values)
            notes += [note] if note else []
        yield pa.table({"v": values})


def _relation(connection: Any, asked: str) -> str:
    """The quoted name of a table or view that exists; a schema may stand before a point."""
    rows = connection.execute(_RELATIONS).fetchall()
    known: dict[str, tuple[str, str]] = {f"{schema}.{table}": (schema, table) for schema, table, _ in rows}
    known |= {table: (schema, table) for schema, table, visible in rows if visible}
    if asked not in known:
        names = sorted(known)
        shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
        hint = did_you_mean(asked, names) or "check the table's name and the user's rights"
        raise ReadError(
            f"the database has no table {asked!r}", f"one of: {shown}" if names else "a database with tables", hint
        )
    schema, table = known[asked]
    return f"{quote(schema)}.{quote(table)}"


def _column(position: int, name: str, category: str, typname: str) -> _Column:
    """How one column is copied, by the category of its type in the server's catalogue."""
    c = f"c{position}"
    if typname in ("int2", "int4", "int8", "oid"):
        return _Column(name, c, pa.int64())
    if typname == "money":
        return _Column(name, f"{c}::numeric::float8", pa.float64())
    if category == "N" and typname in ("float4", "float8", "numeric"):
        return _Column(name, f"{c}::float8", pa.float64())
    if category == "B":
        return _Column(name, c, pa.bool_())
    if typname in ("date", "timestamp", "timestamptz"):
        # Microseconds since 1970 as a whole number: no date is too early or too late for it, and no session zone matters.
        micro = f"(extract(epoch FROM {c}) * 1000000)::int8"
        return _Column(
            name, f"CASE WHEN isfinite({c}) THEN {micro} WHEN {c} IS NOT NULL THEN {_ENDLESS} END", pa.timestamp("us")
        )
    if typname == "interval":
        note = Note("unsupported-type", f"column {name!r} holds durations; kept as seconds", 1, (name,))
        return _Column(name, f"extract(epoch FROM {c})::float8", pa.float64(), note=note)
    if category in ("S", "E") or typname == "uuid":
        return _Column(name, f"{c}::text", pa.string())
    if typname in ("time", "timetz"):
        note = Note("unsupported-type", f"column {name!r} holds times of day; kept as text", 1, (name,))
        return _Column(name, f"{c}::text", pa.string(), note=note)
    note = Note("unsupported-type", f"column {name!r} holds {typname}; kept as text and not used", 1, (name,))
    return _Column(name, f"{c}::text", pa.string(), usable=False, note=note)


def _parse(text: bytes, columns: Sequence[_Column]) -> pa.Table:
    kinds = {f"c{i}": pa.int64() if pa.types.is_timestamp(c.kind) else c.kind for i, c in enumerate(columns)}
    if len(text) == 0:
        return pa.table({label: pa.array([], kind) for label, kind in kinds.items()})
    return arrow_csv.read_csv(
        pa.BufferReader(text),
        read_options=arrow_csv.ReadOptions(column_names=list(kinds), use_threads=False, block_size=len(text) + 1),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        # COPY writes a missing value as nothing and an empty text as "".
        convert_options=arrow_csv.ConvertOptions(
            column_types=kinds,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _moments(name: str, values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Note | None]:
    endless = pc.equal(values, _ENDLESS)
    count = int(pc.sum(endless, min_count=0).as_py())
    moments = pc.if_else(endless, pa.scalar(None, pa.int64()), values).cast(pa.timestamp("us"))
    if not count:
        return moments, None
    return moments, Note(
        "unparsed", f"column {name!r} holds {count:,} endless dates (infinity); taken as missing", count, (name,)
    )


CONNECTOR = PostgreSql()

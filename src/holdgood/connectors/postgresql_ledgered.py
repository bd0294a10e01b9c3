"""Pieces into a table of a PostgreSQL database, each once, copied in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from holdgood.connectors.ledgered import BATCHES, PIECES, Batch, fitting, named
from holdgood.connectors.place import checked
from holdgood.core.errors import DataError, EnvironmentFault, MissingExtra
from holdgood.core.sql import quote
from holdgood.core.urls import mask, parameters_of, secrets_of, without_parameters

_SECONDS_TO_CONNECT = 10
_MAKING = 7_265_110_421_004
"""The lock under which tables are made: two runs at once would both find them missing."""
_BATCH = """batch text PRIMARY KEY, target text NOT NULL, row_count bigint NOT NULL, piece_rows bigint NOT NULL,
    begun_utc timestamptz NOT NULL DEFAULT now()"""
_PIECE = """batch text NOT NULL, piece bigint NOT NULL, row_count bigint NOT NULL, written_utc timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch, piece)"""


class PostgresLedgered:
    """One table, with ``schema.table`` in a schema; the ledger stands in the same one. The password comes from the URL or PGPASSWORD."""

    def __init__(self, target: str) -> None:
        try:
            import psycopg  # here and not at the top: an optional library, wanted for PostgreSQL only
        except ModuleNotFoundError:
            raise MissingExtra.named("sql", "psycopg", "writing to PostgreSQL") from None
        self._psycopg, self._secrets = psycopg, secrets_of(target)
        self.shown = mask(target)
        asked = named(parameters_of(target).get("table"), self.shown)
        checked({"table": asked}, {"table": (str,)}, "writing to PostgreSQL")
        url = without_parameters(target, "table")
        if "connect_timeout" not in parameters_of(url):
            url += f"{'&' if parameters_of(url) else '?'}connect_timeout={_SECONDS_TO_CONNECT}"
        with self._told():
            self._link = psycopg.connect(url, client_encoding="UTF8", autocommit=True)
            schema, _, name = asked.rpartition(".")
            # one name in the ledger, however it is written: with its schema
            schema = schema or self._schema_of(name)
        self.table = f"{schema}.{name}"
        self._quoted, self._batches, self._pieces = (
            f"{quote(schema)}.{quote(each)}" for each in (name, BATCHES, PIECES)
        )

    def _schema_of(self, name: str) -> str:
        """Where a table without a schema is, or would be made."""
        found: Any = self._link.execute(
            "SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.oid = to_regclass(%s)), current_schema())",
            (quote(name),),
        ).fetchone()
        if found[0] is None:
            raise DataError(f"no schema of {self.shown} is searched", "one", f"name it: table=SCHEMA.{name}")
        return str(found[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except UnicodeError:
            raise EnvironmentFault(
                f"the URL {self.shown} cannot be taken apart",
                "a URL",
                "write special characters of the password as %XX, or use PGPASSWORD",
            ) from None
        except self._psycopg.OperationalError as error:
            raise EnvironmentFault(
                f"{self.shown} does not answer: {self._said(error)}",
                "a server that can be reached",
                "run the same again when it is back: what is written is in the ledger",
            ) from None
        except self._psycopg.Error as error:
            raise DataError(
                f"{self.shown} refused: {self._said(error)}",
                "a table that this user may write these columns to",
                "check rights and types, or name a table that is not there yet",
            ) from None

    def _said(self, error: Exception) -> str:
        text = " ".join(str(error).split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def find(self, key: str) -> Batch | None:
        """See Ledgered."""
        with self._told():
            if not all(self._there(each) for each in (self._batches, self._pieces, self._quoted)):
                return None
            found = self._link.execute(
                f"SELECT row_count, piece_rows FROM {self._batches} WHERE batch = %s", (key,)
            ).fetchone()
            if found is None:
                return None
            done = self._link.execute(f"SELECT piece FROM {self._pieces} WHERE batch = %s", (key,)).fetchall()
            others = self._link.execute(
                f"""SELECT b.batch, b.row_count, sum(p.row_count)::bigint
                    FROM {self._batches} b JOIN {self._pieces} p USING (batch)
                    WHERE b.target = %s AND b.batch <> %s GROUP BY b.batch, b.row_count, b.piece_rows
                    HAVING count(*) < greatest(1, (b.row_count + b.piece_rows - 1) / b.piece_rows) ORDER BY 1""",
                (self.table, key),
            ).fetchall()
        return Batch(key, int(found[0]), int(found[1]), frozenset(d[0] for d in done), tuple(others))

    def _there(self, table: str) -> bool:
        found: Any = self._link.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
        return bool(found[0])

    def begin(self, key: str, schema: pa.Schema, rows: int, size: int) -> Batch:
        """See Ledgered."""
        with self._told(), self._link.transaction():
            self._link.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
            for ledger, columns in ((self._batches, _BATCH), (self._pieces, _PIECE)):
                if not self._there(ledger):
                    self._link.execute(f"CREATE TABLE {ledger} ({columns})")
            if self._there(self._quoted):
                there = self._link.execute(f"SELECT * FROM {self._quoted} LIMIT 0").description or []
                fitting([d.name for d in there], schema, self.table)
            else:
                columns = ", ".join(f"{quote(f.name)} {_kind(f.type)}" for f in schema)
                self._link.execute(f"CREATE TABLE {self._quoted} ({columns})")
                # what was written into a table that has been dropped since is written nowhere
                gone = f"SELECT batch FROM {self._batches} WHERE target = %s"
                self._link.execute(f"DELETE FROM {self._pieces} WHERE batch IN ({gone})", (self.table,))
                self._link.execute(f"DELETE FROM {self._batches} WHERE target = %s", (self.table,))
            self._link.execute(
                f"INSERT INTO {self._batches} (batch, target, row_count, piece_rows) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (key, self.table, rows, size),
            )
        batch = self.find(key)
        assert batch is not None
        return batch

    def write(self, batch: Batch, number: int, data: pa.Table) -> bool:
        """See Ledgered. Who is at the same piece waits here until the other's transaction has ended."""
        names = ", ".join(quote(n) for n in data.column_names)
        text = io.BytesIO()
        arrow_csv.write_csv(data, text, arrow_csv.WriteOptions(include_header=False))
        with self._told(), self._link.transaction():
            entered = self._link.execute(
                f"INSERT INTO {self._pieces} (batch, piece, row_count) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (batch.key, number, data.num_rows),
            )
            if entered.rowcount == 0:
                return False
            with self._link.cursor().copy(f"COPY {self._quoted} ({names}) FROM STDIN (FORMAT csv)") as copy:
                copy.write(text.getvalue())
        return True

    def close(self) -> None:
        """See Ledgered."""
        self._link.close()


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "bigint"
    if pa.types.is_floating(kind):
        return "double precision"
    return "timestamp" if pa.types.is_timestamp(kind) else "text"

"""Every connector of ours passes the suite that guests run."""

import itertools
import sqlite3

import psycopg
import pyarrow as pa
import pytest

from holdgood.connectors.csv_files import CONNECTOR as CSV
from holdgood.connectors.excel import CONNECTOR as EXCEL
from holdgood.connectors.json_lines import CONNECTOR as JSON
from holdgood.connectors.parquet_files import CONNECTOR as PARQUET
from holdgood.connectors.postgresql import CONNECTOR as POSTGRESQL
from holdgood.connectors.sqlite import CONNECTOR as SQLITE
from holdgood.connectors.write import write_table
from holdgood.core import plugins
from holdgood.core.sql import quote
from holdgood.core.table import Table
from holdgood.testing.connector import check_connector


@pytest.mark.parametrize(
    ("connector", "suffix"),
    [(CSV, ".csv"), (CSV, ".csv.gz"), (CSV, ".tsv"), (PARQUET, ".parquet"), (JSON, ".jsonl"), (EXCEL, ".xlsx")],
    ids=lambda v: v if isinstance(v, str) else v.name,
)
def test_files(connector, suffix, tmp_path):
    numbers = itertools.count()
    check_connector(
        connector,
        lambda data: str(write_table(data, tmp_path / f"t{next(numbers)}{suffix}")),
        keeps_empty=connector is not JSON,
    )


def test_sqlite(tmp_path):
    numbers = itertools.count()
    kinds = {"int64": "INTEGER", "double": "REAL", "bool": "BOOLEAN", "string": "TEXT", "timestamp[us]": "DATETIME"}

    def write(data):
        path = tmp_path / f"t{next(numbers)}.db"
        connection = sqlite3.connect(path)
        connection.execute(
            "CREATE TABLE t (" + ", ".join(f"{quote(f.name)} {kinds[str(f.type)]}" for f in data.schema) + ")"
        )
        rows = [
            [v.isoformat(sep=" ") if hasattr(v, "isoformat") else v for v in row.values()] for row in data.to_pylist()
        ]
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * data.num_columns)})", rows)
        connection.commit()
        connection.close()
        return str(path)

    # SQLite keeps no type for a column without rows or declared otherwise; the names come back.
    check_connector(SQLITE, write)


@pytest.mark.server
def test_postgresql(postgres):
    numbers = itertools.count()
    kinds = {"int64": "bigint", "double": "float8", "bool": "boolean", "string": "text", "timestamp[us]": "timestamp"}

    def write(data):
        table = f"contract {next(numbers)}"
        with psycopg.connect(postgres) as connection:
            connection.execute(
                f"CREATE TABLE {quote(table)} ("
                + ", ".join(f"{quote(f.name)} {kinds[str(f.type)]}" for f in data.schema)
                + ")"
            )
            with connection.cursor() as cursor:
                marks = ", ".join(["%s"] * data.num_columns)
                cursor.executemany(
                    f"INSERT INTO {quote(table)} VALUES ({marks})", [list(r.values()) for r in data.to_pylist()]
                )
        return f"{postgres}?table={table.replace(' ', '%20')}"

    check_connector(POSTGRESQL, write, missing=f"{postgres}?table=nowhere")


def test_our_own_come_by_the_guests_door():
    found = plugins.load_all("holdgood.connectors")
    assert set(found) == {"csv", "excel", "jsonlines", "parquet", "postgresql", "sqlite"}
    assert all(found[name].name == name for name in found)


def test_the_suite_catches_a_connector_that_coerces_silently(tmp_path):
    class Careless:
        name = "careless"
        suffixes = (".csv",)
        schemes = ()

        def read(self, source, *, name, options, types):
            table = CSV.read(source, name=name, options=options, types=types)
            data = table.data
            if "code" in data.column_names:
                at = data.column_names.index("code")
                data = data.set_column(at, "code", data.column("code").cast(pa.int64()))
            return Table.of(data, name)

    with pytest.raises(AssertionError, match="leading zeros"):
        check_connector(Careless(), lambda data: str(write_table(data, tmp_path / "t.csv")))

"""read_table: any source to a Table. The connector is found by suffix or URL scheme; our own come by the same door as a guest's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from holdgood.connectors.column_types import Reading
from holdgood.connectors.finish import finish_table
from holdgood.connectors.place import file_of
from holdgood.connectors.sqlite import path_of
from holdgood.core import plugins
from holdgood.core.errors import ReadError, did_you_mean
from holdgood.core.protocols import Connector
from holdgood.core.table import ColumnType, Table
from holdgood.core.urls import is_url, mask, parameters_of

_ELSEWHERE = {
    ".xls": "save it as .xlsx",
    ".ods": "save it as .xlsx or .csv",
    ".feather": "write it as Parquet",
    ".arrow": "write it as Parquet, or give the Arrow table itself",
    ".zip": "unpack it first",
    ".pkl": "write it as Parquet: a pickle can run code, and is never opened",
    ".pickle": "write it as Parquet: a pickle can run code, and is never opened",
    ".duckdb": "export the table as Parquet",
}


def read_table(
    source: Any,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    types: Mapping[str, ColumnType] | None = None,
    base: Path | None = None,
) -> Table:
    """Read one table from a path (options may follow: ``sales.csv?skip=3``), a URL, or a pandas, Polars or Arrow frame.

    ``name`` defaults to the file's stem or the database table's name; ``options`` go to the connector; ``types`` are
    enforced (what does not parse becomes missing, counted in a note); relative paths start at ``base`` (default: here).
    Raises ReadError, EnvironmentFault or MissingExtra.
    """
    frozen = dict(types or {})
    if not isinstance(source, (str, Path)):
        table = Table.of(source, name or "table", types=frozen)
        return finish_table(table, types=frozen, reading=Reading(typed=True))
    given = str(source)
    file, behind = file_of(given, base)
    asked = {**behind, **(options or {})}
    connector, resolved = _find(file, base)
    table = connector.read(resolved, name=name or name_of(file, asked), options=asked, types=frozen)
    # Records keep the source as it was written: no absolute path of one machine, no password.
    return replace(table, source=mask(given) if is_url(given) else given)


def _find(given: str, base: Path | None) -> tuple[Connector, str]:
    """The connector that answers to a source, and the source with its path resolved."""
    connectors: dict[str, Connector] = plugins.load_all("holdgood.connectors")
    if is_url(given):
        scheme = given.partition("://")[0].lower().partition("+")[0]
        for connector in connectors.values():
            if scheme in connector.schemes:
                return connector, _absolute(given, base) if scheme == "sqlite" else given
        known = sorted(s for c in connectors.values() for s in c.schemes)
        raise ReadError(
            f"no connector for {scheme}://",
            "one of: " + ", ".join(known),
            did_you_mean(scheme, known) or "download the file first",
        )
    if not given.strip():
        raise ReadError("no file is named", "a path to a file", "name one")
    path = Path(given).expanduser()
    resolved = path if base is None or path.is_absolute() else base / path
    lower = path.name.lower()
    fitting = [(s, c) for c in connectors.values() for s in c.suffixes if lower.endswith(s)]
    if fitting:
        return max(fitting, key=lambda pair: len(pair[0]))[1], str(resolved)
    if resolved.is_dir():
        raise ReadError(f"{given} is a folder", "one file", "name the file inside it, one table a file")
    suffix = path.suffix.lower()
    known = sorted(s for c in connectors.values() for s in c.suffixes)
    raise ReadError(
        f"no connector for {path.name}: " + (f"the suffix {suffix!r} is not known" if suffix else "it has no suffix"),
        "one of: " + ", ".join(known),
        _ELSEWHERE.get(suffix) or _as_url(given) or did_you_mean(suffix, known) or "rename or export it",
    )


def _as_url(given: str) -> str:
    """What was meant by a database with a table behind it."""
    file, question, asked = given.partition("?")
    return (
        f"write sqlite:///{file}?{asked}" if question and file.lower().endswith((".db", ".sqlite", ".sqlite3")) else ""
    )


def _absolute(url: str, base: Path | None) -> str:
    path = Path(path_of(url))
    if base is None or path.is_absolute():
        return url
    query = urlsplit(url).query
    return f"sqlite:///{quote(str((base / path).absolute()))}" + (f"?{query}" if query else "")


def name_of(given: str, options: Mapping[str, Any] | None = None) -> str:
    """What a table is called that comes from there: the file's stem, or the table or sheet asked for."""
    options = options or {}
    if is_url(given):
        asked = {**parameters_of(given), **options}
        return str(asked.get("table") or "query").rpartition(".")[2]
    if "table" in options or "sheet" in options:
        return str(options.get("table") or options.get("sheet"))
    stem = Path(given).name
    for part in (".gz", Path(stem.removesuffix(".gz")).suffix):
        stem = stem.removesuffix(part) if part else stem
    return stem or "table"

"""write_table: an Arrow table to a file, all of it or nothing of it."""

from __future__ import annotations

import errno
import gzip
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from holdgood.core.errors import DataError, EnvironmentFault, MissingExtra, ReadError, did_you_mean

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BATCH = 20_000
_SHEET_ROWS, _SHEET_COLUMNS = 1_048_576, 16_384
# What a spreadsheet would run as a formula; a number with its sign is none.
_DANGEROUS = r"^[=+\-@\t\r]"
_NUMBER = r"^[+\-]?[0-9]+([.][0-9]+)?$"


def write_table(data: pa.Table, path: Path | str, *, for_people: bool = False) -> Path:
    """Write ``.csv``, ``.tsv`` (also ``.gz``), ``.parquet``, ``.jsonl`` or ``.xlsx`` and return the path.

    The file appears complete or not at all. ``for_people``: text cells (and names) of CSV and Excel that a spreadsheet would
    run as a formula get an apostrophe in front; files for machines keep every character. Raises EnvironmentFault where the
    disk is full or the folder may not be written to, ReadError for an unknown suffix.
    """
    target = Path(path)
    writer = writer_for(target, data.num_rows)
    safe = _escaped(data) if for_people and writer in (_write_csv, _write_tsv, _write_gzip_csv, _write_excel) else data
    with atomic(target) as handle:
        writer(safe, handle)
    return target


def writer_for(target: Path, rows: int) -> Callable[[pa.Table, IO[bytes]], None]:
    """What writes a file of this suffix; ReadError for an unknown one, DataError for more rows than it can hold."""
    writer = next((w for suffix, w in _WRITERS.items() if target.name.lower().endswith(suffix)), None)
    if writer is None:
        known = list(_WRITERS)
        hint = did_you_mean(target.suffix, known) or "choose one of these suffixes"
        raise ReadError(
            f"{target.name} cannot be written: its suffix is not known", "one of: " + ", ".join(known), hint
        )
    if writer is _write_excel and rows + 1 > _SHEET_ROWS:
        raise _beyond_a_sheet(f"{rows:,} rows do")
    return writer


def _beyond_a_sheet(what: str) -> DataError:
    return DataError(
        f"{what} not fit on a sheet of Excel",
        f"at most {_SHEET_ROWS - 1:,} rows and {_SHEET_COLUMNS:,} columns",
        "write .csv or .parquet",
    )


@contextmanager
def atomic(target: Path) -> Iterator[IO[bytes]]:
    """A file beside the target that takes its place when all is written."""
    temporary: str | None = None
    try:
        with writing(target):
            with tempfile.NamedTemporaryFile(
                dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
            ) as handle:
                temporary = handle.name
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o666 & ~umask)
            os.replace(temporary, target)
            temporary = None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the machine says while something is written into an error of ours."""
    try:
        yield
    except OSError as error:
        raise _fault(error, target) from None


def _fault(error: OSError, target: Path) -> EnvironmentFault:
    if error.errno in _FULL:
        return EnvironmentFault(
            f"the disk is full: {target.name} was not written", "free space", "make room and run again"
        )
    if isinstance(error, FileNotFoundError) and not target.parent.is_dir():
        return EnvironmentFault(f"no folder {target.parent}", "a folder that exists", "create it first")
    if isinstance(error, IsADirectoryError):
        return EnvironmentFault(f"{target} is a folder", "a file to write", "choose another name")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return EnvironmentFault(
            f"no permission to write {target.name} in {target.parent}",
            "a folder that this user may write to",
            "choose another folder",
        )
    return EnvironmentFault(
        f"{target.name} was not written: {error.strerror or error}", "a file that can be written", "check the disk"
    )


def _escaped(data: pa.Table) -> pa.Table:
    """Text cells and names that start like a formula, with an apostrophe in front."""
    columns = []
    for column in data.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            risky = pc.and_not(pc.match_substring_regex(column, _DANGEROUS), pc.match_substring_regex(column, _NUMBER))
            column = pc.if_else(risky, pc.binary_join_element_wise("'", column.cast(pa.string()), ""), column)
        columns.append(column)
    names = [f"'{n}" if n.startswith(("=", "+", "-", "@", "\t", "\r")) else n for n in data.column_names]
    return pa.Table.from_arrays(columns, names=names)


def _write_csv(data: pa.Table, handle: IO[bytes], delimiter: str = ",") -> None:
    if data.num_columns == 1:
        # A lone missing value would be a blank line, which readers pass over; as "" it stays a row.
        values = pc.fill_null(data.column(0).cast(pa.string()), "")
        data = pa.Table.from_arrays([values], names=data.column_names)
    columns = [c.cast(pa.string()) if pa.types.is_nested(c.type) else _short(c) for c in data.columns]
    flat = pa.Table.from_arrays(
        columns, names=[n if "\x00" not in n else n.replace("\x00", "") for n in data.column_names]
    )
    arrow_csv.write_csv(flat, handle, arrow_csv.WriteOptions(delimiter=delimiter))


def _short(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments as a person writes them: days without midnight, whole seconds without a fraction."""
    kind = column.type
    if not pa.types.is_timestamp(kind):
        return column
    if kind.tz is not None:
        whole = pc.all(pc.equal(pc.floor_temporal(column, unit="second"), column)).as_py()
        return column.cast(pa.timestamp("s", kind.tz)) if whole else column
    for unit, shorter in (("day", pa.date32()), ("second", pa.timestamp("s"))):
        if pc.all(pc.equal(pc.floor_temporal(column, unit=unit), column)).as_py():
            return column.cast(shorter)
    return column


def _write_tsv(data: pa.Table, handle: IO[bytes]) -> None:
    _write_csv(data, handle, "\t")


def _write_gzip_csv(data: pa.Table, handle: IO[bytes]) -> None:
    with gzip.GzipFile(fileobj=handle, mode="wb", mtime=0, filename="") as packed:
        _write_csv(data, packed)  # type: ignore[arg-type]


def _write_parquet(data: pa.Table, handle: IO[bytes]) -> None:
    import pyarrow.parquet as pq  # here and not at the top: loaded only where Parquet is written

    pq.write_table(data, handle)


def _write_json_lines(data: pa.Table, handle: IO[bytes]) -> None:
    """One object a line. Moments as ISO texts; an infinite number as the word Infinity, as Python writes it."""
    for batch in data.to_batches(max_chunksize=_BATCH):
        lines = [json.dumps(row, ensure_ascii=False, default=_json_value) for row in batch.to_pylist()]
        handle.write("".join(line + "\n" for line in lines).encode("utf-8"))


def _json_value(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else value.hex() if isinstance(value, bytes) else str(value)


def _write_excel(data: pa.Table, handle: IO[bytes]) -> None:
    try:
        # here and not at the top: an optional library, wanted for Excel files only
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ModuleNotFoundError:
        raise MissingExtra.named("excel", "openpyxl", "writing an Excel file") from None
    if data.num_columns > _SHEET_COLUMNS:
        raise _beyond_a_sheet(f"{data.num_columns:,} columns do")
    book = Workbook(write_only=True)
    page = book.create_sheet("table")

    def cell(value: Any) -> Any:
        ready = excel_value(value)
        if isinstance(ready, str) and ready.startswith("="):
            held = WriteOnlyCell(page, ready)
            held.data_type = "s"  # a text, never a formula
            return held
        return ready

    page.append([cell(n) for n in data.column_names])
    for batch in data.to_batches(max_chunksize=_BATCH):
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            page.append([cell(v) for v in row])
    book.save(handle)


def excel_value(value: Any) -> Any:
    """What Excel cannot hold goes as text: endless numbers, long whole numbers, moments before 1900, control characters.

    It knows no time zones: moments stand as the clock there shows them.
    """
    if isinstance(value, str):
        return "".join(f"_x{ord(c):04X}_" if ord(c) < 32 and c not in "\t\n\r" else c for c in value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)
    if hasattr(value, "isoformat"):
        value = value.replace(tzinfo=None) if getattr(value, "tzinfo", None) else value
        return value if getattr(value, "year", 0) >= 1900 else value.isoformat(sep=" ")
    return value if isinstance(value, (int, float)) else str(value)


_WRITERS: dict[str, Callable[[pa.Table, IO[bytes]], None]] = {
    ".csv": _write_csv,
    ".csv.gz": _write_gzip_csv,
    ".tsv": _write_tsv,
    ".parquet": _write_parquet,
    ".pq": _write_parquet,
    ".jsonl": _write_json_lines,
    ".ndjson": _write_json_lines,
    ".xlsx": _write_excel,
}

"""A column of times as microseconds, whatever it is written as: times, dates as text, years as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError
from holdgood.core.sql import connect
from holdgood.core.table import Table
from holdgood.core.zones import NEVER as NEVER
from holdgood.core.zones import of_offsets

_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"


@dataclass(frozen=True)
class Moments:
    """``us``: (n,) int64 microseconds since 1970 in UTC, NEVER where missing.

    ``zones``: rows by how their zone is written; ``zone``: the one that they came in, None for none or for several.
    """

    us: np.ndarray
    unread: int = 0
    zones: dict[str, int] | None = None
    zone: str | None = None


def moments_of(table: Table, column: str) -> Moments:
    """Read a column as times. DataError where it holds none."""
    table.type_of(column)
    values = table.data.column(column)
    t = values.type
    if pa.types.is_timestamp(t):
        return Moments(_filled(values.cast(pa.timestamp("us"))), zone=table.zone_of(column))
    if pa.types.is_integer(t) or pa.types.is_floating(t):
        return Moments(_years(values, column))
    if pa.types.is_string(t):
        return _texts(values, column)
    raise DataError(f"the time column {column!r} holds {t}", "dates or times", "name the time column under [forecast]")


def _filled(values: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.fill_null(values.cast(pa.int64()), NEVER).to_numpy(zero_copy_only=False), np.int64)


def _years(values: pa.ChunkedArray, column: str) -> np.ndarray:
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    seen = numbers[np.isfinite(numbers)]
    if not len(seen) or np.any(seen != np.floor(seen)) or seen.min() < 1000 or seen.max() > 2999:
        raise DataError(
            f"the time column {column!r} holds numbers",
            "dates or times, or years as whole numbers",
            "make dates of them first",
        )
    out = np.full(len(numbers), NEVER, np.int64)
    there = np.isfinite(numbers)
    out[there] = (numbers[there].astype(np.int64) - 1970).astype("M8[Y]").astype("M8[us]").astype(np.int64)
    return out


def _texts(values: pa.ChunkedArray, column: str) -> Moments:
    """Each different text is read once; without a zone it is taken as UTC."""
    words = pc.dictionary_encode(values.combine_chunks())
    distinct, places = words.dictionary, words.indices
    connection = connect({"t": pa.table({"v": distinct})}, threads=1)
    try:
        found = connection.sql(
            f"SELECT epoch_us(try_cast(v AS TIMESTAMPTZ)) AS us, regexp_extract(v, '{_ZONE}') AS zone FROM t"
        ).to_arrow_table()
    except duckdb.Error as error:
        raise DataError(
            f"the time column {column!r} cannot be read", "dates or times", "see repair parse-dates"
        ) from error
    finally:
        connection.close()
    by_word = pc.fill_null(found.column("us"), NEVER).to_numpy(zero_copy_only=False).astype(np.int64)
    where = pc.fill_null(places, -1).to_numpy(zero_copy_only=False)
    us = np.where(where >= 0, by_word[where], NEVER)
    unread = int(((us == NEVER) & (where >= 0)).sum())
    if not np.any(us != NEVER):
        raise DataError(
            f"the time column {column!r} holds text that is no date",
            "dates such as 2024-03-31",
            "declare the repair parse-dates",
        )
    zones = np.array(found.column("zone").to_pylist(), dtype=str)[where[where >= 0]]
    names, counts = np.unique(zones, return_counts=True)
    by_zone = {str(n) or "none": int(c) for n, c in zip(names, counts, strict=True)}
    return Moments(us, unread, by_zone, of_offsets(by_zone))

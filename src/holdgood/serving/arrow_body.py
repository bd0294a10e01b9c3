"""An Arrow stream from a stranger: bounded before it is unpacked, checked before it is looked at."""

from __future__ import annotations

import struct

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.arrow_messages import compressed
from holdgood.serving.arrow_moments import in_microseconds
from holdgood.serving.exchange import Refusal, refused
from holdgood.serving.limits import Limits

_MOST_COLUMNS = 2_000


def read_stream(body: bytes, limits: Limits) -> pa.Table:
    """The table of a stream, its dates and times in microseconds.

    Compressed streams are refused: a few bytes could ask for any amount of memory.
    """
    try:
        if compressed(body):
            raise refused(415, "a compressed Arrow stream", "one without compression", "write it with compression=None")
        with pa.ipc.open_stream(body) as reader:
            schema = reader.schema
            _check_schema(schema)
            batches, rows = [], 0
            for batch in reader:
                rows += batch.num_rows
                if rows > limits.arrow_rows:
                    raise refused(
                        413,
                        "an Arrow stream of too many rows",
                        f"at most {limits.arrow_rows:,}",
                        "send several requests",
                    )
                if rows * len(schema) > limits.cells:
                    raise refused(
                        413,
                        "an Arrow stream of too many cells",
                        f"at most {limits.cells:,}",
                        "send fewer rows at a time, and only the columns of the model",
                    )
                batch.validate(full=True)  # offsets that lead outside would be read as they are
                batches.append(batch)
        table = pa.Table.from_batches(batches, schema)
    except (pa.ArrowException, OSError, ValueError, struct.error, IndexError) as error:
        raise refused(
            400,
            "a body that is no Arrow stream",
            "the IPC streaming format",
            f"check the writer ({type(error).__name__})",
        ) from None
    if not table.num_rows:
        raise refused(422, "an Arrow stream without rows", "at least one", "send rows")
    return in_microseconds(_decoded(table, limits))


def _check_schema(schema: pa.Schema) -> None:
    if len(schema.names) > _MOST_COLUMNS or len(set(schema.names)) != len(schema.names):
        raise refused(
            422,
            "columns too many, or two of one name",
            f"at most {_MOST_COLUMNS:,} different ones",
            "send the columns of the model; see /schema",
        )
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not any(test(kind) for test in _PLAIN):
            raise refused(
                415,
                "an Arrow column of a type that no row has",
                "numbers, texts, truth values, dates, times",
                "cast it, or leave it out",
            )


_PLAIN = (
    pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string, pa.types.is_large_string, pa.types.is_timestamp,
    pa.types.is_date, pa.types.is_decimal, pa.types.is_null,
)  # fmt: skip


def _decoded(table: pa.Table, limits: Limits) -> pa.Table:
    """Dictionaries as the texts that they stand for, where these are not too large."""
    for at, column in enumerate(table.columns):
        if not pa.types.is_dictionary(column.type):
            continue
        for chunk in column.chunks:
            if pa.types.is_string(chunk.dictionary.type) or pa.types.is_large_string(chunk.dictionary.type):
                longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
                if longest * len(chunk) > limits.arrow_body:
                    raise _too_long(limits)
        table = table.set_column(at, table.field(at).name, column.cast(column.type.value_type))
    return table


def _too_long(limits: Limits) -> Refusal:
    return refused(
        413,
        "an Arrow dictionary that stands for too many bytes",
        f"at most {limits.arrow_body:,}",
        "send fewer rows at a time",
    )

"""What an Arrow stream (IPC) of unknown origin asks for, looked at before it is unpacked."""

from __future__ import annotations

import struct

import pyarrow as pa

_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3


def compressed(stream: bytes | pa.Buffer) -> bool:
    """Whether anything in it is compressed: a few bytes could then ask for any amount of memory.

    Raises pyarrow's errors, OSError, IndexError and struct.error for what is no stream.
    """
    reader = pa.ipc.MessageReader.open_stream(stream)
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return False
        if message.type in ("record batch", "dictionary") and _compressed(message.metadata.to_pybytes()):
            return True


def _compressed(metadata: bytes) -> bool:
    """Whether a message's buffers are compressed: the fourth field of a RecordBatch in Arrow's flatbuffer (format 1.x, Message.fbs)."""
    message = _table(metadata, struct.unpack_from("<I", metadata, 0)[0])
    kind = _field(metadata, message, 1)
    header = _field(metadata, message, 2)
    if kind is None or header is None:
        return True
    batch = header + struct.unpack_from("<I", metadata, header)[0]
    if metadata[kind] == _DICTIONARY_BATCH:
        inner = _field(metadata, batch, 1)
        if inner is None:
            return True
        batch = inner + struct.unpack_from("<I", metadata, inner)[0]
    elif metadata[kind] != _RECORD_BATCH:
        return False
    return _field(metadata, batch, 3) is not None


def _table(data: bytes, at: int) -> int:
    if not 0 <= at < len(data):
        raise IndexError(at)
    return at


def _field(data: bytes, table: int, number: int) -> int | None:
    """Where a field of a flatbuffer's table lies; None where the table does not have it."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    size = struct.unpack_from("<H", data, _table(data, vtable))[0]
    slot = 4 + 2 * number
    if slot >= size:
        return None
    offset = struct.unpack_from("<H", data, vtable + slot)[0]
    return table + offset if offset else None

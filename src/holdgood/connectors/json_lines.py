"""JSON lines: one object a line; or one array of objects. Lines that are no object are counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pyarrow as pa

from holdgood.connectors.column_types import Reading
from holdgood.connectors.encoding import to_utf8
from holdgood.connectors.finish import finish
from holdgood.connectors.place import checked, local_file, read_bytes
from holdgood.connectors.python_values import to_column
from holdgood.core.errors import ReadError
from holdgood.core.table import Note, Table

_SHOWN = 5


class JsonLines:
    """Reads JSON lines, or a JSON array of objects, also packed with gzip. Option: ``encoding``."""

    name: ClassVar[str] = "jsonlines"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one file; columns in order of first appearance, a key that is absent is missing."""
        chosen = checked(options, {"encoding": (str,)}, "a JSON lines file")
        path = local_file(source)
        body, notes = to_utf8(read_bytes(path), chosen.get("encoding"), path.name)
        rows, bad = _objects(body, path.name)
        if bad:
            shown = ", ".join(str(n) for n in bad[:_SHOWN]) + (" …" if len(bad) > _SHOWN else "")
            message = f"{len(bad):,} lines of {path.name} are no JSON objects and were left out; first lines: {shown}"
            notes.append(Note("bad-lines", message, len(bad)))
        keys = list(dict.fromkeys(key for row in rows for key in row))
        arrays, other = [], []
        for position, key in enumerate(keys):
            array, more, unusable = to_column(key.strip(), [row.get(key) for row in rows])
            arrays.append(array)
            notes.extend(more)
            if unusable:
                other.append(position)
        data = pa.Table.from_arrays(arrays, names=keys)
        return finish(
            data, name=name, source=source, types=types, reading=Reading(typed=True), notes=notes, other=other
        )


def _objects(body: bytes, file: str) -> tuple[list[dict[str, Any]], list[int]]:
    """The objects of a file, and the numbers of lines (from 1) that are none."""
    if body.lstrip()[:1] == b"[":
        return _array(body, file)
    rows, bad = [], []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            rows.append(value)
        else:
            bad.append(number)
    if not rows:
        raise _nothing(file, f" in its {len(bad):,} lines" if bad else "")
    return rows, bad


def _nothing(file: str, where: str) -> ReadError:
    return ReadError(
        f"{file} holds no JSON objects{where}",
        "one JSON object a line, or an array of objects",
        'write each row as {"column": value, …} on a line of its own',
    )


def _array(body: bytes, file: str) -> tuple[list[dict[str, Any]], list[int]]:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"{file} is no valid JSON: {error}", "an array of objects", "write it again, complete"
        ) from None
    if not values:
        raise _nothing(file, "")
    strange = sum(not isinstance(v, dict) for v in values)
    if strange:
        raise ReadError(
            f"{file} is an array with {strange:,} entries that are no objects",
            "an array of objects",
            "one object a row",
        )
    return values, []


CONNECTOR = JsonLines()

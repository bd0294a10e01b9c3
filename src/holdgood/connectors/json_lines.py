"""JSON lines: one object a line, read piece by piece; or one array of objects, read whole. Lines that are no object are counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

from holdgood.connectors.column_types import Reading
from holdgood.connectors.finish import Raw, finish
from holdgood.connectors.place import checked, local_file
from holdgood.connectors.python_values import Growing
from holdgood.connectors.steady import steady
from holdgood.connectors.store import Store, refuse_beyond
from holdgood.connectors.text_body import Body, body_of
from holdgood.core.errors import ReadError
from holdgood.core.table import Note, Table

_SHOWN = 5
_PIECE = 8_000_000
_LOOK = 65_536
_OBJECTS = 8  # bytes of Python objects for a byte of JSON, about


class JsonLines:
    """Reads JSON lines, or a JSON array of objects, also packed with gzip. Option: ``encoding``."""

    name: ClassVar[str] = "jsonlines"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one file; columns in order of first appearance, a key that is absent is missing."""
        chosen = checked(options, {"encoding": (str,)}, "a JSON lines file")
        path = local_file(source)
        parts, growing, bad = Store(share=0.5), _Growing(), _Bad()
        with steady(path):
            body, notes = body_of(path, chosen.get("encoding"))
            try:
                for rows in _rows(body, path.name, bad):
                    parts.add(growing.add(rows))
            finally:
                body.close()
        if not growing.columns:
            raise _nothing(path.name, f" in its {bad.count:,} lines" if bad.count else "")
        notes += bad.notes(path.name)
        said = [column.said() for column in growing.columns.values()]
        raw = Raw(list(growing.columns), growing.whole(parts.tables()))
        return finish(
            raw,
            name=name,
            source=source,
            types=types,
            reading=Reading(typed=True),
            notes=[*notes, *(note for more, _ in said for note in more)],
            other=[i for i, (_, unusable) in enumerate(said) if unusable],
        )


class _Growing:
    """Columns by key, in order of first appearance, that grow part by part; a part lacks the columns that come later."""

    def __init__(self) -> None:
        self.columns: dict[str, Growing] = {}

    def add(self, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        """The rows of one part; columns are numbered."""
        for key in (key for row in rows for key in row):
            if key not in self.columns:
                self.columns[key] = Growing(key.strip())
        arrays = [column.add([row.get(key) for row in rows]) for key, column in self.columns.items()]
        if not arrays:  # objects without a single key: only their number is known
            arrays = [pa.nulls(len(rows))]
        return pa.Table.from_arrays(arrays, names=[str(i) for i in range(len(arrays))])

    def whole(self, parts: Sequence[pa.Table]) -> Iterator[pa.Table]:
        """One column after the other."""
        for i, column in enumerate(self.columns.values()):
            pieces = [t.column(i) if i < t.num_columns else pa.nulls(t.num_rows, pa.string()) for t in parts]
            flat = [c for p in pieces for c in (p.chunks if isinstance(p, pa.ChunkedArray) else [p])]
            yield pa.table({"v": column.column(flat)})


@dataclass
class _Bad:
    """Lines that are no objects: how many, and the numbers (from 1) of the first."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Count one."""
        self.count += 1
        if self.count <= _SHOWN:
            self.first.append(number)

    def notes(self, file: str) -> list[Note]:
        """What there is to say."""
        if not self.count:
            return []
        shown = ", ".join(map(str, self.first)) + (" …" if self.count > _SHOWN else "")
        what = f"1 line of {file} is no JSON object and was left out"
        if self.count > 1:
            what = f"{self.count:,} lines of {file} are no JSON objects and were left out"
        message = f"{what}; first lines: {shown}"
        return [Note("bad-lines", message, self.count)]


def _rows(body: Body, file: str, bad: _Bad) -> Iterator[list[dict[str, Any]]]:
    """The objects of a file, some at a time."""
    if body.read(0, _LOOK).lstrip()[:1] == b"[":
        refuse_beyond(_OBJECTS * body.size, file, "write one object a line")
        yield _array(body.read(0, body.size), file)
        return
    at, line, rest = 0, 1, b""
    while at < body.size:
        text = body.read(at, _PIECE)
        at += len(text)
        end = len(text) if at >= body.size else text.rfind(b"\n") + 1
        if end:
            rows = []
            for number, one in enumerate((rest + text[:end]).split(b"\n"), start=line):
                value = _object(one)
                if value is not None:
                    rows.append(value)
                elif one.strip():
                    bad.add(number)
            line += text.count(b"\n", 0, end)
            if rows:
                yield rows
            rest = b""
        rest += text[end:]  # a line may be longer than a piece


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _nothing(file: str, where: str) -> ReadError:
    return ReadError(
        f"{file} holds no JSON objects{where}",
        "one JSON object a line, or an array of objects",
        'write each row as {"column": value, …} on a line of its own',
    )


def _array(body: bytes, file: str) -> list[dict[str, Any]]:
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
    return list(values)


CONNECTOR = JsonLines()

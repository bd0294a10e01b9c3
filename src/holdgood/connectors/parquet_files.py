"""Parquet: columns with types of their own; only the columns asked for are read, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from holdgood.connectors.column_types import Reading
from holdgood.connectors.finish import Raw, finish
from holdgood.connectors.place import checked, local_file, opening
from holdgood.connectors.steady import steady
from holdgood.core.errors import ReadError, did_you_mean
from holdgood.core.table import Note, Table

_CELLS = 10_000_000
_MOST = 100


class ParquetFiles:
    """Reads one Parquet file. Option: ``columns``, a list of names (top level)."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one file; nested columns are kept as text, with a note; the row index that pandas adds is left out, with a note."""
        # Here and not at the top: the reader of Parquet is loaded only for a Parquet file.
        import pyarrow.parquet as pq

        chosen = checked(options, {"columns": (list,)}, "a Parquet file")
        path = local_file(source)
        try:
            with steady(path), opening(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
                known = file.schema_arrow.names
                for column in chosen.get("columns", []):
                    if column not in known:
                        raise ReadError(
                            f"{path.name} has no column {column!r}",
                            "one of: " + ", ".join(known[:12]) + (" …" if len(known) > 12 else ""),
                            did_you_mean(column, known) or "check the option columns",
                        )
                wanted, notes = _without_index(chosen.get("columns"), file.schema_arrow)
                raw = Raw([known[i] for i in wanted], _groups(file, wanted))
                try:
                    return finish(raw, name=name, source=source, types=types, reading=Reading(typed=True), notes=notes)
                except MemoryError:
                    raise
                except (pa.ArrowException, OSError) as error:
                    raise _unreadable(path, error) from None
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> ReadError:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ReadError(
        f"{path.name} is not a readable Parquet file: {said}", "a complete Parquet file", "copy or write it again"
    )


def _without_index(asked: Sequence[str] | None, schema: pa.Schema) -> tuple[list[int], list[Note]]:
    """Positions of the columns to read. pandas writes its row numbers or labels as ``__index_level_0__`` unless told not to."""
    if asked is not None:
        return [schema.names.index(c) for c in asked], []
    index = [i for i, n in enumerate(schema.names) if _is_index(n)]
    if not index or len(index) == len(schema.names):
        return list(range(len(schema.names))), []
    told = ", ".join(repr(schema.names[i]) for i in index)
    message = f"{told} is the row index of a pandas frame and was left out; name it in the option columns to keep it"
    return [i for i in range(len(schema.names)) if i not in index], [Note("left-out", message, len(index))]


def _is_index(name: str) -> bool:
    return name.startswith("__index_level_") and name.endswith("__")


def _groups(file: Any, wanted: Sequence[int]) -> Iterator[pa.Table]:
    """The columns, about 10 million cells at a time; a group is decoded and finished before the next is touched."""
    every = file.schema_arrow.names  # made anew at each access
    step = max(1, min(_MOST, _CELLS // max(1, file.metadata.num_rows)))
    unique = len(set(every)) == len(every)
    if not unique:  # columns can only be asked for by name
        yield _sound(file.read().select(list(wanted)))
        return
    for start in range(0, len(wanted), step):
        names = [every[i] for i in wanted[start : start + step]]
        yield _sound(file.read(names, use_pandas_metadata=False).select(names))


def _sound(group: pa.Table) -> pa.Table:
    """The columns; ArrowInvalid where a text is no UTF-8 or a dictionary lacks a value, as bytes that were damaged leave them."""
    for column in group.columns:
        if not pa.types.is_primitive(column.type):
            column.validate(full=True)
    return group


CONNECTOR = ParquetFiles()

"""Parquet: columns with types of their own; only the columns asked for are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pyarrow as pa

from holdgood.connectors.column_types import Reading
from holdgood.connectors.finish import finish
from holdgood.connectors.place import checked, local_file, opening
from holdgood.core.errors import ReadError, did_you_mean
from holdgood.core.table import Table


class ParquetFiles:
    """Reads one Parquet file. Option: ``columns``, a list of names (top level)."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one file; nested columns are kept as text, with a note."""
        # Here and not at the top: the reader of Parquet is loaded only for a Parquet file.
        import pyarrow.parquet as pq

        chosen = checked(options, {"columns": (list,)}, "a Parquet file")
        path = local_file(source)
        try:
            with opening(path), pq.ParquetFile(path) as file:
                known = file.schema_arrow.names
                for column in chosen.get("columns", []):
                    if column not in known:
                        raise ReadError(
                            f"{path.name} has no column {column!r}",
                            "one of: " + ", ".join(known[:12]) + (" …" if len(known) > 12 else ""),
                            did_you_mean(column, known) or "check the option columns",
                        )
                data = file.read(chosen.get("columns"))
        except (pa.ArrowException, OSError) as error:
            raise ReadError(
                f"{path.name} is not a readable Parquet file: {str(error).splitlines()[0]}",
                "a complete Parquet file",
                "copy or write it again",
            ) from None
        return finish(data, name=name, source=source, types=types, reading=Reading(typed=True))


CONNECTOR = ParquetFiles()

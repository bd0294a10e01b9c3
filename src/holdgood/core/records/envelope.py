"""Every record travels in an envelope {kind, schema, created_utc, producer, payload}; NaN and infinity are null on disk."""

from __future__ import annotations

import io
import json
import math
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from holdgood.core.errors import BundleError, DataError, EnvironmentFault

PRODUCER = "holdgood"

Number = Annotated[float, BeforeValidator(lambda v: float("nan") if v is None else v)]
"""A float whose null on disk is NaN in memory."""


class Record(BaseModel):
    """Root of all records: frozen, strict about names, with a kind and a schema number."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    kind: ClassVar[str] = "record"
    schema_number: ClassVar[int] = 1
    upgraders: ClassVar[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

    def payload(self) -> dict[str, Any]:
        """Plain JSON values, NaN as None."""
        cleaned = _no_nan(self.model_dump(mode="json"))
        assert isinstance(cleaned, dict)
        return cleaned

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{_escape(k)}</th><td>{_escape(_short(v))}</td></tr>" for k, v in self
        )
        return f"<table><caption>{_escape(type(self).__name__)}</caption>{rows}</table>"


class Part(BaseModel):
    """A piece of a record; frozen, strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


R = TypeVar("R", bound=Record)


def _escape(text: object) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(value: object) -> str:
    if isinstance(value, (tuple, list, dict)) and len(value) > 6:
        return f"{len(value)} entries"
    text = str(value)
    return text if len(text) <= 300 else text[:297] + "…"


def _no_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _no_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_no_nan(v) for v in value]
    return value


def wrap(record: Record, *, created_utc: str | None = None) -> dict[str, Any]:
    """Put a record into its envelope."""
    return {
        "kind": record.kind,
        "schema": record.schema_number,
        "created_utc": created_utc or datetime.now(UTC).isoformat(timespec="seconds"),
        "producer": PRODUCER,
        "payload": record.payload(),
    }


def wrap_as_text(record: Record) -> str:
    """The envelope as JSON, three times as fast as by way of ``wrap``: pydantic writes the payload."""
    try:
        payload = record.model_dump_json()
    except ValueError:  # half of a surrogate pair, which is no UTF-8: json writes it as an escape
        payload = json.dumps(record.payload(), allow_nan=False)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return (
        f'{{"kind": {json.dumps(record.kind)}, "schema": {record.schema_number}, "created_utc": "{now}", '
        f'"producer": "{PRODUCER}", "payload": {payload}}}'
    )


def unwrap(envelope: Any, expected: type[R], *, where: str = "a record") -> R:
    """Take a record out of its envelope, upgrading older schemas step by step."""
    if not isinstance(envelope, dict) or not {"kind", "schema", "payload"} <= set(envelope):
        raise BundleError(
            f"{where} has no envelope", "kind, schema and payload", "it was not written by holdgood, or it is cut off"
        )
    if envelope["kind"] != expected.kind:
        raise BundleError(f"{where} holds a {envelope['kind']!r}", f"a {expected.kind!r}", "check which file this is")
    schema, payload = envelope["schema"], envelope["payload"]
    if not isinstance(schema, int) or schema > expected.schema_number:
        raise BundleError(
            f"{where} has schema {schema!r} of {expected.kind!r}",
            f"at most {expected.schema_number}",
            "upgrade holdgood: pip install -U holdgood",
        )
    while schema < expected.schema_number:
        payload = expected.upgraders[schema](payload)
        schema += 1
    try:
        return expected.model_validate(payload)
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(
            f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            f"a valid {expected.kind!r}",
            "the file was changed by hand or damaged",
        ) from None


def write(path: Path, record: Record) -> Path:
    """Write a record as JSON; the old file stays whole until the new one is on disk."""
    text = json.dumps(wrap(record), indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes(path, text.encode())
    return path


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; a full disk or a missing permission is told in the user's words and loses nothing."""
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise EnvironmentFault(
            f"cannot write {path.name} in {path.parent}: {error.strerror or error}",
            f"room for {len(content):,} bytes and permission to write",
            "free some space or choose another folder; what was there before is untouched",
        ) from error


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array as .npy, atomically; objects are refused."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def read(path: Path, expected: type[R]) -> R:
    """Read a record back."""
    path = Path(path)
    try:
        envelope = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(
            f"no record at {path}", f"a file with a {expected.kind!r}", "check the run or bundle folder"
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BundleError(
            f"{path.name} is not valid JSON", "a record written by holdgood", "the file is cut off or damaged"
        ) from error
    return unwrap(envelope, expected, where=path.name)

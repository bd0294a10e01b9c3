"""Scored pieces kept on disk until all are there, so that a batch that was cut off goes on where it stopped.

A folder with three files: ``batch.json`` says whose pieces these are, ``pieces.arrow`` holds them one after the other, and
``done.jsonl`` gets a line for each once it is on the disk. A piece counts if its line is whole and its bytes have the hash that
the line says; the first that does not, and all after it, are scored anew.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
import sys
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from holdgood.connectors.write import writing
from holdgood.core.errors import EnvironmentFault

if sys.platform != "win32":
    import fcntl

_ALIGNED = 64


class Kept:
    """The pieces of one batch. ``size``: rows a piece, as the first run chose it; ``old``: pieces of another batch were here."""

    def __init__(self, folder: Path, key: str, size: int, name: str) -> None:
        """``name``: of what is made of the pieces, for errors; nobody asked for the folder."""
        self.folder, self.size, self.old = folder, size, False
        self._target = folder.with_name(name)
        self._lines: list[dict[str, Any]] = []
        with writing(self._target):
            folder.mkdir(exist_ok=True)
            self._lock = _locked(folder)
            said = _read(folder / "batch.json")
            if said.get("key") == key:
                self.size = int(said["size"])
                self._lines = list(self._sound())
            else:
                self.old = bool(said)
                (folder / "done.jsonl").unlink(missing_ok=True)
            self._file = open(folder / "pieces.arrow", "ab")  # noqa: SIM115  open for as long as pieces come
            self._file.truncate(self._end)
            _put(folder / "done.jsonl", "".join(_line(d) for d in self._lines))
            _put(folder / "batch.json", json.dumps({"key": key, "size": self.size}))
            self._index = open(folder / "done.jsonl", "ab")  # noqa: SIM115  likewise

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def _end(self) -> int:
        return 0 if not self._lines else int(self._lines[-1]["at"]) + int(self._lines[-1]["bytes"])

    def _sound(self) -> list[dict[str, Any]]:
        """The lines of the pieces that are whole, up to the first that is not."""
        found: list[dict[str, Any]] = []
        path = self.folder / "pieces.arrow"
        if not path.exists():
            return found
        with path.open("rb") as file:
            for text in (self.folder / "done.jsonl").read_text("utf-8").splitlines():
                try:
                    line = json.loads(text)
                    file.seek(line["at"])
                    data = file.read(line["bytes"])
                except (ValueError, KeyError, TypeError):
                    break
                if hashlib.sha256(data).hexdigest() != line.get("sha256"):
                    break
                found.append(line)
        return found

    def add(self, data: pa.Table, said: dict[str, Any]) -> None:
        """Keep the next piece, with what there is to say about it."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, data.schema) as writer:
            writer.write_table(data)
        raw = sink.getvalue().to_pybytes()
        raw += b"\0" * (-len(raw) % _ALIGNED)
        line = {"at": self._end, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest(), "said": said}
        with writing(self._target):
            _append(self._file, raw)
            _append(self._index, _line(line).encode())
        self._lines.append(line)

    def said(self) -> list[dict[str, Any]]:
        """What was said about each piece, in order."""
        return [line["said"] for line in self._lines]

    def tables(self) -> list[pa.Table]:
        """The pieces in order, mapped from the disk and not read into memory."""
        with writing(self._target), (self.folder / "pieces.arrow").open("rb") as file:
            whole = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        parts = [whole.slice(line["at"], line["bytes"]) for line in self._lines]
        return [pa.ipc.open_stream(pa.BufferReader(part)).read_all() for part in parts]

    def close(self) -> None:
        """Let go of the folder; what is in it stays."""
        for file in (self._file, self._index, self._lock):
            file.close()

    def remove(self) -> None:
        """Delete the folder: what it held has been delivered."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()


def _line(line: dict[str, Any]) -> str:
    return json.dumps(line) + "\n"


def _append(file: IO[bytes], raw: bytes) -> None:
    file.write(raw)
    file.flush()
    os.fsync(file.fileno())


def _put(path: Path, text: str) -> None:
    """A small file, whole or not at all."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        _append(file, text.encode())
    os.replace(fresh, path)


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text("utf-8"))
        return said if isinstance(said, dict) and isinstance(said.get("size"), int) else {}
    except (OSError, ValueError):
        return {}


def _locked(folder: Path) -> IO[bytes]:
    """The folder's lock, which the system releases however this process ends; EnvironmentFault where another run has it."""
    file = open(folder / "lock", "ab")  # noqa: SIM115  held until the folder is let go
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise EnvironmentFault(
                f"another run is at work on {folder.name}", "one run at a time to one place", "wait until it is done"
            ) from None
        except OSError:  # a file system without locks
            pass
    return file

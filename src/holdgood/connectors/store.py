"""Where rows gather while a source is read: in memory while they fit, beyond that in a private temporary file.

The file is mapped back, so that what comes out is an ordinary Arrow table: the audit goes over it column by column, and the
system keeps of it in memory what it has room for. The file has no name (it is deleted when the last column of it dies, and
by the system if the process is killed); nobody else can change it while it is mapped.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pyarrow as pa

from holdgood.core.errors import EnvironmentFault, ReadError

VARIABLE = "HOLDGOOD_MEMORY"
_LITTLE = 50_000_000


def allowed() -> int:
    """Bytes that a table may take in memory (see ``holdgood.scale.memory``)."""
    # Here and not at the top: it looks at processes and containers, which reading a frame does not need.
    from holdgood.scale.memory import memory_allowed

    return memory_allowed()


def refuse_beyond(size: int, file: str, instead: str) -> None:
    """ReadError where a source that is read whole would take more bytes than a table may take in memory."""
    if _worth_asking(size) and size > allowed():
        raise ReadError(
            f"{file} is read whole and unpacks to {size / 1e6:,.0f} MB, more than the {allowed() / 1e6:,.0f} MB that a table may take",
            "a source that fits into memory",
            f"{instead}, which is read in pieces, or allow more with {VARIABLE}",
        )


def _worth_asking(size: int) -> bool:
    return size > _LITTLE or VARIABLE in os.environ


class Store:
    """Takes Arrow tables one after the other and gives them back in that order.

    ``limit``: bytes that stay in memory; default ``share`` of ``allowed()``, asked for once there is much to keep.
    ``spilled``: bytes that went to the file.
    """

    def __init__(self, limit: int | None = None, *, share: float = 1.0) -> None:
        self._limit, self._share = limit, share
        self._kept: list[pa.Table | tuple[int, int]] = []
        self._held = 0
        self._file: IO[bytes] | None = None
        self.spilled = 0

    def add(self, data: pa.Table) -> int:
        """Take a table; its place among all. EnvironmentFault where the disk for temporary files is full."""
        size = data.nbytes
        if self._fits(self._held + size):
            self._held += size
            self._kept.append(data)
        else:
            self._kept.append(self._write(data))
        return len(self._kept) - 1

    def _fits(self, size: int) -> bool:
        if self._limit is None and _worth_asking(size):
            self._limit = int(self._share * allowed())
        return self._limit is None or size <= self._limit

    def tables(self) -> list[pa.Table]:
        """Everything that was taken, in that order; the store is empty afterwards."""
        kept, self._kept, self._held = self._kept, [], 0
        if self._file is None:
            return [t for t in kept if isinstance(t, pa.Table)]
        with disk():
            self._file.flush()
            whole = pa.py_buffer(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
        self._file.close()
        self._file = None
        return [t if isinstance(t, pa.Table) else _read(whole.slice(*t)) for t in kept]

    def _write(self, data: pa.Table) -> tuple[int, int]:
        with disk():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="holdgood-")  # noqa: SIM115  kept open until it is mapped
            start = self._file.seek(0, os.SEEK_END)
            start += self._file.write(b"\0" * (-start % 64))
            with pa.ipc.new_stream(self._file, data.schema) as writer:
                writer.write_table(data)
            end = self._file.tell()
        self.spilled += end - start
        return start, end - start


def _read(buffer: pa.Buffer) -> pa.Table:
    return pa.ipc.open_stream(pa.BufferReader(buffer)).read_all()


@contextmanager
def disk() -> Iterator[None]:
    """Turn what the machine says about a temporary file into an error of ours."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise EnvironmentFault(
            "the disk is full: a table that does not fit into memory is kept in a temporary file"
            if full
            else f"no temporary file in {tempfile.gettempdir()}: {error.strerror or error}",
            f"room in {tempfile.gettempdir()}",
            f"make room, name another folder with TMPDIR, or allow more memory with {VARIABLE}",
        ) from None

"""A file that changes while it is read gives rows of two states; it is refused instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdgood.connectors.place import opening
from holdgood.core.errors import ReadError


@contextmanager
def steady(path: Path, *, isolated: bool = False) -> Iterator[None]:
    """See that size, time and identity of a file are after reading what they were before.

    ReadError where they are not, also in place of what a reader says about a file that was torn from under it.
    ``isolated``: the reader sees one state whatever is written meanwhile, as in a database; only a failure is looked into.
    """
    before = _state(path)
    try:
        yield
    except ReadError:
        if _state(path) != before:
            raise _changed(path) from None
        raise
    if not isolated and _state(path) != before:
        raise _changed(path)


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        with opening(path):
            found = path.stat()
    except ReadError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _changed(path: Path) -> ReadError:
    return ReadError(
        f"{path.name} changed while it was read",
        "a file that stays as it is until it is read",
        "wait until it is written, or read a copy of it",
    )

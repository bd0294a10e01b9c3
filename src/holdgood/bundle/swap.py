"""Put one folder in another's place, in one step where the system can."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_AT_CWD, _EXCHANGE = -100, 2  # of Linux's renameat2


def put_in_place(fresh: Path, folder: Path) -> None:
    """Move ``fresh`` to ``folder``. What was there ends where ``fresh`` was, or is gone; both lie on one file system.

    On Linux the two are exchanged in one step, so that a kill at any moment leaves one whole folder. Elsewhere the old
    one is set aside (``.NAME.old``) for the moment between two renames, and put back if the second fails. Raises
    OSError.
    """
    if not folder.exists():
        fresh.rename(folder)
    elif not _exchange(fresh, folder):
        aside = folder.with_name(f".{folder.name}.old")
        folder.rename(aside)
        try:
            fresh.rename(folder)
        except OSError:
            aside.rename(folder)
            raise
        aside.rename(fresh)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return rename is not None and rename(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE) == 0

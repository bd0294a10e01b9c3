"""The private folder of a pool: locked while its owner lives, so that whoever comes later can clear what a kill left."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

if sys.platform != "win32":
    import fcntl

PREFIX = "holdgood-pool-"
_LOCK = "owner.lock"


class Folder:
    """A folder of temporary files under TMPDIR, with a lock that the system releases when this process ends, however it ends.

    A lock and no process number: numbers are given out again, and containers that share a folder do not share numbers.
    """

    def __init__(self) -> None:
        for _ in range(3):
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = _locked(self.path)
            if self._lock is not None and self.path.exists():
                return
            self.remove()  # somebody who was sweeping took it for a left one, in the moment before it was locked
        # a file system without locks: a folder without the file is swept by nobody
        self.path, self._lock = Path(tempfile.mkdtemp(prefix=PREFIX)), None

    def remove(self) -> None:
        """Delete the folder and all that is in it."""
        if self._lock is not None:
            self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)


def sweep() -> int:
    """Delete folders of this user whose owner is gone; how many. Where the system has no such locks (Windows): none."""
    if sys.platform == "win32":
        return 0
    swept = 0
    for path in sorted(Path(tempfile.gettempdir()).glob(PREFIX + "*")):
        try:
            if path.is_symlink() or path.stat().st_uid != os.getuid() or not (path / _LOCK).exists():
                continue
        except OSError:  # gone since, or not ours to look into
            continue
        lock = _locked(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            lock.close()
            swept += 1
    return swept


def _locked(folder: Path) -> IO[Any] | None:
    """The folder's lock, held until it is closed; None where somebody else holds it or the folder is gone."""
    try:
        file = open(folder / _LOCK, "ab")  # noqa: SIM115  (held for as long as the folder is used)
    except OSError:
        return None
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
    return file

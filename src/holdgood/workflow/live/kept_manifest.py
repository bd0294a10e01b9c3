"""What a backup says of itself: which files it holds, of when, and whether the command that wrote it came to its end.

An update that is cut off leaves some files of then and some of before. So each update is written down before it begins, and what it is going
to write before it writes it: then every file can be held against what it was and what it was to become.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdgood.core.errors import DataError, TamperedError
from holdgood.core.records.envelope import write_bytes

NAME = "backup.json"
_FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """``when``: the end of the last backup that came to one, empty where none did; ``files``: SHA-256 by name, as of then.

    ``without``: what it does not hold, a sentence each. ``begun``: since when an update is under way, or was cut off; ``coming``: files as
    that one was to leave them, empty as long as it had not come so far.
    """

    when: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    begun: str = ""
    coming: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it down, in one step."""
        said = {"format": _FORMAT, "when": self.when, "files": dict(self.files), "without": list(self.without)}
        if self.begun:
            said |= {"begun": self.begun, "coming": dict(self.coming)}
        write_bytes(folder / NAME, json.dumps(said, indent=1).encode())

    def hold(self, folder: Path, others: Iterable[str]) -> None:
        """Raise TamperedError for a file in the folder that is none of those that may stand there; ``others``: names that must not be added."""
        for name in {*self.files, *self.coming, *others}:
            may = {self.files.get(name), *([self.coming.get(name)] if self.coming else [])}
            there = hash_of(folder / name) if Path(name).name == name and (folder / name).is_file() else None
            if there not in may:
                what = "added" if may == {None} else "changed"
                raise TamperedError(f"{name[:60]} in {folder} was {what}", "what was kept", "use another backup")


class NoManifest(DataError):
    """A folder that does not say that it is a backup."""


def manifest_in(folder: Path) -> Manifest:
    """What a folder says of itself. NoManifest where that is no backup, DataError where it is one of a release to come."""
    try:
        said = json.loads((folder / NAME).read_text(encoding="utf-8"))
        found = Manifest(
            str(said.get("when", "")),
            {str(n): str(h) for n, h in said.get("files", {}).items()},
            tuple(map(str, said.get("without", ()))),
            str(said.get("begun", "")),
            {str(n): str(h) for n, h in said.get("coming", {}).items()},
        )
        known = said["format"] == _FORMAT
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoManifest(f"{folder} is no backup", "a folder that holdgood backup wrote", "check the path") from error
    if not known:
        raise DataError(f"{folder} has a form that this release does not know", f"{_FORMAT}", "upgrade holdgood")
    return found


def hash_of(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()

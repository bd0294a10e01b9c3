"""The steps of a walk as they were told, a JSON line each; a line that a kill cut off is none, and spoils no other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Step: TypeAlias = dict[str, str]
"""When, what, and the sentence."""

_NAMES = {"when", "what", "sentence"}


@dataclass(frozen=True)
class ToldSteps:
    """The file need not be there yet."""

    file: Path

    def all(self) -> list[Step]:
        """The steps so far, in order."""
        return [step for line in self._bytes().split(b"\n") if (step := _step(line)) is not None]

    def add(self, step: Step) -> bool:
        """Keep a step; False where it is kept already, as after a stop that is gone on from."""
        if step in self.all():
            return False
        whole = self._bytes()[-1:] in (b"", b"\n")
        with self.file.open("ab") as out:  # a line that was cut off is ended first: else it would take this one with it
            out.write(b"" if whole else b"\n")
            out.write(json.dumps(step, ensure_ascii=False).encode() + b"\n")
        return True

    def _bytes(self) -> bytes:
        return self.file.read_bytes() if self.file.exists() else b""


def _step(line: bytes) -> Step | None:
    try:
        step = json.loads(line.decode())
    except ValueError:  # also where a letter of several bytes was cut through
        return None
    return step if isinstance(step, dict) and set(step) == _NAMES else None

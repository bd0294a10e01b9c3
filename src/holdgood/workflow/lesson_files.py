"""Lessons on disk: one file each in a folder of the project, and one line for each time that one was reused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from holdgood.core.errors import EnvironmentFault, HoldgoodError
from holdgood.core.records import Lesson, LessonUse
from holdgood.core.records.envelope import read, write

FOLDER = "lessons"
USES = "uses.jsonl"
LARGEST = 2_000_000
"""Bytes of a lesson; a larger file is none."""
MOST_FILES = 2_000


@dataclass(frozen=True)
class Shelf:
    """What lies in some folders: lessons, uses, and a note for each file that cannot be read."""

    lessons: tuple[Lesson, ...]
    uses: tuple[LessonUse, ...]
    notes: tuple[str, ...]


def identity(lesson: Lesson) -> str:
    """A short name for the content of a lesson, whichever run it was: the same training done twice teaches once."""
    content = lesson.model_copy(update={"id": "", "run": ""}).payload()
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def keep(folder: Path, lesson: Lesson) -> Path:
    """Write a lesson into a folder; one that lies there already stays as it is."""
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in lesson.project)[:40]
    path = folder / f"{safe}-{lesson.id}.json"
    return path if path.exists() else write(path, lesson)


def count(folder: Path, uses: Sequence[LessonUse]) -> None:
    """Add a line for each reuse; lines are only ever added."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lines = "".join(json.dumps({**u.model_dump(mode="json"), "when_utc": now}, ensure_ascii=False) + "\n" for u in uses)
    path = folder / USES
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, lines.encode())
        finally:
            os.close(handle)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write {path}: {error.strerror or error}", "a folder that can be written", "check the permissions"
        ) from error


def shelf(folders: Iterable[Path]) -> Shelf:
    """Everything that some folders hold. What cannot be read is told and passed over; a folder that is not there is empty."""
    lessons: dict[str, Lesson] = {}
    uses: list[LessonUse] = []
    notes: list[str] = []
    for folder in dict.fromkeys(folders):
        try:
            files = sorted(folder.glob("*.json"))
        except OSError as error:
            notes.append(f"the lessons in {folder} cannot be read: {error.strerror or error}")
            continue
        if len(files) > MOST_FILES:
            notes.append(f"{folder} holds {len(files):,} lessons: {MOST_FILES:,} of them were looked at")
        for file in files[-MOST_FILES:]:
            lesson = _lesson(file, notes)
            if lesson is not None:
                lessons.setdefault(lesson.id, lesson)
        uses += _uses(folder / USES, notes)
    return Shelf(tuple(lessons.values()), tuple(uses), tuple(notes))


def _lesson(file: Path, notes: list[str]) -> Lesson | None:
    try:
        if file.stat().st_size > LARGEST:
            notes.append(f"the lesson {file.name} was passed over: it is larger than {LARGEST:,} bytes")
            return None
        lesson = read(file, Lesson)
    except (HoldgoodError, OSError, RecursionError, TypeError) as error:
        came = error.came if isinstance(error, HoldgoodError) else str(error)
        notes.append(f"the lesson {file.name} was passed over: {came}")
        return None
    if lesson.id != identity(lesson):
        notes.append(f"the lesson {file.name} was passed over: it was changed after it was written")
        return None
    return lesson


def _uses(path: Path, notes: list[str]) -> list[LessonUse]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        notes.append(f"{path} cannot be read: {error.strerror or error}")
        return []
    found, torn = [], 0
    for line in lines:
        try:
            told = json.loads(line)
            found.append(LessonUse.model_validate({k: v for k, v in told.items() if k != "when_utc"}))
        except (ValueError, ValidationError, AttributeError):
            torn += 1
    if torn:
        notes.append(
            f"{torn} line{'s' if torn > 1 else ''} of {path.name} cannot be read: {'these uses are' if torn > 1 else 'this use is'} not counted"
        )
    return found

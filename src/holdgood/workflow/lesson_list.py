"""The lessons of a project as people look through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.records import DataKind, Lesson, LessonUse
from holdgood.governance.lessons import similarity
from holdgood.workflow.folder import Project
from holdgood.workflow.lesson_files import shelf
from holdgood.workflow.recall import noted, own_folder


@dataclass(frozen=True)
class Listed:
    """One lesson with its uses; ``similarity``: to the data of the run that was asked for, or None."""

    lesson: Lesson
    uses: tuple[LessonUse, ...]
    similarity: float | None = None

    def times(self, outcome: str) -> int:
        """How often a reuse ended so."""
        return sum(u.outcome == outcome for u in self.uses)

    @property
    def fared(self) -> str:
        """How often it was reused and what came of it, in words."""
        if not self.uses:
            return "not reused yet"
        counts = {
            "held": self.times("held"),
            "contradicted": self.times("contradicted"),
            "not proven either way": self.times("not proven"),
            "on the rows that taught it": self.times("same rows"),
        }
        said = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
        return f"reused {len(self.uses)} time{'s' if len(self.uses) > 1 else ''}: {said}"

    def payload(self) -> dict[str, Any]:
        """For machines."""
        counts = {o.replace(" ", "_"): self.times(o) for o in ("held", "contradicted", "not proven", "same rows")}
        alike = {} if self.similarity is None else {"similarity": self.similarity}
        return {"lesson": self.lesson.payload(), "reused": len(self.uses), **counts, **alike}


@dataclass(frozen=True)
class Listing:
    """Lessons, and a note for each file that could not be read."""

    lessons: tuple[Listed, ...]
    notes: tuple[str, ...]


def list_lessons(
    project: Path, *, search: str | None = None, like: str | None = None, folders: Sequence[Path] = ()
) -> Listing:
    """Lessons of a project and of further folders, those of the most reused first; or by likeness to the data of run ``like``.

    Raises DeclarationError for a folder that is not there, DataError where the run noted no kind of data.
    """
    opened = Project.at(project)
    given = opened.declaration.memory.lessons
    declared = [opened.path / given] if given is not None and (opened.path / given).is_dir() else []
    for folder in folders:
        if not folder.is_dir():
            raise DeclarationError(f"no folder {folder}", "a folder of lessons", "check the spelling")
    lying = shelf([own_folder(opened), *declared, *folders])
    data = None if like is None else _data(opened, like)
    found = []
    for lesson in lying.lessons:
        if search is None or search.lower() in _words(lesson):
            uses = tuple(u for u in lying.uses if u.lesson == lesson.id)
            found.append(Listed(lesson, uses, None if data is None else round(similarity(lesson.data, data), 4)))
    found.sort(key=lambda x: (-(x.similarity or 0.0), -len(x.uses), x.lesson.project, x.lesson.run))
    return Listing(tuple(found), lying.notes)


def _words(lesson: Lesson) -> str:
    """What a lesson can be found by."""
    named = (x.family for x in lesson.families)
    tried = (p.trial for p in lesson.parameters)
    return " ".join((lesson.id, lesson.project, lesson.data.task, *named, *tried, *lesson.sentences)).lower()


def _data(project: Project, like: str) -> DataKind:
    run = project.run(like)
    found = noted(run)
    if found is None or found.data is None:
        raise DataError(
            f"run {run.id} noted no kind of data",
            "a run that came to its training with memory in use",
            "see holdgood runs",
        )
    return found.data

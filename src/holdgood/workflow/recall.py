"""Before a training: lessons of similar data are searched and noted. After it: its own lesson is written, reuses are counted.

Lessons change the order in which candidates are tried, nothing else: each is judged out of fold as ever, and the holdout
stays sealed. A run that repeats an earlier one (same data, declaration, code and versions) begins from the very lessons that
the earlier one began from, so that a work budget replays to the bit although lessons have been added since.
"""

from __future__ import annotations

from pathlib import Path

from holdgood.core.errors import EnvironmentFault, HoldgoodError
from holdgood.core.events import Event
from holdgood.core.records import Lesson, LessonsUsed, LessonUse
from holdgood.core.records.envelope import read, write
from holdgood.core.text import one_line
from holdgood.governance import lessons as told
from holdgood.training import Trained
from holdgood.workflow.folder import Project, RunFolder
from holdgood.workflow.lesson_files import FOLDER, count, identity, keep, shelf
from holdgood.workflow.lesson_of import Judged, kind_of, lesson_of, source_of
from holdgood.workflow.work import Work

FILE = "lessons.json"
"""Of a run: the lessons that its training began from."""


def own_folder(project: Project) -> Path:
    """Where a project keeps its lessons."""
    return project.path / FOLDER


def recall(work: Work) -> LessonsUsed:
    """The lessons to begin from, noted in the run's folder before anything is tried."""
    if not work.declaration.memory.use:
        return LessonsUsed(mark=work.mark)
    used = _earlier(work) or _searched(work)
    write(work.run.path / FILE, used)
    for note in used.notes:
        work.listener(Event("note", "train", note))
    return used


def advice(used: LessonsUsed) -> tuple[dict[str, float], dict[str, float]]:
    """How families and configurations stood in the lessons used."""
    found = [told.Found(x, s) for x, s in zip(used.lessons, used.similarity, strict=True)]
    return dict(used.order), told.configurations(found)


def _earlier(work: Work) -> LessonsUsed | None:
    """What this run, before it was interrupted, or an earlier run of the very same training began from."""
    others = [r for r in reversed(work.project.runs()) if r.id != work.run.id]
    for run in (work.run, *others):
        found = noted(run)
        if found is not None and found.mark == work.mark and all(x.id == identity(x) for x in found.lessons):
            again = (
                ""
                if run.id == work.run.id
                else f"the lessons are those that run {run.id} began from, of which this is a repeat"
            )
            notes = (*(n for n in found.notes if n != found.replayed), *([again] if again else []))
            return found.model_copy(update={"replayed": again, "notes": notes})
    return None


def noted(run: RunFolder) -> LessonsUsed | None:
    """What a run began from: noted in its folder, or with a training that it took over whole."""
    step = run.find("train")
    for folder in (run.path, *([step.path] if step is not None else [])):
        try:
            return read(folder / FILE, LessonsUsed)
        except HoldgoodError:
            continue  # not there, or damaged: a search stands in
    return None


def _searched(work: Work) -> LessonsUsed:
    given = work.declaration.memory.lessons
    named = None if given is None else (work.project.path / given)
    notes: list[str] = []
    if named is not None and named.is_file():
        lessons, notes = _recorded(named)
        found = [told.Found(x, told.similarity(x.data, kind_of(work))) for x in lessons]
    else:
        if named is not None and not named.is_dir():
            notes.append(f"memory.lessons: no folder {given}; the project's own lessons were searched")
        lying = shelf([own_folder(work.project), *([named] if named is not None else [])])
        notes += lying.notes
        found = told.search(lying.lessons, kind_of(work)) if lying.lessons else []
        if lying.lessons and not found:
            notes.append(
                f"{len(lying.lessons):,} lessons, none of similar data: candidates are tried in the usual order"
            )
    order = told.standings(found)
    if found:
        notes.append(_sentence(found, order))
    return LessonsUsed(
        mark=work.mark,
        data=kind_of(work),
        lessons=tuple(f.lesson for f in found),
        similarity=tuple(round(f.similarity, 4) for f in found),
        order=order,
        notes=tuple(notes),
    )


def _recorded(file: Path) -> tuple[tuple[Lesson, ...], list[str]]:
    """Exactly the lessons that a run noted."""
    try:
        return read(file, LessonsUsed).lessons, []
    except HoldgoodError as error:
        return (), [f"memory.lessons: {error.came}: candidates are tried in the usual order"]


def _sentence(found: list[told.Found], order: dict[str, float]) -> str:
    first = [f for f, score in order.items() if score > told.UNKNOWN]
    last = [f for f, score in order.items() if score < told.UNKNOWN]
    of = ", ".join(f"{f.lesson.project} {f.lesson.run}" for f in found[:3]) + (" and others" if len(found) > 3 else "")
    said = f"{len(found)} lesson{'s' if len(found) > 1 else ''} of similar data ({of})"
    said += f"; tried sooner: {', '.join(first)}" if first else ""
    said += f"; tried later: {', '.join(last)}" if last else ""
    return one_line(said) + ". Only the order of trying follows them"


def remember(work: Work, used: LessonsUsed, trained: Trained) -> tuple[str, ...]:
    """Write the lesson of a finished training and count the reuses; notes on what could not be kept. Never ends a run."""
    if not work.declaration.memory.use:
        return ()
    if used.replayed:
        return ()  # the same training again proves nothing new
    judged = Judged.of(work, trained)
    lesson = lesson_of(work, trained, judged)
    uses = []
    for old, alike in zip(used.lessons, used.similarity, strict=True):
        use = LessonUse(
            lesson=old.id,
            project=work.declaration.name,
            run=work.run.id,
            similarity=alike,
            outcome="same rows",
            sentence="the rows that taught it",
        )
        if old.source != source_of(work):
            outcome, sentence = told.outcome(old, judged.families)
            use = use.model_copy(update={"outcome": outcome, "sentence": sentence})
        uses.append(use)
    try:
        if lesson is not None:
            keep(own_folder(work.project), lesson)
        if uses:
            count(own_folder(work.project), uses)
    except EnvironmentFault as error:
        note = f"the lesson of this run was not kept: {error.came}"
        work.listener(Event("note", "train", note))
        return (note,)
    return ()

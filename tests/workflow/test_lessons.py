"""Lessons through runs: written, searched, obeyed in order only, counted, replayed; damaged ones are told and end nothing."""

import json

import numpy as np
import pandas as pd
import pytest

import holdgood
from holdgood.core.records import Lesson, LessonUse
from holdgood.core.records.envelope import read
from holdgood.workflow.lesson_files import LARGEST, count, identity, keep, shelf
from holdgood.workflow.lesson_list import list_lessons

DECLARED = {
    "budget": {"trials": 4, "workers": 1, "models": ["linear", "tree", "forest"]},
    "split": {"folds": 2},
    "name": "shop",
}


def rows(n=500, seed=0, curved=True):
    """What a tree sees and a line does not (or the other way round)."""
    random = np.random.default_rng(seed)
    a, b = random.uniform(-1, 1, n).round(4), random.uniform(-1, 1, n).round(4)
    score = np.where((a > 0) == (b > 0), 2.5, -2.5) if curved else 3 * a
    return pd.DataFrame({"a": a, "b": b, "late": random.random(n) < 1 / (1 + np.exp(-score))})


def train(folder, data, **changes):
    declared = {**DECLARED, **{k: {**DECLARED.get(k, {}), **v} for k, v in changes.items()}}
    return holdgood.run(data, target="late", declaration=declared, project=folder, fresh=True)


def order(run):
    return [t.name for t in run.leaderboard.trials if t.status != "skipped"]


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A project with one run, on rows where the tree wins."""
    folder = tmp_path_factory.mktemp("taught")
    return train(folder, rows())


@pytest.fixture
def project(taught, tmp_path):
    import shutil

    return shutil.copytree(taught.project.path, tmp_path / "shop")


def test_a_run_writes_what_helped_and_what_did_not(taught):
    lesson = shelf([taught.project.path / "lessons"]).lessons[0]
    standing = {f.family: f.standing for f in lesson.families}
    assert standing["linear"] == "behind"
    assert "best" in (standing["tree"], standing["forest"])
    behind = next(f for f in lesson.families if f.family == "linear")
    assert behind.against.low > 0
    assert behind.against.level > 0.95, "the best was picked among several: intervals hold for all pairs together"
    assert (lesson.data.task, lesson.data.rows, lesson.data.numbers) == ("binary", taught.split.development, 2)
    assert lesson.id == identity(lesson)
    assert any("proven better than" in s for s in lesson.sentences)
    text = json.dumps(lesson.payload())
    assert '"a"' not in text, "no column's name"


def test_the_first_run_had_nothing_to_go_by(taught):
    assert order(taught)[:3] == ["prior", "linear", "tree"]
    assert not any("lesson" in n for n in taught.leaderboard.notes)


def test_the_next_training_on_other_rows_begins_from_it_says_so_and_counts_it(project, taught):
    data = rows(seed=7)
    second = train(project, data)
    note = next(n for n in second.leaderboard.notes if "lesson" in n)
    assert note.startswith("1 lesson of similar data (shop 0001); tried sooner:")
    assert "Only the order" in note
    assert order(second)[:2] == ["prior", "linear"], "complexity still has to beat what is simple"
    uses = shelf([project / "lessons"]).uses
    assert [(u.run, u.outcome) for u in uses] == [("0002", "held")]
    listed = list_lessons(project).lessons
    first = next(x for x in listed if x.lesson.run == "0001")
    assert first.fared == "reused 1 time: 1 held"


def test_a_lesson_that_does_not_hold_is_counted_against_it(project):
    train(project, rows(n=3000, seed=3, curved=False))
    use = shelf([project / "lessons"]).uses[0]
    assert use.outcome == "contradicted"
    assert "linear proven better" in use.sentence


def test_the_rows_that_taught_it_prove_nothing(project):
    train(project, rows(), budget={"trials": 3})
    assert [u.outcome for u in shelf([project / "lessons"]).uses] == ["same rows"]


def test_a_repeat_begins_from_the_same_lessons_to_the_bit_though_there_are_more_by_now(project):
    data = rows(seed=7)
    second, third = train(project, data), train(project, rows(seed=8, curved=False))
    again = train(project, data)
    assert order(again) == order(second)
    assert np.array_equal(
        again.model.predict(again.model.table_of(data)), second.model.predict(second.model.table_of(data))
    )
    assert again.holdout.payload()["metrics"] == second.holdout.payload()["metrics"]
    assert any(f"run {second.id} began from" in n for n in again.leaderboard.notes)
    counted = [u.run for u in shelf([project / "lessons"]).uses]
    assert set(counted) == {second.id, third.id}, "a repeat proves nothing new"
    assert len({x.source for x in shelf([project / "lessons"]).lessons}) == 3


def test_lessons_move_what_is_tried_first_and_nothing_else(project, tmp_path):
    data = rows(seed=7)
    with_them = train(project, data, budget={"trials": 8})
    without = train(tmp_path / "alone", data, budget={"trials": 8})
    assert sorted(order(with_them)) == sorted(order(without))
    scores = [{t.name: t.score for t in r.leaderboard.trials} for r in (with_them, without)]
    assert scores[0] == scores[1]


def test_memory_can_be_left_out(project):
    quiet = train(project, rows(seed=7), memory={"use": False})
    assert not any("lesson" in n for n in quiet.leaderboard.notes)
    assert len(shelf([project / "lessons"]).lessons) == 1


def test_a_folder_that_is_pointed_to_is_searched_and_not_written(taught, tmp_path):
    (tmp_path / "new").mkdir()
    before = sorted(p.name for p in (taught.project.path / "lessons").iterdir())
    run = train(tmp_path / "new", rows(seed=7), memory={"lessons": str(taught.project.path / "lessons")})
    assert any("1 lesson of similar data" in n for n in run.leaderboard.notes)
    assert sorted(p.name for p in (taught.project.path / "lessons").iterdir()) == before
    assert [u.outcome for u in shelf([tmp_path / "new" / "lessons"]).uses] == ["held"]
    assert run.model.declaration.memory.lessons is None, "no place of its maker travels with a model"


def test_the_lessons_of_a_run_can_be_given_to_another_as_they_were(project, tmp_path):
    data = rows(seed=7)
    second = train(project, data)
    elsewhere = train(tmp_path / "far", data, memory={"lessons": str(second.folder.path / "lessons.json")})
    assert order(elsewhere) == order(second)
    gone = train(tmp_path / "gone", data, memory={"lessons": "nowhere"})
    assert any("no folder nowhere" in n for n in gone.leaderboard.notes)


def test_damaged_lessons_are_told_and_end_nothing(project):
    folder = project / "lessons"
    whole = next(folder.glob("*.json")).read_text()
    (folder / "cut.json").write_text(whole[:200])
    (folder / "changed.json").write_text(whole.replace('"behind"', '"level"'))
    (folder / "foreign.json").write_text('{"kind": "split", "schema": 1, "payload": {}}')
    (folder / "binary.json").write_bytes(b"\xff\xfe\x00")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "large.json").write_text(" " * (LARGEST + 1))
    (folder / "uses.jsonl").write_text('{"lesson": "x"\n[]\n')
    run = train(project, rows(seed=7))
    notes = " ".join(run.leaderboard.notes)
    for name in ("cut", "changed", "foreign", "binary", "deep", "large"):
        assert f"{name}.json was passed over" in notes
    assert "2 lines of uses.jsonl" in notes
    assert "1 lesson of similar data" in notes


def test_a_lesson_from_anybody_does_nothing_to_the_terminal(taught, tmp_path):
    lesson = (
        shelf([taught.project.path / "lessons"])
        .lessons[0]
        .model_copy(update={"project": "x\x1b[2J\nnote: all is well"})
    )
    keep(tmp_path / "given", lesson.model_copy(update={"id": identity(lesson)}))
    run = train(tmp_path, rows(seed=7), memory={"lessons": str(tmp_path / "given")})
    note = next(n for n in run.leaderboard.notes if "1 lesson of similar data" in n)
    assert "\x1b" not in note
    assert "\n" not in note


def test_a_damaged_note_of_an_earlier_run_is_searched_anew(project):
    data = rows(seed=7)
    second = train(project, data)
    for file in second.folder.path.rglob("lessons.json"):
        file.write_text("{")
    again = train(project, data)
    assert not any("of which this is a repeat" in n for n in again.leaderboard.notes)


def test_a_folder_that_cannot_be_written_is_a_note(project, monkeypatch):
    from holdgood.core.errors import EnvironmentFault
    from holdgood.workflow import recall

    def full(*_):
        raise EnvironmentFault("cannot write: no space left")

    monkeypatch.setattr(recall, "keep", full)
    run = train(project, rows(seed=7))
    assert any("was not kept" in n for n in run.leaderboard.notes)
    assert run.folder.status()["status"] == "done"


def test_files_come_back_as_they_were_written(taught, tmp_path):
    lesson = shelf([taught.project.path / "lessons"]).lessons[0]
    path = keep(tmp_path, lesson)
    assert read(path, Lesson).payload() == lesson.payload()
    assert keep(tmp_path, lesson.model_copy(update={"run": "0009"})) == path, "the same training teaches once"
    count(tmp_path, [LessonUse(lesson=lesson.id, project="p", run="1", outcome="held")])
    count(tmp_path, [LessonUse(lesson=lesson.id, project="p", run="2", outcome="not proven")])
    found = shelf([tmp_path, tmp_path / "nothing"])
    assert [u.outcome for u in found.uses] == ["held", "not proven"]
    assert found.notes == ()

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.frame import Feature, Frame
from holdgood.training.progress import Progress
from holdgood.training.store import Store, work_fingerprint
from holdgood.training.work import Work, fit_fold


@pytest.fixture
def work(make_data, make_folds, families):
    frame, y, task = make_data(n=200)
    made = Work(frame, y, None, task, tuple(make_folds(200)), seed=1)
    made.candidates = families(task, "prior", "linear")
    return made


def losses(fit):
    return np.abs(fit.prediction)


def finished(work, index):
    p = Progress(index, work.candidates[index], len(work.folds), True)
    p.done = {f: fit_fold(work, p.candidate, f, float("inf"), None) for f in range(len(work.folds))}
    p.status = "ok"
    return p


def test_a_finished_trial_comes_back_with_all_its_numbers(work, tmp_path):
    saved = finished(work, 1)
    Store(tmp_path, work).save(saved)
    fresh = Progress(1, work.candidates[1], len(work.folds), True)
    assert Store(tmp_path, work).restore(fresh, losses)
    assert fresh.complete
    assert fresh.reused
    assert fresh.status == "ok"
    for fold, fit in saved.done.items():
        assert (fresh.done[fold].prediction == fit.prediction).all()
        assert fresh.done[fold].fit_seconds == fit.fit_seconds
        assert fresh.done[fold].learned_rows == fit.learned_rows
    assert fresh.row_ms() == saved.row_ms()
    assert set(fresh.losses) == set(saved.done)
    assert not Store(tmp_path, work).restore(Progress(0, work.candidates[0], 3, True), losses)


def test_hints_come_back(work, tmp_path):
    saved = finished(work, 1)
    Store(tmp_path, work).save(saved)
    fresh = Progress(1, work.candidates[1], len(work.folds), True)
    Store(tmp_path, work).restore(fresh, losses)
    assert fresh.hints() == saved.hints() != {}


def test_a_trial_of_fewer_folds_comes_back_as_what_it_is(work, tmp_path):
    cut = finished(work, 1)
    del cut.done[2]
    cut.folds = 2
    Store(tmp_path, work).save(cut)
    store, fresh = Store(tmp_path, work), Progress(1, work.candidates[1], 3, True)
    assert store.restore(fresh, losses)
    assert store.unreadable == 0
    assert (fresh.in_a_row, fresh.status, fresh.next_fold) == (2, "open", 2)
    assert (fresh.done[1].prediction == cut.done[1].prediction).all()


def test_trials_of_another_stamp_are_not_found(work, tmp_path):
    Store(tmp_path, work, "one").save(finished(work, 1))
    fresh = Progress(1, work.candidates[1], 3, True)
    assert not Store(tmp_path, work, "two").restore(fresh, losses)
    assert not Store(tmp_path, work).restore(fresh, losses)
    assert Store(tmp_path, work, "one").restore(fresh, losses)


def test_an_unfinished_trial_is_not_kept(work, tmp_path):
    p = finished(work, 0)
    del p.done[1]
    Store(tmp_path, work).save(p)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"{", b'{"folds": []}', b'{"folds": [{"rounds": 1, "what": 2}, {}, {}]}'])
def test_a_damaged_record_is_counted_and_done_again(work, tmp_path, damage):
    Store(tmp_path, work).save(finished(work, 1))
    next(tmp_path.glob("*.json")).write_bytes(damage)
    store, fresh = Store(tmp_path, work), Progress(1, work.candidates[1], 3, True)
    assert not store.restore(fresh, losses)
    assert store.unreadable == 1
    assert not fresh.done


def test_cut_off_predictions_are_counted_and_done_again(work, tmp_path):
    Store(tmp_path, work).save(finished(work, 1))
    file = next(tmp_path.glob("*.npz"))
    file.write_bytes(file.read_bytes()[:100])
    store = Store(tmp_path, work)
    assert not store.restore(Progress(1, work.candidates[1], 3, True), losses)
    assert store.unreadable == 1


def test_the_fingerprint_sees_all_that_matters_and_no_names(work):
    base = work_fingerprint(work)
    frame = work.frame
    renamed = Frame(tuple(Feature(f"z{i}", f.type) for i, f in enumerate(frame.features)), frame.arrays)
    assert work_fingerprint(replace(work, frame=renamed)) == base
    other_cell = frame.arrays[3].copy()
    other_cell[5] = None
    changed = [
        replace(work, y=1 - work.y),
        replace(work, seed=2),
        replace(work, cap=100),
        replace(work, folds=work.folds[:2]),
        replace(work, weight=np.ones(200)),
        replace(work, groups=np.zeros(200)),
        replace(work, frame=frame.with_column("d", other_cell)),
    ]
    assert len({base, *(work_fingerprint(w) for w in changed)}) == len(changed) + 1


def test_other_parameters_are_another_trial(work, tmp_path):
    Store(tmp_path, work).save(finished(work, 1))
    other = replace(work.candidates[1], parameters={"strength": 9})
    assert not Store(tmp_path, work).restore(Progress(1, other, 3, True), losses)


def test_neighbouring_texts_cannot_run_into_each_other(work):
    def with_text(*values):
        array = np.array([*values, *[None] * 198], object)
        return work_fingerprint(replace(work, frame=Frame((Feature("t", "category"),), (array,))))

    assert (
        len(
            {
                with_text("ab", "c"),
                with_text("a", "bc"),
                with_text("", "abc"),
                with_text(None, "abc"),
                with_text("-", "abc"),
            }
        )
        == 5
    )

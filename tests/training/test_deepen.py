"""One fold more for the best, where one fold judged many and cannot tell who is ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.frame import Feature, Frame
from holdgood.core.task import Task
from holdgood.training.choice import judged
from holdgood.training.deepen import end_where_they_are, take_back, worth_another_fold
from holdgood.training.timing import Timing
from holdgood.training.work import Work


@pytest.fixture
def on_one_fold(trial):
    """A prior, a linear model and ten boosters of which all but the last are alike; all have one fold of four."""
    found = [trial(0, "prior", 3.0, folds=1, base=4), trial(1, "linear", 2.0, folds=1, base=4)]
    found += [trial(i, "abcd"[i % 4], 1.0 + 1.0 * (i == 11), folds=1, base=4) for i in range(2, 12)]
    for p in found:
        p.candidate = replace(p.candidate, rung=min(p.index, 2))
    return found


def test_the_best_that_cannot_be_told_apart_go_on_with_the_simpler_families(on_one_fold):
    kept = worth_another_fold(on_one_fold, room=1000.0, parallel=2)
    assert {p.candidate.family for p in kept} >= {"prior", "linear"}
    assert len([p for p in kept if p.candidate.rung == 2]) == 6
    assert 11 not in [p.index for p in kept]
    end_where_they_are(on_one_fold, kept)
    assert all(p.status == "open" and p.folds == 2 for p in kept)
    assert all(p.status == "stopped" and p.behind for p in on_one_fold if p not in kept)


def test_no_other_fold_where_it_would_not_end_or_it_is_known_who_is_ahead(on_one_fold, trial):
    assert worth_another_fold(on_one_fold, room=3.0, parallel=2) == []
    apart = [trial(i, "ab"[i % 2], 1.0 + i, folds=1, base=4) for i in range(8)]
    assert worth_another_fold(apart, room=1000.0, parallel=2) == []
    assert worth_another_fold([trial(i) for i in range(8)], room=1000.0, parallel=2) == []  # all folds are done


def test_a_fold_that_did_not_end_for_all_is_taken_back_and_all_are_judged_alike(on_one_fold):
    kept = worth_another_fold(on_one_fold, room=1000.0, parallel=2)
    end_where_they_are(on_one_fold, kept)
    for p in kept[:-1]:
        p.done[1], p.losses[1] = p.done[0], p.losses[0]
    take_back(kept)
    found, k = judged(on_one_fold, 4)
    assert k == 1
    assert {p.index for p in found} == {p.index for p in kept}


def test_those_that_went_on_are_judged_on_two_folds(on_one_fold):
    kept = worth_another_fold(on_one_fold, room=1000.0, parallel=2)
    end_where_they_are(on_one_fold, kept)
    for p in kept:
        p.done[1], p.losses[1], p.status = p.done[0], p.losses[0], "ok"
    take_back(kept)
    found, k = judged(on_one_fold, 4)
    assert (k, {p.index for p in found}) == (2, {p.index for p in kept})


@pytest.mark.parametrize(("rows", "share", "grouped", "folds"), [
    (12_000, 0.5, False, 1), (12_000, 0.02, False, None), (3_000, 0.5, False, None), (12_000, 0.5, True, None),
])  # fmt: skip
def test_one_fold_judges_where_it_has_rows_enough_and_all_folds_would_take_long(trial, rows, share, grouped, folds):
    y = (np.arange(rows) % 100 < 100 * share).astype(float)
    frame = Frame((Feature("a", "number"),), (np.zeros(rows),))
    parts = [np.arange(rows)[i::4] for i in range(4)]
    every = tuple((np.setdiff1d(np.arange(rows), part), part) for part in parts)
    groups = np.arange(rows) if grouped else None
    work = Work(frame, y, None, Task(kind="binary", classes=(0, 1)), every, groups=groups)
    prior, model = trial(0, "prior", 2.0, first=True), trial(1, done=1, first=True, seconds=9.0)
    prior.candidate = replace(prior.candidate, rung=0)
    model.done = {0: replace(model.done[0], learned_rows=rows)}
    timing = Timing(work, [prior, model], left=lambda: 80.0, parallel=2, refit_members=1)
    assert timing.one_is_enough is (folds == 1)
    assert (timing.bearable_folds() == 1) is (folds == 1)

"""Estimates with a clock of our own: nothing here waits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from holdgood.training.timing import Timing
from holdgood.training.work import Work


@pytest.fixture
def clocked(make_data, make_folds, trial):
    frame, y, task = make_data(n=100)
    work = Work(frame, y, None, task, tuple(make_folds(100, k=4)))

    def make(left, trials, bagging=False, parallel=1, refit_members=3):
        return Timing(work, trials, left=lambda: left, parallel=parallel, bagging=bagging, refit_members=refit_members)

    return make


def first(trial, index, family="a", **more):
    p = trial(index, family, first=True, **more)
    p.candidate = replace(p.candidate, rung=index)
    return p


def kept(p):
    p.done = {f: replace(fit, chain=object()) for f, fit in p.done.items()}
    return p


def test_a_refit_is_kept_room_for_and_a_mean_of_kept_models_takes_none(clocked, trial):
    prior, best = first(trial, 0, "prior", level=2.0, seconds=0.1), kept(first(trial, 1, seconds=10.0))
    refit = clocked(1000.0, [prior, best]).reserve()
    assert refit > best.refit_seconds(100) > 10.0
    assert clocked(1000.0, [prior, best], bagging=True, refit_members=1).reserve() < 1.0
    lost = first(trial, 1, seconds=10.0)
    again = clocked(1000.0, [prior, lost], bagging=True, refit_members=1)
    assert again.delivery(lost) == pytest.approx(1.1 * 4 * 10.0)


def test_a_mean_of_one_fold_is_a_refit(clocked, trial):
    one = kept(first(trial, 1, folds=1, seconds=3.0))
    assert clocked(100.0, [one], bagging=True).delivery(one) == one.refit_seconds(100)


@pytest.mark.parametrize(("left", "fits"), [(60.0, True), (12.0, False)])
def test_a_variant_fits_by_what_its_familys_first_took(clocked, trial, left, fits):
    default, variant = kept(first(trial, 1, seconds=3.0)), trial(2, done=0)
    assert clocked(left, [default, variant], bagging=True).fits(variant) == fits


def test_a_proposal_needs_room_for_one_fold_first(clocked, trial):
    default, proposal = kept(first(trial, 1, seconds=3.0)), trial(2, done=0, searched=True)
    assert clocked(12.0, [default, proposal], bagging=True).fits(proposal)


def test_several_reserves_shrink_to_the_best_one(clocked, trial):
    trials = [first(trial, i, f"f{i}", seconds=20.0, level=1 + 0.1 * i) for i in range(4)]
    few = clocked(100.0, trials).reserve()
    many = clocked(1000.0, trials).reserve()
    assert 20.0 < few < 100.0
    assert many > 3 * 20.0


def test_fewer_folds_where_the_best_cannot_finish_them(clocked, trial):
    prior, best = first(trial, 0, "prior", level=2.0, seconds=0.01), first(trial, 1, seconds=10.0, done=1)
    assert clocked(1000.0, [prior, best]).bearable_folds() == 4
    assert clocked(30.0, [prior, best]).bearable_folds() == 2
    assert clocked(12.0, [prior, best]).bearable_folds() == 1
    assert clocked(12.0, [prior, first(trial, 1)]).bearable_folds() is None


def test_on_a_shared_machine_more_is_kept_back(clocked, trial):
    quiet, busy = first(trial, 1), first(trial, 1)
    busy.done = {f: replace(fit, slowdown=4.0) for f, fit in busy.done.items()}
    assert clocked(100.0, [busy]).slowdown == 4.0
    assert clocked(100.0, [busy]).overhead == pytest.approx(4 * clocked(100.0, [quiet]).overhead)
    mad = replace(busy.done[0], slowdown=1e6)
    busy.done = {0: mad}
    assert clocked(100.0, [busy]).slowdown == 12.0


def test_without_a_clock_time_is_never_up(clocked, trial):
    timing = clocked(math.inf, [first(trial, 0)])
    assert not timing.is_up()
    assert timing.overhead == 0.0
    assert np.isfinite(clocked(5.0, [first(trial, 0)]).overhead)


def test_the_first_folds_of_dear_families_leave_time_to_finish_the_best(clocked, trial):
    trials = [first(trial, i, f"f{i}", done=0) for i in range(9)]
    timing = clocked(90.0, trials, parallel=2)
    dear = [timing.seconds(p) for p in trials if p.candidate.rung > 1]
    assert sum(dear) <= 0.4 * 90.0 * 2
    assert timing.seconds(trials[1]) > max(dear)  # the simplest are let through
    assert timing.seconds(first(trial, 9, "g", seconds=12.0, done=1)) >= 2 * 12.0  # what has shown itself is not cut

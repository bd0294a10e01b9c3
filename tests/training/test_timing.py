"""Estimates with a clock of our own: nothing here waits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.declaration import Costs
from holdgood.metrics import loss_rows, own_metric, resolve
from holdgood.training.board import board
from holdgood.training.choice import choose
from holdgood.training.ladder import Limits
from holdgood.training.timing import Timing
from holdgood.training.work import Work


@pytest.fixture
def clocked(make_data, make_folds, trial):
    frame, y, task = make_data(n=100)
    work = Work(frame, y, None, task, tuple(make_folds(100, k=4)))

    def make(left, trials, parallel=1, refit_members=3):
        return Timing(work, trials, left=lambda: left, parallel=parallel, refit_members=refit_members)

    return make


def first(trial, index, family="a", **more):
    p = trial(index, family, first=True, **more)
    p.candidate = replace(p.candidate, rung=index)
    return p


def kept(p):
    p.done = {f: replace(fit, chain=object()) for f, fit in p.done.items()}
    return p


def test_a_refit_is_kept_room_for(clocked, trial):
    prior, best = first(trial, 0, "prior", level=2.0, seconds=0.1), kept(first(trial, 1, seconds=10.0))
    assert clocked(1000.0, [prior, best]).reserve() > best.refit_seconds(100) > 10.0


@pytest.mark.parametrize(("left", "fits"), [(60.0, True), (12.0, False)])
def test_a_variant_fits_by_what_its_familys_first_took(clocked, trial, left, fits):
    default, variant = kept(first(trial, 1, seconds=3.0)), trial(2, done=0)
    assert clocked(left, [default, variant]).fits(variant) == fits


def test_a_proposal_needs_room_for_one_fold_first(clocked, trial):
    default, proposal = kept(first(trial, 1, seconds=3.0)), trial(2, done=0, searched=True)
    assert clocked(12.0, [default, proposal]).fits(proposal)


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


def test_fewer_folds_where_all_families_would_take_most_of_the_time(clocked, trial):
    prior = first(trial, 0, "prior", level=2.0, folds=8, seconds=0.01, done=1)
    families = [first(trial, i, f"f{i}", folds=8, seconds=2.0, done=1) for i in range(1, 5)]
    assert clocked(1000.0, [prior, *families]).bearable_folds() == 8
    assert clocked(120.0, [prior, *families]).bearable_folds() == 5  # 4 x 2 s x 4 more folds are 35 of 120 s
    assert clocked(60.0, [prior, *families]).bearable_folds() == 4  # half of the folds are the fewest


def test_a_dear_family_that_is_clearly_behind_is_given_up(clocked, trial):
    best = first(trial, 2, "good", level=1.0, seconds=1.0, done=1)
    behind = first(trial, 7, "dear", level=1.6, seconds=9.0, done=1)
    cheap, near = (
        first(trial, 5, "cheap", level=1.6, seconds=0.1, done=1),
        first(trial, 6, "near", level=1.005, seconds=9.0, done=1),
    )
    simple = first(trial, 1, "simple", level=1.6, seconds=9.0, done=1)
    trials = [best, behind, cheap, near, simple]
    assert [(p.candidate.family, ahead) for p, ahead in clocked(60.0, trials).hopeless()] == [("dear", best)]
    assert clocked(6000.0, trials).hopeless() == []  # there is time to be sure
    assert clocked(math.inf, trials).hopeless() == []


def test_races_of_a_search_are_kept_time_for_but_no_more_than_a_share(clocked, trial):
    started = [first(trial, 0), *(trial(i) for i in range(1, 40))]
    searched = [first(trial, 0), *(trial(i, searched=True) for i in range(1, 40))]
    more = clocked(100.0, searched).overhead - clocked(100.0, started).overhead
    assert more == pytest.approx(3e-3 * 5 * 40)
    assert clocked(10.0, searched).overhead - clocked(10.0, started).overhead == pytest.approx(0.3)
    for p in (*started, *searched):  # on a busy machine the share stays what it is
        p.done = {f: replace(fit, slowdown=8.0) for f, fit in p.done.items()}
    assert clocked(10.0, searched).overhead - clocked(10.0, started).overhead == pytest.approx(0.3)


def test_what_waits_goes_on_once_there_is_time_for_it_the_least_behind_first(clocked, trial):
    best = first(trial, 1, "good", level=2.0)
    near, far = (first(trial, i, f"dear{i}", level=2.0 + 0.2 * i, seconds=9.0, done=1) for i in (2, 3))
    hopeless = first(trial, 4, "hopeless", level=9.0, seconds=0.1, done=1)
    for p in (near, far, hopeless):
        p.later = "clearly behind"
    trials = [best, far, near, hopeless]
    assert clocked(600.0, trials).late() == [near, far]
    assert clocked(600.0, trials).hopeless() == []  # they wait already
    near.later = ""
    assert clocked(600.0, trials).late() == [far]
    far.later = ""
    assert clocked(600.0, trials).late() == []  # its loss is four times as large
    near.later = far.later = "clearly behind"
    assert clocked(40.0, trials).late() == []  # three folds of nine seconds are more than half of what is left
    best.status = "failed"
    assert clocked(600.0, trials).late() == []  # nothing is known yet


def test_what_waits_neither_holds_up_folds_nor_room_for_refits(clocked, trial):
    best = first(trial, 1, "good", level=2.0, seconds=1.0)
    waiting = first(trial, 2, "dear", level=2.5, seconds=9.0, done=1)
    with_it = clocked(600.0, [best, waiting]).reserve()
    waiting.later = "clearly behind"
    assert clocked(600.0, [best, waiting]).reserve() < with_it - 9.0


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


@pytest.mark.parametrize("total", [120.0, 1e6])
def test_room_is_kept_for_all_calls_of_a_metric_of_ones_own_and_a_slow_one_chooses_no_weights(
    make_data, make_folds, trial, total
):
    frame, y, task = make_data(n=200)
    work, rng, calls = Work(frame, y, None, task, tuple(make_folds(200, k=4))), np.random.default_rng(0), []
    trials = [trial(i, "prior" if not i else "abc"[i % 3], first=i < 4) for i in range(11)]
    for p in trials:
        p.candidate = replace(p.candidate, rung=min(p.index, 2))
        for f, (_, rows) in enumerate(work.folds):
            answer = np.clip(
                0.5 + 0.2 * (p.index > 0) * (y[rows] - 0.5) + 0.05 * rng.normal(size=len(rows)), 0.01, 0.99
            )
            p.done[f] = replace(p.done[f], prediction=answer)
            p.losses[f] = loss_rows(task, y[rows], answer)

    def squares(truth, prediction):
        calls.append(len(truth))
        return float(np.mean(np.square(prediction - truth)))

    timing = Timing(work, trials, left=lambda: total, parallel=1, refit_members=3, call=0.005)
    assert timing.by_rows == (total < 1000)
    choice = choose(
        work, own_metric("squares", squares, task, higher_is_better=False), trials, 4, clusters=None, costs=None, prefer="best",
        limits=Limits(), room=1e9, parallel=1, by_rows=timing.by_rows,
    )  # fmt: skip
    board(choice.judge.metric, trials, [], choice, costs=resolve(Costs(), task), prefer="best", budget="", seed=0)
    assert choice.blend is not None
    assert 0.3 * timing.overhead < 0.005 * len(calls) < timing.overhead
    if timing.by_rows:
        assert len(calls) < 0.5 * 5 * 25 * 8 * 7  # a part of what the steps of the selection alone would ask

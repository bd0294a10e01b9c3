"""The promises about time, with candidates that do not keep theirs."""

from __future__ import annotations

import time

import numpy as np
import pytest

from holdgood.core.budget import Budget, Clock
from holdgood.training import portfolio, schedule, timing, train

SLACK = 0.3


def within(clock, budget):
    return clock.spent() <= 1.05 * budget + SLACK


@pytest.fixture
def run(make_data, make_folds, families):
    def go(budget, *names, n=2000, more=(), **options):
        frame, y, task = make_data(n=n)
        candidates = [*families(task, *names, rows=n, most=2), *(m(task) for m in more)]
        clock = Clock(Budget(seconds=budget))
        events = []
        trained = train(frame, y, task, candidates, make_folds(n), clock=clock, listener=events.append, **options)
        return trained, clock, events

    return go


def test_a_short_budget_is_kept_here_and_gives_a_model(run):
    trained, clock, events = run(3.0, "prior", "linear", "lightgbm", n=20_000)
    assert within(clock, 3.0)
    assert trained.leaderboard.chosen != "prior"
    assert [e.kind for e in events[-2:]] == ["candidate", "note"]
    assert all(e.fraction is None or 0 <= e.fraction <= 1 for e in events)


def sleeper(seconds):
    def sleep(y, context):
        import time

        time.sleep(seconds)

    return sleep


def test_a_model_that_never_ends_is_killed_and_the_rest_is_delivered(run, custom):
    trained, clock, _ = run(9.0, "prior", "linear", more=[lambda task: custom(task, sleeper(60))])
    assert within(clock, 9.0)
    board = trained.leaderboard
    assert board.chosen == "linear"
    assert board.trials[[t.name for t in board.trials].index("custom")].status in ("stopped", "skipped")
    assert board.budget_hit


def test_without_workers_a_sample_of_rows_shows_what_would_overrun(run, custom):
    def slow(y, context):
        time.sleep(len(y) / 1000)  # a second for a thousand rows, whatever the context says

    trained, clock, _ = run(4.0, "prior", "linear", more=[lambda task: custom(task, slow)], n=15_000)
    assert within(clock, 4.0)
    stopped = next(t for t in trained.leaderboard.trials if t.name == "custom")
    assert stopped.status == "stopped"
    assert "a sixteenth of the rows" in stopped.reason


def test_a_worker_that_dies_fails_its_candidate_only(run, custom):
    def die(y, context):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)

    trained, clock, _ = run(60.0, "prior", "linear", more=[lambda task: custom(task, die)])
    assert within(clock, 60.0)
    died = next(t for t in trained.leaderboard.trials if t.name == "custom")
    assert (died.status, "worker process died" in died.reason) == ("failed", True)
    assert trained.leaderboard.chosen == "linear"


def test_a_variant_that_is_clearly_behind_is_stopped_early(run, custom):
    def nothing(y, context):
        pass

    def bad(task):
        return custom(task, nothing, name="linear-bad", family="linear", rung=1, answer=lambda n: np.full(n, 0.999))

    trained, _, _ = run(30.0, "prior", "linear", more=[bad], workers=0)
    stopped = next(t for t in trained.leaderboard.trials if t.name == "linear-bad")
    assert stopped.status == "stopped"
    assert "clearly behind linear" in stopped.reason
    assert not trained.leaderboard.budget_hit


def test_all_done_before_the_time_is_up_returns_at_once(run):
    trained, clock, _ = run(90.0, "prior", "linear", n=300)
    assert clock.left() > 0.0
    assert not trained.leaderboard.budget_hit
    assert {t.status for t in trained.leaderboard.trials} == {"ok"}


def test_where_the_workers_are_still_importing_when_the_time_is_up_this_process_refits(run, monkeypatch):
    """As on a busy machine: refits that are handed to such workers never end, and a fold's model was delivered."""

    def importing(work):
        import time

        time.sleep(60)

    pools = []

    class Noted(portfolio.Refits):
        def __init__(self, work, pool, *rest, **options):
            pools.append(pool.workers)
            super().__init__(work, pool, *rest, **options)

    monkeypatch.setattr(schedule, "load", importing)
    monkeypatch.setattr(portfolio, "Refits", Noted)
    trained, clock, _ = run(6.0, "prior", "linear", workers=1)
    assert within(clock, 6.0)
    assert pools == [0]
    # on a machine that is busy at the very end the folds' models take the refit's place; one fold's alone never
    refitted = ("refitted on all rows", "the mean of 3 models of the folds")
    assert trained.leaderboard.chosen == "linear" and trained.leaderboard.delivered in refitted


def test_matrices_that_this_process_made_while_workers_imported_are_not_kept(
    make_data, make_folds, families, monkeypatch
):
    frame, y, task = make_data()
    kept, fill = [], schedule.Schedule._fill

    def watched(self):
        kept.append((sum(len(p.done) for p in self.all), len(self.work.cache)))
        fill(self)

    monkeypatch.setattr(schedule.Schedule, "_fill", watched)
    candidates = families(task, "prior", "linear")
    train(frame, y, task, candidates, make_folds(len(y)), clock=Clock(Budget(seconds=8.0)), workers=1)
    assert kept[0][0] > 0  # something was fitted here
    assert all(number == 0 for _, number in kept)


def told_at(events, message):
    return next(i for i, e in enumerate(events) if e.message.startswith(message))


@pytest.fixture
def dear(run, custom):
    """A run with a family whose folds take a part of the time; (its trial, the leaderboard, the clock, events)."""

    def go(answer, budget=20.0):
        more = [lambda task: custom(task, sleeper(0.5), name="dear", family="dear", answer=answer)]
        trained, clock, events = run(budget, "prior", "linear", "lightgbm", more=more, workers=0)
        board = trained.leaderboard
        return next(t for t in board.trials if t.name == "dear"), board, clock, events

    return go


def test_a_dear_family_that_is_behind_waits_for_the_portfolio_and_then_goes_on(dear, monkeypatch):
    monkeypatch.setattr(timing, "COMPANY", 1.0)
    trial, board, clock, events = dear(None)
    assert within(clock, 20.0)
    assert (trial.status, board.budget_hit) == ("ok", False)
    variants = [i for i, e in enumerate(events) if e.message.startswith(("linear-1: ", "lightgbm-1: "))]
    assert told_at(events, "dear: 2 of 3") > max(variants) > told_at(events, "dear: 1 of 3")


def test_one_that_is_far_behind_never_goes_on_and_the_budget_did_not_end_it(dear):
    trial, board, clock, _ = dear(lambda n: np.full(n, 0.999))
    assert clock.left() > 3.0
    assert (trial.status, board.budget_hit) == ("stopped", False)
    assert trial.reason.startswith("clearly behind ")


def test_one_that_is_good_company_does_not_wait(dear, monkeypatch):
    monkeypatch.setattr(schedule, "good_company", lambda mine, best, losses: len(losses(best)) == len(mine))
    trial, _, _, events = dear(None)
    assert trial.status == "ok"
    assert told_at(events, "dear: 3 of 3") < told_at(events, "lightgbm-1: 1 of 3")

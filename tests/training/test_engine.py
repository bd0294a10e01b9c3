"""The whole engine: search, repeats, ensembles and delivery together, with candidates that misbehave."""

from __future__ import annotations

import numpy as np
import pytest

from holdgood.core.budget import Budget, Clock
from holdgood.core.errors import EnvironmentFault
from holdgood.core.frame import Frame
from holdgood.core.task import Task
from holdgood.metrics import loss_rows
from holdgood.training import choice, portfolio, schedule, train
from holdgood.training.ladder import climb
from holdgood.training.memory import bytes_of_fit


@pytest.fixture
def run(make_data, make_folds, families, spaces):
    """Train with search spaces and repeated folds; keywords reach ``train``."""

    def go(
        trials=20, n=300, kind="binary", change=None, more=(), searched=("linear", "lightgbm"), repeats=2, **options
    ):
        frame, y, task = make_data(n=n, kind=kind)
        if change is not None:
            frame, y = change(frame, y)
        folds = [f for r in range(repeats) for f in make_folds(n, seed=r)]
        candidates = [*families(task, "prior", "linear", "lightgbm", rows=n), *(m(task) for m in more)]
        options.setdefault("clock", Clock(Budget(trials=trials)))
        options.setdefault("prefer", "best")
        trained = train(frame, y, task, candidates, folds, spaces=spaces(task, *searched, rows=n), **options)
        return trained, frame, y, task

    return go


def status(trained, name):
    return next((t.status, t.reason) for t in trained.leaderboard.trials if t.name == name)


def test_all_units_of_work_are_used_for_search_and_repeats(run, monkeypatch):
    told = []
    monkeypatch.setattr(choice, "climb", lambda *given, **named: told.append(named["races"]) or climb(*given, **named))
    trained, frame, _, _ = run(trials=20)
    board = trained.leaderboard
    stopped = sum(t.reason.startswith("behind ") for t in board.trials)
    # the ladder is told of all that its races have stopped
    assert stopped and sum(r.prediction is None for r in told[0].runners) == stopped
    proposed = [t for t in board.trials if "-s0" in t.name]
    assert 12 <= len(proposed) < 17  # of 17 left, five are kept for repeats; what these do not need goes back
    assert {t.status for t in proposed} <= {"ok", "stopped"}
    assert board.repeats == 2
    assert trained.oof["chosen"].shape == (300,)
    assert sorted(trained.oof_rows) == list(range(300))
    assert board.delivered == "refitted on all rows"
    assert np.isfinite(trained.chain.predict(frame)).all()
    alone = trained.chain.predict(frame.take(np.array([3])))
    assert alone[0] == trained.chain.predict(frame)[3]


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_other_kinds_of_task_take_the_same_road(run, kind):
    trained, frame, y, task = run(trials=14, kind=kind)
    prior = loss_rows(task, y, trained.prior.predict(frame)).mean()
    assert loss_rows(task, y, trained.chain.predict(frame)).mean() < prior


@pytest.mark.parametrize("prefer", ["best", "balanced"])
def test_the_same_work_replays_to_the_bit_whatever_the_number_of_workers(run, monkeypatch, prefer):
    first, frame, _, _ = run(12, prefer=prefer, workers=0)
    monkeypatch.setattr(portfolio._Training, "_how_many", lambda self, workers: workers)
    for workers in (1, 2) if prefer == "best" else (2,):
        other, *_ = run(12, prefer=prefer, workers=workers)
        same = [(t.name, t.status, t.reason, t.parameters, t.fold_scores) for t in first.leaderboard.trials]
        assert [(t.name, t.status, t.reason, t.parameters, t.fold_scores) for t in other.leaderboard.trials] == same
        assert other.leaderboard.members == first.leaderboard.members
        assert other.leaderboard.delivered == first.leaderboard.delivered
        assert (other.chain.predict(frame) == first.chain.predict(frame)).all()
        assert (other.oof["chosen"] == first.oof["chosen"]).all()


def test_an_interrupted_search_ends_as_if_it_had_not_been(run, tmp_path):
    whole, frame, _, _ = run()
    run(trials=9, store=tmp_path)
    resumed, *_ = run(store=tmp_path)
    assert sum("earlier" in t.reason for t in resumed.leaderboard.trials) >= 3
    assert [(t.name, t.parameters) for t in resumed.leaderboard.trials] == [
        (t.name, t.parameters) for t in whole.leaderboard.trials
    ]
    assert (resumed.oof["chosen"] == whole.oof["chosen"]).all()
    assert (resumed.chain.predict(frame) == whole.chain.predict(frame)).all()


def test_under_a_clock_an_earlier_search_is_taken_up(run, tmp_path):
    run(trials=12, store=tmp_path, repeats=1)
    records = len(list(tmp_path.glob("*.json")))
    trained, *_ = run(clock=Clock(Budget(seconds=4.0)), store=tmp_path, repeats=1)
    assert sum("earlier" in t.reason for t in trained.leaderboard.trials) == records
    assert len({t.name for t in trained.leaderboard.trials}) == len(trained.leaderboard.trials)


@pytest.mark.parametrize("prefer", ["simple", "balanced", "best"])
def test_a_shuffled_target_scores_as_chance_through_the_whole_engine(run, prefer):
    shuffle = lambda frame, y: (frame, np.random.default_rng(5).permutation(y))  # noqa: E731
    trained, _, y, task = run(trials=24, change=shuffle, prefer=prefer)
    assert trained.leaderboard.chosen == "prior"
    rows = np.argsort(trained.oof_rows)
    chance = loss_rows(task, y, np.full(len(y), y.mean())).mean()
    assert loss_rows(task, y, trained.oof["chosen"][rows]).mean() == pytest.approx(chance, abs=0.01)
    for rung in trained.leaderboard.ladder[1:]:
        assert rung.gain.verdict != "better"


def leave(y, context):
    import os

    os._exit(11)


def hang(y, context):
    import time

    time.sleep(600)


def test_a_candidate_that_ends_its_process_fails_alone(run, custom, monkeypatch):
    monkeypatch.setattr(portfolio._Training, "_how_many", lambda self, workers: 2)
    trained, *_ = run(trials=8, more=[lambda task: custom(task, leave)])
    assert status(trained, "custom")[0] == "failed"
    assert "worker process died" in status(trained, "custom")[1]
    assert trained.leaderboard.chosen not in ("prior", "custom")


def test_a_candidate_that_hangs_without_a_clock_is_ended(run, custom, monkeypatch):
    monkeypatch.setattr(portfolio._Training, "_how_many", lambda self, workers: 2)
    monkeypatch.setattr(schedule, "HANGS", 8.0)
    monkeypatch.setattr(schedule, "SLOWER", 1.0)
    monkeypatch.setattr(schedule, "WAKING", 0.5)
    trained, *_ = run(trials=5, more=[lambda task: custom(task, hang)], repeats=1)
    assert status(trained, "custom")[0] == "failed"
    assert "taken as hanging" in status(trained, "custom")[1]
    assert trained.leaderboard.chosen not in ("prior", "custom")


def test_predictions_that_are_no_numbers_fail_their_candidate(run, custom):
    bad = lambda task: custom(task, lambda y, c: None, answer=lambda n: np.full(n, np.nan))  # noqa: E731
    trained, *_ = run(trials=5, more=[bad], repeats=1)
    assert status(trained, "custom")[0] == "failed"
    assert "are no numbers" in status(trained, "custom")[1]


def test_a_class_of_one_row_is_trained_on_and_never_stops_the_run(make_data, families, spaces):
    from holdgood.core.task import Task
    from holdgood.splitting import repeated_folds

    frame, y, _ = make_data(n=240, kind="multiclass")
    y[7] = 3.0
    task = Task(kind="multiclass", classes=("x", "y", "z", "rare"))
    folds = repeated_folds(task, y, repeats=2, n_folds=3)
    candidates = families(task, "prior", "linear", "lightgbm", rows=240)
    trained = train(
        frame, y, task, candidates, folds, clock=Clock(Budget(trials=6)), spaces=spaces(task, "lightgbm"), prefer="best"
    )
    assert 7 not in trained.oof_rows
    assert trained.chain.predict(frame).shape == (240, 4)
    assert trained.leaderboard.chosen != "prior"


def test_a_budget_of_one_second_gives_a_model_in_time(run):
    clock = Clock(Budget(seconds=1.0))
    trained, frame, *_ = run(clock=clock)
    assert clock.spent() < 1.05 + 0.3
    assert np.isfinite(trained.chain.predict(frame)).all()


def test_what_memory_does_not_bear_is_skipped_and_told_of(run, monkeypatch):
    free = {"codes": 10**12, "dense": 10**12}
    real = schedule.bytes_of_fit
    monkeypatch.setattr(
        schedule, "bytes_of_fit", lambda f, n, needs, k: real(f, n, needs, k) + (needs == "dense") * 10**15
    )
    monkeypatch.setattr(schedule, "memory_available", lambda: free["codes"])
    trained, *_ = run(trials=6, repeats=1)
    assert status(trained, "linear")[0] == "skipped"
    assert "MB of memory" in status(trained, "linear")[1]
    assert status(trained, "lightgbm")[0] == "ok"


def test_with_little_memory_fits_learn_from_fewer_rows(run, monkeypatch):
    monkeypatch.setattr(portfolio, "memory_available", lambda: 1_000_000)
    wide = lambda frame, y: (  # noqa: E731
        Frame(frame.features * 20, frame.arrays * 20),
        y,
    )
    trained, *_ = run(trials=3, n=4000, change=wide, repeats=1, workers=0)
    assert any("memory allows no more" in n for n in trained.leaderboard.notes)
    assert trained.leaderboard.delivered == "refitted on 1,000 of 4,000 rows"


def test_many_classes_take_memory_too(make_data, make_folds, families, monkeypatch):
    frame, _, _ = make_data(n=2_500)
    task = Task(kind="multiclass", classes=tuple(range(500)))
    few, many = (bytes_of_fit(frame, 2_500, "codes", k) for k in (2, task.n_classes))
    assert many > 50 * few
    monkeypatch.setattr(portfolio, "memory_available", lambda: 0.6 * many / portfolio.OF_MEMORY)
    y = np.arange(2_500) % 500.0
    trained = train(
        frame, y, task, families(task, "prior"), make_folds(2_500), clock=Clock(Budget(trials=1)), workers=0
    )
    assert any("at most 1,448 of 2,500 rows, drawn at random: memory" in n for n in trained.leaderboard.notes)


def test_where_memory_bears_no_fit_at_all_the_budget_is_not_blamed(run, monkeypatch):
    monkeypatch.setattr(schedule, "bytes_of_fit", lambda *given: 10**15)
    with pytest.raises(EnvironmentFault, match="prior: a fit needs about .* MB of memory"):
        run(trials=6, repeats=1)
    trained, *_ = run(clock=Clock(Budget(seconds=6.0)), repeats=1, workers=0)
    board = trained.leaderboard
    assert any("MB of memory" in n and "prior from a few rows" in n for n in board.notes)
    assert not any("budget" in n for n in (*board.notes, board.reason))
    assert (board.delivered, board.budget_hit) == ("a prior from a few rows", False)


def test_under_a_clock_the_search_goes_on_until_the_time_is_up(run):
    clock = Clock(Budget(seconds=4.5))
    trained, frame, _y, _ = run(clock=clock, n=200, repeats=1)
    assert clock.spent() < 1.05 * 4.5 + 0.3
    assert sum("-s0" in t.name for t in trained.leaderboard.trials) >= 2
    assert clock.spent() > 2.0  # all that the portfolio has is done in a part of that
    assert np.isfinite(trained.chain.predict(frame)).all()

"""Models of runs on new labelled rows: who saw what is found out, nobody is judged on rows that it learned from."""

import shutil

import numpy as np
import pandas as pd
import pytest

from holdgood.core.errors import DataError
from holdgood.metrics.score import loss_rows
from holdgood.workflow.new_rows import rank_on

TABLES = ["customers=customers.parquet", "weather=weather.parquet"]


@pytest.fixture
def company(finished, tmp_path, monkeypatch):
    """The finished project as one to write in, and in it labelled rows of the same customers that nobody has seen."""
    folder = shutil.copytree(finished.project.path, tmp_path / "company")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def later(company, make_company):
    orders = make_company(seed=0, n=400)["orders"]
    orders["weight"] = orders["weight"] + 0.5
    orders.to_parquet(company / "later.parquet")
    return orders


def test_scores_are_those_of_the_delivered_model(company, later, finished):
    board = rank_on(company, ["1"], "later.parquet", TABLES)
    model = finished.model
    others = {n: model.table_of(company / f"{n}.parquet", n) for n in ("customers", "weather")}
    known = later.hours_taken.notna().to_numpy()
    prediction = model.predict(model.table_of(company / "later.parquet"), others)[known]
    y = (later.hours_taken[known] > 3).to_numpy(float)
    mine = next(e for e in board.entrants if e.role == "delivered")
    assert board.rows == known.sum()
    assert board.no_outcome == (~known).sum()
    assert mine.score.value == pytest.approx(loss_rows(model.task, y, prediction).mean())
    assert mine.cost is not None
    assert board.currency == "EUR"
    beside = {"prior"} if finished.leaderboard.chosen.startswith("linear") else {"prior", "simplest"}
    assert {e.role for e in board.entrants} == {"delivered"} | beside
    assert "cluster" in mine.against_own_prior.method, "rows of neighbouring days stay together"


def test_rows_that_a_run_learned_from_judge_nobody(company, later, finished):
    old = pd.read_parquet(company / "orders.parquet")
    pd.concat([later, old]).to_parquet(company / "mixed.parquet")
    board = rank_on(company, ["1"], "mixed.parquet", TABLES)
    split = finished.split
    assert board.left_out == split.development
    assert board.origins[0].held_out == split.holdout
    assert board.rows == later.hours_taken.notna().sum() + split.holdout
    assert "left out" in board.origins[0].sentence


def test_a_corrected_outcome_does_not_make_a_row_new(company, finished):
    old = pd.read_parquet(company / "orders.parquet")
    # what is only known afterwards changes with the outcome
    old["hours_taken"] = np.where(old.hours_taken.notna(), 9.0, np.nan)
    old.to_parquet(company / "corrected.parquet")
    board = rank_on(company, ["1"], "corrected.parquet", TABLES)
    assert board.left_out == finished.split.development


def test_only_old_rows_are_refused(company, finished):
    split = finished.split
    old = pd.read_parquet(company / "orders.parquet").sort_values("placed")
    old.head(split.development // 2).to_parquet(company / "old.parquet")
    with pytest.raises(DataError, match="runs were tuned on"):
        rank_on(company, ["1"], "old.parquet", TABLES)


def test_where_the_table_has_changed_nothing_is_assumed(company, later):
    orders = pd.read_parquet(company / "orders.parquet")
    orders["weight"] = orders["weight"] * 2
    orders.to_parquet(company / "orders.parquet")
    origin = rank_on(company, ["1"], "later.parquet", TABLES).origins[0]
    assert (origin.seen, origin.held_out) == (-1, -1)
    assert "its table has changed since" in origin.sentence
    (company / "orders.parquet").unlink()
    assert "cannot be read again" in rank_on(company, ["1"], "later.parquet", TABLES).origins[0].sentence


def test_a_class_that_nobody_knew_is_charged_in_full(company, later, monkeypatch):
    from holdgood.workflow import new_rows

    monkeypatch.setattr(new_rows, "outcomes", lambda spec, table, task: np.full(table.rows, -1.0))
    board = rank_on(company, ["1"], "later.parquet", TABLES)
    assert all(np.isfinite(e.score.value) for e in board.entrants)

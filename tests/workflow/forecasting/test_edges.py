"""What a forecast must say and must not depend on: pieces, declared words, columns that are gone, ids that look alike."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import holdgood
from holdgood.core.declaration import parse
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.panel import Panel
from holdgood.core.table import Table
from holdgood.evaluation.forecasts import PastForecasts
from holdgood.features.panels.series import matched, names_of
from holdgood.workflow.forecasting import result
from holdgood.workflow.forecasting.adjustments import adjusted
from holdgood.workflow.forecasting.fit import metric_of, not_used
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.forecasting.output import drawn
from holdgood.workflow.forecasting.shown import LARGEST, USUAL, WORST, shown

NAIVE = {"models": ["naive"], "budget": "trials=2"}


@pytest.fixture(scope="module")
def made(history, ahead):
    items = pd.DataFrame({"article": ["NEW", "NEWER"], "size": [1.0, 2.0]})
    return holdgood.forecast(history, 4, target="pieces", id="article", time="week", items=items, **NAIVE)


def test_pieces_say_what_the_whole_says(made):
    assert made.panel.new == ("NEW", "NEWER")
    whole = made.paths
    for piece in (3, len(whole.ids) - 1):
        parts = list(drawn(made.model, made.read, samples=made.samples, seed=made.seed, piece=piece))
        assert len(parts) > 1
        assert np.array_equal(np.concatenate([p.y for p in parts]), whole.y)
        assert np.array_equal(np.concatenate([p.point for p in parts]), whole.point)


def test_large_panels_are_answered_a_piece_at_a_time(made, monkeypatch):
    whole, once = made.frame, replace(made)
    monkeypatch.setattr(result, "MOST_HELD", 0)
    monkeypatch.setattr(result, "drawn", partial(drawn, piece=3))
    pd.testing.assert_frame_equal(once.frame, whole)
    assert np.array_equal(once.quantile(0.9), made.quantile(0.9))
    assert "paths" not in vars(once)  # nobody held them all


def test_new_items_that_are_alike_are_drawn_apart(made):
    assert not np.array_equal(made.paths.y[-1], made.paths.y[-2])


def test_what_is_preferred_is_what_is_declared(history):
    words = {"target": "pieces", "id": "article", "time": "week", **NAIVE}
    for said, given, found in (
        ({"prefer": "simple"}, None, "simple"),
        ({}, None, "best"),
        ({"prefer": "simple"}, "best", "best"),
    ):
        made = holdgood.forecast(history, 3, prefer=given, declaration={"budget": said}, **words)
        assert made.leaderboard.prefer == found


def test_a_metric_that_is_not_served_and_sections_that_are_not_used_are_told(history):
    with pytest.raises(DeclarationError, match="rmse") as caught:
        holdgood.forecast(history, 3, target="pieces", declaration={"task": {"metric": "rmse"}}, **NAIVE)
    assert "mase, smape" in str(caught.value)
    assert metric_of(parse({"task": {"metric": "smape"}})) == "smape"
    said = not_used(parse({"costs": {"over": 1, "under": 2}, "gates": {"max_size_mb": 5}}))
    assert [s.split("]")[0] for s in said] == ["[costs", "[gates"]
    assert not_used(parse({})) == ()
    made = holdgood.forecast(
        history, 3, target="pieces", id="article", time="week", declaration={"gates": {"max_size_mb": 5}}, **NAIVE
    )
    assert any("[gates]" in n for n in made.leaderboard.notes)


def test_the_usual_series_are_those_in_the_middle_of_all():
    count = 1_000
    ids = np.array([f"s{k:04}" for k in range(count)])
    y = np.zeros((1, count, 1))
    points = np.arange(count, dtype=float)[None, :, None]
    past = PastForecasts(ids, y, points, points, np.ones((1, count)), np.zeros(count, int), ("smooth",))
    panel = Panel(ids, np.arange(count + 1), np.zeros(count, "M8[us]"), np.ones(count), "D")
    found = shown(panel, past, "mase")
    assert [k for k, _ in found[:WORST]] == list(range(count - 1, count - 1 - WORST, -1))
    usual = [k for k, why in found if why.startswith("in the middle")]
    assert len(usual) == USUAL
    assert all(abs(k - count / 2) < 3 for k in usual)
    assert len(found) == WORST + LARGEST + USUAL


def test_ids_that_look_alike_are_not_one():
    keys = pa.table({"a": ["a / b", "a", "a /", "a", "1/2", "a\\"], "b": ["c", "b / c", "b", "/ b", "x", "b"]})
    assert len(set(names_of(keys).tolist())) == 6
    assert matched(keys, keys, ["a", "b"]).tolist() == list(range(6))
    assert names_of(keys)[4] == "1/2 / x"


def test_adjustments_find_their_steps_by_id_and_time(made):
    steps, read = made.answers.steps, made.read
    times = pd.Series(steps.column("week").to_pandas()).unique()
    frame = pd.DataFrame(
        {"article": ["A01", "A02"], "week": times[:2], "factor": [2.0, 3.0], "who": "Ada", "why": "a fair"}
    )
    out = adjusted(steps, Table.of(frame, "adjust"), read).to_pandas()
    changed = out[out.adjusted_by.notna()]
    assert changed.article.tolist() == ["A01", "A02"]
    assert np.allclose(changed.adjusted, changed.forecast * [2, 3])
    whole = adjusted(steps, Table.of(frame.drop(columns="week"), "adjust"), read).to_pandas()
    assert whole.adjusted_by.notna().sum() == 8
    every = frame.head(1).drop(columns=["article", "week"])
    assert adjusted(steps, Table.of(every, "adjust"), read).to_pandas().adjusted_by.notna().all()
    with pytest.raises(DataError, match="row 2 changes a step that row 1 changes, too"):
        adjusted(steps, Table.of(pd.concat([frame, frame]).iloc[[0, 2]], "adjust"), read)


def test_a_bundle_tells_of_columns_that_are_gone_and_series_it_has_not_seen(made, history):
    plan = SimpleNamespace(**{**vars(made.read.plan), "known": ("promo",), "past": ("rain",), "in_stock": "stocked"})
    ids = frozenset(set(history.article) - {"A02"})
    model = ForecastModel(plan, made.model, parse({}), None, "", ids)
    gone = model._lacking(Table.of(history, "sales"), None)
    assert gone[0].level == "issue"
    assert "rain (past), stocked (in stock)" in gone[0].message
    assert f"{len(history):,} rows" in gone[0].message
    unseen = model._unseen(made.read)
    assert (unseen[0].count, unseen[0].series) == (1, ("A02",))
    assert ForecastModel(plan, made.model, parse({}), None)._unseen(made.read) == ()

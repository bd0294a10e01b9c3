import errno
import json
import math
import os
from typing import ClassVar

import pytest

from holdgood.core.errors import BundleError, DataError, EnvironmentFault, HoldgoodError
from holdgood.core.records import Interval, Leaderboard, OrderPlan, Verdict
from holdgood.core.records.envelope import Number, Record, read, unwrap, wrap, write


class Old(Record):
    kind: ClassVar[str] = "old"
    schema_number: ClassVar[int] = 3
    upgraders: ClassVar = {1: lambda p: {**p, "b": 2}, 2: lambda p: {"c": p["a"] + p["b"]}}
    c: int


class Odd(Record):
    kind: ClassVar[str] = "odd"
    x: Number


def test_nan_is_null_on_disk_and_nan_in_memory(tmp_path):
    path = write(tmp_path / "r.json", Odd(x=float("nan")))
    assert json.loads(path.read_text())["payload"] == {"x": None}
    assert read(path, Odd).x != read(path, Odd).x
    assert wrap(Odd(x=float("inf")))["payload"] == {"x": None}


def test_older_schemas_are_upgraded_step_by_step_and_newer_ones_refused():
    assert unwrap({"kind": "old", "schema": 1, "payload": {"a": 1}}, Old).c == 3
    with pytest.raises(BundleError, match="at most 3"):
        unwrap({"kind": "old", "schema": 4, "payload": {}}, Old)


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        '{"kind": "verdict"}',
        '{"kind": "audit-report", "schema": 1, "payload": {}}',
        '{"kind": "verdict", "schema": 1, "payload": {"status": 3}}',
    ],
)
def test_damaged_records_are_refused_in_words(tmp_path, damage):
    path = tmp_path / "record.json"
    path.write_text(damage)
    with pytest.raises(HoldgoodError):
        read(path, Verdict)


def test_a_missing_record(tmp_path):
    with pytest.raises(DataError, match="no record"):
        read(tmp_path / "nothing.json", Verdict)


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    path = write(tmp_path / "r.json", Odd(x=1.0))
    before = path.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="No space left"):
        write(path, Odd(x=2.0))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_records_are_frozen_and_strict():
    interval = Interval(value=1.0, low=0.5, high=1.5)
    with pytest.raises(ValueError, match="frozen"):
        interval.value = 2.0
    with pytest.raises(ValueError, match="extra"):
        Interval(value=1.0, low=0.0, high=1.0, median=1.0)
    assert "95%" in str(interval)


def test_a_record_draws_itself_escaped():
    board = Leaderboard(metric="<b>", higher_is_better=False, trials=())
    assert "&lt;b&gt;" in board._repr_html_()
    assert "<b>" not in board._repr_html_()


def test_an_order_plan_of_the_first_schema_is_taken_up():
    old = {
        "kind": "order-plan",
        "schema": 1,
        "payload": {
            "lines": [
                {"item": "A", "action": "order", "quantity": 3.0, "due": "2024-05-01", "expected_money": 7.0, "risk_if_done": None,
                 "risk_if_not": 9.0, "reason": "low"}
            ],
            "currency": "EUR",
            "assumed": False,
        },
    }  # fmt: skip
    plan = unwrap(old, OrderPlan)
    (line,) = plan.lines
    assert (line.item, line.quantity, line.order_by, line.money, line.if_not, line.reason) == (
        "A",
        3.0,
        "2024-05-01",
        7.0,
        9.0,
        "low",
    )
    assert math.isnan(line.if_done) and plan.currency == "EUR" and not plan.assumed

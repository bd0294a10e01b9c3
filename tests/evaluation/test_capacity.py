import numpy as np
import pytest

from holdgood.core.declaration import Costs
from holdgood.core.errors import DeclarationError
from holdgood.core.records import Evaluation, envelope
from holdgood.evaluation import evaluate
from holdgood.metrics.units import DAY

A_DAY = 10
COSTS = Costs(miss=300, false_alarm=40, currency="€", capacity=A_DAY)


def run(case, costs=COSTS, **more):
    time = np.arange(len(case.y)) // 50 * DAY  # 60 days of 50 rows
    arguments = {"prior": case.prior, "simple": case.simple, "seed": 3, "time": time, "costs": costs}
    return evaluate(case.task, case.y, case.prediction, **({"threshold": 0.12, "threshold_flat": (0.1, 0.14)} | arguments | more))  # fmt: skip


def by_hand(case):
    """Who is acted on, day by day."""
    acted = np.zeros(len(case.y), bool)
    for first in range(0, len(case.y), 50):
        rows = [i for i in range(first, first + 50) if case.prediction[i] >= 0.12]
        acted[sorted(rows, key=lambda i: -case.prediction[i])[:A_DAY]] = True
    return acted


def test_money_counts_and_metrics_obey_the_capacity(binary, tmp_path):
    found = run(binary)
    acted = by_hand(binary)
    event = binary.y == 1
    a_month = 30.4375 * DAY * len(binary.y) / (59 * DAY)
    saved = np.sum(np.where(acted, np.where(event, 300.0, -40.0), 0.0)) / len(binary.y) * a_month
    assert found.money.amount.value == pytest.approx(saved)
    assert found.confusion.counts[1][1] == int(np.sum(acted & event))
    assert found.metrics["precision_at_threshold"].value == pytest.approx(np.mean(event[acted]))
    assert (found.capacity.acted, found.capacity.days) == (int(acted.sum()), 60)
    assert found.capacity.deserving == int(np.sum(binary.prediction >= 0.12))
    assert found.capacity.full_days == 60
    assert "at most 10 acted on a day" in found.money_sentence
    assert [c.second for c in found.money_against][1] == "acting on any 10 rows a day"
    written = envelope.write(tmp_path / "e.json", found)
    assert envelope.read(written, Evaluation).capacity == found.capacity


def test_the_money_curve_meets_the_amount_and_no_capacity_earns_more(binary):
    found = run(binary)
    curve = {c.name: c for c in found.curves}
    assert curve["money at the threshold in use"].y[0] == pytest.approx(found.money.amount.value)
    line = curve["money against the threshold"]
    assert np.interp(0.12, line.x, line.y) == pytest.approx(found.money.amount.value, rel=0.02)
    free = run(binary, COSTS.model_copy(update={"capacity": None}))
    assert free.capacity is None
    assert free.money.amount.value > found.money.amount.value
    wide = run(binary, COSTS.model_copy(update={"capacity": 50}))
    assert wide.money.amount.value == pytest.approx(free.money.amount.value)
    assert wide.capacity.full_days == 0


def test_the_break_even_of_undeclared_costs_is_that_of_the_rows_acted_on(binary):
    found = run(binary, Costs(capacity=A_DAY))
    free = run(binary, Costs())
    assert found.break_even_ratio <= free.break_even_ratio  # the ten likeliest of a day pay soonest
    assert "with at most 10 acted on a day" in found.money_sentence


def test_a_capacity_wants_a_time(binary):
    with pytest.raises(DeclarationError, match="a capacity of 10 a day"):
        run(binary, time=None)


def test_the_sentence_says_how_flat_the_curve_is(binary):
    found = run(binary)
    assert (found.threshold.flat_low, found.threshold.flat_high) == (0.1, 0.14)
    assert "From 0.1 to 0.14" in found.threshold.sentence

import math

import numpy as np
import pytest

from holdgood.core.declaration import Costs
from holdgood.core.task import Task
from holdgood.evaluation import money
from holdgood.metrics.cost import answers, resolve
from holdgood.metrics.units import DAY

BINARY = Task(kind="binary", classes=(0, 1))
COSTS = Costs(miss=300, false_alarm=40, currency="€", per="flight")


def of(case, costs, *, time=None, months=None, threshold=0.12, simple=True):
    table = resolve(costs, case.task)
    over = money.period(table, len(case.y), time, months)
    limit = threshold if case.task.kind == "binary" else None
    return money.value(
        case.task, case.y, case.prediction, answers(table, case.prediction, limit), prior=case.prior,
        simple_answer=answers(table, case.simple) if simple else None, simple_name="the simplest rule",
        table=table, costs=costs, over=over, clusters=None, name="the model",
    )  # fmt: skip


def test_amounts_are_counted_by_hand(binary):
    found = of(binary, COSTS)
    act, event = binary.prediction >= 0.12, binary.y == 1
    hits, false = np.sum(act & event), np.sum(act & ~event)
    assert found.money.amount.value == pytest.approx(300 * hits - 40 * false)
    everybody = 40 * np.sum(~act & ~event) - 300 * np.sum(~act & event)
    assert found.against[1].difference == pytest.approx(everybody)
    assert [c.second for c in found.against] == ["acting on nobody", "acting on everybody", "the simplest rule"]
    assert found.money.assumed is False
    assert found.money.per == "holdout"
    assert math.isnan(found.break_even)


def test_per_month_scales_everything(binary):
    total, monthly = of(binary, COSTS), of(binary, COSTS, months=2.0)
    assert monthly.money.amount.value == pytest.approx(total.money.amount.value / 2)
    assert monthly.money.amount.low == pytest.approx(total.money.amount.low / 2)
    assert monthly.money.per == "month"
    assert "a month on the sealed holdout" in monthly.sentence


def test_months_come_from_time_but_not_from_a_few_days():
    table = resolve(COSTS, BINARY)
    long = money.period(table, 100, np.array([0, 61 * DAY]), None)
    assert long.per == "month"
    assert long.scale == pytest.approx(100 / (61 / money.DAYS_A_MONTH))
    assert money.period(table, 100, np.array([0, 3 * DAY]), None).per == "holdout"
    assert money.period(table, 100, None, None).scale == 100


def test_the_sentence_reads_as_it_should(binary):
    sentence = of(binary, COSTS, months=2.0).sentence
    assert sentence.startswith("At your costs (a miss 300, a false alarm 40) it would have saved €")
    assert "against acting on nobody, €" in sentence
    assert "(95%: " in sentence
    assert "The ten rows that saved most bring" in sentence


def test_a_loss_is_called_a_loss(binary):
    upside_down = type(binary)(**{**binary.__dict__, "prediction": 1 - binary.prediction})
    sentence = of(upside_down, Costs(miss=10, false_alarm=40), threshold=0.5).sentence
    assert "it would have lost " in sentence


def test_undeclared_costs_show_no_currency_and_a_break_even_ratio(binary):
    found = of(binary, Costs(currency="€"))
    assert found.money.assumed
    assert found.sentence.startswith("ASSUMED: pays if a miss costs more than")
    assert "€" not in found.sentence
    assert 0 < found.break_even < 10


def test_multiclass_and_regression(multiclass, regression):
    found = of(multiclass, Costs())
    assert found.against[0].second == "always answering a"
    assert found.against[0].verdict == "better"
    assert found.sentence.startswith("ASSUMED: every mistake costs the same")
    assert "fewer mistakes on the holdout" in found.sentence
    declared = of(regression, Costs(over=2.0, under=5.0, currency="EUR"))
    residual = regression.prediction - regression.y
    mine = np.where(residual > 0, 2 * residual, -5 * residual).sum()
    flat = 10.0 - regression.y
    theirs = np.where(flat > 0, 2 * flat, -5 * flat).sum()
    assert declared.money.amount.value == pytest.approx(theirs - mine)
    assert "5 for each unit too low" in declared.sentence


@pytest.mark.parametrize(
    ("number", "said"), [(0.2, "0.2"), (41234.0, "41,200"), (-5.0, "-5"), (0.0, "0"), (math.inf, "unknown")]
)
def test_rounding(number, said):
    assert money.rounded(number) == said


def test_a_negative_amount_keeps_its_sign_before_the_currency():
    assert money.amount(-5.0, "€") == "-€5"

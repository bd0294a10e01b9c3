"""A look at the terminal says which way it went, and does not count what nobody knows."""

import math
from dataclasses import replace

import pytest

from holdgood.cli.watched import look_text
from holdgood.core.records import Benefit, Comparison, Interval, WatchLook
from holdgood.metrics.interval import Spread
from holdgood.monitoring.late_mean import LateMean, against
from holdgood.workflow.live.watch import Watched


def look(**known):
    return WatchLook(
        model="m", bundle_digest="d", begins="2026-01-01T00:00", ends="2026-01-08T00:00", budget=1.0, alpha=0.02, rows=400, **known
    )  # fmt: skip


@pytest.mark.parametrize(
    ("difference", "verdict", "said"),
    [
        (-1.186, "worse", "log loss 1.648 in use, 0.462 promised: worse by 1.186 (95.0%: 1.086 to 1.286, n=300)"),
        (0.05, "not proven", "promised: better by 0.05 (95.0%: -0.05 to 0.15, n=300), not proven"),
    ],
)
def test_a_loss_says_in_words_which_way_it_went(difference, verdict, said):
    found = Comparison(
        first="in use", second="promised", difference=difference, low=difference - 0.1, high=difference + 0.1, level=0.95, n=300,
        unit="log loss", verdict=verdict,
    )  # fmt: skip
    text = look_text(Watched(look(performance=found, loss=0.462 - difference, loss_promised=0.462), ()))
    assert said in text


def test_a_benefit_without_outcomes_is_not_known():
    money = Interval(value=18.0, low=10.0, high=26.0, level=0.95, n=400, method="t")
    unknown = money.model_copy(update={"value": math.nan, "low": math.nan, "high": math.nan})
    paid = Benefit(
        model="m", bundle_digest="d", begins="2026-01-01", ends="2026-01-08", promised=money, realised=unknown, currency="EUR",
        rows=400, labelled=0, against="x", share=0.0,
    )  # fmt: skip
    text = look_text(Watched(look(), (), paid))
    assert "benefit: not known yet: no outcomes; promised 18 EUR" in text
    assert "nan" not in text


def test_why_fewer_rows_count_than_have_an_outcome_is_said():
    """All outcomes came at once: those of the youngest rows came sooner than nearly all do."""
    seen = LateMean(1.6, Spread(0.05, 50.0, 0.0, 347), 347, 1.0, young=53)
    promised = Interval(value=0.46, low=0.4, high=0.52, level=0.95, n=400, method="t")
    found = against(promised, seen, alpha=0.05, unit="log loss", lower_is_better=True)
    text = look_text(Watched(look(performance=found, loss=1.6, loss_promised=0.46, labelled=400), ()))
    assert "n=347 of 400 outcomes; left out: 53 of rows so young that few of their age have one)" in text
    whole = against(promised, replace(seen, young=0), alpha=0.05, unit="log loss", lower_is_better=True)
    assert "n=347)" in look_text(Watched(look(performance=whole, loss=1.6, loss_promised=0.46, labelled=347), ()))


def test_no_interval_is_of_all_that_can_be():
    found = Comparison(
        first="in use", second="promised", difference=-0.04, low=-0.06, high=-0.02, level=0.99967, n=300, unit="log loss",
        verdict="worse",
    )  # fmt: skip
    assert "worse by 0.04 (99.97%: 0.02 to 0.06" in look_text(
        Watched(look(performance=found, loss=0.5, loss_promised=0.46), ())
    )

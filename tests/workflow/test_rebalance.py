"""Rebalance or collect more: what weighting does to chances and money, and a learning curve that is found again."""

from __future__ import annotations

import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.metrics.learning_curve import bought, power_law
from holdgood.workflow.folder import Project
from holdgood.workflow.rebalance import rebalance


@pytest.mark.parametrize(("a", "b", "c"), [(0.2, 0.3, 0.5), (0.0, 1.0, 0.25), (0.4, 0.05, 1.0)])
def test_a_power_law_is_found_again(a, b, c):
    sizes = np.array([0.25, 0.5, 0.75, 1.0])
    found = power_law(sizes, a + b * sizes**-c)
    assert found == pytest.approx((a, b, c), abs=1e-6)
    at_four = found[0] + found[1] * 4.0 ** -found[2]
    assert at_four == pytest.approx(a + b * 4.0**-c)


def test_a_curve_that_does_not_fall_buys_nothing():
    rng = np.random.default_rng(0)
    flat = np.tile(rng.exponential(size=500), (4, 1))
    for gain in bought(np.array([10.0, 20, 30, 40]), flat, (2.0, 4.0)):
        assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_gains_of_a_falling_curve_are_covered_and_grow_with_rows():
    rng = np.random.default_rng(0)
    sizes = np.array([30.0, 45, 65, 100])
    noise = rng.exponential(size=4000) - 1.0
    losses = 0.3 + 0.2 * (sizes / 100)[:, None] ** -0.5 + 0.1 * noise + 0.02 * rng.normal(size=(4, 4000))
    two, four = bought(sizes, losses, (2.0, 4.0))
    assert two.low <= 0.2 * (1 - 2**-0.5) <= two.high
    assert four.low <= 0.2 * (1 - 4**-0.5) <= four.high
    assert 0 < two.value < four.value


def test_weighting_makes_chances_untrue_and_is_told_with_its_price(project):
    found = rebalance(project, learner="linear")
    assert found.rare_rows < found.rows / 2
    assert found.stated_weighted > found.observed + 0.05
    assert abs(found.stated - found.observed) < abs(found.stated_weighted - found.observed)
    assert found.loss.difference < 0
    assert found.money is not None
    assert found.sizes == tuple(sorted(found.sizes))
    assert found.sizes[-1] == found.rare_rows
    assert [m.rare_rows for m in found.more] == [found.rare_rows, 3 * found.rare_rows]
    assert "would state" in found.sentences[0]
    assert "EUR a row" in found.sentences[1]
    for more, said in zip(found.more, found.sentences[-2:], strict=True):
        assert more.money is not None
        assert more.money.low <= more.money.value <= more.money.high
        assert f"log loss, and {more.money.value:.3g} (95%: " in said
        assert "EUR a row; an extrapolation." in said
    again = rebalance(project, learner="linear")
    assert again == found


def test_it_is_for_two_classes(project):
    declared = project.declaration
    task = declared.task.model_copy(update={"target": "hours_taken", "kind": "regression"})
    other = declared.model_copy(update={"task": task, "costs": type(declared.costs)()})
    with pytest.raises(DataError, match="rebalancing a regression"):
        rebalance(Project(project.path, other), learner="linear")

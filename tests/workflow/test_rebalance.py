"""Rebalance or collect more: what weighting does to chances and money, and a learning curve that is found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declaration import parse
from holdgood.core.errors import DataError
from holdgood.metrics.learning_curve import bought, power_law
from holdgood.workflow.effect import Bench
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


LABELS = np.array(["fine", "late", "lost", "odd"])


@pytest.fixture
def parcels(tmp_path):
    """Four classes: one of 5% that a number tells of, one of nine rows, and what wrong answers cost."""
    rng = np.random.default_rng(3)
    n = 800
    x, z = rng.normal(size=(2, n))
    code = np.where(x + 0.7 * rng.normal(size=n) > 2.0, 2, np.where(z + rng.normal(size=n) > 0.8, 1, 0))
    code[rng.choice(n, 9, replace=False)] = 3
    pd.DataFrame({"x": x, "z": z, "state": LABELS[code]}).to_parquet(tmp_path / "parcels.parquet")
    wrong = {a: {b: 1.0 for b in LABELS if b != a} for a in LABELS}
    wrong["lost"] = {b: 40.0 for b in LABELS if b != "lost"}
    declared = {
        "task": {"table": "parcels", "target": "state"}, "tables": {"parcels": {"source": "parcels.parquet"}},
        "costs": {"currency": "EUR", "matrix": wrong, "per": "parcel"}, "split": {"kind": "random", "folds": 3},
    }  # fmt: skip
    return Project(tmp_path, parse(declared)), code


def test_of_several_classes_the_rarest_with_rows_enough_is_spoken_of_and_each_is_told(parcels):
    project, code = parcels
    found = rebalance(project, learner="linear")
    assert (found.label, [c.label for c in found.classes]) == ("lost", list(LABELS))
    shares = np.bincount(code) / len(code)
    assert [c.observed for c in found.classes] == pytest.approx(shares, abs=0.02)
    assert [c.stated for c in found.classes] == pytest.approx(shares, abs=0.02)
    assert sum(c.stated_weighted for c in found.classes) == pytest.approx(1.0)
    lost, fine, odd = (found.classes[i] for i in (2, 0, 3))
    assert lost.stated_weighted > 2 * lost.observed
    assert (lost.loss.verdict, fine.loss.verdict, odd.loss) == ("better", "worse", None)
    assert found.loss.verdict == "worse"  # in all: most rows pay for it
    said = " ".join(found.sentences)
    assert "Weighting all 4 classes to balance: log loss -" in said
    assert f"It would state class lost, of {found.rare_rows} rows, " in said
    assert "lost better" in said
    assert "Too few rows to say anything of: odd (" in said
    assert "In money, each by its answers of least expected cost, weights undone: " in said
    assert [m.rare_rows for m in found.more] == [found.rare_rows, 3 * found.rare_rows]
    assert all(m.money is not None for m in found.more)


def test_money_of_several_classes_is_that_of_answers_that_undo_the_weights(parcels):
    project, _ = parcels
    bench = Bench(project, {}, "linear")
    k, n = 4, len(bench.y)
    chances = np.random.default_rng(0).dirichlet(np.ones(k), n)
    weight = np.array([0.5, 1.0, 8.0, 30.0])
    bent = chances * weight / (chances * weight).sum(axis=1, keepdims=True)
    tilted = replace(bench.costs, tilt=weight)
    _, money = bench.compare("weighted", bent, chances, tilted)
    assert money.difference == pytest.approx(0.0, abs=1e-12)  # the same beliefs, the same answers
    assert bench.compare("weighted", bent, chances)[1].difference < 0


def test_classes_that_nobody_can_compare_are_refused(parcels):
    project, _ = parcels
    few = pd.read_parquet(project.path / "parcels.parquet")
    few = pd.concat([few[few.state == "fine"][:200], few[few.state == "late"][:11], few[few.state == "lost"][:15]])
    few.to_parquet(project.path / "parcels.parquet")
    declared = project.declaration.model_copy(update={"costs": type(project.declaration.costs)()})
    with pytest.raises(DataError, match=r"rows of class lost, the second largest of all"):
        rebalance(Project(project.path, declared), learner="linear")


def test_it_is_for_classes(project):
    declared = project.declaration
    task = declared.task.model_copy(update={"target": "hours_taken", "kind": "regression"})
    other = declared.model_copy(update={"task": task, "costs": type(declared.costs)()})
    with pytest.raises(DataError, match="rebalancing a regression task") as told:
        rebalance(Project(project.path, other), learner="linear")
    assert "task.weight" in told.value.do

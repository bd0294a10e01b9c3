from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.declaration import Costs
from holdgood.core.task import Task
from holdgood.metrics import metric, resolve
from holdgood.training.ladder import ALPHA, Limits, Step, climb
from holdgood.training.score import Judge

TASK = Task(kind="regression", metric="rmse")


def judge_of(n, clusters=None):
    return Judge(TASK, metric("rmse", TASK), np.zeros(n), np.arange(n) % 3, clusters)


def steps_of(*errors, names=None, seed=0, n=2000, ms=None, size=None, shared=0.9):
    """Steps whose squared errors have the given means; rows are hard or easy for all of them alike."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    out = []
    for i, level in enumerate(errors):
        p = np.sqrt(level) * (shared * common + np.sqrt(1 - shared**2) * rng.normal(size=n))
        name = names[i] if names else f"rung{i}"
        cost = {"row_ms": ms[i] if ms else 1.0 + i, "size_bytes": size[i] if size else 1e3 * (1 + i)}
        out.append(Step(name, f"{name}-best", name, p, ensemble=name == "ensemble", **cost))
    return out


def taken(result):
    return [r.name for r in result.rungs if r.taken]


def test_balanced_climbs_what_is_proven_and_worth_it_and_compares_with_the_best_taken_below():
    result = climb(steps_of(4.0, 2.0, 3.0, 1.5), judge_of(2000))
    assert taken(result) == ["rung0", "rung1", "rung3"]
    assert result.chosen == 3
    assert [r.gain.second for r in result.rungs[1:]] == ["rung0", "rung1", "rung1"]
    gain = result.rungs[3].gain
    steps = steps_of(4.0, 2.0, 3.0, 1.5)
    assert gain.difference == pytest.approx(np.mean(np.square(steps[1].prediction) - np.square(steps[3].prediction)))
    assert gain.low > 0
    # one-sided, between one look alone and two that have nothing in common
    assert 1 - 2 * ALPHA < gain.level < 1 - ALPHA
    assert "proven worse; not taken" in result.rungs[2].sentence
    assert "the ladder stands on it" in result.rungs[0].sentence


@pytest.mark.parametrize("prefer", ["simple", "balanced", "best"])
def test_the_rule_is_said_in_one_sentence_with_its_level_and_each_rung_says_why(prefer):
    result = climb(steps_of(4.0, 2.0, 3.0, 1.5), judge_of(2000), prefer=prefer)
    assert result.rule.count(".") == 1 and result.rule.endswith(".")
    assert f"{ALPHA:.0%} at most, over all rungs and all configurations together" in result.rule
    assert "those included that a search stopped early" in result.rule
    assert [bool(r.why) for r in result.rungs] == [True] * 4
    assert result.rungs[2].why == "proven worse"
    assert all(r.why in r.sentence for r in result.rungs[1:])
    if prefer == "balanced":
        assert result.rungs[3].why == "proven at 2 times the latency"
        assert [r.predict_ms for r in result.rungs] == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(("prefer", "chosen"), [("balanced", 2), ("best", 0)])
def test_a_climb_of_proven_steps_needs_no_proof_of_the_whole(prefer, chosen):
    """A wild row can blur the top against the prior while each step between them is clear."""

    class Blurred(Judge):
        def gain(self, first, one, second, two, level):
            found = super().gain(first, one, second, two, level)
            whole = (first, second) == ("rung2", "rung0")
            return found.model_copy(update={"verdict": "not proven"}) if whole else found

    judge = Blurred(TASK, metric("rmse", TASK), np.zeros(2000), np.arange(2000) % 3)
    result = climb(steps_of(4.0, 2.0, 1.0), judge, prefer=prefer)
    assert result.chosen == chosen
    assert taken(result)[-1] == f"rung{chosen}"


def test_a_proven_gain_below_one_percent_is_not_worth_climbing_but_best_takes_it():
    steps = steps_of(4.0, 2.0, 1.99, n=40_000, shared=0.9999)
    balanced = climb(steps, judge_of(40_000))
    assert balanced.rungs[2].gain.verdict == "better"
    assert balanced.chosen == 1
    assert "not worth it" in balanced.rungs[2].sentence
    best = climb(steps, judge_of(40_000), prefer="best")
    assert best.chosen == 2
    assert best.rungs[2].taken


def test_declared_money_makes_a_small_gain_worth_it_and_assumed_money_does_not():
    steps = steps_of(4.0, 2.0, 1.99, n=40_000, shared=0.9999)
    declared = resolve(Costs(over=3.0, under=5.0, currency="EUR"), TASK)
    assert climb(steps, judge_of(40_000), costs=declared).chosen == 2
    result = climb(steps, judge_of(40_000), costs=resolve(Costs(), TASK))
    assert result.chosen == 1
    assert "ASSUMED" in result.rungs[2].money_gain.unit


def test_no_ensemble_for_a_tiny_gain_at_three_times_the_cost_even_where_money_is_proven():
    names = ("prior", "linear", "ensemble")
    declared = resolve(Costs(over=3.0, under=5.0), TASK)
    steps = steps_of(4.0, 2.0, 1.995, names=names, n=40_000, shared=0.99999, ms=(1, 1, 5))
    assert climb(steps, judge_of(40_000), costs=declared).chosen == 1
    cheap = steps_of(4.0, 2.0, 1.995, names=names, n=40_000, shared=0.99999, ms=(1, 1, 2))
    assert climb(cheap, judge_of(40_000), costs=declared).chosen == 2


def test_limits_keep_a_better_rung_out_and_say_which():
    steps = steps_of(4.0, 2.0, 1.0, ms=(1, 1, 80), size=(1e3, 1e3, 3e8))
    slow = climb(steps, judge_of(2000), limits=Limits(latency_ms=50))
    assert slow.chosen == 1
    assert "80 ms a row, more than the 50 ms allowed" in slow.rungs[2].sentence
    assert climb(steps, judge_of(2000), limits=Limits(size_mb=200)).chosen == 1
    by_size = climb(steps, judge_of(2000), limits=Limits(latency_ms=50, by_size=True))
    assert by_size.chosen == 2
    assert "times the size" in by_size.rungs[2].sentence


def test_simple_takes_the_lowest_that_is_not_proven_worse_than_the_best():
    steps = steps_of(4.0, 2.002, 2.001, 2.0, shared=0.5)
    result = climb(steps, judge_of(2000), prefer="simple")
    assert result.chosen == 1
    assert taken(result) == ["rung0", "rung1"]
    assert climb(steps_of(4.0, 3.0, 2.0), judge_of(2000), prefer="simple").chosen == 2


@pytest.mark.parametrize("prefer", ["simple", "balanced", "best"])
def test_no_preference_chooses_what_breaks_a_limit(prefer):
    large = steps_of(4.0, 3.0, 1.0, size=(1e3, 1e3, 3e8))
    assert climb(large, judge_of(2000), prefer=prefer).chosen == 2
    assert climb(large, judge_of(2000), prefer=prefer, limits=Limits(size_mb=200)).chosen == 1
    slow = steps_of(4.0, 3.0, 1.0, ms=(80, 80, 80))
    assert climb(slow, judge_of(2000), prefer=prefer, limits=Limits(latency_ms=50)).chosen == 0


@pytest.mark.parametrize("prefer", ["simple", "balanced", "best"])
def test_where_nothing_is_proven_better_the_lowest_rung_is_chosen(prefer):
    result = climb(steps_of(2.0, 1.999, 2.001, shared=0.3), judge_of(2000), prefer=prefer)
    assert result.chosen == 0


def test_one_rung_above_is_proven_one_sided_at_the_stated_level():
    """The smallest gain that is proven: the lower end of the 90% interval touches zero."""
    steps = steps_of(2.0, 1.85, n=300, shared=0.7, seed=3)
    result = climb(steps, judge_of(300))
    gain = result.rungs[1].gain
    assert gain.level == pytest.approx(1 - 2 * ALPHA)
    assert (gain.low > 0) == (gain.p / 2 < ALPHA) == (result.chosen == 1)


def test_a_rung_whose_winner_was_picked_among_many_needs_a_clearer_gain():
    prior, *tries = steps_of(2.0, *[2.0] * 6, n=600, shared=0.0)
    picked = Step("picked", "picked-0", "picked", tries[0].prediction, tries=tuple(t.prediction for t in tries))
    assert picked.of == 6
    alone = Step("picked", "picked-0", "picked", tries[0].prediction)
    assert alone.of == 1
    levels = [climb([prior, step], judge_of(600)).rungs[1].gain.level for step in (alone, picked)]
    assert levels[0] == pytest.approx(1 - 2 * ALPHA)
    assert levels[1] > 0.92


def test_a_ladder_of_one_rung_stands():
    result = climb(steps_of(2.0), judge_of(2000))
    assert (result.chosen, len(result.rungs)) == (0, 1)


def test_rows_that_belong_together_weaken_a_proof():
    steps = steps_of(2.0, 1.8, n=400, shared=0.0)
    alone = climb(steps, judge_of(400)).rungs[1].gain
    repeated = [Step(s.name, s.trial, s.family, np.repeat(s.prediction, 10)) for s in steps]
    together = climb(repeated, judge_of(4000, clusters=np.repeat(np.arange(400), 10))).rungs[1].gain
    naive = climb(repeated, judge_of(4000)).rungs[1].gain
    assert together.p == pytest.approx(alone.p, rel=0.02)
    assert naive.p < 0.1 * together.p


@pytest.mark.parametrize(("prefer", "simulations"), [("balanced", 400), ("best", 200), ("simple", 200)])
def test_where_all_rungs_are_equal_in_truth_a_climb_is_as_rare_as_stated(prefer, simulations):
    climbs = sum(
        climb(steps_of(1.0, 1.0, 1.0, 1.0, seed=s, n=150, shared=0.6), judge_of(150), prefer=prefer).chosen > 0
        for s in range(simulations)
    )
    # exact binomial acceptance at one in a thousand
    assert climbs <= binom.ppf(0.999, simulations, ALPHA)


def test_real_gains_do_not_make_false_ones_more_likely():
    false = 0
    for seed in range(300):
        result = climb(steps_of(9.0, 1.0, 1.0, 1.0, seed=seed, n=150, shared=0.6), judge_of(150))
        false += result.chosen > 1
    assert false <= binom.ppf(0.999, 300, ALPHA)


def told_in_plain_words(task, predictions, y, costs=None, metric_name=None, **more):
    judge = Judge(task, metric(metric_name or task.metric, task), y, np.arange(len(y)) % 3, **more)
    steps = [Step(f"rung{i}", f"rung{i}", f"rung{i}", p) for i, p in enumerate(predictions)]
    return climb(steps, judge, costs=resolve(costs or Costs(), task)).rungs


def test_without_costs_each_rung_says_how_many_of_1000_rows_it_judges_wrongly():
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    raw = 2 * x - 1.5
    y = (rng.random(3000) < 1 / (1 + np.exp(-raw))).astype(float)
    task = Task(kind="binary", classes=("no", "yes"), metric="log_loss")
    chances = [np.full(3000, y.mean()), 1 / (1 + np.exp(-raw))]
    prior, model = told_in_plain_words(task, chances, y)
    by_hand = 1000 * np.mean((chances[1] >= 0.5) != y)
    assert prior.plain.value == pytest.approx(1000 * min(y.mean(), 1 - y.mean()))
    assert model.plain.value == pytest.approx(by_hand, abs=10)  # thresholds of the other folds are near a half
    assert 0 < model.plain.low < model.plain.value < model.plain.high < 1000
    assert prior.plain_gain is None
    gain = model.plain_gain
    assert gain.difference == pytest.approx(prior.plain.value - model.plain.value)
    assert (gain.verdict, gain.unit, gain.level) == ("better", "of 1,000 rows", model.gain.level)
    # who counts twice counts twice; whoever declared costs is told in money
    twice = np.where(y > 0, 2.0, 1.0)
    assert told_in_plain_words(task, chances, y, counts=twice)[0].plain.value == pytest.approx(
        1000 * min(np.average(y, weights=twice), np.average(1 - y, weights=twice))
    )
    priced = told_in_plain_words(task, chances, y, Costs(miss=5.0, false_alarm=1.0, currency="EUR"))[1]
    assert (priced.plain, priced.plain_gain) == (None, None)


def test_several_classes_are_judged_by_the_likeliest_and_weights_of_classes_do_not_count_rows():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1.0, 1.0, 1.0], 900)
    y = np.array([rng.choice(3, p=row) for row in p], float)
    task = Task(kind="multiclass", classes=("a", "b", "c"))
    rung = told_in_plain_words(task, [np.tile(p.mean(axis=0), (900, 1)), p], y)[1]
    assert rung.plain.value == pytest.approx(1000 * np.mean(p.argmax(axis=1) != y))


def test_without_costs_a_number_is_missed_by_so_much_on_average():
    steps, y = steps_of(4.0, 1.0, n=600), np.zeros(600)
    given = [s.prediction for s in steps]
    rungs = told_in_plain_words(TASK, given, y)
    assert [r.plain.value for r in rungs] == pytest.approx([np.abs(p).mean() for p in given])
    assert rungs[1].plain_gain.difference == pytest.approx(rungs[0].plain.value - rungs[1].plain.value)
    assert rungs[1].plain_gain.unit == "the target's unit"
    absolute = told_in_plain_words(Task(kind="regression", metric="mae"), given, y)
    assert [r.plain for r in absolute] == [None, None]  # its score says it


def mean_of(steps, at=None):
    """The same steps with the mean of some as an ensemble on top."""
    at = range(1, len(steps)) if at is None else at
    mean = np.mean([steps[i].prediction for i in at], axis=0)
    return [*steps, Step("ensemble", "ensemble", "ensemble", mean, row_ms=9.0, size_bytes=9e3, ensemble=True)]


def test_best_takes_an_ensemble_where_nothing_is_proven_better_than_it():
    # the mean is dragged down a little by a weak member: on 200 rows that is within chance, on 20,000 it is not
    few, many = (mean_of(steps_of(9.0, 2.0, 2.7, n=n, shared=0.9)) for n in (200, 20_000))
    assert np.mean(few[1].prediction ** 2) < np.mean(few[3].prediction ** 2)
    result = climb(few, judge_of(200), prefer="best", mixed=3)
    assert result.chosen == 3
    assert "rung1 scores better out of fold, but is not proven better" in result.reason
    assert "but the ensemble where that rung is not proven better than it" in result.rule
    assert climb(few, judge_of(200), prefer="best").chosen == 1
    result = climb(many, judge_of(20_000), prefer="best", mixed=3)
    assert result.chosen == 1
    assert "proven better than the ensemble" in result.reason


def test_an_ensemble_that_breaks_a_limit_is_not_taken_in_place_of_the_best():
    few = mean_of(steps_of(9.0, 2.0, 2.7, n=200, shared=0.9))
    assert climb(few, judge_of(200), prefer="best", mixed=3, limits=Limits(latency_ms=5.0)).chosen == 1


@pytest.mark.parametrize("prefer", ["simple", "balanced"])
def test_the_place_of_an_ensemble_changes_best_alone(prefer):
    few = mean_of(steps_of(9.0, 2.0, 2.7, n=200, shared=0.9))
    assert climb(few, judge_of(200), prefer=prefer, mixed=3).chosen == climb(few, judge_of(200), prefer=prefer).chosen


def test_where_nothing_is_better_than_the_ensemble_it_is_left_as_rarely_as_stated():
    """Eight rungs that are as good as it: the luckiest of them, looked at alone, would be called better nearly four times as often."""
    left, n = 0, 150
    for seed in range(150):
        steps = steps_of(9.0, *[1.0] * 8, seed=seed, n=n, shared=0.0)
        together = Step("ensemble", "ensemble", "ensemble", np.ones(n), ensemble=True)
        left += climb([*steps, together], judge_of(n), prefer="best", mixed=9).chosen != 9
    assert left <= binom.ppf(0.999, 150, ALPHA)


def test_an_ensemble_that_is_not_proven_better_than_the_prior_keeps_nobody_from_the_best():
    """It scatters: neither the single rung nor the prior is told apart from it, but the single rung is from the prior."""
    n = 200
    prior, single = np.full(n, 1.0), np.full(n, 0.9) + np.linspace(-0.2, 0.2, n)
    wild = np.zeros(n)
    wild[::20] = 4.2
    steps = [
        Step("prior", "prior", "prior", prior), Step("single", "single-2", "single", single),
        Step("ensemble", "ensemble", "ensemble", wild, ensemble=True),
    ]  # fmt: skip
    result = climb(steps, judge_of(n), prefer="best", mixed=2)
    assert result.chosen == 1
    assert result.reason.startswith(
        "the best score out of fold, whatever its cost; ensemble is not proven better than prior"
    )


def test_an_ensemble_that_cannot_be_scored_or_breaks_a_limit_is_no_choice_and_the_rule_does_not_name_it():
    few = mean_of(steps_of(9.0, 2.0, 2.7, n=200, shared=0.9))

    class Unscored(Judge):
        def whole(self, prediction):
            return float("nan") if prediction is few[3].prediction else super().whole(prediction)

    judge = Unscored(TASK, metric("rmse", TASK), np.zeros(200), np.arange(200) % 3)
    assert climb(few, judge, prefer="best", mixed=3).chosen == 1
    rule = climb(few, judge_of(200), prefer="best", mixed=3, limits=Limits(latency_ms=5.0)).rule
    assert "ensemble" not in rule

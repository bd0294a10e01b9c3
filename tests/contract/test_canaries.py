"""Canaries: where there is nothing to learn nothing is claimed, and a delivered model scores a row by that row alone."""

import numpy as np
import pandas as pd
import pytest

import holdgood
from holdgood.features.encode import crosses
from holdgood.metrics import loss_rows, mean_interval

LEVEL = 0.999
"""Of the intervals here: the draws are fixed, and an honest model leaves such an interval once in a thousand draws."""
KINDS = ("binary", "multiclass", "regression")
FOLDS = {"binary": None, "multiclass": {"folds": 3}, "regression": {"folds": 3}}
"""Two classes on as many as are taken by default; the others on fewer, for time."""
WORDS = ["pump", "seal", "leaks", "noise", "bearing", "hot", "oil", "valve", "motor", "drive", "belt", "shaft"]


def facts(n, seed):
    """Numbers with gaps, few and very many levels, texts, a date: whatever could be learned by heart."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": random.normal(size=n),
            "gaps": np.where(random.random(n) < 0.2, np.nan, random.normal(size=n)),
            "few": random.choice(["a", "b", "c"], n),
            "many": [f"M{i}" for i in random.integers(0, n // 2, n)],
            "text": [" ".join(random.choice(WORDS, 6)) for _ in range(n)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 500, n), unit="D"),
        }
    )


def outcomes(kind, signal, random):
    if kind == "regression":
        return signal + random.normal(size=len(signal))
    noisy = signal + random.logistic(size=len(signal))
    return (
        np.where(noisy > 0, "yes", "no") if kind == "binary" else np.array(["p", "q", "r"])[np.digitize(noisy, [-1, 1])]
    )


def gain_over_prior(model, kind, frame, y, learned_from):
    """Loss a row of the best constant answer minus the model's, on rows that were not learned from: an interval."""
    if kind == "regression":
        constant = np.full(len(y), float(np.mean(learned_from)))
        return mean_interval(np.square(y - constant) - np.square(y - model.predict(frame)), level=LEVEL)
    classes = list(model.task_.classes)
    codes = np.array([classes.index(v) for v in y], dtype=float)
    shares = np.array([np.mean(learned_from == c) for c in classes])
    order = [list(model.classes_).index(c) for c in classes]
    p = model.predict_proba(frame)[:, order]
    prior = np.tile(shares, (len(y), 1))
    if kind == "binary":
        p, prior = p[:, 1], prior[:, 1]
    return mean_interval(loss_rows(model.task_, codes, prior) - loss_rows(model.task_, codes, p), level=LEVEL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shuffled_target_scores_as_chance_and_a_true_one_does_not(kind):
    random = np.random.default_rng(11)
    frame, new = facts(400, 1), facts(1200, 2)
    signal, truth = (2.0 * f.x.to_numpy() + 1.5 * (f.few == "a").to_numpy() for f in (frame, new))
    y, y_new = outcomes(kind, signal, random), outcomes(kind, truth, random)
    quick = {"budget": "trials=4", "models": ("linear", "tree", "lightgbm"), "workers": 0, "split": FOLDS[kind]}
    honest = holdgood.fit(frame, y, **quick)
    assert gain_over_prior(honest, kind, new, y_new, y).low > 0
    shuffled = random.permutation(y)
    model = holdgood.fit(frame, shuffled, **quick)
    gain = gain_over_prior(model, kind, new, y_new, shuffled)
    assert gain.low <= 0, f"better than chance by {gain}"
    own = gain_over_prior(model, kind, new, random.permutation(y_new), shuffled)
    assert own.low <= 0, f"better than chance by {own}"
    scale = float(np.var(y_new)) if kind == "regression" else np.log(len(set(y)))
    assert gain.value > -0.1 * scale, f"chance, but far from calm: {gain}"
    for rung in model.leaderboard_.ladder:
        assert rung.gain is None or rung.gain.verdict != "better", rung.sentence


@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_is_to_be_learned_the_ladder_stays_on_its_lowest_rung(kind):
    chosen = []
    for seed in range(4):
        random = np.random.default_rng(100 + seed)
        frame = facts(240, 50 + seed)[["x", "gaps", "few", "many"]]
        y = outcomes(kind, np.zeros(240), random)
        model = holdgood.fit(
            frame, y, budget="trials=3", models=("linear", "lightgbm"), prefer="balanced", workers=0, seed=seed,
            split=FOLDS[kind],
        )  # fmt: skip
        chosen.append(model.leaderboard_.chosen)
    # a rung is taken by chance in at most one world of twenty: three of four would happen once in two thousand
    assert chosen.count("prior") >= 2, chosen


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_world_is_linear_nothing_above_linear_is_bought(kind):
    random = np.random.default_rng(7)
    frame = pd.DataFrame(random.normal(size=(500, 4)), columns=list("abcd"))
    y = outcomes(kind, (1.5 * frame.a - 1.0 * frame.b).to_numpy(), random)
    model = holdgood.fit(
        frame, y, budget="trials=4", models=("linear", "tree", "lightgbm"), prefer="balanced", workers=0,
        split={"folds": 3},
    )  # fmt: skip
    assert model.leaderboard_.chosen.startswith("linear")


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivered_bundle_scores_a_row_by_that_row_alone(kind, tmp_path):
    frame = facts(300, 3)
    x, few = frame.x.to_numpy(), (frame.few == "a").to_numpy()
    frame["y"] = outcomes(kind, 2.0 * x + 4.0 * (few & (np.abs(x) < 0.7)), np.random.default_rng(5))
    quick = {"trials": 5, "workers": 1, "prefer": "best", "models": ["linear", "tree", "forest", "lightgbm"]}
    done = holdgood.run(
        frame,
        target="y",
        project=tmp_path,
        declaration={"budget": quick, "split": {"folds": 2}, "task": {"kind": kind}},
    )
    assert done.leaderboard.chosen != "prior"
    assert {"x", "many", "text"} <= {f.name for f in done.features.features}
    model = holdgood.load(done.bundle)
    rows = model.table_of(pd.concat([frame, facts(60, 4)]).drop(columns="y"))
    at_once = model.predict(rows)
    assert at_once.shape == ((360, 3) if kind == "multiclass" else (360,))
    turned = np.arange(360)[::-1]
    np.testing.assert_array_equal(model.predict(rows.take(turned)), at_once[turned])
    np.testing.assert_array_equal(model.predict(rows.take(np.arange(7, 300))), at_once[7:300])
    for row in range(0, 360, 5):
        np.testing.assert_array_equal(model.predict(rows.take(np.array([row])))[0], at_once[row])


@pytest.mark.parametrize("kind", KINDS)
def test_a_shuffled_target_scores_as_chance_with_search_and_ensembles_on(kind):
    """The whole engine: a portfolio, a search beyond it, and an ensemble of what it found, the best at any cost."""
    random = np.random.default_rng(17)
    frame, new = facts(300, 3), facts(1200, 4)
    y = random.permutation(outcomes(kind, 2.0 * frame.x.to_numpy(), random))
    y_new = random.permutation(outcomes(kind, 2.0 * new.x.to_numpy(), random))
    model = holdgood.fit(
        frame,
        y,
        budget="trials=16",
        models=("linear", "tree", "lightgbm"),
        workers=0,
        prefer="best",
        split=FOLDS[kind],
    )
    board = model.leaderboard_
    assert sum("-s0" in t.name for t in board.trials) >= 4
    assert "ensemble" in [r.name for r in board.ladder]
    for rung in board.ladder[1:]:
        assert rung.gain.verdict != "better", rung.sentence
    assert board.chosen == "prior"
    assert gain_over_prior(model, kind, new, y_new, y).low <= 0


@pytest.mark.slow
def test_a_shuffled_target_scores_as_chance_with_every_family_of_trees_and_curves():
    """Those that encode categories by outcomes themselves, and the extras, as well as ours; an ensemble of all on top."""
    pytest.importorskip("catboost")
    pytest.importorskip("xgboost")
    random = np.random.default_rng(23)
    frame, new = facts(300, 5), facts(1200, 6)
    y = random.permutation(outcomes("binary", 2.0 * frame.x.to_numpy(), random))
    y_new = random.permutation(outcomes("binary", 2.0 * new.x.to_numpy(), random))
    models = ("linear", "additive", "tree", "forest", "lightgbm", "xgboost", "catboost")
    model = holdgood.fit(
        frame, y, budget=f"trials={1 + len(models)}", models=models, workers=0, prefer="best", split={"folds": 2}
    )
    board = model.leaderboard_
    assert {t.family for t in board.trials if t.status == "ok"} >= set(models)
    for rung in board.ladder[1:]:
        assert rung.gain.verdict != "better", rung.sentence
    assert board.chosen == "prior"
    assert gain_over_prior(model, "binary", new, y_new, y).low <= 0


def shuffled(kind, seed, n=300):
    """Facts and outcomes that have nothing to do with them, and as many again that nobody learns from."""
    random = np.random.default_rng(seed)
    frame, new = facts(n, seed), facts(1200, seed + 1)
    y, y_new = (random.permutation(outcomes(kind, 2.0 * f.x.to_numpy(), random)) for f in (frame, new))
    return frame, y, new, y_new


def sung(model, kind, new, y_new, y):
    """The canary's song: no rung is proven, no trial's interval lies beyond the prior's score, and new rows are judged by chance."""
    board = model.leaderboard_
    for rung in board.ladder[1:]:
        assert rung.gain.verdict != "better", rung.sentence
    prior = next(t for t in board.trials if t.family == "prior")
    assert all(t.score.high >= prior.score.value for t in board.trials if t.status == "ok")
    assert board.chosen == "prior"
    assert gain_over_prior(model, kind, new, y_new, y).low <= 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_shuffled_target_scores_as_chance_with_a_network_among_the_families(kind):
    for library in ("jax", "optax"):
        pytest.importorskip(library, reason="the extra 'deep' is not installed: there is no network to try")
    frame, y, new, y_new = shuffled(kind, 31)
    tried = {"models": ("linear", "lightgbm", "mlp"), "split": {"folds": 2}}
    model = holdgood.fit(frame, y, budget="trials=5", workers=0, prefer="best", **tried)
    assert {"prior", "linear", "lightgbm", "mlp"} <= {r.name for r in model.leaderboard_.ladder}
    sung(model, kind, new, y_new, y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("passed", ["their own test", "whatever they are"])
def test_a_shuffled_target_scores_as_chance_with_columns_made_of_two(kind, passed, monkeypatch):
    """Crosses are told by outcomes which columns to make; where chance lets them pass, what they made is judged on other rows."""
    if passed == "whatever they are":
        monkeypatch.setattr(crosses, "LEVEL", np.inf)
    frame, y, new, y_new = shuffled(kind, 41, n=400)
    few = frame[["x", "gaps", "few", "many"]].assign(z=frame.x.to_numpy()[::-1])
    new = new[["x", "gaps", "few", "many"]].assign(z=new.x.to_numpy()[::-1])
    tried = {"models": ("lightgbm",), "split": {"folds": 3}}
    model = holdgood.fit(few, y, budget="trials=9", workers=0, prefer="best", **tried)
    crossed = next(t for t in model.leaderboard_.trials if t.name == "lightgbm-crosses")
    if passed == "whatever they are":
        assert crossed.status == "ok"
    else:
        assert (crossed.status, crossed.reason) == ("stopped", "no cross passed its test")
    sung(model, kind, new, y_new, y)

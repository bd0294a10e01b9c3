import numpy as np
import pyarrow as pa

from holdgood.audit.aud014_late_facts import CHECK

rng = np.random.default_rng(8)
DAY = 86400 * 10**6


def late(context):
    return [c for f in CHECK.run(context) if f.late for c in f.columns]


def _signal(n=2000, noise=1.0):
    x = rng.normal(size=(n, 3))
    return x, (x[:, 0] + noise * rng.normal(size=n) > 0.5).astype(float)


def test_declared_and_source_columns_are_late(target_of):
    x, y = _signal()
    columns = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}
    context = target_of(columns, y, spec={"known": {"b": "after"}}, task={"target": "c > 3"}, target_columns=["c"])
    assert late(context) == ["b", "c"]


def test_a_target_that_is_a_plain_column_is_no_news(target_of):
    x, y = _signal()
    context = target_of({"a": x[:, 0], "y": y}, y, task={"target": "y"}, target_columns=["y"])
    assert CHECK.run(context) == []


def test_a_declared_moment_after_the_decision_is_late(target_of):
    x, y = _signal(300)
    now = np.arange(300, dtype=np.int64) * DAY
    columns = {"a": x[:, 0], "posted": pa.array(now + 5, pa.timestamp("us")), "b": x[:, 1]}
    context = target_of(columns, y, decision_time=now, spec={"known": {"a": "posted", "b": "posted - 1 day"}})
    assert late(context) == ["a"]


def test_facts_that_are_born_with_the_outcome_are_late(target_of):
    x, y = _signal()
    none = rng.random(2000) < 0.04
    y[none] = np.nan
    gone = none & (rng.random(2000) < 0.9)
    honest = none & (rng.random(2000) < 0.28)
    often = (none & (rng.random(2000) < 0.9)) | (rng.random(2000) < 0.2)
    columns = {
        "born": pa.array(x[:, 1], mask=gone),
        "honest": pa.array(x[:, 2], mask=honest),
        "often": pa.array(x[:, 0], mask=often),
        "full": x[:, 0],
        "more": rng.normal(size=2000),
    }
    assert late(target_of(columns, y)) == ["born"]
    assert late(target_of(columns, y, spec={"known": {"born": "before"}})) == []


def test_empty_rows_prove_nothing(target_of):
    x, y = _signal()
    none = rng.random(2000) < 0.04
    y[none] = np.nan
    columns = {f"x{i}": pa.array(x[:, i], mask=none) for i in range(3)} | {"id": np.arange(2000)}
    assert late(target_of(columns, y)) == []


def test_dates_that_move_with_the_outcome_are_late_and_schedules_are_not(target_of):
    x, y = _signal()
    now = np.arange(2000, dtype=np.int64) * 3600 * 10**6
    planned = now + rng.integers(1, 20, 2000) * DAY
    arrived = planned + (y * 6 * DAY + rng.exponential(DAY, 2000)).astype(np.int64)
    told = now + 30 * DAY
    columns = {
        n: pa.array(v, pa.timestamp("us")) for n, v in {"planned": planned, "told": told, "arrived": arrived}.items()
    }
    assert late(target_of(columns | {"x": x[:, 0]}, y, decision_time=now)) == ["arrived"]


def test_copies_of_the_outcome_are_late_for_each_kind_of_task(target_of):
    x, y = _signal()
    flipped = np.where(rng.random(2000) < 0.01, 1 - y, y)
    words = np.where(flipped == 1, "paid", "open")
    assert late(target_of({"a": x[:, 0], "copy": flipped * 3.0 + 1, "word": words, "b": x[:, 1]}, y)) == [
        "copy",
        "word",
    ]
    amount = rng.lognormal(3, 1.5, 2000)
    assert late(
        target_of(
            {"a": x[:, 0], "net": amount * 0.84 + 3, "near": amount * rng.lognormal(0, 0.5, 2000)}, amount, "regression"
        )
    ) == ["net"]
    three = rng.integers(0, 3, 2000).astype(float)
    assert late(target_of({"a": x[:, 0], "code": np.array(list("xyz"))[three.astype(int)]}, three, "multiclass")) == [
        "code"
    ]


def test_yesterday_is_honest_where_outcomes_persist(target_of):
    n = 3000
    walk = np.cumsum(rng.normal(size=n))
    time = np.arange(n, dtype=np.int64) * DAY
    yesterday = np.r_[np.nan, walk[:-1]]
    columns = {"yesterday": yesterday, "copy": walk + rng.normal(0, 0.01, n), "x": rng.normal(size=n)}
    assert late(target_of(columns, walk, "regression", decision_time=time)) == ["copy"]


def test_an_exact_difference_names_both_columns(target_of):
    start, took = rng.integers(0, 10**6, 500), rng.integers(0, 300, 500)
    context = target_of({"start": start, "x": rng.normal(size=500), "end": start + took}, took, "regression")
    assert sorted(late(context)) == ["end", "start"]


def test_flags_that_make_up_the_outcome_are_late_and_one_sure_sign_is_not(target_of):
    parts = rng.random((5000, 3)) < 0.01
    y = parts.any(1).astype(float)
    columns = {f"f{i}": parts[:, i] for i in range(3)} | {"x": rng.normal(size=5000)}
    assert late(target_of(columns, y)) == ["f0", "f1", "f2"]
    assert late(target_of({"f0": parts[:, 0], "x": rng.normal(size=5000)}, y)) == []


def test_honest_data_are_quiet_with_any_seed(target_of):
    for seed in range(20):
        local = np.random.default_rng(seed)
        x = local.normal(size=(400, 6))
        y = (x @ local.normal(size=6) + local.normal(size=400) > 1).astype(float)
        y[local.random(400) < 0.1] = np.nan
        columns = {f"x{i}": pa.array(x[:, i], mask=local.random(400) < 0.1) for i in range(6)}
        columns["c"] = local.choice(list("abcdefgh"), 400)
        assert CHECK.run(target_of(columns, y)) == []


def test_not_applicable_without_rows(target_of, refuses):
    assert refuses(CHECK, target_of({"a": pa.array([], pa.float64())}, []))

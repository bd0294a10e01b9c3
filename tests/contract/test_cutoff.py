"""Rows changed after the cutoff change nothing before it: the whole line, and every registered part by itself.

New models, checks and repairs are found by their entry points; a new repair needs an example here, and says so.
"""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.core import plugins
from holdgood.core.budget import Budget, Clock
from holdgood.core.chain import Chain
from holdgood.core.declaration import parse
from holdgood.core.errors import NotApplicable
from holdgood.core.frame import Frame
from holdgood.core.protocols import AuditContext, FitContext
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.features.builders.build import build
from holdgood.features.builders.plan import make_plan
from holdgood.splitting import divide, folds
from holdgood.testing.transformer import outcome, sample
from holdgood.training import train
from holdgood.workflow.candidates import candidates
from holdgood.workflow.folder import Project
from holdgood.workflow.run import run

CUTOFF = pd.Timestamp("2024-02-20")
# What may look at the holdout's features (never at its outcomes), by design: is it new, and is it alike?
MAY_LOOK = {"AUD017", "AUD020"}


# ── the whole line ───────────────────────────────────────────────────────────────────────────────────────────────────


def company(n=700):
    """Orders with a time, customers without one, hourly weather: who is late depends on all three."""
    random = np.random.default_rng(0)
    hours = pd.date_range("2024-01-01", periods=1500, freq="h")
    weather = pd.DataFrame(
        {"site": np.repeat(["n", "s"], 1500), "at": [*hours, *hours], "rain": random.gamma(1, 1, 3000)}
    )
    customers = pd.DataFrame({"id": [f"C{i}" for i in range(60)], "kind": random.choice(["retail", "trade"], 60)})
    when = (hours[48] + pd.to_timedelta(np.sort(random.uniform(0, 1400, n)), unit="h")).floor("s")
    site, who, weight = random.choice(["n", "s"], n), random.integers(0, 60, n), random.normal(10, 3, n)
    at = ((when - hours[0]) // pd.Timedelta("1h")).to_numpy()
    rain = weather.rain.to_numpy()[(site == "s") * 1500 + at]
    score = 1.5 * (rain - 1) + 0.3 * (weight - 10) + 0.8 * (customers.kind.to_numpy()[who] == "trade") - 0.8
    late = random.random(n) < 1 / (1 + np.exp(-score))
    orders = pd.DataFrame(
        {
            "order": [f"O{i:04d}" for i in range(n)],
            "customer": customers.id.to_numpy()[who],
            "site": site,
            "placed": when,
            "weight": np.where(random.random(n) < 0.05, np.nan, weight),
            "note": random.choice(["ring twice and wait a moment", "leave it at the door please", ""], n),
            "left_at": when + pd.to_timedelta(np.where(late, 5.0, 0.5) + random.random(n), unit="h"),
            "took": np.where(late, 5.0, 0.5) + random.random(n),
        }
    )
    orders.loc[random.random(n) < 0.04, ["left_at", "took"]] = None
    return {"orders": orders, "customers": customers, "weather": weather}


def scrambled(tables):
    """The same up to the cutoff; from there on other features, outcomes and facts. Even a key comes again."""
    random = np.random.default_rng(9)
    orders, weather = tables["orders"].copy(), tables["weather"].copy()
    after = np.flatnonzero(orders.placed >= CUTOFF)
    shuffled = random.permutation(after)
    for column in ("customer", "note", "left_at", "took"):
        orders.loc[after, column] = orders.loc[shuffled, column].to_numpy()
    orders.loc[after, "weight"] = random.normal(-500, 90, len(after))
    orders.loc[after, "site"] = random.choice(["n", "east"], len(after))
    orders.loc[after[:40], "order"] = orders.loc[:39, "order"].to_numpy()
    later = np.flatnonzero(weather["at"] >= CUTOFF)
    weather.loc[later, "rain"] = random.normal(70, 5, len(later))
    weather.loc[later[::7], "site"] = "east"
    return {**tables, "orders": orders, "weather": weather}


def walk(folder, tables):
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    declared = parse(
        {
            "task": {"table": "orders", "target": "took > 3"},
            "split": {"kind": "time", "cutoff": str(CUTOFF.date()), "folds": 3},
            "budget": {"trials": 3, "workers": 1, "models": ["linear", "lightgbm"]},
            "fairness": {"groups": ["site"]},
            "features": {"heavy": "weight > 12"},
            # the same order twice: the earlier row stays, whatever comes after the cutoff
            "repairs": [{"repair": "drop-duplicate-rows", "columns": ["order"]}],
            "tables": {
                "orders": {"source": "orders.parquet", "ids": ["order"], "time": "placed"},
                "customers": {"source": "customers.parquet", "key": ["id"], "join": {"on": {"customer": "id"}}},
                "weather": {
                    "source": "weather.parquet",
                    "time": "at",
                    "delay": "20 min",
                    "join": {"on": {"site": "site"}, "tolerance": "9 hours"},
                },
            },
        }
    )
    return run(Project(folder, declared))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    tables = company()
    return [walk(tmp_path_factory.mktemp(n), t) for n, t in (("plain", tables), ("scrambled", scrambled(tables)))]


def plain(record, *gone):
    """A record without what a clock says."""
    clocks = {"seconds", "fit_seconds", "predict_us_per_row", "latency_ratio", "predict_ms", *gone}

    def clean(value):
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items() if k not in clocks}
        return [clean(v) for v in value] if isinstance(value, list) else value

    return clean(json.loads(json.dumps(record.payload())))


def development(done):
    table = pq.read_table(done.folder.find("split").path / "split.parquet").to_pandas()
    return table.row[table.part == 0].tolist()


def test_the_two_worlds_differ_after_the_cutoff(two):
    one, other = two
    assert one.holdout.metrics != other.holdout.metrics
    assert one.split.cutoff == other.split.cutoff == str(CUTOFF.date())
    assert other.clean.entries[0].rows_removed == 40
    assert one.holdout.metrics["roc_auc"].low > 0.55


def test_the_wall_stands_at_the_same_place(two):
    one, other = two
    assert one.split.development == other.split.development > 400
    assert development(one) == development(other)


def test_the_audit_of_the_target_says_the_same(two):
    told = [{o["code"]: o for o in plain(r.audit_target)["outcomes"]} for r in two]
    assert told[0].keys() == told[1].keys() == set(OF_TARGET)
    for code in told[0].keys() - MAY_LOOK:
        assert told[0][code] == told[1][code], code
    assert {c for _, c in two[0].audit_target.late} == {"left_at", "took"}


def test_the_features_and_their_values_are_the_same(two):
    assert plain(two[0].features) == plain(two[1].features)
    plans = [(r.folder.find("features").path / "plan.json").read_bytes() for r in two]
    assert plans[0] == plans[1]


def test_every_trial_predicts_the_same_to_the_bit(two):
    one, other = two
    assert plain(one.leaderboard, "reason", "sentence") == plain(other.leaderboard, "reason", "sentence")
    assert one.leaderboard.chosen == other.leaderboard.chosen
    predictions = [trials(r) for r in two]
    assert predictions[0].keys() == predictions[1].keys()
    assert len(predictions[0]) == 3
    for name, folds_ in predictions[0].items():
        for key, values in folds_.items():
            np.testing.assert_array_equal(values, predictions[1][name][key], err_msg=f"{name} {key}")
    for name in ("oof.npy", "oof_rows.npy"):
        np.testing.assert_array_equal(*(np.load(r.folder.find("train").path / name) for r in two))


def trials(done):
    found = {}
    for record in sorted((done.folder.find("train").path / "trials").glob("*.json")):
        with np.load(record.with_suffix(".npz"), allow_pickle=False) as arrays:
            found[json.loads(record.read_text())["candidate"]] = {k: arrays[k] for k in arrays.files}
    return found


def test_the_model_has_the_same_digest(two):
    parts = [
        {
            f["path"]: f["sha256"]
            for f in json.loads((r.folder.find("train").path / "model/manifest.json").read_text())["payload"]["files"]
            if f["path"].startswith("parts/")
        }
        for r in two
    ]
    assert parts[0] == parts[1]
    assert any("chain" in path for path in parts[0])


# ── models with their encoders, within training ──────────────────────────────────────────────────────────────────────

TASKS = {
    "binary": Task(kind="binary", classes=(False, True)),
    "multiclass": Task(kind="multiclass", classes=("a", "b", "c")),
    "regression": Task(kind="regression", metric="rmse"),
}
FAMILIES = [
    (name, kind) for name in plugins.names("holdgood.models") for kind in plugins.load("holdgood.models", name).kinds
]
TRAINED = [(name, kind) for name, kind in FAMILIES if (name, kind) != ("mlp", "multiclass")]
"""Each kind of network compiles for ten seconds: of the two that tell classes apart, one goes through training, both are held to the next test."""


def changed_from(frame, y, start, task):
    """Other rows and outcomes from a position on, with levels and texts that were never seen."""
    other, noise = sample(len(frame), seed=77), outcome(task, len(frame), seed=78)
    arrays = []
    for feature, mine, theirs in zip(frame.features, frame.arrays, other.arrays, strict=True):
        values = mine.copy()
        values[start:] = (
            theirs[start:] * 1e6 if feature.type == "number" else [f"unheard of {v}" for v in theirs[start:]]
        )
        arrays.append(values)
    return Frame(frame.features, tuple(arrays)), np.concatenate([y[:start], noise[start:]])


def first_of(family, kind, frame):
    """The prior, and the first configuration of a family; a small network stands for the large one, which would mostly compile."""
    found = candidates(TASKS[kind], len(frame), len(frame.features), [family])
    first = [c for c in found if c.family in ("prior", family)][: 1 if family == "prior" else 2]
    if family == "mlp":
        small = dict(first[-1].parameters) | {"members": 2, "width": 16, "epochs": 10}
        make = partial(plugins.load("holdgood.models", family).make, small)
        first[-1] = replace(first[-1], make_model=make, parameters=small)
    return first


@pytest.mark.parametrize(("family", "kind"), TRAINED)
def test_rows_that_no_fit_saw_change_no_prediction_of_others(family, kind):
    task, frame, at = TASKS[kind], sample(160), 120
    y = outcome(task, 160)
    divided = folds(task, y, kind="time", time=np.arange(160), n_folds=2)
    last = divided[-1][1]
    other, other_y = changed_from(frame, y, int(last[0]), task)
    got = []
    for rows, outcomes in ((frame, y), (other, other_y)):
        trained = train(
            rows, outcomes, task, first_of(family, kind, frame), divided, clock=Clock(Budget(trials=9)),
            time=np.arange(160), workers=0,
        )  # fmt: skip
        assert len(trained.oof_rows) > at - 80
        earlier = trained.oof_rows < last[0]
        got.append({n: p[earlier] for n, p in trained.oof.items() if n != "chosen"})
    assert got[0].keys() == got[1].keys()
    for name in got[0]:
        np.testing.assert_array_equal(got[0][name], got[1][name], err_msg=name)


@pytest.mark.parametrize(("family", "kind"), FAMILIES)
def test_a_fitted_chain_scores_a_row_alike_whatever_stands_beside_it(family, kind):
    task, frame = TASKS[kind], sample(200)
    y, seen = outcome(task, 200), np.arange(120)
    chain = Chain.of(first_of(family, kind, frame)[-1]).fit(frame.take(seen), y[seen], None, FitContext(task, rounds=5))
    before = chain.to_parts()
    whole = chain.predict(frame)
    other, _ = changed_from(frame, y, 160, task)
    np.testing.assert_array_equal(chain.predict(other)[:160], whole[:160])
    np.testing.assert_array_equal(chain.predict(frame.take(np.arange(150, 160))), whole[150:160])
    after = chain.to_parts()
    assert before.json == after.json
    assert before.files == after.files
    for name, values in before.arrays.items():
        np.testing.assert_array_equal(values, after.arrays[name])


# ── splitters ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_wall_looks_at_times_only():
    task, n = TASKS["binary"], 300
    random = np.random.default_rng(0)
    time = random.permutation(n) * 3_600_000_000
    y = random.integers(0, 2, n).astype(float)
    other = np.where(time > 200 * 3_600_000_000, 1 - y, y)
    for spec in ({"kind": "time"}, {"kind": "time", "holdout": 0.4, "gap": "5 hours"}, {"cutoff": "1970-01-08"}):
        declared = parse({"split": spec}).split
        one, two = (divide(declared, task, v, time=time, groups=None, seed=0) for v in (y, other))
        np.testing.assert_array_equal(one.part, two.part)
        assert one.split.cutoff == two.split.cutoff
    inside = time < 200 * 3_600_000_000
    for outcomes in (y, other):
        found = folds(task, outcomes[inside], kind="time", time=time[inside], n_folds=4)
        for train_rows, valid in found:
            assert time[inside][train_rows].max() < time[inside][valid].min()


def test_folds_do_not_move_with_rows_of_later_stretches():
    task, n = TASKS["binary"], 400
    time = np.arange(n) * 1_000_000
    y = np.random.default_rng(1).integers(0, 2, n).astype(float)
    other = np.concatenate([y[:300], 1 - y[300:]])
    for one, two in zip(
        *(folds(task, v, kind="time", time=time, n_folds=4, gap="3s") for v in (y, other)), strict=True
    ):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])


# ── joins ────────────────────────────────────────────────────────────────────────────────────────────────────────────

HOUR = np.timedelta64(1, "h")
START = np.datetime64("2024-01-01T00", "us")
JOINS = {
    "as of": {"time": "at", "join": {"on": {"k": "k"}}},
    "as of, arriving late": {"time": "at", "delay": "3 hours", "join": {"on": {"k": "k"}}},
    "as of, not too old": {"time": "at", "join": {"on": {"k": "k"}, "tolerance": "5 hours"}},
    "as of, two keys": {"time": "at", "join": {"on": {"k": "k", "m": "m"}}},
    "time as an expression": {"time": '"at" + 1 hour', "join": {"on": {"k": "k"}}},
    "a column known later than its row": {"time": "at", "known": {"v": "seen"}, "join": {"on": {"k": "k"}}},
    "no time, but columns with one": {
        "known": {"v": "seen", "w": "at"},
        "ignore": ["at", "seen"],
        "join": {"on": {"k": "k", "m": "m"}},
    },
}


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("decision", [None, "t - 2 hours"])
def test_facts_that_are_known_after_a_decision_change_nothing_of_it(join, decision):
    random = np.random.default_rng(3)
    rows, facts, cut = 240, 600, START + 50 * HOUR
    main = Table.of(
        pa.table(
            {
                "k": [f"k{i}" for i in random.integers(0, 5, rows)],
                "m": random.integers(0, 3, rows),
                "t": START + random.integers(0, 100, rows) * HOUR,
            }
        ),
        "main",
    )
    at = START + random.integers(0, 100, facts) * HOUR
    columns = {
        "k": np.array([f"k{i}" for i in random.integers(0, 5, facts)]),
        "m": random.integers(0, 3, facts),
        "at": at,
        "seen": at + random.integers(0, 9, facts) * HOUR,
        "v": random.normal(size=facts),
        "w": random.normal(size=facts),
    }
    delay = {"as of, arriving late": 3, "time as an expression": 1}.get(join, 0)
    late = columns["at"] + delay * HOUR > cut
    later = {n: c.copy() for n, c in columns.items()}
    for name in ("v", "w"):
        later[name][late] += 1000.0
    later["v"][columns["seen"] > cut] += 1000.0 if "known" in JOINS[join] else 0.0
    later["at"][late] = random.permutation(later["at"][late])
    later["seen"] = np.where(late, later["at"] + 8 * HOUR, later["seen"])
    later["k"][late] = random.permutation(later["k"][late])
    declared = parse(
        {"task": {"decision_time": decision}, "tables": {"main": {"time": "t", "ignore": ["t"]}, "other": JOINS[join]}}
    )
    frames = []
    for facts_ in (columns, later):
        other = Table.of(pa.table(facts_), "other")
        frames.append(build(make_plan(declared, {"main": main, "other": other}), main, {"other": other})[0])
    moment = main.data.column("t").to_numpy() - (2 * HOUR if decision else 0 * HOUR)
    before = moment <= cut
    moved = 0
    for feature, one, two in zip(frames[0].features, frames[0].arrays, frames[1].arrays, strict=True):
        np.testing.assert_array_equal(one[before], two[before], err_msg=feature.name)
        moved += not np.array_equal(one[~before], two[~before], equal_nan=one.dtype != object)
    assert moved, "what was changed is seen by later rows: the test looks at something"
    assert any(
        np.isfinite(a[before]).any()
        for f, a in zip(frames[0].features, frames[0].arrays, strict=True)
        if "other" in f.name
    )


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


OF_TARGET = [c for c, check in plugins.load_all("holdgood.checks").items() if check.scope == "target"]


@pytest.mark.parametrize("code", [c for c in OF_TARGET if c not in MAY_LOOK])
def test_checks_of_the_target_do_not_look_at_the_holdout(code):
    check = plugins.load("holdgood.checks", code)
    random = np.random.default_rng(0)
    n = 300
    frame = {
        "a": random.normal(size=n),
        "b": random.choice(["x", "y", "z"], n),
        "t": START + np.arange(n) * HOUR,
    }
    y = (frame["a"] + random.normal(size=n) > 0).astype(float)
    frame["after"] = np.where(y == 1, random.normal(3, 1, n), np.nan)
    main = Table.of(pa.table(frame), "main")
    declared = parse({"tables": {"main": {"time": "t"}}, "fairness": {"groups": ["b"]}})
    said = []
    for seed in (1, 2):
        draw = np.random.default_rng(seed)
        held = {
            "a": draw.normal(seed * 9, 5, n),
            "b": draw.choice(["x", "q"], n),
            "t": START + (n + np.arange(n)) * HOUR,
        }
        held["after"] = draw.normal(size=n)
        context = AuditContext(
            tables={"main": main}, declaration=declared, main=main, y=y, task=TASKS["binary"],
            decision_time=main.data.column("t").cast(pa.int64()).to_numpy(), holdout=Table.of(pa.table(held), "main"),
        )  # fmt: skip
        try:
            said.append([f.model_dump() for f in check.run(context)])
        except NotApplicable as reason:
            said.append(str(reason))
    assert said[0] == said[1]


# ── repairs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

REPAIRS = {
    "sentinel-to-missing": (["number"], {"values": [-999]}),
    "drop-duplicate-rows": (["key"], {}),
    "drop-columns": (["word"], {}),
    "to-number": (["written"], {}),
    "unify-spellings": (["word"], {"rule": "case+space"}),
    "out-of-range-to-missing": (["number"], {"low": -10, "high": 10}),
    "infinite-to-missing": (["number"], {}),
    "parse-dates": (["day"], {"formats": ["%Y-%m-%d", "%d.%m.%Y"]}),
    "repair-text": (["word"], {"rules": ["edges"]}),
    "replace-values": (["word"], {"mapping": {"paris ": "Paris"}, "missing": ["Lyon"]}),
    "set-by-key": (["word"], {"key": ["key"], "values": {"word": [["K1", "Paris"], ["K2", "Lyon"]]}}),
    "shift-time": (["when"], {"hours": 2, "where": "number < 0"}),
    "scale-values": (["number"], {"factor": 0.1, "low": 10}),
    "swap-columns": (["number", "other"], {"where": "number < 0"}),
    "where-to-missing": (["number", "word"], {"where": "number > 40"}),
}


@pytest.mark.parametrize("name", plugins.names("holdgood.repairs"))
def test_later_rows_do_not_change_what_happens_to_earlier_ones(name):
    assert name in REPAIRS, f"give an example of {name!r} in REPAIRS"
    columns, parameters = REPAIRS[name]
    random = np.random.default_rng(0)
    n, cut = 120, 80

    def rows(seed):
        draw = np.random.default_rng(seed)
        return {
            "key": [f"K{i}" for i in draw.integers(0, 40, n)],
            "number": draw.choice([1.0, 2.5, -999.0, np.inf, 50.0], n),
            "word": draw.choice(["Paris", "paris ", " PARIS", "Lyon"], n).tolist(),
            "written": draw.choice(["1,234.5", "12", "n/a", "7"], n).tolist(),
            "day": draw.choice(["2024-01-31", "31.12.2023", "soon"], n).tolist(),
            "when": np.datetime64("2024-01-01T00", "us") + draw.integers(0, 99, n).astype("timedelta64[h]"),
            "other": draw.normal(size=n),
        }

    first, second = rows(1), rows(2)
    second = {c: [*first[c][:cut], *list(v)[cut:]] for c, v in second.items()}
    first["written"][cut:] = [f"{v} or so" for v in random.integers(0, 9, n - cut)]
    repair = plugins.load("holdgood.repairs", name)
    place = {"place": list(range(n))}
    done = [
        repair.apply(Table.of(pa.table({**place, **v}), "t"), tuple(columns), parameters)[0] for v in (first, second)
    ]
    earlier = [t.data.filter(pa.compute.less(t.data.column("place"), cut)) for t in done]
    assert earlier[0].equals(earlier[1])
    assert earlier[0].num_rows > 30

from dataclasses import replace

import numpy as np
import pyarrow as pa

from holdgood.audit.aud014_late_facts import CHECK, late_columns
from holdgood.core.table import Table

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


def _hours(now, hours, mask=None):
    return pa.array((now + (np.asarray(hours) * 3600 * 10**6).astype(np.int64)).astype("datetime64[us]"), mask=mask)


def test_an_irregular_moment_after_the_decision_is_a_tip_row_by_row(target_of):
    x, y = _signal()
    now = np.arange(2000, dtype=np.int64) * DAY
    closed, never = rng.random(2000) * 300, rng.random(2000) < 0.4
    paid = pa.array(rng.normal(size=2000), mask=never)
    columns = {
        "x": x[:, 0],
        "closed": _hours(now, closed, never),
        "paid": paid,
        "promised": _hours(now, 24 * rng.integers(1, 9, 2000)),
        "opened": _hours(now, -closed),
    }
    (finding,) = CHECK.run(target_of(columns, y, decision_time=now))
    assert (finding.level, finding.sure, finding.late) == ("tip", "possible", False)
    assert finding.columns == ("closed", "paid")
    assert finding.rows == (~never).sum()
    assert finding.examples[0] == np.argmax(np.where(never, -1, closed))
    known = {"closed": "before", "paid": "before"}
    assert CHECK.run(target_of(columns, y, decision_time=now, spec={"known": known})) == []


def test_few_rows_after_the_decision_are_counted(target_of):
    x, y = _signal()
    now = np.arange(2000, dtype=np.int64) * DAY
    late = np.zeros(2000, bool)
    late[rng.choice(2000, 60, replace=False)] = True
    columns = {"x": x[:, 0], "seen": _hours(now, np.where(late, 1, -1) * (1 + 300 * rng.random(2000)))}
    (finding,) = CHECK.run(target_of(columns, y, decision_time=now))
    assert (finding.columns, finding.rows) == (("seen",), 60)


def test_a_coarse_date_is_judged_in_its_own_steps(target_of):
    x, y = _signal()
    hour = np.arange(2000, dtype=np.int64) * 3600 * 10**6
    now = hour + rng.integers(0, 60, 2000) * 60 * 10**6
    columns = {"x": x[:, 0], "slot": pa.array(hour + 2 * 3600 * 10**6, pa.timestamp("us"))}
    assert CHECK.run(target_of(columns, y, decision_time=now)) == []


def test_columns_filled_in_with_a_late_date_are_late_too(target_of):
    x, y = _signal()
    now = np.arange(2000, dtype=np.int64) * DAY
    never = rng.random(2000) < 0.3
    arrived = _hours(now, 24 * (2 + 5 * y) + 10 * rng.random(2000), never)
    columns = {"x": x[:, 0], "arrived": arrived, "rated": pa.array(rng.integers(1, 6, 2000), mask=never)}
    assert late(target_of(columns, y, decision_time=now)) == ["arrived", "rated"]


def _tickets(target_of, facts, spec, decision=10):
    """A main row a customer, decided on day ``decision``; facts as a second table."""
    n = 400
    y = (rng.random(n) < 0.4).astype(float)
    now = np.full(n, decision * DAY)
    context = target_of(
        {"who": np.arange(n), "x": rng.normal(size=n)}, y, decision_time=now, tables={"main": {}, "facts": spec}
    )
    return replace(context, tables={**context.tables, "facts": Table.of(pa.table(facts), "facts")}), y


def test_a_joined_date_after_the_decision_is_found(target_of):
    after = 10 * DAY + (rng.random(400) * 30 * DAY).astype(np.int64)
    before = 10 * DAY - (rng.random(400) * 30 * DAY).astype(np.int64)
    facts = {
        "who": np.arange(400),
        "closed": pa.array(after, pa.timestamp("us")),
        "joined": pa.array(before, pa.timestamp("us")),
    }
    context, _ = _tickets(target_of, facts, {"join": {"on": {"who": "who"}}})
    (finding,) = CHECK.run(context)
    assert (finding.table, finding.columns, finding.rows, finding.level) == ("facts", ("closed",), 400, "tip")


def test_a_joined_date_that_moves_with_the_outcome_is_late(target_of):
    context, y = _tickets(target_of, {"who": [0]}, {"join": {"on": {"who": "who"}}})
    closed = 10 * DAY + ((1 + 3 * y + 0.5 * rng.random(400)) * DAY).astype(np.int64)
    facts = Table.of(pa.table({"who": np.arange(400), "closed": pa.array(closed, pa.timestamp("us"))}), "facts")
    context = replace(context, tables={**context.tables, "facts": facts})
    (finding,) = CHECK.run(context)
    assert (finding.table, finding.columns, finding.late) == ("facts", ("closed",), True)


def test_joined_facts_are_seen_as_of_the_decision(target_of):
    """Of an event log with a declared time only the last event before the decision counts; its later dates are found."""
    opened = np.repeat(np.arange(0, 40), 400) * DAY // 2
    who = np.tile(np.arange(400), 40)
    solved = opened + (rng.random(len(opened)) * 3 * DAY).astype(np.int64)
    facts = {
        "who": who,
        "opened": pa.array(opened, pa.timestamp("us")),
        "solved": pa.array(solved, pa.timestamp("us")),
    }
    spec = {"join": {"on": {"who": "who"}}, "time": "opened", "delay": "1 s"}
    context, _ = _tickets(target_of, facts, spec)
    (finding,) = CHECK.run(context)
    last = np.flatnonzero(opened == 19 * DAY // 2)  # the last that is known on day 10
    assert finding.columns == ("solved",)
    assert finding.rows == (solved[last] > 10 * DAY).sum()


def test_facts_of_the_same_instant_are_counted(target_of):
    facts = {
        "who": np.arange(400),
        "at": pa.array(np.full(400, 10 * DAY), pa.timestamp("us")),
        "v": rng.normal(size=400),
    }
    spec = {"join": {"on": {"who": "who"}}, "time": '"at"'}
    context, _ = _tickets(target_of, facts, spec)
    (finding,) = CHECK.run(context)
    assert (finding.table, finding.rows, finding.evidence["same_instant"]) == ("facts", 400, 400)
    context, _ = _tickets(target_of, facts, spec | {"delay": "1 hour"})
    assert CHECK.run(context) == []


def test_late_columns_are_those_of_the_main_table_that_are_proven(target_of):
    x, y = _signal()
    now = np.arange(2000, dtype=np.int64) * DAY
    columns = {"copy": y, "x": x[:, 0], "closed": _hours(now, 300 * rng.random(2000))}
    assert late_columns(target_of(columns, y, decision_time=now)) == ("copy",)


def test_columns_that_describe_one_thing_are_no_copies(target_of):
    size = rng.normal(size=3000)
    y = (size > 0.5).astype(float)
    y[rng.random(3000) < 0.004] = 1
    columns = {f"side{i}": size + 0.12 * rng.normal(size=3000) for i in range(3)}
    assert late(target_of(columns, y)) == []


def test_a_table_that_is_looked_up_at_a_moment_to_come_is_a_tip(target_of):
    hour = 3600 * 10**6
    start = np.arange(500, dtype=np.int64) * hour
    y = (rng.random(500) < 0.4).astype(float)
    context = target_of(
        {"start": pa.array(start, pa.timestamp("us")), "x": rng.normal(size=500)},
        y,
        decision_time=start - hour // 2,
        tables={"main": {}, "weather": {"join": {"on": {"start": "hour"}}}},
    )
    weather = {"hour": pa.array(np.arange(600) * hour, pa.timestamp("us")), "rain": rng.random(600)}
    context = replace(context, tables={**context.tables, "weather": Table.of(pa.table(weather), "weather")})
    (finding,) = CHECK.run(context)
    assert (finding.table, finding.columns, finding.rows, finding.level) == ("weather", ("hour",), 500, "tip")


def test_several_columns_that_are_there_only_with_the_outcome_are_late(target_of):
    """They go with one another because they are missing together, which makes them no description of anything else."""
    y = (rng.random(3000) < 0.4).astype(float)
    gone = np.where(rng.random(3000) < 0.02, rng.random(3000) < 0.5, y == 0)
    parts = {f"r{i}": pa.array(rng.normal(size=3000), mask=gone) for i in range(3)}
    assert late(target_of(parts | {"x": rng.normal(size=3000)}, y)) == ["r0", "r1", "r2"]


def _delivery(rows=1000):
    """Promised for a day, delivered on another; a tenth not yet delivered, a twentieth without a promise."""
    at = np.arange(rows, dtype=np.int64) * DAY
    promised, delivered = at + 5 * DAY, at + rng.integers(1, 9, rows) * DAY
    waiting, unpromised = rng.random(rows) < 0.1, rng.random(rows) < 0.05
    y = np.where(waiting | unpromised, np.nan, (delivered > promised).astype(float))
    columns = {
        "promised_on": pa.array(promised, pa.timestamp("us"), mask=unpromised),
        "delivered_on": pa.array(delivered, pa.timestamp("us"), mask=waiting),
        "x": rng.normal(size=rows),
    }
    asked = {"target_columns": ("promised_on", "delivered_on"), "decision_time": at}
    return columns, y, asked | {"task": {"target": "delivered_on > promised_on"}}


def test_a_promise_is_not_late_because_the_outcome_is_computed_from_it(target_of):
    columns, y, asked = _delivery()
    assert late(target_of(columns, y, **asked)) == ["delivered_on"]
    (told,) = [f for f in CHECK.run(target_of(columns, y, **asked)) if "computed" in f.message]
    assert "`promised_on`, which it is computed from too, is known before" in told.message


def test_an_event_is_not_called_known_because_promises_are_missing(target_of):
    columns, y, asked = _delivery()
    gone = rng.random(1000) < 0.3
    columns["promised_on"] = pa.array(asked["decision_time"] + 5 * DAY, pa.timestamp("us"), mask=gone)
    columns["delivered_on"] = pa.array(asked["decision_time"] + rng.integers(1, 9, 1000) * DAY, pa.timestamp("us"))
    y = (np.asarray(columns["delivered_on"].cast(pa.int64())) > asked["decision_time"] + 5 * DAY).astype(float)
    y[gone] = np.nan
    assert "delivered_on" in late(target_of(columns, y, **asked))


def test_where_nothing_is_waited_for_all_sources_are_late_but_those_declared(target_of):
    columns, y, asked = _delivery()
    known = ~np.isnan(y)
    columns = {
        n: pa.array(v).filter(pa.array(known)) if isinstance(v, pa.Array) else v[known] for n, v in columns.items()
    }
    asked["decision_time"] = asked["decision_time"][known]
    assert late(target_of(columns, y[known], **asked)) == ["promised_on", "delivered_on"]
    spec = {"known": {"promised_on": "before"}}
    assert late(target_of(columns, y[known], spec=spec, **asked)) == ["delivered_on"]

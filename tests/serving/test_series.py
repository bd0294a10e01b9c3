"""Forecasts and order plans over HTTP: what ``holdgood forecast`` and ``holdgood plan orders`` answer, journalled."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from holdgood.core.records import OrderPlan, Prediction
from holdgood.journal import Journal
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.ordering.api import plan_orders
from holdgood.workflow.project import run_project

TOML = """
version = 1
name = "shop"
[task]
target = "pieces"
table = "sales"
[tables.sales]
source = "sales.csv"
[forecast]
id = "article"
time = "week"
horizon = 3
[budget]
trials = 1
workers = 1
models = ["naive"]
[orders]
holding_rate = 0.26
currency = "EUR"
"""
SQL = "Robert'); DROP TABLE entries; --"
ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture(scope="module")
def shop(tmp_path_factory, start):
    """A bundle of a run over three articles, its history, and a server that nobody needs a token for."""
    at = tmp_path_factory.mktemp("shop")
    random = np.random.default_rng(5)
    weeks = pd.date_range("2023-01-02", periods=60, freq="W-MON").strftime("%Y-%m-%d")
    sales = pd.concat(
        [pd.DataFrame({"article": f"A{i}", "week": weeks, "pieces": random.poisson(6 + 4 * i, 60)}) for i in range(3)]
    )
    sales.to_csv(at / "sales.csv", index=False)
    (at / "holdgood.toml").write_text(TOML)
    run_project(at)
    bundle = at / "runs" / "0001" / "bundle"
    return start(bundle, "--open", at=at, token="none"), ForecastModel.load(bundle), sales, at


def test_a_forecast_is_the_one_of_the_command_and_in_the_journal(shop):
    server, model, sales, at = shop
    rows = sales.to_dict("records")
    status, told = server.json("POST", "/forecast", {"history": rows}, headers={"Idempotency-Key": "f-1"})
    assert status == 200
    expected = model.forecast(sales).answers.steps
    assert len(told["forecast"]) == expected.num_rows == 9
    for name in expected.column_names:
        if pa.types.is_floating(expected.schema.field(name).type):
            assert [r[name] for r in told["forecast"]] == expected.column(name).to_pylist(), name
    again = server.json("POST", "/forecast", {"history": rows}, headers={"Idempotency-Key": "f-1"})
    assert again == (200, told)
    other = server.json("POST", "/forecast", {"history": rows[:-1]}, headers={"Idempotency-Key": "f-1"})
    assert other[0] == 409
    kept = Journal(at / "journal.sqlite").prediction("shop", "f-1")
    assert kept.facts["history"]["rows"] == len(rows) and len(kept.answer["steps"]) == 9


def test_a_forecast_by_arrow(shop):
    server, _, sales, _ = shop
    sink, table = io.BytesIO(), pa.Table.from_pandas(sales, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    reply = server.ask("POST", "/forecast", raw=sink.getvalue(), headers={"Content-Type": ARROW})
    assert reply.status == 200 and reply.headers["X-Prediction-Id"]
    assert pa.ipc.open_stream(reply.text).read_all().num_rows == 9


def test_an_order_plan(shop):
    server, model, sales, at = shop
    state = [{"article": f"A{i}", "on_hand": 5, "unit_cost": 2.0, "price": 5.0, "lead_time": 1} for i in range(3)]
    status, told = server.json("POST", "/plan", {"history": sales.to_dict("records"), "state": state})
    assert status == 200, told
    expected = plan_orders(model, sales, pd.DataFrame(state)).plan
    assert {x["item"]: x["quantity"] for x in told["plan"]["lines"]} == {x.item: x.quantity for x in expected.lines}
    journal = Journal(at / "journal.sqlite")
    assert len(journal.read(OrderPlan)) == 1
    assert any(p.answer.get("lines") == 3 for _, p in journal.read(Prediction, model="shop"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/forecast", {}), ("/forecast", {"history": []}), ("/forecast", {"history": [{"article": "A"}]}), ("/forecast", {"history": [{"week": 1}]}),
        ("/forecast", {"history": [{"article": "A", "week": "soon", "pieces": "x"}]}), ("/forecast", {"history": [{}], "horizon": 0}),
        ("/forecast", {"history": [{}], "samples": 10**9}), ("/plan", {"history": [{}]}), ("/plan", {"history": [{}], "state": [{}], "orders": []}),
        ("/plan", {"history": [{}], "state": [{}], "orders": {"table": "/etc/passwd"}}), ("/predict", {"row": {}}), ("/explain", {"row": {}}),
        ("/plan", {"history": [{"article": "A", "week": "2024-01-01", "pieces": 1}], "state": [{"article": "A"}], "orders": {"holding_rate": "much"}}),
    ],
)  # fmt: skip
def test_series_that_cannot_be_used(shop, path, body):
    status, told = shop[0].json("POST", path, body)
    assert 400 <= status < 500 and told["error"], json.dumps(told)


PLAIN = [{"article": "A0", "week": f"2024-01-{d:02d}", "pieces": d} for d in (1, 8, 15, 22, 29)]


@pytest.mark.parametrize("path", ["/forecast", "/plan"])
@pytest.mark.parametrize(
    "more",
    [
        {"history": [{**PLAIN[0], "pieces": 10**18}, *PLAIN[1:]]}, {"history": [{**PLAIN[0], "pieces": 1e300}, *PLAIN[1:]]},
        {"history": [{**PLAIN[0], "week": 10**18}]}, {"orders": {"review": 10**30}},
        # two rows an article, ten thousand years apart: a body of 2 kB that would be nine million steps
        {"history": [{"article": f"B{i}", "week": w, "pieces": 1} for i in range(18) for w in ("0001-01-01", "9999-12-20")]},
    ],
)  # fmt: skip
def test_cells_beyond_all_measure_are_refused_without_a_fault(shop, path, more):
    state = [{"article": "A0", "on_hand": 5, "unit_cost": 2.0, "price": 5.0, "lead_time": 1}]
    status, told = shop[0].json(
        "POST", path, {"history": PLAIN, **({} if path == "/forecast" else {"state": state}), **more}
    )
    assert status == 422 and told["expected"], json.dumps(told)
    assert '"event":"fault"' not in shop[0].log.read_text()


def test_attributes_that_no_fit_has_seen_and_amounts_beyond_53_bits_keep_nobody_waiting(shop):
    server = shop[0]
    items = [{"article": "A0", "group": "'; DROP TABLE entries; --"}]
    assert server.json("POST", "/forecast", {"history": PLAIN, "items": items})[0] == 200
    state = [{"article": "A0", "on_hand": 2**53 + 1, "unit_cost": 2.0, "price": 5.0, "lead_time": 1}]
    status, told = server.json("POST", "/plan", {"history": PLAIN, "items": items, "state": state})
    assert status == 200 and told["plan"]["lines"][0]["quantity"] == 0, told


def test_what_is_described_of_a_forecaster_is_answered_or_refused(shop):
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{shop[0].port}/openapi.json")
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in ("/forecast", "/plan"):
            continue
        strategies = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

        @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=strategies[0] | strategies[1])
        def ask(case):
            case.call_and_validate(checks=[not_a_server_error, content_type_conformance, status_code_conformance])

        ask()
        asked.append(operation.label)
    assert sorted(asked) == ["POST /forecast", "POST /plan"]


ODD = st.sampled_from(
    [None, True, 0, -1, 1e300, -1e300, 2**53 + 1, 10**18, 10**30, "", "x", "2024-02-30", "9999-12-31", "0001-01-01", SQL, "\x00", [1], {"a": 1}, "NaN", "2,5"]
)  # fmt: skip
STATE = [{"article": f"A{i}", "on_hand": 5, "unit_cost": 2.0, "price": 5.0, "lead_time": 1} for i in range(3)]
ROWS = {
    "history": ("article", "week", "pieces"), "state": ("article", "on_hand", "unit_cost", "price", "lead_time", "pack", "minimum", "supplier"),
    "open_orders": ("article", "on_order", "arrives"), "items": ("article", "group"), "future": ("article", "week"),
}  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/forecast", "/plan"]), table=st.sampled_from(sorted(ROWS)), data=st.data(),
    terms=st.dictionaries(st.sampled_from(["review", "lead_time", "pack", "holding_rate", "budget", "currency"]), ODD, max_size=2),
)  # fmt: skip
def test_odd_cells_are_planned_with_or_refused(shop, path, table, data, terms):
    body = {"history": [dict(r) for r in PLAIN], "state": [dict(r) for r in STATE], "samples": 20, "orders": terms}
    rows = body.setdefault(table, [{"article": "A0", "week": "2024-02-05", "on_order": 3, "arrives": 1}])
    for _ in range(data.draw(st.integers(1, 3))):
        data.draw(st.sampled_from(rows))[data.draw(st.sampled_from(ROWS[table]))] = data.draw(ODD)
    if path == "/forecast":
        body = {k: v for k, v in body.items() if k in ("history", "items", "future", "samples")}
    status, told = shop[0].json("POST", path, body)
    assert status == 200 or (400 <= status < 500 and told["error"]), (status, told, body)


def test_the_schema_names_the_columns_of_the_history(shop):
    assert shop[0].json("GET", "/schema")[1]["history"]["target"] == "pieces"


def test_where_facts_are_not_kept_not_even_their_hash_is(shop, within, tmp_path):
    _, _, sales, at = shop
    rows = sales.to_dict("records")

    async def scenario(ask, desk):
        desk.keeping.facts = False  # as a live folder with keep.facts = false has it
        key = [(b"idempotency-key", b"f-1")]
        assert (await ask("POST", "/forecast", {"history": rows}, key))[0] == 200
        assert (await ask("POST", "/forecast", {"history": rows}, key))[0] == 200

    within(scenario, what=(str(at / "runs" / "0001" / "bundle"),))
    kept = Journal(tmp_path / "journal.sqlite").prediction("shop", "f-1")
    assert kept.facts is None and len(kept.answer["steps"]) == 9

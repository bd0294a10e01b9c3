import json
import tomllib
import warnings

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declaration import parse, read
from holdgood.core.errors import DeclarationError
from holdgood.core.sql import connect
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.metrics.cost import resolve as costs_of
from holdgood.workflow import guess as guessing
from holdgood.workflow.guess import guess_identifiers, guess_join, guess_key, guess_target, guess_time
from holdgood.workflow.init import init_project, json_schema


@pytest.fixture
def shop(tmp_path):
    random = np.random.default_rng(0)
    n = 400
    orders = pd.DataFrame(
        {
            "order": [f"O{i:04d}" for i in range(n)],
            "customer": [f"C{i:03d}" for i in random.integers(0, 60, n)],
            "site": random.choice(["north", "south"], n),
            "placed": pd.date_range("2024-01-01", periods=n, freq="h"),
            "amount": random.normal(100, 10, n).round(2),
            "late": random.choice(["no", "yes"], n, p=[0.8, 0.2]),
        }
    )
    customers = pd.DataFrame({"id": [f"C{i:03d}" for i in range(60)], "age": random.integers(20, 70, 60)})
    weather = pd.DataFrame(
        {
            "site": np.repeat(["north", "south"], 400),
            "at": [*pd.date_range("2024-01-01", periods=400, freq="h")] * 2,
            "temp": random.normal(size=800),
        }
    )
    for name, frame in {"orders": orders, "customers": customers, "weather": weather}.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_init_guesses_keys_joins_times_and_the_task(shop):
    made = init_project([str(shop / f"{n}.parquet") for n in ("orders", "customers", "weather")], folder=shop)
    declared = read(shop)
    assert declared.main == "orders"
    assert declared.task.target == "late"
    assert declared.task.positive == "yes"
    assert declared.tables["orders"].key == ["order"]
    assert declared.tables["orders"].time == "placed"
    assert declared.tables["customers"].join.on == {"customer": "id"}
    assert declared.tables["customers"].time is None
    assert declared.tables["weather"].join.on == {"site": "site"}
    assert declared.tables["weather"].time == "at"
    assert declared.tables["orders"].types["amount"] == "number"
    assert len(made.worth_a_look) == 3
    assert json.loads(made.schema.read_text())["title"] == "Declaration"


def test_an_existing_file_is_kept_unless_forced(shop):
    sources = [str(shop / "orders.parquet")]
    init_project(sources, folder=shop)
    first = (shop / "holdgood.toml").read_text()
    with pytest.raises(DeclarationError, match="exists"):
        init_project(sources, folder=shop)
    init_project(sources, target="amount > 100", folder=shop, force=True)
    assert (shop / "holdgood.toml.bak").read_text() == first
    assert read(shop).task.target == "amount > 100"


def test_odd_names_survive_the_file(tmp_path):
    frame = pd.DataFrame({'we"ird ünï': ["a", "b"] * 30, "x y": np.arange(60.0) ** 1.5, "t.z": ["p", "q"] * 30})
    frame.to_parquet(tmp_path / "odd table.parquet")
    made = init_project([str(tmp_path / "odd table.parquet")], folder=tmp_path)
    declared = parse(tomllib.loads(made.path.read_text()))
    assert set(declared.tables["odd table"].types) == set(frame.columns)


def dated(n=200, **more):
    """Dates of three facts of a row, without times of day; ``last`` is at or after the others."""
    random = np.random.default_rng(1)
    first = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 400, n), "D")
    last = first + pd.to_timedelta(random.integers(0, 300, n), "D")
    between = first + (last - first) / 2
    return pd.DataFrame({"first": first, "last": last, "between": between, "v": random.normal(size=n), **more})


def test_of_several_dates_the_one_that_rows_are_written_in_the_order_of_is_the_time():
    found = guess_time(Table.of(dated()))
    assert (found.column, found.others, found.in_order) == ("first", ("last", "between"), False)
    assert found.why == "the first of 3 complete dates; others: last, between"
    for way in (True, False):
        found = guess_time(Table.of(dated().sort_values("between", ascending=way)))
        assert (found.column, found.in_order) == ("between", True)
        assert found.why == "rows are written in its order, alone of 3 complete dates; others: first, last"
    # a date with gaps is no candidate
    gone = dated().sort_values("between")
    gone.iloc[3, gone.columns.get_loc("between")] = pd.NaT
    assert guess_time(Table.of(gone)).column == "first"
    assert guess_time(Table.of(dated()), exclude=["last", "between"]).why == ""


def test_a_date_that_lies_ahead_is_not_the_time_for_being_the_latest():
    """Facts as of the day on which something is due, or was delivered, would be of the future."""
    assert guess_time(Table.of(dated().sort_values("first"))).column == "first"


def test_the_file_says_why_a_date_is_the_time_and_which_others_there_were(tmp_path):
    rows = dated(late=np.random.default_rng(2).choice(["no", "yes"], 200)).sort_values("last")
    rows.to_csv(tmp_path / "t.csv", index=False)
    made = init_project([str(tmp_path / "t.csv")], folder=tmp_path)
    assert read(tmp_path).tables["t"].time == "last"
    (said,) = [line for line in made.path.read_text().splitlines() if line.startswith("# time: rows are written in")]
    assert "others: first, between" in said
    assert any("(or first, between?)" in line for line in made.worth_a_look)


def test_the_file_says_why_of_a_joined_table_too(tmp_path):
    keys = [f"s{i % 20}" for i in range(200)]
    pd.DataFrame({"site": keys, "late": ["no", "yes"] * 100}).to_csv(tmp_path / "t.csv", index=False)
    dated().assign(site=keys).sort_values("last").to_csv(tmp_path / "facts.csv", index=False)
    made = init_project([str(tmp_path / "t.csv"), str(tmp_path / "facts.csv")], folder=tmp_path)
    assert read(tmp_path).tables["facts"].time == "last"
    (said,) = [line for line in made.path.read_text().splitlines() if line.startswith("# time: ")]
    assert said.startswith("# time: rows are written in its order, alone of 3 complete dates; others: first, between; ")


def test_guesses_on_small_tables():
    one = Table.of(pd.DataFrame({"at": pd.to_datetime(["2024-01-01"]), "to": pd.to_datetime(["2024-01-02"])}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert guess_time(one).column == "at"
    table = Table.of(pd.DataFrame({"a": [1, 1, 2, 2], "b": ["x", "y", "x", "y"], "v": [0.5, 0.1, 0.2, 0.3]}))
    assert guess_key(table) == ["a", "b"]
    assert guess_time(table) is None
    assert guess_target(table) == "v"
    assert guess_identifiers(table) == []
    assert guess_key(Table.of(pd.DataFrame({"a": [1, 1]}))) == []
    assert guess_join(table, Table.of(pd.DataFrame({"k": ["p", "q"], "w": [1.0, 2.0]}))) is None


def test_renaming_columns_renames_the_guesses_only():
    frame = pd.DataFrame({"a": [f"K{i}" for i in range(80)], "b": np.arange(80) % 7, "c": ["u", "v"] * 40})
    renamed = frame.rename(columns={"a": "z1", "b": "z2", "c": "z3"})
    names = dict(zip(frame.columns, renamed.columns, strict=True))
    for guess in (guess_key, guess_identifiers):
        assert [names[c] for c in guess(Table.of(frame))] == guess(Table.of(renamed))
    assert names[guess_target(Table.of(frame))] == guess_target(Table.of(renamed))


def test_wide_tables_take_a_few_queries_not_one_a_column(monkeypatch):
    random = np.random.default_rng(0)
    rows, wide = 120, 600
    columns = {f"c{i}": random.choice(["a", "b", "c"], rows) for i in range(wide)}
    columns |= {f"n{i}": random.integers(0, 5, rows) for i in range(wide)}
    main = Table.of(pd.DataFrame(columns | {"left": np.arange(rows) // 12, "right": np.arange(rows) % 12}))
    other = Table.of(pd.DataFrame({"key": ["a", "b", "c"], "v": [1.0, 2.0, 3.0]}), "other")
    opened = []
    monkeypatch.setattr(guessing, "connect", lambda *a, **k: opened.append(1) or connect(*a, **k))
    assert guess_key(main) == ["left", "right"]
    assert guess_identifiers(main) == []
    assert guess_target(main) == "right"
    found = guess_join(main, other)
    assert list(found.on.values()) == ["key"]
    assert found.share == 1.0
    assert len(opened) <= 3


def test_a_join_counts_rows_without_a_value_as_without_a_partner():
    main = Table.of(pd.DataFrame({"who": ["a", "b", None, "z"] * 20, "other": ["q"] * 80}))
    other = Table.of(pd.DataFrame({"id": ["a", "b", "c"], "v": [1, 1, 2]}), "other")
    found = guess_join(main, other)
    assert (found.on, found.share) == ({"who": "id"}, 0.5)


def test_the_schema_is_one_that_editors_take():
    schema = json.loads(json_schema())
    assert schema["additionalProperties"] is False
    assert "tables" in schema["properties"]


@pytest.mark.parametrize(
    ("target", "kind", "said"),
    [
        ("amount", "regression", "a unit too much and a unit too little"),
        ("late", "binary", "a miss and a false alarm"),
        ("customer_size", "multiclass", "each kind of mistake"),
    ],
)
def test_the_costs_that_init_proposes_are_those_of_the_task(shop, target, kind, said):
    orders = pd.read_parquet(shop / "orders.parquet")
    orders["customer_size"] = np.resize(["large", "small", "not known"], len(orders))
    orders.to_parquet(shop / "orders.parquet")
    made = init_project([str(shop / "orders.parquet")], target=target, folder=shop)
    text = made.path.read_text()
    assert f'# kind = "{kind}"' in text
    assert any(said in line for line in made.worth_a_look)
    head, rest = text.split("[costs]\n")
    proposed, after = rest.split("# until these are declared", 1)
    amounts = "\n".join(line.removeprefix("# ") for line in proposed.splitlines() if " = " in line)
    costs = parse(tomllib.loads(f"{head}[costs]\n{amounts}\n# {after}")).costs
    classes = tuple(sorted(orders[target].unique())) if kind != "regression" else ()
    assert not costs_of(costs, Task(kind=kind, classes=classes)).assumed

"""Foreign keys are found by values; accidents of small numbers are not."""

import numpy as np
import pyarrow as pa

from holdgood.audit.links import links, matched, partners
from holdgood.core.table import Table

rng = np.random.default_rng(5)


def _found(tables_of, tables, **more):
    return [(link.child, link.parent, link.on, link.declared) for link in links(tables_of(tables, **more))]


def test_text_codes_point_to_the_table_that_they_name(tables_of):
    machines = [f"M{i:02d}" for i in range(30)]
    readings = {"machine": rng.choice([*machines, "gone1", "gone2"], 900), "value": rng.normal(size=900)}
    found = _found(tables_of, {"readings": readings, "machines": {"id": machines, "age": rng.integers(1, 9, 30)}})
    assert found == [("readings", "machines", (("machine", "id"),), False)]


def test_small_numbers_and_running_numbers_meet_by_accident_only(tables_of):
    first = {
        "nr": np.arange(500),
        "month": rng.integers(1, 13, 500),
        "pieces": np.minimum(rng.geometric(0.1, 500), 400),
    }
    second = {"nr": np.arange(600), "x": rng.normal(size=600)}
    assert _found(tables_of, {"first": first, "second": second}) == []


def test_numbers_count_where_they_reach_the_keys_or_the_keys_are_thin(tables_of):
    dense = {"shop": rng.integers(1, 81, 3_000)}
    assert _found(tables_of, {"sales": dense, "shops": {"nr": np.arange(1, 81), "x": rng.normal(size=80)}})
    wide = np.arange(60) * 17_003 + 5
    found = _found(
        tables_of, {"sales": {"c": rng.choice(wide, 800)}, "customers": {"c": wide, "x": rng.normal(size=60)}}
    )
    assert found == [("sales", "customers", (("c", "c"),), False)]


def test_a_combined_key_is_found_with_its_time(tables_of):
    hours = np.datetime64("2024-01-01", "us") + np.arange(200) * np.timedelta64(1, "h")
    place = np.repeat(["north", "south", "east"], 200)
    weather = {"place": place, "at": np.tile(hours, 3), "temp": rng.normal(size=600).round(1)}
    picked = rng.integers(0, 600, 1_000)
    trips = {"from": place[picked], "hour": np.tile(hours, 3)[picked], "late": rng.normal(size=1_000)}
    assert _found(tables_of, {"trips": trips, "weather": weather}) == [
        ("trips", "weather", (("from", "place"), ("hour", "at")), False)
    ]


def test_declared_joins_come_first_and_are_not_found_again(tables_of):
    names = [f"N{i}" for i in range(40)]
    tables = {"main": {"k": rng.choice(names, 300)}, "other": {"key": names}}
    found = _found(tables_of, tables, specs={"main": {}, "other": {"join": {"on": {"k": "key"}}}})
    assert found == [("main", "other", (("k", "key"),), True)]


def test_matches_and_partners_agree_with_python():
    child = Table.of(pa.table({"k": [3, 1, None, 9, 1]}), "c")
    parent = Table.of(pa.table({"key": [1.0, 2.0, 3.0]}), "p")
    met, present = matched(child, parent, (("k", "key"),))
    assert met.tolist() == [True, True, False, False, True]
    assert present.tolist() == [True, True, False, True, True]
    rows, theirs = partners(child, parent, (("k", "key"),))
    assert list(zip(rows.tolist(), theirs.tolist(), strict=True)) == [(0, 2), (1, 0), (4, 0)]

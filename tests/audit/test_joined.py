from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.joined import NO_PARTNER, known_at, partners
from holdgood.core import sql
from holdgood.core.table import Table

rng = np.random.default_rng(12)
DAY = 86400 * 10**6


def _context(target_of, facts, spec, n=300, **columns):
    main = {"k": rng.integers(0, 40, n), **columns}
    context = target_of(
        main, rng.integers(0, 2, n), decision_time=rng.integers(0, 100, n) * DAY, tables={"main": {}, "facts": spec}
    )
    table = Table.of(pa.table(facts), "facts")
    return replace(context, tables={**context.tables, "facts": table}), table


def test_partners_as_of_the_decision_are_those_of_a_plain_query(target_of):
    facts = {
        "key": rng.integers(0, 50, 2000),
        "at": pa.array(rng.permutation(100 * 24)[:2000] * (DAY // 24), pa.timestamp("us")),
    }
    spec = {"join": {"on": {"k": "key"}}, "time": '"at"', "delay": "6 hours"}
    context, table = _context(target_of, facts, spec)
    met = partners(context, table)
    main = pa.table({"i": np.arange(300), "k": context.main.data.column("k"), "d": context.decision_time})
    data = table.data.append_column("j", pa.array(np.arange(2000)))
    query = 'SELECT i, (SELECT max_by(j, "at") FROM data WHERE key = k AND epoch_us("at") + 6 * 3600000000 <= d) AS j FROM main ORDER BY i'
    expected = sql.connect({"main": main, "data": data}).sql(query).to_arrow_table().column("j")
    wanted = [NO_PARTNER if j is None else j for j in expected.to_pylist()]
    assert met.rows.tolist() == wanted
    assert met.timed
    assert (met.rows == NO_PARTNER).any()


def test_static_partners_and_none(target_of):
    context, table = _context(
        target_of, {"key": np.arange(20), "v": rng.normal(size=20)}, {"join": {"on": {"k": "key"}}}
    )
    key = context.main.data.column("k").to_numpy()
    assert partners(context, table).rows.tolist() == [k if k < 20 else NO_PARTNER for k in key]


def test_of_several_facts_the_choice_follows_content(target_of):
    facts = {"key": np.repeat(np.arange(40), 3), "v": rng.normal(size=120)}
    context, table = _context(target_of, facts, {"join": {"on": {"k": "key"}}})
    order = rng.permutation(120)
    mixed = table.take(order)
    first = partners(context, table).rows
    other = partners(replace(context, tables={**context.tables, "facts": mixed}), mixed).rows
    assert np.array_equal(table.data.column("v").to_numpy()[first], mixed.data.column("v").to_numpy()[other])


@pytest.mark.parametrize(
    ("facts", "spec"),
    [
        ({"key": [1, 2]}, {}),
        ({"other": [1, 2]}, {"join": {"on": {"k": "key"}}}),
        ({"key": ["a", "b"]}, {"join": {"on": {"k": "key"}}}),
        ({"key": [1, 2], "t": ["x", "y"]}, {"join": {"on": {"k": "key"}}, "time": "t"}),
        ({"key": [1, 2]}, {"join": {"on": {"k": "key"}}, "time": "nowhere"}),
    ],
)
def test_a_join_that_cannot_be_made_gives_none(target_of, facts, spec):
    context, table = _context(target_of, facts, spec)
    assert partners(context, table) is None


def test_known_at_adds_the_delay():
    table = Table.of(pa.table({"t": pa.array([0, None, DAY], pa.timestamp("us"))}), "t")
    assert known_at(table, "t", "2 hours").to_pylist() == [7200 * 10**6, None, DAY + 7200 * 10**6]

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from holdgood.audit.aud038_reference import CHECK, groups_of, rows_needed, wilson
from holdgood.core.errors import DataError, DeclarationError


def _table(counts):
    return {"region": pa.array([k for k, n in counts.items() for _ in range(n)], pa.string())}


def _reference(**spec):
    return {"audit": {"reference": [{"columns": ["region"], **spec}]}}


SHARES = {"north": 0.4, "south": 0.4, "west": 0.2}


def test_missing_and_thin_groups_are_told_with_the_rows_needed(tables_of):
    context = tables_of({"t": _table({"north": 600, "south": 100})}, **_reference(shares=SHARES, margin=0.04))
    (finding,) = CHECK.run(context)
    assert (finding.evidence["groups_missing"], finding.evidence["groups_thin"]) == (1, 1)
    assert finding.evidence["rows_needed"] == 601
    assert finding.evidence["rows_short"] == 601 + 501
    assert "`west` has no row" in finding.message


def test_a_sample_as_it_should_be_is_silent(tables_of):
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        counts = dict(zip(SHARES, rng.multinomial(500, list(SHARES.values())), strict=True))
        alarms += len(CHECK.run(tables_of({"t": _table(counts)}, **_reference(shares=SHARES)))) > 0
    assert alarms <= 12


def test_another_table_is_the_population_with_a_weight(tables_of):
    census = {"region": ["north", "south", "south", "west"], "people": [500, 300, 200, 1000]}
    tables = {"t": _table({"north": 300, "south": 300, "west": 50}), "census": census}
    (finding,) = CHECK.run(tables_of(tables, **_reference(by="census", weight="people", margin=0.05)))
    assert finding.evidence["worst_expected"] == 0.5
    assert finding.evidence["rows_needed"] == rows_needed(0.05, 1000) == 278


def test_several_columns_and_numbers_make_groups(tables_of):
    rng = np.random.default_rng(1)
    columns = {"sex": rng.choice(["f", "m"], 900), "class": rng.choice([1.0, 2.0], 900)}
    columns["class"][columns["sex"] == "f"] = 1.0
    shares = {"f / 1": 0.25, "f / 2": 0.25, "m / 1": 0.25, "m / 2": 0.25}
    context = tables_of({"t": columns}, audit={"reference": [{"columns": ["sex", "class"], "shares": shares}]})
    (finding,) = CHECK.run(context)
    assert "`f / 2` has no row" in finding.message


def test_groups_that_the_reference_does_not_know_are_a_tip(tables_of):
    table = _table({"north": 400, "south": 400, "west": 200, "east": 7})
    table["region"] = pa.concat_arrays([table["region"], pa.nulls(5, pa.string())])
    (finding,) = CHECK.run(tables_of({"t": table}, **_reference(shares=SHARES)))
    assert (finding.level, finding.rows, finding.evidence["groups"]) == ("tip", 7, 1)


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"shares": {"north": 0.9, "south": 0.9}}, DeclarationError),
        ({"by": "nowhere"}, DeclarationError),
        ({"shares": SHARES, "table": "nowhere"}, DeclarationError),
        ({"by": "t", "weight": "region"}, DataError),
        ({"by": "t", "weight": "regin"}, DataError),
    ],
)
def test_bad_references_are_refused_in_three_lines(tables_of, spec, error):
    with pytest.raises(error) as caught:
        CHECK.run(tables_of({"t": _table({"north": 5})}, **_reference(**spec)))
    assert len(str(caught.value).splitlines()) == 3


def test_not_applicable_without_a_reference(tables_of, refuses):
    assert "audit.reference" in refuses(CHECK, tables_of({"t": {"a": [1]}}))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 5000), data=st.data())
def test_wilson_is_scipys(n, data):
    hits = data.draw(st.integers(0, n))
    low, high = wilson(hits, n, stats.norm.ppf(0.975))
    expected = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_intervals_hold_for_all_groups_at_once():
    rng = np.random.default_rng(2)
    shares = dict(zip("abcdefgh", rng.dirichlet(np.full(8, 2.0)), strict=True))
    missed = 0
    for _ in range(400):
        counts = dict(zip(shares, map(int, rng.multinomial(800, list(shares.values()))), strict=True))
        missed += any(not g.low <= g.expected <= g.high for g in groups_of(counts, shares, 0.05))
    assert stats.binomtest(missed, 400, 0.06, alternative="greater").pvalue > 0.001


def test_rows_needed_give_the_margin():
    for margin in (0.01, 0.05, 0.1):
        n = rows_needed(margin)
        assert stats.norm.ppf(0.975) * np.sqrt(0.25 / n) <= margin < stats.norm.ppf(0.975) * np.sqrt(0.25 / (n - 1))

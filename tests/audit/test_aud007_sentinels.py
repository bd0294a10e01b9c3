import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud007_sentinels import CHECK
from holdgood.testing.check import check_check

rng = np.random.default_rng(3)
CLEAN = {
    "weights": rng.gamma(4, 3, 2000),
    "degrees": rng.normal(10, 12, 2000),
    "counts": rng.poisson(20, 2000),
    "money": np.round(rng.lognormal(6, 1, 2000), 2),
}


def _with(values, sentinel, share=0.03):
    values = np.array(values, dtype=float)
    values[rng.random(len(values)) < share] = sentinel
    return values


@pytest.mark.parametrize("sentinel", [-999.0, -9999.0, 999999.0, 99999.0, 1e20, float(2**31 - 1), -99999.0])
@pytest.mark.parametrize("kind", sorted(CLEAN))
def test_planted_sentinels_are_issues_with_the_right_count(tables_of, sentinel, kind):
    clean = CLEAN[kind]
    for cells in (5, 60, 400):
        spoiled = clean.astype(float)
        spoiled[rng.choice(len(clean), cells, replace=False)] = sentinel
        (finding,) = CHECK.run(tables_of({"t": {"x": spoiled}}))
        assert finding.level == "issue"
        assert finding.rows == (spoiled == sentinel).sum()
        assert finding.proposal.parameters == {"values": [int(sentinel)]}
        assert set(finding.examples) <= set(np.flatnonzero(spoiled == sentinel).tolist())
    assert CHECK.run(tables_of({"t": {"x": clean}})) == []


@pytest.mark.parametrize("sentinel", [-1.0, -9.0, -99.0])
def test_small_negative_codes_in_positive_columns(tables_of, sentinel):
    for kind in ("weights", "money"):
        (finding,) = CHECK.run(tables_of({"t": {"x": _with(CLEAN[kind], sentinel, 0.01)}}))
        assert (finding.level, finding.evidence["value"]) == ("issue", sentinel)


def test_a_code_amid_the_others_is_told_by_its_frequency(tables_of):
    price = np.round(rng.lognormal(7, 0.8, 8000))
    assert CHECK.run(tables_of({"t": {"x": price}})) == []
    (finding,) = CHECK.run(tables_of({"t": {"x": _with(price, 999.0, 0.02)}}))
    assert finding.evidence["value"] == 999.0
    heaped = np.where(rng.random(8000) < 0.5, rng.choice([499.0, 999.0, 1499.0, 1999.0], 8000), price)
    assert CHECK.run(tables_of({"t": {"x": heaped}})) == []


def test_two_sentinels_in_one_column(tables_of):
    spoiled = _with(_with(rng.normal(0, 1, 3000), -999.0), 9999.0)
    assert sorted(f.evidence["value"] for f in CHECK.run(tables_of({"t": {"x": spoiled}}))) == [-999.0, 9999.0]
    nested = _with(_with(rng.normal(0, 1, 3000), -999.0), -99.0)
    assert sorted(f.evidence["value"] for f in CHECK.run(tables_of({"t": {"x": nested}}))) == [-999.0, -99.0]


def test_one_code_in_several_columns_is_one_finding(tables_of):
    columns = {k: _with(v, -999.0) for k, v in CLEAN.items()}
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == tuple(columns)
    assert finding.rows == sum((v == -999).sum() for v in columns.values())


def test_five_rows_of_ten_thousand_are_enough(tables_of):
    x = rng.normal(50, 20, 10_000)
    x[:5] = -999.0
    (finding,) = CHECK.run(tables_of({"t": {"x": x}}))
    assert (finding.level, finding.rows) == ("issue", 5)


def test_zeros_where_none_can_be_are_a_tip_and_honest_ones_are_not(tables_of):
    kelvin = rng.normal(285, 10, 3000)
    kelvin[:20] = 0.0
    (finding,) = CHECK.run(tables_of({"t": {"kelvin": kelvin}}))
    assert (finding.level, finding.columns, finding.rows, finding.sure) == ("tip", ("kelvin",), 20, "possible")
    none = rng.random(3000) < 0.1
    honest = {
        "basement": np.where(none, 0.0, rng.gamma(9, 100, 3000)),
        "kind": np.where(none, "no", rng.choice(["full", "half"], 3000)),
        "rain": np.where(rng.random(3000) < 0.15, 0.0, rng.gamma(0.7, 4, 3000)),
        "visits": rng.poisson(30, 3000) * (rng.random(3000) < 0.98) // 10,
        "money": np.round(rng.exponential(0.3, 3000), 1),
        "share": np.round(rng.beta(2, 20, 3000), 2),
    }
    assert CHECK.run(tables_of({"t": honest})) == []


@pytest.mark.parametrize("share", [0.015, 0.05])
def test_planted_zeros_are_told_together(tables_of, share):
    columns = {k: _with(rng.lognormal(3, 0.6, 5000), 0.0, share) for k in "ab"} | {"other": rng.normal(size=5000)}
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == ("a", "b")
    assert finding.rows == sum((columns[c] == 0).sum() for c in "ab")


def test_numbers_that_run_up_to_the_candidate_are_honest(tables_of):
    columns = {
        "hours": np.minimum(99, rng.poisson(60, 5000)),
        "number": np.arange(5000) % 1000,
        "change": rng.integers(-1, 2, 5000),
        "scale": rng.integers(1, 10, 5000),
        "money": np.round(rng.lognormal(6, 1, 5000)),
        "debt": np.round(rng.normal(-500, 400, 5000)),
        "heavy": rng.standard_cauchy(5000),
        "percent": np.minimum(99.9, np.round(rng.normal(80, 15, 5000), 1)),
        "flag": rng.choice([0, 1], 5000),
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_words_for_missing(tables_of):
    job = rng.choice(["smith", "baker", "?", "unknown"], 600, p=[0.5, 0.3, 0.1, 0.1])
    other = rng.choice(["yes", "no", "none"], 600)
    findings = CHECK.run(tables_of({"t": {"job": job, "other": other}}))
    assert [(f.level, f.columns, f.rows) for f in findings if f.level == "issue"] == [
        ("issue", ("job",), (job == "?").sum())
    ]
    assert [f.proposal.parameters["values"] for f in findings if f.level == "tip"] == [["unknown"]]


@pytest.mark.parametrize(
    "word",
    ["?", "n/a", "N/A", "NULL", "nan", "-", "", "  ", "missing", "Not available", "TBD", "xxx", ".", "#N/A", "-999"],
)
def test_rare_words_in_any_column_of_words(tables_of, word):
    for levels in (["Paris", "Lyon", "Nice"], ["on", "off"], [f"Name {i}" for i in range(900)]):
        texts = [str(v) for v in rng.choice(levels, 1000)]
        texts[5] = texts[500] = word
        (finding,) = CHECK.run(tables_of({"t": {"x": texts}}))
        assert (finding.rows, finding.examples) == (2, (5, 500))
        assert finding.proposal.parameters == {"values": [word]}


def test_levels_of_their_own_are_no_words_for_missing(tables_of):
    columns = {
        "country": rng.choice(["DE", "FR", "NA", "US", "ZA"], 500),
        "sign": rng.choice(["+", "-"], 500),
        "extra": rng.choice(["none", "wifi", "parking"], 500),
        "grade": rng.choice(["A", "B", "X"], 500),
        "year": rng.choice(["2001", "1999", "-999"], 500, p=[0.5, 0.5, 0]),
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_a_word_written_unlike_the_others_may_mean_missing(tables_of):
    texts = [str(v) for v in rng.choice(["Sales", "Private", "State"], 1000)]
    texts[:20] = ["none"] * 20
    (finding,) = CHECK.run(tables_of({"t": {"x": texts}}))
    assert (finding.level, finding.rows, finding.sure) == ("tip", 20, "possible")


def test_a_pile_on_a_day_amid_the_others(tables_of):
    born = np.datetime64("1890-01-01", "us") + (rng.integers(0, 36000, 4000) * 86400 * 10**6).astype("timedelta64[us]")
    assert CHECK.run(tables_of({"t": {"born": pa.array(born)}})) == []
    born[:60] = np.datetime64("1900-01-01", "us")
    (finding,) = CHECK.run(tables_of({"t": {"born": pa.array(born)}}))
    assert finding.rows >= 60
    assert finding.proposal.parameters == {"values": ["1900-01-01T00:00:00"]}


def test_the_contract_on_a_table_full_of_sentinels(tables_of):
    columns = {k: _with(v, -999.0) for k, v in CLEAN.items()}
    columns |= {"zero": _with(rng.lognormal(3, 0.5, 2000), 0.0), "word": ["a", "b", "?", "n/a"] * 500}
    check_check(CHECK, lambda: tables_of({"t": columns}))


def test_quiet_on_missing_not_applicable_without_columns_of_its_kind(tables_of, refuses):
    assert CHECK.run(tables_of({"t": {"x": pa.nulls(50, pa.float64())}})) == []
    assert refuses(CHECK, tables_of({"t": {"flag": [True, False]}}))

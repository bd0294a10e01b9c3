import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud007_sentinels import CHECK

rng = np.random.default_rng(3)


def _with(values, sentinel, share=0.03):
    values = np.array(values, dtype=float)
    values[rng.random(len(values)) < share] = sentinel
    return values


@pytest.mark.parametrize("sentinel", [-999.0, -9999.0, 999999.0, 9999.0])
@pytest.mark.parametrize("kind", ["weights", "degrees", "counts"])
def test_planted_sentinels_are_issues_with_the_right_count(tables_of, sentinel, kind):
    clean = {"weights": rng.gamma(4, 3, 2000), "degrees": rng.normal(10, 12, 2000), "counts": rng.poisson(20, 2000)}[
        kind
    ]
    spoiled = _with(clean, sentinel)
    (finding,) = CHECK.run(tables_of({"t": {"x": spoiled}}))
    assert finding.level == "issue"
    assert finding.rows == (spoiled == sentinel).sum()
    assert finding.proposal.parameters == {"values": [int(sentinel)]}
    assert CHECK.run(tables_of({"t": {"x": clean}})) == []


def test_two_sentinels_in_one_column(tables_of):
    spoiled = _with(_with(rng.normal(0, 1, 3000), -999.0), 9999.0)
    assert sorted(f.evidence["value"] for f in CHECK.run(tables_of({"t": {"x": spoiled}}))) == [-999.0, 9999.0]


def test_a_lonely_zero_is_a_tip_and_an_honest_one_is_not(tables_of):
    kelvin = rng.normal(285, 10, 3000)
    kelvin[:20] = 0.0
    basement = np.where(rng.random(3000) < 0.1, 0.0, rng.gamma(9, 100, 3000))
    (finding,) = CHECK.run(tables_of({"t": {"kelvin": kelvin, "basement": basement}}))
    assert (finding.level, finding.columns, finding.rows) == ("tip", ("kelvin",), 20)


def test_numbers_that_run_up_to_the_candidate_are_honest(tables_of):
    columns = {
        "hours": np.minimum(99, rng.poisson(60, 5000)),
        "number": np.arange(5000) % 1000,
        "change": rng.integers(-1, 2, 5000),
        "money": np.round(rng.lognormal(6, 1, 5000)),
        "debt": np.round(rng.normal(-500, 400, 5000)),
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


def test_quiet_on_missing_not_applicable_without_columns_of_its_kind(tables_of, refuses):
    assert CHECK.run(tables_of({"t": {"x": pa.nulls(50, pa.float64())}})) == []
    assert refuses(CHECK, tables_of({"t": {"when": pa.array([1, 2], pa.timestamp("us"))}}))

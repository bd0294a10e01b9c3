import numpy as np

from holdgood.audit.aud009_infinite import CHECK

rng = np.random.default_rng(5)


def test_infinities_are_counted(tables_of):
    values = rng.normal(size=300)
    values[:4] = [np.inf, -np.inf, np.inf, np.nan]
    (finding,) = CHECK.run(tables_of({"t": {"x": values}}))
    assert (finding.level, finding.rows, finding.proposal.cells) == ("issue", 3, 3)
    assert finding.examples == (0, 1, 2)


def test_absurd_magnitudes_are_counted(tables_of):
    values = rng.normal(100, 5, 3000)
    values[:2] = [1e15, -1e15]
    (finding,) = CHECK.run(tables_of({"t": {"x": values}}))
    assert (finding.rows, finding.examples) == (2, (0, 1))
    assert finding.proposal.parameters["low"] < 80 < 120 < finding.proposal.parameters["high"]


def test_heavy_tails_are_honest(tables_of):
    columns = {
        "log": rng.lognormal(3, 2, 5000),
        "cauchy": rng.standard_cauchy(5000),
        "zeros": np.r_[np.zeros(4999), 5.0],
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_not_applicable_without_numbers(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": ["x"]}})) == "no column of numbers"

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud022_units import CHECK
from holdgood.testing.check import check_check

N = 4000


def _parts(seed=0, n=N):
    """Parts of one shape: weight follows from the three lengths, to two percent."""
    rng = np.random.default_rng(seed)
    length = np.round(rng.lognormal(3.0, 0.3, n), 1)
    width = np.round(length * rng.lognormal(-0.5, 0.05, n), 1)
    weight = np.round(length * width**2 * 0.01 * rng.lognormal(0, 0.02, n), 2)
    return {"length": length, "width": width, "weight": weight, "colour": rng.choice(["red", "blue"], n)}


def _some(share, n=N, seed=5):
    marks = np.zeros(n, dtype=bool)
    marks[np.random.default_rng(seed).choice(n, max(5, int(share * n)), replace=False)] = True
    return marks


def _hourly(n=4000, seed=2):
    rng = np.random.default_rng(seed)
    hours = np.arange(n)
    when = np.datetime64("2023-01-01", "us") + (hours * 3600 * 10**6).astype("timedelta64[us]")
    noise = np.convolve(rng.normal(0, 1, n + 20), np.ones(21) / 21, "valid") * 6
    degrees = np.round(15 + 6 * np.sin(2 * np.pi * (hours % 24) / 24) + noise + rng.normal(0, 0.3, n), 1)
    return when, degrees


@pytest.mark.parametrize("factor", [1000.0, 0.001, 25.4, 1 / 25.4])
@pytest.mark.parametrize("share", [0.07, 0.015])
@pytest.mark.parametrize("column", ["length", "weight"])
def test_rows_in_another_unit_are_found_and_counted(tables_of, factor, share, column):
    columns, marks = _parts(), _some(share)
    columns[column] = np.where(marks, columns[column] * factor, columns[column])
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, finding.columns, finding.sure) == ("issue", (column,), "likely")
    assert finding.evidence["slope"] == pytest.approx(factor, rel=1e-6)
    assert abs(finding.rows - marks.sum()) <= max(2, 0.15 * marks.sum())
    assert np.mean(marks[list(finding.examples)]) >= 0.9


def test_ten_percent_in_one_stretch_of_a_sorted_table(tables_of):
    columns = _parts()
    order = np.argsort(columns["weight"])
    columns = {k: v[order] for k, v in columns.items()}
    columns["length"][500:900] *= 1000.0
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.columns, finding.rows) == (("length",), 400)


def test_the_proposal_puts_the_cells_right(tables_of):
    columns, marks = _parts(), _some(0.03)
    right = columns["length"].copy()
    columns["length"] = np.where(marks, right * 1000.0, right)
    (finding,) = CHECK.run(tables_of({"t": columns}))
    proposal = finding.proposal
    assert (proposal.repair, proposal.columns, proposal.cells) == ("scale-values", ("length",), int(marks.sum()))
    low = proposal.parameters["low"]
    mended = np.where(columns["length"] >= low, columns["length"] * proposal.parameters["factor"], columns["length"])
    np.testing.assert_allclose(mended, right)


def test_where_ranges_meet_the_ratio_to_another_column_is_declared(tables_of):
    columns, marks = _parts(), _some(0.05)
    columns["width"] = np.where(marks, np.round(columns["width"] * 2.54, 2), columns["width"])
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.columns == ("width",)
    assert finding.evidence["slope"] == pytest.approx(2.54)
    assert '"width" / nullif("' in finding.proposal.parameters["where"]


@pytest.mark.parametrize("share", [0.08, 0.01])
def test_fahrenheit_among_celsius_by_the_neighbours_in_time(tables_of, share):
    when, degrees = _hourly()
    marks = _some(share, len(degrees))
    spoiled = np.where(marks, np.round(degrees * 1.8 + 32, 1), degrees)
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(when), "degrees": spoiled}}))
    assert finding.columns == ("degrees",)
    assert "Fahrenheit among" in finding.message
    assert abs(finding.rows - marks.sum()) <= 0.15 * marks.sum() + 2


def test_a_whole_stretch_in_fahrenheit_is_known_by_its_ends(tables_of):
    when, degrees = _hourly()
    spoiled = degrees.copy()
    spoiled[1200:1560] = np.round(degrees[1200:1560] * 1.8 + 32, 1)
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(when), "degrees": spoiled}}))
    assert (finding.columns, finding.rows) == (("degrees",), 360)
    assert finding.proposal.cells == 360
    assert CHECK.run(tables_of({"t": {"when": pa.array(when), "degrees": degrees}})) == []


def test_inches_between_millimetres_by_the_grid_they_are_written_on(tables_of):
    rng = np.random.default_rng(4)
    rain = np.round(rng.lognormal(-3, 1.3, 900), 2) + 0.01
    marks = _some(0.05, 900)
    (finding,) = CHECK.run(tables_of({"t": {"rain": np.where(marks, np.round(rain * 25.4, 3), rain)}}))
    assert finding.evidence["slope"] == pytest.approx(25.4)
    assert CHECK.run(tables_of({"t": {"rain": rain}})) == []


def test_what_a_repair_made_of_inches_is_not_told_as_wrong_again(tables_of):
    rng = np.random.default_rng(4)
    length = np.round(rng.normal(27, 5, 2000), 1)
    converted = np.where(_some(0.03, 2000), np.round(length / 2.54, 1) * 2.54, length)
    assert CHECK.run(tables_of({"t": {"length": converted}})) == []


def _honest(seed):
    rng = np.random.default_rng(seed)
    n = 5000
    carat = rng.lognormal(-0.3, 0.5, n)
    return {
        "money": np.round(rng.lognormal(5, 2.0, n), 2),
        "pareto": np.round((rng.pareto(1.1, n) + 1) * 100),
        "gain": np.where(
            rng.random(n) < 0.08, np.where(rng.random(n) < 0.05, 99999, rng.gamma(2, 4000, n).round()), 0.0
        ),
        "count": rng.poisson(3, n),
        "year": rng.integers(1950, 2020, n),
        "number": rng.permutation(n),
        "share": rng.beta(2, 5, n),
        "percent": np.round(rng.beta(1, 3, n) * 100),
        "flag": rng.integers(0, 2, n),
        "latitude": np.where(rng.random(n) < 0.5, rng.normal(34, 0.3, n), rng.normal(37.7, 0.3, n)),
        "longitude": rng.uniform(-124, -114, n),
        "carat": carat,
        "price": np.round(4000 * carat**1.7 * rng.lognormal(0, 0.3, n)),
        "tiers": rng.choice([9.99, 99.0, 999.0], n, p=[0.6, 0.3, 0.1]),
    }


@pytest.mark.parametrize("seed", range(5))
def test_heavy_tails_codes_tiers_and_mixtures_are_honest(tables_of, seed):
    assert CHECK.run(tables_of({"t": _honest(seed)})) == []


def test_a_digit_too_many_is_another_checks(tables_of):
    columns, marks = _parts(), _some(0.02)
    columns["length"] = np.where(marks, columns["length"] * 10, columns["length"])
    assert CHECK.run(tables_of({"t": columns})) == []


def test_contract(tables_of):
    columns, marks = _parts(n=1500), _some(0.04, 1500)
    columns["length"] = np.where(marks, columns["length"] * 1000.0, columns["length"])
    check_check(CHECK, lambda: tables_of({"t": columns}))


def test_not_applicable_without_numbers(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"word": ["a", "b"]}}))

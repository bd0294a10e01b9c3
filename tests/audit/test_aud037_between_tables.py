import numpy as np
import pytest

from holdgood.audit.aud037_between_tables import CHECK
from holdgood.cleaning import installed
from holdgood.testing.check import check_check

rng = np.random.default_rng(9)
N = 500
NAMES = [f"M{i:04d}" for i in range(N)]
POWER = rng.gamma(4, 30, N).round(2) + 1
SEEN = np.datetime64("2024-05-01", "us") + rng.integers(0, 900_000, N).astype("timedelta64[s]")


def _two(power=POWER, seen=SEEN, names=NAMES):
    return {
        "main": {"machine": NAMES, "power": POWER, "seen": SEEN, "x": rng.normal(size=N)},
        "meters": {"id": names, "kw": power * (1 + 0.003 * rng.standard_normal(N)), "at": seen},
    }


def test_another_unit(tables_of):
    (finding,) = CHECK.run(tables_of(_two(POWER * 1000)))
    assert (finding.level, finding.columns) == ("issue", ("power",))
    assert finding.evidence["factor"] == pytest.approx(1000.0)


def test_two_units_in_one_column(tables_of):
    mixed = POWER.copy()
    mixed[:25] *= 25.4
    (finding,) = CHECK.run(tables_of(_two(mixed)))
    assert finding.rows == 25
    assert set(finding.examples) <= set(range(25))


@pytest.mark.parametrize("hours", [-7, 1])
def test_another_time_zone(tables_of, hours):
    (finding,) = CHECK.run(tables_of(_two(seen=SEEN + np.timedelta64(hours, "h"))))
    assert (finding.columns, finding.evidence["hours"]) == (("seen",), hours)


def test_another_time_zone_in_the_key_itself(tables_of):
    at = np.datetime64("2024-01-01", "us") + np.arange(800) * np.timedelta64(1, "h")
    temp = np.cumsum(rng.normal(size=800)).round(2)
    place = np.repeat(["north", "south"], 800)
    both = np.tile(at, 2)
    tables = {
        "main": {
            "place": place,
            "at": both,
            "temp": np.tile(temp, 2) + (place == "south") * 3,
            "y": rng.normal(size=1_600),
        },
        "weather": {
            "site": place,
            "hour": both - np.timedelta64(5, "h"),
            "t": np.tile(temp, 2) + (place == "south") * 3,
        },
    }
    findings = CHECK.run(tables_of(tables))
    assert {abs(f.evidence["hours"]) for f in findings} == {5.0}


def test_another_way_of_writing_names_is_mended(tables_of):
    names = [f"Plant {i}" for i in range(80)]
    picked = [names[i] for i in rng.integers(0, 80, N)]
    written = [p.upper() if i < 60 else p for i, p in enumerate(picked)]
    context = tables_of({"main": {"plant": written}, "plants": {"name": names, "x": rng.normal(size=80)}})
    (finding,) = CHECK.run(context)
    assert (finding.columns, finding.rows) == (("plant",), 60)
    out, entry = installed()[finding.proposal.repair].apply(
        context.tables["main"], finding.proposal.columns, finding.proposal.parameters
    )
    assert (out.data.column("plant").to_pylist(), entry.cells_changed) == (picked, 60)


def test_quiet_where_both_agree_and_on_unrelated_tables(tables_of):
    assert CHECK.run(tables_of(_two())) == []
    other = {"a": rng.normal(size=300), "b": rng.choice(["p", "q"], 300), "c": np.arange(300)}
    assert CHECK.run(tables_of({"main": _two()["main"], "other": other})) == []


def test_contract_and_refusal(tables_of, refuses):
    tables = _two(POWER * 1000)
    check_check(CHECK, lambda: tables_of(tables))
    assert "two tables" in refuses(CHECK, tables_of({"t": {"a": [1]}}))

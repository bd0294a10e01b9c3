import numpy as np
import pytest

from holdgood.audit.aud026_dependencies import CHECK
from holdgood.cleaning.set_by_key import REPAIR

N = 4000


def _towns(seed=0):
    rng = np.random.default_rng(seed)
    town = rng.integers(0, 30, N)
    zips = np.array([f"{10000 + 17 * t + i}" for t, i in zip(town, rng.integers(0, 3, N), strict=True)], dtype=object)
    names = np.array([f"{w}{v}ton" for w in ("kar", "bel", "mun", "ost", "wyl") for v in "aeiouy"], dtype=object)[town]
    return rng, zips, names


@pytest.mark.parametrize(("share", "level"), [(0.05, "issue"), (0.01, "issue"), (0.002, "issue")])
def test_cells_that_contradict_their_key_are_told_and_set(tables_of, share, level):
    rng, zips, towns = _towns()
    at = rng.choice(N, int(share * N), replace=False)
    dirty = towns.copy()
    dirty[at] = rng.permutation(towns)[: len(at)]
    wrong = np.flatnonzero(dirty != towns)
    context = tables_of({"t": {"zip": list(zips), "town": list(dirty), "x": list(rng.normal(size=N))}})
    (finding,) = CHECK.run(context)
    assert (finding.columns, finding.level, finding.rows) == (("town",), level, len(wrong))
    assert set(finding.examples) <= set(wrong.tolist())
    clean, entry = REPAIR.apply(context.tables["t"], finding.proposal.columns, finding.proposal.parameters)
    assert entry.cells_changed == finding.proposal.cells == len(wrong)
    assert clean.data.column("town").to_pylist() == list(towns)


def test_exact_rules_chance_and_honest_exceptions_are_quiet(tables_of):
    rng, zips, towns = _towns()
    rooms = rng.integers(1, 6, N)
    beds = np.clip(rooms + rng.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, -1], N), 1, 6)
    # planes that fly for two carriers: few keys, half of their rows
    plane = rng.integers(0, 200, N)
    carrier = np.where((plane < 8) & (rng.random(N) < 0.5), "XX", np.array([f"C{i % 12}" for i in range(200)])[plane])
    columns = {
        "zip": list(zips),
        "town": list(towns),
        "rooms": rooms,
        "beds": beds,
        "plane": [f"N{p}" for p in plane],
        "carrier": list(carrier),
        "flag": rng.random(N) < 0.01,
        "group": rng.integers(0, 100, N),
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_two_columns_together_settle_a_third(tables_of):
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 6, N), rng.integers(0, 25, N)
    distance = (a * 131 + b * b * 17) % 997 + 100
    dirty = distance.copy()
    at = rng.choice(N, 60, replace=False)
    dirty[at] = rng.permutation(distance)[:60]
    columns = {"from": [f"f{i}" for i in a], "to": [f"t{i}" for i in b], "distance": dirty}
    context = tables_of({"t": columns})
    (finding,) = CHECK.run(context)
    assert finding.columns == ("distance",)
    clean, _ = REPAIR.apply(context.tables["t"], finding.proposal.columns, finding.proposal.parameters)
    assert clean.data.column("distance").to_pylist() == distance.tolist()


def test_sources_that_disagree(tables_of):
    rng = np.random.default_rng(4)
    things, sources = 60, 9
    truth = rng.integers(0, 900, (things, 3))
    rows = [(s, t) for s in range(sources) for t in range(things)]
    columns = {"site": [f"site {s}" for s, _ in rows], "thing": [f"thing {t}" for _, t in rows]}
    for c in range(3):
        lie = rng.random(len(rows)) < np.array([0.02 if s < 4 else 0.4 for s, _ in rows])
        cells = np.where(lie, rng.integers(0, 900, len(rows)), truth[[t for _, t in rows], c])
        columns[f"fact{c}"] = [None if rng.random() < 0.1 else f"{v} m" for v in cells]
    context = tables_of({"t": columns})
    (finding,) = CHECK.run(context)
    assert finding.columns == ("fact0", "fact1", "fact2")
    assert finding.picture is not None and finding.evidence["sources"] == sources
    clean, entry = REPAIR.apply(context.tables["t"], finding.proposal.columns, finding.proposal.parameters)
    assert entry.cells_changed == finding.proposal.cells
    for c in range(3):
        should = [f"{truth[t, c]} m" for _, t in rows]
        assert clean.data.column(f"fact{c}").to_pylist() == should


def test_a_panel_of_measurements_is_no_quarrel_of_sources(tables_of):
    rng = np.random.default_rng(5)
    rows = [(s, d) for s in range(10) for d in range(60)]
    price = {d: rng.integers(1, 50) for _, d in rows}
    columns = {
        "shop": [f"shop {s}" for s, _ in rows],
        "day": [f"day {d}" for _, d in rows],
        "price": [int(price[d]) for _, d in rows],
        "sold": rng.poisson(5, len(rows)),
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_not_applicable_to_small_tables(tables_of, refuses):
    assert "30 rows" in refuses(CHECK, tables_of({"t": {"a": [1], "b": [2]}}))

"""The injector of benchmarks/audit: what it says it planted is what differs, and the score reads findings rightly."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "audit"


@pytest.fixture(scope="module")
def bench():
    """The benchmark's modules, imported by path and forgotten again."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in ("case", "kind", "plant", "score", "look")}
    finally:
        sys.path.remove(str(FOLDER))
        for name in set(sys.modules) - before:
            if getattr(sys.modules[name], "__file__", None) and str(FOLDER) in str(sys.modules[name].__file__):
                del sys.modules[name]


@pytest.fixture(scope="module")
def case(bench):
    """A synthetic shop: amounts, a weight that cannot be zero, words, a clock, an outcome."""
    rng = np.random.default_rng(3)
    n = 3_000
    amount = rng.gamma(4.0, 25.0, n).round(2) + 5
    frame = pd.DataFrame(
        {
            "at": pd.date_range("2024-01-01", periods=n, freq="h").astype("datetime64[us]"),
            "amount": amount,
            "weight": rng.normal(60, 4, n).round(1),
            "pieces": rng.integers(10, 99, n),
            "kind": rng.choice(np.array(["standard", "express", "pick up"], dtype=object), n),
            "level": (20 + 5 * np.sin(np.arange(n) / 4) + rng.normal(0, 0.3, n)).round(2),
            "fate": np.where(rng.random(n) < 0.3, "returned", "kept").astype(object),
        }
    )
    t, module = "orders", bench["case"]
    known = module.Known(
        positive=((t, "weight"),),
        vocabulary=((t, "kind"),),
        celsius=((t, "level"),),
        millimetres=((t, "weight"),),
        miles=((t, "amount"),),
        swaps=((t, "amount", "pieces"),),
        dates=((t, "at"),),
        timed=(module.Timed(t, "at", (), ("level",)),),
    )
    declared = {"tables": {t: {"time": "at"}}, "task": {"target": "fate"}}
    return module.Case(t, t, {t: frame}, declared, known)


IN_PLACE = (
    "missing_block",
    "sentinel_number",
    "sentinel_word",
    "sentinel_in_number",
    "zero_impossible",
    "mixed_types",
    "malformed_dates",
    "dates_out_of_range",
    "unit_thousand",
    "unit_temperature",
    "unit_inch",
    "unit_mile",
    "swapped",
    "spellings",
    "typos",
    "whitespace",
    "mojibake",
    "broken_dependency",
    "entry_digit",
    "entry_transposed",
    "sensor_stuck",
    "sensor_spike",
    "sensor_saturated",
    "label_flip",
)


def _changed(before: pd.DataFrame, after: pd.DataFrame, as_written) -> dict[str, np.ndarray]:
    """Columns that differ, with the rows where they do (compared as they would stand in a file)."""
    out = {}
    for column in before:
        one, two = (
            as_written(f[column]).fillna("") if f[column].dtype != object else f[column].fillna("").astype(str)
            for f in (before, after)
        )
        if pd.api.types.is_numeric_dtype(before[column]) and pd.api.types.is_numeric_dtype(after[column]):
            unlike = ~((before[column] == after[column]) | (before[column].isna() & after[column].isna())).fillna(False)
        else:
            unlike = one != two
        if unlike.any():
            out[column] = np.flatnonzero(unlike)
    return out


@pytest.mark.parametrize("strength", ["weak", "middle", "strong"])
@pytest.mark.parametrize("kind", IN_PLACE)
def test_the_truth_is_what_differs(bench, case, kind, strength):
    """Only planted columns differ from the prepared case, and only in planted rows."""
    plant = bench["plant"]
    clean = plant.prepared(kind, case)
    planted, truth = plant.plant(kind, clean, strength, plant.seeded(kind, strength, 1))
    differs = _changed(clean.tables["orders"], planted.tables["orders"], bench["case"].as_written)
    assert differs
    assert set(differs) <= set(truth.columns)
    for rows in differs.values():
        assert set(rows) <= set(truth.rows)
    if kind not in ("sensor_stuck", "swapped"):  # a value may happen to stand there already
        assert set(np.concatenate(list(differs.values()))) == set(truth.rows)


def test_every_kind_can_be_planted_or_says_why_not(bench, case):
    """No kind breaks down; what cannot be planted gives a reason; stronger means no fewer rows."""
    plant = bench["plant"]
    for name in plant.KINDS:
        sizes = []
        for strength in plant.STRENGTHS:
            try:
                planted, truth = plant.plant(name, plant.prepared(name, case), strength, plant.seeded(name, strength))
            except plant.NotPlantable as reason:
                assert str(reason)
                break
            told = plant.as_json(name, strength, truth)
            assert told["table"] in planted.tables
            assert told["rows"] == sorted(told["rows"])
            assert all(c in planted.tables[truth.table] for c in truth.columns)
            sizes.append(len(truth.rows))
        assert sizes == sorted(sizes) or name in ("late_fact", "regime_break", "fan_out")


def test_same_seed_same_bits(bench, case):
    plant = bench["plant"]
    for name in ("near_duplicates", "swapped", "gaps", "leak_number"):
        prints = []
        for _ in range(2):
            planted, _ = plant.plant(name, plant.prepared(name, case), "middle", plant.seeded(name, 5))
            prints.append(planted.as_tables()["orders"].fingerprint())
        assert prints[0] == prints[1]


def test_planting_leaves_the_case_alone(bench, case):
    plant, before = bench["plant"], case.as_tables()["orders"].fingerprint()
    for name in plant.KINDS:
        try:
            plant.plant(name, plant.prepared(name, case), "strong", plant.seeded(name))
        except plant.NotPlantable:
            continue
    assert bench["case"].Table.of(case.tables["orders"], "orders").fingerprint() == before


@pytest.mark.parametrize(
    "kind", ["sentinel_number", "sentinel_in_number", "mixed_types", "constant", "dates_out_of_range"]
)
def test_an_audit_finds_what_was_planted(bench, case, kind):
    """The whole way, for kinds that leave no doubt."""
    plant, look, score = bench["plant"], bench["look"].look, bench["score"]
    clean = plant.prepared(kind, case)
    planted, truth = plant.plant(kind, clean, "strong", plant.seeded(kind, 2))
    before = score.spots(look(clean, declared=False, target=False).findings)
    after = look(planted, declared=False, target=False)
    result = score.score(plant.KINDS[kind], truth, before, after.findings)
    assert result.found in plant.KINDS[kind].codes


def test_the_second_pass_finds_a_leak(bench, case):
    plant, look, score = bench["plant"], bench["look"].look, bench["score"]
    clean = plant.prepared("leak_number", case)
    planted, truth = plant.plant("leak_number", clean, "strong", plant.seeded("leak", 2))
    before = score.spots(look(clean, declared=True, target=True).findings)
    result = score.score(plant.KINDS["leak_number"], truth, before, look(planted, declared=True, target=True).findings)
    assert result.found in ("AUD014", "AUD015")


def test_the_score_is_not_fooled(bench):
    """Old findings, other columns, other codes and other tables do not count as found."""
    from holdgood.core.records.audit import Finding

    kind, truth, score = bench["plant"].KINDS["sentinel_number"], bench["kind"].Truth, bench["score"].score

    def told(code="AUD007", table="orders", columns=("amount",), rows=30, **more):
        return Finding(
            code=code,
            title="t",
            level="issue",
            severity="low",
            table=table,
            columns=columns,
            message="m",
            rows=rows,
            **more,
        )

    planted = truth("orders", ("amount",), range(30))
    assert score(kind, planted, {}, [told()]).found == "AUD007"
    assert score(kind, planted, {("AUD007", "orders", "amount"): {"": 30.0}}, [told()]).found == ""
    assert score(kind, planted, {("AUD007", "orders", "amount"): {"": 3.0}}, [told(rows=33)]).found == "AUD007"
    assert score(kind, planted, {}, [told(columns=("weight",))]).strays == [("AUD007", "orders", "weight")]
    assert score(kind, planted, {}, [told(table="other")]).strays == [("AUD007", "other", "amount")]
    assert score(kind, planted, {}, [told(code="AUD028")]).other_name == "AUD028"
    assert score(kind, planted, {}, [told(code="AUD001")]).beside == ["AUD001"]
    half = score(kind, planted, {}, [told(examples=(0, 1, 100, 200))])
    assert half.pointed == 0.5

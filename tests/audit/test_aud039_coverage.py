import math

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from holdgood.audit.aud039_coverage import CHECK, binomial_tail, chance_beyond
from holdgood.core.errors import DeclarationError

USE = {"audit": {"use": "use"}, "task": {"table": "data", "target": "y"}}


def _rows(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.gamma(2, 3, n)
    return {
        "x": x,
        "z": x + rng.normal(0, 0.3, n),
        "kind": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
        "y": rng.normal(size=n),
    }


def _look(tables_of, data, use):
    return CHECK.run(tables_of({"data": data, "use": use}, **USE))


def test_rows_like_the_data_are_covered(tables_of):
    for seed in range(5):
        assert _look(tables_of, _rows(4000, seed), _rows(1000, 100 + seed)) == []


def test_beyond_the_range_is_counted(tables_of):
    use = _rows(1000, 1)
    use["x"][:60] = 500.0
    use["z"][:60] = 500.0
    (finding,) = _look(tables_of, _rows(4000, 0), use)
    assert (finding.table, set(finding.columns), finding.rows) == ("use", {"x", "z"}, 60)
    assert set(finding.examples) <= set(range(60))


def test_levels_never_seen_and_missing_ones(tables_of):
    use = _rows(1000, 1)
    use["kind"][:40] = "new"
    use["z"] = pa.array(use["z"], mask=np.arange(1000) >= 950)
    (finding,) = _look(tables_of, _rows(4000, 0), use)
    assert finding.evidence["columns"] == 2
    assert finding.rows == 90
    assert "1 level never seen" in finding.message
    assert "missing, which it never was" in finding.message


def test_what_is_only_together_unknown_is_a_tip(tables_of):
    use = _rows(1000, 1)
    use["z"][:200] = use["z"][:200][::-1] * 0 + np.median(use["x"])
    use["x"][:200] = np.quantile(use["x"], 0.97)
    (finding,) = _look(tables_of, _rows(4000, 0), use)
    assert finding.level == "tip"
    assert set(finding.columns) & {"x", "z"}
    assert finding.evidence["share"] == pytest.approx(0.2, abs=0.04)
    assert set(finding.examples) <= set(range(200))


def test_the_target_and_identifiers_are_not_compared(tables_of):
    data, use = _rows(2000, 0), _rows(500, 1)
    data["id"], use["id"] = np.arange(2000), np.arange(10_000, 10_500)
    use["y"] = use["y"] + 100
    assert _look(tables_of, data, use) == []


def test_chance_against_enumeration_and_scipy():
    rng = np.random.default_rng(3)
    draws = rng.random((20_000, 30)).argsort(1)
    most = draws[:, -2:] < 10  # two largest of ten and twenty are both of the ten
    assert chance_beyond(2, 10, 20) == pytest.approx(most.all(1).mean(), abs=0.01)
    for hits, n, p in ((3, 50, 0.02), (0, 5, 0.1), (50, 50, 0.9)):
        assert binomial_tail(hits, n, p) == pytest.approx(stats.binom.sf(hits - 1, n, p))
    assert math.isclose(chance_beyond(0, 5, 5), 1.0)


def test_refusals(tables_of, refuses):
    assert "audit.use" in refuses(CHECK, tables_of({"data": {"a": [1]}}))
    with pytest.raises(DeclarationError, match="did you mean"):
        CHECK.run(tables_of({"data": {"a": [1] * 50}}, audit={"use": "dat"}))
    assert "fewer" in refuses(CHECK, tables_of({"data": {"a": [1]}, "use": {"a": [1]}}, audit={"use": "use"}))
    assert "no column" in refuses(
        CHECK, tables_of({"data": {"a": [1] * 50}, "use": {"b": [1] * 50}}, audit={"use": "use"})
    )

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud019_missing_target import CHECK

rng = np.random.default_rng(12)


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_missing_that_follows_the_outcome_is_a_tip(target_of, kind):
    y = rng.normal(size=2000) if kind == "regression" else rng.integers(0, 2, 2000).astype(float)
    gone = rng.random(2000) < np.where(y > 0.5, 0.4, 0.1)
    columns = {
        "x": pa.array(rng.normal(size=2000), mask=gone),
        "z": pa.array(rng.normal(size=2000), mask=rng.random(2000) < 0.2),
    }
    (finding,) = CHECK.run(target_of(columns, y, kind))
    assert (finding.level, finding.columns, finding.late) == ("tip", ("x",), False)


def test_no_more_false_alarms_than_promised(target_of):
    """Missing at random: 200 tables of five columns; Holm at 0.001 with an effect bar leaves no room for one."""
    alarms = 0
    for seed in range(200):
        local = np.random.default_rng(seed)
        columns = {f"x{i}": pa.array(np.zeros(300), mask=local.random(300) < 0.3) for i in range(5)}
        alarms += bool(CHECK.run(target_of(columns, local.integers(0, 2, 300))))
    assert alarms <= 1


def test_not_applicable_without_gaps(target_of, refuses):
    assert refuses(CHECK, target_of({"x": np.arange(100)}, [0, 1] * 50)) == "no column misses enough values"

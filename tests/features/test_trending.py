import numpy as np
from scipy.stats import spearmanr

from holdgood.core.frame import Feature, Frame
from holdgood.features.trending import clocks


def frame(n=3000, seed=0):
    random = np.random.default_rng(seed)
    time = np.sort(random.integers(0, 10**9, n))
    columns = {
        "month": np.floor(time / 10**8),
        "counter": np.where(random.random(n) < 0.1, np.nan, time + random.normal(0, 1e7, n)),
        "falls": -(time.astype(float) ** 3),
        "season": np.sin(time / 3e7),
        "drifts": time / 1e9 + random.normal(0, 0.3, n),
        "constant": np.ones(n),
        "empty": np.full(n, np.nan),
    }
    return Frame(tuple(Feature(k, "number") for k in columns), tuple(columns.values())), time


def test_only_clocks_are_named_and_the_reference_agrees():
    rows, time = frame()
    found = clocks(rows, time)
    assert set(found) == {"month", "counter", "falls"}
    for name, values in zip(rows.names, rows.arrays, strict=True):
        if name in ("constant", "empty"):
            continue
        rho = abs(spearmanr(values, time, nan_policy="omit").statistic)
        assert (rho >= 0.95) == (name in found)


def test_order_of_rows_does_not_matter_and_words_are_left_alone():
    rows, time = frame()
    turned = np.random.default_rng(1).permutation(len(time))
    assert clocks(rows.take(turned), time[turned]) == clocks(rows, time)
    words = Frame((Feature("w", "category"),), (np.array([str(t) for t in time], dtype=object),))
    assert clocks(words, time) == {}

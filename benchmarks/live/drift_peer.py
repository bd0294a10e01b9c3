"""A peer's own statistic a week of a stream, in its own environment: lines of JSON, larger is more drift.

python drift_peer.py PEER ROWS REFERENCE STREAMS [KIND SIZE] [FIRST]
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable

import numpy as np
from drift_worlds import NUMBERS, WEEKS, reference, week

warnings.filterwarnings("ignore")
Statistic = Callable[[np.ndarray, np.ndarray], float]


def evidently(x: np.ndarray, level: np.ndarray) -> Statistic:
    """Largest distance over the columns of the tests that Evidently's drift preset takes by itself for references of more than 1,000 rows.

    Wasserstein's distance (normed) for numbers, Jensen and Shannon's for categories. Its report is passed by: it costs 0.3 CPU seconds a
    look and tells the same numbers. Asked for KS and chi-squared tests it tells those of frouros.
    """
    import pandas as pd
    from evidently.legacy.calculations.stattests import jensenshannon_stat_test, wasserstein_stat_test
    from evidently.legacy.core import ColumnType

    before = [pd.Series(x[:, j]) for j in range(NUMBERS)]
    levels = pd.Series(level)

    def statistic(x: np.ndarray, level: np.ndarray) -> float:
        told = [
            wasserstein_stat_test(before[j], pd.Series(x[:, j]), ColumnType.Numerical, 0.1).drift_score
            for j in range(NUMBERS)
        ]
        told.append(jensenshannon_stat_test(levels, pd.Series(level), ColumnType.Categorical, 0.1).drift_score)
        return float(max(told))

    return statistic


def frouros_ks(x: np.ndarray, level: np.ndarray) -> Statistic:
    """Smallest p-value over the columns of frouros' KS tests and chi-squared test."""
    from frouros.detectors.data_drift import ChiSquareTest, KSTest

    tests = []
    for j in range(NUMBERS):
        test = KSTest()
        test.fit(X=x[:, j])
        tests.append(test)
    of_level = ChiSquareTest()
    of_level.fit(X=level)

    def statistic(x: np.ndarray, level: np.ndarray) -> float:
        p = [float(t.compare(X=x[:, j])[0].p_value) for j, t in enumerate(tests)]
        p.append(float(of_level.compare(X=level)[0].p_value))
        return -float(np.log(max(min(p), 1e-300)))

    return statistic


def frouros_mmd(x: np.ndarray, level: np.ndarray) -> Statistic:
    """Maximum mean discrepancy of frouros on standardised numbers, at most 1,000 rows a side (it is quadratic)."""
    from functools import partial

    from frouros.detectors.data_drift import MMD
    from frouros.utils.kernels import rbf_kernel

    centre, spread = x.mean(axis=0), x.std(axis=0)
    test = MMD(kernel=partial(rbf_kernel, sigma=3.0), chunk_size=500)
    test.fit(X=((x - centre) / spread)[:1000])

    def statistic(x: np.ndarray, level: np.ndarray) -> float:
        return float(test.compare(X=((x - centre) / spread)[:1000])[0].distance)

    return statistic


PEERS = {"evidently": evidently, "frouros-ks": frouros_ks, "frouros-mmd": frouros_mmd}


def main(peer: str, n: str, of: str, streams: str, kind: str = "", size: str = "", first: str = "0") -> None:
    for seed in range(int(first), int(first) + int(streams)):
        _, x, level = reference(seed, int(of))
        statistic = PEERS[peer](x, level)
        told = []
        for number in range(WEEKS):
            _, now, now_level = week(seed, number, int(n), kind=kind, size=size)
            told.append(statistic(now, now_level))
        print(json.dumps({"seed": seed, "statistic": told}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A peer's own statistic a week of a stream, in its own environment: lines of JSON, larger is more drift.

python drift_peer.py PEER ROWS REFERENCE STREAMS [KIND SIZE] [FIRST] [AT]

With AT, weeks before the change and after the first statistic above it are not looked at: they say nothing of the delay.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from drift_worlds import CHANGE, NUMBERS, WEEKS, reference, week

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


def nannyml_js(x: np.ndarray, level: np.ndarray) -> Statistic:
    """Largest distance over the columns of NannyML's own choice, Jensen and Shannon's. Its calculator is passed by, as Evidently's report is."""
    import pandas as pd
    from nannyml.chunk import CountBasedChunker
    from nannyml.drift.univariate.methods import FeatureType, MethodFactory
    from nannyml.thresholds import ConstantThreshold

    def method(kind: FeatureType, column: np.ndarray) -> Any:
        parts = {"chunker": CountBasedChunker(1), "threshold": ConstantThreshold(upper=0.1)}
        return MethodFactory.create("jensen_shannon", kind, **parts).fit(pd.Series(column, name="column"))

    tests = [method(FeatureType.CONTINUOUS, x[:, j]) for j in range(NUMBERS)]
    of_level = method(FeatureType.CATEGORICAL, level)

    def statistic(x: np.ndarray, level: np.ndarray) -> float:
        told = [float(t.calculate(pd.Series(x[:, j]))) for j, t in enumerate(tests)]
        return max(*told, float(of_level.calculate(pd.Series(level))))

    return statistic


def nannyml_pca(x: np.ndarray, level: np.ndarray) -> Statistic:
    """By how much the mean error of rebuilding a row from NannyML's components (65% of the variance) is off the reference's."""
    import pandas as pd
    from nannyml import DataReconstructionDriftCalculator

    names = [f"x{j}" for j in range(NUMBERS)]

    def table(x: np.ndarray, level: np.ndarray) -> pd.DataFrame:
        out = pd.DataFrame(x, columns=names)
        out["level"] = pd.Series(level).astype("category")
        return out

    before = table(x, level)
    fitted: Any = DataReconstructionDriftCalculator(column_names=[*names, "level"], chunk_number=1)
    fitted.fit(before)

    def error(rows: pd.DataFrame) -> float:
        # Its own parts by hand: its loop over rows costs many times as much and tells the same number.
        scaled = fitted._scaler.transform(fitted._encoder.transform(rows))
        back = fitted._pca.inverse_transform(fitted._pca.transform(scaled))
        return float(np.linalg.norm(np.asarray(scaled) - np.asarray(back), axis=1).mean())

    usual = error(before)
    return lambda x, level: abs(error(table(x, level)) - usual)


def alibi_cvm(x: np.ndarray, level: np.ndarray) -> Statistic:
    """Smallest p-value over the columns of alibi-detect's tests of Cramér and von Mises, with its detector for tables where values repeat.

    There the first test says 1e-8 though nothing changed. The detector for tables takes KS and chi-squared tests, which are those of frouros.
    """
    from alibi_detect.cd import CVMDrift, TabularDrift

    repeats = np.array([len(np.unique(x[:, j])) < len(x) for j in range(NUMBERS)])
    codes = {value: i for i, value in enumerate(np.unique(level).tolist())}

    def table(x: np.ndarray, level: np.ndarray) -> np.ndarray:
        return np.column_stack([x[:, repeats], [codes.get(v, 0) for v in level.tolist()]])

    smooth = CVMDrift(x[:, ~repeats])
    other = TabularDrift(table(x, level), categories_per_feature={int(repeats.sum()): None})

    def statistic(x: np.ndarray, level: np.ndarray) -> float:
        p = [
            *smooth.feature_score(smooth.x_ref, x[:, ~repeats])[0],
            *other.feature_score(other.x_ref, table(x, level))[0],
        ]
        return -float(np.log(max(float(min(p)), 1e-300)))

    return statistic


PEERS = {
    "evidently": evidently,
    "frouros-ks": frouros_ks,
    "frouros-mmd": frouros_mmd,
    "nannyml-js": nannyml_js,
    "nannyml-pca": nannyml_pca,
    "alibi-cvm": alibi_cvm,
}


def main(
    peer: str, n: str, of: str, streams: str, kind: str = "", size: str = "", first: str = "0", at: str = "inf"
) -> None:
    for seed in range(int(first), int(first) + int(streams)):
        _, x, level = reference(seed, int(of))
        statistic = PEERS[peer](x, level)
        begins = CHANGE if float(at) < np.inf else 0
        told = [-np.inf] * WEEKS
        for number in range(begins, WEEKS):
            _, now, now_level = week(seed, number, int(n), kind=kind, size=size)
            told[number] = statistic(now, now_level)
            if told[number] > float(at):
                break
        print(json.dumps({"seed": seed, "statistic": told}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Tourism of Australia by state, purpose and region: what adding up costs or buys, level by level.

python benchmarks/forecast/hierarchy.py: ETS of every node, errors of two earlier origins as weights, the last steps (marked
``test``) as truth. Prints RMSE and MASE a level for base forecasts, bottom-up and MinT, and writes nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from holdgood.core.panel import Panel
from holdgood.core.protocols import PanelContext
from holdgood.models.forecasting.ets import FAMILY
from holdgood.models.forecasting.hierarchy import Hierarchy, declared, summed
from holdgood.models.forecasting.reconcile import bottom_up, mint

LEVELS = [("State",), ("Purpose",), ("State", "Purpose"), ("State", "Region")]
DATA = Path(os.environ.get("HOLDGOOD_DATA", "../shared/data"))


def tourism() -> tuple[Panel, Hierarchy, int]:
    table = pd.read_parquet(DATA / "forecast" / "australia_tourism.parquet").sort_values(["unique_id", "ds"])
    ids, begins = np.unique(table["unique_id"].to_numpy(str), return_index=True)
    first, static, labels = table.iloc[begins], {}, {}
    for column in ("State", "Region", "Purpose"):
        codes, texts = pd.factorize(first[column], sort=True)
        static[column], labels[column] = codes.astype(float), [str(t) for t in texts]
    panel = Panel(
        ids,
        np.append(begins, len(table)),
        table["ds"].to_numpy("M8[us]"),
        table["y"].to_numpy(float),
        "QS",
        (4,),
        static=static,
        categories=frozenset(static),
    )
    hierarchy = declared(panel, LEVELS, labels)
    return summed(panel, hierarchy), hierarchy, int((table["split"] == "test").sum()) // len(ids)


def forecast(panel: Panel, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts of the last steps by a fit to what lies before, and those steps."""
    known = panel.until(horizon)
    truth, future = panel.ahead(horizon, horizon)
    parameters = FAMILY.configurations(known, horizon)[0][1]
    return FAMILY.make(parameters).fit(known, PanelContext(horizon)).predict(known, future), truth


def main() -> None:
    nodes, hierarchy, horizon = tourism()
    base, truth = forecast(nodes, horizon)
    pairs = [forecast(nodes.until(back), horizon) for back in (horizon, 2 * horizon)]
    errors = np.concatenate([actual - answer for answer, actual in pairs], axis=1)
    scale = np.array([np.abs(y[4:] - y[:-4]).mean() for y in nodes.until(horizon).series()])
    begun = time.process_time()
    answers = {"base (does not add up)": base, "bottom-up": bottom_up(hierarchy, base)}
    answers |= {f"MinT, {w}": mint(hierarchy, base, w, errors) for w in ("structure", "variance", "shrunk")}
    seconds = time.process_time() - begun
    rows = []
    for name, answer in answers.items():
        for level in hierarchy.names:
            mine = hierarchy.levels == level
            wrong = answer[mine] - truth[mine]
            mase = float((np.abs(wrong).mean(axis=1) / scale[mine]).mean())
            rows.append((name, f"{level} ({mine.sum()})", f"{np.sqrt((wrong**2).mean()):.1f} / {mase:.3f}"))
    table = pd.DataFrame(rows, columns=["forecast", "level", "rmse / mase"]).pivot(
        index="forecast", columns="level", values="rmse / mase"
    )
    order = [f"{level} ({(hierarchy.levels == level).sum()})" for level in hierarchy.names]
    print(table.loc[list(answers), order].to_string())
    print(f"{len(hierarchy)} nodes, {horizon} steps; reconciling took {seconds:.2f} CPU s")


if __name__ == "__main__":
    main()

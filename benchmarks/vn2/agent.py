"""One round of the VN2 inventory challenge: from where the stock stands and the sales so far to an order for every pair.

    python benchmarks/vn2/agent.py STATE SALES OUT

STATE (parquet or CSV, one row a pair, as vn2_state): Store, Product, order (place of the row, from 0), End Inventory, In Transit W+1 (comes at the start of
next week), In Transit W+2 (a week later); Department where known. SALES (parquet or CSV, as vn2_history): Store, Product, ds, y, in_stock, with all
weeks up to now. OUT (CSV, or parquet by its name): one row a pair in the state's ``order``, columns

    Store, Product, quantity

where quantity is the order in whole units, placed at the end of the last week in SALES, to arrive at the start of the third week after it.
In the last round of the challenge, known by its date, what is left serves no later week, and the order is the newsvendor's.
Nothing else is read, apart from spread.json beside this file (how demand spreads around forecasts, and the cover: from history, see backtest.py).
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from demand import Demand
from panel import LAST_ROUND, LEAD, NEWSVENDOR, sales_of
from paths import Spread, sample_paths
from rules import terms

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.projected import best_orders

LEARNED = Path(__file__).resolve().parent / "spread.json"


def decided(paths: np.ndarray, stock: Stock, cover: float) -> np.ndarray:
    """Whole units (n,) to order. ``cover``: the share of paths whose demand in the week of arrival is met, see backtest.py."""
    rules = terms(len(paths))
    asked = Terms.of(len(paths), holding=rules.holding, shortage=rules.holding * cover / (1 - cover), lead=LEAD, pack=1)
    return best_orders(paths, stock, asked).quantity


def cover_after(week: pd.Timestamp, usual: float) -> float:
    """The cover of an order placed at the end of ``week``: ``usual``, and the newsvendor's in the last round of the challenge."""
    return NEWSVENDOR if week == LAST_ROUND else usual


def read(path: str) -> pd.DataFrame:
    """Parquet, or CSV."""
    return pd.read_parquet(path) if str(path).endswith(".parquet") else pd.read_csv(path, parse_dates=None)


def checked(state: pd.DataFrame, sales: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with what is needed; SystemExit with a clear word otherwise."""
    for name, table, needed in (
        ("STATE", state, ["Store", "Product", "order", "End Inventory", "In Transit W+1", "In Transit W+2"]),
        ("SALES", sales, ["Store", "Product", "ds", "y"]),
    ):
        absent = [c for c in needed if c not in table.columns]
        if absent:
            raise SystemExit(f"{name} has no column {', '.join(absent)}; see --help for the format")
    sales = sales.assign(ds=pd.to_datetime(sales["ds"]))
    if "in_stock" not in sales.columns:
        sales = sales.assign(in_stock=True)
    if sales.duplicated(["Store", "Product", "ds"]).any():
        raise SystemExit("SALES has two rows for one pair and week; keep one")
    numbers = state[["End Inventory", "In Transit W+1", "In Transit W+2"]].apply(pd.to_numeric, errors="coerce")
    wrong = ~((numbers >= 0) & np.isfinite(numbers)).all(axis=1)
    if wrong.any():
        raise SystemExit(f"STATE: stock or transit is no number of zero or more for {_named(state[wrong])}")
    if (twice := state.duplicated(["Store", "Product"])).any():
        raise SystemExit(f"STATE names a pair twice: {_named(state[twice])}; keep one row a pair")
    known = pd.MultiIndex.from_frame(sales[["Store", "Product"]])
    unknown = ~pd.MultiIndex.from_frame(state[["Store", "Product"]]).isin(known)
    if unknown.any():
        raise SystemExit(f"SALES has no row of {_named(state[unknown])}; give at least one week of zero")
    if "Department" not in state.columns:
        state = state.assign(Department=0)
    return state.sort_values("order", ignore_index=True), sales


def _named(rows: pd.DataFrame) -> str:
    """Some pairs in words."""
    first = ", ".join(f"store {a} product {b}" for a, b in zip(rows["Store"][:3], rows["Product"][:3], strict=True))
    return first + (f" and {len(rows) - 3} more" if len(rows) > 3 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state")
    parser.add_argument("sales")
    parser.add_argument("out")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    state, history = checked(read(options.state), read(options.sales))
    sales, _ = sales_of(history, state)
    arriving = state[["In Transit W+1", "In Transit W+2"]].to_numpy(float)
    stock = Stock(state["End Inventory"].to_numpy(float), arriving, np.zeros(len(state)))
    learned = json.loads(LEARNED.read_text(encoding="utf-8"))
    spread = Spread(*(tuple(learned[name]) for name in ("log_mean", "total", "shared")))
    means = Demand(sales).means(sales)
    cover = cover_after(history["ds"].max(), float(learned["cover"]))
    quantity = decided(sample_paths(sales, means, spread), stock, cover)
    out = state[["Store", "Product"]].assign(quantity=np.round(quantity).astype(int))
    if options.out.endswith(".parquet"):
        out.to_parquet(options.out, index=False)
    else:
        out.to_csv(options.out, index=False)


if __name__ == "__main__":
    main()

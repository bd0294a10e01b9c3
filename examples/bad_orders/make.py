"""Make orders.csv: two thousand orders of a made-up shop with a dozen faults planted, to try audit and clean on.

python examples/bad_orders/make.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 2000
CITIES = {
    "1010": "Wien", "2500": "Baden", "2700": "Wiener Neustadt", "3100": "Sankt Pölten", "4020": "Linz", "4400": "Steyr",
    "4600": "Wels", "5020": "Salzburg", "6020": "Innsbruck", "6800": "Feldkirch", "6850": "Dornbirn", "6900": "Bregenz",
    "7000": "Eisenstadt", "8010": "Graz", "8700": "Leoben", "9020": "Klagenfurt", "9500": "Villach", "9800": "Spittal",
}  # fmt: skip


def orders() -> pd.DataFrame:
    """The table, faults and all."""
    rng = np.random.default_rng(7)
    ordered = pd.Timestamp("2025-01-01") + pd.to_timedelta(
        np.sort(rng.uniform(0, 365 * 24 * 60, ROWS)).round(), unit="min"
    )
    days = rng.gamma(4, 0.8, ROWS).round(1)
    zips = rng.choice(list(CITIES), ROWS)
    weight = rng.lognormal(1.2, 0.5, ROWS).round(2)
    carrier = rng.choice(["post", "courier", "pickup"], ROWS, p=[0.6, 0.3, 0.1])
    late = (days + 0.35 * weight + 1.5 * (carrier == "post") + rng.normal(0, 1, ROWS) > 6).astype(int)
    table = pd.DataFrame(
        {
            "order_id": np.arange(10_001, 10_001 + ROWS),
            "ordered_at": ordered.strftime("%Y-%m-%d %H:%M"),
            "zip": zips,
            "city": [CITIES[z] for z in zips],
            "weight_kg": weight,
            "length_cm": (18 * np.cbrt(weight) * rng.lognormal(0, 0.08, ROWS)).round(1),
            "carrier": carrier,
            "items": rng.poisson(2, ROWS) + 1,
            "late": late,
        }
    ).astype({"weight_kg": object, "ordered_at": object})

    def some(share: float) -> np.ndarray:
        return np.flatnonzero(rng.random(ROWS) < share)

    table.loc[some(0.03), "weight_kg"] = -999
    table.loc[some(0.01), "weight_kg"] = "n/a"
    table.loc[some(0.03), "carrier"] = "Post"
    table.loc[some(0.02), "carrier"] = " post"
    table.loc[some(0.005), "carrier"] = "curier"
    elsewhere = some(0.015)
    table.loc[elsewhere, "city"] = rng.choice(list(CITIES.values()), len(elsewhere))
    inches = some(0.03)
    table.loc[inches, "length_cm"] = (table.loc[inches, "length_cm"] / 2.54).round(1)
    table.loc[some(0.01), "ordered_at"] = "1900-01-01 00:00"
    return pd.concat([table, table.iloc[rng.choice(ROWS, 40, replace=False)]], ignore_index=True)


if __name__ == "__main__":
    orders().to_csv(Path(__file__).with_name("orders.csv"), index=False)

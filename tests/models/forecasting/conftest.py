"""Made-up panels whose truth is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from holdgood.core.panel import Future, Panel


def panel_of(series, *, frequency="MS", seasons=(12,), start="2015-01", unit="M", **more):
    """A panel from a list of arrays; times by ``unit`` from ``start``."""
    lengths = [len(s) for s in series]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ds = np.concatenate([np.datetime64(start, unit) + np.arange(n) for n in lengths]) if lengths else np.empty(0)
    ids = np.array([f"s{i}" for i in range(len(series))])
    return Panel(ids, indptr, ds.astype("M8[us]"), np.concatenate(series).astype(float), frequency, seasons, **more)


def shops(n=20, length=96, seed=0):
    """Monthly sales of ``n`` shops of very different size: a season, a promotion that doubles sales, a region that halves them.

    Length is shorter for some; the promotion is known ahead.
    """
    rng = np.random.default_rng(seed)
    series, promotion, region = [], [], rng.integers(0, 2, n).astype(float)
    for i in range(n):
        months = length - 24 * (i % 2)
        on = (rng.random(months) < 0.2).astype(float)
        season = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(months) + 12 * length - months) / 12)
        level = 10.0 ** rng.uniform(1, 4) * (1 - 0.5 * region[i])
        series.append(level * season * (1 + on) * rng.gamma(400, 1 / 400, months))
        promotion.append(on)
    return panel_of(
        series,
        known={"promotion": np.concatenate(promotion)},
        static={"region": region},
        categories=frozenset(["region"]),
    )


def cut(panel, horizon):
    """History, outcomes and what is known of the last ``horizon`` steps."""
    outcome, future = panel.ahead(horizon, horizon)
    return panel.until(horizon), outcome, future


def ahead_of(panel, horizon, unit="M"):
    """A future without covariates, behind the end of each series."""
    last = panel.ds[panel.indptr[1:] - 1].astype(f"M8[{unit}]")
    return Future((last[:, None] + np.arange(1, horizon + 1)[None, :]).astype("M8[us]"))


@pytest.fixture(scope="session")
def made():
    """The functions of this file."""
    return SimpleNamespace(panel_of=panel_of, shops=shops, cut=cut, ahead_of=ahead_of)

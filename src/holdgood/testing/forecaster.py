"""The contract of a forecasting family. A new family is done when ``check_forecaster_family`` is silent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Distributional, Forecaster, ForecasterFamily, PanelContext
from holdgood.testing.model import through_disk

HORIZON = 4
SEASON = 4
_DAY = np.timedelta64(1, "D")


def check_forecaster_family(
    family: Any, lighter: Mapping[str, Any] | None = None, *, intermittent: bool = False
) -> None:
    """Hold every configuration of a family to the contract; AssertionError says what broke.

    Uses only small panels that it makes itself: smooth ones with a season, or ones of intermittent demand. ``lighter``
    parameters replace those of each configuration where a family is slow.
    """
    assert family.name, "a family needs a name"
    assert 0 <= family.rung <= 9, "a rung is a small whole number, simplest first"
    panel = made_up_demand() if intermittent else made_up()
    named = family.configurations(panel, HORIZON)
    assert named, "no configuration"
    assert len({n for n, _ in named}) == len(named), "two configurations of one name"
    for name, parameters in named:
        assert json.loads(json.dumps(dict(parameters))) == dict(parameters), "parameters are not plain JSON"
        make = partial(family.make, dict(parameters) | dict(lighter or {}))
        first = name == named[0][0]
        try:
            for check in (check_bits, check_learning) if not first else ALL:
                check(family, panel, make)
        except AssertionError as error:
            raise AssertionError(f"configuration {name!r}: {error}") from error


def made_up(seed: int = 0, series: int = 6, steps: int = 60) -> Panel:
    """Positive series of different lengths on a daily grid: level, slow trend, a season of four, noise; a known and a static column."""
    rng = np.random.default_rng(seed)
    lengths = [steps - 3 * i for i in range(series)]
    wave = np.array([1.0, 1.3, 0.9, 0.8])
    values = []
    for i, n in enumerate(lengths):
        time = np.arange(steps - n, steps)
        values.append((100 + 10 * i + 0.4 * time) * wave[time % SEASON] * (1 + 0.03 * rng.normal(size=n)))
    return panel_of(values, seasons=(SEASON,))


def made_up_demand(seed: int = 0, series: int = 6, steps: int = 80) -> Panel:
    """Intermittent counts: demand in one step of three, between one and nine."""
    rng = np.random.default_rng(seed)
    values = [np.where(rng.random(steps - i) < 0.35, rng.integers(1, 10, steps - i), 0.0) for i in range(series)]
    return panel_of(values, seasons=(1,))


def panel_of(values: list[np.ndarray], seasons: tuple[int, ...] = (1,)) -> Panel:
    """Series on a daily grid that end on the same day, named s0, s1, …; arrays cannot be written to."""
    lengths = np.array([len(v) for v in values])
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    longest = int(lengths.max())
    back = np.concatenate([np.arange(longest - n, longest) for n in lengths])
    ds = np.datetime64("2024-01-01", "us") + back * _DAY.astype("m8[us]")
    panel = Panel(
        ids=np.array([f"s{i}" for i in range(len(values))]),
        indptr=indptr,
        ds=ds,
        y=np.concatenate(values).astype(np.float64),
        frequency="D",
        seasons=seasons,
        known={"day": (back % 7).astype(np.float64)},
        static={"kind": np.arange(len(values), dtype=np.float64) % 2},
        categories=frozenset({"kind"}),
    )
    for array in (panel.y, panel.ds, panel.indptr, panel.known["day"], panel.static["kind"]):
        array.setflags(write=False)
    return panel


def next_steps(panel: Panel, steps: int) -> Future:
    """The steps after the end of each series, with the known column."""
    last = np.array([panel.ds[e - 1] if e > b else panel.ds[-1] for b, e in zip(panel.indptr[:-1], panel.indptr[1:])])
    ds = last[:, None] + np.arange(1, steps + 1)[None, :] * _DAY.astype("m8[us]")
    days = (ds - np.datetime64("2024-01-01", "us")) // _DAY
    return Future(ds, {"day": (days % 7).astype(np.float64)})


def check_bits(family: ForecasterFamily, panel: Panel, make: Callable[[], Forecaster]) -> None:
    """To the bit: a series alone or among others, the first steps of a longer forecast, through parts, the same seed again."""
    context = PanelContext(HORIZON, seed=5)
    old = panel.until(HORIZON)
    _, future = panel.ahead(HORIZON, HORIZON)
    model = make().fit(old, context)
    answers = model.predict(old, future)
    _well_formed(answers, len(old), HORIZON)
    for rows in (np.array([0]), np.array([4, 2])):
        alone = model.predict(old.take(rows), future.take(rows))
        assert np.array_equal(alone, answers[rows]), "a series alone gets another answer than among others"
    assert np.array_equal(model.predict(old, future.first(2)), answers[:, :2]), (
        "the first steps of a longer forecast differ"
    )
    assert np.array_equal(make().fit(old, context).predict(old, future), answers), "the same seed gives other answers"
    rebuilt = cast("Forecaster", type(model).from_parts(through_disk(model.to_parts())))
    assert rebuilt.part == model.part, "parts rebuild under another name"
    assert np.array_equal(rebuilt.predict(old, future), answers), "parts rebuild to other answers"
    assert rebuilt.failed == model.failed, "parts forget which series failed"
    if family.local:
        one = make().fit(old.take(np.array([1])), context).predict(old.take(np.array([1])), future.take(np.array([1])))
        assert np.array_equal(one, answers[1:2]), "a local family's fit of one series depends on the others"


def check_later(family: ForecasterFamily, panel: Panel, make: Callable[[], Forecaster]) -> None:
    """Answers from later history without refitting, follows it, reads it through a gap, and only needs its end."""
    context = PanelContext(HORIZON)
    old = panel.until(3 * HORIZON)
    model = make().fit(old, context)
    before = model.predict(old, next_steps(old, HORIZON))
    after = model.predict(panel, next_steps(panel, HORIZON))
    _well_formed(after, len(panel), HORIZON)
    raised = panel.y.copy()
    for end in panel.indptr[1:]:
        raised[end - 3 * HORIZON : end] *= 5
    high = model.predict(panel.with_y(raised), next_steps(panel, HORIZON))
    assert high.mean() > 1.2 * after.mean(), "five times the demand since the fit does not raise the forecast"
    gaps = panel.y.copy()
    for end in panel.indptr[1:]:
        gaps[end - HORIZON - 1 : end - 1] = np.nan
    _well_formed(model.predict(panel.with_y(gaps), next_steps(panel, HORIZON)), len(panel), HORIZON)
    assert np.array_equal(model.predict(old, next_steps(old, HORIZON)), before), "an answer changes the forecaster"


def check_odd_series(family: ForecasterFamily, panel: Panel, make: Callable[[], Forecaster]) -> None:
    """Finite for constant, zero, single, short, gappy, huge, tiny and negative series; others beside them answer as if alone."""
    usual = [v[-40:] for v in panel.until(HORIZON).series()][:2]
    gappy = usual[0].copy()
    gappy[5:9], gappy[:2], gappy[-3:] = np.nan, np.nan, np.nan
    odd = [
        np.full(30, 7.0),
        np.zeros(30),
        np.array([3.0]),
        np.array([3.0, 5.0]),
        np.array([4.0, 0.0, 6.0]),
        usual[1][:5],
        gappy,
        usual[0] * 1e12,
        usual[0] * 1e-9,
        -usual[0],
        np.r_[np.zeros(29), 5.0],
        np.tile(usual[0], 12),
    ]
    mixed = panel_of([*usual, *odd, np.full(20, np.nan)], panel.seasons)
    model = make().fit(mixed, PanelContext(HORIZON))
    answers = model.predict(mixed, next_steps(mixed, HORIZON))
    assert answers.shape == (len(mixed), HORIZON), f"answers of shape {answers.shape}"
    bad = np.flatnonzero(~np.isfinite(answers[:-1]).all(axis=1))
    assert not len(bad), f"answers that are missing or infinite for series {bad.tolist()} of the odd ones"
    assert set(model.failed) <= set(mixed.ids.tolist()), "a failure of a series that is not there"
    assert "s2" not in model.failed and "s3" not in model.failed, "a constant series is no failure"
    assert abs(answers[2] - 7).max() < 1 and abs(answers[3]).max() < 1, "a constant series is not continued"
    if family.local:
        alone = panel_of(usual, panel.seasons)
        plain = make().fit(alone, PanelContext(HORIZON)).predict(alone, next_steps(alone, HORIZON))
        assert np.array_equal(plain, answers[:2]), "an odd series changes the answers of others"
    rebuilt = cast("Forecaster", type(model).from_parts(through_disk(model.to_parts())))
    again = rebuilt.predict(mixed, next_steps(mixed, HORIZON))
    assert np.array_equal(again, answers, equal_nan=True), "parts rebuild to other answers"


def check_new_series(family: ForecasterFamily, panel: Panel, make: Callable[[], Forecaster]) -> None:
    """A series that the fit has not seen gets a finite answer; a local family that learns names it as failed."""
    old = panel.until(HORIZON)
    model = make().fit(old, PanelContext(HORIZON))
    stranger = replace(old, ids=np.array([*old.ids[:-1], "stranger"]))
    _well_formed(model.predict(stranger, next_steps(stranger, HORIZON)), len(old), HORIZON)
    if family.local and family.rung > 1:
        assert "stranger" in model.failed, "an unknown series is not named"


def check_no_time(family: ForecasterFamily, panel: Panel, make: Callable[[], Forecaster]) -> None:
    """With no time at all: a finite answer; a local family that learns names every series."""
    old = panel.until(HORIZON)
    model = make().fit(old, PanelContext(HORIZON, seconds=0.0))
    _well_formed(model.predict(old, next_steps(old, HORIZON)), len(old), HORIZON)
    if family.local and family.rung > 1:
        assert set(model.failed) == set(old.ids.tolist()), "series without their time are not named"


def check_learning(family: ForecasterFamily, panel: Panel, make: Callable[[], Forecaster]) -> None:
    """Beats the last value (not asked of rung 0) on several such panels, and does not where there is nothing to know."""
    if family.rung == 0:
        return
    mine, naive = 0.0, 0.0
    for steps in (0, 5, 10):
        known = panel.until(steps)
        truth, future = known.ahead(HORIZON, HORIZON)
        old = known.until(HORIZON)
        answers = make().fit(old, PanelContext(HORIZON)).predict(old, future)
        mine += float(np.mean((answers - truth) ** 2))
        naive += float(np.mean((old.tail(1) - truth) ** 2))
    assert mine < naive, f"no better than the last value: {mine / naive:.2f} of its squared error"


def check_sample(family: ForecasterFamily, panel: Panel, make: Callable[[], Forecaster]) -> None:
    """A forecaster with a distribution of its own: finite joint paths, the same for a seed, around the point forecast."""
    old = panel.until(HORIZON)
    model = make().fit(old, PanelContext(HORIZON))
    if not isinstance(model, Distributional):
        return
    future = next_steps(old, HORIZON)
    paths = model.sample(old, future, 200, 3)
    assert paths.shape == (len(old), 200, HORIZON), f"paths of shape {paths.shape}"
    assert np.isfinite(paths).all(), "paths that are missing or infinite"
    assert np.array_equal(model.sample(old, future, 200, 3), paths), "the same seed gives other paths"
    assert (paths.std(axis=1) > 0).any(), "all paths are one"
    point = cast("Forecaster", model).predict(old, future)
    inside = (np.quantile(paths, 0.02, axis=1) <= point) & (point <= np.quantile(paths, 0.98, axis=1))
    assert inside.mean() > 0.7, "the point forecast lies outside its own paths"


ALL = (check_bits, check_later, check_odd_series, check_new_series, check_no_time, check_learning, check_sample)


def _well_formed(answers: np.ndarray, series: int, horizon: int) -> None:
    assert answers.shape == (series, horizon), f"answers of shape {answers.shape}, not {(series, horizon)}"
    assert answers.dtype == np.float64, f"answers of type {answers.dtype}"
    assert np.isfinite(answers).all(), "answers that are missing or infinite"

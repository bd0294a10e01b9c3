"""Errors in time and of instruments: gaps, shifted clocks, stale feeds, breaks, drift; stuck, spiking, saturated sensors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from case import Case, NotPlantable, Timed, some
from kind import Kind, Strength, Truth, share, stretch
from prepare import dated

GROUP = "time"


def _clock(case: Case, rng: np.random.Generator, *, hourly: bool = False) -> Timed:
    clocks = [t for t in case.known.timed if not hourly or _step(case, t) <= pd.Timedelta(hours=6)]
    return some(clocks, rng, "no table with a clock of some hours" if hourly else "no table with a clock")


def _series(case: Case, clock: Timed, rng: np.random.Generator) -> np.ndarray:
    """Positions of one series, in the order of time."""
    frame = case.tables[clock.table]
    rows = np.arange(len(frame))
    for column in clock.series:
        rows = rows[frame[column].to_numpy()[rows] == rng.choice(np.unique(frame[column].to_numpy()[rows]))]
    return rows[np.argsort(frame[clock.time].to_numpy()[rows], kind="stable")]


def _step(case: Case, clock: Timed) -> pd.Timedelta:
    frame = case.tables[clock.table]
    times = frame.groupby(list(clock.series))[clock.time].diff() if clock.series else frame[clock.time].diff()
    return times.dropna().mode().iloc[0]


def gaps(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Rows of one stretch of time are not there (in every series). Weak 0.3%, middle 2%, strong 10% of the moments."""
    clock = _clock(case, rng)
    frame = case.frame(clock.table)
    moments = np.sort(frame[clock.time].unique())
    gone = moments[stretch(len(moments), share(strength, 0.003, 0.02, 0.10), rng, fewest=2)]
    case.put(clock.table, frame[~frame[clock.time].isin(gone)])
    return Truth(clock.table, (clock.time,), (), {"moments": len(gone)}, level="table", size=len(gone))


def irregular(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Some moments lie up to half a step beside the clock. Weak 0.3%, middle 3%, strong 20% of the rows."""
    clock = _clock(case, rng)
    frame = case.frame(clock.table)
    step = _step(case, clock)
    rows = np.sort(
        rng.choice(len(frame), max(2, round(share(strength, 0.003, 0.03, 0.20) * len(frame))), replace=False)
    )
    off = (rng.uniform(0.05, 0.45, len(rows)) * rng.choice([-1, 1], len(rows)) * step.total_seconds()).round()
    times = frame[clock.time].to_numpy().astype("datetime64[us]")
    times[rows] += (off * 1e6).astype("timedelta64[us]")
    frame[clock.time] = times
    case.put(clock.table, frame)
    return Truth(clock.table, (clock.time,), rows, level="table")


def zone_shift(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """The times of one stretch are in another zone. Weak 3% of the moments by 1 step, middle 10% by 2 to 3 hours, strong 30% by
    5 to 9 hours (always whole steps).
    """
    clock = _clock(case, rng, hourly=True)
    frame = case.frame(clock.table)
    step = _step(case, clock).total_seconds() / 3600
    hours = {"weak": 1, "middle": int(rng.integers(2, 4)), "strong": int(rng.integers(5, 10))}[strength]
    shift = max(1, round(hours / step)) * step * int(rng.choice([-1, 1]))
    moments = np.sort(frame[clock.time].unique())
    which = moments[stretch(len(moments), share(strength, 0.03, 0.10, 0.30), rng)]
    rows = np.flatnonzero(frame[clock.time].isin(which))
    times = frame[clock.time].to_numpy().astype("datetime64[us]")
    times[rows] += np.timedelta64(round(shift * 3600 * 1e6), "us")
    frame[clock.time] = times
    case.put(clock.table, frame)
    return Truth(clock.table, (clock.time,), rows, {"hours": shift}, level="table")


ZONES = ("Europe/Paris", "America/New_York", "Australia/Melbourne", "America/Sao_Paulo")


def daylight(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Times written in a local clock without saying so: an hour twice in autumn, none in spring. Strong: every change of the
    clock in the table; middle: one change; weak: one change, in one series where there are several.
    """
    clock = _clock(case, rng, hourly=True)
    frame = case.frame(clock.table)
    times = frame[clock.time].astype("datetime64[us]")
    if _step(case, clock) > pd.Timedelta(hours=1):
        raise NotPlantable("a step of more than an hour hides a change of one hour in the rounding")
    zones = [z for z in ZONES if len(_changes(times, z))]
    zone = some(zones, rng, "no change of the clock within these dates")
    changes = _changes(times, zone)
    at = times
    if strength != "strong":
        change = some(list(changes), rng, "")
        at = times.clip(change - pd.Timedelta(days=20), change + pd.Timedelta(days=20))
    local = times + (at.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None) - at)
    rows = np.arange(len(frame))
    if strength == "weak" and clock.series:
        rows = _series(case, clock, rng)
        steady = times + (local.iloc[0] - times.iloc[0])
        local = local.where(np.isin(np.arange(len(frame)), rows), steady)
    frame[clock.time] = local.astype("datetime64[us]")
    case.put(clock.table, frame)
    return Truth(clock.table, (clock.time,), rows, {"zone": zone, "changes": len(changes)}, level="table")


def _changes(times: pd.Series, zone: str) -> pd.DatetimeIndex:
    """When the clock of a zone changes within the times, not within two days of their ends."""
    days = pd.date_range(times.min() + pd.Timedelta(days=2), times.max() - pd.Timedelta(days=2), freq="h", tz="UTC")
    offset = (
        np.array([d.utcoffset().total_seconds() for d in days.tz_convert(zone)]) if len(days) < 40_000 else np.zeros(0)
    )
    at = np.flatnonzero(np.diff(offset)) + 1
    return days[at].tz_localize(None)


def stale(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A feed ends before the table that it joins, or before a declared freshness. Weak 1.25, middle 3.5, strong 15 times what is
    allowed (two days, or two steps of the clock where that is more).
    """
    clock = _clock(case, rng)
    frame = case.frame(clock.table)
    days = share(strength, 1.25, 3.5, 15.0) * _allowed(case, clock)
    end = frame[clock.time].max()
    case.put(clock.table, frame[frame[clock.time] <= end - pd.Timedelta(days=days)])
    return Truth(clock.table, (clock.time,), (), {"days": days}, level="table")


def _allowed(case: Case, clock: Timed) -> int:
    """Days that a feed may be old."""
    return max(2, 2 * round(_step(case, clock).total_seconds() / 86400))


def fresh(case: Case, rng: np.random.Generator) -> None:
    """A single feed is moved to end now, with a freshness of two days declared; several tables stay as they are."""
    if len(case.tables) > 1 or not case.known.timed:
        return
    clock = case.known.timed[0]
    frame = case.frame(clock.table)
    move = pd.Timestamp.now("UTC").tz_localize(None).floor("D") - frame[clock.time].max().floor("D")
    frame[clock.time] = (frame[clock.time] + move).astype("datetime64[us]")
    case.put(clock.table, frame)
    case.spec(clock.table)["fresh"] = f"{_allowed(case, clock)} days"


def regime_break(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """From one moment on a reading lies higher or lower, for good. Weak 0.5, middle 1.5, strong 3 standard deviations."""
    clock = _clock(case, rng)
    column = some(clock.readings, rng, "no reading")
    frame = case.frame(clock.table)
    values = frame[column].astype(float)
    size = share(strength, 0.5, 1.5, 3.0) * float(values.std()) * float(rng.choice([-1, 1]))
    start = frame[clock.time].quantile(rng.uniform(0.3, 0.7))
    rows = np.flatnonzero(frame[clock.time] >= start)
    values.iloc[rows] += size
    frame[column] = values.round(_decimals(frame[column]))
    case.put(clock.table, frame)
    return Truth(clock.table, (column,), rows, {"from": str(start), "size": size})


def drift_halfway(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """From the middle of the table's time on a column changes bit by bit: a number by up to 0.4 (weak), 1 (middle), 2 (strong)
    standard deviations at the end; or a category takes over 5, 20, 50% of the other rows at the end.
    """
    table, time = case.known.dates[0]
    frame = case.frame(table)
    place = np.argsort(np.argsort(frame[time].to_numpy(), kind="stable"), kind="stable") / max(1, len(frame) - 1)
    ramp = np.clip((place - 0.5) / 0.5, 0.0, 1.0)
    free = case.free()
    columns = [c for c in frame.columns if (table, c) in free and c != time and not frame[c].isna().any()]
    number = [c for c in columns if pd.api.types.is_numeric_dtype(frame[c]) and frame[c].nunique() > 20]
    words = [c for c in columns if frame[c].dtype == object and 3 <= frame[c].nunique() <= 50]
    column = some([*number, *words], rng, "no column that could drift")
    if column in number:
        size = share(strength, 0.4, 1.0, 2.0) * float(frame[column].std()) * float(rng.choice([-1, 1]))
        frame[column] = (frame[column] + ramp * size).round(_decimals(frame[column]))
    else:
        size = share(strength, 0.05, 0.20, 0.50)
        level = rng.choice(frame[column].value_counts().index[:5])
        frame.loc[rng.random(len(frame)) < size * ramp, column] = level
    case.put(table, frame)
    return Truth(table, (column,), np.flatnonzero(ramp > 0), {"size": size})


def _decimals(values: pd.Series) -> int:
    """How many decimals a column is rounded to, at most six."""
    sample = values.dropna().to_numpy(float)[:500]
    return next((d for d in range(6) if np.allclose(sample, np.round(sample, d), atol=1e-9)), 6)


def _reading(case: Case, rng: np.random.Generator) -> tuple[Timed, str, pd.DataFrame, np.ndarray]:
    clocks = [t for t in case.known.timed if t.readings and len(case.tables[t.table]) >= 1000]
    clock = some(clocks, rng, "no readings of an instrument over time")
    rows = _series(case, clock, rng)
    if len(rows) < 1000:
        raise NotPlantable("no series of a thousand readings")
    return clock, some(clock.readings, rng, ""), case.frame(clock.table), rows


def stuck(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A sensor repeats its last reading. Weak 0.5% of a series in one stretch, middle 2%, strong 8%."""
    clock, column, frame, rows = _reading(case, rng)
    at = rows[stretch(len(rows), share(strength, 0.005, 0.02, 0.08), rng)]
    values = frame[column].astype(float)
    seen = values.iloc[at].dropna()
    if seen.empty:
        raise NotPlantable("the stretch drawn has no reading")
    values.iloc[at] = float(seen.iloc[0])
    frame[column] = values
    case.put(clock.table, frame)
    return Truth(clock.table, (column,), at)


def spike(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """Single readings far off. Weak 0.1% of a series by 3 times the column's range between quartiles, middle 0.3% by 6, strong 1%
    by 12; up or down.
    """
    clock, column, frame, rows = _reading(case, rng)
    n = max(2, round(share(strength, 0.001, 0.003, 0.01) * len(rows)))
    at = np.sort(rng.choice(rows, n, replace=False))
    values = frame[column].astype(float)
    wide = float(values.quantile(0.75) - values.quantile(0.25))
    off = share(strength, 3.0, 6.0, 12.0) * wide * rng.choice([-1, 1], n) * rng.uniform(0.8, 1.2, n)
    values.iloc[at] += off
    frame[column] = values.round(_decimals(frame[column]))
    case.put(clock.table, frame)
    return Truth(clock.table, (column,), at)


def saturated(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """A sensor that cannot read beyond a bound: what lies above stands at it. Weak 1%, middle 7%, strong 20% of the readings."""
    clock, column, frame, _ = _reading(case, rng)
    values = frame[column].astype(float)
    bound = float(values.quantile(1 - share(strength, 0.01, 0.07, 0.20)))
    at = np.flatnonzero(values > bound)
    frame[column] = values.clip(upper=bound)
    case.put(clock.table, frame)
    return Truth(clock.table, (column,), at, {"bound": bound})


def sensor_drift(case: Case, strength: Strength, rng: np.random.Generator) -> Truth:
    """One sensor creeps away over its last third. By its end weak 0.5, middle 1.5, strong 3 standard deviations."""
    clock, column, frame, rows = _reading(case, rng)
    values = frame[column].astype(float)
    late = rows[int(len(rows) * 2 / 3) :]
    size = share(strength, 0.5, 1.5, 3.0) * float(values.std()) * float(rng.choice([-1, 1]))
    values.iloc[late] += np.linspace(0.0, size, len(late))
    frame[column] = values.round(_decimals(frame[column]))
    case.put(clock.table, frame)
    return Truth(clock.table, (column,), late, {"size": size})


KINDS = (
    Kind("gaps", gaps, ("AUD032",), ("AUD033", "AUD034"), clocked=True, group=GROUP),
    Kind("irregular", irregular, ("AUD032",), ("AUD033",), clocked=True, group=GROUP),
    Kind("zone_shift", zone_shift, ("AUD033",), ("AUD004", "AUD030", "AUD032", "AUD035"), clocked=True, group=GROUP),
    Kind("daylight_saving", daylight, ("AUD033",), ("AUD004", "AUD030", "AUD032"), clocked=True, group=GROUP),
    Kind("stale_feed", stale, ("AUD034",), ("AUD032",), prepare=fresh, declared=True, clocked=True, group=GROUP),
    Kind("regime_break", regime_break, ("AUD035",), ("AUD036", "AUD027"), clocked=True, group=GROUP,
         blind="half a standard deviation is less than the weather moves by itself"),
    Kind("drift_halfway", drift_halfway, ("AUD036",), ("AUD035", "AUD027"), prepare=dated, clocked=True, group=GROUP,
         blind="a slow change of less than the season's own cannot be told from a season without more years"),
    Kind("sensor_stuck", stuck, ("AUD027",), ("AUD035",), clocked=True, group="sensors"),
    Kind("sensor_spike", spike, ("AUD027",), ("AUD028",), clocked=True, group="sensors"),
    Kind("sensor_saturated", saturated, ("AUD027",), ("AUD028",), clocked=True, group="sensors"),
    Kind("sensor_drift", sensor_drift, ("AUD027",), ("AUD035", "AUD036"), clocked=True, group="sensors",
         blind="a single sensor that creeps less than its season does needs a second sensor to be told"),
)  # fmt: skip

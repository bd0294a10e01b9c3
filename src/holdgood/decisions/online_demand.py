"""What demand of each item may do next, learned one step at a time: a mixture of ways in which demand behaves.

Each way (a level that holds, a trend, a return to a mean, a level that wanders slowly or fast, a season of unknown length) stands on the
scale of units and on the scale of logs. Its weight is its evidence, older evidence forgotten at a constant rate (Raftery, Karny
and Ettler, 2010, dynamic model averaging); within it every start of a new stretch is weighed (segment_regressions.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DataError
from holdgood.decisions.segment_regressions import SegmentRegressions

Array = np.ndarray


@dataclass(frozen=True)
class Habits:
    """What is held before the first figure. hazard: chance a step of a new stretch. forget: share of the log evidence that stays a step.
    loose: prior variance of a level over that of the noise. noise: prior guess of the noise as a share of the level, worth ``worth``
    observations. wander: gains of the levels that wander. periods: lengths of a season. seasonal: prior weight of all seasons together. log: prior weight
    of the log scale. jump: size of an unforeseen change in a drawn future, in noises.
    """

    hazard: float = 0.03
    forget: float = 0.98
    loose: float = 10.0
    noise: float = 0.3
    worth: float = 4.0
    wander: tuple[float, ...] = (0.2, 0.5, 0.9)
    periods: tuple[int, ...] = (4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25)
    seasonal: float = 0.2
    log: float = 0.5
    jump: float = 2.0


class DemandBelief:
    """Belief about n items that do not know of each other.

    history (n, k): demand before the first step, oldest first, k >= 1.
    """

    def __init__(self, history: Array, habits: Habits | None = None) -> None:
        history = np.asarray(history, float)
        if history.ndim != 2 or history.shape[1] < 1 or np.isnan(history).any() or (history < 0).any():
            raise DataError(
                f"history of shape {history.shape}", "one or more demands of zero or more for each item", "fill it"
            )
        self.habits = habits or Habits()
        self.scale = history.mean(1) + 1.0
        self.step = 0
        self.highest = history.max(1)
        self._ways = [_Scale(self, logs, history) for logs in (False, True)]
        prior = self._prior()
        self.log_weight = np.broadcast_to(np.log(prior), (len(history), len(prior))).copy()
        for column in history.T:
            self.update(column)

    def _prior(self) -> Array:
        h = self.habits
        parts = []
        for share, way in zip((1 - h.log, h.log), self._ways, strict=True):
            plain, seasons = len(way.gains), len(h.periods)
            weights = np.concatenate(
                [np.full(plain, (1 - h.seasonal) / plain), np.full(seasons, h.seasonal / max(1, seasons))]
            )
            parts.append(share * weights / weights.sum())
        return np.concatenate(parts)

    def update(self, demand: Array) -> Array:
        """Learn the demand of a step, (n,). Returns its log density as it was foreseen, (n,)."""
        demand = np.asarray(demand, float)
        if not (np.isfinite(demand) & (demand >= 0)).all():
            raise DataError(f"demand {demand.ravel()[:5].tolist()}", "numbers of zero or more", "correct it")
        density = np.concatenate([way.update(demand) for way in self._ways], 1)
        joint = self.log_weight + density
        top = joint.max(1, keepdims=True)
        total = np.log(np.exp(joint - top).sum(1)) + top[:, 0]
        kept = self.habits.forget * (joint - total[:, None])
        kept -= kept.max(1, keepdims=True)
        self.log_weight = kept - np.log(np.exp(kept).sum(1, keepdims=True))
        self.highest = np.maximum(self.highest, demand)
        self.step += 1
        return np.asarray(total)

    def expected_above(self, least: Array, size: int, rng: np.random.Generator) -> Array:
        """Mean demand of the next step where it is at least ``least``, (n,); where no drawn future goes so high, ``least``."""
        drawn = self.paths(1, size, rng)[:, :, 0]
        above = drawn >= least[:, None]
        mean = np.where(above, drawn, 0.0).sum(1) / np.maximum(above.sum(1), 1)
        return np.asarray(np.where(above.any(1), mean, least))

    def paths(self, steps: int, size: int, rng: np.random.Generator) -> Array:
        """Joint futures, (n, size, steps): demand of the next steps, a way drawn for each path."""
        n = len(self.scale)
        cumulative = np.cumsum(np.exp(self.log_weight), 1)
        cumulative /= cumulative[:, -1:]
        # One uniform number a stratum: the shares of the ways in the sample are as near their weights as can be.
        u = (np.arange(size) + rng.random((n, size))) / size
        way = (cumulative[:, None, :] < u[..., None]).sum(-1)
        half = len(self._ways[0].all_kinds)
        out = np.empty((n, size, steps))
        item = np.broadcast_to(np.arange(n)[:, None], (n, size))
        for which, scale in enumerate(self._ways):
            mine = (way >= half) == bool(which)
            out[mine] = scale.paths(item[mine], way[mine] - half * which, steps, rng)
        order = rng.permuted(np.broadcast_to(np.arange(size), (n, size)), axis=1)
        return np.asarray(np.take_along_axis(out, order[..., None], 1))


class _Scale:
    """All ways on one scale: units over the first mean, or logs."""

    def __init__(self, belief: DemandBelief, logs: bool, history: Array) -> None:
        h = belief.habits
        self.belief, self.logs = belief, logs
        n = len(history)
        z = self.there(history)
        wander = list(h.wander)
        # Kinds: level, trend, return to a mean, wandering levels, a wandering level with a damped trend; then seasons.
        self.gains = np.array([0.0, 0.0, 0.0, *wander, 0.5])
        self.slopes = np.array([0.0] * (3 + len(wander)) + [0.15])
        self.damp = 0.9
        kinds = len(self.gains)
        spread = np.zeros((kinds, 3))
        spread[:3, 0] = h.loose
        spread[1, 1], spread[2, 1] = 1.0, 2.0
        start = np.zeros((kinds, 3))
        start[2, 1] = 0.4
        seen = z.var(1) if history.shape[1] > 1 else np.full(n, h.noise**2)
        noise = 0.5 * h.noise**2 + 0.5 * np.minimum(seen, 4 * h.noise**2)
        self.plain = SegmentRegressions(
            start, spread, np.full(kinds, h.hazard), h.worth / 2, np.repeat(noise[:, None], kinds, 1)
        )
        seasons = len(h.periods)
        self.seasons = SegmentRegressions(
            np.zeros((seasons, 3)),
            np.tile([h.loose, 2.0, 2.0], (seasons, 1)),
            np.zeros(seasons),
            h.worth / 2,
            np.repeat(noise[:, None], seasons, 1),
        )
        self.periods = np.array(h.periods, float)
        self.all_kinds = range(kinds + seasons)
        self.z = z.mean(1)
        self.level = np.repeat(z.mean(1)[:, None], kinds, 1)
        self.trend = np.zeros((n, kinds))
        self.total, self.count = z.mean(1) * 2.0, 2.0
        self.seasons.begin(np.repeat(z.mean(1)[:, None], seasons, 1))

    def there(self, y: Array) -> Array:
        """From units to this scale."""
        column = self.belief.scale.reshape(-1, *[1] * (y.ndim - 1))
        return np.asarray(np.log((y + 1.0) / column) if self.logs else y / column)

    def back(self, z: Array, item: Array) -> Array:
        """From this scale to units, never below zero; row i of z is of ``item[i]``."""
        column = self.belief.scale[item, None]
        if self.logs:
            return np.asarray(np.maximum(np.exp(np.minimum(z, 12.0)) * column - 1.0, 0.0))
        return np.asarray(np.maximum(z * column, 0.0))

    def update(self, demand: Array) -> Array:
        """Log density of demand in units, (n, kinds and seasons)."""
        n, now = len(demand), self.belief.step
        z = self.there(demand)
        kinds = len(self.gains)
        self.plain.begin(np.repeat((self.total / self.count)[:, None], kinds, 1))
        starts = self.plain.a.shape[2]
        x = np.zeros((n, kinds, starts, 3))
        x[:, :3, :, 0] = 1.0
        x[:, 1, :, 1] = (now - np.arange(starts)) / 10.0
        x[:, 2, :, 1] = self.z[:, None] - self.plain.middle[:, 2]
        offset = np.where(self.gains > 0, self.level + self.damp * self.trend, np.nan)[:, :, None]
        plain = self.plain.update(z, x, offset)
        seasonal = self.seasons.update(
            z, self._season(np.array([now]))[None], np.full((n, len(self.periods), 1), np.nan)
        )
        error = z[:, None] - self.level - self.damp * self.trend
        self.level = self.level + self.damp * self.trend + self.gains * error
        self.trend = self.damp * self.trend + self.slopes * error
        self.z, self.total, self.count = z, self.total + z, self.count + 1
        jacobian = -np.log(demand + 1.0) if self.logs else -np.log(self.belief.scale)
        return np.asarray(np.concatenate([plain, seasonal], 1) + jacobian[:, None])

    def _season(self, at: Array) -> Array:
        """Features (periods, len(at), 3) of steps ``at``."""
        angle = 2 * np.pi * at[None, :] / self.periods[:, None]
        return np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)], -1)

    def paths(self, item: Array, kind: Array, steps: int, rng: np.random.Generator) -> Array:
        """Futures (m, steps) in units, one of each (item, kind), both (m,)."""
        out = np.empty((len(item), steps))
        kinds = len(self.gains)
        masks = [self.gains[np.minimum(kind, kinds - 1)] > 0, kind < 3, kind >= kinds]
        masks[0] &= kind < kinds
        for mask, draw in zip(masks, (self._wander, self._stretch, self._swing), strict=True):
            if mask.any():
                out[mask] = draw(item[mask], kind[mask], steps, rng)
        out = self.back(out, item)
        return np.asarray(np.minimum(out, 4.0 * self.belief.highest[item, None] + 10.0))

    def _wander(self, item: Array, kind: Array, steps: int, rng: np.random.Generator) -> Array:
        s = self.plain.draw(item, kind, rng)[3]
        level, trend = self.level[item, kind], self.trend[item, kind]
        gain, slope = self.gains[kind], self.slopes[kind]
        noise = s[:, None] * rng.standard_normal((len(item), steps))
        # A level that wanders on the log scale would grow in units on average: it is held where it is.
        growth = 0.5 * ((gain + slope) * s) ** 2 if self.logs else 0.0
        out = np.empty((len(item), steps))
        for j in range(steps):
            level = level + self.damp * trend - (growth if j else 0.0)
            out[:, j] = level + noise[:, j]
            level = level + gain * noise[:, j]
            trend = self.damp * trend + slope * noise[:, j]
        return out

    def _stretch(self, item: Array, kind: Array, steps: int, rng: np.random.Generator) -> Array:
        r, middle, coef, s = self.plain.draw(item, kind, rng)
        back = np.where(kind == 2, np.clip(coef[:, 1], -0.95, 0.98), 0.0)
        growth = np.where(kind == 1, coef[:, 1] / 10.0, 0.0)
        centre = self._centre(middle, s, steps, rng)
        held = centre + coef[:, :1] + growth[:, None] * (self.belief.step + np.arange(steps) - r[:, None])
        noise = s[:, None] * rng.standard_normal((len(item), steps))
        z = self.z[item]
        out = np.empty((len(item), steps))
        for j in range(steps):
            z = held[:, j] + back * (z - centre[:, j]) + noise[:, j]
            out[:, j] = z
        return out

    def _swing(self, item: Array, kind: Array, steps: int, rng: np.random.Generator) -> Array:
        season = kind - len(self.gains)
        _, middle, coef, s = self.seasons.draw(item, season, rng)
        wave = self._season(self.belief.step + np.arange(steps))[season]
        noise = s[:, None] * rng.standard_normal((len(item), steps))
        return np.asarray(self._centre(middle, s, steps, rng) + np.einsum("mtk,mk->mt", wave, coef) + noise)

    def _centre(self, middle: Array, s: Array, steps: int, rng: np.random.Generator) -> Array:
        """The middle with unforeseen changes on the way, (m, steps); none before the first step."""
        h = self.belief.habits
        change = rng.random((len(s), steps)) < h.hazard
        change[:, 0] = False
        return np.asarray(
            middle[:, None] + np.cumsum(change * rng.standard_normal((len(s), steps)) * h.jump * s[:, None], 1)
        )

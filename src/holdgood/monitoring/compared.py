"""Mean scores of rows in use against the reference: shifts, p-values, and p-values for the whole family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.protocols import Clock
from holdgood.core.threads import thread_limit
from holdgood.monitoring.calendar import Seasons, seasons
from holdgood.monitoring.scores import Scores
from holdgood.monitoring.tail import log_tail

DRAWS, FEW_DRAWS, FAR = 10_000, 1_000, 0.2
"""Draws of the largest statistic; a few are enough where the surest p is seen to be far from anything that matters."""

_BINARY = 40.0
"""Below this many expected rows of a level the exact distribution stands in for the normal one."""

_FAT, _STRAIGHT = 6.0, 30.0
"""Degrees of freedom of what a stretch of time does by itself. A number's place follows it in a straight line. Spread, tails and
rare levels follow it in a curve, so that a wild week is wilder in them than any number of calm ones lets expect."""

_SMALL = 2.0
"""Shifts of fewer standard errors are no alarm in any family: the normal distribution is good enough for them."""

_FALL = 4.0
"""How fast a normal tail falls (its logarithm, a unit of z) where families of some dozens of scores are judged."""


@dataclass(frozen=True)
class Compared:
    """Of each score: ``shift`` of its mean, two-sided ``p`` alone, ``adjusted`` for the family; ``explains``: what the calendar took."""

    shift: np.ndarray
    p: np.ndarray
    adjusted: np.ndarray
    explains: tuple[str, ...] = ()


def compare(scored: Scores, clock: Clock | None, seed: int, season: Seasons | None = None) -> Compared:
    """Hold every score's mean in use against the reference.

    Without a clock both sides are samples of exchangeable rows: permutation variance, exact tails for rare levels, saddlepoints
    for the others (products of two features lean), and the family's distribution of the largest statistic, which respects
    correlation (step-down, Westfall & Young 1993; drawn from its normal limit). With a clock the calendar is taken out first, and how
    much stretches of the reference as long as the window vary beyond chance widens every test; the family is held by a step-down
    union bound, as Holm's.
    Scores enter the family by their say (``Scores.say``).
    """
    if scored.values.shape[1] == 0:
        none = np.zeros(0)
        return Compared(none, none, none)
    with thread_limit(1, "blas"):  # many small products: threads that wait for each other cost ten times as much
        if clock is None:
            return _exchangeable(scored, seed)
        return _seasonal(scored, seasons(clock) if season is None else season)


def _exchangeable(scored: Scores, seed: int) -> Compared:
    from scipy.special import log_ndtr, ndtri_exp  # here, because scipy.special costs 0.2 s at import

    values, n, m = scored.values, scored.n, scored.m
    total = n + m
    centred = values - values.mean(axis=0)
    shift = centred[n:].mean(axis=0) - centred[:n].mean(axis=0)
    spread = np.sqrt(np.sum(np.square(centred), axis=0) / (total - 1.0))
    z = shift / (spread * np.sqrt(1.0 / n + 1.0 / m))
    log_p = np.minimum(0.0, np.log(2.0) + log_ndtr(-np.abs(z)))
    hits, now = values.sum(axis=0), values[n:].sum(axis=0)
    rare = (scored.kind <= 0) & (np.minimum(hits, total - hits) * min(n, m) < _BINARY * total)
    for j in np.flatnonzero(rare):
        log_p[j] = _exact(int(now[j]), int(hits[j]), m, total)
    for j in np.flatnonzero(~rare & (np.abs(z) > _SMALL)):
        log_p[j] = log_tail(centred[:, j], n, float(shift[j]))
    size = -ndtri_exp(log_p - np.log(2.0))
    centred /= spread
    correlation = centred.T @ centred / (total - 1.0)
    p, behind = np.exp(log_p), _behind(scored.say)
    adjusted = _largest(size, behind, correlation, seed, FEW_DRAWS)
    if adjusted.min() < FAR:
        adjusted = _largest(size, behind, correlation, seed, DRAWS)
    # A union bound is never below the truth: where draws are too few to say how small p is, it says it.
    return Compared(shift, p, np.minimum(adjusted, _union(size, behind)))


def _behind(say: np.ndarray) -> np.ndarray:
    """By how much each score's size is held back, so that its part of the family's errors is about its say, (scores,)."""
    held: np.ndarray = -np.log(say / say.max()) / _FALL
    return held


def _union(size: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Step-down adjusted p-values (scores,) by the sum of tails, whatever the correlation: Holm's, for sizes held back."""
    from scipy.special import ndtr  # see _exchangeable

    order = np.argsort(behind - size, kind="stable")
    at, back = (size - behind)[order], behind[order]
    tails = np.triu(2.0 * ndtr(-(at[:, None] + back[None, :])))
    out = np.empty(len(size))
    out[order] = np.maximum.accumulate(np.minimum(1.0, tails.sum(axis=1)))
    return out


def _exact(now: int, hits: int, m: int, total: int) -> float:
    """Log of twice the smaller tail of the hypergeometric distribution."""
    from scipy.special import gammaln  # see _exchangeable

    low, high = max(0, m - (total - hits)), min(m, hits)
    k = np.arange(low, high + 1)
    log = (
        gammaln(hits + 1) - gammaln(k + 1) - gammaln(hits - k + 1)
        + gammaln(total - hits + 1) - gammaln(m - k + 1) - gammaln(total - hits - m + k + 1)
        - gammaln(total + 1) + gammaln(m + 1) + gammaln(total - m + 1)
    )  # fmt: skip
    chance = np.exp(log)
    tail = min(float(chance[k <= now].sum()), float(chance[k >= now].sum()))
    return min(0.0, float(np.log(max(2.0 * tail, 1e-300))))


def _largest(size: np.ndarray, behind: np.ndarray, correlation: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """Step-down adjusted p-values of |z|, each held back, by the distribution of the largest among those not yet passed, (scores,)."""
    # Levels that are each other's opposites make it singular: a little of the identity, which widens nothing that counts.
    root = np.linalg.cholesky(correlation + 1e-5 * np.eye(len(size))).astype(np.float32)
    order, ahead = np.argsort(behind - size, kind="stable"), (size - behind).astype(np.float32)
    normal = np.random.default_rng(seed).standard_normal((draws, len(size)), dtype=np.float32)
    drawn = np.abs(normal @ root[order].T) - behind[order].astype(np.float32)
    # The largest of this one and all smaller ones, for every draw.
    largest = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
    above = (1.0 + np.sum(largest >= ahead[order], axis=0)) / (draws + 1.0)
    out = np.empty(len(size))
    out[order] = np.maximum.accumulate(above)
    return out


def _seasonal(scored: Scores, season: Seasons) -> Compared:
    from scipy.special import ndtri, stdtr  # see _exchangeable

    n, m = scored.n, scored.m
    before, now = scored.values[:n], scored.values[n:]
    inverse = np.linalg.pinv(season.reference.T @ season.reference)
    effect = inverse @ (season.reference.T @ before)
    left = before - season.reference @ effect
    terms = season.reference.shape[1]
    variance = np.sum(np.square(left), axis=0) / max(1, n - terms)
    # A level that the reference hardly saw has hardly a variance there; the rows in use then say how large it is.
    share = scored.values.mean(axis=0)
    variance = np.maximum(variance, np.where(scored.kind <= 0, share * (1.0 - share), 0.0))
    at = season.current.mean(axis=0)
    shift = now.mean(axis=0) - at @ effect
    over, df, rows = dispersion(left, season.blocks, season.reference, inverse, variance)
    for feature in np.unique(scored.owner):
        # What shakes one score of a feature shakes its rare levels and tails too, and what it is beyond the others (ranks bend what
        # all share), where stretches are too thin to show it.
        mine = scored.owner == feature
        over[mine & (scored.kind != 1)] = over[mine].max()
    own = (over - 1.0) * variance / rows
    known = own + over * variance * float(at @ inverse @ at)
    # Near the turn of a season scores may vary more than over the year.
    error = np.maximum(variance, now.var(axis=0)) / m + known
    # Satterthwaite: what is uncertain about the error is the part that stretches have of their own.
    uncertain = over * variance * (1.0 / rows + float(at @ inverse @ at))
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(over > 1.0, df * np.square(error / uncertain), np.inf)
        t = np.where(error > 0, np.abs(shift) / np.sqrt(error), np.where(shift == 0, 0.0, np.inf))
        # What this window's stretch did by itself has the tail of its kind, as far as it is a part of the error.
        worth = np.minimum(
            worth, np.where(scored.kind == 1, _STRAIGHT, _FAT) * np.square(error / np.maximum(own, 1e-12 * error))
        )
    p = 2.0 * stdtr(np.clip(worth, 1.0, 1e7), -t)
    expected = np.clip(at @ effect, 0.0, 1.0)
    for j in np.flatnonzero((scored.kind <= 0) & (np.minimum(expected, 1.0 - expected) * m < _BINARY)):
        p[j] = max(float(p[j]), _counted(float(now[:, j].sum()), m, float(expected[j]), 2.0 * float(np.sqrt(known[j]))))
    return Compared(shift, p, _union(-ndtri(0.5 * np.minimum(p, 1.0)), _behind(scored.say)), season.explains)


def _counted(hits: float, m: int, share: float, margin: float) -> float:
    """Twice the binomial tail of ``hits`` of ``m``, at the end of share ± ``margin`` that speaks least against it."""
    from scipy.special import bdtr, bdtrc  # see _exchangeable

    if hits > m * share:
        return min(1.0, 2.0 * float(bdtrc(hits - 1.0, m, min(1.0, share + margin))))
    return min(1.0, 2.0 * float(bdtr(hits, m, max(0.0, share - margin))))


def dispersion(
    left: np.ndarray, blocks: np.ndarray, design: np.ndarray, inverse: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """How much more the means of stretches vary than those of independent rows would: factors (scores,), 1 for not at all.

    ``left`` (rows, scores) after the calendar ``design`` (rows, terms), ``blocks`` a stretch a row. Also the degrees of freedom of the factors and
    the rows of a stretch. Where all scores are alike they share one factor; else each is drawn towards that of all (the moderated variances of
    Smyth 2004), but only upwards: a score that weeks shake more than others keeps its own.
    """
    from scipy.special import digamma, polygamma  # see _exchangeable

    codes = np.unique(blocks, return_inverse=True)[1]
    count = np.bincount(codes).astype(np.float64)
    order = np.argsort(codes, kind="stable")
    first = np.r_[0, np.cumsum(count)[:-1]].astype(int)
    of_terms = np.add.reduceat(design[order], first, axis=0)
    # What the calendar's terms took out of the stretches' sums: days of the week hardly anything, the year's waves most.
    free = 1.0 - float(np.einsum("bi,ij,bj->", of_terms, inverse, of_terms)) / len(left)
    rows, df = float(np.sum(np.square(count))) / len(left), len(count) * free
    if df < 4:
        return np.ones(left.shape[1]), 1.0, rows
    sums = np.add.reduceat(left[order], first, axis=0)
    found = np.sum(np.square(sums), axis=0) / (np.maximum(variance, 1e-300) * len(left) * free)
    alive = found > 0
    log = np.log(found[alive]) - digamma(df / 2) + np.log(df / 2)
    if len(log) < 2:
        return np.maximum(found, 1.0), df, rows
    apart = float(np.var(log, ddof=1)) - float(polygamma(1, df / 2))
    prior = np.inf if apart <= 0 else 2.0 * _inverse_trigamma(apart)
    if np.isinf(prior):
        return np.maximum(np.full(len(found), float(np.mean(found[alive]))), 1.0), df * min(len(log), 10), rows
    centre = float(np.exp(np.mean(log) + digamma(prior / 2) - np.log(prior / 2)))
    moderated = (prior * centre + df * found) / (prior + df)
    return np.maximum(np.maximum(found, moderated), 1.0), df + prior, rows


def _inverse_trigamma(x: float) -> float:
    """Y with trigamma(y) = x, by Newton's method on 1 / trigamma, which is nearly a line (Smyth 2004, appendix)."""
    from scipy.special import polygamma  # see _exchangeable

    if x > 1e7:
        return float(1.0 / np.sqrt(x))
    if x < 1e-6:
        return float(1.0 / x)
    y = 0.5 + 1.0 / x
    for _ in range(50):
        at = float(polygamma(1, y))
        step = at * (1.0 - at / x) / float(polygamma(2, y))
        y += step
        if -step / y < 1e-8:
            break
    return float(y)

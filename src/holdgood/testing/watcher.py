"""The contract of a watcher of answers and outcomes. A new one is done when ``check_watcher`` is silent."""

from __future__ import annotations

import math

import numpy as np

from holdgood.core.protocols import Watcher
from holdgood.core.records.common import Interval
from holdgood.core.traffic import DAY, Look, Promised, Traffic

ALPHA, TRIES, DAYS, A_DAY = 0.05, 60, 70, 30


def check_watcher(watcher: Watcher) -> None:
    """Hold a watcher to the contract; AssertionError says what broke. Uses small traffic that it makes itself."""
    assert isinstance(watcher, Watcher), "a watcher has a code, a title and watch(look, alpha, seed)"
    assert watcher.code, "a watcher needs a code"
    assert watcher.title, "a watcher needs a title"
    _odd_traffic(watcher)
    once, twice = (watcher.watch(look(made_up(1)), alpha=ALPHA, seed=0) for _ in range(2))
    assert once == twice, "two looks at the same traffic differ"
    false = sum(bool(watcher.watch(look(made_up(100 + i)), alpha=ALPHA, seed=0)) for i in range(TRIES))
    chance, bound = 1.0, 0
    while chance > 0.001:
        bound += 1
        chance = sum(math.comb(TRIES, k) * ALPHA**k * (1 - ALPHA) ** (TRIES - k) for k in range(bound, TRIES + 1))
    assert false < bound, f"{false} alarms in {TRIES} looks at traffic as promised; stated: {ALPHA:.0%}"


def look(traffic: Traffic, days: int = 28) -> Look:
    """A look at the last days before ``as_of``."""
    return Look(traffic, traffic.as_of - days * DAY, traffic.as_of)


def made_up(
    seed: int, *, worse: float = 0.0, refused: float = 0.01, overruled: float = 0.02, late: float = 5.0,
    stops: float = 0.0, apart: float = 0.1, lean: float = 0.0, flat: float = 0.0, dearer: float = 0.0, days: int = DAYS, a_day: int = A_DAY,
) -> Traffic:  # fmt: skip
    """Answers of a binary model that keeps its promises, unless told otherwise for the last 28 days.

    ``worse``: share of outcomes turned round; ``refused`` and ``overruled``: shares; ``late``: mean days until an outcome; ``stops``:
    days before the end after which nothing came; ``apart``: how much more often one group is acted on; ``lean``: added to chances'
    logits (who comes has changed), ``flat``: by what part they shrink (rows are harder to tell); ``dearer``: what every action costs
    more than promised.
    """
    rng = np.random.default_rng(seed)
    n = days * a_day
    when = np.sort(rng.integers(0, days * DAY, n))
    as_of = days * DAY
    recent = when >= as_of - 28 * DAY
    group = np.where(rng.random(n) < 0.5, "north", "south").astype(object)
    logit = rng.normal(0.0, 1.0, n) * np.where(recent, 1.0 - flat, 1.0) + np.where(recent, lean, 0.0)
    gap = np.where(recent, apart, 0.1)
    chance = 1.0 / (1.0 + np.exp(-logit))
    y = (rng.random(n) < chance).astype(np.float64)
    y = np.where(recent & (rng.random(n) < worse), 1.0 - y, y)
    delay = rng.exponential(np.where(recent, late, 5.0))
    labelled = when + delay * DAY <= as_of
    loss_if = np.stack([-np.log1p(-chance), -np.log(chance)], axis=1)
    acted = (rng.random(n) < 0.3 + np.where(group == "north", gap, 0.0)).astype(np.float64)
    loss = np.where(y == 1, loss_if[:, 1], loss_if[:, 0])
    saved = np.where(acted == 1, np.where(y == 1, 10.0, -4.0), 0.0)
    saved -= np.where(recent, acted * dearer, 0.0)
    kept = when < as_of - stops * DAY
    past = rng.normal(size=4_000)
    stated = 1.0 / (1.0 + np.exp(-past))
    then = (rng.random(4_000) < stated).astype(np.float64)
    old_loss = np.where(then == 1, -np.log(stated), -np.log1p(-stated))
    old_saved = np.where(rng.random(4_000) < 0.35, np.where(then == 1, 10.0, -4.0), 0.0)
    traffic = Traffic(
        model="made-up", bundle_digest="0" * 64, as_of=as_of, when=when, score=chance, acted=acted,
        warned=rng.random(n) < 0.02, refused=rng.random(n) < np.where(recent, refused, 0.01),
        overridden=rng.random(n) < np.where(recent, overruled, 0.02), labelled=labelled, censored=np.zeros(n, bool),
        delay=np.where(labelled, delay, np.nan), loss=np.where(labelled, loss, np.nan),
        saved=np.where(labelled, saved, np.nan), loss_if=loss_if, groups={"place": group},
        fair={"selection_rate": acted, "true_positive_rate": np.where(labelled & (y == 1), acted, np.nan)},
        promised=Promised(
            metric="log_loss", loss=_mean(old_loss), saved=_mean(old_saved), against="nobody", currency="EUR",
            pairs=np.stack([stated, then], axis=1), warned=(80, 4_000), refused=(40, 4_000),
            gaps={
                measure: {"place": Interval(value=0.1, low=0.07, high=0.13, n=4_000)}
                for measure in ("selection_rate", "true_positive_rate")
            },
        ),
        feeds={"answers": when[kept]},
    )  # fmt: skip
    return traffic.take(kept)


def _mean(rows: np.ndarray) -> Interval:
    half = 1.96 * float(rows.std()) / math.sqrt(len(rows))
    value = float(rows.mean())
    return Interval(value=value, low=value - half, high=value + half, n=len(rows), method="normal")


def _odd_traffic(watcher: Watcher) -> None:
    """No rows, one row, no outcomes, no promises: no error, and no alarm about too little."""
    whole = made_up(1)
    for rows in (0, 1):
        few = whole.take(np.arange(rows))
        assert watcher.watch(look(few), alpha=ALPHA, seed=0) == [] or rows == 0, "an alarm about one row"
    unknown = whole.take(~whole.labelled)
    watcher.watch(look(unknown), alpha=ALPHA, seed=0)
    bare = Traffic(**{f: getattr(whole, f) for f in whole.__dataclass_fields__} | {"promised": Promised()})
    assert isinstance(watcher.watch(look(bare), alpha=ALPHA, seed=0), list), "a list of alarms, or an empty one"

"""AUD041: outcomes that were told wrong. Rows are ranked by how far the other columns contradict them, out of fold.

A target that is hard to predict is no error, so evidence is asked for beyond what an honestly noisy label gives. *Classes*: where
a model is surest, honest contradictions die out, and the surer the rarer; labels that were mixed up contradict it everywhere
alike. A floor of contradictions that is flat within the surest quarter or half is told, its height is the share of wrong
labels. *Amounts*: residuals in units of their local spread thin out at least threefold a doubling; wrong amounts make a second hump.

The list of rows comes from cleanlab (confident learning, Northcutt, Jiang & Chuang 2021) where the extra ``labels`` is
installed, else from the chance that the model gives to the label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import aud014_late_facts
from holdgood.audit.found import Evidence, counted, found, percent
from holdgood.audit.outoffold import OutOfFold, local_spread, out_of_fold
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import EXAMPLES, Finding, Picture

REGIONS = (0.25, 0.5)
FEWEST_WRONG = 25
FLOOR, CEILING = 0.008, 0.15
FLAT, SURELY_FLAT = 0.535, 0.62
ONE_SIDED = 1.645
LEARNABLE = 0.8
RARE = 0.05
SHELLS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
DECLINE = 1.0 / 3.0  # what lies beyond a shell, against the shell before: at most so much in honest data
HUMP, HUMP_SIGMAS, HUMP_ROWS = 1.5, 3.5, 10
MOST_OF_THEM = 0.8


@dataclass(frozen=True)
class _Floor:
    """A flat stretch of contradictions: their share, the rows looked at, how many contradict, and the rows it speaks for."""

    share: float
    rows: int
    wrong: int
    reach: int


@dataclass(frozen=True)
class _Suspects:
    """Rows (places within the out-of-fold rows), most suspicious first, and how many of them are likely to be wrong."""

    places: np.ndarray
    estimated: float
    to_look_at: int


class LabelErrors:
    """Classes by the floor of contradictions, amounts by the hump beyond the tail."""

    code: ClassVar[str] = "AUD041"
    title: ClassVar[str] = "wrong outcomes"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at development rows with an outcome; columns that are known too late are left out."""
        if context.main is None or context.y is None or context.task is None or context.main.rows == 0:
            raise NotApplicable("no rows with a target")
        told = out_of_fold(context, without=aud014_late_facts.late_columns(context))
        return self._classes(context, told) if told.classes else self._amounts(context, told)

    def _classes(self, context: AuditContext, told: OutOfFold) -> list[Finding]:
        floor = _floor(told)
        if floor is None:
            return []
        suspects = _contradicted(told, floor)
        n = len(told.y)
        message = (
            f"about {round(suspects.estimated):,} of {n:,} outcomes ({percent(suspects.estimated, n)}) look wrong: among the "
            f"{floor.rows:,} rows that the other columns are surest about, {floor.wrong:,} have another class, and not fewer where they are surer; "
            f"the {suspects.to_look_at:,} most suspicious rows hold {percent(MOST_OF_THEM, 1.0)} of what can be found"
        )
        evidence: Evidence = {
            "estimated_share": round(suspects.estimated / n, 6),
            "floor": round(floor.share, 6),
            "estimated_rows": round(suspects.estimated),
            "flagged": len(suspects.places),
            "to_look_at": suspects.to_look_at,
            "surest_rows": floor.rows,
            "contradicted": floor.wrong,
        }
        return [self._tell(context, told, message, evidence, suspects, _curve(told))]

    def _amounts(self, context: AuditContext, told: OutOfFold) -> list[Finding]:
        off = np.abs(told.y - told.prediction)
        if len(off) < 10 * FEWEST_WRONG or float(np.median(off)) <= 0:
            return []
        spread = local_spread(context, told)
        far = off / spread
        precise = np.zeros(len(far), dtype=bool)
        precise[np.argsort(spread, kind="stable")[: len(far) // 4]] = True
        beyond = [b for part in (np.ones(len(far), dtype=bool), precise) if (b := _hump(far[part])) is not None]
        if not beyond:
            return []
        start = min(beyond)
        scaled = far / np.median(far)
        places = np.flatnonzero(scaled >= start)
        places = places[np.argsort(-scaled[places], kind="stable")]
        expected = DECLINE * float(((scaled >= start / 2.0) & (scaled < start)).sum())
        estimated = max(float(HUMP_ROWS) / 2.0, len(places) - min(expected, 0.5 * len(places)))
        suspects = _Suspects(places, estimated, max(1, math.ceil(MOST_OF_THEM * len(places))))
        n = len(told.y)
        message = (
            f"{counted(len(places), 'outcome')} of {n:,} ({percent(len(places), n)}) lie at least {start:.0f} times as far from what the "
            "other columns say as the usual row of their kind, a group of its own beyond the tail of the rest; "
            f"about {round(estimated):,} of them are likely to be wrong"
        )
        evidence: Evidence = {
            "estimated_share": round(estimated / n, 6),
            "estimated_rows": round(estimated),
            "flagged": len(places),
            "to_look_at": suspects.to_look_at,
            "times_the_usual": start,
        }
        shells = [int(((scaled >= a) & (scaled < 2.0 * a)).sum()) for a in SHELLS]
        picture = Picture(
            title="Rows by distance from what the other columns say",
            form="bars",
            y=tuple(float(c) for c in shells),
            labels=tuple(f"{a:.0f}–{2 * a:.0f}×" for a in SHELLS),
            marks=tuple(i for i, a in enumerate(SHELLS) if a >= start),
            x_name="times the usual distance",
            y_name="rows",
        )
        return [self._tell(context, told, message, evidence, suspects, picture)]

    def _tell(
        self,
        context: AuditContext,
        told: OutOfFold,
        message: str,
        evidence: Evidence,
        suspects: _Suspects,
        picture: Picture,
    ) -> Finding:
        assert context.main is not None
        return found(
            self,
            "issue",
            "medium",
            context.main.name,
            [c for c in context.target_columns if c in context.main.names],
            message + "; have somebody look at them before a model learns from them",
            rows=len(suspects.places),
            evidence=evidence,
            sure="likely",
            examples=told.positions[suspects.places[:EXAMPLES]],
            picture=picture,
        )


def _floor(told: OutOfFold) -> _Floor | None:
    """The flat floor of contradictions among the surest rows: of all, or of one predicted class of two."""
    guess = told.prediction.argmax(axis=1)
    sure = told.prediction.max(axis=1)
    wrong = guess != told.y
    base = max(float((told.y == k).mean()) for k in range(told.classes))
    best = 1.0 - float(wrong.mean())
    parts = [np.ones(len(wrong), dtype=bool)]
    if told.classes == 2:
        parts += [guess == 0, guess == 1]
    elif (best - base) / max(1e-9, 1.0 - base) < 0.4:  # guesses are hardly better than the largest class
        return None
    seen = []
    for part in parts:
        inside = np.flatnonzero(part)
        inside = inside[np.argsort(-sure[inside], kind="stable")]
        for share in REGIONS:
            region = inside[: int(share * len(inside))]
            n, w = len(region), int(wrong[region].sum())
            if w < FEWEST_WRONG or not FLOOR <= w / n <= CEILING:
                continue
            ranked = _ranks_wrong(sure[region], wrong[region])
            error = math.sqrt((n + 1.0) / (12.0 * w * (n - w)))
            if told.classes == 2 and _without_noise(told, w / n) < LEARNABLE:
                continue
            if ranked <= FLAT + error and ranked + ONE_SIDED * error <= SURELY_FLAT:
                seen.append(_Floor(w / n, n, w, len(inside)))
    return max(seen, key=lambda f: (f.rows, f.wrong)) if seen else None


def _without_noise(told: OutOfFold, noise: float) -> float:
    """The AUC that two classes would have without a share of labels that changed sides (Menon et al. 2015, corrupted AUC).

    AUC - 1/2 shrinks by the shares of wrong labels in either class; rare classes that noise could have made up tell nothing.
    """
    ones = float((told.y == 1).mean())
    rare = (min(ones, 1.0 - ones) - noise) / (1.0 - 2.0 * noise)
    if rare < RARE:
        return 0.5
    shown_rare = min(ones, 1.0 - ones)
    mixed = noise * (1.0 - rare) / shown_rare + noise * rare / (1.0 - shown_rare)
    return 0.5 + (told.auc() - 0.5) / max(0.5, 1.0 - mixed)


def _ranks_wrong(sure: np.ndarray, wrong: np.ndarray) -> float:
    """AUC of unsureness for being wrong: 1/2 where contradictions are as common at the surest rows as at the others."""
    _, back, counts = np.unique(-sure, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2.0)[back]
    ones = int(wrong.sum())
    return float((rank[wrong].sum() - ones * (ones + 1) / 2.0) / (ones * (len(wrong) - ones)))


def _contradicted(told: OutOfFold, floor: _Floor) -> _Suspects:
    """Rows that confident learning flags, least likely labels first, with the chance of each to be wrong.

    With a share ρ of labels moved to another class at random, a label that the noisy model gives the chance q is wrong with
    probability ρ/(k-1) · (1-π)/q, where π is its chance without the noise.
    """
    k, share = told.classes, floor.share
    own = told.prediction[np.arange(len(told.y)), told.y.astype(np.int64)]
    moved = share / (k - 1)
    clean = np.clip((own - moved) / max(1e-9, 1.0 - share - moved), 0.0, 1.0)
    chance = np.clip(moved * (1.0 - clean) / np.maximum(own, 1e-9), 0.0, 1.0)
    places = _flagged(told)
    if len(places) == 0:
        places = np.flatnonzero(told.prediction.argmax(axis=1) != told.y)
    places = places[np.argsort(own[places], kind="stable")]
    reach = np.cumsum(chance[places])
    to_look_at = int(np.searchsorted(reach, MOST_OF_THEM * reach[-1])) + 1 if len(reach) else 0
    return _Suspects(places, share * floor.reach, to_look_at)


def _flagged(told: OutOfFold) -> np.ndarray:
    """Places that cleanlab flags; none where it is not installed or a class is absent."""
    try:
        from cleanlab.filter import find_label_issues  # an extra, and heavy: only where there is something to rank
    except ModuleNotFoundError:
        return np.empty(0, dtype=np.int64)
    labels = told.y.astype(np.int64)
    if len(np.unique(labels)) < told.classes:
        return np.empty(0, dtype=np.int64)
    issues = find_label_issues(labels, told.prediction, filter_by="both", n_jobs=1)
    return np.flatnonzero(issues)


def _curve(told: OutOfFold) -> Picture:
    """Share of contradictions in tenths of the rows, surest first."""
    wrong = told.prediction.argmax(axis=1) != told.y
    tenths = np.array_split(np.argsort(-told.prediction.max(axis=1), kind="stable"), 10)
    return Picture(
        title="Outcomes that contradict the other columns",
        form="line",
        x=tuple(float(10 * i) for i in range(10)),
        y=tuple(round(float(wrong[t].mean()), 6) for t in tenths),
        x_name="tenths of the rows, surest first (%)",
        y_name="share that contradicts",
    )


def _hump(far: np.ndarray) -> float | None:
    """Where a second group begins, in medians (8, 16 or 32), or None: more lies beyond than the tail's own decline allows."""
    middle = float(np.median(far))
    if middle <= 0:
        return None
    scaled = far / middle
    counts = [int(((scaled >= a) & (scaled < 2.0 * a)).sum()) for a in SHELLS]
    for at in range(2, 5):
        beyond = int((scaled >= SHELLS[at]).sum())
        last, before = counts[at - 1], counts[at - 2]
        step = last / before if before else 1.0
        if step >= 0.5:  # no decline to go on from
            continue
        decline = max(DECLINE, step / (1.0 - step))
        sigma = math.sqrt(beyond + decline**2 * last + 1.0)
        if beyond >= max(HUMP_ROWS, HUMP * decline * last) and beyond - decline * last >= HUMP_SIGMAS * sigma:
            return SHELLS[at]
    return None


CHECK = LabelErrors()

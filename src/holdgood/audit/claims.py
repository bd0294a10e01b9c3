"""Several sources say what one thing is: which value to believe, where they disagree.

Sources are weighed by how often they agree with what is believed, and what is believed by the weight of its sources, in turn
(as TruthFinder, Yin, Han & Yu 2008; the weights are log odds). Without sources every row has one vote.
"""

from __future__ import annotations

import numpy as np

_ROUNDS = 10
_WRONG_WAYS = 10.0


def believed(
    key: np.ndarray, values: list[np.ndarray], source: np.ndarray | None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each column the value believed by key (-1: nobody says) and the share of the votes that it has.

    ``key``, ``source`` and each of ``values`` are codes, one a row, -1 where unknown.
    """
    keys = int(key.max()) + 1
    weights = np.ones(int(source.max()) + 1 if source is not None else 1)
    by = source if source is not None else np.zeros(len(key), dtype=np.int64)
    best, share = _vote(key, values, weights[by], keys)
    if source is None:
        return best, share
    for _ in range(_ROUNDS):
        right = np.ones(len(weights))
        said = np.full(len(weights), 2.0)
        for b, v in zip(best, values, strict=True):
            known = (v >= 0) & (key >= 0) & (by >= 0)
            right += np.bincount(by[known], weights=(b[key[known]] == v[known]).astype(float), minlength=len(weights))
            said += np.bincount(by[known], minlength=len(weights))
        accuracy = right / said
        weights = np.clip(np.log(_WRONG_WAYS * accuracy / (1.0 - accuracy)), 0.01, None)
        last = best
        best, share = _vote(key, values, weights[by], keys)
        if all(np.array_equal(a, b) for a, b in zip(last, best, strict=True)):
            break
    return best, share


def _vote(
    key: np.ndarray, values: list[np.ndarray], weight: np.ndarray, keys: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    best, share = [], []
    for v in values:
        known = (v >= 0) & (key >= 0)
        width = int(v.max()) + 1 if known.any() else 1
        cell, inverse = np.unique(key[known] * width + v[known], return_inverse=True)
        votes = np.round(np.bincount(inverse, weights=weight[known], minlength=len(cell)), 9)
        of, what = cell // width, cell % width
        leads = np.full(keys, -1, dtype=np.int64)
        order = np.lexsort((-what, votes))  # the last one wins: most votes, then first by content
        leads[of[order]] = what[order]
        total = np.bincount(of, weights=votes, minlength=keys)
        most = np.zeros(keys)
        np.maximum.at(most, of, votes)
        best.append(leads)
        share.append(np.divide(most, total, out=np.zeros(keys), where=total > 0))
    return best, share

"""Words of a text, a vocabulary of them, and the weights of each text's words: row by row, in a fixed order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_LONGEST_WORD = 40
_LONGEST_NUMBER = 6
_MOST_TOKENS = 2000
# 1 + log(count), from a table: the same bits whatever the batch
_WEIGHT_OF_COUNT = 1.0 + np.log(np.arange(1.0, _MOST_TOKENS * 3 + 1))


def tokens(text: str) -> list[str]:
    """Words and signs in lower case, numbers as their length in zeros, pairs of neighbours, and short numbers as they are.

    >>> tokens("Pump 12 leaks!")
    ['pump', '00', 'leaks', '!', 'pump 00', '00 leaks', 'leaks !', '12']
    """
    raw = _TOKEN.findall(text.lower())[:_MOST_TOKENS]
    single = [_shape(t) for t in raw]
    numbers = [t for t in raw if t[0].isdigit() and len(t) <= _LONGEST_NUMBER]
    return single + [f"{a} {b}" for a, b in pairwise(single)] + numbers


def _shape(token: str) -> str:
    return "0" * min(len(token), 12) if token[0].isdigit() else token[:_LONGEST_WORD]


@dataclass(frozen=True)
class Weights:
    """A sparse matrix by rows: ``columns`` and ``values`` (entries), ``starts`` (rows + 1)."""

    columns: np.ndarray
    values: np.ndarray
    starts: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


class Vocabulary:
    """Words and their inverse document frequencies (idf); weights are (1 + log count) × idf, of unit length."""

    def __init__(self, words: Sequence[str], idf: np.ndarray) -> None:
        self.words, self.idf = tuple(words), idf
        self._column = {w: i for i, w in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def learn(cls, texts: Sequence[str], most: int) -> Vocabulary:
        """The ``most`` frequent of the words that at least two texts have; ties by text."""
        in_texts: Counter[str] = Counter()
        for text in texts:
            in_texts.update(set(tokens(text)))
        kept = sorted((w for w, c in in_texts.items() if c >= 2), key=lambda w: (-in_texts[w], w))[:most]
        # smoothed, as in scikit-learn's TfidfVectorizer
        idf = np.log((1.0 + len(texts)) / (1.0 + np.array([in_texts[w] for w in kept], np.float64))) + 1.0
        return cls(kept, idf)

    def weigh(self, texts: Sequence[str]) -> Weights:
        """Weights of the words of each text; a text without known words has none."""
        columns: list[int] = []
        counts: list[int] = []
        starts = [0]
        for text in texts:
            found = Counter(c for t in tokens(text) if (c := self._column.get(t)) is not None)
            for column in sorted(found):
                columns.append(column)
                counts.append(found[column])
            starts.append(len(columns))
        at = np.array(columns, np.int64)
        raw = _WEIGHT_OF_COUNT[np.array(counts, np.int64) - 1] * self.idf[at]
        bounds = np.array(starts, np.int64)
        lengths = np.sqrt(row_sums(np.square(raw)[:, None], bounds)[:, 0])
        return Weights(at, raw / np.repeat(lengths, np.diff(bounds)), bounds)


def row_sums(entries: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sums of the entries (entries, k) of each row: (rows, k). A row's sum does not depend on its neighbours."""
    out = np.zeros((len(starts) - 1, entries.shape[1]))
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        out[filled] = np.add.reduceat(entries, starts[filled], axis=0)
    return out


def project(weights: Weights, onto: np.ndarray) -> np.ndarray:
    """Weights times a matrix (words, k): (rows, k), a few thousand entries at a time."""
    n = len(weights.starts) - 1
    out = np.zeros((n, onto.shape[1]))
    for first in range(0, n, 1024):
        last = min(first + 1024, n)
        a, b = weights.starts[first], weights.starts[last]
        part = weights.values[a:b, None] * onto[weights.columns[a:b]]
        out[first:last] = row_sums(part, weights.starts[first : last + 1] - a)
    return out

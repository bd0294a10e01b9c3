"""Text: topics (TF-IDF, then truncated SVD), what its words say about the outcome, and its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.protocols import Parts
from holdgood.core.threads import thread_limit
from holdgood.features.encode.block import FOLDS, Targets, damaged, same_shape, written
from holdgood.features.encode.words import Vocabulary, Weights, project

_MOST_WORDS = 8000
_ROWS_A_TOPIC = 20
_SHAPES = (" (length)", " (share of digits)", " (share of capitals)")


class TextTopics:
    """At most ``topics`` columns of topics, one a target column for its words' evidence, three for the text's shape.

    The evidence of a word is its smoothed log ratio of weight in rows with and without the class (naive Bayes), or for
    numbers its shrunk mean deviation; training rows get the evidence found in the other inner folds. Missing: all NaN.
    """

    kind: ClassVar[str] = "text-topics"
    categorical: ClassVar[bool] = False

    def __init__(self, topics: int = 24) -> None:
        self._most_topics = topics
        self.names: tuple[str, ...] = _SHAPES
        self._vocabulary = Vocabulary((), np.empty(0))
        self._onto = np.empty((0, 0))

    def fit(self, values: np.ndarray, targets: Targets) -> np.ndarray:
        """Learn vocabulary, topics and evidence; returns the training rows, with the evidence out of fold."""
        texts, missing = _texts(values)
        self._vocabulary = Vocabulary.learn(texts, _MOST_WORDS)
        weights = self._vocabulary.weigh(texts)
        topics = self._topics(weights, targets.seed)
        count = len(targets.labels) if len(self._vocabulary) else 0
        whole, apart = np.empty((len(self._vocabulary), count)), np.empty((len(texts), count))
        for t in range(count):
            whole[:, t], apart[:, t] = _evidence(weights, targets.columns[:, t], targets, len(self._vocabulary))
        self._onto = np.ascontiguousarray(np.hstack([topics, whole]))
        named = [f" (topic {i + 1})" for i in range(topics.shape[1])]
        self.names = (*named, *(f" (words for {label})" for label in targets.labels[:count]), *_SHAPES)
        training = np.hstack([project(weights, topics), apart, _shapes(texts)])
        training[missing] = np.nan
        return training

    def _topics(self, weights: Weights, seed: int) -> np.ndarray:
        rows, words = len(weights.starts) - 1, len(self._vocabulary)
        k = min(self._most_topics, rows // _ROWS_A_TOPIC, words - 1)
        if k < 1:
            return np.empty((words, 0))
        # Heavy, and needed only for learning: a server that scores never loads them.
        from scipy.sparse import csr_matrix
        from sklearn.decomposition import TruncatedSVD

        matrix = csr_matrix((weights.values, weights.columns, weights.starts), shape=(rows, words))
        with thread_limit(1):  # sums of one thread have one order
            fitted = TruncatedSVD(k, random_state=np.random.RandomState(seed % 2**32)).fit(matrix)
        return np.ascontiguousarray(fitted.components_.T, np.float64)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Topics, evidence, shape."""
        texts, missing = _texts(values)
        k = self._onto.shape[1]
        if k:
            out[:, :k] = project(self._vocabulary.weigh(texts), self._onto)
        out[:, k:] = _shapes(texts)
        out[missing] = np.nan

    def row(self, value: Any) -> Sequence[float]:
        """As ``write``."""
        return written(self, value)

    def to_parts(self) -> Parts:
        """Words and names; idf and the matrix that words are projected onto."""
        json = {"words": list(self._vocabulary.words), "names": list(self.names)}
        return Parts(json, {"idf": self._vocabulary.idf, "onto": self._onto})

    @classmethod
    def from_parts(cls, parts: Parts) -> TextTopics:
        """Rebuild."""
        block = cls()
        words, names = parts.json.get("words"), parts.json.get("names")
        if not isinstance(words, list) or not isinstance(names, list) or len(names) < len(_SHAPES):
            raise damaged("a vocabulary without words or names")
        if len(set(words)) != len(words) or not all(isinstance(w, str) for w in words):
            raise damaged("a vocabulary whose words are not distinct texts")
        block.names = tuple(str(n) for n in names)
        block._vocabulary = Vocabulary(words, same_shape(parts.arrays.get("idf"), (len(words),), "idf"))
        block._onto = same_shape(
            parts.arrays.get("onto"), (len(words), len(names) - len(_SHAPES)), "a projection of words"
        )
        return block


def _texts(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Texts with "" for missing, and which are missing."""
    missing = np.array([v is None or v != v for v in values.tolist()], bool)
    return ["" if gone else str(v) for v, gone in zip(values.tolist(), missing, strict=True)], missing


def _shapes(texts: list[str]) -> np.ndarray:
    out = np.empty((len(texts), len(_SHAPES)))
    for i, text in enumerate(texts):
        n = len(text)
        digits, capitals = sum(map(str.isdigit, text)), sum(map(str.isupper, text))
        out[i] = n, digits / n if n else 0.0, capitals / n if n else 0.0
    return out


def _evidence(weights: Weights, y: np.ndarray, targets: Targets, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of each word for one target column from all rows (words,), and each row's score out of fold (rows,)."""
    rows = weights.rows
    cell = weights.columns * FOLDS + targets.folds[rows]

    def by_fold(entries: np.ndarray) -> np.ndarray:
        return np.bincount(cell, weights=entries, minlength=words * FOLDS).reshape(words, FOLDS)

    if targets.classes:
        pro, contra = by_fold(weights.values * y[rows]), by_fold(weights.values * (1.0 - y[rows]))

        def judge(for_it: np.ndarray, against: np.ndarray) -> np.ndarray:
            share = (for_it + 1.0) / (for_it.sum(axis=0) + words)
            return np.asarray(np.log(share) - np.log((against + 1.0) / (against.sum(axis=0) + words)))

    else:
        centred = y - y.mean()
        pro, contra = by_fold(weights.values * centred[rows]), by_fold(weights.values)

        def judge(for_it: np.ndarray, against: np.ndarray) -> np.ndarray:
            return np.asarray(for_it / (against + 1.0))

    whole = judge(pro.sum(axis=1), contra.sum(axis=1))
    others = judge(pro.sum(axis=1)[:, None] - pro, contra.sum(axis=1)[:, None] - contra)
    scores = weights.values * others[weights.columns, targets.folds[rows]]
    return whole, np.bincount(rows, weights=scores, minlength=len(y))

"""Backed: a learner whose fitted form is another part that scores and is saved in its place."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts


class _Scores(Protocol):
    def predict(self, matrix: Matrix) -> np.ndarray: ...

    def to_parts(self) -> Parts: ...


Kept = TypeVar("Kept", bound=_Scores)


class Backed(Generic[Kept]):
    """Root of such learners. ``fit`` of the heirs sets ``scorer`` and ``rounds``; ``kept`` is the class of the scorer.

    ``finished``: the share of its trees that stood when the time was up; 1.0: all.
    """

    kept: ClassVar[Any]
    scorer: Kept | None = None
    rounds: int | None = None
    finished: float = 1.0

    @property
    def fitted(self) -> Kept:
        """The scorer; DataError before ``fit``."""
        if self.scorer is None:
            raise DataError("a model that has not been fitted", "a fitted model", "call fit first")
        return self.scorer

    def predict(self, matrix: Matrix) -> np.ndarray:
        """As the scorer's predict."""
        return self.fitted.predict(matrix)

    def to_parts(self) -> Parts:
        """As the scorer's to_parts."""
        return self.fitted.to_parts()

    @classmethod
    def from_parts(cls, parts: Parts) -> Any:
        """As the scorer's from_parts: what was saved scores, it does not learn again."""
        return cls.kept.from_parts(parts)

"""Traffic: what a model in use answered and what came of it, as plain columns; and what was promised when it went live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from holdgood.core.records.common import Interval

DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, eq=False)
class Promised:
    """What development and evaluation said. ``loss``: a row, lower is better; ``saved``: money a row against ``against``.

    ``pairs`` (n, 2), of development rows that the model did not learn from: stated chances and outcomes (binary), else the losses that a
    model of losses expected and those that came; ``warned`` and ``refused``: (rows, of) under the contract; ``gaps``: by measure (``selection_rate`` and
    what fairness was judged by) and attribute, the largest difference between groups.
    """

    metric: str = ""
    loss: Interval | None = None
    saved: Interval | None = None
    against: str = ""
    currency: str = ""
    pairs: np.ndarray | None = None
    warned: tuple[int, int] = (0, 0)
    refused: tuple[int, int] = (0, 0)
    gaps: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Traffic:
    """Answers of one model, oldest first, as known at ``as_of``. Times are int64 microseconds since the epoch (UTC).

    ``score`` (n,): chance or amount, NaN where there was none (several classes: the chance of the answer); ``acted`` (n,): 1 where
    the answer asks for an action (binary), else NaN. ``warned``, ``refused``, ``overridden`` (n,) bool. ``labelled`` (n,) bool: an
    outcome is known; ``censored``: of an amount a lower bound is known; ``delay`` (n,): days from the decision until either was known,
    NaN where neither is; ``in_full`` (n,): the chance that an outcome as large as this row's is known in full, NaN where it is not
    (None: there are no bounds). ``loss`` (n,) and ``saved`` (n,): of labelled rows, NaN elsewhere; ``loss_if`` (n, 2): what the loss is if
    the outcome is 0 and if it is 1 (binary; else NaN). ``unlike`` (n,) bool: the reference hardly has rows of this kind; None where nobody
    has looked. ``expected`` (n,): the loss that a model of losses expects, NaN where facts are not kept; None without such a model.
    ``groups``: attribute → names (n,) object, None unknown. ``fair``: measure → (n,) 1 or 0, NaN of a row that says nothing of it: how often
    the model asks to act, and where outcomes are known what fairness was judged by.
    """

    model: str
    bundle_digest: str
    as_of: int
    when: np.ndarray
    score: np.ndarray
    acted: np.ndarray
    warned: np.ndarray
    refused: np.ndarray
    overridden: np.ndarray
    labelled: np.ndarray
    censored: np.ndarray
    delay: np.ndarray
    loss: np.ndarray
    saved: np.ndarray
    loss_if: np.ndarray
    in_full: np.ndarray | None = None
    unlike: np.ndarray | None = None
    expected: np.ndarray | None = None
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)
    fair: Mapping[str, np.ndarray] = field(default_factory=dict)
    promised: Promised = field(default_factory=Promised)
    feeds: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Arrivals of everything that should keep coming, sorted moments by name: answers, outcomes, a site's rows."""

    def __len__(self) -> int:
        return len(self.when)

    @property
    def told(self) -> np.ndarray:
        """Of which rows something is known of what came out, (n,) bool."""
        return self.labelled | self.censored

    def take(self, rows: np.ndarray) -> Traffic:
        """Some of the answers; what was promised and the feeds stay whole."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        cut = {n: a[rows] for n, a in arrays.items() if isinstance(a, np.ndarray)}
        groups, fair = ({n: a[rows] for n, a in of.items()} for of in (self.groups, self.fair))
        return replace(self, **cut, groups=groups, fair=fair)

    def between(self, begins: int, ends: int) -> Traffic:
        """Answers decided from ``begins`` (included) until ``ends`` (excluded)."""
        return self.take((self.when >= begins) & (self.when < ends))


@dataclass(frozen=True)
class Look:
    """One look at traffic: the rows decided in [``begins``, ``ends``), held against everything before and what was promised."""

    traffic: Traffic
    begins: int
    ends: int

    @property
    def window(self) -> Traffic:
        """The rows looked at."""
        return self.traffic.between(self.begins, self.ends)

    @property
    def before(self) -> Traffic:
        """The rows before them."""
        return self.traffic.take(self.traffic.when < self.begins)

"""What the journal remembers of a model in use: answers, outcomes, who let what go live, and what was gained."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from holdgood.core.records.commitment import Commitment
from holdgood.core.records.common import Comparison, Interval
from holdgood.core.records.envelope import Number, Part, Record

Place = Literal["champion", "canary", "shadow"]
"""Where a model stands: it answers all, it answers a share, or it answers nobody and is only compared."""


class Prediction(Record):
    """One answer. Times are UTC in ISO format; ``id`` is the caller's own or made by us, and unique a model.

    ``event_time``: the moment of decision; ``known_time``: when the facts were known (mostly the request). ``subject``: the key of the
    row, by which a person's rows are found and deleted. ``facts``: the row as asked, None where only commitments are kept.
    ``answer``: what the caller was told (probability, answer, interval …). ``commitment``: to the facts, where they are not kept; None where
    they are, and in records that were written before there were any.
    """

    kind: ClassVar[str] = "prediction"

    id: str
    model: str
    bundle_digest: str
    place: Place = "champion"
    event_time: str = ""
    known_time: str = ""
    subject: str = ""
    facts: dict[str, Any] | None = None
    answer: dict[str, Any] = {}
    verdict: Literal["ok", "warn", "refused"] = "ok"
    why: str = ""
    commitment: Commitment | None = None


WIDEST = 64
"""Bytes of a text that a sheet's row is hashed with as it is; a column with a longer one is hashed by the hash of each text."""


class SheetColumn(Part):
    """A column of a sheet. ``part``: what of a prediction it holds; ``name``: of a fact, or of a piece of the answer or of the commitment.

    ``type``: Arrow's name of it. ``width``: texts are hashed as so many bytes, None: by their own hash (and for what is no text).
    """

    part: Literal["event_time", "subject", "facts", "commitment", "answer", "verdict", "why"]
    name: str = ""
    type: str
    width: int | None = Field(default=None, ge=0, le=WIDEST)


class PredictionSheet(Record):
    """Many answers in one entry, a row each; row i is the prediction ``id/i``. What they share stands here, the rows beside, in Arrow's format.

    ``first`` and ``last``: the earliest and the latest event time of a row. ``classes``: whose chances the first columns of the answer are.
    ``root``: SHA-256 over the salted commitments to the rows, in order (``journal.sheet``): one row can be deleted, and the others still prove.
    """

    kind: ClassVar[str] = "predictions"

    id: str
    model: str
    bundle_digest: str
    place: Place = "champion"
    known_time: str
    first: str
    last: str
    rows: int
    facts_kept: bool = True
    classes: tuple[str, ...] = ()
    columns: tuple[SheetColumn, ...]
    root: str


class Label(Record):
    """What came out, late or in part. A later label of the same prediction corrects an earlier one.

    ``final``: False where the outcome may still change (a payment that is open, a machine that runs on); ``censored``: the outcome is only
    known to be at least ``value``. ``known_time``: when it was known, not when it was written down.
    """

    kind: ClassVar[str] = "label"

    prediction: str
    model: str
    value: Any
    event_time: str = ""
    known_time: str = ""
    final: bool = True
    censored: bool = False
    by: str = ""
    why: str = ""


class AnswerOverride(Record):
    """A person decided otherwise than a prediction said."""

    kind: ClassVar[str] = "answer-override"

    prediction: str
    model: str
    before: Any
    after: Any
    who: str
    reason: str = ""
    when: str = ""


class Acknowledgement(Record):
    """Somebody has seen an alarm. ``until``: no word about the same alarm before this time (UTC); empty: until it ends.

    ``closes``: the end of the look that could not judge it, and after which it is over by this word; empty: it closes nothing.
    """

    kind: ClassVar[str] = "acknowledgement"

    alarm: str
    who: str
    why: str = ""
    until: str = ""
    closes: str = ""


class Approval(Record):
    """A person lets a bundle go live, or does not."""

    kind: ClassVar[str] = "approval"

    model: str
    bundle_digest: str
    approved: bool
    who: str
    why: str = ""


class Benefit(Record):
    """Money of a period (UTC, from included, until excluded): what evaluation promised and what outcomes show."""

    kind: ClassVar[str] = "benefit"

    model: str
    bundle_digest: str
    begins: str
    ends: str
    promised: Interval
    realised: Interval
    currency: str = ""
    rows: int = 0
    labelled: int = 0
    against: str = ""
    share: Number = float("nan")


class Standing(Part):
    """What stands in a place of a model at a moment, and how it came there. Times are UTC; ``recorded_utc``: when it was written down."""

    model: str
    place: Place
    bundle_digest: str
    share: float = 1.0
    since: str
    recorded_utc: str
    action: str
    by: str
    why: str
    replaces: str = ""
    run: str = ""
    evidence: Comparison | None = None
    approvals: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()


class WriterHead(Part):
    """The newest entry of one writer."""

    writer: str
    number: int
    hash: str


class JournalHeads(Record):
    """The newest entries of a journal, to be kept where who can write the journal cannot: what came before them can be proved whole."""

    kind: ClassVar[str] = "journal-heads"

    journal: str
    heads: tuple[WriterHead, ...]

"""The kinds of entries that holdgood writes, and the one that a person's word means."""

from __future__ import annotations

from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.records import (
    Acknowledgement,
    Alarm,
    AnswerOverride,
    Approval,
    Benefit,
    ChallengeLook,
    Delivery,
    Label,
    Prediction,
    PredictionSheet,
    Promotion,
    RetrainDecision,
    WatchLook,
)
from holdgood.journal.chain import TOMBSTONE
from holdgood.journal.log import Journal

_RECORDS = (
    Prediction, PredictionSheet, Label, AnswerOverride, Alarm, Acknowledgement, WatchLook, Delivery, Promotion, Approval,
    ChallengeLook, RetrainDecision, Benefit,
)  # fmt: skip
KINDS = (*(r.kind for r in _RECORDS), TOMBSTONE)
"""As they stand in entries."""
_NEWEST = 1_000
"""Entries that are looked at for the names of models that were never live."""
_SHORT = {"override": AnswerOverride.kind, "look": WatchLook.kind, "sheet": PredictionSheet.kind}


def kind_meant(word: str, journal: Journal) -> str:
    """The kind that a word names: as it stands in entries, in the plural, or ``override`` for short. DeclarationError where there is no such kind.

    A kind that holdgood does not know is taken where the journal has entries of it: a newer version may have written them.
    """
    if word in KINDS:
        return word
    plain = word.strip().lower().replace("_", "-").replace(" ", "-")
    for one in (plain, plain.removesuffix("s")):
        if (found := _SHORT.get(one, one)) in KINDS:
            return found
    if journal.entries(word, limit=1):
        return word
    raise DeclarationError(
        f"no such kind of entry: {word!r}",
        "one of: " + ", ".join(KINDS),
        did_you_mean(plain, (*KINDS, *_SHORT)) or "leave --kind out for all",
    )


def need_model(name: str, journal: Journal) -> None:
    """DataError with the names there are where a journal with entries of models has none of this one."""
    if journal.entries(model=name, limit=1):
        return
    newest = journal.entries(limit=_NEWEST, newest_first=True)
    known = sorted({p.model for _, p in journal.read(Promotion)} | {e.model for e in newest if e.model})
    if known:
        raise DataError(
            f"no entry is of a model {name!r}",
            "one of: " + ", ".join(known),
            did_you_mean(name, known) or "leave --model out for all",
        )

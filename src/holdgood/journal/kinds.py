"""The kinds of entries that holdgood writes, and the one that a person's word means."""

from __future__ import annotations

from holdgood.core.errors import DeclarationError, did_you_mean
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

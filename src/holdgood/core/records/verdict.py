"""The verdict: gates first, then one sentence in money."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.envelope import Part, Record


class Gate(Part):
    """One condition for release: passed, failed (measured and not good enough) or open (nobody has said or measured)."""

    name: str
    status: Literal["passed", "failed", "open"]
    required: str
    observed: str
    sentence: str = ""


class Verdict(Record):
    """``ready``: all gates passed; ``ready to pilot``: none failed, some open; ``not ready``: at least one failed."""

    kind: ClassVar[str] = "verdict"

    status: Literal["ready", "ready to pilot", "not ready"]
    headline: str
    sentences: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()


class CardSection(Part):
    """A section of the model card: paragraphs and a small table."""

    title: str
    paragraphs: tuple[str, ...] = ()
    table: tuple[tuple[str, str], ...] = ()


class ModelCard(Record):
    """Made from records, not typed by hand; what nobody has declared says so."""

    kind: ClassVar[str] = "model-card"

    title: str
    sections: tuple[CardSection, ...]

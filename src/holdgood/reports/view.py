"""RunView: everything that the report of one run shows, as records. Nothing is looked up and nothing is computed."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdgood.core.declaration import Declaration
from holdgood.core.records import (
    AuditReport,
    Bundle,
    CleanLog,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    Leaderboard,
    ModelCard,
    Profile,
    Series,
    Split,
    Verdict,
)


@dataclass(frozen=True)
class RunView:
    """The records of one run, in the order of the line.

    ``steps`` holds (name, seconds, reused); ``histograms`` the distribution of scores (x: middle of a bin, y: share or
    count of rows); ``commands`` what to type to get the same run again.
    """

    declaration: Declaration
    run_id: str
    created_utc: str
    verdict: Verdict
    audit_tables: AuditReport
    audit_target: AuditReport
    clean: CleanLog
    split: Split
    ledger: FeatureLedger
    leaderboard: Leaderboard
    evaluation: Evaluation
    fairness: FairnessReport
    card: ModelCard
    bundle: Bundle | None = None
    profiles: tuple[Profile, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    steps: tuple[tuple[str, float, bool], ...] = ()
    histograms: tuple[Series, ...] = ()
    commands: tuple[str, ...] = ()

"""What is handed from room to room: frozen, typed records, one file a record."""

from holdgood.core.records.audit import AuditReport, Finding, Outcome, Proposal, TableSummary
from holdgood.core.records.bundle import Bundle, FileEntry, PartEntry
from holdgood.core.records.cleaning import CleanLog, RepairEntry
from holdgood.core.records.common import Comparison, Interval, Money, Series
from holdgood.core.records.contract import ColumnRule, Contract, RowRule, TableContract
from holdgood.core.records.effect import RepairEffect, RepairEffects
from holdgood.core.records.envelope import Part, Record
from holdgood.core.records.evaluation import (
    Calibration,
    Capacity,
    Confusion,
    Evaluation,
    Importance,
    Overfitting,
    Slice,
    Threshold,
)
from holdgood.core.records.fairness import FairnessReport, Gap, GroupReport, GroupResult
from holdgood.core.records.features import FeatureLedger, JoinEntry, LedgerEntry
from holdgood.core.records.forecast import Forecast
from holdgood.core.records.forecast_evaluation import (
    Accuracy,
    ForecastEvaluation,
    ItemCover,
    ItemOutside,
    LeadCover,
    SeriesAccuracy,
)
from holdgood.core.records.journal import (
    Acknowledgement,
    AnswerOverride,
    Approval,
    Benefit,
    JournalHeads,
    Label,
    Prediction,
    Standing,
    WriterHead,
)
from holdgood.core.records.leaderboard import BandChoice, Leaderboard, Rung, Trial
from holdgood.core.records.lesson import (
    DataKind,
    FamilyLesson,
    Lesson,
    LessonsUsed,
    LessonUse,
    ParameterLesson,
)
from holdgood.core.records.monitoring import Alarm, ChallengeLook, Promotion, RetrainDecision
from holdgood.core.records.override import (
    CellFault,
    DecidedOrder,
    DecidedOrders,
    Override,
    OverrideOutcome,
    OverrideReview,
    PersonOutcome,
)
from holdgood.core.records.panel import PanelNote, PanelReport
from holdgood.core.records.plan import (
    HeldLimit,
    ItemTerms,
    LeftOut,
    OrderLine,
    OrderPlan,
    PlanLine,
    ServiceStock,
    WorkPlan,
)
from holdgood.core.records.profile import ColumnProfile, Profile
from holdgood.core.records.rebalance import MoreRows, Rebalance
from holdgood.core.records.runs import Changed, Entrant, NewRowsBoard, Origin, RunComparison, RunPair, RunSummary
from holdgood.core.records.split import Split
from holdgood.core.records.verdict import CardSection, Gate, ModelCard, Verdict
from holdgood.core.records.watching import Delivery, Drift, GroupGap, WatchLook

__all__ = [
    "Accuracy",
    "Acknowledgement",
    "Alarm",
    "AnswerOverride",
    "Approval",
    "AuditReport",
    "BandChoice",
    "Benefit",
    "Bundle",
    "Calibration",
    "Capacity",
    "CardSection",
    "CellFault",
    "ChallengeLook",
    "Changed",
    "CleanLog",
    "ColumnProfile",
    "ColumnRule",
    "Comparison",
    "Confusion",
    "Contract",
    "DataKind",
    "DecidedOrder",
    "DecidedOrders",
    "Delivery",
    "Drift",
    "Entrant",
    "Evaluation",
    "FairnessReport",
    "FamilyLesson",
    "FeatureLedger",
    "FileEntry",
    "Finding",
    "Forecast",
    "ForecastEvaluation",
    "Gap",
    "Gate",
    "GroupGap",
    "GroupReport",
    "GroupResult",
    "HeldLimit",
    "Importance",
    "Interval",
    "ItemCover",
    "ItemOutside",
    "ItemTerms",
    "JoinEntry",
    "JournalHeads",
    "Label",
    "LeadCover",
    "Leaderboard",
    "LedgerEntry",
    "LeftOut",
    "Lesson",
    "LessonUse",
    "LessonsUsed",
    "ModelCard",
    "Money",
    "MoreRows",
    "NewRowsBoard",
    "OrderLine",
    "OrderPlan",
    "Origin",
    "Outcome",
    "Overfitting",
    "Override",
    "OverrideOutcome",
    "OverrideReview",
    "PanelNote",
    "PanelReport",
    "ParameterLesson",
    "Part",
    "PartEntry",
    "PersonOutcome",
    "PlanLine",
    "Prediction",
    "Profile",
    "Promotion",
    "Proposal",
    "Rebalance",
    "Record",
    "RepairEffect",
    "RepairEffects",
    "RepairEntry",
    "RetrainDecision",
    "RowRule",
    "RunComparison",
    "RunPair",
    "RunSummary",
    "Rung",
    "Series",
    "SeriesAccuracy",
    "ServiceStock",
    "Slice",
    "Split",
    "Standing",
    "TableContract",
    "TableSummary",
    "Threshold",
    "Trial",
    "Verdict",
    "WatchLook",
    "WorkPlan",
    "WriterHead",
]

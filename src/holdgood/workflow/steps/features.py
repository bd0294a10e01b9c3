"""What is known at the decision: the plan of the features and the frame of the development rows."""

from __future__ import annotations

import json

from holdgood.core.errors import DataError
from holdgood.core.protocols import Parts
from holdgood.core.records import (
    FeatureLedger,
)
from holdgood.core.records.envelope import read, write_bytes
from holdgood.features.builders.build import ledger
from holdgood.features.builders.plan import FeaturePlan, make_plan
from holdgood.features.trending import clocks
from holdgood.workflow.excluded import excluded, identifiers
from holdgood.workflow.folder import StepFolder
from holdgood.workflow.monotone import constrained
from holdgood.workflow.work import DEVELOPMENT, Work


def build_features(work: Work, folder: StepFolder) -> FeatureLedger:
    """Plan the features from types and findings; build them for the development rows."""
    assert work.target is not None and work.audit_target is not None
    assert work.audit_tables is not None
    exclude = excluded(work.declaration, work.target.columns, work.audit_target)
    work.plan = make_plan(work.declaration, work.tables, exclude=exclude, identifiers=identifiers(work.audit_tables))
    work.plan, _ = constrained(work.plan, work.declaration.task.monotone, work.target.task.kind)
    frame, joins = work.built(DEVELOPMENT)
    times = work.at(work.split_time, DEVELOPMENT)
    if work.split is not None and work.split.how == "time" and times is not None:
        work.plan = work.plan.without(clocks(frame, times))
        work.forget_frames()
        frame, joins = work.built(DEVELOPMENT)
    lost = [g for g in work.declaration.fairness.groups if g not in work.main.names and g not in frame.names]
    if lost:
        raise DataError(
            f"the fairness group {lost[0]!r} is no feature: {work.plan.left_out.get(lost[0], 'it is not joined')}",
            "a joined column that is known at the decision",
            "correct fairness.groups, or how its table joins",
        )
    if not frame.features:
        raise DataError(
            "no column is left as a feature",
            "at least one column that is known before the decision",
            "see the audit: holdgood show features",
        )
    work.ledger = ledger(work.plan, frame, joins)
    write_bytes(folder.path / "plan.json", json.dumps(work.plan.to_parts().json).encode())
    return work.ledger


def load_features(work: Work, folder: StepFolder) -> None:
    """Restore plan and ledger; the frames are built when somebody asks for them."""
    work.plan = FeaturePlan.from_parts(Parts(json.loads((folder.path / "plan.json").read_text(encoding="utf-8"))))
    work.ledger = read(folder.record, FeatureLedger)

"""The steps of a run, one function each: take Work, do one room's part, write its record. Their order stands in run.py.

One file a part of the line; a step that can be restored has its ``load_…`` beside it.
"""

from holdgood.workflow.steps.features import build_features, load_features
from holdgood.workflow.steps.groups import compare_groups, load_fairness
from holdgood.workflow.steps.holdout import evaluate_holdout, load_evaluation
from holdgood.workflow.steps.release import judge_release, load_verdict, make_bundle, make_report
from holdgood.workflow.steps.tables import audit_tables, clean_tables, load_audit_tables, read_tables
from holdgood.workflow.steps.training import load_training, train_models
from holdgood.workflow.steps.wall import audit_target, divide_rows, load_audit_target, load_split

__all__ = [
    "audit_tables",
    "audit_target",
    "build_features",
    "clean_tables",
    "compare_groups",
    "divide_rows",
    "evaluate_holdout",
    "judge_release",
    "load_audit_tables",
    "load_audit_target",
    "load_evaluation",
    "load_fairness",
    "load_features",
    "load_split",
    "load_training",
    "load_verdict",
    "make_bundle",
    "make_report",
    "read_tables",
    "train_models",
]

"""Monotone constraints: declared by raw column, carried by the feature that is that number, kept by families that can."""

from __future__ import annotations

from collections.abc import Mapping

from holdgood.core import plugins
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.task import TaskKind
from holdgood.features.builders.plan import FeaturePlan
from holdgood.workflow.candidates import Portfolio

SIGNS: Mapping[str, int] = {"increasing": 1, "decreasing": -1}


def constrained(plan: FeaturePlan, declared: Mapping[str, str], kind: TaskKind) -> tuple[FeaturePlan, dict[str, int]]:
    """The plan without features that would bend a constrained column, and the sign by feature.

    ``declared``: columns of the main table, or ``table.column`` of a joined one, as ``increasing`` or ``decreasing``.
    Everything else that is computed from such a column is left out, so that predictions follow the column itself.
    """
    if not declared:
        return plan, {}
    if kind == "multiclass":
        raise DeclarationError(
            "monotone columns for several classes", "a binary task or an amount", "take task.monotone away"
        )
    numbers = {f.name: f for f in plan.features if f.builder == "column" and f.type == "number"}
    for name in declared:
        if name not in numbers:
            left = plan.left_out.get(name) or plan.left_out.get(f"{plan.main}.{name}")
            raise DeclarationError(
                f"task.monotone names {name!r}, which is no feature that is a number" + (f": {left}" if left else ""),
                "a number column that is a feature as it is",
                did_you_mean(name, numbers) or "correct task.monotone",
            )
    bound = {origin: name for name in declared for origin in numbers[name].origin}
    bending = {
        f.name: f"it is computed from {bound[o]}, which is declared monotone"
        for f in plan.features
        for o in f.origin
        if o in bound and f.name not in declared
    }
    return plan.without(bending), {name: SIGNS[way] for name, way in declared.items()}


def able(tried: Portfolio) -> tuple[Portfolio, str]:
    """What may be tried of families that keep a monotone column (``monotone = True``), and a note on those left out."""
    families = plugins.load_all("holdgood.models")
    keep = {c.family for c in tried.candidates if getattr(families.get(c.family), "monotone", False)}
    out = sorted({c.family for c in tried.candidates} - keep)
    kept = Portfolio([c for c in tried.candidates if c.family in keep], [s for s in tried.spaces if s.family in keep])
    return kept, f"left out, because they do not keep a column monotone: {', '.join(out)}" if out else ""

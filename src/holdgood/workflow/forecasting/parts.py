"""The model among the parts of a bundle, and back."""

from __future__ import annotations

from collections.abc import Mapping

from holdgood.core.errors import BundleError
from holdgood.core.protocols import Persistable
from holdgood.models.forecasting.beginnings import Beginnings
from holdgood.models.forecasting.coherent import Coherent
from holdgood.training.panels.censored import KEEP, CensoredDemand
from holdgood.training.panels.combined import Combined
from holdgood.workflow.forecasting.model import Model


def parts_of(model: Model) -> dict[str, Persistable]:
    """Parts by name."""
    found: dict[str, Persistable] = {"forecaster": model.forecaster, "beginnings": model.beginnings}
    if model.demand != KEEP:
        found["demand"] = model.demand
    return found if model.coherent is None else {**found, "coherent": model.coherent}


def model_of(parts: Mapping[str, Persistable]) -> Model:
    """BundleError where there is none."""
    forecaster, beginnings = parts.get("forecaster"), parts.get("beginnings")
    if not isinstance(forecaster, Combined) or not isinstance(beginnings, Beginnings):
        raise BundleError(
            "a bundle without a forecaster", "one that a forecasting run has written", "holdgood predict scores rows"
        )
    coherent, demand = parts.get("coherent"), parts.get("demand", KEEP)
    if not isinstance(demand, CensoredDemand):
        raise BundleError("a bundle whose part `demand` is another", "how hidden demand is treated", "it is damaged")
    return Model(forecaster, beginnings, coherent if isinstance(coherent, Coherent) else None, demand)

"""Forecasters to try: every installed family's configurations for a panel, simplest first; what was left out is said."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from holdgood.core import plugins
from holdgood.core.errors import DeclarationError, MissingExtra, did_you_mean
from holdgood.core.panel import Panel
from holdgood.training.panels.backtest import PanelCandidate

GROUP = "holdgood.forecasters"


def candidates(
    panel: Panel, horizon: int, families: Sequence[str] = ()
) -> tuple[list[PanelCandidate], tuple[str, ...]]:
    """Candidates of the wanted families (default: all whose libraries are there), and notes on those left out.

    The lowest rung is always in. DeclarationError for an unknown family, MissingExtra for one asked for that is not installed.
    """
    known = plugins.names(GROUP)
    for name in families:
        if name not in known:
            raise DeclarationError(
                f"no forecaster named {name!r}",
                "one of: " + ", ".join(known),
                did_you_mean(name, known) or "holdgood doctor",
            )
    found: list[PanelCandidate] = []
    notes: list[str] = []
    for family in sorted(plugins.load_all(GROUP).values(), key=lambda f: (f.rung, f.name)):
        wanted = family.name in families
        if families and not wanted and family.rung > 0:
            continue
        missing = _missing(family)
        if missing and wanted:
            raise missing
        if missing:
            notes.append(f"{family.name} was not tried: {missing.came}; {missing.do}")
            continue
        for name, parameters in family.configurations(panel, horizon):
            make = partial(family.make, parameters)
            found.append(PanelCandidate(name, family.name, family.rung, family.local, make, parameters))
    return found, tuple(notes)


def _missing(family: Any) -> MissingExtra | None:
    library = getattr(family, "library", None)
    if library is None or find_spec(library) is not None:
        return None
    return MissingExtra.named(getattr(family, "extra", "forecast"), library, family.name)

"""A bundle's forecaster at work: forecasts from new history without fitting anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.bundle import load as load_bundle
from holdgood.bundle import save as save_bundle
from holdgood.cleaning import installed
from holdgood.connectors import read_table
from holdgood.core.declaration import Declaration
from holdgood.core.errors import BundleError, DataError
from holdgood.core.events import Event, Listener, silent
from holdgood.core.protocols import PanelContext
from holdgood.core.records import Bundle, PanelNote
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.core.text import counted
from holdgood.features.panels.plan import PanelPlan
from holdgood.features.panels.reader import ReadPanel, read_panel
from holdgood.models.forecasting.beginnings import Beginnings
from holdgood.training.panels.combined import Combined
from holdgood.workflow.forecasting.fit import learned_from
from holdgood.workflow.forecasting.given import attributes, check_numbers, check_span
from holdgood.workflow.forecasting.model import Model, words_of
from holdgood.workflow.forecasting.parts import model_of, parts_of
from holdgood.workflow.forecasting.result import Forecasts
from holdgood.workflow.forecasting.tables import alive, report_of
from holdgood.workflow.mistaken import need_bundle
from holdgood.workflow.named import check_rows
from holdgood.workflow.predict import with_tables
from holdgood.workflow.repairs import repair

_SOME = 8


@dataclass(frozen=True, eq=False)
class ForecastModel:
    """A loaded bundle. ``last``: the last moment that its fit has seen; ``series``: the ids, none where it did not say.

    ``most_steps``: between the first and last rows of all series of a history; None: as many as the fit may have.
    """

    plan: PanelPlan
    model: Model
    declaration: Declaration
    bundle: Bundle
    last: str = ""
    series: frozenset[str] = frozenset()
    most_steps: int | None = None

    @classmethod
    def load(cls, folder: Path | str) -> ForecastModel:
        """Verify and load; a run's folder stands for the bundle in it."""
        path = Path(folder)
        need_bundle(path)
        if not (path / "manifest.json").exists() and (path / "bundle" / "manifest.json").exists():
            path = path / "bundle"
        loaded = load_bundle(path)
        plan = loaded.parts.get("plan")
        if loaded.task.kind != "forecast" or not isinstance(plan, PanelPlan):
            raise BundleError(
                f"a bundle of kind {loaded.task.kind!r}",
                "one that a forecasting run has written",
                f"holdgood predict {folder} ROWS",
            )
        declared = Declaration.model_validate(loaded.extra.get("declaration", {}))
        seen = frozenset(map(str, loaded.extra.get("series", ())))
        return cls(plan, model_of(loaded.parts), declared, loaded.manifest, str(loaded.extra.get("last", "")), seen)

    def forecast(
        self,
        history: Any,
        *,
        future: Any = None,
        items: Any = None,
        horizon: int | None = None,
        samples: int | None = None,
        seed: int | None = None,
    ) -> Forecasts:
        """Forecast from the end of each series of ``history`` (a frame or file with the columns of training).

        ``horizon``: fewer steps than were declared; what is known ahead is asked for these alone, and lead times that are longer are
        left out. DataError for more: nobody has judged them.
        """
        spec, plan = self.declaration.forecast, self._plan(horizon)
        table = check_numbers(plan, self._table(history, self.declaration.main))
        if self.most_steps is not None:
            check_span(plan, table, self.most_steps)
        ahead = None if future is None else check_numbers(plan, self._table(future, spec.future or "future"))
        about = self._about(items)
        read = read_panel(plan, table, items=about, future=ahead)
        going = alive(read)
        leads = tuple(n for n in spec.lead_times if n <= plan.horizon)
        report = report_of(read)
        notes = (*report.notes, *self._lacking(table, about), *self._unseen(read), *self._aged(report.last))
        return Forecasts(
            self.model, read.take(going), report.model_copy(update={"notes": notes}), spec.levels_out, leads,
            samples or spec.samples, self.declaration.budget.seed if seed is None else seed, table.native,
        )  # fmt: skip

    def panel_of(self, history: Any, *, items: Any = None) -> ReadPanel:
        """A history as the panel that the fit has seen, without a look ahead."""
        table = check_numbers(self.plan, self._table(history, self.declaration.main))
        return read_panel(self.plan, table, items=self._about(items), ahead=False)

    def updated(self, history: Any, *, items: Any = None, listener: Listener = silent) -> ForecastModel:
        """The same forecasters fitted anew on a longer history: which ones, their weights and the spread of their errors stay.

        What was chosen is not judged again; for that, run the project anew. ``save`` writes the result as a bundle of its own.
        """
        panel_words, read = self.model.coherent, self.panel_of(history, items=items)
        some = read.take(learned_from(read, alive(read)))
        own = panel = self.model.demand.completed(some.panel)
        if panel_words is not None:
            panel = panel_words.panel(panel, panel_words.nodes(panel, words_of(some, panel_words.levels)))
        listener(Event("progress", "update", f"{len(panel):,} series"))
        seed = self.declaration.budget.seed
        again = Combined.from_parts(self.model.forecaster.to_parts())
        fitted = again.fit(panel, PanelContext(self.plan.horizon, seed=seed))
        model = Model(fitted, Beginnings.learned(own, self.plan.horizon, seed), self.model.coherent, self.model.demand)
        return replace(self, model=model, last=report_of(read).last, series=frozenset(map(str, some.panel.ids)))

    def save(self, folder: Path | str) -> Bundle:
        """Write the model as a bundle; the leaderboard and the accuracy of its run stay where they are."""
        return save_bundle(
            Path(folder), name=self.bundle.name, parts={"plan": self.plan, **parts_of(self.model)}, records={},
            task=Task.model_validate(self.bundle.task), run=self.bundle.run, data_fingerprint=self.bundle.data_fingerprint,
            extra_json={"declaration": self.declaration.model_dump(mode="json"), "last": self.last,
                "series": sorted(self.series),
            },
        )  # fmt: skip

    def _plan(self, horizon: int | None) -> PanelPlan:
        if horizon is None or horizon == self.plan.horizon:
            return self.plan
        if not 1 <= horizon < self.plan.horizon:
            raise DataError(
                f"a horizon of {horizon:,} steps",
                f"at most the {self.plan.horizon:,} that were declared and judged at past origins, at least one",
                f"leave it out, or declare horizon = {horizon} under [forecast] and run the project anew"
                if horizon > 0
                else "leave it out for all of them",
            )
        return replace(self.plan, horizon=horizon)

    def _about(self, items: Any) -> Table | None:
        """The table of items, of which only what the fit has seen counts."""
        return (
            None
            if items is None
            else attributes(self.plan, self._table(items, self.declaration.forecast.items or "items"))
        )

    def _table(self, source: Any, name: str) -> Table:
        declared = self.declaration.tables.get(name)
        types: Mapping[str, Any] = declared.types if declared else {}
        table = check_rows(read_table(source, name=name, types=dict(types)))
        available = installed()
        for spec in with_tables(self.declaration):
            if spec.table == name:
                table, _, _ = repair(table, spec, available, declared.time if declared else None)
        return replace(table, name=name)

    def _lacking(self, table: Table, items: Table | None) -> tuple[PanelNote, ...]:
        """A note on columns that the fit had and this history lacks."""
        plan, there = self.plan, {*table.names, *(items.names if items is not None else ())}
        roles = {
            "known ahead": plan.known,
            "past": plan.past,
            "in stock": (plan.in_stock,) if plan.in_stock else (),
            "static": plan.static,
        }
        gone = [f"{name} ({role})" for role, names in roles.items() for name in names if name not in there]
        if not gone:
            return ()
        said = (
            f"this history lacks {counted(len(gone), 'column')} that the fit had, taken as unknown in all "
            f"{counted(table.rows, 'row')}: {', '.join(gone[:_SOME])}{' …' if len(gone) > _SOME else ''}"
        )
        return (PanelNote(code="columns", level="issue", message=said, count=len(gone)),)

    def _unseen(self, read: ReadPanel) -> tuple[PanelNote, ...]:
        """A note on series with a history that the fit has not seen."""
        if not self.series:
            return ()
        ids = read.panel.ids[~read.new & ~read.ended].astype(str).tolist()
        new = [i for i in ids if i not in self.series]
        if not new:
            return ()
        said = f"{len(new):,} of {len(ids):,} series were not there at the fit: forecasters of single series answer with the naive, until --update or a new run"
        return (PanelNote(code="unseen", level="tip", message=said, count=len(new), series=tuple(new[:_SOME])),)

    def _aged(self, last: str) -> tuple[PanelNote, ...]:
        """A note where so much new history has come that a new fit was asked for."""
        after = self.declaration.forecast.refit_after
        if after is None or not self.last or not last:
            return ()
        steps = self.plan.grid.number(np.array([self.last, last], "M8[us]").astype(np.int64))
        if steps[1] - steps[0] < after:
            return ()
        said = (
            f"{int(steps[1] - steps[0]):,} steps of history have come since the fit; a new one is due after {after:,}"
        )
        return (PanelNote(code="refit", level="tip", message=said, count=int(steps[1] - steps[0])),)

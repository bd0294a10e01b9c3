"""A bundle made ready to answer: loaded once, verified, warmed up, and never changed afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.bundle.verify import read_manifest
from holdgood.core.plain_columns import plain
from holdgood.core.records import Bundle
from holdgood.core.records.contract import OutOfContract
from holdgood.core.records.journal import Place
from holdgood.core.table import Table
from holdgood.journal.keys import LONGEST
from holdgood.serving.entry import moment
from holdgood.serving.exchange import refused
from holdgood.workflow.live.folder import bundle_in
from holdgood.workflow.predict import Predictor
from holdgood.workflow.single.cells import LOST, reader_of
from holdgood.workflow.single.scorer import RowScorer

if TYPE_CHECKING:
    from holdgood.workflow.forecasting.in_use import ForecastModel

_WARM = 2


@dataclass(frozen=True, eq=False)
class Loaded:
    """``scorer``: of a bundle that answers rows; ``forecaster``: of one that forecasts. One of them is there. ``held``: how the contract is."""

    name: str
    manifest: Bundle
    scorer: RowScorer | None = None
    forecaster: ForecastModel | None = None
    held: OutOfContract = "warn"

    @property
    def digest(self) -> str:
        """Of the bundle."""
        return self.manifest.digest

    @property
    def quick(self) -> bool:
        """Whether a row alone is answered in a fraction of a millisecond, and may be on the event loop."""
        return self.scorer is not None and self.scorer.compiled

    def rows(self) -> RowScorer:
        """The scorer of rows; a refusal where the bundle forecasts."""
        if self.scorer is None:
            raise refused(
                409,
                f"{self.name} forecasts series and answers no rows",
                "a model of rows",
                f"ask /models/{self.name}/forecast",
            )
        return self.scorer

    def series(self) -> ForecastModel:
        """The forecaster; a refusal where the bundle answers rows."""
        if self.forecaster is None:
            raise refused(
                409,
                f"{self.name} answers rows and forecasts nothing",
                "a forecasting model",
                f"ask /models/{self.name}/predict",
            )
        return self.forecaster

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns by which a row is told from others, as declared."""
        spec = self.rows().model.declaration.tables[self.rows().model.declaration.main]
        return tuple(spec.key or spec.ids)

    @cached_property
    def _time(self) -> tuple[str, Any] | None:
        """The column that tells a row's moment of decision, and its reader."""
        declaration = self.rows().model.declaration
        for name in (declaration.task.decision_time, declaration.tables[declaration.main].time):
            if name and self.rows().types.get(name) == "datetime":
                return name, reader_of("datetime")
        return None

    def subject(self, row: Mapping[str, Any]) -> str:
        """The key of a row, by which a person's rows are found; empty where the row does not say it."""
        if not self.key or any(row.get(k) is None for k in self.key):
            return ""
        return _person("|".join([_written(row[k]) for k in self.key]))

    def subjects(self, rows: pa.Table, of: str = "") -> pa.ChunkedArray:
        """The same for many, as texts. ``of``: the column that says it instead; where its cell says nobody, the key does."""
        if not of:
            return _persons(rows, self.key)
        own = _persons(rows, (of,))
        nobody = pc.equal(own, "")
        if not pc.any(nobody).as_py():
            return own
        by_key, wide = _persons(rows, self.key), pa.large_string()
        return pc.if_else(nobody, by_key.combine_chunks().cast(wide), own.cast(wide))

    def moment(self, row: Mapping[str, Any], cells: Mapping[str, Any] | None = None) -> str:
        """The moment of decision that a row tells, in UTC; empty where it tells none. ``cells``: the row as it was read, if it was."""
        if self._time is None:
            return ""
        name, read = self._time
        if cells:
            cell = cells.get(name)
        else:
            cell = None if (value := row.get(name)) is None else read(value)
        if cell is None or cell is LOST:
            return ""
        try:
            return moment(cell)
        except OverflowError:
            return ""

    def moments(self, rows: pa.Table) -> pa.ChunkedArray:
        """The same for many, as moments in UTC; null where a row tells none."""
        kind, name = pa.timestamp("us", "UTC"), self._time[0] if self._time is not None else ""
        if name not in rows.column_names:
            return pa.chunked_array([pa.nulls(rows.num_rows, kind)])
        column = rows.column(name)
        if pa.types.is_timestamp(column.type):
            return column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).cast(kind)
        said = [self.moment({name: cell})[:26] or "NaT" for cell in plain(rows.select([name])).column(0).to_pylist()]
        return pa.chunked_array(
            [pa.array(np.array(said, "datetime64[us]"), pa.timestamp("us")).cast(pa.int64()).cast(kind)]
        )


def _persons(rows: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray:
    """Whose each row is by the cells of some columns; empty where one of them says nothing."""
    if not names or any(k not in rows.column_names for k in names):
        return pa.chunked_array([[""] * rows.num_rows], pa.string())
    first = rows.column(names[0])
    if len(names) == 1 and _all_plain(first):
        return first
    cells = [column.to_pylist() for column in plain(rows.select(names)).columns]
    said = [
        "" if any(v is None or v != v for v in some) else _person("|".join([_written(v) for v in some]))
        for some in zip(*cells, strict=True)
    ]
    return pa.chunked_array([said], pa.string())


def _all_plain(column: pa.ChunkedArray) -> bool:
    """Whether each cell is a text that ``_person`` leaves as it is."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)) or column.null_count:
        return False
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    return longest <= LONGEST and bool(pc.all(pc.ascii_is_printable(column)).as_py())


def _person(said: str) -> str:
    """A subject as the journal can find it."""
    if len(said) <= LONGEST and said.isprintable():
        return said
    return "sha256:" + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _written(value: Any) -> str:
    """A key's cell as text: 4711 and 4711.0 are the same person."""
    return str(int(value)) if type(value) is float and value.is_integer() else str(value)


@dataclass(frozen=True, eq=False)
class Served:
    """What stands in the places of one model. ``share``: of the requests that the canary answers."""

    name: str
    champion: Loaded
    canary: Loaded | None = None
    share: float = 0.0
    shadow: Loaded | None = None

    def choose(self, who: str) -> tuple[Loaded, Place]:
        """The same subject (or id) always meets the same bundle, as long as the share stays; a larger share only adds subjects."""
        if self.canary is None:
            return self.champion, "champion"
        drawn = int.from_bytes(
            hashlib.blake2b(f"{self.name}\0{who}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
        )
        return (self.canary, "canary") if drawn < self.share * 2.0**64 else (self.champion, "champion")

    def places(self) -> list[tuple[Place, Loaded]]:
        """Who stands where."""
        found: list[tuple[Place, Loaded]] = [("champion", self.champion)]
        found += [("canary", self.canary)] if self.canary else []
        return found + ([("shadow", self.shadow)] if self.shadow else [])


@dataclass(frozen=True)
class Reference:
    """Files of the tables that models join, by name, as ``--table NAME=FILE`` gives them."""

    files: Mapping[str, str] = field(default_factory=dict)

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Changes when a file does."""
        found = []
        for name, source in self.files.items():
            if "://" not in source and (path := Path(source.partition("?")[0])).exists():
                there = path.stat()
                found.append((name, there.st_mtime_ns, there.st_size))
        return tuple(found)

    def of(self, model: Predictor) -> dict[str, Table]:
        """The tables that a model joins, read and repaired as it asks."""
        joined = {j.table for j in model.plan.joins}
        return {n: model.table_of(source, n) for n, source in self.files.items() if n in joined}


def load(
    folder: Path | str, name: str | None = None, reference: Reference | None = None, held: OutOfContract = "warn"
) -> Loaded:
    """Verify a bundle, load it, read its reference tables and answer a first row. Raises what these raise. ``held``: how its contract is."""
    path = bundle_in(folder)
    manifest = read_manifest(path)
    if manifest.task.get("kind") == "forecast":
        from holdgood.workflow.forecasting.in_use import ForecastModel  # heavy, and only for those who forecast

        model = ForecastModel.load(path)
        return Loaded(name or model.bundle.name, model.bundle, forecaster=model)
    predictor = Predictor.load(path).held(held)
    scorer = RowScorer(predictor, (reference or Reference()).of(predictor))
    empty = dict.fromkeys(scorer.types)
    if all(j.table in scorer.others for j in predictor.plan.joins):
        for _ in range(_WARM):  # libraries set themselves up at their first row
            scorer.score(empty)
    return Loaded(name or predictor.manifest.name, predictor.manifest, scorer=scorer, held=held)

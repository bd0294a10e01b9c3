"""Live traffic without a server: orders are answered by what stands in a live folder, journalled, and told the truth later."""

from __future__ import annotations

import copy
import json
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from holdgood.core.records import Label, Prediction
from holdgood.workflow.folder import Project
from holdgood.workflow.live import retrain
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promotion import promote
from holdgood.workflow.predict import Predictor
from holdgood.workflow.result import Run
from holdgood.workflow.run import run

MODEL = "company"
GO_LIVE = datetime(2024, 9, 10, tzinfo=UTC)
A_DAY, DAYS = 48, 90


class Traffic:
    """A company's orders after its model was made: ``calm`` as the model knows them, ``turned`` in a world where weight means the opposite."""

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        rng = np.random.default_rng(7)
        n, begin = A_DAY * DAYS, pd.Timestamp(GO_LIVE).tz_localize(None)
        hours = pd.date_range(begin - pd.Timedelta(hours=6), periods=24 * DAYS + 12, freq="h")
        rain = rng.gamma(1.0, 1.0, 2 * len(hours)).round(3)
        weather = pd.DataFrame(
            {"site": np.repeat(["north", "south"], len(hours)), "at": [*hours, *hours], "rain": rain}
        )
        self.others = {"customers": tables["customers"], "weather": weather}
        placed = (begin + pd.to_timedelta(np.sort(rng.uniform(0, DAYS, n)), unit="D")).floor("s")
        site, customer = rng.integers(0, 2, n), rng.integers(0, 80, n)
        weight = rng.normal(10, 3, n).round(3)
        at = ((placed - hours[0]) / pd.Timedelta(hours=1)).astype(int)
        trade = (tables["customers"].kind.to_numpy() == "trade")[customer]
        score = 1.2 * (rain[site * len(hours) + at] - 1) + 0.8 * trade - 1.0
        orders = pd.DataFrame(
            {
                "order": [f"N{i:05d}" for i in range(n)],
                "customer": tables["customers"].id.to_numpy()[customer],
                "site": np.array(["north", "south"])[site],
                "placed": placed,
                "weight": weight,
                "note": rng.choice(["leave at the door please thank you", "ring twice and wait a moment", ""], n),
            }
        )
        chance = rng.random(n)
        self.calm, self.turned = (
            orders.assign(hours_taken=np.where(chance < 1 / (1 + np.exp(-score - slope * (weight - 10))), 5.5, 1.0))
            for slope in (0.25, -0.8)
        )

    def thinned(self, every: int) -> Traffic:
        """The same with every so many orders only: what a journal costs goes by its entries."""
        made = copy.copy(self)
        made.calm, made.turned = (orders.iloc[::every].reset_index(drop=True) for orders in (self.calm, self.turned))
        return made

    def part(self, world: str, begins: float, ends: float) -> pd.DataFrame:
        """Orders of some days since the model went live."""
        orders = getattr(self, world)
        days = (orders.placed - pd.Timestamp(GO_LIVE).tz_localize(None)) / pd.Timedelta(days=1)
        return orders[(days >= begins) & (days < ends)]

    def answered(self, live: Live, world: str, begins: float, ends: float, *, told: bool = True) -> pd.DataFrame:
        """Everything that stands answers the orders of these days; a day later the truth is told. Facts are kept as live.toml says."""
        orders = self.part(world, begins, ends)
        facts = orders.drop(columns=["hours_taken"]).assign(left_at=pd.NaT)
        records = json.loads(
            facts.drop(columns=["left_at"]).to_json(orient="records", date_format="iso", date_unit="us")
        )
        said = []
        for stood in live.standing(MODEL):
            model = Predictor.load(live.bundle(stood.bundle_digest))
            rows = model.table_of(facts.assign(hours_taken=np.nan))
            tables = {n: model.table_of(frame, n) for n, frame in self.others.items()}
            said += [
                Prediction(
                    id=order, model=MODEL, bundle_digest=stood.bundle_digest, place=stood.place, subject=order,
                    event_time=_utc(when), facts=record if live.settings.keep.facts else None, answer={"probability": float(p)},
                )
                for order, when, record, p in zip(orders.order, orders.placed, records, model.predict(rows, tables), strict=True)
            ]  # fmt: skip
        live.journal.append_many(said, "server")
        if told:
            self.tell(live, orders)
        return orders

    def tell(self, live: Live, orders: pd.DataFrame, *, days: float = 1.0) -> None:
        """The outcomes, as the column that the target is computed from."""
        labels = [
            Label(
                prediction=order,
                model=MODEL,
                known_time=_utc(when + pd.Timedelta(days=days)),
                value={"hours_taken": hours},
            )
            for order, when, hours in zip(orders.order, orders.placed, orders.hours_taken, strict=True)
        ]
        live.journal.append_many(labels, "server")


def _utc(when: pd.Timestamp) -> str:
    return when.isoformat() + "+00:00"


def day(number: float) -> datetime:
    """Some days after the model went live."""
    return GO_LIVE + timedelta(days=number)


@pytest.fixture
def at():
    """``at(14.5)``: a moment so many days after the model went live."""
    return day


@pytest.fixture(scope="session")
def small(tmp_path_factory, request):
    """A finished run of the company with a quick family, to be copied."""
    company = request.getfixturevalue("company_tables")
    folder = tmp_path_factory.mktemp("small")
    for name, frame in company.items():
        frame.to_parquet(folder / f"{name}.parquet")
    declared = request.getfixturevalue("company_declaration")
    return run(Project(folder, declared))


@pytest.fixture(scope="session")
def traffic(company_tables):
    return Traffic(company_tables)


@pytest.fixture(scope="session")
def _kept(tmp_path_factory):
    """Runs of retrainings by the table that they learned from."""
    return tmp_path_factory.mktemp("retrained"), {}


@pytest.fixture
def trained_once(_kept, monkeypatch):
    """A retraining on the same table under the same declaration is the same run: it is made once for all tests and copied."""
    folder, made = _kept

    def known(project, **asked):
        key = (
            project.declaration.model_dump_json(exclude={"tables"})
            + project.declaration.tables["orders"].source.rpartition("/")[2]
        )
        if key not in made:
            found = run(project, **asked)
            made[key] = shutil.copytree(project.path / "runs" / found.id, folder / str(len(made)) / found.id)
            return found
        shutil.copytree(made[key], project.path / "runs" / made[key].name)
        return Run.open(project, next(r for r in project.runs() if r.id == made[key].name))

    monkeypatch.setattr(retrain, "run", known)


@pytest.fixture
def begin(small, tmp_path):
    """``begin(settings)``: a live folder in which the small model went live, and its project."""

    def made(settings: str) -> tuple[Live, Project]:
        folder = tmp_path / "company"
        shutil.copytree(small.project.path, folder)
        Live.create(tmp_path / "live")
        (tmp_path / "live" / "live.toml").write_text(settings)
        live = Live.open(tmp_path / "live")
        promote(live, folder / "runs" / small.id, MODEL, by="Ada", why="the first model", when=day(0).isoformat())
        return live, Project(folder, small.project.declaration)

    return made

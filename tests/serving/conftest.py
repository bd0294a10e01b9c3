"""Small bundles made directly from parts in a second: what a run would deliver, without the run."""

import asyncio
import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from holdgood.bundle import save
from holdgood.core.chain import Chain
from holdgood.core.declaration import parse
from holdgood.core.frame import Frame
from holdgood.core.protocols import FitContext
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.features.background import Background
from holdgood.features.builders.build import Builder
from holdgood.features.builders.plan import make_plan
from holdgood.features.encode.for_needs import encoder_for
from holdgood.metrics.band import band
from holdgood.models.tabular.lightgbm import Boosting
from holdgood.models.tabular.linear import FAMILY as LINEAR
from holdgood.models.tabular.quantile_boosting import QuantileBoosting
from holdgood.serving import server as server_module
from holdgood.serving import tokens
from holdgood.serving.server import Settings, door
from holdgood.training.calibrated import Calibrated, Recalibration
from holdgood.training.ensemble import Ensemble
from holdgood.training.fitted_band import FittedBand, levels_of, with_prediction
from holdgood.workflow.blank import learned
from holdgood.workflow.contract import contract_of
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promotion import promote
from holdgood.workflow.predict import for_bundle

LEVELS = [f"l{i:02d}" for i in range(80)]


def jobs(n=600, seed=0):
    """A table with every type of column, gaps included."""
    random = np.random.default_rng(seed)
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 200 * 86400, n), unit="s")
    frame = pd.DataFrame(
        {
            "job": [f"J{i:05d}" for i in range(n)],
            "size": random.lognormal(1, 2, n).round(3),
            "parts": random.poisson(4, n),
            "load": random.normal(0, 1, n).round(4),
            "kind": random.choice(["red", "green", "blue"], n),
            "line": random.choice(LEVELS, n),
            "rush": random.random(n) < 0.3,
            "asked": when,
            "due": when + pd.to_timedelta(random.integers(3600, 20 * 86400, n), unit="s"),
            "note": random.choice(
                ["please ring the bell twice", "leave it at the gate for us", "as always thank you all"], n
            ),
        }
    )
    frame.loc[random.random(n) < 0.1, "load"] = np.nan
    frame.loc[random.random(n) < 0.1, "kind"] = None
    return frame


def late(frame, seed=0):
    """Chance of being late, and whether."""
    score = frame.parts / 2 - 2 + frame.load.fillna(0) + (frame.kind == "red") + frame.rush
    return (np.random.default_rng(seed).random(len(frame)) < 1 / (1 + np.exp(-score))).to_numpy().astype(float)


def make_bundle(
    folder,
    *,
    kind="binary",
    models=("lightgbm",),
    name="jobs",
    seed=0,
    calibrated=False,
    rounds=20,
    join=False,
    contract=None,
    fitted=False,
    target="late",
    outcome=(),
    blanks=(),
):
    """Write a bundle and give its manifest; ``kind``: of task; ``fitted``: with learners of quantiles; ``models``: one is a chain, several an
    ensemble. ``outcome``: columns of the target with their types. ``blanks``: columns whose
    missing cells are empty texts, as a frame may have them, so that these are learned as values."""
    frame = jobs(seed=seed)
    for column in blanks:
        frame[column] = frame[column].fillna("")
        frame.loc[: len(frame) // 10, column] = ""
    tables = {"jobs": Table.of(frame, "jobs", types={"note": "text", "job": "category"})}
    declared = {
        "name": name,
        "task": {"table": "jobs", "target": target},
        "tables": {"jobs": {"source": "jobs.parquet", "key": ["job"], "ids": ["job"], "time": "asked"}},
    }
    if join:
        hours = pd.date_range("2024-01-01", periods=6000, freq="h")
        weather = pd.DataFrame({"at": hours, "rain": np.random.default_rng(1).gamma(1, 1, 6000).round(3)})
        weather["kind"] = "red"
        tables["weather"] = Table.of(weather, "weather")
        declared["tables"]["weather"] = {"source": "weather.parquet", "time": "at", "join": {"on": {"kind": "kind"}}}
    declaration = parse(declared)
    plan = make_plan(declaration, tables, identifiers={"jobs": {"job": "names a row"}})
    others = {n: t for n, t in tables.items() if n != "jobs"}
    features: Frame = Builder(plan, others).build(tables["jobs"])[0]
    y, task = _outcome(kind, frame)
    context = FitContext(task=task, seed=seed, rounds=rounds)
    chains = [_chain(which, seed + i).fit(features, y, None, context) for i, which in enumerate(models)]
    scorer = chains[0] if len(chains) == 1 else Ensemble(chains, [1 / len(chains)] * len(chains))
    if calibrated:
        scorer = Calibrated(scorer, Recalibration("temperature", np.array([1.3])))
    wide = band(y, scorer.predict(features), level=0.9, over=1.0, under=3.0) if kind == "regression" else None
    beside = {"band": _fitted(wide, features, scorer.predict(features), y, task)} if fitted else {}
    made = (
        contract_of(declaration, tables, plan) if contract is None else contract(contract_of(declaration, tables, plan))
    )
    held = learned(made, tables)
    return save(
        folder,
        name=name,
        parts={"plan": plan, "chain": scorer, "background": Background.of(features, 0), **beside},
        records={"contract": made},
        task=task,
        extra_json={
            "declaration": for_bundle(declaration).model_dump(mode="json"),
            "threshold": 0.4 if kind == "binary" else None,
            "class_weight": None,
            "band": None if wide is None else wide.to_json(),
            "average_costs": None,
            "outcome": dict(outcome),
            **({"blanks": held} if held else {}),
        },
    )


def _fitted(base, features, prediction, y, task):
    context, levels = FitContext(task=task, rounds=8), levels_of(base)
    scores = (y - prediction) / base.size(prediction)
    encoder = encoder_for("codes")
    matrix = encoder.fit_transform(with_prediction(features, prediction), scores, context)
    models = [QuantileBoosting(q, {"num_leaves": 8}).fit(matrix, scores, None, context) for q in levels]
    return FittedBand(base, encoder, levels, models, [0.1 * i for i in range(len(levels))])


def _outcome(kind, frame):
    y = late(frame)
    if kind == "binary":
        return y, Task(kind="binary", classes=(False, True), metric="log_loss", target="late")
    if kind == "regression":
        return frame.parts * 2.0 + y, Task(kind="regression", metric="rmse", target="late")
    y = y + (frame["size"] > 10)
    return y.to_numpy(), Task(kind="multiclass", classes=("no", "late", "very late"), metric="log_loss", target="late")


def _chain(which, seed):
    if which == "lightgbm":
        return Chain(encoder_for("codes"), Boosting({"num_leaves": 7, "seed": seed}))
    return Chain(encoder_for("dense"), LINEAR.make(dict(LINEAR.configurations(_TASK, 600, 20)[0][1])))


_TASK = Task(kind="binary", classes=(False, True), metric="log_loss", target="late")


def plain(frame):
    """Rows as a client would send them: plain JSON values."""
    cells = frame.astype(object).where(frame.notna(), None)
    for column in ("asked", "due"):
        if column in cells:
            cells[column] = [None if v is None else v.isoformat() for v in cells[column]]
    return [{k: v.item() if hasattr(v, "item") else v for k, v in row.items()} for row in cells.to_dict("records")]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """Makes a bundle of a kind once, and gives its folder."""
    made = {}

    def of(**asked):
        key = repr(sorted(asked.items()))
        if key not in made:
            made[key] = tmp_path_factory.mktemp("bundle") / "bundle"
            make_bundle(made[key], **asked)
        return made[key]

    return of


@pytest.fixture(scope="session")
def job_rows():
    """Rows as a client would send them."""
    return plain(jobs(40, seed=5))


class Server:
    """A real server process on a free port, and a client that keeps its connection."""

    def __init__(self, *arguments, at):
        self.log = at / f"log-{secrets.token_hex(4)}.jsonl"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "holdgood.cli.app", "serve", *map(str, arguments), "--port", "0"], cwd=at, text=True,
                stdout=subprocess.PIPE, stderr=log, env={**os.environ, "COLUMNS": "200"},
            )  # fmt: skip
        line = self.process.stdout.readline()
        assert "serving on http://127.0.0.1:" in line, self.log.read_text()
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", line)[1])
        self.kept = None
        for _ in range(400):
            try:
                if self.ask("GET", "/readyz", token=None).status in (200, 503):
                    return
            except OSError:
                time.sleep(0.05)  # it listens before it answers
        raise AssertionError("the server does not answer")

    def ask(self, method, path, body=None, *, token="", headers=None, raw=None):
        """The reply, with its body read. ``token``: None sends none, "" the first one."""
        told = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            told["Authorization"] = f"Bearer {token or self.token}"
        sent = raw if raw is not None else None if body is None else json.dumps(body)
        for again in (False, True):
            if self.kept is None:
                self.kept = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                self.kept.request(method, path, sent, told)
                reply = self.kept.getresponse()
                reply.text = reply.read()
                return reply
            except (http.client.HTTPException, ConnectionError):
                self.kept.close()
                self.kept = None
                if again:
                    raise
        raise AssertionError("never")

    def json(self, method, path, body=None, **more):
        """Status and body."""
        reply = self.ask(method, path, body, **more)
        return reply.status, json.loads(reply.text)

    def end(self, how=signal.SIGTERM):
        """End it, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=60)


def make_live(folder, bundles, place_of):
    """A live folder in which bundles stand: ``place_of``: (place, share) to what ``bundles`` is asked for."""
    live = Live.create(folder)
    for (place, share), asked in place_of.items():
        promote(live, bundles(**asked), "jobs", place=place, share=share, by="ann", why="a test", overrule=True)
    return live


@pytest.fixture(scope="session")
def server(tmp_path_factory, bundles):
    """One server of a live folder for all tests that leave it as it is: models ``jobs`` (with a canary and a shadow) and ``amounts``."""
    at = tmp_path_factory.mktemp("served")
    live = make_live(
        at / "live",
        bundles,
        {("champion", None): {}, ("canary", 0.3): {"seed": 1}, ("shadow", None): {"models": ("lightgbm", "linear")}},
    )
    promote(live, bundles(kind="regression"), "amounts", by="ann", why="a test", overrule=True)
    file = at / "live" / "tokens.json"
    secret = {role: tokens.new(file, roles=[role], name=role)[0] for role in tokens.ROLES}
    made = Server(
        at / "live", "--rate", "0", "--refused-rate", "0", "--max-body", "300000", "--max-rows", "500", "--log-requests", at=at
    )  # fmt: skip
    made.live, made.secret, made.tokens_file, made.token = live, secret, file, secret["admin"]
    yield made
    made.end()


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Start further servers; they are ended with the session."""
    begun = []

    def of(*arguments, at, token=""):
        begun.append(Server(*arguments, at=at))
        begun[-1].token = token
        return begun[-1]

    yield of
    for one in begun:
        one.end(signal.SIGKILL)


@pytest.fixture(scope="session")
def live_of(bundles):
    """Makes live folders; see ``make_live``."""
    return lambda folder, place_of: make_live(folder, bundles, place_of)


class Asker:
    """Asks a door as uvicorn does."""

    def __init__(self, app, secret):
        self.app, self.secret = app, secret

    async def __call__(
        self, method, path, body=None, headers=(), *, raw=b"", content_type="application/json", receive=None, token=None, client=None
    ):  # fmt: skip
        raw = raw if body is None else json.dumps(body).encode()
        told = [
            (b"host", b"localhost"),
            (b"content-type", content_type.encode()),
            (b"authorization", b"Bearer " + (self.secret if token is None else token).encode()),
            *headers,
        ]
        sent = []

        async def whole():
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": told, "client": client}
        await self.app(scope, receive or whole, send)
        given = dict(sent[0]["headers"])
        said = (
            json.loads(sent[1]["body"] or b"{}") if given[b"content-type"] == b"application/json" else sent[1]["body"]
        )
        return sent[0]["status"], said, given


@pytest.fixture
def within(bundles, tmp_path, monkeypatch):
    """Run a scenario with a door: ``within(scenario, **settings)``; ``scenario(ask, desk)``."""

    def run(scenario, *, opened=None, **more):
        file = tmp_path / "tokens.json"
        secret, _ = tokens.new(file, roles=["admin"], name="ann")
        if opened is not None:
            monkeypatch.setattr(server_module, "Journal", opened)
        settings = Settings(
            **{"what": (str(bundles()),), "tokens": file, "journal": str(tmp_path / "journal.sqlite"), **more}
        )

        async def live():
            app = door(settings)
            got, put = asyncio.Queue(), asyncio.Queue()
            await put.put({"type": "lifespan.startup"})
            task = asyncio.create_task(app({"type": "lifespan"}, put.get, got.put))
            assert (await got.get())["type"] == "lifespan.startup.complete"
            try:
                await scenario(Asker(app, secret), app._desk)
            finally:
                await put.put({"type": "lifespan.shutdown"})
                await task

        asyncio.run(live())

    return run

"""The server: routes, and uvicorn under them."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from holdgood.core.declared_live import LiveSpec
from holdgood.core.errors import DeclarationError, EnvironmentFault, MissingExtra
from holdgood.core.records.contract import OutOfContract
from holdgood.journal import Journal
from holdgood.serving.connections import BACKLOG, Connections, room_for, watched
from holdgood.serving.describing import models, openapi, schema
from holdgood.serving.desk import Desk, Keeping
from holdgood.serving.door import Door, Guard, Route
from holdgood.serving.exchange import Call, Reply, as_json
from holdgood.serving.explaining import explain
from holdgood.serving.feedback import feedback
from holdgood.serving.limits import Limits, Rates
from holdgood.serving.loaded import Reference
from holdgood.serving.logs import Log, ThroughLog
from holdgood.serving.metrics import Metrics
from holdgood.serving.predicting import predict
from holdgood.serving.series import forecast, plan
from holdgood.serving.standing import LiveFolder, Models, NamedBundles, Source
from holdgood.serving.tokens import FILE_NAME, Tokens
from holdgood.serving.traces import traces
from holdgood.serving.upkeep import Upkeep
from holdgood.workflow.live.folder import Live
from holdgood.workflow.mistaken import need_served

JOURNAL = "journal.sqlite"
_PAGE = {
    "/docs": ("page.html", "text/html; charset=utf-8"),
    "/docs/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/docs/page.css": ("page.css", "text/css; charset=utf-8"),
}
_POLICY = b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Settings:
    """``what``: bundles (``NAME=PATH`` or ``PATH``), or one live folder. ``tokens``: the file; None: ``tokens.json`` in the live folder or here.

    ``out_of_contract``: None means what the live folder says that is served or holds the bundle, or ``warn``.
    ``open_``: nobody is asked for a token (on loopback only). ``hosts``: further names that the Host header may have.
    """

    what: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 8000
    tables: tuple[str, ...] = ()
    journal: str = ""
    journal_required: bool = True
    tokens: Path | None = None
    open_: bool = False
    hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    every: float = 2.0
    log_requests: bool = False
    grace: int = 30
    out_of_contract: OutOfContract | None = None


def tokens_file(what: tuple[str, ...], given: Path | None = None) -> Path:
    """Where the tokens lie: as given, in the live folder, or here."""
    if given is not None:
        return given
    return Path(what[0]) / FILE_NAME if len(what) == 1 and is_live(what[0]) else Path(FILE_NAME)


def is_live(what: str) -> bool:
    """Whether a path is a live folder."""
    return "=" not in what and (Path(what) / "bundles").is_dir()


def door(settings: Settings, *, log: Log | None = None, metrics: Metrics | None = None) -> Door:
    """The ASGI application. Bundles are loaded before it is made, so that a fault is told to whoever starts it."""
    for given in settings.what:
        if len(settings.what) > 1 or not is_live(
            given
        ):  # before tokens are asked for: another folder may have other ones
            need_served(given.partition("=")[2] or given)
    tokens = _tokens(settings)
    source, open_journal, folder = _source(settings)
    held = settings.out_of_contract or (folder.serve.out_of_contract if isinstance(source, LiveFolder) else None)
    made = Models(source, Reference(_pairs(settings.tables)), held)
    made.look()
    if not made.all() and made.faults:
        raise DeclarationError("nothing can be served: " + "; ".join(made.faults), "bundles that load", "see above")
    upkeep = Upkeep(
        made, open_journal, tokens, metrics or Metrics(), log or Log(), settings.limits, Keeping.of(folder.keep), settings.journal_required, settings.every,
        read_keep=source.keep if isinstance(source, LiveFolder) else None,
    )  # fmt: skip
    guard = Guard(tokens, Rates(settings.limits.rate), _hosts(settings), Rates(settings.limits.strangers))
    made_door = Door(_routes(upkeep), guard, upkeep.begin, upkeep.end, all_requests=settings.log_requests)
    made_door.traces = traces()
    return made_door


def serve(settings: Settings, *, announce: Callable[[str], None] = lambda _: None) -> None:
    """Serve until SIGTERM or Ctrl-C; what was begun is finished and journalled first. ``announce`` is told the address."""
    if find_spec("uvicorn") is None:
        raise MissingExtra.named("serve", "uvicorn", "serving")
    import uvicorn  # an optional library, wanted for serving only

    log, metrics, limits = Log(), Metrics(), settings.limits
    app = door(settings, log=log, metrics=metrics)
    most = room_for(limits.connections)
    if most < limits.connections:
        log("fewer connections than asked for: this process may not open more files", "warning", connections=most)
    lines = Connections(most, limits.seconds, metrics, log)
    logging.getLogger("uvicorn").handlers = [ThroughLog(log)]
    logging.getLogger("uvicorn").propagate = False
    try:
        listening = socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=BACKLOG,
        )
    except OSError as error:
        raise EnvironmentFault(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}",
            "an address of this machine and a free port",
            "choose another --port",
        ) from error
    config = uvicorn.Config(
        app, loop="uvloop" if find_spec("uvloop") else "asyncio", http=watched(_protocol(), lines), ws="none",
        lifespan="on", access_log=False, log_config=None, log_level="warning", server_header=False, proxy_headers=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=settings.grace, backlog=BACKLOG,
    )  # fmt: skip
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    announce(f"http://{host}:{listening.getsockname()[1]}")
    server = uvicorn.Server(config)
    # uvicorn ends gracefully and then raises the signal once more, for whoever was there before it: nobody
    before = {s: signal.signal(s, lambda *_: None) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not server.started:
        raise EnvironmentFault("the server did not start", "see the log above", "mend it and start again")


def _protocol() -> type[asyncio.Protocol]:
    """How uvicorn reads HTTP here: by httptools where that is installed."""
    if find_spec("httptools"):
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        return HttpToolsProtocol
    from uvicorn.protocols.http.h11_impl import H11Protocol

    return H11Protocol


def _routes(upkeep: Upkeep) -> list[Route]:
    async def healthz(_: Desk, __: Call) -> Reply:
        return as_json({"ok": True})

    async def readyz(desk: Desk, _: Call) -> Reply:
        why = [*desk.models.faults]
        why += [] if desk.models.all() else ["no model is live"]
        why += [] if desk.recorder.up or not desk.recorder.required else ["the journal is away"]
        why += ["going down"] if upkeep.ended else []
        ready = bool(desk.models.all()) and not upkeep.ended and (desk.recorder.up or not desk.recorder.required)
        return as_json({"ready": ready, "why": why}, 200 if ready else 503)

    async def metrics(desk: Desk, _: Call) -> Reply:
        desk.metrics.waiting.set(desk.recorder.waiting)
        return Reply(200, desk.metrics.text(), Metrics.content_type)

    async def reload(desk: Desk, _: Call) -> Reply:
        if upkeep.tokens is not None:
            upkeep.tokens.refresh()
        await upkeep.look(force=True)
        return await models(desk, _)

    async def page(_: Desk, call: Call) -> Reply:
        name, kind = _PAGE[call.path]
        return Reply(
            200,
            (files("holdgood.serving") / "pages" / name).read_bytes(),
            kind,
            ((b"content-security-policy", _POLICY),),
        )

    return [
        Route("/predict", "POST", predict, "predict", of_model=True),
        Route("/explain", "POST", explain, "predict", of_model=True),
        Route("/forecast", "POST", forecast, "predict", of_model=True),
        Route("/plan", "POST", plan, "predict", of_model=True),
        Route("/feedback", "POST", feedback, "feedback", of_model=True),
        Route("/schema", "GET", schema, "", of_model=True),
        Route("/models", "GET", models, ""),
        Route("/openapi.json", "GET", openapi, ""),
        Route("/metrics", "GET", metrics, "metrics"),
        Route("/healthz", "GET", healthz, None),
        Route("/readyz", "GET", readyz, None),
        Route("/admin/reload", "POST", reload, "admin"),
        *(Route(path, "GET", page, None) for path in _PAGE),
    ]


def _source(settings: Settings) -> tuple[Source, Callable[[], Journal], LiveSpec]:
    """What to serve, how to open the journal, and the settings of the live folder, or the defaults."""
    if len(settings.what) == 1 and is_live(settings.what[0]):
        live = Live.open(settings.what[0])
        return LiveFolder(live), lambda: live.journal, live.settings
    where = settings.journal or os.environ.get("HOLDGOOD_JOURNAL") or JOURNAL
    return NamedBundles(list(settings.what)), lambda: Journal(where), LiveSpec()


def _tokens(settings: Settings) -> Tokens | None:
    """The tokens, or None where nobody is asked for one; refuses what would be open to a network."""
    file = tokens_file(settings.what, settings.tokens)
    if settings.open_:
        if not _loopback(settings.host):
            raise DeclarationError(
                f"no tokens on {settings.host}",
                "tokens, wherever others can reach the server",
                "leave --open out, or serve on 127.0.0.1",
            )
        return None
    tokens = Tokens(file)
    if not tokens.alive():
        where = f" --tokens {file}" if settings.tokens else f" {settings.what[0]}" if file.parent != Path() else ""
        raise DeclarationError(
            f"no living token in {file}", "at least one: whoever asks must show it",
            f"holdgood serve token new{where} --role predict --name NAME (or --open, on this machine only)",
        )  # fmt: skip
    return tokens


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hosts(settings: Settings) -> frozenset[str]:
    """Names for the Host header. A server for others answers to the names that it is told."""
    own = {"localhost", "127.0.0.1", "[::1]"} if _loopback(settings.host) else set()
    named = settings.host if ":" not in settings.host else f"[{settings.host}]"
    wild = settings.host in ("0.0.0.0", "::")  # nosec B104 # noqa: S104 - compared, not bound
    if wild and not settings.hosts:
        raise DeclarationError(
            f"a server on {settings.host} without a name", "the names that it is asked by", "add --allow-host NAME for each"
        )  # fmt: skip
    return frozenset({*own, *(h.lower() for h in settings.hosts), *([] if wild else [named.lower()])})


def _pairs(tables: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in tables:
        name, equals, source = pair.partition("=")
        if not equals or not source or not name:
            raise DeclarationError(f"--table {pair}", "NAME=FILE", "write for example --table weather=weather.parquet")
        found[name] = source
    return found

"""Commands for a model in use: watch, acknowledge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.models import Related
from holdgood.cli.tables import Json
from holdgood.core.errors import DeclarationError
from holdgood.core.moments import asked_moment

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.workflow.live.folder import Live

LiveFolder = Annotated[Path, typer.Argument(help="The live folder: settings, journal, bundles.")]


def watch(
    folder: LiveFolder,
    model: Annotated[str | None, typer.Option("--model", help="One model; default: all that are live.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Look as if it were then (UTC, e.g. 2026-03-01); default: now.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="Rows that are usual (a table), instead of the bundle's.")
    ] = None,
    table: Related = None,
    every: Annotated[str | None, typer.Option("--every", help='Go on as a service, a look each "1h", "1 d" …')] = None,
    weekly: Annotated[bool, typer.Option("--weekly", help="The same as --every 7d.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the look as one HTML file too.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 if there is an alarm.")] = False,
    json: Json = False,
) -> None:
    """Look at what models in use answered and what came of it; tell who should know.

    A look compares new rows with development rows, performance with what was promised, and writes all of it to the journal. Alarms are told
    once, by the routes in live.toml, and are over when two looks, a usual interval apart, could have found them and did not. The number of
    false alarms a year is bounded by [watch] false_a_year, however often you look.
    """
    from holdgood.cli.watched import look_text
    from holdgood.core.budget import seconds_of
    from holdgood.core.records.envelope import write_bytes
    from holdgood.reports.watch_report import render_watch
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.reference import usual_of
    from holdgood.workflow.live.watch import looks_of
    from holdgood.workflow.live.watch import watch as look
    from holdgood.workflow.predict import Predictor

    files = _files(table or [])
    if every or weekly:
        if at or reference or html or strict or json:
            raise DeclarationError(
                "--every or --weekly with what a single look is asked for (--at, --reference, --html, --strict, --json)",
                "one or the other",
                "a service looks at now, with the bundle's reference, and tells by the routes in live.toml",
            )
        _serve(folder, model, (seconds_of(every) if every else 7 * 86_400.0) / 86_400.0, files)
        return
    live = Live.open(folder)
    models = _models(live, model)
    moment = asked_moment(at, "--at") if at else None
    if moment is not None and moment > datetime.now(UTC):
        # what came by now would be judged as if it were all, and its alarms stand in the journal for good
        raise DeclarationError(
            f"a look at {moment.isoformat()[:19]}, still to come", "a moment in the past", "leave --at out"
        )
    found = []
    for name in models:
        champion = live.at(name)
        usual, others = None, {}
        if champion is not None and (reference or files):
            predictor = Predictor.load(live.bundle(champion.bundle_digest))
            others = {n: predictor.table_of(f, n) for n, f in files.items()}
            usual = usual_of(predictor, reference, others) if reference else None
        found.append(look(live, name, at=moment, usual=usual, others=others))
    if html is not None:
        write_bytes(
            html,
            render_watch(
                [(w.look, w.alarms, w.benefit, w.seen_by) for w in found], {m: looks_of(live, m) for m in models}
            ).encode("utf-8", "backslashreplace"),
        )
    if json:
        draw.as_json(
            [
                {
                    "look": w.look.payload(),
                    "alarms": [a.payload() for a in w.alarms],
                    "benefit": w.benefit.payload() if w.benefit else None,
                    "undelivered": list(w.undelivered),
                    "acknowledged": {
                        i: a.payload() for i, a in w.seen_by.items() if i in (*w.look.found, *w.look.unjudged)
                    },
                    "again": w.again,
                }
                for w in found
            ]
        )
    else:
        for w in found:
            draw.out.print(look_text(w))
    if strict and any(w.alarms for w in found):
        raise typer.Exit(1)


def _serve(folder: Path, model: str | None, days: float, files: dict[str, str]) -> None:
    """A look each so many days, until SIGTERM; a journal that is away is waited for, also at the start."""
    from holdgood.cli.watched import look_text
    from holdgood.core.errors import HoldgoodError
    from holdgood.workflow.live import service
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.watch import Watched, due

    def opened() -> tuple[Live, dict[str, datetime], set[str]]:
        live = Live.open(folder)
        watching = live.settings.watch.model_copy(update={"days": days})
        live = replace(live, settings=live.settings.model_copy(update={"watch": watching}))
        models = _models(live, model)
        # What cannot be read is told now: the first look may be a week away.
        idle = files.keys() - {table for name in models for table in service.joined(live, name, files)}
        return live, {name: due(live, name, datetime.now(UTC)) for name in models}, idle

    def away(error: HoldgoodError, seconds: float) -> None:
        draw.err.print(f"waiting for the journal, tried again in {seconds:g} s: {error.came}", style="yellow")

    def said(name: str, seen: Watched | HoldgoodError) -> None:
        if isinstance(seen, Watched):
            draw.out.print(look_text(seen))
        else:
            draw.err.print(f"error: {name}: {seen}", style="red", soft_wrap=True)

    with service.ended_by_sigterm() as ending:
        begun = service.patiently(opened, away, sleep=ending.sleep, ended=lambda: ending.asked)
        if begun is None:
            return
        live, first, idle = begun
        if idle:
            draw.err.print(
                f"no model that is live joins {', '.join(sorted(idle))}: --table is not used", style="yellow"
            )
        for name, when in first.items():
            draw.out.print(
                f"{name}: the next look is due on {when:%Y-%m-%d %H:%M} UTC, then one each {days:g} days", style="dim"
            )
        follow = None if model is None else list(first)
        service.run(live, follow, said, files=files, sleep=ending.sleep, ended=lambda: ending.asked)


def _models(live: Live, model: str | None) -> list[str]:
    """Whom to look at."""
    from holdgood.workflow.live.service import champions

    models = [model] if model else champions(live)
    if not model and (left := champions(live, forecasting=True)):
        draw.err.print(f"not watched, since it forecasts series: {', '.join(left)}", style="yellow")
    if not models:
        raise DeclarationError(
            "no model that can be watched is live here",
            "a champion that answers rows",
            "holdgood promote puts one in place",
        )
    return models


def _files(pairs: list[str]) -> dict[str, str]:
    """By table its file, of ``NAME=FILE`` each."""
    found = {}
    for pair in pairs:
        name, equals, file = pair.partition("=")
        if not (name and equals and file):
            raise DeclarationError(f"--table {pair}", "NAME=FILE", "write for example --table weather=weather.parquet")
        found[name] = file
    return found


def acknowledge(
    folder: LiveFolder,
    alarm: Annotated[
        str, typer.Argument(help="The alarm's id, the beginning of it, or a code that one open alarm has.")
    ],
    by: Annotated[str, typer.Option("--by", help="Who has seen it.")],
    why: Annotated[str, typer.Option("--why", help="What it is, or what is being done.")] = "",
    until: Annotated[
        str, typer.Option("--until", help="No word about it before then (UTC); default: until it is over.")
    ] = "",
    close: Annotated[
        bool,
        typer.Option(
            "--close", help="Of an alarm that the last look could not judge: over, by your word. Needs --why."
        ),
    ] = False,
) -> None:
    """Say on the record that an alarm has been seen; with --until, that no word about it is wanted before then.

    With --close the next look says that it is over, unless it finds it again.
    """
    from holdgood.workflow.live.acknowledging import acknowledged
    from holdgood.workflow.live.folder import Live

    said = acknowledged(Live.open(folder), alarm, by=by, why=why, until=until, close=close)
    draw.out.print(
        f"{said.alarm}: seen by {said.who}"
        + (f", quiet until {said.until}" if said.until else "")
        + (", closed: the next look says so, unless it finds it again" if said.closes else "")
    )

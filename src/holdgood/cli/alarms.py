"""The command that lists alarms without taking a look."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.journal import OnlyModel, Url
from holdgood.cli.live import LIVE, LiveFolder
from holdgood.cli.tables import Json
from holdgood.core.text import one_line

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.workflow.live.alarms import Standing

_MARK = {"high": "✗", "medium": "!", "low": "·"}
_STYLE = {"high": "red", "medium": "yellow", "low": ""}


def alarms(
    model: OnlyModel = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 if an alarm is open.")] = False,
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """Open alarms of the models that are live, worst first: what, since when, last found, who has seen it, what to do. Reads only, looks at nothing.

    Example: holdgood journal alarms

    Example: holdgood journal alarms --all --model flights --json
    """
    from holdgood.workflow.live.alarms import alarms_of
    from holdgood.workflow.live.folder import journal_at

    found = alarms_of(journal_at(live, journal), model, over=all)
    still = [s for s in found.alarms if not s.over]
    if json:
        draw.as_json({"looked": found.looked, "alarms": [_said(s) for s in found.alarms]})
    else:
        for standing in found.alarms:
            _text(standing)
        newest = "; ".join(f"{name}: {ends[:16]} UTC" for name, ends in found.looked.items())
        looked = f"newest look: {newest}" if newest else "nobody has looked yet: holdgood watch does"
        if not still:
            draw.out.print(f"no alarm is open ({looked})")
        else:
            draw.out.print(f"{looked}", style="dim")
            if any(s.seen is None for s in still):
                draw.out.print(f"seen it? holdgood acknowledge {shlex.quote(str(live))} ID --by NAME", style="cyan")
    if strict and still:
        raise typer.Exit(1)


def _said(s: Standing) -> dict[str, object]:
    """An alarm as JSON."""
    a = s.alarm
    return {
        "id": a.id,
        "code": a.code,
        "model": a.model,
        "subject": a.subject,
        "severity": a.severity,
        "title": a.title,
        "message": a.message,
        "since": s.since,
        "last_found": s.last,
        "over": s.over,
        "quiet": s.quiet,
        "acknowledged": None if s.seen is None else {"by": s.seen.who, "why": s.seen.why, "until": s.seen.until},
        "closed": None if s.closed is None else {"by": s.closed.who, "why": s.closed.why},
        "do": a.todo,
    }


def _text(s: Standing) -> None:
    a = s.alarm
    style = "dim" if s.over else _STYLE[a.severity]
    draw.out.print(f"{_MARK[a.severity]} {a.code} {one_line(a.message)}  [{a.id}]", style=style)
    when = f"since {s.since[:16]}, last found {s.last[:16]} UTC" + (f", over since {s.over[:16]}" if s.over else "")
    seen = "seen by nobody yet"
    if s.closed is not None:
        seen = f"closed by {one_line(s.closed.who)} ({one_line(s.closed.why)})"
        seen += "" if s.over else ", over at the next look unless it finds it again"
    elif s.seen is not None:
        why = f" ({one_line(s.seen.why)})" if s.seen.why else ""
        seen = f"acknowledged by {one_line(s.seen.who)}{why}"
        seen += f", quiet until {s.seen.until[:16]}" if s.seen.until else ""
    draw.out.print(f"    {a.model}, {a.severity}; {when}; {seen}")
    if not s.over:
        draw.out.print(f"    do: {one_line(a.todo)}")

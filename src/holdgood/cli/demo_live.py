"""``holdgood demo live``: the life of a model as a scripted walk, a sentence a step."""

from __future__ import annotations

import shlex
import shutil
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from holdgood.cli import draw
from holdgood.core.errors import MissingExtra

if TYPE_CHECKING:
    from holdgood.workflow.demo_live import Lived

_STYLE = {
    "the world": "bold magenta", "retrain": "yellow", "promote": "green", "roll back": "red", "confirmed": "green", "watch": "dim",
}  # fmt: skip


def demo_live(folder: Path, *, fresh: bool = False, json: bool = False) -> None:
    """Walk it, or go on where a walk was stopped."""
    from holdgood.workflow.demo import need_data

    need_data(folder)  # before libraries are imported and a model is trained, not after it
    if find_spec("uvicorn") is None:
        raise MissingExtra.named("serve", "uvicorn", "the demo's server")
    if not (folder / "live" / "steps.jsonl").exists() or fresh:
        draw.err.print(
            "two parts: a first model is trained (about a minute of processor time), then ten weeks are walked through",
            style="dim",
        )
    from holdgood.workflow.demo_live import MODEL, live_demo

    if fresh:
        for part in ("live", "runs"):
            shutil.rmtree(folder / part, ignore_errors=True)
    told: list[dict[str, str]] = []

    def say(when: datetime, what: str, sentence: str) -> None:
        told.append({"when": f"{when:%Y-%m-%d}", "what": what, "sentence": sentence})
        if not json:
            draw.out.print(f"{when:%Y-%m-%d}  {what}: {sentence}", style=_STYLE.get(what, ""))

    with draw.Progress(quiet=json) as progress:
        done = live_demo(folder, say, listener=progress)
    standing = [{"place": s.place, "bundle": s.bundle_digest, "since": s.since, "why": s.why} for s in done.standing]
    if json:
        draw.as_json({"steps": told, "standing": standing, "faults": list(done.faults), "missing": list(done.missing)})
        _ended(done)
        return
    where = shlex.quote(str(done.live.path))
    draw.out.print()
    for s in done.standing:
        draw.out.print(f"{s.place} of {MODEL}: {s.bundle_digest[:12]} since {s.since[:10]}, by {s.by}: {s.why}")
    draw.out.print("the journal verifies" if not done.faults else f"the journal does not verify: {done.faults[0]}")
    draw.out.print(f"page: {done.page}")
    for query in (
        f"holdgood journal live-on 2013-11-10 --live {where}",
        f"holdgood journal show --kind retrain-decision --live {where}",
        f"holdgood journal verify --live {where}",
    ):
        draw.out.print(f"next: {query}", style="cyan")
    _ended(done)


def _ended(done: Lived) -> None:
    """Exit with 1 where the walk did not show what it is there to show, or its journal does not verify."""
    if done.missing:
        draw.err.print(
            f"the story ended early: no {done.missing[0]} came; please report it with the steps above", style="red"
        )
    if done.missing or done.faults:
        raise typer.Exit(1)

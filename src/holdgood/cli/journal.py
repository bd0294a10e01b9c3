"""Commands that look into the journal: what was live, what was written, whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.live import LIVE, LiveFolder
from holdgood.cli.tables import Json
from holdgood.core.errors import DataError
from holdgood.core.text import counted, one_line, percent

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.records import Standing
    from holdgood.journal import Entry, Head
    from holdgood.journal.tombstones import Stone

app = typer.Typer(
    name="journal",
    help="The append-only memory of models in use: who did what when, what was live, whether anything was changed, and what to forget.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Url = Annotated[
    str | None,
    typer.Option("--journal", help="A journal elsewhere: a file, or postgresql://… (password in PGPASSWORD)."),
]
OnlyModel = Annotated[str | None, typer.Option("--model", "-m", help="Only this model.")]
HeadFile = Annotated[
    Path | None, typer.Option("--head", help="Heads kept outside, as holdgood journal head --to wrote them.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", help="The key that deletions are sealed with; default the live folder's own (forget.key)."),
]
MOST = 20


@app.command("live-on")
def live_on(
    when: Annotated[str | None, typer.Argument(help="A day (its end counts) or a time in UTC; default now.")] = None,
    model: OnlyModel = None,
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """What was live at a moment: who put it there, when, why, on what evidence, and who approved.

    Example: holdgood journal live-on 2026-03-01
    """
    from datetime import UTC, datetime

    from holdgood.core.moments import moment_in
    from holdgood.journal import live_on as stood
    from holdgood.workflow.live.folder import journal_at, kept_without_a_word

    book = journal_at(live, journal)
    found = stood(book, when or datetime.now(UTC), model)
    if not found and journal is None and (kept := kept_without_a_word(live, book)):
        draw.err.print(
            f"warning: {counted(kept, 'bundle')} {'lies' if kept == 1 else 'lie'} in {live / 'bundles'}, and {book.name} holds no promotion at all. "
            "Was it lost? Then: holdgood journal restore BACKUP. If none was ever promoted, all is well",
            style="yellow",
        )
    begins = moment_in(when) if when else None
    coming = begins is not None and begins > datetime.now(UTC)
    if coming:
        told = draw.err if json else draw.out
        told.print(f"note: {one_line(when or '')} is still to come; this is how it stands now", style="yellow")
    if json:
        draw.as_json([s.model_dump(mode="json") for s in found])
        return
    if not found:
        draw.out.print(f"nothing was live {f'on {when}' if when and not coming else 'until now'}")
    for standing in found:
        _standing_text(standing)


def _standing_text(s: Standing) -> None:
    share = f" ({s.share:.0%} of the requests)" if s.place == "canary" else ""
    draw.out.print(f"{s.model}: {s.place}{share} {s.bundle_digest[:12]}", style="bold")
    how = {"roll back": "rolled back to it", "promote": "promoted it"}[s.action]
    draw.out.print(f"  since     {s.since[:19]} UTC" + (f", of run {s.run}" if s.run else ""))
    draw.out.print(f"  who       {one_line(s.by)} {how}" + (f", in place of {s.replaces[:12]}" if s.replaces else ""))
    draw.out.print(f"  why       {one_line(s.why)}")
    if s.evidence is not None:
        e = s.evidence
        said = f"{e.verdict}: {e.difference:.4g} {e.unit} ({percent(e.level)}: {e.low:.4g} to {e.high:.4g}, n={e.n:,})"
        draw.out.print(f"  evidence  {e.first} against {e.second}: {said}")
    else:
        draw.out.print("  evidence  none was given")
    draw.out.print(f"  approved  {', '.join(s.approvals) or 'by nobody'}")
    for condition in s.overruled:
        draw.out.print(f"  overruled {condition}", style="yellow")
    if s.recorded_utc[:16] != s.since[:16]:
        draw.out.print(f"  written   {s.recorded_utc[:19]} UTC", style="dim")


@app.command("show")
def show(
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            help="prediction (rows of sheets too), predictions (sheets), label, override, alarm, promotion, approval …",
        ),
    ] = None,
    model: OnlyModel = None,
    writer: Annotated[str | None, typer.Option("--writer", help="Only this writer's chain.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="From this day or time on (UTC).")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this day or time (UTC).")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = MOST,
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """The newest entries, oldest first; --json has them whole. Facts of people stay out of the text.

    Of a label what came out is shown, with "at least" before a lower bound.

    Example: holdgood journal show --kind promotion --model flights

    Example: holdgood journal show --kind alarm --since 2026-03-01 --json
    """
    from holdgood.journal.kinds import kind_meant, need_model
    from holdgood.workflow.live.folder import journal_at

    book = journal_at(live, journal)
    asked = None if kind is None else kind_meant(kind, book)
    found = book.entries(asked, writer, model=model, since=since, until=until, limit=limit, newest_first=True)[::-1]
    if model is not None and not found:
        need_model(model, book)
    if json:
        draw.as_json([vars(entry) for entry in found])
        return
    rows = [[_when(e), e.kind, e.model, _gist(e.kind, e.record), f"{e.writer} {e.number}"] for e in found]
    draw.rows_text(["when (UTC)", "kind", "model", "what", "entry"], rows)
    if len(found) == limit:
        draw.out.print(f"the newest {limit}; more: --limit, or --since", style="dim")


_GIST = {
    "prediction": ("id", "place", "verdict"),
    "predictions": ("id", "rows", "place"),
    "label": ("prediction", "value", "by"),
    "answer-override": ("prediction", "after", "who", "reason"),
    "promotion": ("action", "place", "by", "why"),
    "approval": ("who", "approved", "why"),
    "alarm": ("id", "severity", "title", "subject"),
    "challenge-look": ("phase", "decision", "reason"),
    "acknowledgement": ("alarm", "who", "why"),
    "retrain-decision": ("decision", "reasons"),
    "benefit": ("begins", "ends"),
}


def _gist(kind: str, record: dict[str, object] | None) -> str:
    if record is None:
        return "(forgotten)"
    payload = record.get("payload", record)
    assert isinstance(payload, dict)
    named = _GIST.get(kind, ("who", "why"))
    said = {k: "; ".join(map(str, v)) if isinstance(v := payload.get(k), list) else v for k in named}
    if kind == "label":
        said["value"] = _outcome(payload)
    if kind == "answer-override":
        said["after"] = f"now {_word(payload.get('after'))}"
    return one_line(" · ".join(str(v)[:_MOST_GIST] for v in said.values() if v not in (None, "")))


def _outcome(label: Mapping[str, object]) -> str:
    """What came out, whether it is only a lower bound, and whether it may still change."""
    value = label.get("value")
    words = [f"{k} {_word(v)}" for k, v in value.items()] if isinstance(value, Mapping) else [_word(value)]
    bound = "at least " if label.get("censored") else ""
    return bound + ", ".join(words)[:_MOST_VALUE] + (" (may still change)" if label.get("final") is False else "")


def _word(value: object) -> str:
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_MOST_GIST = 90
_MOST_VALUE = 60


def _when(entry: Entry) -> str:
    """What an entry is about, in time: a decision or a look at a moment in the past counts there."""
    payload = (entry.record or {}).get("payload", {})
    about = (payload.get("as_of") or payload.get("ends") or "") if isinstance(payload, dict) else ""
    return (str(about) or entry.moment or entry.recorded_utc)[:19]


@app.command("verify")
def verify(
    head: HeadFile = None, key: KeyFile = None, live: LiveFolder = LIVE, journal: Url = None, json: Json = False
) -> None:
    """Whether anything was changed, removed or written anew; exit code 1 if so. Also how much was forgotten by whom, in which entry.

    Without --head a tail that was cut off, or a chain that was written anew from some point, cannot be told: keep heads where who can
    write the journal cannot. A deletion that was not made with the folder's key is a fault too.

    Example: holdgood journal verify --head /elsewhere/head.json
    """
    from holdgood.workflow.live.folder import journal_at, key_of
    from holdgood.workflow.live.heads import heads_in
    from holdgood.workflow.live.sealing import seal_in

    book = journal_at(live, journal)
    kept = heads_in(head) if head else {}
    place = key or key_of(live, book)
    seal = None if place is None else seal_in(place)
    if key is not None and seal is None:
        raise DataError(f"no key at {key}", "a file that holdgood made", "check the path")
    faults, stones = book.verify(kept, seal), book.forgotten()
    if json:
        gone = [_gone(stone, kept) | {"sealed": None if seal is None else stone.sealed(seal)} for stone in stones]
        draw.as_json({"whole": not faults, "faults": faults, "heads": len(kept), "forgotten": gone})
    else:
        for fault in faults:
            draw.out.print(f"✗ {fault}", style="red")
        reached = f", and {counted(len(kept), 'head')} kept outside reached" if kept else ""
        if not faults:
            draw.out.print(f"✓ {book.name} is whole{reached}", style="green")
        if not kept:
            draw.err.print("note: without --head a cut tail or a rewritten chain cannot be told", style="yellow")
        _gone_text(stones, kept)
        if stones and seal is None:
            said = "no key was given" if place is None else f"there is no key at {place}"
            draw.err.print(
                f"note: {said} (--key): whether deletions were made by who may delete cannot be told", style="yellow"
            )
    if faults:
        raise typer.Exit(1)


def _gone(stone: Stone, heads: Mapping[str, Head]) -> dict[str, object]:
    """A forgetting as JSON; ``after_head``: it is younger than the head kept outside (None without one)."""
    there = heads.get(stone.writer)
    said: dict[str, object] = {"writer": stone.writer, "entry": stone.number, "when": stone.when, "who": stone.who}
    return said | {
        "why": stone.why,
        "entries": stone.entries,
        "after_head": stone.number > (there.number if there else 0) if heads else None,
    }


def _gone_text(stones: Sequence[Stone], heads: Mapping[str, Head]) -> None:
    """How much was forgotten, and the newest forgettings: who, when, why, in which entry."""
    if not stones:
        return
    entries = sum(stone.entries for stone in stones)
    draw.out.print(f"forgotten: {entries:,} entr{'y' if entries == 1 else 'ies'} in {counted(len(stones), 'deletion')}")
    for stone in stones[-MOST:]:
        young = ", younger than the head" if _gone(stone, heads)["after_head"] else ""
        draw.out.print(
            f"  {stone.entries:,} by {one_line(stone.who)} on {stone.when[:19]} UTC "
            f"(entry {stone.number} of {stone.writer!r}{young}): {one_line(stone.why)}"
        )
    if len(stones) > MOST:
        draw.out.print(f"  … and {len(stones) - MOST:,} before; --json has all", style="dim")


@app.command("head")
def head(
    to: Annotated[Path | None, typer.Option("--to", help="Where the heads go (JSON); default the terminal.")] = None,
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """The newest entry of every writer: keep it where who can write the journal cannot, and verify against it later.

    Example: holdgood journal head --to /elsewhere/head.json
    """
    from holdgood.core.records.envelope import write
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.heads import heads_of

    found = heads_of(journal_at(live, journal))
    if to is not None:
        write(to, found)
    if json:
        draw.as_json(found.payload())
        return
    draw.rows_text(["writer", "entries", "hash"], [[h.writer, str(h.number), h.hash[:16]] for h in found.heads])
    if to is not None:
        draw.out.print(f"written: {to}")


@app.command("prove")
def prove(
    model: Annotated[str, typer.Argument(help="The model that answered.")],
    id: Annotated[str, typer.Argument(help="The id of the prediction.")],
    facts: Annotated[
        Path, typer.Argument(help="The row as it was sent: a file with one JSON object, column to value.")
    ],
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """Whether a prediction was about just these facts, also where the journal keeps none of them; exit code 1 if not.

    With keep.facts = false a prediction holds a salted hash of its facts: whoever kept the row proves by it what was answered. That the record
    is as it was written holdgood journal verify says. What was forgotten cannot be proved any more.

    Example: holdgood journal prove flights order-4711 row.json
    """
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.proving import facts_in, proves

    book, row = journal_at(live, journal), facts_in(facts)
    proved = proves(book, model, id, row)
    found = book.prediction(model, id)
    assert found is not None
    by = "commitment" if found.facts is None else "facts"
    if json:
        draw.as_json(
            {"proved": proved, "by": by, "verdict": found.verdict, "answer": found.answer, "bundle": found.bundle_digest, "when": found.known_time}
        )  # fmt: skip
    elif proved:
        said = ", ".join(f"{one_line(str(k))} {one_line(str(v))}" for k, v in found.answer.items()) or "no answer"
        draw.out.print(f"✓ {one_line(id)} was about these facts (by its {by})", style="green")
        draw.out.print(f"  told      {found.verdict}: {said}")
        draw.out.print(f"  when      {found.known_time[:19]} UTC, by bundle {found.bundle_digest[:12]}")
    else:
        draw.out.print(f"✗ {one_line(id)} was about other facts than these (by its {by})", style="red")
    if not proved:
        raise typer.Exit(1)

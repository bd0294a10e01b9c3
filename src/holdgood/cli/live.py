"""Commands for what is live: promote, approve, rollback, retire."""

from __future__ import annotations

import getpass
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from holdgood.cli import draw
from holdgood.cli.tables import Json

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.records import Promotion

LiveFolder = Annotated[Path, typer.Option("--live", help="The live folder.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; default the name of this machine's user.")]
Model = Annotated[str | None, typer.Option("--model", "-m", help="The model's name in use; default the bundle's own.")]
Bundle = Annotated[
    str, typer.Argument(help="A bundle, a run folder that holds one, or the digest of one that was live.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, for whoever asks later.")]
Place = Annotated[
    Literal["champion", "canary", "shadow"],
    typer.Option(
        "--place", help="champion: answers; canary: answers a share; shadow: answers nobody, is only compared."
    ),
]
LIVE = Path("live")


def user() -> str:
    """The name of who runs this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def promote(
    bundle: Bundle,
    why: Why,
    model: Model = None,
    place: Place = "champion",
    share: Annotated[
        float | None, typer.Option("--share", help="Of the requests that a canary answers: between 0 and 1.")
    ] = None,
    by: By = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="A comparison with what is replaced (JSON), kept with the promotion."),
    ] = None,
    overrule: Annotated[
        bool, typer.Option("--overrule", help="Go live in spite of failed gates or missing approvals; --why says why.")
    ] = False,
    live: LiveFolder = LIVE,
    json: Json = False,
) -> None:
    """Put a model live: as champion, as a canary for a share of the requests, or as a shadow.

    The bundle is verified and copied into the live folder, its digest is pinned in the journal with who, why and on what evidence. A
    bundle whose gates failed, or that lacks the approvals that live.toml asks for, is held back. The folder is made where it is missing.
    A canary's share is of rows that come as JSON: Arrow streams are answered by the champion, and stand as its answers in journal and metrics.

    Example: holdgood promote runs/0001 --why "earns 1.2 M a year more than today's rule"

    Example: holdgood promote runs/0002 --place canary --share 0.1 --why "trial week"

    Example: holdgood rollback flights --why "alarm MON003"
    """
    from holdgood.workflow.live.evidence import evidence_in
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.promotion import promote as put

    said = put(
        Live.create(live),
        bundle,
        model,
        place=place,
        share=share,
        by=by or user(),
        why=why,
        evidence=evidence_in(evidence) if evidence else None,
        overrule=overrule,
    )
    _told(said, json, live)


def rollback(
    model: Annotated[str, typer.Argument(help="The model's name in use.")],
    why: Why,
    to: Annotated[
        str, typer.Option("--to", help="The digest of an earlier champion (or its beginning); default: the one before.")
    ] = "",
    by: By = None,
    live: LiveFolder = LIVE,
    json: Json = False,
) -> None:
    """Go back, in one step, to the champion that stood before this one. Twice goes back two steps.

    Its copy in the live folder is verified first; no run folder is needed. Servers of the folder switch without dropping a request.

    Example: holdgood rollback flights --why "complaints since Monday"
    """
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.promotion import roll_back

    _told(roll_back(Live.open(live), model, by=by or user(), why=why, to=to), json, live)


def retire(
    model: Annotated[str, typer.Argument(help="The model's name in use.")],
    why: Why,
    place: Place = "champion",
    by: By = None,
    live: LiveFolder = LIVE,
    json: Json = False,
) -> None:
    """Empty a place of a model: end a canary or a shadow, or take the model out of use (its champion leaves last).

    Example: holdgood retire flights --place canary --why "no better after two weeks"
    """
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.promotion import retire as leave

    _told(leave(Live.open(live), model, place, by=by or user(), why=why), json, live)


def approve(
    bundle: Bundle,
    model: Model = None,
    by: By = None,
    why: Annotated[str, typer.Option("--why", help="The reason; needed for a refusal.")] = "",
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Say no instead: it does not go live until you say yes.")
    ] = False,
    live: LiveFolder = LIVE,
    json: Json = False,
) -> None:
    """Say that a bundle may answer people, or may not. Your newest word counts, for this very content and no other.

    How many must agree, and who counts, stands under [approval] in live.toml. The bundle is kept in the live folder.

    Example: holdgood approve runs/0002 --by "Jo Smith" --why "read the report, checked the weak slices"
    """
    from holdgood.bundle.verify import read_manifest
    from holdgood.workflow.live.approval import approve as agree
    from holdgood.workflow.live.conditions import failed_gates
    from holdgood.workflow.live.folder import Live

    there = Live.create(live)
    said = agree(there, bundle, model, who=by or user(), why=why, approved=not refuse)
    if json:
        draw.as_json(said.payload())
        return
    word = "approved" if said.approved else "refused"
    draw.out.print(f"{said.who} {word} {said.model} {said.bundle_digest[:12]}")
    if not said.approved:
        return
    failed = failed_gates(there, read_manifest(there.bundle(said.bundle_digest)))
    for sentence in failed:
        draw.err.print(f"no approval makes up for it: {sentence}", style="yellow")
    if failed:
        draw.out.print("next: mend what failed, run anew, and have the new bundle approved", style="cyan")
        return
    named = f" --model {shlex.quote(model)}" if model else ""
    draw.out.print(f"next: holdgood promote {said.bundle_digest[:12]}{named} --why REASON{_at(live)}", style="cyan")


def _told(said: Promotion, json: bool, live: Path) -> None:
    if json:
        draw.as_json(said.payload())
        return
    what, short = said.model, said.bundle_digest[:12]
    if said.action == "retire":
        draw.out.print(f"{what}: {short} is the {said.place} no more", style="bold")
        return
    share = f" for {said.share:.0%} of the requests" if said.place == "canary" else ""
    replaces = f", instead of {said.replaces[:12]}" if said.replaces else ""
    draw.out.print(f"{what}: {short} is the {said.place}{share} now{replaces}", style="bold")
    for condition in said.overruled:
        draw.err.print(f"overruled: {condition}", style="yellow")
    if said.place == "champion" and said.replaces:
        # after a rollback a second one would go back two steps: what was just replaced is named
        to = f" --to {said.replaces[:12]}" if said.action == "roll back" else ""
        draw.out.print(f"to go back: holdgood rollback {shlex.quote(what)}{to} --why REASON{_at(live)}", style="cyan")
    elif said.place == "champion":
        from holdgood.serving.tokens import FILE_NAME

        folder = shlex.quote(str(live))
        if not (live / FILE_NAME).exists():
            draw.out.print(
                f"next: holdgood serve token new {folder} --role predict --name NAME makes a token for whoever asks",
                style="cyan",
                soft_wrap=True,
            )
        tables = "".join(f" --table {shlex.quote(name)}=FILE" for name in _joined(live, said.bundle_digest))
        draw.out.print(f"next: holdgood serve {folder}{tables} answers over HTTP", style="cyan", soft_wrap=True)


def _joined(live: Path, digest: str) -> list[str]:
    """The tables that rows need beside the main one, as the bundle's contract names them; none where it holds no contract."""
    import json as text

    from holdgood.bundle import layout
    from holdgood.core.declaration import Declaration
    from holdgood.core.records import Contract
    from holdgood.core.records.envelope import unwrap
    from holdgood.workflow.live.folder import Live

    bundle = Live.open(live).bundle(digest)
    file, extra = bundle / layout.RECORDS / "contract.json", bundle / layout.EXTRA
    if not (file.exists() and extra.exists()):
        return []
    contract = unwrap(text.loads(file.read_text(encoding="utf-8")), Contract, where=file.name)
    declared = text.loads(extra.read_text(encoding="utf-8")).get("declaration")
    main = Declaration.model_validate(declared).main if declared else ""
    return [t.name for t in contract.tables if t.name != main] if main else []


def _at(live: Path) -> str:
    """The option that names this live folder, where it is not the one that commands look for by themselves."""
    return "" if live == LIVE else f" --live {shlex.quote(str(live))}"

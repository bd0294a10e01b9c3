"""Commands for serving: serve, and the tokens that it asks for."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from holdgood.cli import draw
from holdgood.cli.live import LIVE
from holdgood.cli.tables import Held, Json

_EXAMPLES = (
    "First a token, which is shown once:  holdgood serve token new --role predict --name shop.  "
    "Then the server:  holdgood serve runs/0001.  "
    "Of a live folder: holdgood serve token new LIVE_FOLDER --role predict --name shop, then holdgood serve LIVE_FOLDER.  "
    'Then ask:  curl -H "Authorization: Bearer hg_…" -H "Content-Type: application/json" -d \'{"row": {…}}\' http://127.0.0.1:8000/predict.  '
    "What a row needs is at /schema, everything that may be asked at /docs."
)


class YesNo(StrEnum):
    """Yes or no, said out loud."""

    yes = "yes"
    no = "no"


class _Default(TyperGroup):
    """``holdgood serve BUNDLE`` is ``holdgood serve run BUNDLE``: what is no command of the group is served."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["run", *(args or ["--help"])]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="serve",
    cls=_Default,
    help="Answer requests over HTTP, each journalled before it is answered (needs: pip install 'holdgood[serve]').",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
tokens = typer.Typer(
    name="token",
    help="Who may ask for what: make, list and revoke tokens. A running server follows within a second.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(tokens)

_Where = Annotated[
    Path | None, typer.Argument(help="The live folder whose tokens these are; default: tokens.json here.")
]
_WhereKept = Annotated[
    Path | None,
    typer.Argument(help="The live folder whose tokens these are; default: tokens.json here, or else live/tokens.json."),
]
_File = Annotated[Path | None, typer.Option("--tokens", help="Another tokens file.")]


@app.command("run", epilog=_EXAMPLES)
def run(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="BUNDLE…|LIVE_FOLDER", help="Bundles or run folders, each PATH or NAME=PATH; or one live folder."
        ),
    ],
    host: Annotated[
        str, typer.Option(help="The address to listen on. Others than loopback need tokens and --allow-host.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0: any free one.")] = 8000,
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            help="A table that models join, kept as of its times: NAME=FILE. Repeat for each; a changed file is read anew.",
        ),
    ] = None,
    journal: Annotated[
        str | None,
        typer.Option(
            help="Where answers are written down first: a path or postgresql://… Default journal.sqlite; a live folder has its own."
        ),
    ] = None,
    journal_required: Annotated[
        YesNo, typer.Option("--journal-required", help="no: answer although the journal is away, counted and logged.")
    ] = YesNo.yes,
    out_of_contract: Held = None,
    tokens: _File = None,
    open_: Annotated[bool, typer.Option("--open", help="Ask nobody for a token. On loopback only.")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A name that callers may use for this server. Repeat for each."),
    ] = None,
    max_rows: Annotated[
        int, typer.Option(min=1, help="Rows a JSON request; Arrow streams may have five times as many.")
    ] = 10_000,
    max_body: Annotated[
        int, typer.Option(min=1_000, help="Bytes a JSON request; Arrow streams may have sixteen times as many.")
    ] = 4_000_000,
    rate: Annotated[
        float, typer.Option(min=0, help="Requests a second of one token, in bursts of twice as many; 0: no limit.")
    ] = 1_000.0,
    refused_rate: Annotated[
        float,
        typer.Option(
            "--refused-rate",
            min=0,
            help="Refusals a second of one address that shows no token that lives, in bursts of twice as many; then 429. 0: no limit.",
        ),
    ] = 10.0,
    max_connections: Annotated[
        int,
        typer.Option(
            "--max-connections", min=1, help="Open at once; a new one takes the place of who has waited longest."
        ),
    ] = 1_000,
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between looks at what is live and at changed tables.")
    ] = 2.0,
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Log every request, not only refused ones.")
    ] = False,
) -> None:
    """Answer requests over HTTP: /predict, /explain, /forecast, /plan, /feedback, /schema, /models, /docs, /metrics, /healthz, /readyz.

    Every answer is in the journal before the caller has it; where the journal is away the server says so (503) instead of answering.
    The contract is held for each row: a refused row gets no answer, with the column, what came and what was expected.

    A live folder is followed: a model that is promoted or rolled back answers within seconds, without a dropped request. A canary
    answers its share, always the same subjects (Arrow streams: the champion); a shadow is asked afterwards and never heard by callers.

    SIGTERM or Ctrl-C finish what was begun and write it down. The log is JSON lines on standard error and holds no value of a row.
    """
    from holdgood.core.errors import MissingExtra

    try:
        from holdgood.serving.limits import Limits
        from holdgood.serving.server import Settings, serve
    except ModuleNotFoundError as error:
        raise MissingExtra.named("serve", str(error.name), "serving") from error
    limits = Limits(
        body=max_body, arrow_body=16 * max_body, rows=max_rows, arrow_rows=5 * max_rows, rate=rate, strangers=refused_rate,
        connections=max_connections,
    )  # fmt: skip
    settings = Settings(
        what=tuple(what), host=host, port=port, tables=tuple(table or ()), journal=journal or "", journal_required=journal_required is YesNo.yes,
        tokens=tokens, open_=open_, hosts=tuple(allow_host or ()), limits=limits, every=every, log_requests=log_requests,
        out_of_contract=None if out_of_contract is None else out_of_contract.word,
    )  # fmt: skip
    serve(
        settings,
        announce=lambda address: draw.out.print(
            f"serving on {address} (what may be asked: {address}/docs)", soft_wrap=True
        ),
    )


def _file(where: Path | None, given: Path | None) -> Path:
    from holdgood.serving.server import is_live, tokens_file
    from holdgood.serving.tokens import FILE_NAME
    from holdgood.workflow.mistaken import holds_bundle, need_bundle

    if where is not None and given is None and not is_live(str(where)):
        need_bundle(where)  # a slip would mean the tokens of this folder
        if where.is_dir() and not holds_bundle(where):
            return where / FILE_NAME  # to become a live folder, as a new volume is
    return tokens_file((str(where),) if where else (), given)


def _kept_in(where: Path | None, given: Path | None) -> Path:
    """Where tokens that exist lie: nobody named a folder and none lie here, then those of the live folder beside it."""
    file = _file(where, given)
    beside = LIVE / file.name
    return beside if where is None and given is None and not file.exists() and beside.exists() else file


@tokens.command("new")
def new(
    where: _Where = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="predict, feedback, metrics or admin (everything). Repeat for several."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Whose it is; the journal and the log say it.")] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", help="A day, a time (UTC), or a duration such as '90 days'; default never."),
    ] = None,
    tokens: _File = None,
    json: Json = False,
) -> None:
    """Make a token. It is shown once; only its hash is kept."""
    from holdgood.serving import tokens as kept

    file = _file(where, tokens)
    older = [t.id for t in kept.read(file) if t.name == name and t.alive()]
    secret, token = kept.new(file, roles=role or (), name=name or "", expires=expires or "")
    if older:
        kept_at = (f" {shlex.quote(str(where))}" if where else "") + (
            f" --tokens {shlex.quote(str(tokens))}" if tokens else ""
        )
        draw.err.print(
            f"note: {', '.join(older)} of this name {'lets' if len(older) == 1 else 'let'} in, too, beside the new {token.id}; "
            f"to end the older: holdgood serve token revoke {older[0]}{kept_at}",
            style="yellow",
            soft_wrap=True,
        )
    if where is None and tokens is None and (LIVE / "bundles").is_dir():
        again = " ".join(f"--role {r}" for r in token.roles) + f" --name {shlex.quote(token.name)}"
        again += f" --expires {shlex.quote(expires)}" if expires else ""
        draw.err.print(
            f"note: holdgood serve {LIVE} does not take this token, only a server of bundles here does; "
            f"for the live folder: holdgood serve token new {LIVE} {again}",
            style="yellow",
            soft_wrap=True,
        )
    if json:
        draw.as_json(
            {
                "token": secret,
                "id": token.id,
                "name": token.name,
                "roles": list(token.roles),
                "expires": token.expires,
                "file": str(file),
            }
        )
        return
    print(secret)
    draw.err.print(
        f"id {token.id}, for {', '.join(token.roles)}, {'until ' + token.expires if token.expires else 'never expires'}: keep it, it is not shown again; "
        f"its hash is in {file}",
        style="dim",
    )


@tokens.command("list")
def list_(where: _WhereKept = None, tokens: _File = None, json: Json = False) -> None:
    """Show the tokens there are, never their secrets."""
    from datetime import UTC, datetime

    from holdgood.serving import tokens as kept

    file = _kept_in(where, tokens)
    found = kept.read(file)
    now = datetime.now(UTC)
    told = [
        {
            "id": t.id,
            "name": t.name,
            "roles": ",".join(t.roles),
            "created": t.created,
            "expires": t.expires,
            "state": "living" if t.alive(now) else "revoked" if t.revoked else "expired",
        }
        for t in found
    ]
    if json:
        draw.as_json(told)
        return
    draw.err.print(f"looked in {file}", style="dim")
    if told:
        draw.rows_text(list(told[0]), [[str(v) for v in t.values()] for t in told])
    else:
        draw.out.print("no tokens yet: holdgood serve token new --role predict --name NAME")


@tokens.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="The token's id, or its name where only one has it.")],
    where: _WhereKept = None,
    tokens: _File = None,
) -> None:
    """End a token now; a running server follows within a second."""
    from holdgood.serving import tokens as kept

    file = _kept_in(where, tokens)
    gone = kept.revoke(file, which)
    draw.out.print(f"revoked: {gone.id} ({gone.name}), of {file}")

"""What a body asks: JSON taken apart and checked, in words that help whoever sent it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from holdgood.connectors.python_values import to_column
from holdgood.core.errors import did_you_mean
from holdgood.journal.keys import moment_of
from holdgood.serving.exchange import ARROW, JSON, Call, refused
from holdgood.serving.limits import Limits, check_depth

_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}")
_MOST_COLUMNS = 2_000
_IDEMPOTENCY = b"idempotency-key"
_SUBJECT = b"subject-column"
_MOST_NAMED, _MOST_SHOWN = 20, 60


@dataclass(slots=True)
class Asked:
    """Rows to be answered. ``ids``: one a row where the caller named them, so that each is answered once; else empty."""

    rows: Sequence[dict[str, Any]]
    many: bool
    ids: Sequence[str] = ()
    subjects: Sequence[str] = ()
    event_time: str = ""
    related: dict[str, pa.Table] = field(default_factory=dict)


def object_of(
    call: Call,
    limits: Limits,
    known: Sequence[str],
    needed: Sequence[str] = (),
    *,
    arrow: bool = False,
    example: str = "",
    aside: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The body as a JSON object of known names. ``arrow``: whether the route takes an Arrow stream too, which a refusal says then;
    ``example``: what to send, where it is no columns under the first name;
    ``aside``: what to do about names that other routes know.
    """
    no_subject_column(call)
    kind = call.content_type
    if kind != JSON:
        raise refused(
            415,
            "a body of another content type" if kind else "a body without a content type",
            f"{JSON}, or {ARROW} for an Arrow stream" if arrow else JSON,
            f"send Content-Type: {JSON}" + (f" with JSON, Content-Type: {ARROW} with a stream" if arrow else ""),
        )
    check_depth(call.body, limits.depth)
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise refused(
            400,
            f"a body that is no JSON, at character {error.pos:,}",
            "one JSON object; numbers are finite",
            "check the body",
        ) from None
    if type(body) is not dict:
        raise refused(
            422,
            f"a JSON {kind_of(body)}",
            "an object with " + ", ".join(known),
            f"send for example {example}" if example else f'send for example {{"{known[0]}": …}}',
        )
    for name in body:
        if name not in known:
            raise refused(
                422,
                f"{name[:60]!r} is a name that means nothing here",
                "one of: " + ", ".join(known),
                (aside or {}).get(name)
                or did_you_mean(name, known)
                or (f"send {example}" if example else f'columns go into "{known[0]}"'),
            )
    for name in needed:
        if name not in body:
            raise refused(422, f"{name} is not there", "an object with " + ", ".join(known), f'add "{name}"')
    return body


def key_of(call: Call) -> str | None:
    """The caller's own name for a request, or None."""
    key = call.headers.get(_IDEMPOTENCY)
    return None if key is None else _id(key.decode("latin-1"), "Idempotency-Key")


def subject_column_of(call: Call, columns: Sequence[str]) -> str:
    """The column of a stream that says whose each row is, as the caller names it; empty where it names none."""
    given = call.headers.get(_SUBJECT)
    if given is None:
        return ""
    name = given.decode("utf-8", "replace")
    if name not in columns:
        named = ", ".join(c[:_MOST_SHOWN] for c in columns[:_MOST_NAMED])
        more = f" and {len(columns) - _MOST_NAMED:,} more" if len(columns) > _MOST_NAMED else ""
        raise refused(
            422,
            "Subject-Column: a column that is not in the stream",
            f"one of: {named}{more}",
            did_you_mean(name, columns)
            or "name the column that says whose each row is (in UTF-8), or leave the header out",
        )
    return name


def no_subject_column(call: Call) -> None:
    """Refuse the header where it names nobody: whoever sends it believes that persons were named."""
    if _SUBJECT in call.headers:
        raise refused(
            422,
            "Subject-Column, which says whose the rows of an Arrow stream to /predict are",
            "the header beside such a stream",
            'leave it out; beside JSON send "subject", or "subjects", in the body',
        )


def asked(call: Call, limits: Limits) -> Asked:
    """The rows of ``/predict``: ``row`` with its id, or ``rows`` with theirs."""
    body = object_of(
        call, limits, ("row", "rows", "id", "ids", "subject", "subjects", "event_time", "related"), arrow=True
    )
    key = key_of(call)
    if ("row" in body) == ("rows" in body):
        raise refused(
            422,
            'both "row" and "rows"' if "row" in body else 'neither "row" nor "rows"',
            "one of them",
            "send one row or a list of rows",
        )
    if "row" in body:
        for other in ("ids", "subjects"):
            if other in body:
                raise refused(422, f"{other} beside one row", other[:-1], f'send "{other[:-1]}"')
        rows = rows_of([body["row"]], "row", limits)
        ids = [_id(body["id"], "id")] if "id" in body else [key] if key is not None else []
        subjects = [_id(body["subject"], "subject")] if "subject" in body else []
    else:
        for other in ("id", "subject"):
            if other in body:
                raise refused(422, f"{other} beside rows", f"{other}s, one a row", f'send "{other}s"')
        rows = rows_of(body["rows"], "rows", limits)
        ids = _list(body, "ids", len(rows))
        if not ids and key is not None:
            ids = [f"{key}/{i}" for i in range(len(rows))]
        subjects = _list(body, "subjects", len(rows))
        if len(set(ids)) != len(ids):
            raise refused(422, "ids that come twice", "a different one for each row", "name each row by itself")
    given = body.get("event_time", "")
    when = moment_of(given) if type(given) is str and given else ""
    if when is None or type(given) is not str:
        raise refused(
            422,
            f"event_time: {a_kind_of(given)} that is no time",
            "a time in ISO format",
            "write it as 2026-03-01T12:00:00Z",
        )
    return Asked(rows, "rows" in body, ids, subjects, when, related_of(body.get("related"), limits))


def related_of(given: Any, limits: Limits) -> dict[str, pa.Table]:
    """Related rows by the table they belong to."""
    if given is None:
        return {}
    if type(given) is not dict:
        raise refused(
            422, f"related: {a_kind_of(given)}", "an object: table to rows", 'send {"related": {"TABLE": [{…}]}}'
        )
    return {name: frame_of(rows_of(rows, f"related.{name[:40]}", limits)) for name, rows in given.items()}


def rows_of(given: Any, where: str, limits: Limits) -> list[dict[str, Any]]:
    """A list of objects, checked in number and kind."""
    if type(given) is not list:
        raise refused(422, f"{where}: {a_kind_of(given)}", "a list of rows", "send a list of objects")
    if not given:
        raise refused(422, f"{where}: an empty list", f"1 to {limits.rows:,} objects", "send at least one")
    if len(given) > limits.rows:
        raise refused(413, f"{where}: {len(given):,} rows", f"1 to {limits.rows:,}", "send several requests, or Arrow")
    for row in given:
        if type(row) is not dict:
            raise refused(
                422,
                f"{where}: {a_kind_of(row)} where a row was expected",
                "an object: column to value",
                "send {column: value}",
            )
        if len(row) > _MOST_COLUMNS:
            raise refused(
                422,
                f"{where}: a row of {len(row):,} columns",
                f"at most {_MOST_COLUMNS:,}",
                "send the columns of the model; see /schema",
            )
    return given


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table, columns in order of first appearance."""
    names = dict.fromkeys(k for row in rows for k in row)
    if len(names) > _MOST_COLUMNS:
        raise refused(
            422,
            f"rows of {len(names):,} columns",
            f"at most {_MOST_COLUMNS:,}",
            "send the columns of the model; see /schema",
        )
    return pa.table({name: to_column(name, [row.get(name) for row in rows])[0] for name in names})


def kind_of(value: Any) -> str:
    """What a JSON value is, never what it says."""
    kinds = {
        dict: "object",
        list: "list",
        str: "text",
        bool: "truth value",
        int: "number",
        float: "number",
        type(None): "null",
    }
    return kinds.get(type(value), "value")


def a_kind_of(value: Any) -> str:
    """The same with its article.

    >>> a_kind_of({}), a_kind_of("x")
    ('an object', 'a text')
    """
    kind = kind_of(value)
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _id(value: Any, where: str) -> str:
    if type(value) is not str or not _ID.fullmatch(value):
        raise refused(
            422,
            f"{where}: {a_kind_of(value)} that cannot be one",
            "text of 1 to 200 printable characters",
            "choose a plain one",
        )
    return value


def _list(body: Mapping[str, Any], name: str, count: int) -> list[str]:
    if name not in body:
        return []
    given = body[name]
    if type(given) is not list or len(given) != count:
        raise refused(
            422,
            f"{name}: {f'{len(given):,} of them' if type(given) is list else a_kind_of(given)}",
            f"one a row: {count:,}",
            "count them",
        )
    return [_id(v, name) for v in given]

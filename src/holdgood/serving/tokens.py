"""Tokens: who may ask for what. Only hashes are on disk; a token is shown once, when it is made.

A token is 256 random bits behind a public id, so one plain SHA-256 is enough to keep it: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdgood.core.budget import seconds_of
from holdgood.core.errors import DataError, DeclarationError, EnvironmentFault, HoldgoodError, did_you_mean
from holdgood.core.records.envelope import write_bytes

ROLES = ("predict", "feedback", "metrics", "admin")
"""What a token may do. ``admin`` may do everything."""
FILE_NAME = "tokens.json"
_FORMAT = 1
_TOKEN = re.compile(r"hg_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[\w.@ -]{1,80}")
_NOBODY = hashlib.sha256(b"nobody").hexdigest()
_LARGEST = 4_000_000


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Token:
    """A token without its secret. Times are UTC in ISO format, empty for never."""

    id: str
    name: str
    roles: tuple[str, ...]
    hash: str
    created: str
    expires: str = ""
    revoked: str = ""

    def may(self, role: str) -> bool:
        """Whether it has the role."""
        return role in self.roles or "admin" in self.roles

    def alive(self, now: datetime | None = None) -> bool:
        """Neither revoked nor expired."""
        return not self.revoked and (not self.expires or datetime.fromisoformat(self.expires) > (now or _utc()))


class Tokens:
    """The tokens of a file, read again when the file changes. A file that cannot be read lets nobody in."""

    def __init__(self, file: Path | str) -> None:
        self.file = Path(file)
        self._known: dict[str, Token] = {}
        self._shown: dict[str, Token] = {}
        self._seen: tuple[int, int, int] | None = None
        self.refresh()

    def refresh(self) -> bool:
        """Look whether the file has changed; True if it was read anew."""
        try:
            there = self.file.stat()
            seen = (there.st_mtime_ns, there.st_size, there.st_ino)
        except OSError:
            changed = bool(self._known)
            self._take({})
            self._seen = None
            return changed
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self._take({t.id: t for t in read(self.file)})
        except HoldgoodError:
            self._take({})
            raise
        except OSError as error:
            self._take({})
            self._seen = None  # too many open files, say: the next look may go well
            raise EnvironmentFault(
                f"{self.file.name} cannot be read: {error.strerror}",
                "a file that this user may read",
                "look at its rights",
            ) from error
        return True

    def _take(self, known: dict[str, Token]) -> None:
        """In this order: whoever is being let in meanwhile by what was known before is not remembered."""
        self._known = known
        self._shown = {}

    def known(self) -> list[Token]:
        """All of them, the dead ones too."""
        return list(self._known.values())

    def alive(self) -> list[Token]:
        """Those that let somebody in now."""
        return [t for t in self._known.values() if t.alive()]

    def who(self, secret: str) -> Token | None:
        """The living token that a text is, or None; takes the same time whatever is wrong with it. What was right once is not hashed again."""
        shown = self._shown
        if (known := shown.get(secret)) is not None:
            return known if known.alive() else None
        found = _TOKEN.fullmatch(secret)
        token = self._known.get(found[1]) if found else None
        right = hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), token.hash if token else _NOBODY)
        if not right or token is None or not token.alive():
            return None
        shown[secret] = token  # there are no more of these than the file has tokens
        return token


def read(file: Path) -> list[Token]:
    """The tokens of a file; none where there is no file. Raises DataError where it holds something else."""
    try:
        if file.stat().st_size > _LARGEST:
            raise DataError(f"{file.name} of more than {_LARGEST:,} bytes", "a tokens file", "name another file")
        body = json.loads(file.read_text(encoding="utf-8"))
        if body["format"] != _FORMAT:
            raise ValueError(body["format"])
        return [_token(t) for t in body["tokens"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file.name} is no tokens file",
            "what `holdgood serve token new` writes",
            "name another file, or delete it and make new tokens",
        ) from error


def _token(entry: dict[str, Any]) -> Token:
    token = Token(**{**entry, "roles": tuple(entry["roles"])})
    if not all(isinstance(v, str) for v in (*asdict(token).values(), *token.roles) if not isinstance(v, tuple)):
        raise TypeError("a token of other than texts")
    for moment in (token.expires, token.revoked):
        if moment and datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError(moment)
    return token


def new(file: Path, *, roles: Iterable[str], name: str, expires: str = "") -> tuple[str, Token]:
    """Make a token, keep its hash, and give its text, which is never seen again.

    ``expires``: a day or time (UTC), or a duration such as ``90 days``; empty: never.
    """
    wanted = tuple(dict.fromkeys(roles))
    for role in wanted:
        if role not in ROLES:
            raise DeclarationError(
                f"no role {role!r}", ", ".join(ROLES), did_you_mean(role, ROLES) or "choose one of them"
            )
    if not wanted or not _NAME.fullmatch(name):
        raise DeclarationError(
            "a token without a role or a plain name",
            "a role, and a name of letters, digits and . - @",
            "--role predict --name NAME",
        )
    known = read(file)
    secret = f"hg_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"
    token = Token(
        secret.split("_")[1],
        name,
        wanted,
        hashlib.sha256(secret.encode()).hexdigest(),
        _utc().isoformat(timespec="seconds"),
        _end(expires),
    )
    _write(file, [*known, token])
    return secret, token


def _end(expires: str) -> str:
    if not expires:
        return ""
    try:
        moment = datetime.fromisoformat(expires)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    except ValueError:
        moment = _utc() + timedelta(seconds=seconds_of(expires))
    if moment <= _utc():
        raise DeclarationError(
            f"a token that expires on {expires}", "a moment to come", "for example --expires '90 days'"
        )
    return moment.isoformat(timespec="seconds")


def revoke(file: Path, which: str) -> Token:
    """End a token, by its id or the only living one of a name. It stays in the file, so that the log can be read."""
    known = read(file)
    found = [t for t in known if not t.revoked and which in (t.id, t.name)]
    if len(found) != 1:
        raise DataError(
            f"{len(found) or 'no'} living token{'s' if len(found) > 1 else ''} {which!r}",
            "the id of one",
            "holdgood serve token list shows them",
        )
    gone = replace(found[0], revoked=_utc().isoformat(timespec="seconds"))
    _write(file, [gone if t.id == gone.id else t for t in known])
    return gone


def _write(file: Path, tokens: list[Token]) -> None:
    body = {"format": _FORMAT, "tokens": [asdict(t) for t in tokens]}
    write_bytes(file, json.dumps(body, indent=1).encode())
    with suppress(OSError):  # a file system without permissions
        os.chmod(file, 0o600)
        if (
            sys.platform != "win32" and os.geteuid() == 0
        ):  # made by root for a server that is somebody else: whose folder it is may read it
            folder = file.absolute().parent.stat()
            os.chown(file, folder.st_uid, folder.st_gid)

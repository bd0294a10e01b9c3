"""A webhook: the alarm as JSON, signed with HMAC-SHA256 over time and body, as the receiver can check without asking us."""

from __future__ import annotations

import hashlib
import hmac
import os
import time

from holdgood.core.declared_watch import RouteSpec
from holdgood.monitoring.routes.http import as_json, post
from holdgood.monitoring.routes.message import Message, Undelivered


def send(route: RouteSpec, message: Message) -> None:
    """Headers: ``Idempotency-Key`` (the same at every attempt), ``X-Holdgood-Signature: t=SECONDS,v1=HEX`` where a secret is declared."""
    body = as_json(
        {
            "about": message.about,
            "key": message.key,
            "at": message.at,
            "alarm": message.alarm.payload(),
            "text": message.text,
        }
    )
    headers = {"Idempotency-Key": message.key, **bearer(route)}
    if route.secret:
        headers["X-Holdgood-Signature"] = signature(secret_of(route.secret), body, int(time.time()))
    post(route.url, body, headers, timeout=route.timeout)


def signature(secret: str, body: bytes, seconds: int) -> str:
    """What the receiver computes again: HMAC-SHA256 of ``SECONDS.BODY``.

    >>> signature("k", b"{}", 1).split(",")[0]
    't=1'
    """
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def bearer(route: RouteSpec) -> dict[str, str]:
    """The header of a declared token."""
    if not route.token:
        return {}
    token = secret_of(route.token)
    if not (token.isascii() and token.isprintable()):
        raise Undelivered(
            f"the variable {route.token} holds what no header can: a line break, or a letter beyond ASCII"
        )
    return {"Authorization": f"Bearer {token}"}


def secret_of(variable: str) -> str:
    """A secret from the environment; never from a file that is kept."""
    value = os.environ.get(variable, "")
    if not value:
        raise Undelivered(f"the variable {variable} is not set")
    return value

"""POST JSON once or a few times, with a time limit, without following redirects."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from holdgood.monitoring.routes.message import Undelivered

TRIES = 3
PAUSE = 0.5
"""Seconds before the second try; each further one waits four times as long."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the signature to a place that nobody declared."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, timeout: float, pause: Callable[[float], None] = time.sleep
) -> None:
    """Send; a server's fault (5xx, 429) or none at all is tried again, what is refused (other 4xx) is not."""
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked where the route is declared
        url, data=body, method="POST", headers={"Content-Type": "application/json", "User-Agent": "holdgood", **headers}
    )
    for attempt in range(TRIES):
        try:
            # once it has taken the message it may go on as it likes
            with _OPENER.open(request, timeout=timeout) as answer, suppress(OSError, HTTPException):
                answer.read(1024)
            return
        except urllib.error.HTTPError as error:
            error.close()
            why, again = f"the receiver answered {error.code}", error.code >= 500 or error.code == 429
        except OSError as error:
            why, again = f"the receiver cannot be reached: {getattr(error, 'reason', error)}", True
        except HTTPException as error:
            why, again = f"what answers there does not speak HTTP ({type(error).__name__})", True
        except ValueError as error:  # its words may quote a header, and so a token
            why, again = f"the route cannot be asked: {type(error).__name__}", False
        if not again or attempt == TRIES - 1:
            raise Undelivered(why)
        pause(PAUSE * 4**attempt)


def as_json(value: object) -> bytes:
    """Plain JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()

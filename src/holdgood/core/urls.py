"""URLs taken apart, and shown without their secrets."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote

_SECRET_KEYS = ("password", "passwd", "pwd", "sslpassword", "token")


def is_url(source: str) -> bool:
    """Whether a source is a URL and not a path (a drive such as ``C:`` is none)."""
    return re.match(r"^[A-Za-z][A-Za-z0-9+.-]+://", source) is not None


def split_url(url: str) -> tuple[str, str]:
    """What stands before and after the ``?`` of the parameters; a ``?`` in a password is none."""
    found = re.search(r"\?(?=[A-Za-z_]+=)", url)
    return (url[: found.start()], url[found.end() :]) if found else (url, "")


def parameters_of(url: str) -> dict[str, str]:
    """The part after ``?`` as names and values."""
    return dict(parse_qsl(split_url(url)[1], keep_blank_values=True))


def without_parameters(url: str, *names: str) -> str:
    """The URL without some of its parameters."""
    head, query = split_url(url)
    kept = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if k not in names]
    return head + ("?" if kept else "") + "&".join(f"{quote(k)}={quote(v, safe='')}" for k, v in kept)


def secrets_of(url: str) -> tuple[str, ...]:
    """Every text of a URL that must not be shown, as written and as unquoted."""
    found = [_user_info(url).partition(":")[2]]
    found += [v for k, v in re.findall(r"[?&]([^=&]+)=([^&#]*)", url) if k.lower() in _SECRET_KEYS]
    return tuple(dict.fromkeys(s for f in found for s in (f, unquote(f)) if s))


def mask(url: str) -> str:
    """The URL with its secrets as ``***``.

    >>> mask("postgresql://ann:s3cret@host/db?table=t&password=x")
    'postgresql://ann:***@host/db?table=t&password=***'
    """
    info = _user_info(url)
    if ":" in info:
        url = url.replace(f"://{info}@", f"://{info.partition(':')[0]}:***@", 1)
    pattern = r"([?&](?:" + "|".join(_SECRET_KEYS) + r")=)[^&#]*"
    return re.sub(pattern, r"\1***", url, flags=re.IGNORECASE)


def _user_info(url: str) -> str:
    """``user:password``. Passwords are often not escaped, so everything before the last ``@`` is taken for it."""
    return split_url(url)[0].partition("://")[2].rpartition("@")[0]

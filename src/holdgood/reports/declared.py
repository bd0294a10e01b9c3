"""The declaration as it was used, as TOML that can be read back. Passwords and tokens are left out."""

from __future__ import annotations

import json
import re
from typing import Any

from holdgood.core.declaration import Declaration

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(r"pass(word|wd)?$|pwd|secret|token|api_?key|credential", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@]*):[^@/\s]+@")
_IN_QUERY = re.compile(r"(?P<name>[?&](?:password|passwd|pwd|secret|token|api_?key)=)[^&\s]+", re.IGNORECASE)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def without_secrets(text: str) -> str:
    """Hide a password inside an address.

    >>> without_secrets("postgresql://ann:s3cret@db/sales?table=t")
    'postgresql://ann:(hidden)@db/sales?table=t'
    """
    return _IN_QUERY.sub(rf"\g<name>{HIDDEN}", _IN_ADDRESS.sub(rf"\g<scheme>:{HIDDEN}@", text))


def as_toml(declaration: Declaration) -> str:
    """What was declared (defaults left out), as TOML; never a password.

    >>> print(as_toml(Declaration.model_validate({"name": "pumps", "costs": {"miss": 300, "false_alarm": 40}})))
    name = "pumps"
    <BLANKLINE>
    [costs]
    miss = 300.0
    false_alarm = 40.0
    """
    said = declaration.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return "\n".join(_table(said, ())).strip()


def _table(content: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {k: v for k, v in content.items() if not isinstance(v, dict) and not _is_tables(v)}
    lines = [f"{_key(k)} = {_value(v, k)}" for k, v in plain.items()]
    if path and lines:
        lines = ["", f"[{'.'.join(map(_key, path))}]", *lines]
    for key, value in content.items():
        if isinstance(value, dict):
            inner = _table(value, (*path, key))
            lines += inner or ["", f"[{'.'.join(map(_key, (*path, key)))}]"]
        elif _is_tables(value):
            for entry in value:
                lines += ["", f"[[{'.'.join(map(_key, (*path, key)))}]]"]
                lines += [f"{_key(k)} = {_value(v, k)}" for k, v in entry.items()]
    return lines


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    # TOML's basic strings escape as JSON's do, apart from DEL
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any, name: str = "") -> str:
    if _SECRET_NAME.search(name) and not isinstance(value, (dict, list)):
        return _string(HIDDEN)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(without_secrets(value))
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_key(str(k))} = {_value(v, str(k))}" for k, v in value.items() if v is not None) + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_value(v, name) for v in value if v is not None) + "]"
    return repr(value)

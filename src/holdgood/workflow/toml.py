"""TOML values, written. (Reading is the standard library's.)"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def string(text: str) -> str:
    r"""A basic string; JSON's escapes are TOML's.

    >>> string('say "yes"')
    '"say \\"yes\\""'
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def value(given: Any) -> str:
    """Any plain value: text, number, truth, list or mapping.

    >>> value({"a b": [1, "x", True]})
    '{ "a b" = [1, "x", true] }'
    """
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, (int, float)):
        return repr(given)
    if isinstance(given, Mapping):
        return "{ " + ", ".join(f"{string(str(k))} = {value(v)}" for k, v in given.items()) + " }"
    if isinstance(given, (list, tuple)):
        return "[" + ", ".join(value(v) for v in given) + "]"
    return string(str(given))


def array(values: Iterable[str]) -> str:
    """An array of strings.

    >>> array(["a", "b"])
    '["a", "b"]'
    """
    return "[" + ", ".join(string(v) for v in values) + "]"


def inline(mapping: Mapping[str, str]) -> str:
    """An inline table of strings with quoted keys.

    >>> inline({"a": "b"})
    '{ "a" = "b" }'
    """
    return "{ " + ", ".join(f"{string(k)} = {string(v)}" for k, v in mapping.items()) + " }"

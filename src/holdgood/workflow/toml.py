"""TOML values, written. (Reading is the standard library's.)"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping


def string(text: str) -> str:
    r"""A basic string; JSON's escapes are TOML's.

    >>> string('say "yes"')
    '"say \\"yes\\""'
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


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

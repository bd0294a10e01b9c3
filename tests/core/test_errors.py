from __future__ import annotations

from holdgood.core import errors


def test_long_words_are_not_compared(monkeypatch):
    """What comes from outside may be long on both sides, and comparing takes the square of it."""
    compared = []
    monkeypatch.setattr(
        errors.difflib, "get_close_matches", lambda word, known, **_: compared.append((word, known)) or []
    )
    assert errors.did_you_mean("ab" * 51, ["target"]) == ""
    assert errors.did_you_mean("taget", ["target", "ab" * 51]) == ""
    assert compared == [("taget", ["target"])]

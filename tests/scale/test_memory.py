"""How much memory a table may take."""

import pytest

from holdgood.core.errors import DeclarationError
from holdgood.scale.machine import memory_available
from holdgood.scale.memory import bytes_of, memory_allowed


def test_as_asked_or_a_share_of_what_is_free(monkeypatch):
    monkeypatch.setenv("HOLDGOOD_MEMORY", "1.5 GB")
    assert memory_allowed() == 1_500_000_000
    monkeypatch.delenv("HOLDGOOD_MEMORY")
    assert 0 < memory_allowed() < memory_available()


def test_nonsense_is_refused():
    for text in ("much", "5 apples", "-1", "GB"):
        with pytest.raises(DeclarationError, match="an amount of memory"):
            bytes_of(text)

"""Servers that take what is sent, and an alarm to send."""

import importlib.util
from pathlib import Path

import pytest

from holdgood.core.records import Alarm
from holdgood.monitoring.routes import Message

_spec = importlib.util.spec_from_file_location("sinks", Path(__file__).with_name("sinks.py"))
_sinks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_sinks)


@pytest.fixture(scope="session")
def sinks():
    return _sinks


@pytest.fixture
def message():
    alarm = Alarm(
        code="MON001", title="A feature has drifted", subject="wei\nght", severity="high", message="weight: higher",
        id="abc123", model="orders", begins="2026-01-01T00:00:00+00:00", ends="2026-01-08T00:00:00+00:00", todo="look",
        stake=120.0, currency="EUR",
    )  # fmt: skip
    return Message(alarm, "begins", "key-1", "2026-01-08T00:00:00+00:00", "2099-01-01T00:00:00+00:00")

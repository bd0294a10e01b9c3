"""Halves of surrogate pairs, which are no UTF-8: in a record, and in what is asked for."""

import io
import json
import sys

import pytest

from holdgood.cli.app import main
from holdgood.core.records import Acknowledgement
from holdgood.workflow.live.folder import Live


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """Run a command whose output goes where texts become bytes; returns its exit code and what it wrote."""
    Live.create(tmp_path / "live").journal.append(Acknowledgement(alarm="a1", who="Zo\ud800", why="w\udcff"), "live")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "argv", ["holdgood", *arguments])
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "utf-8"))
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        return code, raw.getvalue().decode()

    return run


def test_a_record_is_shown_with_escapes(shown):
    code, text = shown("journal", "show")
    assert code == 0 and "a1 · Zo\\ud800 · w\\udcff" in text


def test_json_gives_it_back(shown):
    code, text = shown("journal", "show", "--json")
    assert code == 0 and json.loads(text)[0]["record"]["payload"]["who"] == "Zo\ud800"


@pytest.mark.parametrize("option", ["--model", "--writer", "--kind"])
def test_what_is_asked_for_is_refused_in_words(shown, capsys, option):
    assert shown("journal", "show", option, "fl\udcff")[0] == 3
    said = capsys.readouterr().err
    assert said.startswith("error: 'fl\\udcff' was asked for") and "UTF-8" in said

"""A project's runs, listed: one that is damaged hides no other."""

import shutil
import subprocess
import sys

import pytest

from holdgood.workflow.runs import list_runs


@pytest.mark.parametrize("damage", [b"", b'{"kind": "leaderboard", "schema', b"[]", b"\xff\xfe"])
def test_a_truncated_record_of_one_run_does_not_hide_the_others(finished, tmp_path, damage):
    folder = tmp_path / "company"
    shutil.copytree(finished.project.path, folder, symlinks=True)
    runs = folder / "runs"
    shutil.copytree(runs / finished.id, runs / "0002")
    record = next((runs / "0002").glob("*-train")) / "record.json"
    record.write_bytes(damage)
    good, bad = list_runs(folder)
    assert good.chosen
    assert good.score
    assert (bad.id, bad.chosen, bad.score) == ("0002", "", "")


def test_reading_records_waits_for_no_library_that_makes_a_run():
    heavy = "{'scipy', 'sklearn', 'lightgbm', 'duckdb', 'optuna', 'pandas', 'jinja2'}"
    asked = f"import sys, holdgood.workflow.runs, holdgood.cli.show; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"

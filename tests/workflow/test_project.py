"""A project's runs, listed: one that is damaged hides no other."""

import shutil

import pytest

from holdgood.workflow.project import list_runs


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

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from holdgood.core.errors import EnvironmentFault
from holdgood.splitting import WORN_AFTER, Openings


def open_many(path: str) -> list[int]:
    return [Openings(path).open("data", who="a process", why="test") for _ in range(20)]


def test_openings_are_counted_by_fingerprint(tmp_path):
    openings = Openings(tmp_path / "runs" / "openings.jsonl")
    assert openings.count("a") == 0
    assert [openings.open("a", "me", "look") for _ in range(3)] == [1, 2, 3]
    assert openings.open("b", "me", "other data") == 1
    assert (openings.count("a"), openings.count("b")) == (3, 1)
    assert openings.entries()[0]["why"] == "look"
    assert WORN_AFTER == 5


def test_a_torn_last_line_loses_nothing_else(tmp_path):
    path = tmp_path / "openings.jsonl"
    Openings(path).open("a", "me", "one")
    path.write_bytes(path.read_bytes() + b'{"fingerprint": "a", "wh')
    assert Openings(path).count("a") == 1
    assert Openings(path).open("a", "me", "two\nlines “quoted”") == 2
    assert Openings(path).open("a", "me", "three") == 3
    path.write_bytes(path.read_bytes() + b"\xff\xfe garbage\n[1]\n")
    assert Openings(path).open("a", "me", "four") == 4


def test_threads_and_processes_are_all_counted(tmp_path):
    path = str(tmp_path / "openings.jsonl")
    with ThreadPoolExecutor(4) as pool:
        counts = [c for found in pool.map(open_many, [path] * 4) for c in found]
    assert sorted(counts) == list(range(1, 81))
    workers = [get_context("fork").Process(target=open_many, args=(path,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Openings(path).count("data") == 140


def test_a_holdout_is_not_opened_uncounted(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot count an opening"):
        Openings(tmp_path / "file" / "openings.jsonl").open("a", "me", "look")

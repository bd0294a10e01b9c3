"""What was acknowledged is there, once, whatever happens to the process, the disk or the server."""

import resource
import signal
import subprocess
import sys
import textwrap
from multiprocessing import get_context

import psycopg
import pytest

from holdgood.core.errors import DuplicateError, EnvironmentFault
from holdgood.core.records import Prediction
from holdgood.journal import GroupWriter, Journal

SERVER = textwrap.dedent("""
    import os, sys
    from concurrent.futures import ThreadPoolExecutor
    from holdgood.core.records import Prediction
    from holdgood.journal import GroupWriter, Journal
    writer = GroupWriter(Journal(sys.argv[1]), "server")
    def answer(i):
        id = f"{os.getpid()}-{i}"
        writer.submit([Prediction(id=id, model="m", bundle_digest="d", facts={"x": "y" * 500})]).result()
        os.write(1, f"{id}\\n".encode())  # the answer leaves once the entry is on disk
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(answer, range(1_000_000)))
""")


def killed_after(url, acknowledged):
    """Ids that a server has acknowledged before it was killed in the middle of its work."""
    with subprocess.Popen([sys.executable, "-c", SERVER, str(url)], stdout=subprocess.PIPE) as process:
        seen = [process.stdout.readline() for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split(b"\n")[:-1]
    return [line.strip().decode() for line in (*seen, *rest)]


def test_kill_in_the_middle_of_groups_loses_nothing_that_was_acknowledged(journal):
    url = journal.path or journal.store._url
    acknowledged = [id for n in (40, 97) for id in killed_after(url, n)]
    assert len(acknowledged) >= 137
    there = [p.id for _, p in journal.read(Prediction)]
    assert set(acknowledged) <= set(there)
    assert len(there) == len(set(there))
    assert journal.verify() == []


def writes(url, writer, refused):
    journal = Journal(url)
    for i in range(25):
        try:
            journal.append_many(
                [
                    Prediction(id=f"p{i}", model="m", bundle_digest="d"),
                    Prediction(id=f"{writer}{i}", model="m", bundle_digest="d"),
                ],
                writer,
            )
        except DuplicateError:
            with refused.get_lock():
                refused.value += 1


def test_two_processes_that_write_the_same_predictions_write_each_once(journal):
    url = journal.path or journal.store._url
    fork = get_context("fork")
    refused = fork.Value("i", 0)
    both = [fork.Process(target=writes, args=(url, writer, refused)) for writer in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [p.exitcode for p in both] == [0, 0]
    assert refused.value == 25
    ids = [p.id for _, p in journal.read(Prediction)]
    assert len(ids) == len(set(ids)) == 50
    assert sum(h.number for h in journal.heads().values()) == 50
    assert journal.verify() == []


def fills(path, told):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with GroupWriter(Journal(path), "server") as writer:
        writer.submit([Prediction(id="before", model="m", bundle_digest="d")]).result()
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = max(f.stat().st_size for f in path.parent.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5_000, hard))  # from here on the disk is full
        futures = [
            writer.submit([Prediction(id=f"full{i}", model="m", bundle_digest="d", facts={"x": "y" * 9_000})])
            for i in range(5)
        ]
        told.put([type(f.exception()).__name__ for f in futures])
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        told.put(writer.submit([Prediction(id="after", model="m", bundle_digest="d")]).result().number)


def test_a_full_disk_is_told_to_who_waits_and_what_was_there_stays(journal_file):
    fork = get_context("fork")
    told = fork.Queue()
    process = fork.Process(target=fills, args=(journal_file.path, told))
    process.start()
    assert set(told.get(timeout=60)) == {"EnvironmentFault"}
    assert told.get(timeout=60) == 2
    process.join()
    assert [p.id for _, p in journal_file.read(Prediction)] == ["before", "after"]
    assert journal_file.verify() == []


@pytest.mark.server
def test_a_server_that_goes_away_fails_who_waits_and_the_next_gets_through(database, answer):
    journal = Journal(database)
    with GroupWriter(journal, "server") as writer:
        assert writer.submit([answer("p1")]).result().number == 1
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(EnvironmentFault, match=r"cannot be used") as told:
            writer.submit([answer("p2")]).result()
        assert "s3cret" not in str(told.value)
        assert writer.submit([answer("p2")]).result().number == 2
    assert journal.verify() == []
    with pytest.raises(EnvironmentFault, match="cannot be used"):
        Journal("postgresql://ann:hidden1@127.0.0.1:1/db?connect_timeout=2")

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

import numpy as np
import pytest

from holdgood.core.errors import DataError, EnvironmentFault
from holdgood.scale import Pool, folders, given_back, local
from holdgood.scale.folders import sweep


def collect(pool, handles, seconds=60.0):
    end = time.monotonic() + seconds
    while any(h.state in ("waiting", "running") for h in handles) and time.monotonic() < end:
        pool.wait(1.0)
    return handles


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as started:
        yield started


def test_results_come_back_and_functions_of_a_script_may_be_sent(pool):
    offset = 10
    handles = collect(pool, [pool.submit(lambda i: i * i + offset, i) for i in range(7)])
    assert [h.result() for h in handles] == [i * i + 10 for i in range(7)]
    assert all(h.seconds > 0 for h in handles)


def test_wait_returns_each_handle_once_and_nothing_after_the_timeout(pool):
    handle = pool.submit(time.sleep, 0.6)
    assert pool.wait(0.05) == []
    assert pool.wait(20) == [handle]
    assert pool.wait(0.05) == []


def test_what_a_function_raises_comes_back_whole(pool):
    def bad():
        raise DataError("came", "expected", "do")

    (handle,) = collect(pool, [pool.submit(bad)])
    with pytest.raises(DataError) as caught:
        handle.result()
    assert (caught.value.came, caught.value.expected, caught.value.do) == ("came", "expected", "do")


def test_a_worker_that_dies_is_told_of_and_the_others_go_on(pool):
    def die():
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)

    def slow():
        import time

        time.sleep(0.5)
        return "alive"

    other, dead = pool.submit(slow), pool.submit(die)
    later = pool.submit(lambda: "later")
    collect(pool, [other, dead, later])
    assert other.result() == "alive"
    assert later.result() == "later"
    with pytest.raises(EnvironmentFault, match="worker process died"):
        dead.result()


def test_killing_one_piece_of_work_leaves_the_rest(pool):
    def long(seconds):
        import time

        time.sleep(seconds)
        return seconds

    endless, short = pool.submit(long, 60), pool.submit(long, 0.3)
    pool.kill(endless)
    assert endless.state == "killed"
    with pytest.raises(EnvironmentFault, match="ended before"):
        endless.result()
    collect(pool, [short])
    assert short.result() == 0.3


def test_killing_everything_leaves_a_usable_pool(pool):
    handles = [pool.submit(time.sleep, 60) for _ in range(5)]
    pool.kill()
    assert all(h.state == "killed" for h in handles)
    assert pool.idle == 2
    assert collect(pool, [pool.submit(lambda: 5)])[0].result() == 5


def test_thread_limits_and_wait_policy_are_set_before_a_child_starts(pool):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY")
    (handle,) = collect(pool, [pool.submit(lambda: [__import__("os").environ[n] for n in names])])
    assert handle.result() == ["1", "1", "PASSIVE"]


def test_a_shared_object_is_mapped_not_copied_and_loaded_once_a_worker(pool):
    payload = {
        "x": np.arange(200_000, dtype=np.float64),
        "words": np.array(["a", None, "b"], object),
        "empty": np.zeros(0),
    }
    ticket = pool.share(payload)

    def look(value):
        import os

        base = value["x"]
        while getattr(base, "base", None) is not None and not isinstance(base, np.memmap):
            base = base.base
        return os.getpid(), id(value), float(value["x"].sum()), list(value["words"]), value["x"].flags.writeable

    found = [h.result() for h in collect(pool, [pool.submit(look, ticket) for _ in range(8)])]
    assert {f[2] for f in found} == {float(payload["x"].sum())}
    assert all(f[3] == ["a", None, "b"] and not f[4] for f in found)
    assert len({f[:2] for f in found}) == len({f[0] for f in found})


def test_a_share_that_cannot_be_written_is_told_in_plain_words(pool, monkeypatch, tmp_path):
    monkeypatch.setattr(pool, "folder", tmp_path / "gone")
    with pytest.raises(EnvironmentFault, match="cannot hand the data"):
        pool.share(np.arange(3))


def test_without_workers_work_runs_here_and_errors_wait_in_the_handle():
    with Pool(0) as here:
        good, bad = here.submit(os.getpid), here.submit(lambda: 1 / 0)
        assert here.wait() == [good, bad]
        assert good.result() == os.getpid()
        assert here.idle == 1
        with pytest.raises(ZeroDivisionError):
            bad.result()
        folder = here.folder
    assert not folder.exists()


def test_asking_too_early_is_an_error_not_none(pool):
    handle = pool.submit(time.sleep, 0.2)
    with pytest.raises(EnvironmentFault, match="before its work was done"):
        handle.result()
    collect(pool, [handle])


SCRIPT = """
    import sys, time
    from holdgood.scale import Pool
    def square(x):
        return x * x
    def forever(file):
        import os, time
        open(file, "w").write(str(os.getpid()))
        time.sleep(120)
    with Pool(1) as pool:
        handle = pool.submit(square, 7)
        while not pool.wait(1.0): pass
        print(handle.result(), flush=True)
        if len(sys.argv) > 1:
            pool.submit(forever, sys.argv[1])
            pool.wait()
"""


def test_a_plain_script_needs_no_main_guard_and_leaves_nothing_on_stderr(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "49\n", "")


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_children_end_with_their_parent(tmp_path, sign):
    script, pid_file = tmp_path / "script.py", tmp_path / "pid"
    script.write_text(textwrap.dedent(SCRIPT))
    parent = subprocess.Popen(
        [sys.executable, str(script), str(pid_file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    child = int(pid_file.read_text())
    # Ctrl-C reaches the whole foreground group; a kill only the parent
    (os.killpg if sign == signal.SIGINT else os.kill)(parent.pid, sign)
    stderr = parent.communicate(timeout=30)[1]
    end = time.monotonic() + 10
    while _alive(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _alive(child)
    if sign == signal.SIGINT:
        assert stderr.count("KeyboardInterrupt") == 1


@pytest.mark.parametrize("where", ["start", "stop"])
def test_ctrl_c_while_one_worker_starts_or_is_ended_leaves_none_of_the_others(monkeypatch, where):
    pool = Pool(2)
    folder, own, pressed = pool.folder, getattr(local._Slot, where), []

    def interrupted(slot):
        own(slot)
        if not pressed:
            pressed.append(slot)
            raise KeyboardInterrupt

    monkeypatch.setattr(local._Slot, where, interrupted)
    with pytest.raises(KeyboardInterrupt), pool:
        pass
    assert [slot._executor for slot in pool._slots] == [None, None]
    assert not folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="locks of this kind are POSIX")
def test_a_folder_that_a_kill_left_behind_is_cleared_by_the_next_pool(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    script = "from holdgood.scale import Pool; pool = Pool(0); print('ready', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}, text=True
    )
    assert other.stdout.readline() == "ready\n"
    (folder,) = tmp_path.glob("holdgood-pool-*")
    (folder / "shared-1.bin").write_bytes(b"rows")
    stranger, alike = tmp_path / "holdgood-else", tmp_path / "holdgood-pool-of-nobody"
    stranger.mkdir()
    alike.mkdir()
    assert sweep() == 0  # its owner lives
    assert folder.exists()
    other.kill()
    other.communicate()
    with Pool(1) as pool:
        assert not folder.exists()
        assert stranger.exists()
        assert alike.exists()  # without a lock file nothing says whose it is
        assert sweep() == 0  # not its own
        assert pool.folder.exists()
    assert not pool.folder.exists()


def test_without_locks_a_folder_is_still_given(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folders, "_locked", lambda folder: None)
    folder = folders.Folder()
    assert folder.path.is_dir()
    assert list(tmp_path.iterdir()) == [folder.path]
    folder.remove()
    assert not list(tmp_path.iterdir())


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_takes_too_much_memory_ends_itself_and_is_replaced():
    def eat(megabytes):
        import time

        import numpy as np

        held = np.ones(megabytes * 125_000)
        time.sleep(5)
        return len(held)

    with Pool(1, memory=400_000_000) as small:
        greedy = small.submit(eat, 900)
        modest = small.submit(lambda: "served")
        collect(small, [greedy, modest])
        with pytest.raises(EnvironmentFault, match="more than the 400 MB"):
            greedy.result()
        assert modest.result() == "served"


def test_a_library_that_ends_its_process_is_told_apart_from_a_kill(pool):
    def leave():
        import os

        os._exit(3)

    (handle,) = collect(pool, [pool.submit(leave)])
    with pytest.raises(EnvironmentFault, match="crashed or ended it"):
        handle.result()
    (after,) = collect(pool, [pool.submit(lambda: 1)])
    assert after.result() == 1


def held_after_much_was_freed(_):
    import psutil

    much = [bytearray(50_000) for _ in range(4_000)]
    last = bytearray(50_000)  # keeps the heap from shrinking by itself
    del much
    return psutil.Process().memory_info().rss, last


def held(_):
    import psutil

    return psutil.Process().memory_info().rss


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="glibc keeps what is freed")
def test_a_worker_gives_memory_back_that_a_fit_has_freed(pool):
    first = pool.submit(held_after_much_was_freed, 0)
    pool.wait()
    then = pool.submit(held, 0)
    pool.wait()
    assert first.result()[0] - then.result() > 100_000_000


def test_where_the_system_has_no_way_to_give_back_nothing_is_done(monkeypatch):
    monkeypatch.setattr(given_back, "_trim", lambda: None)
    assert not given_back.give_back()

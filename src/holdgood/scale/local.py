"""Local processes: a few workers that can be killed at any moment without losing one another's work."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from loky import ProcessPoolExecutor

from holdgood.core.errors import EnvironmentFault
from holdgood.core.threads import thread_limit
from holdgood.scale import shared
from holdgood.scale.folders import Folder, sweep
from holdgood.scale.given_back import give_back, own_memory
from holdgood.scale.shared import Shared

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)

TOO_MUCH = 77
"""Exit code of a worker that took more memory than it may have."""
_LOOK = 0.25


class Handle:
    """One piece of work. ``state``: waiting, running, done, or killed; ``seconds`` is the time since it was started."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.fn, self.args = fn, args
        self.state = "waiting"
        self.error: BaseException | None = None
        self._value: Any = None
        self._started = self._ended = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of wall clock from start to end, or until now."""
        if self.state == "waiting":
            return 0.0
        return (self._ended or time.monotonic()) - self._started

    def result(self) -> Any:
        """What the function returned; raises what it raised, or EnvironmentFault where its worker died or was killed."""
        if self.error is not None:
            raise self.error
        if self.state != "done":
            raise EnvironmentFault(
                "a result was asked for before its work was done", "a finished handle", "call Pool.wait first"
            )
        return self._value

    def _begin(self) -> None:
        self.state, self._started = "running", time.monotonic()

    def _end(self, state: str, value: Any = None, error: BaseException | None = None) -> None:
        self.state, self._value, self.error, self._ended = state, value, error, time.monotonic()


class Pool:
    """Runs functions in ``workers`` processes of ``threads_per_worker`` threads each; 0 workers: here and now.

    Each worker is an executor of its own, so that one which dies or is killed takes nobody with it. Children get
    their thread limits and ``OMP_WAIT_POLICY=PASSIVE`` before they start, never see Ctrl-C (this process ends them),
    and end by themselves when this process is gone. One that takes more than ``memory`` bytes of its own ends itself;
    where the system runs out all the same, it is asked to end a worker, not this process. Use as a context manager:
    leaving it ends all work at once.
    """

    def __init__(self, workers: int, threads_per_worker: int = 1, *, memory: int | None = None) -> None:
        self.workers, self.threads, self.memory = workers, threads_per_worker, memory
        if workers:
            sweep()
        self._folder = Folder()
        self.folder = self._folder.path
        self._slots = [_Slot(threads_per_worker, memory) for _ in range(workers)]
        self._waiting: deque[Handle] = deque()
        self._running: dict[int, Handle] = {}
        self._finished: queue.SimpleQueue[tuple[int, int, Future[Any]]] = queue.SimpleQueue()
        self._over: list[Handle] = []
        self._shares = 0

    def __enter__(self) -> Pool:
        try:
            for slot in self._slots:
                slot.start()
        except BaseException:  # Ctrl-C before all of them are there: nobody else would end the others
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        try:
            self.kill(restart=False)
        finally:  # where Ctrl-C comes while one is being ended, the others end all the same
            for slot in self._slots:
                slot.stop()
            self._folder.remove()

    @property
    def idle(self) -> int:
        """How many workers have nothing to do; without workers, 1 unless a result waits to be collected."""
        if not self.workers:
            return 0 if self._over else 1
        return max(0, self.workers - len(self._running) - len(self._waiting))

    def share(self, value: Any) -> Shared | Any:
        """Make an object known to all workers; pass what comes back as an argument in its place."""
        if not self.workers:
            return value
        self._shares += 1
        return shared.put(value, self.folder, f"shared-{self._shares}")

    def submit(self, fn: Callable[..., Any], *args: Any) -> Handle:
        """Queue ``fn(*args)``; with no workers it has run when this returns. Lambdas and closures may be sent."""
        handle = Handle(fn, args)
        if self.workers:
            self._waiting.append(handle)
            self._dispatch()
            return handle
        handle._begin()
        try:
            with thread_limit(self.threads):
                handle._end("done", fn(*args))
        except Exception as error:  # the caller reads it from the handle, as from a worker
            handle._end("done", error=error)
        self._over.append(handle)
        return handle

    def wait(self, timeout: float | None = None) -> list[Handle]:
        """Handles that finished since the last call; waits for one up to ``timeout`` seconds. Empty: none did."""
        end = None if timeout is None else time.monotonic() + max(0.0, timeout)
        while not self._over and self._running:
            left = None if end is None else max(0.0, end - time.monotonic())
            try:
                self._collect(*self._finished.get(timeout=left))
            except queue.Empty:
                break
        while not self._finished.empty():
            self._collect(*self._finished.get())
        over, self._over = self._over, []
        return over

    def kill(self, handle: Handle | None = None, *, restart: bool = True) -> None:
        """End one piece of work, or all that waits and runs, at once. The workers concerned start afresh."""
        for waiting in [h for h in self._waiting if handle is None or h is handle]:
            self._waiting.remove(waiting)
            waiting._end("killed", error=_killed())
        hit = [i for i, h in self._running.items() if handle is None or h is handle]
        for i in hit:
            self._running.pop(i)._end("killed", error=_killed())
        for i in range(len(self._slots)) if handle is None and not restart else hit:
            self._slots[i].stop()
        if restart:
            for i in hit:
                self._slots[i].start()
            self._dispatch()

    def _dispatch(self) -> None:
        for i, slot in enumerate(self._slots):
            if i not in self._running and self._waiting:
                handle = self._waiting.popleft()
                handle._begin()
                future = slot.submit(handle)
                self._running[i] = handle
                future.add_done_callback(partial(self._note, i, slot.life))

    def _note(self, i: int, life: int, future: Future[Any]) -> None:
        """Called by a thread of the executor: only put it where ``wait`` looks."""
        self._finished.put((i, life, future))

    def _collect(self, i: int, life: int, future: Future[Any]) -> None:
        slot = self._slots[i]
        if life != slot.life or i not in self._running:
            return  # news of a worker that was killed since
        handle = self._running.pop(i)
        error = future.exception() if not future.cancelled() else _killed()
        if isinstance(error, BrokenProcessPool):
            slot.stop()
            slot.start()
            error = self._death(str(error))
        handle._end("done", None if error else future.result(), error)
        self._over.append(handle)
        self._dispatch()

    def _death(self, said: str) -> EnvironmentFault:
        """Why a worker is gone, as far as its exit code tells."""
        why = "killed by the system, most often because memory ran out"
        if f"EXIT({TOO_MUCH})" in said:
            why = f"it took more than the {(self.memory or 0) / 1e6:,.0f} MB that it may have"
        elif "SIGSEGV" in said or "SIGABRT" in said or "EXIT(" in said:
            why = "the library in it crashed or ended it"
        return EnvironmentFault(
            f"a worker process died: {why}",
            "memory for one fit in each of the workers, and code that does not end its process",
            "use fewer workers, fewer rows, or a machine with more memory; or leave this candidate out",
        )


class _Slot:
    """One worker process behind an executor of its own; ``life`` counts its restarts."""

    def __init__(self, threads: int, memory: int | None) -> None:
        self.threads, self.memory, self.life = threads, memory, 0
        self._executor: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Start the process; importing happens beside what the parent does meanwhile."""
        limits = dict.fromkeys(_THREAD_VARIABLES, str(self.threads))
        # loky restarts a worker that has grown by 300 MB; a mapped data set is no leak, and a restart costs seconds
        environment = {**limits, "OMP_WAIT_POLICY": "PASSIVE", "LOKY_MAX_MEMORY_LEAK_SIZE": "1e18"}
        self._executor = ProcessPoolExecutor(
            max_workers=1, timeout=None, initializer=_prepare, initargs=(os.getpid(), self.memory), env=environment
        )
        with _without_interrupts():
            self._executor.submit(_ready)

    def submit(self, handle: Handle) -> Future[Any]:
        """Hand over one piece of work; a worker that died while idle is replaced first."""
        if self._executor is None:
            self.start()
        assert self._executor is not None
        try:
            future: Future[Any] = self._executor.submit(_call, handle.fn, handle.args)
        except (BrokenProcessPool, RuntimeError):
            self.stop()
            self.start()
            future = self._executor.submit(_call, handle.fn, handle.args)
        return future

    def stop(self) -> None:
        """Kill the process and wait until it is gone."""
        executor, self._executor = self._executor, None
        self.life += 1
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)


def _killed() -> EnvironmentFault:
    return EnvironmentFault(
        "the work was ended before it was done", "an end within its time", "give it more time or less data"
    )


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Children started inside inherit a blocked Ctrl-C: it reaches this process only, which then ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(parent: int, memory: int | None) -> None:
    """Runs first in a worker: leave when the parent is gone (it may have been killed without a word), or too much is taken."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):  # Linux only, and only as far as it is allowed
        Path("/proc/self/oom_score_adj").write_text("900")
    me = psutil.Process()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
            if memory is not None and own_memory(me) > memory:
                os._exit(TOO_MUCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _ready() -> None:
    """The first task of a worker: it exists."""


def _call(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return fn(*(a.value() if isinstance(a, Shared) else a for a in args))
    finally:
        give_back()

"""Ctrl-C in a Python session: the first delivers the best model so far, the next gives up, and no process is left behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pandas as pd
import pytest

from holdgood.core.errors import HoldgoodWarning
from holdgood.workflow.estimator import HoldgoodClassifier, fit

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")

SCRIPT = """
    import json, os, signal, sys, warnings
    import numpy as np, pandas as pd, psutil
    import holdgood

    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    budget, after, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(3000, 8)), columns=list("abcdefgh"))
    y = np.where(2 * X.a - X.b * X.c + random.logistic(size=3000) > 0, "yes", "no")
    pressed, seen = [], set()

    def workers():
        found = [" ".join(p.cmdline()) for p in psutil.Process().children(recursive=True)]
        return [line for line in found if "loky" in line and "resource_tracker" not in line]

    def told(event):
        seen.update(workers())
        if event.kind == "candidate" and event.message.startswith(after) and not pressed:
            for _ in range(times):
                pressed.append(True)
                os.killpg(0, signal.SIGINT)  # as a terminal does: to all processes in the foreground

    ended, model = "", None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            model = holdgood.fit(X, y, budget=budget, workers=2, models=("prior", "linear", "lightgbm"), listener=told)
        except KeyboardInterrupt as error:
            ended = str(error)
    print(json.dumps({
        "ended": ended, "pressed": len(pressed), "had": len(seen), "left": workers(),
        "warned": [str(w.message) for w in warned if w.category is holdgood.core.errors.HoldgoodWarning],
        "early": None if model is None else model.stopped_early_,
        "score": None if model is None else model.score(X, y),
        "notes": [] if model is None else model.leaderboard_.notes,
    }))
"""


def session(tmp_path, *arguments):
    """A script in a process group of its own, as a terminal starts it; what it says in the end, and its standard error."""
    script = tmp_path / "session.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True, text=True, timeout=300, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@POSIX
@pytest.mark.parametrize("budget", ["10 min", "trials=400"])
def test_the_first_ends_the_search_and_gives_the_best_so_far(tmp_path, budget):
    told, errors = session(tmp_path, budget, "lightgbm", "1")
    assert told["had"] > 0  # workers, which are gone now
    assert (told["pressed"], told["early"], told["ended"], told["left"]) == (1, True, "", [])
    assert told["score"] > 0.7
    assert len(told["warned"]) == 1
    assert "before its budget of" in told["warned"][0]
    assert any("the search was ended by hand" in n for n in told["notes"])
    assert "Once more gives up" in errors
    assert "Traceback" not in errors


@POSIX
@pytest.mark.parametrize(("after", "times"), [("lightgbm", "2"), ("prior", "1")])
def test_a_second_one_or_one_before_there_is_a_model_gives_up_without_leaving_a_process(tmp_path, after, times):
    told, errors = session(tmp_path, "10 min", after, times)
    assert "stopped by Ctrl-C" in told["ended"]
    assert (str(told["pressed"]), told["early"], told["left"], told["warned"]) == (times, None, [], [])
    assert told["had"] > 0
    assert ("Once more gives up" in errors) == (times == "2")


@pytest.fixture(autouse=True)
def of_python():
    """Ctrl-C is Python's own: who runs tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


X = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 3)), columns=list("abc"))
AMOUNT = X.a + 0.3 * np.random.default_rng(1).normal(size=200)
QUICK = {"budget": "trials=30", "models": ("prior", "linear", "tree"), "workers": 0}


def press(after, times=1):
    """A listener that presses Ctrl-C once it hears of this candidate."""
    heard = []

    def told(event):
        if event.kind == "candidate" and event.message.startswith(after) and not heard:
            heard.append(event)
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    return told


def test_without_workers_too_and_bands_are_then_the_quick_ones():
    with pytest.warns(HoldgoodWarning, match="Ctrl-C ended the search before its budget of trials=30"):
        made = fit(X, AMOUNT, interval=0.8, listener=press("linear"), **QUICK)
    assert made.stopped_early_
    assert {t.name: t.status for t in made.leaderboard_.trials}["tree"] == "skipped"
    assert {t.name: t.reason for t in made.leaderboard_.trials}["tree"] == "the search was ended before its turn"
    assert made.predict_interval(X).shape == (200, 2)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not fit(X, AMOUNT, **QUICK | {"budget": "trials=2"}).stopped_early_


def test_where_only_the_prior_is_wanted_the_prior_is_a_model():
    with pytest.warns(HoldgoodWarning, match="prior"):
        fit(X, AMOUNT, listener=press("prior"), **QUICK | {"models": ("prior",)})


def test_a_refused_press_leaves_the_session_as_it_was():
    made = HoldgoodClassifier(listener=press("prior"), **QUICK)
    with pytest.raises(KeyboardInterrupt, match="stopped by Ctrl-C after 0 finished trials"):
        made.fit(X, AMOUNT > 0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not hasattr(made, "chain_")
    before = made.set_params(listener=None).fit(X[["a", "b"]], AMOUNT > 0).predict(X)
    with pytest.raises(KeyboardInterrupt):
        made.set_params(listener=press("prior")).fit(X, AMOUNT < 0)
    assert (made.predict(X) == before).all()


def test_who_handles_ctrl_c_themselves_goes_on_doing_so():
    heard = []
    own = lambda number, frame: heard.append(number)  # noqa: E731
    before = signal.signal(signal.SIGINT, own)
    try:
        made = fit(X, AMOUNT, listener=press("linear"), **QUICK | {"budget": "trials=3"})
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
    assert not made.stopped_early_


def test_in_another_thread_no_handler_is_set():
    made = []
    thread = threading.Thread(target=lambda: made.append(fit(X, AMOUNT, **QUICK | {"budget": "trials=2"})))
    thread.start()
    thread.join()
    assert not made[0].stopped_early_

"""What ``print`` shows of a leaderboard."""

from holdgood.core.records import Comparison, Interval, Leaderboard, Rung


def board(**changes):
    prior = Rung(
        name="prior",
        trial="prior",
        family="prior",
        score=Interval(value=0.6931, low=0.69, high=0.7),
        taken=True,
        why="the ladder stands on it",
        predict_ms=0.01,
        size_bytes=1200,
    )
    gain = Comparison(first="linear", second="prior", difference=0.2, low=0.1, high=0.3, n=9, verdict="better")
    linear = Rung(
        name="linear",
        trial="linear-3",
        family="linear",
        score=Interval(value=0.4931, low=0.45, high=0.52),
        gain=gain,
        taken=True,
        why="proven at 5.5 times the latency",
        predict_ms=1.25,
        size_bytes=3.4e6,
    )
    told = {
        "ladder": (prior, linear),
        "chosen": "linear-3",
        "reason": "proven",
        "rows": 1500,
        "folds": 5,
        "notes": ("a note",),
    }
    return Leaderboard(metric="log_loss", higher_is_better=False, trials=(), **{**told, **changes})


def test_a_line_a_rung_with_score_gain_why_time_and_size():
    head, names, prior, linear, chosen, note = str(board()).splitlines()
    assert head == "log_loss, lower is better; out of fold on 1,500 rows, 5 folds"
    assert names.split("  ")[0] == "rung"
    assert "0.6931" in prior and "0.6900 to 0.7000" in prior and "the ladder stands on it" in prior
    for said in (
        "0.4931",
        "+0.2 (0.1 to 0.3) over prior",
        "yes",
        "proven at 5.5 times the latency",
        "1.25 ms",
        "3.4 MB",
    ):
        assert said in linear
    assert prior.index("the ladder") == linear.index("proven at") == names.index("why")
    assert (chosen, note) == ("chosen: linear-3 (proven)", "note: a note")


def test_what_is_not_known_is_no_number():
    """An interval of one fold alone, a score that the user's own metric could not give."""
    nothing = float("nan")
    rung = board().ladder[0].model_copy(update={"score": Interval(value=0.5, low=nothing, high=nothing)})
    lost = rung.model_copy(update={"name": "lost", "score": Interval(value=nothing, low=nothing, high=nothing)})
    said = str(board(ladder=(rung, lost)))
    assert "nan" not in said
    assert "0.5000  –" in said


def test_a_ladder_without_rungs_says_what_was_delivered():
    empty = board(ladder=(), budget="1s", folds=0, only_prior=True, chosen="prior", reason="no time", notes=())
    assert str(empty).splitlines() == [
        "log_loss, lower is better",
        "chosen: prior (no time)",
    ]
    assert repr(empty).startswith("Leaderboard(")

import numpy as np
import pytest

from holdgood.core import plugins
from holdgood.core.budget import Budget, Clock, seconds_of
from holdgood.core.errors import DataError, DeclarationError, HoldgoodError, MissingExtra
from holdgood.core.frame import Feature, Frame, Matrix


@pytest.mark.parametrize("group", ["connectors", "checks", "repairs", "models", "detectors", "parts"])
def test_our_own_parts_enter_by_entry_points_and_all_load(group):
    names = plugins.names(f"holdgood.{group}")
    assert names
    for name in names:
        assert plugins.load(f"holdgood.{group}", name) is not None


def test_an_unknown_part_gets_a_suggestion():
    with pytest.raises(DeclarationError, match="did you mean 'linear'"):
        plugins.load("holdgood.models", "linaer")


def guest(tmp_path, monkeypatch, body):
    package = tmp_path / "guest-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.forget()


def test_a_guest_enters_by_the_same_door_and_a_missing_library_is_named(tmp_path, monkeypatch):
    guest(tmp_path, monkeypatch, "[holdgood.models]\nguest = guest_model:FAMILY\nbroken = no_such_library:X\n")
    (tmp_path / "guest_model.py").write_text("FAMILY = 42\n")
    try:
        assert plugins.load("holdgood.models", "guest") == 42
        with pytest.raises(MissingExtra, match="no_such_library"):
            plugins.load("holdgood.models", "broken")
        assert "broken" not in plugins.load_all("holdgood.models")
    finally:
        monkeypatch.undo()
        plugins.forget()


def test_two_parts_of_one_name_are_refused(tmp_path, monkeypatch):
    guest(tmp_path, monkeypatch, "[holdgood.models]\nlinear = guest_model:FAMILY\n")
    try:
        with pytest.raises(DeclarationError, match="two plugins"):
            plugins.names("holdgood.models")
    finally:
        monkeypatch.undo()
        plugins.forget()


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("2 min", 120), ("1h30m", 5400), (7, 7), ("0.5 hours", 1800), ("250ms", 0.25)]
)
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("bad", ["", "fast", "10 parsecs", "-3s", float("nan"), -1, "1h junk"])
def test_bad_durations(bad):
    with pytest.raises(DeclarationError):
        seconds_of(bad)


def test_budgets():
    assert Budget.parse("trials=4") == Budget(trials=4)
    assert str(Budget.parse("trials=4")) == "trials=4"
    assert Clock(Budget(trials=4)).left() == float("inf")
    assert 0 < Clock(Budget.parse("60s")).left() <= 60
    with pytest.raises(DeclarationError, match="trial"):
        Budget.parse("trials=0")


def test_frames_keep_columns_of_equal_length():
    numbers, words = Feature("n", "number"), Feature("w", "category")
    frame = Frame((numbers, words), (np.array([1.0, 2.0, 3.0]), np.array(["a", None, "b"], dtype=object)))
    assert frame.take(np.array([2])).column("w").tolist() == ["b"]
    assert frame.select(["w"]).names == ("w",)
    assert frame.with_column("n", np.zeros(3)).column("n").tolist() == [0.0, 0.0, 0.0]
    assert frame.beside(frame.select([])).names == frame.names
    with pytest.raises(DataError, match="equal length"):
        Frame((numbers, words), (np.zeros(3), np.zeros(2)))
    assert Matrix(np.asfortranarray(np.zeros((3, 2))), ("a", "b")).take(np.array([0])).values.flags.c_contiguous


def test_errors_say_three_things_and_travel():
    import pickle

    error = pickle.loads(pickle.dumps(DataError("this came", "that", "do so")))
    assert isinstance(error, DataError)
    assert str(error).splitlines() == ["this came", "  expected: that", "  do this:  do so"]


def test_every_error_of_the_tree_is_drawn_and_has_a_code():
    from holdgood.core import errors

    def below(kind):
        return [k for sub in kind.__subclasses__() for k in (sub, *below(sub))]

    ours = [k for k in (HoldgoodError, *below(HoldgoodError)) if k.__module__ == errors.__name__]
    assert len(ours) >= 11
    for kind in ours:
        assert kind.__name__ in errors.__doc__
        assert kind.exit_code > 0

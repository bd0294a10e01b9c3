"""A folder or a name that was easily meant instead is named for what it is."""

import shlex

import pytest

from holdgood.bundle import save
from holdgood.core.task import Task
from holdgood.workflow.live.folder import Live

NO_FOLDER, PROJECT, LIVE = "no such folder", "is a project, no bundle", "is a live folder, no bundle"


@pytest.fixture
def at(make_project, make_orders):
    """A project, with a live folder beside its declaration and a bundle in it."""
    folder = make_project(make_orders(5))
    live = Live.create(folder / "live")
    save(folder / "own", name="flights", parts={}, records={}, task=Task(kind="binary", classes=("a", "b")))
    live.keep(folder / "own")
    return folder


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("serve", "nosuch"), NO_FOLDER),
        (("serve", "flights=nosuch"), NO_FOLDER),
        (("serve", "."), PROJECT),
        (("serve", "live", "own"), LIVE),
        (("predict", "live", "t.csv"), LIVE),
        (("predict", ".", "t.csv"), PROJECT),
        (("forecast", "live", "t.csv"), LIVE),
        (("promote", ".", "--why", "x"), PROJECT),
        (("approve", "live", "--by", "ann"), LIVE),
    ],
)
def test_a_folder_that_is_no_bundle(at, cli, command, said):
    if command[0] == "serve":
        pytest.importorskip("uvicorn")
    answer = cli(*command, at=at)
    assert answer.code == 4, answer.all
    assert said in answer.err and "tokens.json" not in answer.err
    assert "do not use this one" not in answer.err


def test_tokens_are_looked_for_where_they_are(at, cli):
    pytest.importorskip("uvicorn")
    assert cli("serve", "token", "new", "live", "--role", "predict", "--name", "shop", at=at).code == 0
    found = cli("serve", "token", "list", at=at)
    assert "shop" in found.out and "looked in live/tokens.json" in found.err
    assert "of live/tokens.json" in cli("serve", "token", "revoke", "shop", at=at).out
    for command in (("new", "lvie", "--role", "predict", "--name", "x"), ("list", "lvie"), ("revoke", "shop", "lvie")):
        assert NO_FOLDER in cli("serve", "token", *command, at=at).err
    assert not (at / "tokens.json").exists()


def test_a_token_made_beside_a_live_folder_says_whose_it_is_and_how_to_make_the_folders_own(at, cli):
    pytest.importorskip("uvicorn")
    made = cli("serve", "token", "new", "--role", "predict", "--role", "feedback", "--name", "my shop", at=at)
    assert made.code == 0 and made.out.startswith("hg_") and "its hash is in tokens.json" in " ".join(made.err.split())
    own = "holdgood serve token new live --role predict --role feedback --name 'my shop'"
    assert "holdgood serve live does not take this token" in made.err and own in made.err
    assert "does not take" not in cli(*shlex.split(own)[1:], at=at).err
    assert "does not take" not in cli(*shlex.split(own)[1:], "--tokens", "t.json", at=at).err
    ends = cli("serve", "token", "new", "--role", "predict", "--name", "shop", "--expires", "90 days", at=at)
    assert "new live --role predict --name shop --expires '90 days'" in ends.err, "the same for as long, not for ever"


def test_what_comes_after_the_first_promotion_is_a_token_and_a_server(at, cli):
    said = cli("promote", "own", "--why", "x", at=at).out
    token, serve = [line for line in said.splitlines() if line.startswith("next: ")]
    assert token.startswith("next: holdgood serve token new live --role predict --name NAME")
    assert serve == "next: holdgood serve live answers over HTTP"
    (at / "two words").mkdir()
    (at / "two words" / "tokens.json").write_text("")
    again = cli("promote", "own", "--why", "x", "--live", "two words", at=at).out
    assert "token" not in again and "next: holdgood serve 'two words' answers" in again


def test_tokens_of_a_folder_that_is_to_become_a_live_folder_lie_in_it(at, cli):
    pytest.importorskip("uvicorn")
    (at / "fresh").mkdir()
    for name in ("shop", "prometheus"):
        made = cli("serve", "token", "new", "fresh", "--role", "predict", "--name", name, at=at)
        assert made.code == 0 and "its hash is in fresh/tokens.json" in made.err
    assert not (at / "tokens.json").exists()
    assert "prometheus" in cli("serve", "token", "list", "fresh", at=at).out
    refused = cli("serve", "fresh", at=at)
    assert refused.code == 4 and "no live folder yet" in refused.err and "promote RUN --live fresh" in refused.err
    assert cli("promote", "own", "--why", "x", "--live", "fresh", at=at).code == 0
    assert "shop" in cli("serve", "token", "list", "fresh", at=at).out
    of_bundle = cli("serve", "token", "new", "own", "--role", "predict", "--name", "x", "--json", at=at)
    assert '"file": "tokens.json"' in of_bundle.out and not (at / "own" / "tokens.json").exists()


def test_a_path_and_a_model_that_are_not_there(at, cli):
    answer = cli("promote", "runs/0001", "--why", "x", at=at)
    assert answer.code == 3 and "there is no folder runs/0001" in answer.err
    assert "there is none yet" in cli("rollback", "nosuch", "--why", "x", at=at).err
    assert cli("promote", "own", "--why", "x", at=at).code == 0
    for command in ("rollback", "retire"):
        answer = cli(command, "fligths", "--why", "x", at=at)
        assert answer.code == 3
        assert "no model 'fligths' was ever live in live" in answer.err and "one of: flights" in answer.err


@pytest.mark.parametrize(
    ("status", "how"), [("failed", "it has failed"), ("interrupted", "it is not finished (status interrupted)")]
)
def test_a_run_without_a_bundle_is_told_how_it_ended(at, cli, status, how):
    run = at / "runs" / "0002"
    run.mkdir(parents=True)
    (run / "run.json").write_text(f'{{"status": "{status}"}}')
    said = " ".join(cli("promote", "runs/0002", "--why", "x", at=at).err.split())
    assert f"run runs/0002 has no bundle: {how}" in said and "no run there has a bundle yet" in said
    save(at / "runs" / "0001" / "bundle", name="m", parts={}, records={}, task=Task(kind="binary", classes=("a", "b")))
    said = " ".join(cli("promote", "runs/0002", "--why", "x", at=at).err.split())
    assert "the newest is runs/0001" in said and "holdgood runs -p ." in said


def test_a_second_token_of_a_name_says_that_the_first_still_lets_in(at, cli):
    first, second = (
        cli("serve", "token", "new", "live", "--role", "predict", "--name", "shop", "--json", at=at) for _ in "ab"
    )
    assert "of this name" not in first.err
    old, new = first.json["id"], second.json["id"]
    assert f"{old} of this name lets in, too, beside the new {new}" in second.err
    assert f"holdgood serve token revoke {old} live" in second.err
    assert cli("serve", "token", "revoke", old, "live", at=at).code == 0


def test_what_comes_next_is_told_from_where_one_is(at, cli):
    assert "next: holdgood run -p" not in cli("status", at=at).out
    above = cli("status", "-p", at.name, at=at.parent).out
    assert f"next: holdgood run -p {at.name}" in " ".join(above.split())

"""holdgood lessons: what was taught, to whom it is like, and what cannot be read."""


def test_lessons_are_listed_searched_and_held_against_a_run(cli, finished):
    said = cli("lessons", at=finished)
    assert said.code == 0
    assert "run 0001" in said.out
    assert "data: binary, 300 rows, 2 features" in said.out
    assert "best: linear" in said.out
    assert "not reused yet" in said.out
    assert "100% similar to run 0001" in cli("lessons", "--like", "0001", at=finished).out
    assert "best: linear" in cli("lessons", "LINEAR", at=finished).out
    assert "no lesson" in cli("lessons", "forest", at=finished).out
    told = cli("lessons", "--json", "--like", "1", at=finished).json
    assert told["notes"] == []
    assert told["lessons"][0]["similarity"] == 1.0
    assert told["lessons"][0]["reused"] == 0
    assert told["lessons"][0]["lesson"]["data"]["rows"] == 300


def test_what_is_damaged_is_told_beside_what_is_whole(cli, copied):
    (copied / "lessons" / "bad.json").write_text("{")
    said = cli("lessons", at=copied)
    assert said.code == 0
    assert "best: linear" in said.out
    assert "note: the lesson bad.json was passed over" in said.err
    assert "bad.json" in cli("lessons", "--json", at=copied).json["notes"][0]


def test_a_run_takes_lessons_from_a_folder_or_none(cli, finished, make_project, make_orders):
    folder = make_project(make_orders(seed=4))
    assert cli("run", "--lessons", finished / "lessons", at=folder).code == 0
    assert "1 lesson of similar data" in cli("show", "ladder", at=folder).out
    assert "reused 1 time" in cli("lessons", "--from", finished / "lessons", at=folder).out
    assert cli("run", "--lessons", "none", "--seed", "5", at=folder).code == 0
    assert "lesson" not in cli("show", "ladder", at=folder).out


def test_bad_requests_are_refused(refuses, copied):
    refuses("lessons", "--from", "nowhere", at=copied, code=2, says="nowhere")
    refuses("lessons", "--like", "9", at=copied, code=3, says="no run '9'")
    for file in copied.rglob("runs/*/**/lessons.json"):
        file.unlink()
    (copied / "runs" / "0001" / "lessons.json").unlink(missing_ok=True)
    refuses("lessons", "--like", "1", at=copied, code=3, says="no kind of data")

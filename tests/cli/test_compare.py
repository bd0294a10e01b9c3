"""Runs side by side and on new rows: terminal, JSON, one HTML file; what is not to be had is refused in words."""

import pytest


@pytest.fixture(scope="module")
def two(finished, cli, tmp_path_factory):
    """The finished project with a second run, of the prior alone, and labelled rows that came later."""
    import shutil

    folder = shutil.copytree(finished, tmp_path_factory.mktemp("two") / "company")
    text = (folder / "holdgood.toml").read_text()
    (folder / "holdgood.toml").write_text(text.replace('"linear"', '"prior"'))
    assert cli("run", at=folder).code == 0
    return folder


@pytest.fixture
def later(two, make_orders, tmp_path):
    file = tmp_path / "later.csv"
    rows = make_orders(n=300, seed=9)
    rows.assign(x=rows.x + 0.00005).to_csv(file, index=False)  # like no row of the first table, not even by chance
    return file


def test_the_terminal_says_the_answer_first_and_then_what_it_costs(cli, two):
    said = cli("compare", "1", "2", at=two)
    assert said.code == 0
    assert said.out.startswith("run 0001 is better than run 0002: mean log loss per row lower by")
    assert "on 100 rows that both held out" in said.out
    assert "the best of each family, out of fold" in said.out
    assert 'budget.models: ["linear"] | ["prior"]' in said.out
    assert "data and libraries: the same" in said.out


def test_the_page_is_one_file_that_loads_nothing(cli, two, tmp_path):
    said = cli("compare", "1", "2", "--html", tmp_path / "c.html", at=two)
    assert f"report: {tmp_path / 'c.html'}" in said.out
    page = (tmp_path / "c.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "run 0001 is better" in page.lower()
    assert page.count("<figure") >= 4
    assert "http://" not in page.replace("http://www.w3.org", "").split("<script>")[0]
    assert cli("compare", "1", "2", "--html", tmp_path, at=two).code == 0
    assert (tmp_path / "compare-0001-0002.html").exists()


def test_new_rows_rank_what_was_delivered_and_the_priors(cli, two, later, tmp_path):
    said = cli("compare", "1", "2", "--on", later, "--html", tmp_path / "b.html", at=two)
    assert said.code == 0, said.all
    assert said.out.splitlines()[1].split()[:3] == ["run", "0001", "delivered"]
    assert "None of these rows is among its development rows." in said.out
    page = (tmp_path / "b.html").read_text()
    assert "What was tuned on which rows" in page
    told = cli("compare", "1", "2", "--on", later, "--json", at=two).json
    assert (told["rows"], told["left_out"]) == (300, 0)
    assert {(e["run"], e["role"]) for e in told["entrants"]} >= {
        ("0001", "delivered"),
        ("0001", "prior"),
        ("0002", "delivered"),
    }
    assert told["entrants"][0]["against_own_prior"]["verdict"] == "better"
    assert told["looks"] == 2
    assert any("looked at 2 times" in n for n in told["notes"])


def test_what_cannot_be_compared_is_refused(refuses, two, later, tmp_path):
    refuses("compare", "1", at=two, code=2, says="two or more")
    refuses("compare", "1", "1", at=two, code=2, says="named twice")
    refuses("compare", "1", "7", at=two, code=3, says="no run '7'")
    refuses("compare", "1", "2", "--table", "a=b.csv", at=two, code=2, says="--on")
    refuses("compare", "1", "2", "--on", later, "--table", "a=b.csv", at=two, code=2, says="no run joins a table 'a'")
    refuses("compare", "1", "2", "--on", later, "--html", later, at=two, code=2, says="a file that is read")
    refuses("compare", "1", "2", "--on", tmp_path / "none.csv", at=two, code=3)
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text("\n".join(line.rpartition(",")[0] for line in later.read_text().splitlines()))
    refuses("compare", "1", "2", "--on", unlabelled, at=two, code=3, says="late")

import numpy as np
import pyarrow as pa

from holdgood.audit.aud017_overlap import CHECK

rng = np.random.default_rng(10)


def _rich(n):
    return pa.table({f"x{i}": rng.normal(size=n).round(2) for i in range(5)} | {"c": rng.choice(list("ab"), n)})


def _columns(table):
    return {n: table.column(n) for n in table.column_names}


def test_planted_copies_are_counted(target_of):
    dev, hold = _rich(900), _rich(300)
    hold = pa.concat_tables([hold, dev.slice(50, 12)])
    (finding,) = CHECK.run(target_of(_columns(dev), rng.integers(0, 2, 900), holdout=_columns(hold)))
    assert (finding.level, finding.rows) == ("issue", 12)


def test_copies_are_found_behind_a_running_number(target_of):
    dev, hold = _rich(900), _rich(300)
    hold = pa.concat_tables([hold, dev.slice(50, 12)])
    dev = dev.append_column("n", pa.array(np.arange(900)))
    hold = hold.append_column("n", pa.array(np.arange(900, 900 + len(hold))))
    (finding,) = CHECK.run(target_of(_columns(dev), rng.integers(0, 2, 900), holdout=_columns(hold)))
    assert finding.rows == 12


def test_rows_that_meet_by_chance_are_no_finding(target_of):
    few = {"a": rng.integers(0, 4, 900), "b": rng.choice(list("xyz"), 900), "c": rng.integers(0, 3, 900)}
    other = {n: v[rng.permutation(900)][:300] for n, v in few.items()}
    assert CHECK.run(target_of(few, rng.integers(0, 2, 900), holdout=other)) == []


def test_entities_on_both_sides_are_an_issue_where_they_were_to_stay_together(target_of):
    dev, hold = _columns(_rich(300)), _columns(_rich(100))
    dev["who"], hold["who"] = rng.integers(0, 50, 300), rng.integers(45, 90, 100)
    shared = np.isin(hold["who"], dev["who"]).sum()
    (finding,) = CHECK.run(target_of(dev, rng.integers(0, 2, 300), holdout=hold, split={"by": ["who"]}))
    assert (finding.level, finding.rows, finding.columns) == ("issue", shared, ("who",))
    (finding,) = CHECK.run(target_of(dev, rng.integers(0, 2, 300), holdout=hold, spec={"key": ["who"]}))
    assert finding.rows == shared
    assert CHECK.run(target_of(dev, rng.integers(0, 2, 300), holdout=hold)) == []


def test_not_applicable_without_holdout(target_of, refuses):
    assert refuses(CHECK, target_of({"x": [1, 2]}, [0, 1])) == "there is no holdout"


def test_near_copies_that_were_carried_across(target_of):
    dev, hold = _rich(900), _rich(300)
    near = dev.slice(50, 40).to_pydict()
    near["x3"] = [v + 0.01 for v in near["x3"]]
    hold = pa.concat_tables([hold, pa.table(near)])
    (finding,) = CHECK.run(target_of(_columns(dev), rng.integers(0, 2, 900), holdout=_columns(hold)))
    assert (finding.sure, finding.level) == ("likely", "issue")
    assert 35 <= finding.rows <= 45
    assert set(finding.examples) <= set(range(50, 90))


def test_rows_that_are_alike_by_nature_are_no_finding(target_of):
    base = _rich(400).to_pandas()
    twice = pa.Table.from_pandas(base.assign(x2=base.x2 + 0.01), preserve_index=False)
    both = pa.concat_tables([pa.Table.from_pandas(base, preserve_index=False), twice])
    order = rng.permutation(800)
    dev, hold = both.take(order[:600]), both.take(order[600:])
    found = CHECK.run(target_of(_columns(dev), rng.integers(0, 2, 600), holdout=_columns(hold)))
    assert found == []


def test_copied_rows_stand_out_among_rows_that_meet_by_chance(target_of):
    def few(n):
        return {"a": rng.integers(0, 30, n), "b": rng.choice(list("xyz"), n), "c": rng.integers(0, 12, n)}

    dev, hold = few(1500), few(500)
    assert CHECK.run(target_of(dev, rng.integers(0, 2, 1500), holdout=hold)) == []
    hold = {n: np.r_[v, dev[n][:400]] for n, v in hold.items()}
    (finding,) = CHECK.run(target_of(dev, rng.integers(0, 2, 1500), holdout=hold))
    assert finding.level == "issue"
    assert finding.rows >= 400

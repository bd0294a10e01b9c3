import numpy as np
import pyarrow as pa

from holdgood.audit.aud013_fan_out import CHECK
from holdgood.testing.check import check_check


def _joined(tables_of, here, there, **spec):
    other = {"key": there, "when": pa.array([0, 0, 5, 6][: len(there)], pa.timestamp("us"))}
    return tables_of(
        {"main": {"k": here}, "other": other}, specs={"main": {}, "other": {"join": {"on": {"k": "key"}}, **spec}}
    )


def test_a_key_that_is_not_unique_multiplies_rows(tables_of):
    (finding,) = CHECK.run(_joined(tables_of, ["a", "a", "b", None], ["a", "a", "b", "c"]))
    assert (finding.level, finding.rows) == ("issue", 1)
    assert finding.evidence == {"repeated": 1, "main_rows": 2, "most_partners": 2}


def test_repeats_that_no_row_meets_are_a_tip(tables_of):
    (finding,) = CHECK.run(_joined(tables_of, ["b"], ["a", "a", "b", "c"]))
    assert finding.level == "tip"


def test_with_a_time_only_the_same_moment_counts(tables_of):
    (finding,) = CHECK.run(_joined(tables_of, ["a"], ["a", "a", "a", "a"], time='"when"'))
    assert (finding.level, finding.evidence["same_instant"]) == ("tip", 1)
    assert CHECK.run(_joined(tables_of, ["a"], ["a", "b", "a", "a"], time='"when"')) == []


def test_missing_keys_join_nothing(tables_of):
    assert CHECK.run(_joined(tables_of, ["a"], [None, None, "a", "b"])) == []


def test_not_applicable_without_joins(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "fewer than two tables have rows"


def _found_join(doubled):
    names = [f"M{i:03d}" for i in range(60)]
    main = {"machine": np.random.default_rng(1).choice(names, 900)}
    return {"main": main, "machines": {"id": [*names, *names[:doubled]], "age": list(range(60 + doubled))}}


def test_a_join_that_nobody_declared_would_multiply_rows(tables_of):
    tables = _found_join(4)
    (finding,) = CHECK.run(tables_of(tables))
    hit = int(np.isin(tables["main"]["machine"], tables["machines"]["id"][:4]).sum())
    assert (finding.table, finding.rows, finding.evidence["main_rows"]) == ("machines", 4, hit)
    assert CHECK.run(tables_of(_found_join(0))) == []


def test_contract(tables_of):
    check_check(CHECK, lambda: tables_of(_found_join(4)))

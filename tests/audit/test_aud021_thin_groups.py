from dataclasses import replace

import numpy as np
import pyarrow as pa

from holdgood.audit.aud021_thin_groups import CHECK
from holdgood.core.table import Table


def test_thin_groups_are_counted_with_the_n_that_would_tell(target_of):
    site = ["A"] * 500 + ["B"] * 60 + ["C"] * 500
    (finding,) = CHECK.run(target_of({"site": site}, [0, 1] * 530, fairness={"groups": ["site"]}))
    assert (finding.level, finding.rows, finding.evidence["groups"]) == ("tip", 60, 1)
    assert finding.evidence["rows_needed"] == 385  # 1.96² · ¼ / 0.05²


def test_groups_with_few_positives_are_thin_too(target_of):
    y = np.r_[np.ones(60), np.zeros(440), np.ones(5), np.zeros(495)]
    (finding,) = CHECK.run(target_of({"site": ["A"] * 500 + ["B"] * 500}, y, fairness={"groups": ["site"]}))
    assert finding.rows == 500


def test_quiet_on_large_groups_not_applicable_without_groups(target_of, refuses):
    context = target_of({"site": ["A", "B"] * 400}, [0, 0, 1, 1] * 200, fairness={"groups": ["site", "elsewhere.town"]})
    assert CHECK.run(context) == []
    assert refuses(CHECK, target_of({"site": ["A"]}, [1]))


def test_groups_of_a_joined_table_are_counted_by_rows_of_the_main_one(target_of):
    shop = np.repeat([0, 1, 2], [500, 60, 500])
    context = target_of(
        {"shop": shop},
        [0, 1] * 530,
        fairness={"groups": ["shops.town", "shops.size"]},
        tables={"main": {}, "shops": {"join": {"on": {"shop": "shop"}}}},
    )
    shops = {"shop": [0, 1, 2], "town": ["A", "B", "A"], "size": ["small"] * 3}
    context = replace(context, tables={**context.tables, "shops": Table.of(pa.table(shops), "shops")})
    (finding,) = CHECK.run(context)
    assert (finding.table, finding.columns, finding.rows) == ("shops", ("town",), 60)
    assert finding.picture.y == (60.0, 1000.0)

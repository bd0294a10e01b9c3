"""AUD044 holds tables to the reviewed contract."""

import pandas as pd
import pytest

from holdgood.audit.aud044_contract import CHECK
from holdgood.audit.contract_rules import infer
from holdgood.core.declaration import Declaration
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records import Contract
from holdgood.core.table import Table


def context(frame, contract):
    return AuditContext(tables={"t": Table.of(frame, "t")}, declaration=Declaration(), contract=contract)


GOOD = pd.DataFrame({"a": [i % 100 for i in range(200)], "b": ["x", "y"] * 100})


def test_without_a_contract_it_says_why_not():
    with pytest.raises(NotApplicable, match=r"no contract.toml"):
        CHECK.run(context(GOOD, None))


def test_rows_that_keep_it_pass_and_rows_that_break_it_are_counted():
    contract = Contract(tables=(infer(Table.of(GOOD, "t")),))
    assert CHECK.run(context(GOOD, contract)) == []
    bad = GOOD.copy()
    bad.loc[5, "b"], bad.loc[7, "a"] = "zzz", 999
    (finding,) = CHECK.run(context(bad, contract))
    assert (finding.level, finding.rows, finding.examples) == ("tip", 2, (5, 7))
    assert set(finding.columns) == {"a", "b"}
    strict = contract.model_copy(
        update={
            "tables": tuple(
                t.model_copy(update={"columns": tuple(c.model_copy(update={"unseen": "refuse"}) for c in t.columns)})
                for t in contract.tables
            )
        }
    )
    (finding,) = CHECK.run(context(bad, strict))
    assert (finding.level, finding.severity, finding.evidence["refused"], finding.examples) == (
        "issue",
        "high",
        1,
        (5,),
    )


def test_one_broken_cell_is_one_row(tmp_path):
    contract = Contract(tables=(infer(Table.of(pd.DataFrame({"a": [i % 150 for i in range(300)]}), "t")),))
    texts = [str(i % 150) for i in range(300)]
    texts[8], texts[9] = "9999", "eleven"
    (finding,) = CHECK.run(context(pd.DataFrame({"a": texts}), contract))
    assert (finding.rows, finding.examples) == (2, (8, 9))
    assert "a is no number (1 row)" in finding.message
    assert "a is above 164 (1 row)" in finding.message

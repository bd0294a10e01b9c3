"""contract.toml reads back as it was written, and says what is wrong with what people write."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from holdgood.audit.contract_rules import infer
from holdgood.core.errors import DeclarationError
from holdgood.core.records import ColumnRule, Contract, RowRule, TableContract
from holdgood.core.records.envelope import unwrap
from holdgood.core.table import Table
from holdgood.workflow.contract_file import changed_since_review, parse, read, save, signed, text

ODD = Contract(
    tables=(
        TableContract(
            name='a "table".x',
            columns=(
                ColumnRule(name="näme\n", type="number", low=0, high=1e300, whole=True, missing="refuse"),
                ColumnRule(name="b", type="category", levels=("x", 'say "hi"', "ü"), unseen="allow", why="said so"),
                ColumnRule(name="c", type="text", shape=r"[A-Z]{2}\-[0-9]{3}", required=False),
            ),
            key=("b",),
            rules=(RowRule(rule='"näme\n" > 0', breach="refuse", why="physics"),),
            rows=12,
        ),
    ),
    version=3,
)


def test_what_is_written_reads_back_the_same(tmp_path):
    path = tmp_path / "contract.toml"
    save(path, ODD)
    assert read(path) == ODD or _plain(read(path)) == _plain(ODD)


def _plain(contract):
    return contract.model_dump_json()


def test_two_thousand_columns_are_two_thousand_lines():
    wide = Table.of(
        pd.DataFrame(np.random.default_rng(0).normal(size=(150, 2000)), columns=[f"c{i}" for i in range(2000)])
    )
    written = text(Contract(tables=(infer(wide),)))
    assert sum(line.startswith('"c') for line in written.splitlines()) == 2000


def test_a_signature_notices_later_edits():
    contract = signed(ODD, "Ada", date(2026, 1, 2))
    assert (contract.reviewed_by, contract.reviewed_on) == ("Ada", "2026-01-02")
    assert not changed_since_review(contract)
    assert changed_since_review(contract.model_copy(update={"tables": ()}))
    with pytest.raises(DeclarationError, match="without a name"):
        signed(ODD, " ", date(2026, 1, 2))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tables": {"t": {"columns": {"a": {"type": "numbr"}}}}}, "type 'numbr'"),
        ({"tables": {"t": {"columns": {"a": {"type": "number", "lo": 1}}}}}, "lo"),
        ({"tables": {"t": {"columns": {"a": {"type": "number", "missing": "shout"}}}}}, "shout"),
        ({"tables": {"t": {"columns": {"a": {"type": "number", "low": 2, "high": 1}}}}}, "above high"),
        ({"tables": {"t": {"columns": {"a": {"type": "text", "shape": "["}}}}}, "regular expression"),
        ({"tables": {"t": {"columns": {"a": {"type": "text"}}, "key": ["b"]}}}, "key names 'b'"),
        ({"tables": {"t": {"columns": {"a": {"type": "number"}}, "rules": [{"rule": "a + 1"}]}}}, "true or false"),
        ({"tables": {"t": {"columns": {"a": {"type": "number"}}, "rules": [{"rule": "aa > 1"}]}}}, "aa"),
        ({"tables": {"t": {"columns": ["a"]}}}, "one line a column"),
        ({"tabels": {}}, "tabels"),
    ],
)
def test_mistakes_are_named(given, said):
    with pytest.raises(DeclarationError, match=said):
        parse(given)


def test_no_file_and_no_toml(tmp_path):
    with pytest.raises(DeclarationError, match="no contract.toml"):
        read(tmp_path / "contract.toml")
    (tmp_path / "contract.toml").write_text("a = = 1")
    with pytest.raises(DeclarationError, match="not valid TOML"):
        read(tmp_path / "contract.toml")


def test_a_contract_of_the_first_schema_is_still_read():
    """As a bundle of the first release holds it: observed bounds and levels, nothing else."""
    column = {
        "name": "a",
        "type": "number",
        "required": True,
        "missing_share": 0.0,
        "low": 1.0,
        "high": None,
        "levels": [],
    }
    table = {"name": "t", "columns": [column], "key": ["a"]}
    envelope = {"kind": "contract", "schema": 1, "created_utc": "x", "producer": "y", "payload": {"tables": [table]}}
    contract = unwrap(envelope, Contract)
    (rule,) = contract.tables[0].columns
    assert (rule.low, rule.missing, rule.outside, contract.version) == (1.0, "allow", "warn", 1)
    assert np.isnan(rule.high)

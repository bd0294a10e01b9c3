"""Real tables: near-silence on clean ones, and the known faults of others."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.audit import audit, installed
from holdgood.core.declaration import parse
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table
from holdgood.core.task import Task

pytestmark = pytest.mark.data
CLEAN = (
    "adult",
    "california_housing",
    "diamonds",
    "telco_churn",
    "bank_marketing",
    "letter",
    "ames_housing",
    "concrete",
    "nass_crash",
)


def _set(folder, path):
    file = folder / f"{path}.parquet"
    if not file.exists():
        pytest.skip(f"shared data not found: {file.name}")
    return Table.of(pq.read_table(file), file.stem)


def _tables(table):
    return audit(
        AuditContext({table.name: table}, parse({"tables": {table.name: {}}})), "tables", checks=installed("tables")
    )


def _target(table, target, kind):
    column = table.data.column(target)
    if kind == "regression":
        y, classes = column.cast(pa.float64()).to_numpy(), ()
    else:
        coded = column.combine_chunks().dictionary_encode()
        y, classes = (
            coded.indices.cast(pa.float64()).to_numpy(zero_copy_only=False),
            tuple(map(str, coded.dictionary.to_pylist())),
        )
    held = np.random.default_rng(0).random(table.rows) < 0.25
    context = AuditContext(
        {table.name: table},
        parse({"tables": {table.name: {}}, "task": {"target": f'"{target}"'}}),
        main=table.take(np.flatnonzero(~held)),
        y=y[~held],
        task=Task(kind=kind, classes=classes),
        holdout=table.drop([target]).take(np.flatnonzero(held)),
        target_columns=(target,),
    )
    return audit(context, "target", checks=installed("target"))


@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_have_no_issue(shared_data, name):
    table = _set(shared_data, f"tabular/{name}")
    listed = json.loads((shared_data / "manifest.json").read_text())
    entry = next(e for e in _walk(listed["tabular"]) if e["name"] == name)
    first, second = _tables(table), _target(table, entry["target"], entry["task"])
    assert [f.message for f in first.issues + second.issues] == []
    assert first.count("skipped") + second.count("skipped") == 0
    assert len(first.tips) <= 3
    assert len(second.tips) <= 3


def _walk(node):
    if isinstance(node, dict):
        if {"name", "target", "task"} <= node.keys():
            yield node
        else:
            for value in node.values():
                yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def test_the_parts_of_a_failure_are_late(shared_data):
    table = _set(shared_data, "maintenance/ai4i2020")
    report = _target(table, "Machine failure", "binary")
    assert {c for _, c in report.late} == {"TWF", "HDF", "PWF", "OSF"}


def test_facts_about_the_new_offence_are_late(shared_data):
    table = _set(shared_data, "fairness/compas_two_years")
    late = {c for _, c in _target(table, "two_year_recid", "binary").late}
    assert {"r_offense_date", "r_charge_degree"} <= late
    assert all(c.startswith("r_") or c == "is_recid" for c in late)


def test_a_dirty_table_differs_from_its_clean_twin(shared_data):
    dirty, clean = (_tables(_set(shared_data, f"quality/dirty_clean/hospital_{k}")) for k in ("dirty", "clean"))
    assert {f.columns[0] for f in dirty.issues if f.code == "AUD024"} >= {
        "City",
        "CountyName",
        "HospitalType",
        "Condition",
    }
    assert [f.message for f in clean.issues] == []


def test_a_level_in_two_spellings_is_found_in_real_data(shared_data):
    issues = _tables(_set(shared_data, "tabular/metro_traffic")).issues
    (finding,) = [f for f in issues if f.code == "AUD010"]
    assert (finding.columns, finding.rows) == (("weather_description",), 1725)

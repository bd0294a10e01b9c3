"""Wrong cells of real dirty tables: those that applying the proposed repairs changes, against the clean twins."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.audit.aud010_spellings import CHECK as SPELLINGS
from holdgood.audit.aud024_typos import CHECK as TYPOS
from holdgood.audit.aud025_text_damage import CHECK as DAMAGE
from holdgood.audit.aud026_dependencies import CHECK as DEPENDENCIES
from holdgood.audit.aud043_formats import CHECK as FORMATS
from holdgood.cleaning import clean, installed
from holdgood.core.declaration import RepairSpec
from holdgood.core.table import Table

pytestmark = pytest.mark.data
CHECKS = (SPELLINGS, TYPOS, DAMAGE, DEPENDENCIES, FORMATS)


def _read(folder, name):
    path = folder / "quality" / "dirty_clean" / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"shared data not found: {path.name}")
    return pq.read_table(path)


def _repaired(tables_of, data):
    context = tables_of({"t": Table.of(data, "t")})
    findings = [f for check in CHECKS for f in check.run(context)]
    specs = [
        RepairSpec(repair=p.repair, table="t", columns=list(p.columns), parameters=p.parameters, why="")
        for p in (f.proposal for f in findings)
        if p is not None
    ]
    return clean(context.tables, specs, installed())[0]["t"].data


def _f1(before, after, truth):
    hit = said = wrong = 0
    for name in before.column_names:
        cells = (x.column(name).to_pylist() for x in (before, after, truth))
        for a, b, c in zip(*cells, strict=True):
            hit += a != b and a != c
            said += a != b
            wrong += a != c
    return 2 * hit / (said + wrong)


def test_hospital(tables_of, shared_data):
    dirty, truth = _read(shared_data, "hospital_dirty"), _read(shared_data, "hospital_clean")
    assert _f1(dirty, _repaired(tables_of, dirty), truth) >= 0.97


def test_flights(tables_of, shared_data):
    dirty, truth = _read(shared_data, "flights_dirty"), _read(shared_data, "flights_clean")
    key = ["src", "flight"]
    order = pa.table([dirty["src"], dirty["flight"], pa.array(range(dirty.num_rows))], names=[*key, "at"])
    aligned = truth.join(order, keys=key).sort_by("at").select(dirty.column_names)
    assert _f1(dirty, _repaired(tables_of, dirty), aligned) >= 0.88


@pytest.mark.parametrize("name", ["hospital_clean", "flights_clean"])
def test_clean_twins_are_quiet(tables_of, shared_data, name):
    context = tables_of({"t": Table.of(_read(shared_data, name), "t")})
    assert [f.message for check in CHECKS for f in check.run(context)] == []

"""Every installed check keeps the contract; a check that breaks it is caught."""

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit import installed
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.testing.check import check_check, rename, sample, shuffle


@pytest.mark.parametrize("code", sorted(installed()))
def test_installed_checks_keep_the_contract(code):
    check_check(installed()[code])


class _Bad:
    code, title, scope = "BAD001", "bad", "tables"

    def __init__(self, looks):
        self.looks = looks

    def run(self, context):
        return [f for t in context.tables.values() for f in self.looks(t)]


def _say(table, columns=(), code="BAD001", **more):
    return Finding(
        code=code, title="bad", level="tip", severity="low", table=table.name, columns=columns, message="m", **more
    )


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        (lambda t: [_say(t, code="OTHER1")], "carries the code"),
        (lambda t: [_say(t, ("nowhere",))], "do not exist"),
        (lambda t: [_say(t, (min(t.names),))] if t.names else [], "names of columns"),
        (
            lambda t: (
                [_say(t, rows=hash(str(t.data.slice(0, 1).to_pylist()[0].get("weight", 0))) % 997)] if t.rows else []
            ),
            "names|order",
        ),
        (lambda t: [_say(t, rows=len(t.data.slice(0, 1).to_pylist()[0]))], "raised IndexError"),
    ],
)
def test_a_bad_check_is_caught(looks, said):
    with pytest.raises(AssertionError, match=said):
        check_check(_Bad(looks))


def test_renaming_and_shuffling_keep_the_data():
    context = sample("target")
    other = rename(context)
    assert not set(other.main.names) & set(context.main.names)
    assert other.main.fingerprint() == context.main.fingerprint()
    mixed = shuffle(context)
    assert sorted(np.nan_to_num(mixed.y, nan=-1)) == sorted(np.nan_to_num(context.y, nan=-1))
    assert mixed.main.fingerprint() != context.main.fingerprint()
    assert isinstance(mixed, AuditContext)
    assert isinstance(mixed.main.data, pa.Table)

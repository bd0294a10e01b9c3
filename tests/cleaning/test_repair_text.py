import pytest

from holdgood.cleaning.repair_text import REPAIR
from holdgood.core.errors import DeclarationError
from holdgood.testing.repair import check_repair


def test_the_contract(dirty):
    check_repair(REPAIR, dirty, ["town", "price"], {})
    check_repair(REPAIR, dirty, ["town"], {"rules": ["edges"]})


def test_only_the_named_rules_are_applied(dirty):
    out, entry = REPAIR.apply(dirty, ["town", "price"], {"rules": ["edges"]})
    assert out.data.column("town").to_pylist()[1] == "lyon"
    assert out.data.column("price").to_pylist()[4] == "8.0"
    assert entry.cells_changed == 2
    _, other = REPAIR.apply(dirty, ["town", "price"], {"rules": ["mojibake"]})
    assert other.cells_changed == 0


@pytest.mark.parametrize(
    ("columns", "parameters", "said"),
    [
        (["town"], {"rules": []}, "a list of"),
        (["town"], {"rules": ["edge"]}, "did you mean 'edges'"),
        (["count"], {}, "holds int64"),
        ([], {}, "without columns"),
    ],
)
def test_bad_input(dirty, columns, parameters, said):
    with pytest.raises(DeclarationError, match=said):
        REPAIR.apply(dirty, columns, parameters)

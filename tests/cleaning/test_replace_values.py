import pytest

from holdgood.cleaning.replace_values import REPAIR
from holdgood.core.errors import DeclarationError
from holdgood.testing.repair import check_repair


def test_the_contract(dirty):
    check_repair(REPAIR, dirty, ["town"], {"mapping": {"lyon ": "Lyon"}, "missing": ["?"]})


def test_texts_are_replaced_and_the_unreadable_becomes_missing(dirty):
    out, entry = REPAIR.apply(dirty, ["town"], {"mapping": {"lyon ": "Lyon"}, "missing": ["?", "not there"]})
    assert out.data.column("town").to_pylist() == ["Lyon", "Lyon", "Paris", None, None, "Lyon"]
    assert entry.cells_changed == 2


@pytest.mark.parametrize(
    ("columns", "parameters", "said"),
    [
        (["town"], {}, "without parameters"),
        ([], {"mapping": {"a": "b"}}, "without columns"),
        (["weight"], {"mapping": {"a": "b"}}, "holds double"),
        (["town"], {"mapping": {"a": 1}}, "texts and what they become"),
        (["town"], {"missing": "a"}, "a list of texts"),
        (["town"], {"mapping": {"a": "b"}, "missing": ["a"]}, "listed twice"),
        (["town"], {"mapping": {"a": "b", "b": "c"}}, "itself replaced"),
        (["town"], {"maping": {"a": "b"}}, "did you mean 'mapping'"),
    ],
)
def test_bad_input(dirty, columns, parameters, said):
    with pytest.raises(DeclarationError, match=said):
        REPAIR.apply(dirty, columns, parameters)

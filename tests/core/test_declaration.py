import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import Declaration, parse, read
from holdgood.core.errors import DeclarationError


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"task": {"taget": "y"}}, "did you mean 'target'"),
        ({"tables": {"a": {"sorce": "x.csv"}}}, "did you mean 'source'"),
        ({"tables": {"a": {"join": {"tolerence": "1h"}}}}, "did you mean 'tolerance'"),
        ({"fairnes": {}}, "did you mean 'fairness'"),
        ({"repairs": [{"repare": "x"}]}, "did you mean 'repair'"),
        ({"costs": {"miss": 3}}, "declare both"),
        ({"costs": {"miss": -3, "false_alarm": 1}}, "zero or more"),
        ({"split": {"gap": "soon"}}, "duration"),
        ({"budget": {"run": "0s"}}, "more than zero"),
        ({"budget": {"run": "forever"}}, "duration"),
        ({"tables": {"orders": {}}, "task": {"table": "order"}}, "did you mean 'orders'"),
        ({"version": 2}, "version"),
    ],
)
def test_faults_are_told_in_the_users_words(data, says):
    with pytest.raises(DeclarationError) as caught:
        parse(data)
    assert says in str(caught.value)
    assert "do this" in str(caught.value)


def test_all_faults_at_once():
    with pytest.raises(DeclarationError) as caught:
        parse({"task": {"taget": "y"}, "split": {"holdot": 0.2}})
    assert "taget" in str(caught.value)
    assert "holdot" in str(caught.value)


def test_the_smallest_file_is_a_table_and_a_target(tmp_path):
    (tmp_path / "holdgood.toml").write_text('[tables.orders]\nsource = "orders.csv"\n[task]\ntarget = "late"\n')
    declared = read(tmp_path)
    assert declared.main == "orders"
    assert not declared.costs.declared


@pytest.mark.parametrize("text", ["[task\n", "\xff"])
def test_a_broken_file_says_so(tmp_path, text):
    (tmp_path / "holdgood.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(DeclarationError, match="TOML"):
        read(tmp_path)
    with pytest.raises(DeclarationError, match="no holdgood.toml"):
        read(tmp_path / "elsewhere")


def test_the_json_schema_names_every_section():
    schema = Declaration.model_json_schema()
    assert set(schema["properties"]) == set(Declaration.model_fields)
    assert json.dumps(schema)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2)),
        max_size=4,
    )
)
def test_any_mapping_is_accepted_or_refused_in_words(data):
    try:
        assert isinstance(parse(data), Declaration)
    except DeclarationError as error:
        assert error.came


def test_every_field_is_described_in_the_schema_for_editors():
    schema = Declaration.model_json_schema()
    sections = {"Declaration": schema, **schema["$defs"]}
    assert len(sections) >= 12
    bare = [
        f"{n}.{f}" for n, s in sections.items() for f, p in s.get("properties", {}).items() if not p.get("description")
    ]
    assert bare == []


def test_a_budget_of_memory_is_no_name_any_more():
    with pytest.raises(DeclarationError, match="budget.memory: unknown name"):
        parse({"budget": {"memory": "8GB"}})

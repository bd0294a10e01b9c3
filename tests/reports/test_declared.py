"""The declaration as TOML: reads back to the same declaration, and keeps no secret."""

import re
import tomllib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import Declaration, parse
from holdgood.reports.declared import HIDDEN, as_toml, without_secrets


def test_reads_back_to_the_same(declared):
    plain = declared.declaration.model_copy(update={"tables": {"flights": declared.declaration.tables["flights"]}})
    assert parse(tomllib.loads(as_toml(plain))) == plain


def test_all_kinds_of_entries_read_back():
    said = {
        "tables": {
            "my table": {"source": "a.csv", "known": {"b c": "after"}, "join": None},
            "u": {"join": {"on": {"k": "k\n\"'"}}},
        },
        "task": {"positive": True},
        "forecast": {"horizon": 3, "known": ["price"]},
        "costs": {"matrix": {"a": {"b": 1.5}, "ü": {"c": 2}}},
        "repairs": [
            {
                "repair": "sentinel-to-missing",
                "columns": ["x"],
                "parameters": {"values": [-999, 1.5], "map": {"a": "b"}},
            }
        ],
        "audit": {"ignore": [{"code": "AUD001", "who": "Ann", "why": "known"}]},
        "features": {"speed": "distance / time"},
    }
    declaration = parse(said)
    assert parse(tomllib.loads(as_toml(declaration))) == declaration


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30))
@example("TOKEN")
@example("passes")
@example("a://b:c@d")
@settings(max_examples=50, deadline=None)
def test_any_text_reads_back(text):
    """But for what stands under a name of secrets, and passwords in addresses."""
    secret = re.search("pass(word|wd)?$|pwd|secret|token|api_?key|credential", text, re.IGNORECASE)
    read = tomllib.loads(as_toml(Declaration(name="text", features={text: text}))).get("features", {})
    assert read == {text: HIDDEN if secret else without_secrets(text)}
    assert tomllib.loads(as_toml(Declaration(name=text)))["name"] == without_secrets(text)


def test_passwords_are_hidden():
    declaration = parse(
        {
            "tables": {
                "t": {
                    "source": "postgresql://ann:s3cret@db:5432/x?table=t&password=hunter2",
                    "options": {
                        "password": "hunter2",
                        "api_key": "abc",
                        "delimiter": ";",
                        "nested": {"token": "hunter2"},
                    },
                }
            }
        }
    )
    text = as_toml(declaration)
    assert not any(secret in text for secret in ("s3cret", "hunter2", '"abc"'))
    assert 'delimiter = ";"' in text


def test_addresses_without_password_stay():
    for text in ("sqlite:///file.db?table=t", "postgresql://ann@db/x", "C:\\data\\a.csv", "a@b.c"):
        assert without_secrets(text) == text

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.text import LOST, RULES, mend, plain

DAMAGE = "".join(chr(c) for c in (9, 32, 0xA0, 0x200B, 0x3C3, 0x43E, 0x301, 0xC3, 0xA9, 0xE2, 0x80, 0x99, 0x2019))


@given(st.text("ab&;gtlm#39" + DAMAGE, max_size=12))
@settings(max_examples=50, deadline=None)
def test_mending_twice_is_mending_once(text):
    once = mend(text)
    assert mend(once) == once
    for rule in RULES:
        if rule not in ("mojibake", "entities"):  # these two may lay bare what is damaged again, which mend() repeats
            assert RULES[rule](RULES[rule](text)) == RULES[rule](text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20))
@settings(max_examples=50, deadline=None)
def test_what_was_decoded_twice_is_read_as_it_was(text):
    broken = "".join(c.encode().decode("cp1252") if _can(c) else c for c in text if c.isascii() or _can(c))
    meant = "".join(c for c in text if c.isascii() or _can(c))
    assert mend(broken, ["mojibake"]) == mend(meant, ["mojibake"])


def _can(character):
    try:
        character.encode().decode("cp1252")
    except UnicodeDecodeError:
        return False
    return not character.isascii() and "\u00c0" <= character <= "\u017f"


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("caf\u00c3\u00a9", "café"),
        ("it\u00e2\u20ac\u2122s", "it's"),
        ("\u00c3\u0192\u00c2\u00a9", "é"),
        ("AT&amp;amp;T", "AT&T"),
        ("P\u0430ris", "Paris"),
        ("\u041f\u0430\u0440\u0438\u0436", "\u041f\u0430\u0440\u0438\u0436"),
        ("Ätna Æon ñandú", "Ätna Æon ñandú"),
        ("AT&T; Q&A", "AT&T; Q&A"),
        (" a\u00a0\u200b b\t", "a b"),
        (f"K{LOST}ln", f"K{LOST}ln"),
    ],
)
def test_examples(text, mended):
    assert mend(text) == mended


def test_rules_are_taken_one_by_one():
    assert mend("  a  b ", ["spaces"]) == " a b "
    assert mend("  a  b ", ["edges"]) == "a  b"


def test_plain():
    assert plain(" Éa  ß") == "ea ss"
    assert plain("ABC d") == "abc d"

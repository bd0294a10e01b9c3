"""Large files are decoded as small ones are, without lying in memory whole."""

import gzip

import pytest

from holdgood.connectors import read_table
from holdgood.connectors.text_body import body_of
from holdgood.core.errors import ReadError

TEXT = "name,town\n" + "José,Köln\nAna,Łódź\n" * 3000


def _both(path, options=None):
    """What a file gives, read at once and as a large one: values and notes, or the error."""
    answers = []
    for whole in (10**9, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("holdgood.connectors.text_body.WHOLE", whole)
            patch.setattr("holdgood.connectors.text_body._CHUNK", 1001)
            try:
                table = read_table(path, options=options or {})
                answers.append((table.data.to_pydict(), table.notes))
            except ReadError as error:
                answers.append(str(error))
    return answers


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (TEXT.encode(), None),
        (TEXT.encode("utf-8-sig"), None),
        (TEXT.encode("utf-16"), None),
        (TEXT.encode("utf-16-le"), None),
        (TEXT.encode("utf-16-be"), None),
        (TEXT.encode("utf-32"), None),
        (TEXT.replace("Łódź", "Lodz").encode("cp1252"), None),
        (TEXT.replace("Łódź", "Lodz").replace("José", "Jos\x81").encode("latin-1"), None),
        (TEXT.encode("cp1250"), {"encoding": "cp1250"}),
        (TEXT.encode(), {"encoding": "ascii"}),
        (TEXT.encode(), {"encoding": "nonsense"}),
        (TEXT.encode() + b"\xff,x\n", None),
        (b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1], None),
        (gzip.compress(TEXT.encode()), None),
        (gzip.compress(TEXT.encode())[:-30], None),
        (b"%PDF-1.4" + bytes(9999), None),
    ],
    ids=lambda v: None,
)
def test_large_is_as_small(put, content, options):
    small, large = _both(put("t.csv", content), options)
    assert large == small


def test_any_part_of_a_body_can_be_read(put, monkeypatch):
    monkeypatch.setattr("holdgood.connectors.text_body.WHOLE", 0)
    from pathlib import Path

    body, notes = body_of(Path(put("t.csv", TEXT.encode("utf-8-sig"))), None)
    raw = TEXT.encode()
    assert (body.size, notes) == (len(raw), [])
    assert body.read(5, 100) == raw[5:105]
    assert body.read(body.size - 3, 100) == raw[-3:]
    body.close()

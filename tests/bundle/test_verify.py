"""Every damage is found before anything is used, and told by name."""

import hashlib
import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdgood.bundle import layout, load, verify
from holdgood.core.errors import BundleError, TamperedError


def _files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _forge(folder, change):
    """Rewrite the manifest and its hash, as a forger without the pinned digest would."""
    envelope = json.loads((folder / "manifest.json").read_text())
    change(envelope)
    content = json.dumps(envelope).encode()
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sha256").write_bytes(layout.hash_line(content))


def _redo(payload):
    """Make the digest right again."""
    lines = sorted(f"{e['path']}\t{e['sha256']}\t{e['size']}\n" for e in payload["files"])
    payload["digest"] = hashlib.sha256("".join(lines).encode()).hexdigest()


def test_a_whole_bundle_passes(saved):
    bundle = verify(saved)
    assert bundle.name == "demo"
    assert bundle.run == "r1"
    assert [e.path for e in bundle.files] == [p for p in _files(saved) if not p.startswith("manifest")]
    assert (
        bundle.digest
        == hashlib.sha256("".join(f"{e.path}\t{e.sha256}\t{e.size}\n" for e in bundle.files).encode()).hexdigest()
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_byte_is_found(saved, data):
    path = saved / data.draw(st.sampled_from(_files(saved)))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :])
    try:
        with pytest.raises(TamperedError) as caught:
            load(saved)
        assert path.name.split(".")[0] in str(caught.value)
    finally:
        path.write_bytes(content)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_truncation_is_found(saved, data):
    path = saved / data.draw(st.sampled_from(_files(saved)))
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    try:
        with pytest.raises(BundleError):
            verify(saved)
    finally:
        path.write_bytes(content)


def test_each_missing_file_is_named(saved, tmp_path):
    for path in _files(saved):
        (saved / path).rename(tmp_path / "aside")
        with pytest.raises(BundleError, match="missing"):
            verify(saved)
        (tmp_path / "aside").rename(saved / path)
    verify(saved)


def test_extra_files_and_folders(saved):
    for path in ("note.txt", "parts/linear/arrays/more.npy", "records/.hidden"):
        (saved / path).write_bytes(b"x")
        with pytest.raises(TamperedError, match="not in the manifest"):
            verify(saved)
        (saved / path).unlink()
    (saved / "parts/linear/empty").mkdir()
    with pytest.raises(TamperedError, match="empty"):
        verify(saved)


def test_grown_file(saved):
    with (saved / "task.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(TamperedError, match=r"task\.json has"):
        verify(saved)


def test_links_are_refused_even_to_the_same_content(saved, tmp_path):
    for path in ("task.json", "manifest.json", "parts/linear/arrays"):
        target, aside = saved / path, tmp_path / "aside"
        target.rename(aside)
        target.symlink_to(aside)
        with pytest.raises(TamperedError, match="link"):
            verify(saved)
        target.unlink()
        aside.rename(target)
    verify(saved)


def test_a_pipe_is_not_waited_for(saved):
    (saved / "task.json").unlink()
    os.mkfifo(saved / "task.json")
    with pytest.raises(BundleError):
        verify(saved)


@pytest.mark.parametrize(
    "path",
    [
        "../../outside.txt",
        "/etc/hostname",
        "a/../../b",
        "parts\\x",
        "./task.json",
        "task.json/",
        "~/x",
        "C:/x",
        "a/" * 40 + "b",
        "tásk",
    ],
)
def test_paths_out_of_the_bundle(saved, path):
    def change(envelope):
        envelope["payload"]["files"].append({"path": path, "sha256": "0" * 64, "size": 1})
        _redo(envelope["payload"])

    _forge(saved, change)
    with pytest.raises(BundleError, match="path"):
        verify(saved)


CHANGES = {
    "newer schema": (lambda e: e.update(schema=99), "upgrade"),
    "another kind": (lambda e: e.update(kind="alarm"), "alarm"),
    "digest": (lambda e: e["payload"].update(digest="0" * 64), "digest"),
    "twice": (lambda e: (e["payload"]["files"].append(e["payload"]["files"][0]), _redo(e["payload"])), "twice"),
    "itself": (
        lambda e: (
            e["payload"]["files"].append({"path": "manifest.json", "sha256": "0" * 64, "size": 1}),
            _redo(e["payload"]),
        ),
        "itself",
    ),
    "negative": (lambda e: (e["payload"]["files"][0].update(size=-1), _redo(e["payload"])), "files"),
    "huge": (lambda e: (e["payload"]["files"][0].update(size=10**15), _redo(e["payload"])), "at most"),
    "part elsewhere": (lambda e: e["payload"]["parts"][0].update(folder="records"), "part"),
    "part without files": (
        lambda e: e["payload"]["parts"].append({"name": "x", "part": "prior", "folder": "parts/x"}),
        "part",
    ),
    "no task": (
        lambda e: (
            e["payload"].update(files=[f for f in e["payload"]["files"] if f["path"] != "task.json"]),
            _redo(e["payload"]),
        ),
        "task",
    ),
    "another task": (lambda e: e["payload"]["task"].update(metric="roc_auc"), "task"),
    "unknown field": (lambda e: e["payload"].update(run_this="x"), "run_this"),
    "no list": (lambda e: e["payload"].update(files="x"), "files"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_forged_manifests(saved, name):
    change, said = CHANGES[name]
    _forge(saved, change)
    with pytest.raises(BundleError, match=said):
        load(saved)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"kind": NaN}'])
def test_manifests_that_are_no_json(saved, content):
    (saved / "manifest.json").write_bytes(content)
    (saved / "manifest.sha256").write_bytes(layout.hash_line(content))
    with pytest.raises(BundleError):
        verify(saved)


def test_manifest_size_is_bounded(saved, monkeypatch):
    monkeypatch.setattr(layout, "MAX_MANIFEST_BYTES", 100)
    with pytest.raises(BundleError, match="at most 100"):
        verify(saved)


def test_no_bundle_at_all(tmp_path):
    with pytest.raises(BundleError, match="no bundle"):
        verify(tmp_path / "nothing")
    with pytest.raises(BundleError, match="missing"):
        verify(tmp_path)


def test_a_copy_is_as_good(saved, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(saved, copy)
    assert verify(copy).digest == verify(saved).digest

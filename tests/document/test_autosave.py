"""Copies of unsaved work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from nnviz.document import edits
from nnviz.document.store import autosave
from tests.document.documents import experiment


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(autosave, "autosave_folder", lambda: tmp_path / "copies")
    return tmp_path / "copies"


def crashed(monkeypatch, document=None, present=None):
    """Leave a copy behind as a process that is gone now; return its file."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with monkeypatch.context() as patch:
        patch.setattr(autosave, "_OWNER", f"{gone.pid:032x}"[::-1])
        patch.setattr(os, "getpid", lambda: gone.pid)
        return autosave.write_autosave(present or experiment(), document)


def test_without_any_copy_there_is_nothing_to_recover():
    assert autosave.recoverable() == ()
    autosave.discard_autosave()


def test_own_copies_are_not_recovered():
    autosave.write_autosave(experiment())
    assert autosave.recoverable() == ()


def test_a_copy_of_a_process_now_gone_is_found(monkeypatch, tmp_path):
    document = tmp_path / "doc é 网.nnviz"
    present = edits.set_title(experiment(), "Unsaved")
    file = crashed(monkeypatch, document, present)
    (found,) = autosave.recoverable()
    assert (found.file, found.document, found.title, found.experiment) == (file, document.resolve(), "Unsaved", present)
    assert abs(found.saved_at - time.time()) < 60
    autosave.discard(found)
    assert autosave.recoverable() == ()


def test_a_copy_without_a_name(monkeypatch):
    crashed(monkeypatch)
    (found,) = autosave.recoverable()
    assert found.document is None


def test_copies_of_a_running_process_are_left_to_it(monkeypatch, folder):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    file = crashed(monkeypatch)
    head, _, body = file.read_bytes().partition(b"\n")
    file.write_bytes(json.dumps(json.loads(head) | {"process": other.pid}).encode() + b"\n" + body)
    assert autosave.recoverable() == ()
    other.communicate(b"\n")
    assert len(autosave.recoverable()) == 1


def test_a_copy_of_an_earlier_process_with_this_id_is_found(monkeypatch):
    file = crashed(monkeypatch)
    head, _, body = file.read_bytes().partition(b"\n")
    file.write_bytes(json.dumps(json.loads(head) | {"process": os.getpid()}).encode() + b"\n" + body)
    assert len(autosave.recoverable()) == 1


def test_the_newest_comes_first(monkeypatch, tmp_path):
    old = crashed(monkeypatch, tmp_path / "old.nnviz")
    new = crashed(monkeypatch, tmp_path / "new.nnviz")
    os.utime(old, (1, 1))
    assert [found.file for found in autosave.recoverable()] == [new, old]


def test_each_document_has_one_copy(folder, tmp_path):
    for seed in range(3):
        autosave.write_autosave(edits.set_seed(experiment(), seed), tmp_path / "a.nnviz")
    autosave.write_autosave(experiment(), tmp_path / "b.nnviz")
    autosave.write_autosave(experiment())
    assert len(list(folder.iterdir())) == 3
    autosave.discard_autosave(tmp_path / "a.nnviz")
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\n", b'{"document": null, "process": -99999, "owner": "x"}\n{', b"[" * 100_000])
def test_copies_that_cannot_be_read_are_left_out(folder, data):
    folder.mkdir()
    (folder / "bad.autosave").write_bytes(data)
    assert autosave.recoverable() == ()


def test_the_folder_is_the_programs_own(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert "nnviz" in autosave.autosave_folder().parts and autosave.autosave_path(None).parent == autosave.autosave_folder()

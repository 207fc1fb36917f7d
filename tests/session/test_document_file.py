from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PySide6.QtCore import QLockFile

from nnviz.document import edits
from nnviz.document.store import files
from nnviz.session._document_file import Autosaver, FileWatch, lock_path
from nnviz.session.document import Document
from tests.session.sessions import two_moons


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "doc é 网.nnviz"
    files.save(path, two_moons())
    return path


@pytest.fixture
def document(qapp):
    document = Document(two_moons(8))
    yield document
    document.deleteLater()


@pytest.fixture
def watch(document):
    watch = FileWatch(document, True, document)
    document.file_taken.connect(watch.follow)
    watch.taken = []
    watch.taken_elsewhere.connect(watch.taken.append)
    yield watch
    watch.release()


def touched_by_another(path):
    files.save(path, two_moons(5))


def test_a_change_by_another_program_is_noticed_until_it_is_loaded_or_overwritten(document, watch, path):
    assert not watch.is_changed_outside
    document.open(path)
    assert not watch.is_changed_outside
    touched_by_another(path)
    assert watch.is_changed_outside
    assert document.revert() and not watch.is_changed_outside and document.experiment == two_moons(5)
    document.undo()
    assert document.experiment == two_moons() and not document.is_saved
    touched_by_another(path)
    assert watch.is_changed_outside and document.save() and not watch.is_changed_outside
    assert files.load(path) == two_moons()


def test_a_deleted_file_is_written_again(document, watch, path):
    document.open(path)
    path.unlink()
    assert not watch.is_changed_outside and document.save() and path.exists()


def test_the_same_file_in_a_second_window_of_this_process(document, watch, path):
    document.open(path)
    other = Document(two_moons())
    second = FileWatch(other, True, other)
    other.file_taken.connect(second.follow)
    taken = []
    second.taken_elsewhere.connect(taken.append)
    other.open(path)
    assert taken == [os.getpid()] and not watch.taken
    watch.release()
    other.open(path.with_name("none.nnviz"))
    other.new(two_moons(), path=None)
    other.open(path)
    assert taken == [os.getpid()]
    second.release()
    other.deleteLater()


def test_another_process_has_it_and_when_that_is_killed_the_lock_is_taken_over(document, watch, path):
    program = (
        "import sys; from PySide6.QtCore import QLockFile; l = QLockFile(sys.argv[1]); print(l.tryLock(0), flush=True); sys.stdin.read()"
    )
    lock = str(lock_path(path))
    with subprocess.Popen([sys.executable, "-c", program, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline().strip() == "True"
        document.open(path)
        assert watch.taken == [other.pid]
        other.kill()
    assert lock_path(path).exists()
    document.new(two_moons())
    document.open(path)
    assert watch.taken == [other.pid] and not QLockFile(lock).tryLock(0)


def test_the_lock_goes_with_the_document(document, watch, path, tmp_path):
    document.open(path)
    document.save_as(tmp_path / "other.nnviz")
    assert not lock_path(path).exists() and lock_path(tmp_path / "other.nnviz").exists()
    watch.release()
    assert not lock_path(tmp_path / "other.nnviz").exists()


def test_revert_of_what_has_no_file_goes_back_to_how_it_began(document, watch):
    from nnviz.document import edits

    document.edit("Seed", edits.set_seed, 99)
    assert document.revert() and document.experiment == two_moons(8) and document.is_saved
    document.new(two_moons(), saved=False)
    assert not document.revert()


def test_a_full_disk_is_told_of_once_and_not_for_every_edit(document, monkeypatch):
    autosaver = Autosaver(document, dict, parent=document)
    said = []
    autosaver.message_posted.connect(lambda level, text: said.append(text))
    with monkeypatch.context() as full:
        full.setattr("nnviz.session._document_file.write_autosave", raising(OSError(28, "No space left on device")))
        for seed in range(1, 6):
            document.edit("Seed", edits.set_seed, seed)
            autosaver.write()
    assert said == ["The copy of unsaved work could not be written: No space left on device."]
    autosaver.write()
    monkeypatch.setattr("nnviz.session._document_file.write_autosave", raising(OSError(28, "No space left on device")))
    autosaver.write()
    assert len(said) == 2, "there had been room in between"


def raising(error):
    def call(*arguments):
        raise error

    return call

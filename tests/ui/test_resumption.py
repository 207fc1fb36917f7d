"""A trained document saved and opened again in the real window: the same run, to the bit."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMessageBox

from nnviz.document import edits
from nnviz.document.store import files, saved_run
from nnviz.document.store.examples import open_document
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, tmp_path, monkeypatch, lent_engine):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield from opened(qtbot, iterations=60, engine=lent_engine)


def bits(window) -> dict[str, bytes]:
    names = [node.label for node in window.session.stepping.state.index.trace.nodes if node.kind == "parameter"]
    return {name: window.session.weights.values(name).tobytes() for name in names}


def train(window, qtbot, iteration):
    window.session.training.iterations(iteration - window.session.run.iteration)
    wait(qtbot, lambda: stands_at(window, iteration) and window.session.run.is_traced)


def reopened(window, qtbot, path):
    window.session.document.new(open_document("example:xor"))
    wait(qtbot, lambda: window.session.run.is_traced)
    assert "run" not in window.notes.notes
    window.features.files.documents.open(path)
    return window.notes.notes["run"]


@pytest.mark.parametrize("with_changes", [False, True])
def test_a_run_is_made_again_exactly_from_its_file(window, qtbot, tmp_path, with_changes):
    session, path = window.session, tmp_path / "trained.nnviz"
    if with_changes:
        session.edit("L2", edits.change_training, l2=0.01)
        train(window, qtbot, 75)
        session.weights.put_element("h1.weight", (0, 0), 2.5)
        session.edit("Dropout", edits.choose_optimizer, "sgd")
        wait(qtbot, lambda: session.run.is_traced)
    train(window, qtbot, 110)
    before, loss, document = bits(window), session.run.curves.last("loss"), session.experiment
    assert session.document.save_as(path) and len(path.read_bytes()) < 20_000
    note = reopened(window, qtbot, path)
    assert "110 iterations" in note.text and session.experiment == document
    note.buttons["Go to iteration 110"].click()
    wait(qtbot, lambda: stands_at(window, 110) and session.run.is_traced)
    assert bits(window) == before and session.run.curves.last("loss") == loss and "run" not in window.notes.notes
    assert not session.document.history.can_undo and session.experiment == document


def test_it_is_offered_by_an_action_until_the_document_changes(window, qtbot, tmp_path):
    session, path = window.session, tmp_path / "trained.nnviz"
    session.document.save_as(path)
    reopened(window, qtbot, path)
    wait(qtbot, lambda: session.run.is_traced)
    window.update_actions()
    assert window.action_table["resume"].isEnabled()
    session.edit("Seed", edits.set_seed, 4)
    assert "run" not in window.notes.notes and not window.action_table["resume"].isEnabled()


def test_saving_again_before_going_there_loses_nothing(window, qtbot, tmp_path):
    session, path = window.session, tmp_path / "trained.nnviz"
    session.document.save_as(path)
    kept = files.part(path, saved_run.PART)
    reopened(window, qtbot, path)
    wait(qtbot, lambda: session.run.is_traced)
    session.edit("Title", edits.set_title, "Mine")
    assert window.features.files.documents.save() and files.part(path, saved_run.PART) == kept


def test_unsaved_work_is_kept_with_its_run(window, qtbot, tmp_path):
    from nnviz.document.store import autosave
    from nnviz.session._document_file import Autosaver

    session = window.session
    autosaver = Autosaver(session.document, session.kept_run.attachments, parent=session)
    session.edit("L2", edits.change_training, l2=0.01)
    wait(qtbot, lambda: session.run.is_traced)
    train(window, qtbot, 70)
    before = bits(window)
    autosaver.write()
    (file,) = autosave.autosave_folder().glob("*.autosave")
    lost, _ = autosave._recovery(file)
    session.document.new(open_document("example:xor"))
    wait(qtbot, lambda: session.run.is_traced)
    window.features.files.lost_work.take(lost)
    window.notes.notes["run"].buttons["Go to iteration 70"].click()
    wait(qtbot, lambda: stands_at(window, 70) and session.run.is_traced)
    assert bits(window) == before and not session.document.is_saved


def test_another_outcome_is_said(window, qtbot, tmp_path):
    session, path = window.session, tmp_path / "trained.nnviz"
    session.document.save_as(path)
    kept = saved_run.decode(files.part(path, saved_run.PART))
    files.save(path, session.experiment, extras={saved_run.PART: saved_run.encode(saved_run.SavedRun(kept.iteration, 9.9, kept.log))})
    reopened(window, qtbot, path).buttons["Go to iteration 60"].click()
    wait(qtbot, lambda: "came out differently" in window.toast.text)


def test_plain_json_says_that_it_keeps_no_training(window, tmp_path, monkeypatch):
    monkeypatch.setattr("nnviz.ui.files._documents.Documents.ask_file", lambda *_: str(tmp_path / "plain.json"))
    assert window.features.files.documents.save_as()
    assert "without its 60 iterations" in window.toast.text


def test_closing_asks_about_training_that_the_file_does_not_hold_and_not_about_a_fresh_example(window, qtbot, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *what: asked.append(what[2]) or QMessageBox.StandardButton.Cancel)
    assert window.features.files.documents.confirm_leaving() and not window.isWindowModified() and not asked
    window.session.document.save_as(tmp_path / "trained.nnviz")
    assert window.features.files.documents.confirm_leaving() and not asked
    train(window, qtbot, 70)
    assert window.isWindowModified() and not window.features.files.documents.confirm_leaving()
    assert "trained on since it was saved" in asked[0]
    assert (
        window.features.files.documents.save()
        and not window.isWindowModified()
        and window.features.files.documents.confirm_leaving()
        and len(asked) == 1
    )

"""Training that a document's file does not hold counts as unsaved; where no file could hold it, nothing is asked."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.document.store import files
from nnviz.document.store.saved_run import PART
from nnviz.records.run_records import CurvePoint
from tests.curve_points import travelling
from tests.session.sessions import Stage


@pytest.fixture
def marks(standing) -> list[bool]:
    """What the mark has been, each time the window was told."""
    seen = []
    standing.session.document_changed.connect(lambda: seen.append(standing.session.is_saved))
    return seen


def trained(stage: Stage, iteration: int) -> None:
    stage.session.training.iterations(iteration - stage.session.run.iteration)
    stage.frame(iteration)
    stage.trained(iteration)
    stage.traced(iteration)


@pytest.mark.parametrize("name", ["", "kept.json"])
def test_training_that_no_file_keeps_asks_nothing(standing, marks, tmp_path, name):
    if name:
        standing.session.document.save_as(tmp_path / name)
        marks.clear()
    trained(standing, 300)
    assert standing.session.is_saved and marks == []


def test_training_behind_what_the_file_holds_is_marked_until_it_is_saved(standing, marks, tmp_path):
    session = standing.session
    trained(standing, 10)
    session.document.save_as(tmp_path / "kept.nnviz")
    assert session.is_saved
    trained(standing, 12)
    assert not session.is_saved and session.document.is_saved and marks[-1] is False
    told = len(marks)
    trained(standing, 20)
    assert len(marks) == told, "the window is told once"
    session.document.save()
    assert session.is_saved and marks[-1] is True


def test_going_back_to_where_it_was_saved_takes_the_mark_away(standing, tmp_path):
    session = standing.session
    trained(standing, 10)
    session.document.save_as(tmp_path / "kept.nnviz")
    trained(standing, 12)
    for iteration, kept in ((10, True), (0, False), (10, True)):
        session.training.go_to(iteration)
        standing.reply(messages.Moved(iteration, 0))
        assert session.is_saved == kept


def test_a_change_on_the_way_makes_it_another_run_though_the_document_is_the_same_again(standing, tmp_path):
    session = standing.session
    trained(standing, 10)
    session.document.save_as(tmp_path / "kept.nnviz")
    session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    standing.opened(new_run=False, iteration=10)
    standing.traced(10)
    trained(standing, 11)
    session.document.undo()
    standing.opened(new_run=False, iteration=11)
    session.training.go_to(10)
    standing.reply(messages.Moved(10, 0))
    assert session.document.is_saved and not session.is_saved


def test_opened_again_it_is_saved_before_and_after_going_to_where_it_was(standing, tmp_path):
    session, path = standing.session, tmp_path / "kept.nnviz"
    trained(standing, 10)
    session.document.save_as(path)
    session.document.new(edits.set_title(session.experiment, "Another"))
    standing.opened()
    assert session.document.open(path)
    standing.opened()
    standing.traced(0)
    assert session.is_saved and session.kept_run.saved.iteration == 10
    session.kept_run.resume()
    standing.reply(messages.Moved(10, 0, travelling(CurvePoint(10, 1 / 11))))
    assert session.is_saved
    standing.traced(10)
    trained(standing, 11)
    assert not session.is_saved


def test_what_is_too_large_for_a_file_is_not_taken_for_kept(standing, marks, tmp_path, monkeypatch):
    trained(standing, 10)
    monkeypatch.setitem(files.LARGEST, PART, 10)
    standing.session.document.save_as(tmp_path / "kept.nnviz")
    assert not standing.session.is_saved and files.part(tmp_path / "kept.nnviz", PART) is None


def test_a_run_whose_network_has_a_problem_is_not_taken_for_kept(standing, tmp_path):
    session, path = standing.session, tmp_path / "kept.nnviz"
    trained(standing, 10)
    session.edit("Unlink", edits.disconnect_layers, "x", "h1")
    assert not session.link.is_sound
    session.document.save_as(path)
    assert not session.is_saved and files.part(path, PART) is None

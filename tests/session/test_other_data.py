"""Other data that takes long: what is shown of the old is gone after a moment, and comes back where nothing becomes of it."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from tests.session.sessions import stages


@pytest.fixture
def stage(qapp, qtbot):
    for stage in stages():
        stage.stand()
        stage.frame(0)
        yield stage


def wait_for_other_data(stage, qtbot) -> None:
    stage.session.edit("Data", edits.choose_data, "circles")
    assert stage.session.run.trace_index is not None, "not before a moment has passed"
    qtbot.waitUntil(lambda: stage.session.run.set_aside is not None)


def test_the_pictures_of_the_old_data_are_gone_while_the_new_is_waited_for(stage, qtbot):
    wait_for_other_data(stage, qtbot)
    run = stage.session.run
    assert (run.trace_index, run.surface, run.answers, len(run.curves.loss)) == (None, None, None, 0)
    stage.opened(new_run=True)
    assert stage.session.run.set_aside is None and len(stage.session.run.curves.loss) == 0


def test_they_come_back_where_the_new_cannot_be_had(stage, qtbot):
    before = stage.session.run
    wait_for_other_data(stage, qtbot)
    stage.reply(messages.Failed("Edit", "There is no file.", revision=stage.session.run.revision, place="data.path"))
    run = stage.session.run
    assert run.set_aside is None and run.trace_index is before.trace_index and run.curves == before.curves


def test_a_change_that_keeps_the_data_lets_them_stay(stage, qtbot):
    stage.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    qtbot.wait(700)
    assert stage.session.run.set_aside is None


def test_rows_of_a_run_that_is_gone_are_not_shown_for_other_data_chosen_since(stage):
    session = stage.session
    session.edit("Delete layers", edits.remove_layers, list(session.experiment.network.titles))
    assert session.link.log is None and not session.run.is_data_past
    session.edit("Data", edits.choose_data, "circles")
    assert session.run.is_data_past and not session.link.is_sound
    session.document.undo()
    session.document.undo()
    stage.opened(new_run=True)
    assert not session.run.is_data_past

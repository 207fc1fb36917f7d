"""A setting that is wrong is named, with its place and its cure, where a person looks: in a note, and on what is greyed."""

from __future__ import annotations

import pytest

from nnviz.document import edits
from tests.ui.window import opened


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "worked_2-2-1", engine=lent_engine)


SAID = "Training: Nesterov looks ahead along the momentum, and the momentum is 0. Set momentum to 0.9, or turn Nesterov off."


def test_nesterov_without_momentum(qtbot, window):
    session = window.session
    session.edit("Nesterov", edits.change_optimizer, nesterov=True)
    assert session.training.obstacle == SAID
    note = window.notes.notes["settings"]
    assert note.text == SAID
    for act in ("play", "train", "step"):
        assert not window.action_table[act].isEnabled()
        assert window.action_table[act].toolTip().endswith(SAID)
    assert "problem" not in window.features.network.cards["network"]._subtitle, "the network has none"
    note.buttons["Set momentum to 0.9"].click()
    assert session.experiment.training.optimizer["momentum"] == 0.9 and session.report.ok
    assert "settings" not in window.notes.notes
    assert SAID not in window.action_table["train"].toolTip()


def test_undo_takes_the_note_away(qtbot, window):
    window.session.edit("Nesterov", edits.change_optimizer, nesterov=True)
    window.session.document.undo()
    assert "settings" not in window.notes.notes


def test_a_problem_of_a_layer_is_told_with_its_title(qtbot, window):
    session = window.session
    network = session.experiment.network
    session.edit("Unlink", edits.disconnect_layers, network.links[-1].source, network.links[-1].target)
    title = network.titles[network.links[-1].target]
    assert session.training.obstacle.startswith(f"{title}: ")
    assert "settings" not in window.notes.notes


def test_what_is_said_of_the_settings_of_the_program_stays(window):
    window.features.files.documents.notes.not_kept()
    window.session.edit("Nesterov", edits.change_optimizer, nesterov=True)
    assert {"settings", "settings file"} <= window.notes.notes.keys()
    window.session.document.undo()
    assert "forgotten" in window.notes.notes["settings file"].text

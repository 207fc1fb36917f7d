"""A generator and a discriminator in the window: whose iteration it is, its rows, the way back, and what is refused."""

from __future__ import annotations

import pytest

from nnviz.document import edits
from nnviz.records.tensors import to_numpy
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "gan", engine=lent_engine)


def said(window) -> str:
    return window.features.cards["graph"].accessibleDescription()


def test_the_sides_take_turns_and_one_goes_back(qtbot, window):
    assert said(window).endswith("the discriminator’s")
    window.features.area.show_workspace("train")
    wait(qtbot, lambda: window.session.run.surface is not None)
    first = to_numpy(window.session.run.surface.generated).copy()
    assert len(window.features.run.boundary._drawn.x) == 800
    window.session.training.iterations(3)
    wait(qtbot, lambda: stands_at(window, 3))
    assert said(window).endswith("the generator’s")
    wait(qtbot, lambda: window.session.run.surface_iteration == 3)
    assert (to_numpy(window.session.run.surface.generated) != first).any()
    window.session.training.go_to(0)
    wait(qtbot, lambda: stands_at(window, 0) and window.session.run.surface_iteration == 0)
    assert (to_numpy(window.session.run.surface.generated) == first).all()


def test_the_batch_table_has_no_rows_in_the_generators_iterations(qtbot, window):
    panel = window.features.data.batch
    window.action_table["batch"].trigger()
    wait(qtbot, lambda: window.session.batch.inspected is not None)
    assert len(window.session.batch.inspected.rows) == 64
    window.session.training.iterations(1)
    wait(qtbot, lambda: stands_at(window, 1))
    wait(qtbot, lambda: window.session.batch.inspected is not None and window.session.batch.inspected.iteration == 1)
    assert panel.note.text().startswith("no row of the data")


def test_early_stopping_is_refused_in_a_sentence(qtbot, window):
    window.session.edit("Early stopping", edits.change_training, early_stopping=5)
    assert "watches a validation loss" in window.session.training.obstacle

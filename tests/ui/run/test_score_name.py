"""What the score is called is what the engine has measured: an accuracy for classes, also where their numbers are fitted."""

from __future__ import annotations

import pytest

from nnviz.document import edits
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


def test_classes_have_an_accuracy_whatever_the_loss(qtbot, window):
    session, run = window.session, window.features.run
    assert run.figures().metric == "accuracy"
    assert session.edit("Loss", edits.change_training, loss="mse")
    wait(qtbot, lambda: session.link.is_up_to_date and stands_at(window, 0))
    session.training.iterations(3)
    wait(qtbot, lambda: stands_at(window, 3))
    figures, measured = run.figures(), session.run.curves.last("metric")
    assert (figures.metric, figures.score) == ("accuracy", f"{measured:.1%}".replace("%", " %"))
    assert session.edit("Data", edits.choose_data, "sine")
    assert session.edit("Units", edits.change_layer, "out", units=1)
    wait(qtbot, lambda: session.link.is_up_to_date and run.figures().metric == "RMSE")

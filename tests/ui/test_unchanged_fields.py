"""A field that is left as it was makes no edit, whatever leaves it: walked through all fields of the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QWidget

from nnviz.document import edits
from nnviz.ui.network import _inline, questions
from tests.ui.network.views import curve, neuron
from tests.ui.window import opened, wait

_FIELDS = QAbstractSpinBox | QLineEdit | QComboBox | QPlainTextEdit
_LONG = 0.123456789012
"""More digits than a field shows."""


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, iterations=3, engine=lent_engine)


def fields(*roots: QWidget) -> list[QWidget]:
    """Every field that can be typed into or chosen in, but the searches and the lines inside of other fields."""
    found = [child for root in roots for child in root.findChildren(QWidget) if isinstance(child, _FIELDS)]
    inner = [field for field in found if isinstance(field.parentWidget(), QAbstractSpinBox | QComboBox)]
    return [field for field in found if field not in inner and field.isVisible() and field.isEnabled()]


def leave(field: QWidget, key: Qt.Key) -> None:
    field.setFocus()
    QTest.keyClick(field, key)
    field.clearFocus()
    QApplication.processEvents()


def with_long_numbers(experiment):
    """Numbers that no field shows in full."""
    for path in ("training.optimizer.learning_rate", "training.l1", "training.l2", "training.clip_norm", "data.noise", "data.validation"):
        experiment = edits.set_value(experiment, path, _LONG)
    for name in ("gain", "learning_rate_factor"):
        experiment = edits.set_value(experiment, f"network.layers.h1.{name}", _LONG)
    return edits.rename_layer(experiment, "h1", "dense one")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_no_field_of_the_window_makes_an_edit_when_it_is_left_unchanged(qtbot, window, key):
    session, table = window.session, window.action_table
    window.resize(1600, 1000)
    session.edit("Long numbers", with_long_numbers)
    wait(qtbot, lambda: session.run.is_traced)
    before, walked = session.document.history.place, set()
    experiment = session.experiment
    for workspace in ("build_workspace", "step_workspace", "train_workspace"):
        table[workspace].trigger()
        for layer in session.experiment.network:
            window.features.network.select_layers((layer.id,))
            QApplication.processEvents()
            for field in fields(window):
                leave(field, key)
                walked.add(field.accessibleName() or type(field).__name__)
                assert session.document.history.place == before, field.accessibleName()
                assert session.experiment is experiment
    assert {"units", "gain", "name"} <= walked and any("learning rate" in name for name in walked)
    assert session.what_ifs.items == ()


def test_the_data_window_makes_no_edit_when_its_fields_are_left_unchanged(qtbot, window):
    session = window.session
    session.edit("Long numbers", with_long_numbers)
    before, experiment = session.document.history.place, session.experiment
    shown = set(QApplication.topLevelWidgets())
    window.action_table["data"].trigger()
    dialogs = [widget for widget in QApplication.topLevelWidgets() if widget not in shown and widget.isVisible()]
    walked = fields(*dialogs)
    for field in walked:
        leave(field, Qt.Key.Key_Return)
        assert session.experiment is experiment and session.document.history.place == before, field.accessibleName()
    assert any("noise" in field.accessibleName() for field in walked)


def weight_field(window) -> _inline.WeightField:
    view = window.features.network.view
    place = curve(view, "h1", "h2", (0, 1))
    target = view.hit_at(place)
    assert target.kind == "curve"
    return questions.open_weight(view, target, place)


def test_enter_in_an_unchanged_weight_field_is_no_edit(qtbot, window):
    session = window.session
    before = session.experiment
    field = weight_field(window)
    QTest.keyClick(field.box, Qt.Key.Key_Return)
    assert session.experiment is before and not session.document.history.can_undo
    field = weight_field(window)
    field.box.lineEdit().setText(f"{field.box.text()}0")  # the same number, written longer, is what a person typed
    field.box.lineEdit().setModified(True)
    QTest.keyClick(field.box, Qt.Key.Key_Return)
    assert session.document.history.can_undo


def test_enter_in_an_unchanged_name_field_and_weights_table_is_no_edit(qtbot, window):
    session, feature = window.session, window.features.network
    session.edit("Name", edits.rename_layer, "h1", "dense one")
    before, place = session.experiment, session.document.history.place
    feature.select_layers(("h1",))
    name = questions.open_name(feature.view)
    QTest.keyClick(name.line, Qt.Key.Key_Return)
    feature.select_layers(("h1", "h2"))
    name = questions.open_name(feature.view)
    QTest.keyClick(name.line, Qt.Key.Key_Return)
    assert session.experiment is before, "an empty name for several would take all names away"
    window.features.weights.open("h1.weight")
    editor = window.features.weights.editor
    cell = editor.model.index(1, 1)
    editor.table.edit(cell)
    QTest.keyClick(editor.table.findChild(QLineEdit), Qt.Key.Key_Return)
    assert session.experiment is before and session.document.history.place == place


def test_the_canvas_and_its_field_show_the_weights_that_are_not_those_of_the_update(qtbot, window):
    session, view = window.session, window.features.network.view
    window.action_table["train_workspace"].trigger()
    session.stepping.to_end()
    known = session.weights.values("h2.weight")
    assert (view.figures.weights["h2.weight"] == known).all()
    after = view.figures.updated["h2.weight"]
    assert (after != known).any()
    session.weights.put_element("h2.weight", (0, 1), 1.5)
    wait(qtbot, lambda: session.run.is_traced)
    session.stepping.to_end()
    assert view.figures.weights["h2.weight"][0, 1] == 1.5
    field = weight_field(window)
    assert field.box.text() == "1.5"
    assert neuron(view, "h1", 0) != QPoint()
    _inline.close(field)


def test_the_canvas_says_of_which_iteration_its_numbers_are_while_training_runs(qtbot, window):
    session, card = window.session, window.features.network.cards["network"]

    def said() -> bool:
        return card.accessibleDescription().startswith("iteration ")

    assert not said()
    session.training.train()
    wait(qtbot, lambda: session.run.training and session.run.iteration > 10)
    assert said()
    session.training.pause()
    wait(qtbot, lambda: session.run.is_traced)
    assert not said()

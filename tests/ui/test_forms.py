import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QValidator
from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit, QSlider, QToolButton

from nnviz.document.catalog import ACTIVATIONS, DATASETS, LAYERS, LOSSES, OPTIMIZERS, SCHEDULES, Field
from nnviz.document.edits import Refused, add_layer, change_training, choose_data, choose_optimizer, choose_schedule
from nnviz.document.fields import accepted
from nnviz.document.store.examples import open_document
from nnviz.ui.run._training_panel import FIRST, FormLine, TrainingPanel
from nnviz.ui.shell import app
from nnviz.ui.widgets import forms
from nnviz.ui.widgets.number_boxes import NumberBox, number_text, stepped

RATE = OPTIMIZERS["sgd"].field("learning_rate")
P = LAYERS["dropout"].field("p")
UNITS = LAYERS["dense"].field("units")


def every_field():
    tables = (LAYERS, OPTIMIZERS, DATASETS)
    return [pytest.param(field, id=f"{kind.name}.{field.name}") for table in tables for kind in table.values() for field in kind.fields]


@pytest.mark.parametrize("field", every_field())
def test_every_field_of_the_catalog_has_an_editor_that_shows_its_default(qtbot, field):
    widget = forms.editor(field, field.default)
    qtbot.addWidget(widget)
    seen = []
    widget.value_changed.connect(seen.append)
    assert widget.value() == field.default
    widget.set_value(field.default)
    assert seen == []
    assert widget.accessibleName() and widget.toolTip()


@pytest.mark.parametrize(
    ("field", "start", "up", "expected"),
    [
        (RATE, 0.01, True, 0.02), (RATE, 0.02, True, 0.05), (RATE, 0.01, False, 0.005), (RATE, 1.0, True, 2.0),
        (RATE, 0.0, True, 1e-6), (RATE, 1e-6, False, 0.0),
        (RATE, 0.03, True, 0.05), (RATE, 0.03, False, 0.02),
        (P, 0.2, True, 0.25), (P, 0.2, False, 0.15), (P, 0.22, True, 0.25),
        (P, 0.9, True, 0.95), (P, 0.95, True, 0.98), (P, 0.95, False, 0.9),
        (OPTIMIZERS["adam"].field("beta2"), 0.999, True, 0.9995), (OPTIMIZERS["adam"].field("beta2"), 0.999, False, 0.998),
        (OPTIMIZERS["adam"].field("epsilon"), 1e-8, True, 2e-8),
        (Field("w", "number", 0.0, ""), -1.5, True, -1.4),
    ],
)  # fmt: skip
def test_steps_suit_the_field(field, start, up, expected):
    assert stepped(start, field, up) == pytest.approx(expected, rel=1e-9)


def test_number_box_takes_scientific_writing_and_emits_once(qtbot):
    box = forms.editor(RATE, 0.01)
    qtbot.addWidget(box)
    seen = []
    box.value_changed.connect(seen.append)
    box.show()
    box.selectAll()
    qtbot.keyClicks(box, "1e-3")
    assert seen == []
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert seen == [0.001]
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert seen == [0.001, 0.002]
    box.clearFocus()
    assert seen == [0.001, 0.002]


def test_number_box_stays_inside_its_limits_and_refuses_words(qtbot):
    box = NumberBox(P)
    qtbot.addWidget(box)
    box.set_value(0.5)
    box.show()
    box.selectAll()
    qtbot.keyClicks(box, "abc")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 0.5
    box.selectAll()
    qtbot.keyClicks(box, "7")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 0.5 and box.text() == "0.5", "a number beyond the limits leaves the old one"
    assert box.validate("1e-", 3)[0] == QValidator.State.Intermediate
    assert box.validate("x", 1)[0] == QValidator.State.Invalid


def test_integer_box_waits_until_the_number_is_complete(qtbot):
    box = forms.editor(UNITS, 4)
    qtbot.addWidget(box)
    seen = []
    box.value_changed.connect(seen.append)
    box.show()
    box.selectAll()
    qtbot.keyClicks(box, "12")
    assert seen == []
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert seen == [12]


def test_choice_shows_labels_and_gives_names(qtbot):
    box = forms.editor(LAYERS["dense"].field("activation"), "relu", labels=ACTIVATIONS)
    qtbot.addWidget(box)
    seen = []
    box.value_changed.connect(seen.append)
    assert box.currentText() == "ReLU"
    box.setCurrentText("Tanh")
    assert seen == ["tanh"]


def test_optional_number_switches_to_none_and_back(qtbot):
    box = forms.editor(Field("clip_norm", "number", None, "largest norm; off: none", 0.0, 1e6, optional=True), None)
    qtbot.addWidget(box)
    seen = []
    box.value_changed.connect(seen.append)
    assert box.value() is None
    box._switch.click()
    box._switch.click()
    assert seen == [1.0, None]


def test_slider_and_box_show_the_same_number(qtbot):
    widget = forms.slider(P, 0.2)
    qtbot.addWidget(widget)
    seen = []
    widget.value_changed.connect(seen.append)
    handle = widget.findChild(QSlider)
    handle.setValue(50)
    assert widget.value() == pytest.approx(0.5, abs=0.01)
    assert seen == [widget.value()]
    widget.set_value(0.99)
    assert handle.value() == handle.maximum() and len(seen) == 1


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("2", [2]), ("1 × 8 × 8", [1, 8, 8]), ("1x8x8", [1, 8, 8]), ("[3, 4]", [3, 4]), ("0", None),
        ("-3", None), ("two", None), ("", None), ("9999999999", None), ("99999", None),
    ],
)  # fmt: skip
def test_shapes_are_read_from_text(text, shape):
    assert forms.shape_of(text, LAYERS["input"].field("shape")) == shape


@pytest.mark.parametrize(("typed", "meant"), [("none", "none"), ("1000000", [1_000_000]), ("3 × 0", [3, 0]), ("", "")])
def test_an_invalid_shape_is_refused_and_the_old_one_comes_back(qtbot, typed, meant):
    line = forms.editor(LAYERS["input"].field("shape"), [2])
    qtbot.addWidget(line)
    seen, refused = [], []
    line.value_changed.connect(seen.append)
    line.refused.connect(refused.append)
    line.show()
    line.setText(typed)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert seen == [] and refused == [meant] and line.text() == "2"
    with pytest.raises(Refused, match="whole numbers"):
        accepted(line.field, meant)
    line.setText("3 3")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert seen == [[3, 3]] and line.value() == [3, 3]


def test_a_wrong_row_of_a_table_is_refused_and_esc_takes_it_back(qtbot):
    text = forms.editor(DATASETS["table"].field("x"), [[1.0, 2.0]])
    qtbot.addWidget(text)
    refused = []
    text.refused.connect(refused.append)
    text.show()
    text.setPlainText("[1, 2]\nhello")
    QApplication.sendEvent(text, QFocusEvent(QEvent.Type.FocusOut))
    assert refused == ["hello"] and text.toPlainText().endswith("hello")
    text.document().setModified(True)
    qtbot.keyClick(text, Qt.Key.Key_Escape)
    assert text.toPlainText() == "[1.0, 2.0]"


@pytest.mark.parametrize(("value", "text"), [(0.01, "0.01"), (1e-8, "1e-8"), (32, "32"), (-0.5, "-0.5"), (1e20, "1e20")])
def test_numbers_are_short(value, text):
    assert number_text(value) == text


def test_a_csv_file_is_asked_for_in_plain_text_over_the_whole_width(qtbot):
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.resize(210, 700)
    panel.show()
    panel.set_experiment(choose_data(open_document("example:moons"), "csv"))
    path, target = panel.editor("data.path"), panel.editor("data.target")
    assert path.width() > 200 and path.y() > target.y() - 60
    asked = []
    panel.value_requested.connect(lambda *value: asked.append(value))
    line = target.findChild(QLineEdit)
    line.setFocus()
    qtbot.keyClicks(line, "height")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert asked == [("data.target", "height")]


def shown_panel(qtbot, experiment):
    app.application()  # has the fonts
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.resize(208, 900)  # as narrow as it gets, with a scroll bar
    panel.show()
    panel.set_experiment(experiment)
    return panel


def test_the_button_behind_the_data_is_no_higher_than_its_line(qtbot):
    panel = shown_panel(qtbot, open_document("example:moons"))
    button = next(button for button in panel.findChildren(QToolButton) if button.accessibleName() == "Choose data")
    assert button.parentWidget().rect().contains(button.geometry())


def shown_lines(panel):
    """The paths of the lines that can be seen, from top to bottom."""
    lines = [line for line in panel.findChildren(FormLine) if line.isVisible()]
    return [line.row.path for line in sorted(lines, key=lambda line: line.y())]


def test_choosing_an_optimizer_keeps_the_keyboard_on_it_and_moves_nothing(qtbot):
    experiment = open_document("example:moons")
    panel = shown_panel(qtbot, experiment)
    panel.activateWindow()
    panel.value_requested.connect(lambda _, kind: panel.set_experiment(choose_optimizer(experiment, kind)))
    box = panel.editor("training.optimizer.kind")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert panel.editor("training.optimizer.kind") is box and box.value() != experiment.training.optimizer.kind
    assert panel.focusWidget() is box
    assert shown_lines(panel) == list(FIRST)


def test_nine_settings_are_there_a_word_and_its_value_each(qtbot):
    panel = shown_panel(qtbot, change_training(open_document("example:moons"), batch_size=None))
    assert shown_lines(panel) == list(FIRST)
    qtbot.wait(1)
    bottom = panel.editor("training.clip_norm").mapTo(panel, panel.editor("training.clip_norm").rect().bottomLeft()).y()
    assert bottom < panel.more.y() and panel.more.geometry().bottom() < panel.least_height()
    words = {
        path: [box.text() for box in panel.editor(path).findChildren(QCheckBox)] for path in ("training.batch_size", "training.clip_norm")
    }
    assert words == {"training.batch_size": ["all rows"], "training.clip_norm": ["off"]}
    panel.set_experiment(change_training(open_document("example:moons"), clip_norm=2.0, dropout=False))
    assert panel.editor("training.clip_norm").findChild(QCheckBox).text() == "" and panel.editor("training.clip_norm").value() == 2.0
    assert panel.editor("training.dropout").text() == "off"


@pytest.mark.parametrize(
    ("shares", "text"), [((), "on · no layer"), ((0.2,), "on · p 0.2"), ((0.2, 0.2), "on · p 0.2"), ((0.5, 0.1), "on · p 0.1–0.5")]
)
def test_the_switch_of_dropout_says_how_much_is_dropped(qtbot, shares, text):
    experiment = open_document("example:moons")
    for share in shares:
        experiment = add_layer(experiment, "dropout", p=share)
    assert shown_panel(qtbot, experiment).editor("training.dropout").text() == text


def test_what_is_set_is_never_folded_away(qtbot):
    experiment = open_document("example:moons")
    panel = shown_panel(qtbot, experiment)
    assert not panel.editor("training.optimizer.beta1").isVisible() and not panel.editor("training.l1").isVisible()
    panel.set_experiment(change_training(choose_schedule(experiment, "plateau"), l1=0.01))
    assert panel.editor("training.l1").isVisible() and panel.editor("training.schedule.patience").isVisible()
    assert not panel.editor("training.schedule.cooldown").isVisible()
    qtbot.mouseClick(panel.more, Qt.MouseButton.LeftButton)
    assert panel.editor("training.schedule.cooldown").isVisible() and panel.editor("training.optimizer.beta1").isVisible()


def test_a_refused_value_goes_back_to_what_it_was(qtbot):
    experiment = open_document("example:moons")
    panel = shown_panel(qtbot, experiment)
    panel.value_requested.connect(lambda *_: panel.set_experiment(experiment))
    panel.editor("training.dropout").click()
    assert panel.editor("training.dropout").value() is experiment.training.dropout


@pytest.mark.parametrize("loss", LOSSES)
def test_no_choice_is_cut_where_the_panel_is_narrowest(qtbot, loss):
    panel = shown_panel(qtbot, change_training(choose_data(open_document("example:moons"), "csv"), loss=loss))
    panel.unfold()
    qtbot.wait(1)
    boxes = panel.findChildren(forms.ChoiceBox)
    assert {"training loss", "data kind", "training optimizer kind"} <= {box.accessibleName() for box in boxes}
    assert [(box.accessibleName(), box.width()) for box in boxes if box.width() < box.shown_width() or not box.isVisible()] == []


def test_a_choice_without_room_is_cut_with_dots_and_says_itself_in_its_tooltip(qtbot):
    box = forms.editor(Field("loss", "choice", "mse", "what is made small", choices=tuple(LOSSES)), "bce", labels=LOSSES)
    qtbot.addWidget(box)
    box.resize(90, 26)
    assert box.toolTip().startswith("Binary cross-entropy") and "what is made small" in box.toolTip()
    cut, pictures = box.grab().toImage(), []
    for length in range(1, 16):
        box.setItemText(box.currentIndex(), "Binary cross-entropy"[:length].rstrip() + "…")
        pictures.append(box.grab().toImage())
    assert cut in pictures
    box.setCurrentText("Huber")
    assert box.toolTip().startswith("Huber")


@pytest.mark.parametrize(("kind", "is_there"), [("sine", True), ("ar", True), ("csv", True), ("moons", False), ("digits", False)])
def test_targets_can_be_scaled_where_they_may_be_numbers(qtbot, kind, is_there):
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.set_experiment(choose_data(open_document("example:moons"), kind))
    asked = []
    panel.value_requested.connect(lambda *value: asked.append(value))
    assert ("data.target_scaling" in {line.row.path for line in panel.findChildren(FormLine)}) == is_there
    if is_there:
        panel.editor("data.target_scaling").setCurrentText("standardise")
        assert asked == [("data.target_scaling", "standardise")]


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_schedule_is_set_in_the_panel(qtbot, kind):
    panel, experiment = TrainingPanel(), choose_schedule(open_document("example:moons"), kind)
    qtbot.addWidget(panel)
    panel.set_experiment(experiment)
    panel.unfold()
    for field in SCHEDULES[kind].fields:
        assert panel.editor(f"training.schedule.{field.name}").value() == experiment.training.schedule[field.name]


@pytest.mark.parametrize("name", ["integer", "number"])
def test_a_box_that_stands_for_several_numbers_shows_none_until_one_is_typed(qtbot, name):
    box = forms.editor(UNITS if name == "integer" else Field("gain", "number", 1.0, "gain", 0.0, 9.0), 4)
    box.set_mixed("mixed")
    qtbot.addWidget(box)
    box.show()
    seen = []
    box.value_changed.connect(seen.append)
    assert box.lineEdit().text() == "" and box.lineEdit().placeholderText() == "mixed"
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert seen == [] and box.lineEdit().text() == ""
    qtbot.keyClicks(box, "4")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert seen == [4] and box.value() == 4
    box.set_value(5)
    assert box.lineEdit().text() == "5"


@pytest.mark.parametrize("name", ["integer", "number"])
def test_a_box_that_stands_for_several_numbers_keeps_them_where_one_beyond_the_limits_is_typed(qtbot, name):
    box = forms.editor(UNITS if name == "integer" else Field("gain", "number", 1.0, "gain", 0.0, 9.0), 4)
    box.set_mixed("mixed")
    qtbot.addWidget(box)
    box.show()
    seen, refused = [], []
    box.value_changed.connect(seen.append)
    box.refused.connect(refused.append)
    qtbot.keyClicks(box, "9999999")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert seen == [] and refused == [9999999] and box.lineEdit().text() == "", "no layer gets the number of the first one"

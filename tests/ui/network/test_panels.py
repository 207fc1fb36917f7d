"""The palette, the properties of a layer and the parameter table."""

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QCheckBox, QSlider

from nnviz.document import edits
from nnviz.document.catalog import LAYERS
from nnviz.document.edits import set_value
from nnviz.document.network import Network
from nnviz.document.shapes.report import examine
from nnviz.ui.network._parameter_table import ParameterTable, layer_rows
from nnviz.ui.network._properties import PropertiesPanel
from nnviz.ui.network.layer_drops import kind_of
from nnviz.ui.network.palette import Palette
from nnviz.ui.theme.colors import DARK
from nnviz.ui.theme.style import apply_theme
from tests.ui.network.networks import dropout_net, experiment, layer

LEFT = Qt.MouseButton.LeftButton

# --- palette ---


@pytest.fixture
def palette(qtbot):
    palette = Palette()
    qtbot.addWidget(palette)
    palette.show()
    return palette


def test_the_palette_shows_every_kind_with_its_explanation(palette):
    assert {entry.kind.name for entry in palette.entries} == set(LAYERS)
    assert all(entry.kind.source in entry.toolTip().replace("\n", " ") for entry in palette.entries)


def test_a_click_and_enter_ask_to_add(qtbot, palette):
    seen = []
    palette.add_requested.connect(seen.append)
    qtbot.mouseClick(palette.entries[1], LEFT)
    palette.entries[1].setFocus()
    qtbot.keyClick(palette.entries[1], Qt.Key.Key_Down)
    assert palette.entries[2].hasFocus()
    qtbot.keyClick(palette.entries[2], Qt.Key.Key_Return)
    assert seen == [palette.entries[1].kind.name, palette.entries[2].kind.name]


def test_a_drag_carries_the_kind_and_adds_nothing_by_itself(qtbot, palette, monkeypatch):
    carried, added = [], []
    palette.add_requested.connect(added.append)
    monkeypatch.setattr(QDrag, "exec", lambda self, *_: carried.append(kind_of(self.mimeData())))
    entry = palette.entries[1]
    qtbot.mousePress(entry, LEFT, pos=QPoint(20, 10))
    qtbot.mouseMove(entry, QPoint(60, 40))
    qtbot.mouseRelease(entry, LEFT, pos=QPoint(60, 40))
    assert carried and set(carried) == {entry.kind.name} and added == []


def test_the_palette_wears_the_theme(palette):
    apply_theme(QApplication.instance(), DARK)
    entry = palette.entries[1]
    assert entry.grab().toImage().pixelColor(entry.width() - 20, 4).name() == DARK.field.lower()


# --- properties ---


@pytest.fixture
def panel(qtbot):
    panel = PropertiesPanel()
    qtbot.addWidget(panel)
    panel.show()
    return panel


def show(panel, document, id):
    panel.set_layer(document, examine(document), id)


def test_the_slope_of_a_leaky_relu_is_there_where_there_is_one(panel):
    document = experiment(layer("input", "x"), layer("dense", "it"), layer("conv1d", "other"))
    show(panel, document, "it")
    assert "negative_slope" not in panel.editors
    panel.editors["activation"].setFocus()
    show(panel, set_value(document, "network.layers.it.activation", "leaky_relu"), "it")
    assert panel.editors["negative_slope"].value() == 0.01 and panel.editors["activation"].hasFocus()
    show(panel, document, "it")
    assert "negative_slope" not in panel.editors


@pytest.mark.parametrize("kind", list(LAYERS))
def test_every_kind_of_layer_has_its_form(panel, kind):
    show(panel, experiment(layer("input", "x"), layer(kind, "it")), "it")
    assert {field.name for field in LAYERS[kind].fields} - {"negative_slope"} <= set(panel.editors)
    assert LAYERS[kind].explanation in panel._explanation.text()


def test_nothing_selected_says_so(panel):
    show(panel, dropout_net(), "h1")
    show(panel, dropout_net(), None)
    assert panel.editors == {} and panel._empty.isVisible()
    show(panel, dropout_net(), "gone")
    assert panel._empty.isVisible()


def test_units_are_typed_and_asked_for(qtbot, panel):
    seen = []
    panel.change_requested.connect(lambda *values: seen.append(values))
    show(panel, dropout_net(), "h1")
    box = panel.editors["units"]
    box.selectAll()
    qtbot.keyClicks(box, "16")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    panel.editors["activation"].setCurrentText("Tanh")
    assert [values[:2] for values in seen] == [("h1", {"units": 16}), ("h1", {"activation": "tanh"})]


def test_one_drag_of_the_slider_is_one_step_of_undo_and_the_next_another(panel):
    seen = []
    panel.change_requested.connect(lambda *values: seen.append(values))
    show(panel, dropout_net(), "d1")
    slider = panel.editors["p"].findChild(QSlider)
    for places in ((30, 35, 40), (50, 55)):
        slider.setSliderDown(True)
        for place in places:
            slider.setValue(place)
        slider.setSliderDown(False)
    keys = [key for _, _, key in seen]
    assert [round(settings["p"], 2) for _, settings, _ in seen] == [0.3, 0.35, 0.4, 0.5, 0.55]
    assert len(set(keys[:3])) == 1 and len(set(keys[3:])) == 1 and keys[0] != keys[3]


def test_the_same_layer_keeps_its_fields_and_shows_new_values(panel):
    document = dropout_net()
    show(panel, document, "d1")
    editor = panel.editors["p"]
    layers = tuple(layer("dropout", "d1", "dropped", p=0.5) if old.id == "d1" else old for old in document.network)
    show(panel, msgspec.structs.replace(document, network=Network(layers, document.network.links)), "d1")
    assert panel.editors["p"] is editor and editor.value() == 0.5 and panel.editors["name"].text() == "dropped"


def test_name_freezing_start_and_deletion_are_asked_for(qtbot, panel):
    seen = []
    for name in ("rename_requested", "freeze_requested", "initializer_requested", "delete_requested"):
        getattr(panel, name).connect(lambda *values, name=name: seen.append((name, *values)))
    show(panel, dropout_net(), "h1")
    line = panel.editors["name"]
    line.selectAll()
    qtbot.keyClicks(line, "first")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert isinstance(panel.editors["frozen"], QCheckBox)
    panel.editors["frozen"].click()
    panel.editors["initializer"].setCurrentText("He normal")
    panel.editors["delete"].click()
    assert seen == [
        ("rename_requested", "h1", "first"), ("freeze_requested", "h1", True), ("initializer_requested", "h1", "he_normal"),
        ("delete_requested", ("h1",)),
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "draws"), [("batch_norm", False), ("layer_norm", False), ("dense", True)])
def test_an_initializer_is_offered_where_there_are_weights_to_draw(panel, kind, draws):
    document = experiment(layer("input", "x", shape=[2]), layer(kind, "one"), layer("dense", "out", units=2))
    show(panel, document, "one")
    assert ("initializer" in panel.editors) == draws == ("gain" in panel.editors)
    assert {"frozen", "learning_rate_factor"} <= set(panel.editors)
    if not draws:
        with pytest.raises(edits.Refused):
            edits.set_initializer(document, "one", "zeros")


def test_sizes_and_problems_are_said(panel):
    show(panel, dropout_net(), "h2")
    assert "20 parameters" in panel._sizes.text() and "weight 4 × 4" in panel._sizes.text()
    assert not panel._problems.isVisible()
    show(panel, experiment(layer("input", "x", shape=[1, 8, 8]), layer("lstm", "h1")), "h1")
    assert "Add a Reshape layer" in panel._problems.text() and panel._problems.isVisible()
    assert "output not known" in panel._sizes.text()


def test_problems_of_one_layer_are_not_said_of_several(panel):
    document = experiment(layer("input", "x", shape=[1, 8, 8]), layer("lstm", "h1"), layer("lstm", "out"))
    report = examine(document)
    panel.set_layer(document, report, "h1")
    assert panel._problems.isVisible() and panel._fixes.isVisible()
    panel.set_layer(document, report, "h1", ("out",))
    assert not panel._problems.isVisible() and not panel._fixes.isVisible()


def test_several_layers_without_settings_can_be_deleted(panel):
    document = experiment(
        layer("input", "x", shape=[1, 8, 8]), layer("flatten", "f"), layer("flatten", "g"), layer("dense", "out", units=2)
    )
    panel.set_layer(document, examine(document), "f", ("g",))
    assert list(panel.editors) == ["delete"] and panel.editors["delete"].isVisible()


def test_a_number_says_that_layers_differ_in_it_only_as_long_as_they_do(panel):
    def units(*sizes):
        document = experiment(layer("input", "x", shape=[2]), *(layer("dense", f"h{n}", units=size) for n, size in enumerate(sizes)))
        panel.set_layer(document, examine(document), "h0", ("h1",))
        return panel.editors["units"].toolTip()

    assert "mixed: 4, 8" in units(4, 8)
    assert "mixed" not in units(6, 6)


def test_what_a_layer_learns_with_can_be_set_while_its_output_is_unknown(panel):
    show(panel, experiment(layer("input", "x", shape=[1, 8, 8]), layer("lstm", "h1")), "h1")
    assert {"initializer", "gain", "frozen", "learning_rate_factor"} <= set(panel.editors)


def test_parameters_are_said_in_words(panel):
    recurrent = layer("gru", "r", units=3, num_layers=2, bidirectional=True)
    document = experiment(layer("input", "x", shape=[5, 1]), recurrent, layer("dense", "out", units=2))
    show(panel, document, "r")
    text = panel._sizes.text()
    assert "input weights 9 × 1" in text and "recurrent weights 2, backwards 9 × 3" in text and "_" not in text


def test_the_delete_button_is_not_beside_a_cure(panel):
    show(panel, experiment(layer("input", "x", shape=[1, 8, 8]), layer("dense", "h1")), "h1")
    panel.resize(320, 900)
    QApplication.processEvents()
    cure, delete = panel._fixes.buttons[0], panel.editors["delete"]
    assert delete.mapTo(panel, delete.rect().topLeft()).y() - cure.mapTo(panel, cure.rect().bottomLeft()).y() > 2 * cure.height()


# --- table ---


def test_the_rows_stand_in_the_order_of_the_network():
    layers = layer("input", "x", shape=[2]), layer("dense", "out", units=2), layer("dense", "h1", units=3)
    document = experiment(*layers, links=[("x", "h1"), ("h1", "out")])
    assert [row.id for row in layer_rows(document, examine(document))] == ["x", "h1", "out", ""]


def cells(table):
    return table.table.texts()


def test_the_table_lists_layers_and_sorts_them_above_the_total(qtbot):
    table = ParameterTable()
    qtbot.addWidget(table)
    document = dropout_net()
    table.set_experiment(document, examine(document))
    assert cells(table)[1] == ["dense 1", "Dense", "4", "12"] and cells(table)[-1] == ["total", "", "", "42"]
    table.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    assert [row[3] for row in cells(table)] == ["20", "12", "10", "0", "0", "42"]
    table.set_experiment(document, examine(document))
    assert cells(table)[0][0] == "dense 2", "the order stays"
    table.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert cells(table)[0][0] == "input"


def test_a_click_on_a_row_asks_for_its_layer(qtbot):
    table = ParameterTable()
    qtbot.addWidget(table)
    table.resize(400, 240)
    table.show()
    document = dropout_net()
    table.set_experiment(document, examine(document))
    seen = []
    table.selected_changed.connect(seen.append)
    for row in (2, 5):
        place = table.table.visualRect(table.table.model().index(row, 0)).center()
        qtbot.mouseClick(table.table.viewport(), LEFT, pos=place)
    assert seen == [("h2",)]
    table.set_selection(("d1",))
    assert table.table.selectionModel().selectedRows()[0].row() == 3 and len(seen) == 1
    table.set_selection(())
    assert table.table.selectionModel().selectedRows() == []


def test_an_empty_table_has_no_total(qtbot):
    table = ParameterTable()
    qtbot.addWidget(table)
    document = experiment()
    table.set_experiment(document, examine(document))
    assert table.table.rows() == []


def test_gain_and_learning_rate_factor_of_a_layer_are_asked_for(panel):
    document, asked = dropout_net(), []
    show(panel, document, "h1")
    panel.value_requested.connect(lambda *request: asked.append(request))
    for name, value in (("gain", 2.0), ("learning_rate_factor", 0.1)):
        panel.editors[name].value_changed.emit(value)
    assert asked == [("h1", "gain", 2.0), ("h1", "learning_rate_factor", 0.1)]
    show(panel, set_value(document, "network.layers.h1.learning_rate_factor", 0.1), "h1")
    assert panel.editors["learning_rate_factor"].value() == 0.1
    show(panel, document, "d1")
    assert "gain" not in panel.editors


def test_a_warning_is_said_with_a_button_for_its_cure(qtbot, panel):
    chosen = []
    panel.fix_requested.connect(chosen.append)
    show(panel, experiment(layer("input", "x"), layer("dense", "out", units=2, activation="softmax")), "out")
    assert panel._warnings.text().startswith("Cross-entropy applies softmax itself")
    (button,) = panel._fixes.buttons
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.text() == "Set activation to identity" == chosen[0].label

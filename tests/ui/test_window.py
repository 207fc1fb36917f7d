"""The whole program, used with clicks and keys: every line of what a person can do, in the real window with the real engine."""

from __future__ import annotations

import json
import linecache
import os
import signal
import xml.etree.ElementTree as ElementTree

import networkx
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from nnviz import messages
from nnviz.document import edits
from nnviz.document.run_log import LogUpdate
from nnviz.document.store import files
from nnviz.document.store.examples import open_document
from nnviz.session import engine_process
from nnviz.session.engine_process import EngineProcess
from nnviz.ui.network.palette import LayerEntry
from nnviz.ui.run._go_to import GoToField
from nnviz.ui.shell import app
from nnviz.ui.shell._windows import Windows
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.shell.main_window import MainWindow
from nnviz.ui.theme.colors import current_theme
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=24, engine=lent_engine)


@pytest.fixture
def with_its_own_engine(qtbot):
    yield from opened(qtbot, "moons", iterations=24)


def press(qtbot, window, keys: str) -> None:
    """Press the keys of an action, such as "Ctrl+T"."""
    qtbot.keySequence(window, keys)


def parameters(window) -> dict[str, np.ndarray]:
    """All parameters as they stand before the traced iteration."""
    index = window.session.stepping.state.index
    return {node.label: index.array(node.value) for node in index.trace.nodes if node.kind == "parameter"}


def test_the_first_picture(with_its_own_engine):
    window = with_its_own_engine
    run = window.session.run
    assert run.iteration == 24
    assert window.features.area.name == "step"
    assert "equals torch" in window.top_bar.badge.text()
    assert window.session.stepping.state.index.trace.worst_error < 1e-6
    assert run.curves.loss.size == 25
    assert run.surface is not None
    assert {layer.layer for layer in run.measures} == {"h1", "h2", "out"}


def test_steps_go_forward_backward_and_update_with_the_keyboard(qtbot, window):
    stepping, phases = window.session.stepping, []
    assert stepping.cursor == 0
    for place in range(1, stepping.length + 1):
        press(qtbot, window, "F10")
        assert stepping.cursor == place
        phases.append(window.session.stepping.state.phase)
    assert list(dict.fromkeys(phases)) == ["batch", "forward", "loss", "backward", "update"]
    for place in reversed(range(stepping.length)):
        press(qtbot, window, "Shift+F10")
        assert stepping.cursor == place


def test_large_numbers_are_asked_for_as_soon_as_their_card_is_seen_again(qtbot, window, monkeypatch):
    session, wanted = window.session, []
    press(qtbot, window, "F10")
    window.features.area.show_workspace("build")
    monkeypatch.setattr(session.numbers, "want", lambda state, node: wanted.append((state, node)))
    loss = next(node.id for node in session.stepping.state.index.trace.nodes if node.kind == "loss")
    session.stepping.select(loss)
    assert wanted == [] and not window.features.step.chain_rule.isVisible()
    window.features.area.show_workspace("step")
    assert wanted == [(session.stepping.state, loss)]


def test_what_is_not_computed_yet_is_not_zero(qtbot, window):
    state = window.session.stepping.state
    loss = next(node for node in state.index.trace.nodes if node.kind == "loss")
    assert state.value(loss.id) is None
    window.session.stepping.to_node(loss.id)
    assert window.session.stepping.state.value(loss.id) is not None
    assert window.session.stepping.state.gradient(loss.id) is None


def test_stepping_past_the_end_makes_the_next_iteration(qtbot, window):
    window.session.stepping.to_end()
    updated = {
        update.parameter: window.session.stepping.state.index.array(update.after)
        for update in window.session.stepping.state.index.trace.updates
    }
    press(qtbot, window, "F10")
    wait(qtbot, lambda: stands_at(window, 25))
    assert window.session.stepping.cursor == 1
    for name, values in parameters(window).items():
        np.testing.assert_array_equal(values, updated[name])


def test_the_timeline_is_dragged(qtbot, window):
    timeline = window.features.step.timeline
    y = timeline.height() // 2
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=timeline.rect().center())
    middle = window.session.stepping.cursor
    assert 0 < middle < window.session.stepping.length
    qtbot.mouseMove(timeline, timeline.rect().topRight() + type(timeline.rect().topRight())(-2, y))
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=timeline.rect().topRight() + type(timeline.rect().topRight())(-2, y))
    assert window.session.stepping.cursor > middle


def test_training_is_started_paused_and_stepped(qtbot, window):
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: window.session.run.iteration > 60)
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: stands_at(window, window.session.run.iteration))
    stood = window.session.run.iteration
    press(qtbot, window, "Ctrl+I")
    wait(qtbot, lambda: stands_at(window, stood + 1))
    press(qtbot, window, "Ctrl+E")
    wait(qtbot, lambda: stands_at(window, stood + 1 + window.session.run.iterations_per_epoch))
    assert window.session.run.curves.iteration.tolist() == list(range(window.session.run.iteration + 1))


def test_every_panel_follows_while_it_trains_and_none_is_behind_when_it_stands(qtbot, window):
    features, stepping = window.features, window.session.stepping
    shown = lambda: (features.graph.view.trace_scene.trace, features.network.view.state.index.trace)  # noqa: E731
    area = features.area
    for name in ("step", "train"):
        area.show_workspace(name)
        before = stepping.index
        window.session.training.train()
        wait(qtbot, lambda before=before: stepping.index is not before and window.session.run.training)
        wait(qtbot, lambda: shown() == (stepping.index.trace,) * 2)
        window.session.training.pause()
        wait(qtbot, lambda: stands_at(window, window.session.run.iteration))
        iteration = f"iteration {window.session.run.iteration:,}"
        assert all(
            features.run.plots[panel].heading[2].startswith(iteration) for panel in area.shown_panels() if panel in features.run.plots
        )
        assert shown() == (stepping.index.trace,) * 2


def test_optimizer_rate_and_dropout_are_switched_while_it_trains(qtbot, window):
    window.features.network.building.append_layer("dropout")
    wait(qtbot, lambda: stands_at(window, 24))
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: window.session.run.iteration > 40)
    form = window.features.run.training
    form.value_requested.emit("training.optimizer.kind", "sgd")
    form.value_requested.emit("training.optimizer.learning_rate", 0.05)
    press(qtbot, window, "Ctrl+D")
    wait(qtbot, lambda: not window.session.link.is_waiting)
    seen = window.session.run.iteration
    assert seen > 40, "it went on where it was"
    wait(qtbot, lambda: window.session.run.iteration > seen and window.session.run.learning_rate == 0.05)
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: stands_at(window, window.session.run.iteration))
    trace = window.session.stepping.state.index.trace
    assert all(node.dropped is None for node in trace.nodes), "dropout is off"
    assert not window.session.experiment.training.dropout
    assert window.session.experiment.training.optimizer.kind == "sgd"
    assert window.session.run.curves.iteration.tolist() == list(range(window.session.run.iteration + 1)), "no reset"
    press(qtbot, window, "Ctrl+D")
    wait(
        qtbot,
        lambda: window.session.run.is_traced and any(node.dropped is not None for node in window.session.stepping.state.index.trace.nodes),
    )


def test_rewind_is_the_identical_start(qtbot, window):
    press(qtbot, window, "Ctrl+R")
    wait(qtbot, lambda: stands_at(window, 0))
    start = parameters(window)
    press(qtbot, window, "Ctrl+E")
    wait(qtbot, lambda: stands_at(window, window.session.run.iterations_per_epoch))
    assert any((parameters(window)[name] != values).any() for name, values in start.items())
    press(qtbot, window, "Ctrl+R")
    wait(qtbot, lambda: stands_at(window, 0))
    for name, values in parameters(window).items():
        np.testing.assert_array_equal(values, start[name])


def test_a_layer_is_added_from_the_palette_changed_and_undone(qtbot, window):
    before = window.session.experiment
    entry = next(entry for entry in window.features.network.palette.findChildren(LayerEntry) if entry.kind.name == "dense")
    qtbot.mouseClick(entry, Qt.MouseButton.LeftButton)
    network = window.session.experiment.network
    assert [layer.id for layer in network.in_order()] == ["x", "h1", "h2", "dense1", "out"]
    assert window.selected_layers == ("dense1",)
    window.features.network.properties.change_requested.emit("dense1", {"units": 6, "activation": "tanh"}, "")
    assert window.session.report.layers["dense1"].output_shape == (6,)
    assert window.session.report.parameters == 12 + 20 + 30 + 14
    wait(qtbot, lambda: window.session.run.is_traced and "dense1.weight" in parameters(window))
    assert window.session.run.iteration == 24, "the run goes on"
    press(qtbot, window, "Ctrl+Z")
    press(qtbot, window, "Ctrl+Z")
    assert window.session.experiment == before
    press(qtbot, window, "Ctrl+Y")
    assert window.session.experiment.network.has("dense1")


def test_a_broken_network_says_so_and_can_be_mended(qtbot, window):
    window.features.network.view.connect_requested.emit("h2", "h1")
    assert "circle" in window.toast.text or "cycle" in window.toast.text
    window.session.edit("Cut", edits.disconnect_layers, "h2", "out")
    assert not window.session.report.ok
    assert not window.action_table["train"].isEnabled()
    press(qtbot, window, "Ctrl+Z")
    assert window.session.report.ok
    wait(qtbot, lambda: window.action_table["train"].isEnabled())


def test_a_layer_lands_where_it_is_dropped_and_a_new_link_takes_the_place_of_the_old(qtbot, window):
    network, before = window.features.network.view, window.features.network.view.scene().places()
    bottom = network.scene().content_rect().bottom()
    network.add_requested.emit("dense", QPointF(before["h1"][0], bottom + 160), "")
    places = network.scene().places()
    assert places.pop("dense1") == pytest.approx((before["h1"][0], bottom + 160), abs=0.01) and places == before
    network.connect_requested.emit("h1", "out")
    assert window.session.experiment.network.inputs_of("out") == ("h1",)
    press(qtbot, window, "Ctrl+Z")
    press(qtbot, window, "Ctrl+Z")
    assert window.session.experiment.network.inputs_of("out") == ("h2",) and network.scene().places() == before


def test_save_and_open(qtbot, window, tmp_path, monkeypatch):
    path = tmp_path / "doc é 网.nnviz"
    window.session.edit("Rate", edits.change_optimizer, learning_rate=0.03)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    press(qtbot, window, "Ctrl+S")
    assert files.load(path) == window.session.experiment
    assert window.session.document.is_saved
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    window.features.files.documents.open_example("xor")
    wait(qtbot, lambda: window.session.run.is_traced and window.session.experiment == open_document("example:xor"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    press(qtbot, window, "Ctrl+O")
    wait(qtbot, lambda: window.session.run.is_traced)
    assert window.session.experiment.training.optimizer["learning_rate"] == 0.03


def _is_picture(path) -> bool:
    return not QImage(str(path)).isNull() and QImage(str(path)).width() > 200


CHECKS = {
    "svg": lambda path: ElementTree.parse(path).getroot().tag.endswith("svg"),
    "png": _is_picture,
    "pdf": lambda path: path.read_bytes().startswith(b"%PDF"),
    "dot": lambda path: path.read_text(encoding="utf-8").lstrip().startswith("digraph"),
    "graphml": lambda path: networkx.read_graphml(path).number_of_nodes() > 10,
    "json": lambda path: json.loads(path.read_text(encoding="utf-8"))["iteration"] == 24,
}


def test_the_graph_is_exported(window, tmp_path, monkeypatch):
    window.session.stepping.to(9)
    for suffix, check in CHECKS.items():
        path = tmp_path / f"graph.{suffix}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, path=path: (str(path), ""))
        window.action_table["export_graph"].trigger()
        assert path.exists(), window.toast.text
        assert check(path), suffix


def test_an_export_that_fails_says_why(window, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "graph.docx"), ""))
    window.action_table["export_graph"].trigger()
    assert "graph.docx" in window.toast.text
    assert "svg" in window.toast.text


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_a_killed_engine_comes_back_at_the_same_iteration(qtbot, with_its_own_engine):
    window = with_its_own_engine
    before = parameters(window)
    client = window.session.findChild(EngineProcess)
    os.kill(client.process_id, signal.SIGKILL)
    wait(qtbot, lambda: window.session.run.engine == "restarting")
    assert "engine" in window.toast.text.lower()
    wait(qtbot, lambda: window.session.run.engine == "ready" and window.session.run.is_traced and stands_at(window, 24))
    for name, values in parameters(window).items():
        np.testing.assert_array_equal(values, before[name])


def test_every_workspace_shows_its_panels_in_both_themes(qtbot, window):
    for number, name in enumerate(("build", "step", "train"), start=1):
        press(qtbot, window, f"Ctrl+{number}")
        assert window.features.area.name == name
        for panel in window.features.area.visible_panels():
            assert window.features.cards[panel].isVisible(), panel
        press(qtbot, window, "Ctrl+Shift+L")
        picture = window.grab().toImage()
        assert picture.pixelColor(3, picture.height() // 2).name() == current_theme().background.lower()


class Resizes(QObject):
    """Counts how often widgets are told of another size."""

    def __init__(self, widgets: list[QWidget]) -> None:
        super().__init__()
        self.sizes: list[QSize] = []
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.sizes.append(event.size())
        return False


def test_another_workspace_gives_a_panel_its_size_at_once(qtbot, window):
    """A graph that does not fit is laid out for every size it is given."""
    area, view = window.features.area, window.features.graph.view
    resizes, layouts = Resizes([view]), []
    view.trace_scene.laid_out.connect(layouts.append)
    for name in ("build", "step", "train", "step"):
        window.resize(window.width() - 20, window.height())
        resizes.sizes.clear()
        layouts.clear()
        area.show_workspace(name)
        assert len(resizes.sizes) == (name == "step") and len(layouts) <= 1
        qtbot.wait(50)
        assert len(resizes.sizes) == (name == "step") and len(layouts) <= 1


def test_any_action_is_found_by_its_name(qtbot, window):
    press(qtbot, window, "Ctrl+Shift+P")
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.field, "epoch")
    assert "+1 epoch" in palette.list.currentItem().text()
    qtbot.keyPress(palette.field, Qt.Key.Key_Return)
    wait(qtbot, lambda: stands_at(window, 24 + window.session.run.iterations_per_epoch))


def test_a_panel_is_enlarged_by_a_key_and_given_back_by_esc_and_the_cursor_stays(qtbot, window):
    for _ in range(5):
        press(qtbot, window, "F10")
    window.features.graph.view.setFocus()
    press(qtbot, window, "F4")
    assert window.features.area.visible_panels() == ("graph",) and window.session.stepping.cursor == 5
    qtbot.keyClick(window.features.graph.view, Qt.Key.Key_Escape)
    assert window.features.area.enlarged == "" and window.session.stepping.cursor == 5
    press(qtbot, window, "F4")
    press(qtbot, window, "F4")
    assert window.features.area.enlarged == ""


def test_an_iteration_is_gone_to_again_and_again(qtbot, window):
    for iteration in (7, 11):
        wait(qtbot, window.action_table["go_to"].isEnabled)
        window.activateWindow()  # without a screen nothing else does when a popup closes
        wait(qtbot, window.isActiveWindow)
        press(qtbot, window, "Ctrl+G")
        field = window.findChild(GoToField)
        assert field.isVisible() and field.box.value() == window.session.run.iteration
        qtbot.keyClicks(field.box.lineEdit(), str(iteration))
        qtbot.keyClick(field.box, Qt.Key.Key_Return)
        wait(qtbot, lambda iteration=iteration: stands_at(window, iteration))
        wait(qtbot, lambda: window.findChild(GoToField) is None)
    window.action_table["go_to"].trigger()
    qtbot.keyClick(window.findChild(GoToField).box, Qt.Key.Key_Escape)
    wait(qtbot, lambda: window.findChild(GoToField) is None)
    assert stands_at(window, 11)


def test_a_window_that_has_no_document_yet_does_not_hinder_another(qtbot, window, tmp_path):
    """Several documents dropped at once open windows, which are shown before they have a session."""
    waiting = MainWindow()
    qtbot.addWidget(waiting)
    waiting.show()
    assert waiting.session is None and waiting in window.siblings()
    assert not window.bring_up(tmp_path / "other.json")


def test_the_engine_starts_before_the_panels_are_made_and_the_icons_come_last(qtbot, monkeypatch):
    """While it loads its libraries, the window loads its own; here it never says anything. No source that was read is kept."""
    monkeypatch.setattr(engine_process, "COMMAND", ("-c", "import time; time.sleep(60)"))
    engines = []
    assert linecache.getlines(app.__file__)

    class Window(MainWindow):
        def make_features(self, experiment, autosaves=True, engine=None):
            assert app.__file__ not in linecache.cache
            engines.append(engine.process_id)
            super().make_features(experiment, autosaves, engine)
            engines.append(has_icon(self))

    def has_icon(window) -> bool:
        image = window.action_table["undo"].icon().pixmap(16, 16).toImage()
        return any(image.pixelColor(x, y).alpha() for x in range(16) for y in range(16))

    windows = Windows(Window, app.start_when_painted)
    window = windows.open()
    wait(qtbot, lambda: window.features is not None and has_icon(window))
    assert engines == [window.findChild(EngineProcess).process_id, False] and engines[0] > 0
    app.shut_down(window)


def test_training_is_offered_once_the_run_is_open_also_where_nothing_can_be_traced(qtbot):
    """What the engine would send is said here; none is started."""
    window = MainWindow()
    qtbot.addWidget(window)
    window.make_features(open_document("example:moons"), autosaves=False)
    window.stop_asking()
    session, train = window.session, window.action_table["train"]
    session.link.receive(messages.Ready("2.13.0"))
    assert not train.isEnabled()
    session.link.receive(messages.Opened(session.run.revision, 0, 0, True, 11, log=LogUpdate(0)))
    session.link.receive(messages.Failed("TraceNext", "It cannot be traced."))
    assert session.training.can_train and train.isEnabled()
    window.close()

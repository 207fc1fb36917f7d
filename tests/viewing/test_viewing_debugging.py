"""`nnviz.show` as a debugger: conditions that stop it, files of what it shows, keys for what it cannot do."""

import json
from xml.etree import ElementTree

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from torch import nn

from nnviz.ui.files._figure_sheet import FigureSheet
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import MenuButton
from tests.trace import zoo


class Breaks(nn.Module):
    """NaN in the middle."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.second(torch.log(-self.first(x).abs())).mean()


def test_the_first_non_finite_value_stops_it(shown, qtbot):
    window = shown(Breaks(), torch.ones(5, 3))
    qtbot.keyClick(window, Qt.Key.Key_F9, Qt.KeyboardModifier.ControlModifier)
    listed = window.step.breakpoints.list
    assert listed.isVisible()
    listed.add_requested.emit("non_finite", {})
    listed.hide()
    window.trace.stepping.move("iteration", +1)
    assert window.trace.stepping.state.node.operation == "log"
    assert window.toast.text.startswith("Stopped at a breakpoint: first non-finite value: log")
    assert window.trace.stepping.selected_node == window.trace.stepping.state.node.id


@pytest.mark.parametrize(
    ("kind", "settings", "operation"),
    [("gradient", {"threshold": 1e-9, "target": "net.2.weight"}, "linear"), ("activation", {"threshold": 1e-9}, None)],
)
def test_conditions_stop_it(shown, kind, settings, operation):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = shown(module, *inputs)
    window.step.breakpoints.open()
    listed = window.step.breakpoints.list
    listed.add_requested.emit(kind, settings)
    listed.hide()
    window.trace.stepping.move("iteration", +1)
    assert 0 < window.trace.stepping.cursor < window.trace.stepping.length
    assert operation in (None, window.trace.stepping.state.node.operation)
    listed.switch_requested.emit(0, False)
    window.trace.stepping.move("iteration", +1)
    assert window.trace.stepping.is_at_end
    listed.remove_requested.emit(0)
    assert window.trace.experiment.breakpoints == ()


def test_a_condition_that_is_there_already_is_refused(shown):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = shown(module, *inputs)
    window.step.breakpoints.open()
    for _ in range(2):
        window.step.breakpoints.list.add_requested.emit("non_finite", {})
    window.step.breakpoints.list.hide()
    assert len(window.trace.experiment.breakpoints) == 1 and "such a breakpoint already" in window.toast.text


def test_conditions_look_at_large_tensors_and_outlive_another_detail(shown, qtbot):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(100, 90), nn.Tanh(), nn.Linear(90, 1))
    window = shown(module, torch.randn(70, 100), loss=lambda y, _: y.mean(), detail="layer")
    window.step.breakpoints.open()
    window.step.breakpoints.list.add_requested.emit("activation", {"target": "0", "threshold": 1.0})
    window.step.breakpoints.list.hide()
    for detail in ("layer", "textbook"):
        window.graph.detail.chosen.emit(detail)
        qtbot.waitUntil(lambda: not window.trace.busy)
        window.trace.stepping.to_start()
        window.trace.stepping.move("iteration", +1)
        assert window.trace.stepping.state.node.module == "0" and "|activation| > 1" in window.toast.text


def test_it_is_written_as_picture_and_as_json(shown, monkeypatch, tmp_path):
    class Product(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(torch.tensor([1 + 2j])), nn.Parameter(torch.randn(5000))

        def forward(self):
            return (self.a * self.b).real.sum()

    window = shown(Product())
    window.trace.stepping.to_end()
    for suffix in ("json", "svg", "png", "dot"):
        path = tmp_path / f"graph.{suffix}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, path=path: (str(path), ""))
        window.action_table["export_graph"].trigger()
        assert path.stat().st_size > 100 and window.toast.text == f"Wrote {path}"
    nodes = json.loads((tmp_path / "graph.json").read_text())["nodes"]
    assert nodes[0]["value"] == ["1+2j"]
    large = next(node for node in nodes if node["label"] == "b")["value"]
    assert large["norm"] == pytest.approx(window.trace._iteration._captured.trace.nodes[1].value.norm().item(), rel=1e-6)
    assert sum(large["histogram"]) == 5000
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "window"), "PNG (*.png)"))
    window.action_table["export_window"].trigger()
    assert (tmp_path / "window.png").exists()


def test_what_it_cannot_do_is_said(shown, qtbot):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = shown(module, *inputs)
    for key, modifier, words in (
        (Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier, "no next batch"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier, "no next batch"),
    ):
        window.toast.post("info", "")
        qtbot.keyClick(window, key, modifier)
        assert words in window.toast.text


def test_all_actions_stand_in_a_menu(shown, qtbot):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = shown(module, *inputs)
    button = window.findChild(MenuButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.menu.isVisible() and list(window.menus) == ["File", "Edit", "Step", "View", "Help"]
    listed = [action for menu in window.menus.values() for action in menu.actions()]
    assert set(listed) == set(window.action_table.values())
    button.menu.close()


def test_steps_and_speed_have_the_keys_of_the_main_window(shown, qtbot):
    module, inputs = zoo.make("mlp_tanh_mse")
    window, alt, control = shown(module, *inputs), Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
    for key, size in ((Qt.Key.Key_2, "layer"), (Qt.Key.Key_3, "phase"), (Qt.Key.Key_1, "node")):
        qtbot.keyClick(window, key, alt)
        assert window.sizes.key == size
    before = window.step.step_bar.speed
    qtbot.keyClick(window, Qt.Key.Key_BracketRight, control)
    assert window.step.step_bar.speed > before
    qtbot.keyClick(window, Qt.Key.Key_BracketLeft, control)
    assert window.step.step_bar.speed == before


SMALL_AT_9_CM = ("graph", "window")


@pytest.mark.parametrize("what", ["graph", "window", "inspector", "microscope"])
def test_figures_have_a_width_and_a_theme(shown, monkeypatch, tmp_path, what):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = shown(module, *inputs, optimizer=torch.optim.Adam(module.parameters()))
    window.trace.stepping.to_end()
    worn = current_theme().name
    window.action_table["export_figure"].trigger()
    sheet = next(one for one in window.findChildren(FigureSheet) if one.isVisible())
    assert sheet.what.findData("network") == sheet.what.findData("plots") == -1, "there are none"
    sheet.what.setCurrentIndex(sheet.what.findData(what))
    sheet.theme.setCurrentText("dark" if worn == "light" else "light")
    sheet.width_box.set_value(9.0)
    path = tmp_path / f"{what}.svg"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    sheet.export.click()
    root = ElementTree.parse(path).getroot()
    assert root.get("width") == "9cm" and len(list(root.iter())) > 5
    wrote, _, small = window.toast.text.partition(". Its small letters are ")
    assert wrote == f"Wrote {path}" and current_theme().name == worn
    assert bool(small) == (what in SMALL_AT_9_CM) and small.endswith("they are 5.") == bool(small)

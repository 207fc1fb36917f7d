"""`nnviz.show`: the card says which line of code made its node, and opens it in the person's editor."""

from pathlib import Path

import pytest
from PySide6.QtCore import QProcess, Qt
from PySide6.QtGui import QDesktopServices

import nnviz
from nnviz.ui.step import _editor
from nnviz.ui.step._source_line import line_of
from tests.trace import zoo

CODE = Path(zoo.__file__).read_text().splitlines()


@pytest.fixture
def window(qtbot):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = nnviz.show(module, *inputs, block=False)
    qtbot.addWidget(window)
    window.graph.view.set_animated(False)
    return window


def made_by_code(window):
    return next(node for node in window.trace.stepping.index.trace.nodes if Path(node.where.rpartition(":")[0]) == Path(zoo.__file__))


def test_the_card_shows_the_line_that_made_the_node(window):
    node, card = made_by_code(window), window.step.chain_rule
    window.trace.stepping.select(node.id)
    number = int(node.where.rpartition(":")[2])
    assert card.source.isVisible() and card.source.text() == CODE[number - 1].strip() != ""
    assert card.breadcrumb.crumbs()[0].text == "model"
    parameter = next(node for node in window.trace.stepping.index.trace.nodes if node.kind == "parameter" and not node.where)
    window.trace.stepping.select(parameter.id)
    assert card.source.text() == "" and not card.source.open.isVisible()


def test_every_module_on_the_way_is_a_link_to_it_in_the_graph(qtbot):
    module, inputs = zoo.make("resnet18")
    window = nnviz.show(module, *inputs, block=False)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    view, card, stepping = window.graph.view, window.step.chain_rule, window.trace.stepping
    view.set_animated(False)
    node = next(one for one in stepping.index.trace.nodes if one.group[:4] == ("net", "4", "0", "bn1") and one.kind == "operation")
    settled = lambda: not view.trace_scene.placer.is_busy  # noqa: E731
    view.folds.show(node.id)
    qtbot.waitUntil(settled, timeout=30_000)
    view.show_node(node.id)
    view.actual_size()
    links = {link.text(): link for link in card.breadcrumb.links()}
    assert "net.4.0" in links and "model" in links
    links["net.4.0"].click()
    qtbot.waitUntil(settled, timeout=30_000)
    assert view.folds.card(node.id).folded and view.folds.card(node.id).block.startswith("net/4/0")
    seen = view.mapToScene(view.viewport().rect()).boundingRect()
    assert seen.contains(view.trace_scene.card_of(node.id).sceneBoundingRect().center())
    card.breadcrumb.links()[0].click()
    qtbot.waitUntil(settled, timeout=30_000)
    assert view.is_fitted and card.breadcrumb.crumbs()[0].text == "model"
    seen = view.mapToScene(view.viewport().rect()).boundingRect()
    assert seen.contains(view.content_rect()) and view.folds.card(node.id).block == "net/4"
    assert "whole graph" in card.breadcrumb.toolTip()


def test_it_is_opened_by_key_and_by_button(window, qtbot, monkeypatch):
    node, started = made_by_code(window), []
    monkeypatch.setenv("VISUAL", "code --wait")
    monkeypatch.setattr(QProcess, "startDetached", lambda program, arguments: bool(started.append((program, arguments)) or True))
    window.trace.stepping.select(node.id)
    qtbot.mouseClick(window.step.chain_rule.source.open, Qt.MouseButton.LeftButton)
    qtbot.keyClick(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert started == [("code", ["--wait", "--goto", node.where])] * 2
    monkeypatch.setattr(QProcess, "startDetached", lambda program, arguments: False)
    window.step.open_source()
    assert "code could not be started" in window.toast.text
    parameter = next(node for node in window.trace.stepping.index.trace.nodes if node.kind == "parameter" and not node.where)
    window.trace.stepping.select(parameter.id)
    window.step.open_source()
    assert "No line of code" in window.toast.text


def test_nothing_is_opened_that_might_run_the_file(monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: bool(opened.append(url)) or True)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "vim")
    for platform in ("win32", "darwin"):
        monkeypatch.setattr(_editor.sys, "platform", platform)
        assert 'VISUAL="code"' in _editor.open_line(f"{zoo.__file__}:3") and opened == []
    monkeypatch.setattr(_editor.sys, "platform", "linux")
    assert _editor.open_line(f"{zoo.__file__}:3") == "" and opened[0].toLocalFile() == zoo.__file__
    assert _editor.open_line("/nowhere/a.py:3") == "There is no file /nowhere/a.py." and len(opened) == 1


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"EDITOR": "gvim"}, ["gvim", "+12", "/a b.py"]),
        ({"VISUAL": "vim", "EDITOR": "/usr/bin/subl -w"}, ["/usr/bin/subl", "-w", "/a b.py:12"]),
        ({"VISUAL": "pycharm", "EDITOR": "code"}, ["pycharm", "--line", "12", "/a b.py"]),
        ({"VISUAL": "something"}, ["something", "/a b.py"]),
        ({"EDITOR": "nano"}, []),
        ({"VISUAL": "'open"}, []),
        ({}, []),
    ],
)
def test_editors_are_told_the_line(names, words):
    assert _editor.command("/a b.py:12", names) == words


def test_a_line_that_is_not_there_is_empty(tmp_path):
    file = tmp_path / "short.py"
    file.write_text("x = 1\n")
    assert line_of(f"{file}:1") == "x = 1"
    for where in (f"{file}:2", f"{file}:0", f"{tmp_path}:1", str(file), "", "<stdin>:1"):
        assert line_of(where) == ""

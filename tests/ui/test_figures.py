"""Figures of any panel are written from the File menu, in the real window."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from nnviz.ui.files._figure_sheet import FigureSheet
from nnviz.ui.theme.colors import DARK, current_theme
from tests.ui.window import opened

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=5, engine=lent_engine)


def exported(window, path, monkeypatch, what: str, theme: str, width: float | None):
    """Choose on the sheet, and a file."""
    window.action_table["export_figure"].trigger()
    sheet = next(one for one in window.findChildren(FigureSheet) if one.isVisible())
    sheet.what.setCurrentIndex(sheet.what.findData(what))
    sheet.theme.setCurrentText(theme)
    sheet.has_width.setChecked(width is not None)
    if width is not None:
        sheet.width_box.set_value(width)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    QTest.mouseClick(sheet.export, LEFT)
    assert window.toast.text.startswith("Wrote")
    return path


def test_every_panel_in_sight_can_be_a_figure(window, monkeypatch, tmp_path):
    for name in window.panel_titles():
        root = ElementTree.parse(exported(window, tmp_path / f"{name}.svg", monkeypatch, name, "light", 9.0)).getroot()
        assert root.get("width") == "9cm" and len(list(root.iter())) > 5, name


def test_a_figure_in_the_other_theme_leaves_the_window_as_it_is(window, monkeypatch, tmp_path):
    before = current_theme().name
    for what in ("graph", "network", "window", "inspector", "plots"):
        image = QImage(str(exported(window, tmp_path / f"{what}.png", monkeypatch, what, "dark", None)))
        corner = image.pixelColor(image.width() // 2, image.height() - 2)
        assert corner.lightness() < 80 and DARK.color("panel").lightness() < 80, what
    assert current_theme().name == before

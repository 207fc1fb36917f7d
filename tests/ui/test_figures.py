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
from nnviz.ui.widgets.plot_picture import StillRows
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


def test_a_graph_says_where_it_is_and_a_plot_is_laid_out_for_the_page(window, monkeypatch, tmp_path):
    window.session.stepping.to(3)
    for what in ("graph", "network"):
        still = window.figured(what)
        assert still.header() == ("TWO MOONS", f"iteration 6, next · step 3 of {window.session.stepping.length}")
        assert still.width() >= window.pictured(what).itemsBoundingRect().width()  # all of it, whatever the view shows
    narrow, wide = window.figured("loss", 8.0), window.figured("loss", 16.0)
    assert wide.width() == pytest.approx(2 * narrow.width(), abs=2) and "iteration 5" in narrow.header()[1]
    size = window.features.plots["loss"].size()
    for theme in ("light", "dark"):
        exported(window, tmp_path / f"{theme}.pdf", monkeypatch, "loss", theme, 8.0)
        assert "points" not in window.toast.text  # its letters have the same size on every page
    assert window.features.plots["loss"].size() == size
    exported(window, tmp_path / "graph.pdf", monkeypatch, "graph", "light", 8.0)
    assert "points high; on" in window.toast.text


def test_plots_fill_the_page_in_rows(window):
    rows = window.figured("plots", 16.0)
    count = len(window.pictured("plots"))
    assert len(rows.stills) == count > 1 and {still.width() for still in rows.stills} == {rows.width() // 2}
    framed = StillRows([still.plot for still in rows.stills], 1200, 800)
    assert framed.width() == 1200 and framed.height() == pytest.approx(800, abs=120)

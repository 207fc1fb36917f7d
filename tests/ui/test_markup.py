"""What a person did not write here is shown as plain text: a name that reads like markup opens no file, wherever it stands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QToolTip, QWidget

from nnviz.document import edits
from nnviz.document.store import files
from nnviz.ui.files._documents import Documents
from nnviz.ui.shell import app

CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture
def pipe(tmp_path):
    """A named pipe that stops whoever reads it, and a process that ends as soon as somebody has opened it."""
    (tmp_path / "fifo").mkdir()
    subprocess.run(["mkfifo", tmp_path / "fifo/p"], check=True)
    guard = subprocess.Popen(["sh", "-c", f"exec 3> '{tmp_path}/fifo/p'"])
    yield tmp_path
    opened = guard.poll() is not None
    guard.kill()
    guard.wait()
    assert not opened, "a name was read as markup, and its file was opened"


@pytest.fixture(params=("toast-html-fifo.json", "tooltip-html-fifo.json"))
def window(request, qtbot, pipe, lent_engine):
    text = (CASES / request.param).read_text().replace("FOLDER", str(pipe)).replace('"fifo"', f'"{markup(pipe)}"')
    app.application()
    window = app.build_window(files.loads(text.encode()), autosaves=False)
    window.stop_asking()
    window.show()
    yield window
    QToolTip.hideText()
    app.shut_down(window)


def markup(folder: Path) -> str:
    return f"<img src='file:{folder}/fifo/p'>"


def labels() -> list[QLabel]:
    """All labels that can be seen, those of tooltips and questions too."""
    return [widget for widget in QApplication.allWidgets() if isinstance(widget, QLabel) and widget.isVisible()]


def hover(widget: QWidget) -> None:
    middle = widget.rect().center()
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, middle, widget.mapToGlobal(middle)))


def all_plain() -> bool:
    return all(label.textFormat() == Qt.TextFormat.PlainText for label in labels())


def test_no_label_and_no_tooltip_of_the_window_reads_markup(window, pipe):
    session = window.session
    session.edit("Breakpoint", edits.add_breakpoint, "node", target=f"{markup(pipe)}/x")
    for name in ("build", "step", "train"):
        window.features.area.show_workspace(name)
        QApplication.processEvents()
        for level in ("info", "warning", "error"):
            session.post(level, markup(pipe))
            window.notes.post(level, level, markup(pipe), [(markup(pipe), lambda: None)])
        for widget in window.findChildren(QWidget):
            hover(widget)
            assert all_plain()
        QApplication.processEvents()
        window.grab()
        assert all_plain()


def test_the_data_window_reads_no_markup(window):
    window.features.data.open()
    QApplication.processEvents()
    for widget in QApplication.allWidgets():
        if widget.isVisible():
            hover(widget)
    QApplication.processEvents()
    assert all_plain() and any("<img" in label.text() for label in labels())


def test_a_question_reads_no_markup(window, monkeypatch):
    seen = []
    shown = lambda box: seen.extend(label for label in box.findChildren(QLabel) if label.text())  # noqa: E731

    def answer(*arguments) -> QMessageBox.StandardButton:
        box = QMessageBox(QMessageBox.Icon.Question, *arguments[1:3], parent=arguments[0])
        box.show()
        shown(box)
        assert all(label.textFormat() == Qt.TextFormat.PlainText for label in seen)
        box.deleteLater()
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "question", answer)
    window.session.edit("Seed", edits.set_seed, 5)
    assert not Documents(window.session, window).confirm_leaving() and any("<img" in label.text() for label in seen)


def test_a_tooltip_keeps_its_lines(qtbot, qapp):
    QToolTip.showText(QPoint(10, 10), "<b>first</b>\nsecond")
    tip = next(label for label in labels() if label.metaObject().className() == "QTipLabel")
    assert tip.textFormat() == Qt.TextFormat.PlainText and tip.height() > 2 * tip.fontMetrics().height()
    QToolTip.hideText()

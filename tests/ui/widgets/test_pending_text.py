"""Undo in fields, and fields that are gone: a dialog's box says that it is finished when it is being deleted."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QDoubleSpinBox, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from nnviz.ui.widgets.pending_text import VALUE, PendingText


def _line() -> QLineEdit:
    line = QLineEdit()
    line.setProperty(VALUE, True)
    return line


@pytest.mark.parametrize("make", [QSpinBox, QDoubleSpinBox, _line])
@pytest.mark.parametrize("ends_by", ["enter", "deleted"])
def test_a_dialog_with_a_field_is_left_again_and_again_without_a_word(qtbot, make, ends_by):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    PendingText(window)
    for text in ("100", "200", "300"):
        dialog, field = QDialog(window), make()
        QVBoxLayout(dialog).addWidget(field)

        def type_and_leave(dialog=dialog, field=field, text=text):
            field.setFocus()
            field.selectAll()
            QTest.keyClicks(field, text)
            dialog.accept() if ends_by == "enter" else dialog.deleteLater()

        QTimer.singleShot(0, type_and_leave)
        dialog.exec() if ends_by == "enter" else dialog.show()
        QApplication.processEvents()
        if ends_by == "enter":
            dialog.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()

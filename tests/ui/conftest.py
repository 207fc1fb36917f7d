"""Puts plots on the screen in a given size and reads pixels back."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent

from nnviz.ui.widgets.plot_card import framed


@pytest.fixture
def shown(qtbot):
    """Return a function that frames a plot in a card, shows it in this size and returns the card."""

    def show(plot, width=300, height=190):
        card = framed(plot)
        qtbot.addWidget(card)
        card.resize(width, height)
        card.show()
        qtbot.waitExposed(card)
        return card

    return show


@pytest.fixture
def count_color():
    """Return a function that counts the pixels of a widget that are of (nearly) this colour."""

    def count(widget, color, tolerance=12):
        image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBX8888)
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(-1, 4)[:, :3]
        return int((np.abs(pixels.astype(int) - color.getRgb()[:3]).max(1) <= tolerance).sum())

    return count


@pytest.fixture
def turn():
    """Return a function that turns the wheel over a place of a plot and returns the event."""

    def turned(plot, place: QPointF, delta: int) -> QWheelEvent:
        no_button, no_keys, no_phase = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(place, plot.mapToGlobal(place), QPoint(), QPoint(0, delta), no_button, no_keys, no_phase, False)
        plot.wheelEvent(event)
        return event

    return turned

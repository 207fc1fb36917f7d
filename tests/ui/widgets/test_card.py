"""The header of a card: whole words or none, and buttons that say the main thing first."""

import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel

from nnviz.ui.shell import app
from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import sans
from nnviz.ui.widgets import card, header_button
from nnviz.ui.widgets.card import Card


@pytest.fixture
def metrics(qapp):
    app.application()
    return QFontMetrics(sans(SMALL))


def test_a_subtitle_loses_its_last_parts_and_is_never_cut_in_a_word(metrics):
    whole = "±6.836, iteration 201 · what if"
    shorter = [card._shortened(whole, metrics, room) for room in range(0, metrics.horizontalAdvance(whole) + 1)]
    assert list(dict.fromkeys(shorter)) == ["", "±6.836", "±6.836, iteration 201", whole]


def test_a_header_paints_what_it_says(qtbot):
    shown = Card("Dense", QLabel())
    qtbot.addWidget(shown)
    shown.resize(200, 100)
    shown.set_subtitle("±6.836, iteration 123456789")
    long = shown.grab().toImage()
    shown.set_subtitle("±6.836")
    assert shown.grab().toImage() == long


def test_a_button_without_room_leaves_out_its_key_before_anything_else(metrics):
    text = "step over (F10)"
    assert header_button._fitting(text, metrics, metrics.horizontalAdvance(text)) == text
    assert header_button._fitting(text, metrics, metrics.horizontalAdvance("step over")) == "step over"
    assert header_button._fitting(text, metrics, metrics.horizontalAdvance("step o…")).startswith("step")
    assert header_button._fitting("dense 1 ▾", metrics, metrics.horizontalAdvance("den… ▾")).endswith("▾")

"""The card: a frame, a header, a body in its place."""

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from nnviz.ui.theme.colors import DARK, GUTTER, LIGHT
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.card import Card, header_height


@pytest.fixture
def card(qtbot):
    made = Card("Loss", QWidget(), [QToolButton(text="log")])
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_body_fills_what_the_header_leaves(card):
    body = card.body.geometry()
    assert body.left() == GUTTER and body.right() == 300 - GUTTER - 1 and body.bottom() == 200 - GUTTER - 1
    assert header_height() <= body.top() <= header_height() + 8


def test_title_and_subtitle_are_painted_and_accessible(card):
    before = card.grab().toImage()
    card.set_subtitle("iteration 128")
    assert card.grab().toImage() != before
    card.set_title("Weights over time", "Weights")
    assert (card.accessibleName(), card.accessibleDescription()) == ("Weights over time", "iteration 128")


def test_what_the_tools_grow_over_is_painted_anew(card, qtbot):
    card.set_subtitle("iteration 128 of a long run")
    tool, place = card.findChild(QToolButton), 0

    def is_painted() -> bool:
        header = GUTTER, 6, tool.parentWidget().x() - GUTTER, header_height() - 4
        shown = card.screen().grabWindow(card.winId(), *header).toImage()
        return tool.parentWidget().x() != place and shown == card.grab(QRect(*header)).toImage()

    for text in ("log", "a tool that has become much wider", "log"):
        tool.setText(text)
        qtbot.waitUntil(is_painted)
        place = tool.parentWidget().x()


def test_short_title_where_the_full_one_does_not_fit(card):
    card.set_subtitle("iteration 128")
    card.set_title("A title that is much too wide for this", "Short")
    cut = card.grab().toImage()
    card.set_title("Short")
    assert card.grab().toImage() == cut


def test_theme_colours_the_panel(card):
    for theme in (LIGHT, DARK):
        apply_theme(QApplication.instance(), theme)
        assert card.grab().toImage().pixelColor(150, 45).name().upper() == theme.panel

"""A text of a lesson is typeset, and nothing in it opens, loads or runs anything."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QTest

from nnviz.ui.shell import app
from nnviz.ui.theme.colors import DARK, current_theme
from nnviz.ui.theme.style import apply_text_size, apply_theme
from nnviz.ui.widgets.typeset_text import TypesetText


@pytest.fixture
def text(qtbot):
    app.application()
    widget = TypesetText(13)
    qtbot.addWidget(widget)
    return widget


def put(widget: TypesetText, markdown: str, width: int = 300) -> QTextDocument:
    widget.set_text(markdown)
    widget.resize(width, widget.heightForWidth(width))
    widget.show()
    return widget._set._document


def ink(widget: TypesetText) -> int:
    """How many pixels are darker than the ground, or lighter in the dark theme."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    grey = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)[:, : image.width()].astype(int)
    return int((abs(grey - grey[0, -1]) > 60).sum())


@pytest.mark.parametrize(
    "evil",
    [
        '<img src="file:///etc/hosts">',
        "![a](file:///etc/hosts)",
        "![a](http://127.0.0.1:9/x.png)",
        "![a](formula:0)",
        "![a][r]\n\n[r]: file:///etc/hosts",
        '<script>alert(1)</script><iframe src="http://127.0.0.1:9"></iframe>',
        "<b style='background:url(file:///etc/hosts)'>x</b>",
        "[click](file:///etc/hosts) <http://127.0.0.1:9> http://127.0.0.1:9/auto",
        "`![a](file:///etc/hosts)`",
        "$\\href{file:///etc/hosts}{x}$",
        "$\\text{<img src='file:///etc/hosts'>}$",
    ],
)
def test_what_would_load_or_open_something_does_nothing(qtbot, text, monkeypatch, evil):
    fetched, opened = [], []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url))
    monkeypatch.setattr(
        "nnviz.ui.widgets.typeset_text._InertDocument.loadResource", lambda document, kind, url: fetched.append(url.toString()) or QImage()
    )
    document = put(text, f"Before {evil} behind")
    text.grab()
    for x in range(0, text.width(), 12):
        for y in range(4, text.height(), 12):
            QTest.mouseClick(text, Qt.MouseButton.LeftButton, pos=text.rect().topLeft() + type(text.pos())(x, y))
    block, formats = document.begin(), []
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            formats.append(pieces.fragment().charFormat())
            pieces += 1
        block = block.next()
    assert not [form for form in formats if form.isAnchor()]
    assert not [form for form in formats if form.isImageFormat() and not form.toImageFormat().name().startswith("formula:")]
    assert set(fetched) <= {"formula:0"} and not opened and "Before" in document.toPlainText()


def test_a_formula_is_a_picture_in_the_line_and_follows_theme_and_size(qtbot, text):
    document = put(text, "$x$")
    light, height = ink(text), text.heightForWidth(300)
    assert light > 10 and document.toPlainText() == "￼"
    apply_theme(app.application(), DARK)
    assert current_theme() is DARK and ink(text) > 10
    apply_text_size(app.application(), 200)
    try:
        assert text.heightForWidth(300) > 1.6 * height
    finally:
        apply_text_size(app.application(), 100)


def test_a_formula_that_cannot_be_read_is_shown_as_it_was_written(text):
    assert "\\frac{" in put(text, "See $\\frac{$ there").toPlainText()
    assert put(text, "It costs $5 and \\$6.").toPlainText() == "It costs $5 and $6."
    assert put(text, "`$x$`").toPlainText() == "$x$"


def test_a_line_with_a_formula_is_hardly_higher_than_one_without(text):
    put(text, "value")
    plain = text.heightForWidth(300)
    put(text, "value $w_1$")
    assert text.heightForWidth(300) <= plain + 5


def test_the_sign_behind_a_formula_begins_no_line(qtbot, text):
    document = put(text, "Some words that lead up to it, $w_1 x_1$. More words, $w_1$, and $w_2$: these.")
    for width in range(100, 400, 7):
        text.heightForWidth(width)
        layout, plain = document.firstBlock().layout(), document.firstBlock().text()
        starts = {layout.lineAt(line).textStart() for line in range(1, layout.lineCount())}
        assert not [start for start in starts if plain[start] in ".,:"], width


def test_a_formula_wider_than_the_text_becomes_smaller_and_large_again(qtbot, text):
    document = put(text, "$w_1 x_1 + w_2 x_2 + w_3 x_3 + w_4 x_4 + w_5 x_5 + b$", 500)
    own = document.idealWidth()
    text.heightForWidth(100)
    assert document.idealWidth() <= 100 < own
    text.heightForWidth(500)
    assert document.idealWidth() == own


def test_an_escaped_dot_is_read_aloud_without_its_sign(qtbot, text):
    assert put(text, "9\\. All").toPlainText() == "9. All" == text.accessibleName()

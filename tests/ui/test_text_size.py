"""The size of all texts: what it changes, its limits, and that it goes back to what it was."""

from itertools import combinations

import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QSpinBox, QVBoxLayout, QWidget

from nnviz.document.store.examples import open_document
from nnviz.ui.shell import app
from nnviz.ui.shell.layouts import WORKSPACES
from nnviz.ui.theme.colors import BODY, LIGHT
from nnviz.ui.theme.fonts import drawn_mono, mono, sans, scaled, text_size
from nnviz.ui.theme.style import TEXT_SIZES, apply_text_size, apply_theme, change_text_size
from nnviz.ui.widgets.sections import FormulaLabel


@pytest.fixture(autouse=True)
def normal_again(qapp):
    apply_theme(qapp, LIGHT)
    yield
    apply_text_size(qapp, 100)


def test_it_goes_in_steps_and_not_beyond_its_limits(qapp):
    assert (TEXT_SIZES[0], TEXT_SIZES[-1]) == (90, 200) and text_size() == 100
    for _ in range(20):
        change_text_size(qapp, +1)
    assert text_size() == 200 and scaled(10) == 20
    for _ in range(20):
        change_text_size(qapp, -1)
    assert text_size() == 90
    change_text_size(qapp, 0)
    assert text_size() == 100
    apply_text_size(qapp, 1000)
    assert text_size() == 200


def test_fonts_made_before_and_after_are_of_that_size_also_in_another_place(qtbot, qapp):
    first, second = QWidget(), QWidget()
    label, box, plain = QLabel("text", font=mono(BODY)), QSpinBox(), QLabel("text")
    box.setFont(mono(BODY))
    for window in (first, second):
        qtbot.addWidget(window)
        column = QVBoxLayout(window)
        for widget in (label, box, plain) if window is first else ():
            column.addWidget(widget)
        window.show()
    before = [widget.sizeHint() for widget in (label, box, plain)]
    apply_text_size(qapp, 150)
    assert sans(BODY).pixelSize() == mono(BODY).pixelSize() == round(1.5 * BODY) and drawn_mono(12).pixelSize() == 12
    for parent in (first, second):
        for widget in (label, box, plain):
            widget.setParent(parent)  # as panels go from one workspace to the other
            widget.show()
        assert {widget.font().pixelSize() for widget in (label, box, box.lineEdit(), plain)} <= {18, 19}
    assert all(widget.sizeHint().height() > old.height() for widget, old in zip((label, plain), (before[0], before[2]), strict=True))
    apply_text_size(qapp, 100)
    assert [widget.sizeHint() for widget in (label, box, plain)] == before


@pytest.mark.parametrize("workspace", ["build", "train"])
def test_a_window_is_wider_at_the_left_and_looks_as_before_afterwards(qtbot, workspace):
    app.application()
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    window.features.area.show_workspace(workspace)
    window.show()
    qtbot.wait(1)
    cards = [window.features.cards[name] for name in window.features.area.visible_panels()]
    before = [(card.mapTo(window, QPoint(0, 0)), card.size()) for card in cards]
    form = window.features.run.training
    for action in ("larger_text", "larger_text", "larger_text"):
        window.action_table[action].trigger()
    qtbot.wait(1)
    assert text_size() == 150 and "150 %" in window.toast.text
    boxes = [form.editor(path) for path in ("data.kind", "training.loss", "training.optimizer.kind")]
    assert all(box.width() >= box.shown_width() for box in boxes), "nothing is cut"
    assert form.editor("training.optimizer.learning_rate").lineEdit().font().pixelSize() == 18
    window.action_table["normal_text"].trigger()
    qtbot.wait(1)
    assert [(card.mapTo(window, QPoint(0, 0)), card.size()) for card in cards] == before
    app.shut_down(window)


def test_it_is_kept_in_the_settings(qapp):
    app.application()
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    window.restore_settings()
    window.change_text_size(+1)
    app.shut_down(window)
    apply_text_size(qapp, 100)
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    window.restore_settings()
    assert text_size() == 110
    app.shut_down(window)
    QSettings().clear()


@pytest.mark.parametrize(("percent", "size"), [(150, (1180, 720)), (200, (1280, 800))])
def test_with_large_texts_no_panel_covers_another_and_no_workspace_is_cut_off(qtbot, percent, size):
    app.application()
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    window.resize(*size)
    window.show()
    apply_text_size(app.application(), percent)
    window.features.follow_text_size()
    area, bar = window.features.area, window.top_bar
    for workspace in WORKSPACES:
        area.show_workspace(workspace)
        qtbot.wait(1)
        cards = [window.features.cards[name] for name in area.visible_panels()]
        places = [QRect(card.mapTo(area, QPoint(0, 0)), card.size()) for card in cards]
        assert all(area.rect().contains(place) for place in places), workspace
        assert not any(one.intersects(other) for one, other in combinations(places, 2)), workspace
        columns = [card.parentWidget().rect() for card in cards]
        assert all(column.contains(card.geometry()) for column, card in zip(columns, cards, strict=True)), workspace
        assert bar.layout().sizeHint().width() <= bar.width(), workspace
        assert all(bar.findChild(QPushButton, name).width() >= bar.findChild(QPushButton, name).sizeHint().width() for name in WORKSPACES)
        assert bar.sizes.isVisible() <= (workspace in ("step", "learn"))
    apply_text_size(app.application(), 100)
    window.resize(1600, 1000)
    qtbot.wait(1)
    assert "torch" in bar.badge.text() or "trace" in bar.badge.text(), "its words come back"
    app.shut_down(window)


def test_a_label_whose_font_changes_with_its_text_has_the_present_size(qtbot, qapp):
    label = FormulaLabel()
    qtbot.addWidget(label)
    label.set_text("data of this batch", quiet=True)
    label.show()
    for percent in (90, 150):
        apply_text_size(qapp, percent)
        quiet, formula = sans(11.5).pixelSize(), mono(13).pixelSize()
        assert abs(label.font().pixelSize() - quiet) <= 1
        label.set_text("a = max(0, z)")
        assert label.font().pixelSize() == formula
        label.set_text("data of this batch", quiet=True)
        assert label.font().pixelSize() == quiet


def test_in_the_smallest_window_with_the_largest_texts_a_workspace_is_scrolled(qtbot):
    app.application()
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    window.resize(window.minimumSize())
    window.show()
    apply_text_size(app.application(), 200)
    window.features.follow_text_size()
    area, cards = window.features.area, window.features.cards
    area.show_workspace("step")
    qtbot.wait(1)
    bar = area.findChild(QScrollArea, options=Qt.FindChildOption.FindDirectChildrenOnly).verticalScrollBar()
    assert bar.maximum() > 0
    assert all(cards[name].height() >= cards[name].minimumSizeHint().height() for name in area.visible_panels())
    bar.setValue(bar.maximum())
    assert area.rect().contains(QRect(cards["loss"].mapTo(area, QPoint(0, 0)), cards["loss"].size()))
    apply_text_size(app.application(), 100)
    qtbot.wait(1)
    assert bar.maximum() == 0, "nothing is scrolled where all has room"
    app.shut_down(window)

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QToolButton

from nnviz.document.breakpoints import Breakpoint
from nnviz.ui.step._breakpoint_list import BreakpointButton, BreakpointList
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme

TITLES = {"h1": "dense 1"}
NODE, GRADIENT = Breakpoint("node", "h1/relu"), Breakpoint("gradient", "", "above", 5.0)


@pytest.mark.parametrize(
    ("breakpoints", "text"),
    [
        ((), "breakpoints"),
        ((GRADIENT,), "breakpoint: |g| > 5"),
        ((Breakpoint("activation", "h1", "below", 0.1),), "breakpoint: |a| < 0.1 in dense 1"),
        ((NODE,), "breakpoint: relu of dense 1"),
        ((NODE, GRADIENT), "2 breakpoints"),
        ((NODE, Breakpoint("non_finite", enabled=False)), "breakpoint: relu of dense 1"),
        ((Breakpoint("non_finite", enabled=False),), "breakpoints: 1 off"),
    ],
)
def test_the_button_says_what_is_on(qtbot, breakpoints, text):
    button = BreakpointButton()
    qtbot.addWidget(button)
    button.set_breakpoints(breakpoints, TITLES)
    assert button.text() == text == button.accessibleDescription()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_diamond_is_filled_while_one_is_on(qtbot, theme):
    button = BreakpointButton()
    qtbot.addWidget(button)
    apply_theme(QApplication.instance(), theme)
    button.resize(button.sizeHint())
    seen = []
    for breakpoints in ((GRADIENT,), (Breakpoint("non_finite", enabled=False),)):
        button.set_breakpoints(breakpoints, TITLES)
        seen.append(button.grab().toImage().pixelColor(13, button.height() // 2).name())
    assert seen == [theme.loss.lower(), theme.panel.lower()]


@pytest.fixture
def listed(qtbot):
    found = BreakpointList()
    qtbot.addWidget(found)
    found.form.set_places(["x", "h1"], ["h1.weight", "h1.bias"], TITLES)
    found.set_breakpoints((NODE, GRADIENT), TITLES, [NODE])
    found.show()
    return found


def rows(listed) -> list[QCheckBox]:
    return [box for box in listed.findChildren(QCheckBox) if not box.isHidden()]


def test_every_breakpoint_has_a_row_that_switches_and_deletes(qtbot, listed):
    first, second = rows(listed)
    assert (first.text(), second.text()) == ("relu of dense 1 (not in this graph)", "|gradient| > 5")
    with qtbot.waitSignal(listed.switch_requested) as switched:
        qtbot.mouseClick(second, Qt.MouseButton.LeftButton, pos=_left(second))
    assert switched.args == [1, False]
    delete = next(button for button in listed.findChildren(QToolButton) if button.accessibleName() == "Delete |gradient| > 5")
    with qtbot.waitSignal(listed.remove_requested) as removed:
        qtbot.mouseClick(delete, Qt.MouseButton.LeftButton)
    assert removed.args == [1]


def _left(box):
    middle = box.rect().center()
    middle.setX(8)
    return middle


def test_switching_keeps_the_rows_and_showing_emits_nothing(qtbot, listed):
    before = rows(listed)
    with qtbot.assertNotEmitted(listed.switch_requested):
        listed.set_breakpoints((NODE, Breakpoint("gradient", "", "above", 5.0, enabled=False)), TITLES, [NODE])
    assert rows(listed) == before and [box.isChecked() for box in before] == [True, False]
    listed.set_breakpoints((), TITLES)
    assert rows(listed) == [] and "F9" in "".join(label.text() for label in listed.findChildren(type(listed._empty)) if label.isVisible())


@pytest.mark.parametrize(
    ("kind", "target", "settings"),
    [
        ("gradient", "h1.bias", {"target": "h1.bias", "comparison": "below", "threshold": 0.5}),
        ("activation", "h1", {"target": "h1", "comparison": "below", "threshold": 0.5}),
        ("activation", "", {"target": "", "comparison": "below", "threshold": 0.5}),
        ("parameter", "h1.weight", {"target": "h1.weight"}),
        ("loss_rising", None, {"threshold": 0.5}),
        ("non_finite", None, {}),
    ],
)
def test_the_form_asks_for_what_the_kind_needs(qtbot, listed, kind, target, settings):
    form = listed.form
    form.kind.setCurrentIndex(form.kind.findData(kind))
    form.target.setCurrentIndex(form.target.findData(target))
    form.comparison.setCurrentIndex(1)
    form.threshold.set_value(0.5)
    with qtbot.waitSignal(listed.add_requested) as added:
        qtbot.mouseClick(form.add, Qt.MouseButton.LeftButton)
    assert added.args == [kind, settings]
    assert [name for name in ("target", "comparison", "threshold") if not getattr(form, name).isHidden()] == list(settings)


def test_names_stay_chosen_when_the_network_changes(listed):
    form = listed.form
    form.target.setCurrentIndex(form.target.findData("h1.bias"))
    form.set_places(["x", "h1", "h2"], ["h1.weight", "h1.bias", "h2.weight"], TITLES)
    assert form.target.currentData() == "h1.bias" and form.target.currentText() == "dense 1.bias"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_return_in_a_list_adds_nothing_and_in_the_number_adds(qtbot, listed, key):
    form = listed.form
    for box in (form.kind, form.target, form.comparison):
        box.setFocus()
        with qtbot.assertNotEmitted(listed.add_requested):
            qtbot.keyClick(box, key)
        assert listed.isVisible()
    form.threshold.setFocus()
    form.threshold.lineEdit().setText("0.25")
    with qtbot.waitSignal(listed.add_requested) as added:
        qtbot.keyClick(form.threshold, key)
    assert added.args == ["gradient", {"target": "", "comparison": "above", "threshold": 0.25}]
    form.add.setFocus()
    with qtbot.waitSignal(listed.add_requested):
        qtbot.keyClick(form.add, key)


def test_each_kind_keeps_a_number_of_its_own(listed):
    form = listed.form
    assert form.threshold.value() == 5 and form._amount.isHidden()
    form.threshold.lineEdit().setText("7")
    form.kind.setCurrentIndex(form.kind.findData("loss_rising"))
    assert form.threshold.value() == 0 and not form._amount.isHidden() and "more than" in form._amount.text()
    assert "risen by more than" in form.threshold.toolTip()
    form.kind.setCurrentIndex(form.kind.findData("gradient"))
    assert form.threshold.value() == 7

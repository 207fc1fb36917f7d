"""Ten lessons played to their end in the real window: wrong and right answers by mouse and keys, right as measured at play time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QCheckBox, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from nnviz.lessons.checks import is_near, judge
from nnviz.lessons.expression import number, truth
from nnviz.lessons.lesson import Ask
from nnviz.lessons.misconceptions import explained
from nnviz.lessons.store import open_lesson
from nnviz.records.breakpoint_places import target_of
from nnviz.ui.network.neurons import bias_dot
from tests.ui.network.views import neuron
from tests.ui.window import opened, wait

LEFT, KEY = Qt.MouseButton.LeftButton, Qt.Key


@pytest.fixture(scope="module")
def window(qapp, lent_engine, request):
    """One window for all lessons, one after the other, as a learner has it: nothing of the last one keeps from the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QMessageBox, "question", lambda *_: pytest.fail("asked"))
        for window in opened(QtBot(request), "moons", engine=lent_engine):
            window.resize(1600, 1000)
            window.features.area.show_workspace("learn")
            yield window


def state(window):
    return window.session.lessons.state


def stands(window, place: int) -> bool:
    return state(window) is not None and state(window).place == place and not window.session.lessons.is_setting_up


def done(window) -> set[str]:
    return {row.lesson.name for row in window.features.learn.list.rows if row.lesson.is_done}


def measured(window, expression: str) -> float:
    return number(expression, window.session.lessons.facts.names)


def said(window) -> str:
    return window.features.learn.page.verdict.label.text()


def type_into(widget: QWidget, text: str) -> None:
    widget.setFocus()
    QTest.keyClick(widget, KEY.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(widget, text)
    QTest.keyClick(widget, KEY.Key_Return)


# --- answers ---


def answer_number(window, ask: Ask) -> bool:
    """Type a wrong number with its idea, then the right one; return whether an idea was named."""
    page, right = window.features.learn.page, measured(window, ask.answer)
    wrong = [(measured(window, one.answer), one.idea) for one in ask.wrong]
    for value, idea in [(value, idea) for value, idea in wrong if np.isfinite(value) and not is_near(value, right, ask.tolerance)][:1]:
        type_into(page.field, f"{value:.9g}")
        assert said(window).startswith("**Not yet.**") and explained(idea) in said(window) and not page.next.isEnabled()
    type_into(page.field, f"{right:.9g}")
    return bool(ask.wrong)


def answer_choice(window, ask: Ask) -> bool:
    """Click a wrong option, then the right one."""
    page, names = window.features.learn.page, window.session.lessons.facts.names
    is_right = [truth(option.when, names) for option in ask.options]
    wrong = is_right.index(False)
    QTest.mouseClick(page.options[wrong], LEFT)
    assert said(window).startswith("**Not yet.**") and explained(ask.options[wrong].idea) in said(window) and not page.next.isEnabled()
    QTest.mouseClick(page.options[is_right.index(True)], LEFT)
    return bool(ask.options[wrong].idea)


def answer_click(window, ask: Ask) -> bool:
    """Click something wrong in the graph, or where it is not shown on the canvas, then something right."""
    places = _cards(window) if window.is_visible("graph") else _columns(window)
    facts = window.session.lessons.facts
    by_verdict = {judge(ask, name, facts).is_right: click for name, click in places.items() if name}
    by_verdict[False]()
    assert said(window).startswith("**Not yet.**") and "That is `" in said(window)
    by_verdict[True]()
    return False


def _cards(window) -> dict[str, Callable[[], None]]:
    view, index = window.features.graph.view, window.session.stepping.index

    def click(card) -> None:
        view.centerOn(card)
        QTest.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(card.sceneBoundingRect().center()))

    shown = [(target_of(index, node.id)[1], view.trace_scene.card_of(node.id)) for node in index.trace.nodes]
    return {name: lambda card=card: click(card) for name, card in shown if card is not None}


def _columns(window) -> dict[str, Callable[[], None]]:
    view = window.features.network.view

    def click(layer: str) -> None:
        QTest.mouseClick(view.viewport(), LEFT, pos=neuron(view, layer, 0))

    return {layer: lambda layer=layer: click(layer) for layer, column in view.scene().columns.items() if hasattr(column.face, "unit_y")}


# --- changes, made with the controls that a person has ---


def training_field(window, path: str) -> QWidget:
    return window.features.run.training.editor(path)


def raise_bias(qtbot, window) -> None:
    """Too little first, then enough: the dot on the neuron is the bias."""
    view = window.features.network.view
    for share in (0.5, 2.0):
        z = measured(window, "value('out/linear')[0, 0]")
        column = view.scene().columns["out"]
        QTest.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(column.mapToScene(bias_dot(column.face, 0))))
        field = next(one for one in view.findChildren(QWidget) if one.accessibleName().startswith("Weight ") and one.isVisible())
        bias = measured(window, "value('out.bias')[0]")
        type_into(field.box, f"{bias - share * z:.4g}")
        wait(qtbot, lambda: window.session.run.is_traced)
        assert share > 1 or not window.features.learn.page.next.isEnabled()


def quarter_batch(qtbot, window) -> None:
    type_into(training_field(window, "training.batch_size").findChild(QAbstractSpinBox), f"{measured(window, 'rows') / 4:.0f}")


def standardise(qtbot, window) -> None:
    box = training_field(window, "data.scaling")
    box.setFocus()
    QTest.keyClicks(box, "standardise")


def best_rate(qtbot, window) -> None:
    """Half of it first, then the rate that the question before has asked for."""
    rate = measured(window, state(window).lesson.steps[2].ask.answer)
    for share in (0.5, 1):
        type_into(training_field(window, "training.optimizer.learning_rate"), f"{share * rate:.6g}")
        wait(qtbot, lambda: window.session.run.is_traced)
        assert share == 1 or not window.features.learn.page.next.isEnabled()


def more_units(qtbot, window) -> None:
    _columns(window)["r"]()
    box = window.features.network.properties.editors["units"]
    box.setFocus()
    for _ in range(8):
        if not state(window).is_answered:
            QTest.keyClick(box, KEY.Key_Up)
            wait(qtbot, lambda: window.session.run.is_traced)


def both_ways(qtbot, window) -> None:
    _columns(window)["r"]()
    box: QCheckBox = window.features.network.properties.editors["bidirectional"]
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))


def train(qtbot, window) -> None:
    button = next(one for one in window.findChildren(QAbstractButton) if one.text().strip() == "train" and one.isVisible())
    QTest.mouseClick(button, LEFT)
    wait(qtbot, lambda: state(window).is_answered)
    QTest.mouseClick(button, LEFT)
    wait(qtbot, lambda: not window.session.training.is_training)


CHANGES = {
    ("neuron", 4): raise_bias,
    ("cached_values", 5): quarter_batch,
    ("ask_the_doctor", 5): standardise,
    ("learning_rate", 3): best_rate,
    ("counting_parameters", 5): more_units,
    ("counting_parameters", 7): both_ways,
    ("softmax_and_cross_entropy", 6): train,
}
ANSWERS = {"number": answer_number, "choice": answer_choice, "click": answer_click}
NAMES = (*dict.fromkeys(name for name, _ in CHANGES), "chain_rule_backwards", "backprop_is_not_descent", "attention", "recurrent_neuron")


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_is_played_to_its_end(qtbot, window, name):
    feature, lesson = window.features.learn, open_lesson(name)
    titles, before = {row.lesson.name: row for row in feature.list.rows}, done(window)
    QTest.mouseClick(titles[name], LEFT)
    named = 0
    for place, step in enumerate(lesson.steps):
        wait(qtbot, lambda place=place: stands(window, place))
        page = feature.page
        assert not page.next.isEnabled() and not page.reveal.text() and "–" not in page.text.text()
        if step.ask.kind == "change":
            CHANGES[name, place](qtbot, window)
            wait(qtbot, page.next.isEnabled)
        else:
            named += ANSWERS[step.ask.kind](window, step.ask)
        assert said(window) == "**Right.**" and page.reveal.text() and "{=" not in page.reveal.text()
        wait(qtbot, page.next.isEnabled)
        QTest.mouseClick(page.next, LEFT)
    assert named >= 2 and state(window) is None
    assert done(window) - before == {name}

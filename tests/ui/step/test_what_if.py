"""The what-if row of the chain-rule card, and how the card shows what was there before."""

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from nnviz.operations.substitution import substituted
from nnviz.records.run_records import WeightHistory
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import WhatIf
from nnviz.records.trace_state import TraceState
from nnviz.text import what_if_text
from nnviz.ui.step import chain
from nnviz.ui.step._chain_rule_card import ChainRuleCard
from nnviz.ui.step._what_if_row import SCOPES
from nnviz.ui.theme.colors import DARK
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.lines import Line
from tests.ui import traces

RELU = 4
"""Of the 2-2-1 net."""


@pytest.fixture
def card(qtbot):
    card = ChainRuleCard()
    qtbot.addWidget(card)
    card.resize(330, 760)
    card.show()
    qtbot.waitExposed(card)
    return card


def supposed(*what_ifs: WhatIf, values: dict[int, list] | None = None) -> TraceIndex:
    """The 2-2-1 net with other values, beside the original."""
    original = TraceIndex(traces.worked())
    nodes = [
        msgspec.structs.replace(node, value=traces.tensor(np.array((values or {})[node.id]))) if node.id in (values or {}) else node
        for node in original.trace.nodes
    ]
    return TraceIndex(msgspec.structs.replace(original.trace, nodes=tuple(nodes), what_ifs=what_ifs, loss=0.5), original)


def end(index: TraceIndex, sample=0) -> TraceState:
    return TraceState(index, index.length, sample)


def requests(card) -> list:
    found = []
    card.what_if.requested.connect(found.append)
    return found


def test_a_value_is_typed_and_applied_with_enter(qtbot, card):
    card.set_trace_state(end(TraceIndex(traces.worked())), RELU)
    found = requests(card)
    qtbot.mouseClick(card.what_if.buttons["set"], Qt.MouseButton.LeftButton)
    assert card.what_if.box.isVisible() and card.what_if.box.hasFocus()
    assert card.what_if.box.value() == pytest.approx(1.73), "the present value, to be typed over"
    assert card.what_if.caption.text() == "relu[0,1] ="
    qtbot.keyClicks(card.what_if.box, "0.25")
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Return)
    assert found == [WhatIf(RELU, "set", 0.25, (0, 1))]
    assert not card.what_if.box.isVisible()
    assert card.what_if.buttons["set"].hasFocus(), "the keyboard is where it was"


def test_esc_leaves_everything_as_it_is(qtbot, card):
    card.set_trace_state(end(TraceIndex(traces.worked())), RELU)
    found = requests(card)
    card.what_if.buttons["scale"].setFocus()
    qtbot.keyClick(card.what_if.buttons["scale"], Qt.Key.Key_Space)
    assert card.what_if.box.value() == 1.0
    qtbot.keyClicks(card.what_if.box, "7")
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Escape)
    assert found == [] and not card.what_if.box.isVisible()
    card.what_if.scope.set_choices(SCOPES, "node")
    qtbot.mouseClick(card.what_if.buttons["set"], Qt.MouseButton.LeftButton)
    qtbot.keyClicks(card.what_if.box, "0")
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Return)
    assert found == [WhatIf(RELU, "set", 0.0, None)], "all of them are not 0 yet"


@pytest.mark.parametrize("kind", ["set", "scale"])
def test_an_unchanged_number_supposes_nothing(qtbot, card, kind):
    card.set_trace_state(end(TraceIndex(traces.worked())), RELU)
    found = requests(card)
    qtbot.mouseClick(card.what_if.buttons[kind], Qt.MouseButton.LeftButton)
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Return)
    assert found == [] and not card.what_if.box.isVisible()


def typed(qtbot, card, kind: str, text: str) -> None:
    card.what_if.open(kind)
    qtbot.keyClicks(card.what_if.box, text)
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Return)


@pytest.mark.parametrize(("scope", "element"), [("element", (0, 1)), ("node", None)])
def test_the_factor_in_force_is_offered_and_1_is_another(qtbot, card, scope, element):
    index = supposed(WhatIf(RELU, "scale", 3.0, element), values={RELU: [[0.0, 5.19]]})
    card.what_if.scope.set_choices(SCOPES, scope)
    card.set_trace_state(end(index), RELU)
    found = requests(card)
    card.what_if.open("scale")
    assert card.what_if.box.value() == 3.0
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Return)
    typed(qtbot, card, "scale", "3")
    assert found == [] and not card.what_if.box.isVisible()
    typed(qtbot, card, "scale", "1")
    assert found == [WhatIf(RELU, "scale", 1.0, element)]


def test_the_present_value_is_a_question_when_it_is_typed_and_not_set_already(qtbot, card):
    card.set_trace_state(end(TraceIndex(traces.worked())), RELU)
    found = requests(card)
    typed(qtbot, card, "set", "1.73")
    assert found == [WhatIf(RELU, "set", 1.73, (0, 1))], "nothing flows back into what made it any more"
    card.set_trace_state(end(supposed(*found, values={RELU: [[0.0, 1.73]]})), RELU)
    typed(qtbot, card, "set", "1.73")
    assert len(found) == 1 and not card.what_if.box.isVisible()


def test_what_is_no_number_is_not_applied(qtbot, card):
    card.set_trace_state(end(TraceIndex(traces.worked())), RELU)
    found = requests(card)
    card.what_if.open("set")
    card.what_if.box.lineEdit().setText("-")
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Return)
    assert found == [] and card.what_if.box.isVisible()


def test_a_whole_node_is_ablated_or_scaled(qtbot, card):
    card.set_trace_state(end(TraceIndex(traces.worked())), RELU)
    found = requests(card)
    card.what_if.scope.set_choices((("element", "of element"), ("node", "of all")), "node")
    qtbot.mouseClick(card.what_if.buttons["ablate"], Qt.MouseButton.LeftButton)
    card.what_if.open("scale")
    assert card.what_if.caption.text() == "all of relu ×"
    qtbot.keyClicks(card.what_if.box, "3")
    qtbot.keyClick(card.what_if.box, Qt.Key.Key_Enter)
    assert found == [WhatIf(RELU, "ablate", 0.0, None), WhatIf(RELU, "scale", 3.0, None)]


def test_the_mean_stands_for_all_rows(card):
    card.set_trace_state(end(TraceIndex(traces.dropout_net()), sample=None), traces.node(traces.dropout_net(), "relu"))
    found = requests(card)
    card.what_if.open("ablate")
    assert found[0].element[0] is None and len(found[0].element) == 2


def test_a_field_that_is_open_closes_when_another_node_is_shown(card):
    index = TraceIndex(traces.worked())
    card.set_trace_state(end(index), RELU)
    card.what_if.open("set")
    card.set_trace_state(end(index), RELU)
    assert card.what_if.box.isVisible()
    card.set_trace_state(end(index), 3)
    assert not card.what_if.box.isVisible()


def test_before_and_after_are_both_shown(card):
    index = supposed(WhatIf(RELU, "set", 9.0, (0, 1)), values={RELU: [[0.0, 9.0]]})
    card.set_trace_state(end(index), RELU)
    own = card._inputs.lines()[-1]
    assert (own.text, own.was) == ("[ 0 9 ]", "[ 0 1.730 ]")
    assert card._inputs.lines()[0].was == "", "z is the same"
    assert card._numbers.text() == "a[1] = 9, set by hand"
    assert "nothing flows back into what made this element" in card.what_if._note.text()
    assert "was [ 0 1.730 ]" in card._inputs.accessibleDescription()
    apply_theme(QApplication.instance(), DARK)
    card.grab()


def test_what_is_supposed_of_a_node_is_taken_back_there(qtbot, card):
    index = supposed(WhatIf(RELU, "scale", 2.0), values={RELU: [[0.0, 3.46]]})
    card.set_trace_state(end(index), RELU)
    assert card._numbers.text() == "a[1] = 2·(max(0, 1.73)) = 3.46"
    with qtbot.waitSignal(card.what_if.take_back_requested) as taken:
        qtbot.mouseClick(card.what_if.take_back, Qt.MouseButton.LeftButton)
    assert taken.args == [WhatIf(RELU, "scale", 2.0)]
    card.set_trace_state(end(index), 3)
    assert not card.what_if.take_back.isVisible()


def test_the_chosen_element_stays_when_something_is_supposed(card):
    index = supposed(WhatIf(1, "set", 2.0, (0, 0)))
    card.set_trace_state(end(index.original), 1)
    card.choose_element(2)
    card.set_trace_state(end(index), 1)
    assert card.element() == (1, 0)


def test_the_history_of_the_chosen_weight_stands_below_its_update(card):
    index = TraceIndex(traces.worked())
    label = index.node(1).label
    numbers = traces.array(np.linspace(0.0, 1.0, 5))
    card.history.set_history(WeightHistory(label, (0, 1), traces.array(np.arange(1, 6)), numbers, numbers, numbers))
    card.set_trace_state(end(index), 1)
    card.choose_element(1)
    assert card.history.isVisible()
    card.choose_element(0)
    assert not card.history.isVisible(), "that is another weight"


@pytest.mark.parametrize(
    ("what_if", "words"),
    [
        (WhatIf(1, "set", 0.7, (0, 1)), "dense 1.W[0,1] = 0.7"),
        (WhatIf(RELU, "ablate"), "dense 1.relu ablated"),
        (WhatIf(RELU, "scale", -0.5, (None, 1)), "dense 1.relu[:,1] × −0.5"),
    ],
)
def test_what_is_supposed_in_words(what_if, words):
    index = supposed(what_if)
    assert what_if_text.described(what_if, index, {"h1": "dense 1"}) == words
    assert what_if_text.losses(index) == "loss 1.628 → 0.5"


def test_a_local_derivative_says_where_it_is_cut():
    assert what_if_text.local("W", ()) == "W"
    assert what_if_text.local("W", (WhatIf(3, "scale", 0.5),)) == "0.5 · W"
    assert what_if_text.local("W", (WhatIf(3, "set", 0.5, (0, 1)),)) == "W, 0 where set"
    assert what_if_text.local("W", (WhatIf(3, "ablate"),)) == "0: set by hand"


def test_no_formula_claims_to_give_a_mean_that_is_partly_set():
    record = traces.dropout_net()
    relu = traces.node(record, "relu")
    index = TraceIndex(msgspec.structs.replace(record, what_ifs=(WhatIf(relu, "set", 1.0, (0, 0)),)), TraceIndex(record))
    assert substituted(end(index, sample=None), index.node(relu), (0,)) == ""
    assert substituted(end(index, sample=1), index.node(relu), (0,)) != ""


def test_after_the_update_the_question_is_about_what_the_forward_used(qtbot, card):
    index = TraceIndex(traces.worked())
    weight = traces.node(index.trace, "h1.weight")
    card.set_trace_state(end(index), weight)
    card.choose_element(2)
    card.what_if.open("set")
    assert card.what_if.box.value() == pytest.approx(0.8)
    assert "0.8" in card._inputs.lines()[0].text and card._inputs.lines()[0].label == "W used"


def test_a_row_has_what_it_was_though_other_rows_came_or_went():
    now, then = [Line("a", "1"), Line("b", "2")], [Line("a", "1"), Line("more", "7"), Line("b", "3")]
    index = supposed(WhatIf(RELU, "set", 5.0, (0, 1)))
    shown = chain.compared(lambda state, node: now if state.index is index else then, end(index), index.node(RELU))
    assert [line.was for line in shown] == ["", "3"]

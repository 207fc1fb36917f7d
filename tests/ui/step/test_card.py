"""The chain-rule card on the screen: it follows the cursor, picks rows and elements, asks for checks, and shows their results."""

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from nnviz.messages import GradientChecked
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.text.trails import Crumb
from nnviz.ui.step._breadcrumb import Breadcrumb
from nnviz.ui.step._chain_rule_card import KNOWN, NO_FORMULA, OWN_BACKWARD, ChainRuleCard
from nnviz.ui.step._time_bars import TimeBar
from nnviz.ui.theme.colors import DARK, LIGHT, MONO, SANS
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.lines import Line, Lines
from nnviz.ui.widgets.mono_tip import show_tip
from tests.ui import captured, traces


@pytest.fixture
def card(qtbot):
    card = ChainRuleCard()
    qtbot.addWidget(card)
    card.resize(330, 760)
    card.show()
    qtbot.waitExposed(card)
    return card


@pytest.fixture
def worked():
    return TraceIndex(traces.worked())


@pytest.fixture
def net():
    return TraceIndex(traces.dropout_net())


def _at(index, phase, label, sample=0):
    return TraceState(index, traces.place(index.trace, phase, label), sample)


def test_without_a_moment_it_is_empty(card):
    card.set_trace_state(None, None)
    assert card.node() is None and not card._body.isVisible()


def test_it_follows_the_cursor_until_a_node_is_chosen(card, worked):
    card.set_trace_state(_at(worked, "forward", "relu"), None)
    assert card.node().label == "relu"
    card.set_trace_state(_at(worked, "backward", "relu"), 3)
    assert card.node().label == "linear"


def test_an_element_stays_chosen_from_iteration_to_iteration(card, worked):
    weight = traces.node(worked.trace, "h1.weight")
    card.set_trace_state(TraceState(worked, worked.length, 0), weight)
    for place in (0, 3):
        card.choose_element(place)
        later = TraceIndex(msgspec.structs.replace(worked.trace, iteration=worked.trace.iteration + 1 + place))
        card.set_trace_state(TraceState(later, later.length, 0), weight)
        assert card.element() == (place // 2, place % 2)


def test_it_shows_formula_numbers_and_rows(card, worked):
    card.set_trace_state(_at(worked, "backward", "relu"), None)
    assert card._formula.text() == "a = max(0, z)"
    assert card._numbers.text() == "a[1] = max(0, 1.73) = 1.73"
    assert card._derivative.text() == "∂L/∂z = ∂L/∂a ⊙ [z > 0]"
    assert [line.text for line in card._rows.lines()] == ["[ 2.042 3.062 ]", "[ 0 1 ]", "3.062·1 = 3.062", "[ 0 3.062 ]"]
    assert card.element() == (1,)  # the one with the largest gradient


def test_before_backward_it_says_not_yet_and_cannot_check(card, worked):
    card.set_trace_state(_at(worked, "forward", "relu"), None)
    assert [line.text for line in card._rows.lines()][::2] == ["not computed yet"] * 2
    assert not card._check_row.button.isEnabled() and "step on" in card._check_row.button.toolTip()


def test_a_check_is_asked_for_and_its_result_shown(card, worked, qtbot):
    card.set_trace_state(_at(worked, "backward", "relu"), None)
    with qtbot.waitSignal(card.check_requested) as asked:
        qtbot.mouseClick(card._check_row.button, Qt.MouseButton.LeftButton)
    assert asked.args == [4, (0, 1)]
    card.set_check(GradientChecked(4, (0, 1), 3.0624, 3.0624 + 2e-9))
    assert card._check_row.result.text() == "finite difference 3.062 · autograd 3.062 · Δ 2e−9 ✓"
    assert not card._check_row.button.isVisible()
    card.set_trace_state(_at(worked, "backward", "relu"), 7)
    assert card._check_row.button.isVisible()  # the result is of another node


def test_a_check_of_a_small_gradient_agrees_as_far_as_the_loss_can_show(card, worked):
    card.set_trace_state(_at(worked, "backward", "relu"), None)
    card.set_check(GradientChecked(4, (0, 1), -3.862e-4, -3.815e-4, 1.2e-5))
    assert card._check_row.result.text().endswith("✓ as far as the rounding of the loss shows")
    assert card._check_row.result.property("role") == "agrees"
    card.set_check(GradientChecked(4, (0, 1), -3.862e-4, -3.815e-4, 1e-6))
    assert card._check_row.result.text().endswith("✗")


def test_a_check_that_disagrees_says_so(card, worked):
    card.set_trace_state(_at(worked, "backward", "relu"), None)
    card.set_check(GradientChecked(4, (0, 1), 3.0624, 2.5))
    assert card._check_row.result.text().endswith("✗")
    assert card._check_row.result.property("role") == "differs"


def test_rows_of_the_batch_and_the_mean_can_be_chosen(card, net, qtbot):
    card.set_trace_state(_at(net, "backward", "relu", 2), None)
    box = card._sample._box
    assert box.text() == "[2] of 8"
    with qtbot.waitSignal(card.sample_chosen) as row:
        qtbot.keyClick(box, Qt.Key.Key_Up)
    with qtbot.waitSignal(card.sample_chosen) as mean:
        box.setValue(-1)
    assert row.args == [3] and mean.args == [None]
    card.set_trace_state(_at(net, "backward", "relu", None), None)
    assert box.text() == "mean of 8"
    assert "one row" in card._check_row.button.toolTip()


def test_another_element_is_worked_out(card, worked):
    card.set_trace_state(_at(worked, "forward", "linear"), None)
    card._element._box.setValue(0)
    assert card._numbers.text().replace("\u00a0", " ") == "z[0] = 0.1·1.3 + 0.5·0.7 − 1.2 = −0.72"


def test_a_parameter_shows_the_optimizers_rows_after_its_update(card, worked):
    card.set_trace_state(TraceState(worked, worked.phase_spans["backward"][1], 0), 1)
    assert card._table.isVisible() and [row.value for row in card._table.shown()] == [None, None]
    card.set_trace_state(_at(worked, "update", "h1.weight"), 1)
    assert [row.symbol for row in card._table.shown()] == ["g", "Δθ"]
    assert card._table.shown()[0].value == pytest.approx(3.98112)
    card.set_trace_state(_at(worked, "update", "h1.weight"), 4)
    assert not card._table.isVisible()


def test_an_operation_without_a_formula_says_so(card, worked):
    bare = msgspec.structs.replace(worked.trace.nodes[4], formula="", derivative="")
    trace = msgspec.structs.replace(worked.trace, nodes=(*worked.trace.nodes[:4], bare, *worked.trace.nodes[5:]))
    card.set_trace_state(_at(TraceIndex(trace), "backward", "relu"), None)
    assert card._formula.text() == card._derivative.text() == NO_FORMULA
    assert card._rows.lines()[-1].text == "[ 0 3.062 ]"


def test_origins_lead_to_their_node(card, net, qtbot):
    relu = [node.id for node in net.trace.nodes if node.label == "relu"][1]
    card.set_trace_state(TraceState(net, net.length, 0), relu)
    with qtbot.waitSignal(card.node_clicked) as clicked:
        place = card._origins.boxes()[0].center().toPoint()
        qtbot.mouseClick(card._origins, Qt.MouseButton.LeftButton, pos=place)
    assert clicked.args == [traces.node(net.trace, "mul")]


def test_steps_without_a_node_show_where_the_data_enters(card, net):
    trace = msgspec.structs.replace(net.trace, steps=(msgspec.structs.replace(net.trace.steps[0], node=-1), *net.trace.steps[1:]))
    card.set_trace_state(TraceState(TraceIndex(trace), 1, 0), None)
    assert card.node().label == "x"


def test_titles_replace_layer_ids(card, net):
    card.set_titles({"h2": "dense 2"})
    card.set_trace_state(_at(net, "backward", "relu"), None)
    assert [crumb.text for crumb in card.breadcrumb.crumbs()] == ["dense 2", "relu"]


@pytest.mark.parametrize("width", [300, 330, 420])
def test_nothing_is_wider_than_the_card(card, net, width):
    card.resize(width, 760)
    for node in net.trace.nodes:
        card.set_trace_state(TraceState(net, net.length, 0), node.id)
        assert card._body.minimumSizeHint().width() <= width, node.label


def test_every_node_at_every_step_paints_in_both_themes(card, worked):
    for theme in (LIGHT, DARK):
        apply_theme(QApplication.instance(), theme)
        for cursor in range(worked.length + 1):
            for node in (None, *range(len(worked.trace.nodes))):
                card.set_trace_state(TraceState(worked, cursor, 0), node)
        assert not card.grab().isNull()


def test_a_chosen_node_says_so_and_can_be_let_go(card, worked, qtbot):
    card.set_trace_state(_at(worked, "backward", "relu"), None)
    assert not card.pin_row.isVisible()
    card.set_trace_state(_at(worked, "backward", "relu"), 3)
    assert card.pin_row.isVisible() and "The cursor is at relu of h1" in card.pin_row.accessibleDescription()
    with qtbot.waitSignal(card.pin_row.pin_requested) as pinned:
        qtbot.mouseClick(card.pin_row.pin, Qt.MouseButton.LeftButton)
    assert pinned.args == [True]
    card.set_trace_state(_at(worked, "backward", "relu"), 3, True)
    assert card.pin_row.accessibleDescription().startswith("pinned")
    with qtbot.waitSignal(card.pin_row.release_requested):
        qtbot.mouseClick(card.pin_row.release, Qt.MouseButton.LeftButton)


def test_choosing_a_node_moves_nothing_below_it(card, worked):
    card.set_trace_state(_at(worked, "backward", "relu"), None)
    QApplication.processEvents()
    before = [part.mapTo(card, part.rect().topLeft()).y() for part in (card._title, card._sample, card.what_if, card._forward)]
    card.set_trace_state(_at(worked, "backward", "relu"), 4)
    QApplication.processEvents()
    assert card.pin_row.isVisible()
    assert [part.mapTo(card, part.rect().topLeft()).y() for part in (card._title, card._sample, card.what_if, card._forward)] == before


def test_the_head_stays_while_the_body_is_scrolled(card, worked):
    card.resize(330, 260)
    card.set_trace_state(_at(worked, "backward", "linear"), None)
    QApplication.processEvents()
    bar = card._area.verticalScrollBar()
    assert bar.maximum() > 0
    bar.setValue(bar.maximum())
    for part in (card._title, card.breadcrumb):
        assert part.visibleRegion().boundingRect() == part.rect()


def test_every_part_of_the_way_is_a_click(card, worked, qtbot):
    card.set_trace_state(_at(worked, "backward", "relu"), None)
    (link,) = card.breadcrumb.links()
    with qtbot.waitSignal(card.group_clicked) as clicked:
        link.click()
    assert clicked.args == [4, 1]


def test_a_long_way_shows_its_end_and_has_all_of_it_in_the_tooltip(qtbot):
    way = Breadcrumb()
    qtbot.addWidget(way)
    way.resize(150, 22)
    way.set_trail(
        [Crumb("an encoder with a long name", 1), Crumb("self-attention", 2), Crumb("softmax")], "net.py:66", "/home/me/net.py:66"
    )
    assert "softmax" in way.text() and "encoder" not in way.text() and "…" in way.text()
    assert "an encoder with a long name › self-attention › softmax, net.py:66" in way.toolTip()


def test_a_long_sentence_is_broken_and_not_cut(card):
    lines = Lines(card)
    lines.resize(160, 100)
    lines.set_lines([Line("", "came from cross entropy of the loss · summed over the batch's 32 rows", "muted")])
    assert lines.boxes()[0].height() > 32


@pytest.mark.parametrize("kind", ["constant", "buffer"])
def test_what_no_operation_makes_says_what_it_is(card, kind):
    tape = traces.Tape()
    node = tape.add(kind, kind, np.array([1.0]))
    tape.add("operation", "neg", np.array([-1.0]), "", (node,))
    index = TraceIndex(tape.record(0.0))
    card.set_trace_state(TraceState(index, index.length, 0), node)
    assert card._formula.text() == KNOWN[kind] != NO_FORMULA


def test_lines_values_and_gradients_can_be_copied(card, worked, qtbot):
    card.set_trace_state(TraceState(worked, worked.length, 0), 3)
    QApplication.processEvents()
    place = card._inputs.mapTo(card, card._inputs.boxes()[-1].center().toPoint())
    menu = card.copy_menu(place)
    qtbot.addWidget(menu)
    acts = {action.text(): action for action in menu.actions()}
    clipboard = QApplication.clipboard()
    acts["Copy this line"].trigger()
    assert clipboard.text().startswith("z [ -0.72")
    values = {action.text(): action for action in acts["Copy the value as"].menu().actions()}
    values["numpy"].trigger()
    read = eval(clipboard.text(), {"np": np})
    assert read.tolist() == worked.array(worked.node(3).value)[0].tolist()
    gradient = {action.text(): action for action in acts["Copy the gradient as"].menu().actions()}
    gradient["torch"].trigger()
    assert clipboard.text().startswith("torch.tensor([0.0, 3.06")


def test_a_formula_is_copied_with_the_minus_of_the_keyboard(card, worked, qtbot):
    card.set_trace_state(_at(worked, "forward", "linear"), None)
    card._numbers.setSelection(0, len(card._numbers.text()))
    qtbot.keyClick(card._numbers, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "−" not in QApplication.clipboard().text() and "- " in QApplication.clipboard().text()


def test_matrices_in_tooltips_stand_in_the_font_of_numbers(qtbot):
    apply_theme(QApplication.instance(), LIGHT)
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    for text, family in (("W =\n[ 1 2 ]\n[ 3 4 ]", MONO), ("one line", SANS), ("W =\n[ 1 2 ]", MONO)):
        show_tip(QPoint(10, 10), text, widget)
        tip = next(one for one in QApplication.topLevelWidgets() if one.metaObject().className() == "QTipLabel" and one.isVisible())
        assert tip.text() == text and tip.textFormat() == Qt.TextFormat.PlainText
        assert tip.font().families()[0] == family
        assert tip.width() > tip.fontMetrics().horizontalAdvance(text.split("\n")[-1])
    QToolTip.hideText()


def test_a_backward_of_its_own_is_no_error(card):
    index = captured.index("custom_function")
    before = next(node for node in index.trace.nodes if node.operation == "linear")
    own = next(node for node in index.trace.nodes if node.operation == "StraightThrough")
    behind = [node for node in index.trace.nodes if node.operation == "linear"][1]
    state = TraceState(index, index.length, 0)
    for node, role in ((before, "supposed"), (behind, "differs")):
        card.set_trace_state(state, node.id)
        card.set_check(GradientChecked(node.id, card._elements.full(state, node), 0.0209, 0.0))
        assert card._check_row.result.property("role") == role
        assert ("StraightThrough is its own" in card._check_row.result.text()) == (node is before)
    card.set_trace_state(state, own.id)
    assert card._formula.text() == OWN_BACKWARD.format("StraightThrough")


def test_a_bar_leads_to_its_time_step(card, qtbot):
    card.time_bars.set_bars([TimeBar(1, 0.5, 11), TimeBar(0, None, 7), TimeBar(2, 2.0, 15)])
    assert [bar.moment for bar in card.time_bars.bars()] == [0, 1, 2]
    QApplication.processEvents()
    with qtbot.waitSignal(card.node_clicked) as clicked:
        qtbot.mouseClick(card.time_bars, Qt.MouseButton.LeftButton, pos=card.time_bars.boxes()[2].center().toPoint())
    assert clicked.args == [15]
    assert "t = 0: not computed yet" in card.time_bars.accessibleDescription() and not card.time_bars.grab().isNull()


def test_without_a_node_nothing_of_the_card_is_seen(card, worked):
    card.set_trace_state(_at(worked, "forward", "relu"), None)
    card.set_trace_state(None, None)
    assert not card._area.isVisible() and not card._title.isVisible() and not card.pin_row.isVisible()

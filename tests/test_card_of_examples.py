"""The chain-rule card over every kind of node of the examples' real traces: no operation, row or element makes it fail."""

import math
import re

import pytest

from nnviz import jobs
from nnviz.document.store import examples
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph.grouping import tree
from nnviz.ui.step._chain_rule_card import ChainRuleCard
from nnviz.ui.step.elements import row_shape


def of_each_kind(index):
    """The last node of each operation on operands of each shape: a deep net has many alike."""
    shapes = {node.id: tuple(index.node(source).shape for source in node.inputs) for node in index.trace.nodes}
    return {(node.kind, node.operation, node.shape, shapes[node.id]): node for node in index.trace.nodes}.values()


@pytest.mark.parametrize("name", examples.example_names())
def test_the_card_shows_every_node_row_and_element(qtbot, name):
    index = TraceIndex(jobs.trace_record(jobs.open_document(f"example:{name}", ()), 0, "textbook"))
    card = ChainRuleCard()
    qtbot.addWidget(card)
    for node in of_each_kind(index):
        for sample in (0, len(index.trace.rows) - 1, None):
            card.set_trace_state(TraceState(index, index.length, sample), node.id)
            for place in {0, math.prod(row_shape(node)) - 1}:
                card.choose_element(place)
                assert card.node().id == node.id and card._inputs.lines()


@pytest.mark.parametrize(
    "name", [f"example:{name}" for name in examples.example_names()] + ["template:lstm", "template:vae", "template:encoder"]
)
def test_the_card_explains_every_group(qtbot, name):
    index = TraceIndex(jobs.trace_record(jobs.open_document(name, ()), 0, "textbook"))
    card = ChainRuleCard()
    qtbot.addWidget(card)
    for group in tree(index.trace).root.walk():
        for cursor, sample in ((0, 0), (index.length // 2, None), (index.length, 0)):
            card.set_trace_state(TraceState(index, cursor, sample), group.chain[-1], folded=group.chain)
            assert "as one" in card._title.accessibleName() and "y = x[…]" not in card._formula.text()
            assert card._inputs.lines(), group.key


@pytest.mark.parametrize("name", ["template:lstm", "template:rnn", "template:bidirectional_gru"])
def test_what_the_last_state_of_an_unopened_layer_gets_is_not_taken_for_rows_of_its_outputs(qtbot, name):
    index = TraceIndex(jobs.trace_record(jobs.open_document(name, ()), 0, "layer"))
    card = ChainRuleCard()
    qtbot.addWidget(card)
    edge = next(edge for edge in index.trace.edges if edge.contribution and edge.contribution.shape != index.node(edge.source).shape)
    for sample in (0, len(index.trace.rows) - 1, None):
        state = TraceState(index, index.length, sample)
        assert state.row(edge.source, edge.contribution).shape == edge.contribution.shape
        card.set_trace_state(state, edge.source)
        card.set_trace_state(state, edge.target)
        assert card.node().id == edge.target and card._rows.lines()


def test_an_operand_all_rows_share_is_put_in_as_a_number(qtbot):
    index = TraceIndex(jobs.trace_record(jobs.open_document("example:batch_norm", ()), 0, "textbook"))
    card = ChainRuleCard()
    qtbot.addWidget(card)
    div = next(node for node in index.trace.nodes if node.operation == "div")
    card.set_trace_state(TraceState(index, index.length, 3), div.id)
    card.choose_element(1)
    first, second = (index.array(index.node(k).value) for k in div.inputs)
    said = float(card._numbers.text().rsplit(" = ", 1)[1].replace("−", "-"))
    assert card._numbers.text().startswith("q[1] = ")
    assert said == pytest.approx(first[3, 1] / second[0, 1], rel=1e-3)


def test_a_quotient_that_is_only_rounding_is_not_worked_out(qtbot):
    index = TraceIndex(jobs.trace_record(jobs.open_document("example:batch_norm", ()), 1, "textbook"))
    card = ChainRuleCard()
    qtbot.addWidget(card)
    div = next(node for node in index.trace.nodes if node.operation == "div")
    card.set_trace_state(TraceState(index, index.length, None), div.id)
    for place in range(math.prod(row_shape(div))):
        card.choose_element(place)
        if card._numbers.text():  # the mean over the rows is 0 but for rounding: each quotient has an own one
            above, below, said = (float(part) for part in re.split("[/=]", card._numbers.text().replace("−", "-").split(" = ", 1)[1]))
            assert said == pytest.approx(above / below, rel=1e-3, abs=0)


@pytest.mark.parametrize("name", ["worked_2-2-1", "moons", "residual"])
def test_the_card_shows_every_neuron_at_every_place(qtbot, name):
    index = TraceIndex(jobs.trace_record(jobs.open_document(f"example:{name}", ()), 0, "neurons"))
    card = ChainRuleCard()
    qtbot.addWidget(card)
    for node in index.trace.nodes[:: max(1, len(index.trace.nodes) // 60)]:
        for cursor in (0, index.length // 2, index.length):
            for sample in (0, None):
                card.set_trace_state(TraceState(index, cursor, sample), node.id)
                assert card.node().id == node.id and card._inputs.lines()

"""A folded group says what it does: its equations with values, what goes in and comes out, its gradients; never its last plumbing node."""

import numpy as np
import pytest

from nnviz import jobs
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.step._chain_rule_card import ChainRuleCard
from nnviz.ui.step._group_lines import Group, explained


def _index(name: str) -> TraceIndex:
    return TraceIndex(jobs.trace_record(jobs.open_document(name, ()), 0, "textbook"))


def _group(index: TraceIndex, *path: str, cursor: int | None = None) -> Group:
    nodes = [node.id for node in index.trace.nodes if node.group[: len(path)] == path]
    state = TraceState(index, index.length if cursor is None else cursor, 0)
    return Group(state, nodes, names.names(index.trace), {})


def test_an_lstm_is_its_equations_with_the_values_of_one_time_step():
    index = _index("template:lstm")
    group = _group(index, "r")
    said = explained(group)
    assert said.formula.count("\n") == 3 and "c_t = f_t·c₋ + i_t·g_t" in said.formula
    rows = {line.label: line for line in said.forward}
    assert "t = 11, of t = 0 … 11" in [line.text for line in said.forward]
    last = {names.names(index.trace)[node.id]: node for node in index.trace.nodes if "t=11" in node.group}
    for name in ("i_t", "f_t", "g_t", "o_t", "c_t", "h_t"):
        assert rows[name].node == last[name].id and rows[name].text == numbers.row(index.array(last[name].value)[0])
    assert {"in x", "W_ih", "W_hh", "b"} <= rows.keys()


def test_of_two_directions_the_values_are_those_of_one():
    index = _index("template:bidirectional_gru")
    named = names.names(index.trace)
    for node in [node for node in index.trace.nodes if named[node.id] == "h_t" and "t=3" in node.group]:
        said = explained(_group(index, "r", cursor=index.made_at[node.id]))
        rows = {line.label: line for line in said.forward}
        assert rows["h_t"].node == node.id
        assert {index.node(rows[name].node).group[:2] for name in ("r_t", "z_t", "n_t")} == {node.group[:2]}
        assert any(node.group[1] in line.text and "t = 3" in line.text for line in said.forward if not line.label)


def test_what_a_group_sends_back_is_the_sum_over_its_uses():
    index = _index("template:residual_mlp")
    layer = next(node.group[0] for node in index.trace.nodes if node.operation == "linear" and index.node(node.inputs[0]).gradient)
    group = _group(index, layer)
    line = next(line for line in explained(group).chain if line.label.startswith("sends"))
    parts = [edge for edge in index.out_edges[line.node] if edge.target in group.nodes]
    assert line.text == numbers.table(np.sum([index.array(edge.contribution)[0] for edge in parts], 0))


def test_nothing_is_said_of_a_gradient_that_has_not_come():
    index = _index("template:lstm")
    said = explained(_group(index, "r", cursor=60))
    assert all(line.text == "not computed yet" for line in said.chain)
    assert "t = 2, of t = 0 … 11" in [line.text for line in said.forward]


@pytest.mark.parametrize(
    ("name", "path", "formula"),
    [
        ("template:mlp", ("h1",), "z = x Wᵀ + b\na = "),
        ("template:encoder", ("e", "self_attn"), "softmax(Q Kᵀ/√d) V"),
        ("template:bidirectional_gru", ("r",), "h_t = (1 − z_t)·n_t + z_t·h₋"),
    ],
)
def test_known_groups_have_their_equations(name, path, formula):
    assert formula in explained(_group(_index(name), *path)).formula


def test_the_card_is_about_the_whole_group_and_then_about_a_node_of_it(qtbot):
    index = _index("template:lstm")
    group = _group(index, "r")
    card = ChainRuleCard()
    qtbot.addWidget(card)
    card.set_titles({"r": "memory"})
    card.set_trace_state(TraceState(index, index.length, 0), max(group.nodes), folded=group.nodes)
    assert "memory" in card._title.accessibleName() and "x[…]" not in card._formula.text()
    assert not card._check_row.isVisibleTo(card) and not card.what_if.isEnabled()
    card.set_trace_state(TraceState(index, index.length, 0), max(group.nodes))
    assert card._title.accessibleName().startswith(names.names(index.trace)[max(group.nodes)])
    assert card.what_if.isEnabled()

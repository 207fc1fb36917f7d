"""Groups inside groups, equal parts in a row, and where shared parameters stand: on what torch's own modules really do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.records import trace_places
from nnviz.ui.graph import layout, structure
from nnviz.ui.graph.grouping import tree
from tests.engine.experiments import HERE, experiment
from tests.ui import captured, traces

SIZE = (160.0, 62.0)
NESTED = ("lstm", "stacked_lstm_dropout", "bidirectional_gru", "encoder_decoder_transformer", "resnet18", "batch_norm_called_twice")


def _labelled(index, label):
    return next(node.id for node in index.trace.nodes if node.label == label)


def test_time_steps_are_equal_parts_of_one_group():
    groups = tree(captured.index("lstm").trace)
    steps = groups.groups["net/t=0…net/t=4"]
    assert steps.repeats and [group.title for group in steps.groups] == [f"t={t}" for t in range(5)]
    assert groups.path(steps.groups[2].chain[0]) == ("net", "net/t=0…net/t=4", "net/t=2")


def test_a_gate_is_a_group_of_its_own_in_its_time_step():
    groups = tree(captured.index("lstm").trace).groups
    gates = {group.title: group for group in groups["net/t=2"].groups}
    assert {"input gate", "forget gate", "candidate", "output gate"} <= gates.keys()
    assert all(len(gates[title].chain) > 1 for title in ("input gate", "forget gate", "candidate", "output gate"))


def test_a_part_of_one_operation_is_a_card_with_the_parts_name():
    index = captured.index("encoder_layer")
    names = [card.title for card in structure.diagram(index.trace).cards.values() if card.home == "net/self_attn"]
    assert "softmax" in names and "softmax" not in [group.title for group in tree(index.trace).groups.values()]


def test_a_shared_weight_stands_beside_all_who_share_it():
    index = captured.index("lstm")
    weight = _labelled(index, "net.weight_hh_l0")
    whole = frozenset(tree(index.trace).groups)
    folded = structure.diagram(index.trace, whole - {"net"})
    card = folded.cards[folded.card_of[weight]]
    assert card.nodes == (weight,) and folded.cards[card.owner].title == "t=0 … t=4"
    assert len(folded.cards[card.owner].groups) == 5
    (edge,) = folded.edges_at[card.key]
    assert len(edge.edges) == 5, "one contribution for each time step"
    assert structure.diagram(index.trace).cards[f"node {weight}"].owner == "net/t=0…net/t=4"


def test_one_of_equal_groups_opens_alone():
    index = captured.index("lstm")
    groups = tree(index.trace)
    everything = frozenset(groups.groups)
    inside = groups.groups["net/t=2"].chain[0]
    diagram = structure.diagram(index.trace, structure.opened(groups, everything, inside))
    assert [len(card.groups) for card in diagram.cards.values() if card.home == "net/t=0…net/t=4"] == [2, 2]
    assert diagram.around(inside) == groups.groups["net/t=2"].chain
    assert structure.closed(groups, structure.opened(groups, everything, inside), "net/t=0…net/t=4") == everything - {"net"}


def test_blocks_of_other_shapes_are_not_equal():
    groups = tree(captured.index("resnet18").trace).groups
    assert groups["net/4"].repeats and not groups["net/5"].repeats  # the first block of the second stage has a way around


def test_numbered_layers_of_a_person_are_no_repetition():
    groups = tree(traces.mlp((2, 6, 2), repeated=5)).groups
    assert not any(group.repeats for group in groups.values())


def test_a_large_graph_opens_its_only_group():
    index = captured.index("resnet18")
    groups = tree(index.trace)
    assert set(groups.groups) - structure.first_folds(groups, len(index.trace.nodes)) == {"net"}


@st.composite
def foldings(draw):
    index = captured.index(draw(st.sampled_from(NESTED)))
    keys = sorted(tree(index.trace).groups)
    return index, frozenset(draw(st.lists(st.sampled_from(keys), max_size=len(keys))))


@settings(max_examples=60)
@given(foldings())
def test_however_it_is_folded_every_node_and_edge_is_somewhere_and_nothing_overlaps(folding):
    index, folded = folding
    diagram = structure.diagram(index.trace, folded)
    shown = [node for card in diagram.cards.values() for node in card.nodes]
    assert len(shown) == len(set(shown)) and {edge.source for edge in index.trace.edges} <= set(shown)
    between = [edge for edge in index.trace.edges if diagram.card_of[edge.source] != diagram.card_of[edge.target]]
    assert sum(len(edge.edges) for edge in diagram.edges) == len(between)
    placement = layout.place(diagram, dict.fromkeys(diagram.cards, SIZE))
    assert set(placement.curves) == {(edge.source, edge.target) for edge in diagram.edges}
    boxes = sorted(placement.cards.values())
    for place, (x, y, w, h) in enumerate(boxes):
        for other in boxes[place + 1 :]:
            if other[0] >= x + w:
                break
            assert other[1] >= y + h or y >= other[1] + other[3]
    for edge in diagram.edges:
        if not diagram.cards[edge.source].owner:
            assert placement.cards[edge.source][0] + SIZE[0] < placement.cards[edge.target][0]


@settings(max_examples=30)
@given(foldings())
def test_however_it_is_folded_stepping_back_retraces_the_way(folding):
    index, folded = folding
    diagram = structure.diagram(index.trace, folded)

    def fellows(node):
        card = diagram.cards.get(diagram.card_of.get(node, ""))
        return card.nodes if card and card.folded else ()

    places = [0]
    while places[-1] < index.length:
        places.append(trace_places.over(index, places[-1], +1, fellows))
    back = [index.length]
    while back[-1]:
        back.append(trace_places.over(index, back[-1], -1, fellows))
    assert back == places[::-1]


@pytest.mark.parametrize("open_groups", [(), ("net",), ("net", "net/t=2")])
def test_a_card_of_equal_groups_is_one_step(open_groups):
    index = captured.index("lstm")
    folded = frozenset(tree(index.trace).groups) - set(open_groups)
    diagram = structure.diagram(index.trace, folded)
    places, cards = 1, []
    while index.trace.steps[places - 1].phase in ("batch", "forward"):
        places = trace_places.over(index, places, +1, lambda node: diagram.cards[diagram.card_of[node]].nodes)
        cards.append(diagram.cards[diagram.card_of[index.trace.steps[places - 1].node]])
    assert sum(len(card.groups) > 1 for card in cards) == len({card.key for card in diagram.cards.values() if len(card.groups) > 1})


def test_out_leaves_the_innermost_open_group():
    index = captured.index("lstm")
    folded = frozenset(tree(index.trace).groups) - {"net", "net/t=2"}
    diagram = structure.diagram(index.trace, folded)
    inside = tree(index.trace).groups["net/t=2"].chain
    behind = trace_places.out(index, index.made_at[inside[3]], diagram.around)
    assert index.trace.steps[behind - 1].node == tree(index.trace).groups["net/t=3"].chain[0]


@pytest.mark.parametrize("penalties", [{}, {"l1": 0.001}, {"l1": 0.001, "l2": 0.01}])
def test_weights_stay_with_their_layer_whatever_looks_at_them(penalties):
    document = experiment(**penalties)
    trace = to_record(capture_next(Trainer(document, load(document, HERE)), "textbook"))
    groups = tree(trace)
    parameters = [node for node in trace.nodes if node.kind == "parameter"]
    assert {node.label: groups.homes[node.id] for node in parameters} == {node.label: node.module for node in parameters}
    picture = structure.diagram(trace, frozenset(), groups)
    places = layout.place(picture, dict.fromkeys(picture.cards, SIZE))
    for node in parameters:
        x, y, width, height = places.cards[f"node {node.id}"]
        left, top, wide, high = places.frames[node.module]
        assert left < x < x + width < left + wide and top < y < y + height < top + high
    assert {(edge.source, edge.target) for edge in picture.edges} == set(places.curves)

"""Which cards, edges and groups a trace becomes."""

from nnviz.text import names as naming
from nnviz.ui.graph import structure
from nnviz.ui.graph.grouping import tree
from tests.ui import traces


def _cards(diagram, block):
    return [card for card in diagram.cards.values() if card.block == block]


def test_weights_stand_above_biases_and_masks_below():
    trace = traces.dropout_net()
    diagram = structure.diagram(trace)
    names = naming.names(trace)
    found = {names[card.shown]: (bool(card.owner), card.above) for block in ("h1", "d1") for card in _cards(diagram, block)}
    assert found == {
        "linear": (False, False),
        "W": (True, True),
        "b": (True, False),
        "relu": (False, False),
        "mul": (False, False),
        "mask": (True, False),
    }


def test_data_enters_as_a_card_of_its_own_and_the_target_stands_below_the_loss():
    trace = traces.worked()
    diagram = structure.diagram(trace)
    x, y, loss = (diagram.cards[diagram.card_of[traces.node(trace, label)]] for label in ("x", "y", "squared error"))
    assert not x.owner and x.home == structure.ROOT
    assert y.owner == loss.key and not y.above


def test_every_edge_is_behind_exactly_one_drawn_edge():
    trace = traces.dropout_net()
    drawn = [edge for edge in structure.diagram(trace).edges for edge in edge.edges]
    assert sorted(drawn) == sorted((edge.source, edge.target) for edge in trace.edges)


def test_a_folded_group_is_one_card_that_shows_its_last_value():
    trace = traces.dropout_net()
    diagram = structure.diagram(trace, frozenset({"h1"}))
    (card,) = _cards(diagram, "h1")
    assert card.folded and len(card.nodes) == 4
    assert trace.nodes[card.shown].operation == "relu"
    assert {edge.target for edge in diagram.edges if edge.source == card.key} == {diagram.card_of[traces.node(trace, "relu") + 3]}


def test_the_skeleton_ignores_numbers_but_not_structure():
    assert structure.skeleton(traces.mlp(seed=1)) == structure.skeleton(traces.mlp(seed=2, batch=5))
    assert structure.skeleton(traces.mlp()) != structure.skeleton(traces.mlp((2, 4, 2)))


def test_all_groups_can_be_folded_but_not_single_inputs():
    assert set(tree(traces.dropout_net()).groups) == {"h1", "h2", "d1", "out"}


def test_names_are_short_and_know_normalisations():
    tape = traces.Tape()
    x = tape.add("input", "x", [[1.0, 2.0]])
    scale = tape.add("parameter", "n1.weight", [1.0, 1.0], "n1")
    shift = tape.add("parameter", "n1.bias", [0.0, 0.0], "n1")
    mean = tape.add("buffer", "n1.running_mean", [0.0, 0.0], "n1")
    tape.add("operation", "batch_norm", [[1.0, 2.0]], "n1", (x, scale, shift, mean))
    assert list(naming.names(tape.record(0.0)).values()) == ["x", "γ", "β", "running μ", "batch norm"]


def test_an_unused_buffer_is_not_drawn():
    tape = traces.Tape()
    x = tape.add("input", "x", [[1.0]])
    counter = tape.add("buffer", "n1.num_batches_tracked", 3.0, "n1")
    relu = tape.add("operation", "relu", [[1.0]], "n1", (x,))
    diagram = structure.diagram(tape.record(0.0))
    assert counter not in diagram.card_of and relu in diagram.card_of


def test_a_folded_group_shows_what_others_use_of_it():
    tape = traces.Tape()
    x = tape.add("input", "x", [[1.0]])
    output = tape.add("operation", "tanh", [[1.0]], "r", (x,))
    tape.add("operation", "stack", [[1.0]], "r", (output,))  # a last state that nobody uses
    tape.add("operation", "linear", [[1.0]], "out", (output,))
    (card,) = _cards(structure.diagram(tape.record(0.0), frozenset({"r"})), "r")
    assert card.shown == output

"""Which marks a card and a neuron bear, from when on, and what their tooltips say."""

import msgspec
import numpy as np
import pytest

from nnviz.records.trace_record import NodeMarks
from nnviz.ui.graph import marks, strips, structure
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_states import CardScales
from tests.ui import traces


def marked(found: NodeMarks, label: str = "relu"):
    trace = traces.worked()
    nodes = [msgspec.structs.replace(node, marks=found) if node.label == label else node for node in trace.nodes]
    return msgspec.structs.replace(trace, nodes=tuple(nodes))


@pytest.mark.parametrize(
    ("found", "mark", "word"),
    [
        (NodeMarks(dead=1, units=2, elements=2), "dead", "1 of 2 units are 0"),
        (NodeMarks(saturated=2, units=2, elements=2), "saturated", "2 of 2 elements"),
        (NodeMarks(non_finite=1, elements=2), "non_finite", "NaN or infinite"),
    ],
)
def test_a_mark_comes_with_the_value_and_is_explained(found, mark, word):
    trace = marked(found)
    relu, place = traces.node(trace, "relu"), traces.place(trace, "forward", "relu")
    before, after = traces.state(trace, place - 1), traces.state(trace, place)
    assert marks.marks(before, relu) == () and marks.marks(after, relu) == (mark,)
    diagram, scales = structure.diagram(trace), CardScales(after)
    card = diagram.cards[diagram.card_of[relu]]
    assert scales.node_state(after, card, Appearance()).marks == (mark,)
    said = scales.tooltip(after, card, Appearance())
    assert word in said and "Not computed" not in said


def test_a_lock_is_on_from_the_start():
    trace = marked(NodeMarks(frozen=True), "h1.weight")
    assert marks.marks(traces.state(trace, 1), traces.node(trace, "h1.weight")) == ("frozen",)


def test_a_few_saturated_elements_mark_no_node():
    trace = marked(NodeMarks(saturated=1, units=8, elements=8))
    assert marks.marks(traces.state(trace, len(trace.steps)), traces.node(trace, "relu")) == ()


def test_what_is_not_finite_is_named_even_where_it_has_no_cell():
    trace = traces.dropout_net()
    weight = trace.nodes[traces.node(trace, "h2.weight")]
    values = np.ones(weight.shape)
    values[-1, -1] = np.nan  # beyond the cells
    node = msgspec.structs.replace(weight, value=traces.tensor(values))
    trace = msgspec.structs.replace(trace, nodes=tuple(node if other.id == node.id else other for other in trace.nodes))
    assert strips.value_strip(traces.state(trace, 1), node).bad == "NaN"


def test_a_dropped_neuron_is_crossed_out_in_its_rows_only():
    from nnviz import jobs
    from nnviz.document import edits
    from nnviz.records.tensors import to_numpy
    from nnviz.records.trace_index import TraceIndex
    from nnviz.records.trace_state import TraceState
    from nnviz.ui.graph import _neuron_diagram
    from nnviz.ui.graph.neuron_states import NeuronScales

    document = jobs.open_document("example:moons")
    experiment = edits.add_layer(document.experiment, "dropout", between=("h1", "h2"))
    index = TraceIndex(jobs.trace_record(jobs.OpenedFile(experiment, document.folder), 0, "neurons"))
    diagram = _neuron_diagram.diagram(index)
    masks = [node for node in index.trace.nodes if node.dropped is not None]
    for row in (0, 5, None):
        state = TraceState(index, len(index.trace.steps), row)
        scales = NeuronScales(state, diagram)
        for mask in masks:
            seen = scales.node_state(state, diagram.cards[diagram.card_of[mask.id]], Appearance())
            struck = to_numpy(mask.dropped)
            assert ("dropped" in seen.marks) == bool(struck.all() if row is None else struck[row])

"""What colours and widths tell: values, gradients, contributions, updates; only what is there, and one outlier drowns nothing."""

import msgspec
import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from nnviz.ui.graph import structure
from nnviz.ui.graph._card_face import paint_edge
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_states import CardScales
from nnviz.ui.graph.graph_items import EdgeItem
from nnviz.ui.graph.strips import COLORINGS
from nnviz.ui.theme.colors import LIGHT
from tests.ui import traces


def shown(trace, cursor, coloring, label, sample=0):
    state = traces.state(trace, cursor, sample)
    diagram, scales = structure.diagram(trace), CardScales(state)
    card = diagram.cards[diagram.card_of[traces.node(trace, label)]]
    return scales.node_state(state, card, Appearance(coloring=coloring))


def widths(trace, cursor, coloring):
    state = traces.state(trace, cursor)
    scales = CardScales(state)
    edges = structure.diagram(trace).edges
    return {edge.edges[0]: abs(scales.edge_state(state, edge, Appearance(coloring=coloring)).size or 0.0) for edge in edges}


@pytest.mark.parametrize(
    ("coloring", "label", "phase", "at"),
    [
        ("value", "relu", "forward", "relu"),
        ("gradient", "relu", "backward", "linear"),
        ("contribution", "relu", "backward", "relu"),
        ("update", "h1.weight", "update", "h1.weight"),
    ],
)
def test_a_size_is_there_from_its_step_on(coloring, label, phase, at):
    trace = traces.worked()
    place = traces.place(trace, phase, at)
    assert shown(trace, place - 1, coloring, label).size is None
    assert 0 < abs(shown(trace, place, coloring, label).size) <= 1


def test_the_cells_follow():
    trace = traces.worked()
    end = len(trace.steps)
    added = shown(trace, end, "update", "h1.weight").value
    assert added.label == "Δθ" and added.kind == "update"
    assert added.values == pytest.approx((0, 0, -0.1 * 3.98112, -0.1 * 2.14368))
    sent = shown(trace, end, "contribution", "relu").gradient
    assert sent.values == pytest.approx((0, 2.552 * 1.2)) and sent.kind == "contribution"
    assert shown(trace, end, "value", "h1.weight").value.label == "θ"


def test_a_contribution_is_one_addend_and_the_gradient_their_sum():
    """x goes to both inputs of the product: each edge carries its own part."""
    tape = traces.Tape()
    x = tape.add("input", "x", np.array([[1.0]]))
    a = tape.add("operation", "relu", np.array([[1.0]]), "h", (x,))
    one, two = (tape.add("operation", name, np.array([[1.0]]), "h", (a,)) for name in ("exp", "log"))
    for target, part in ((one, 3.0), (two, 0.1)):
        tape.back(a, target, np.array([[part]]))
    trace = tape.record(0.0)
    end = len(trace.steps)
    by_part, whole = widths(trace, end, "contribution"), widths(trace, end, "gradient")
    assert by_part[a, one] > by_part[a, two] and whole[a, one] == whole[a, two]


@pytest.mark.parametrize("coloring", COLORINGS)
def test_one_outlier_leaves_the_others_apart(coloring):
    trace = traces.mlp(repeated=3)
    node = trace.nodes[traces.node(trace, "h1.weight")]
    huge = traces.tensor(np.full(node.shape, 1e6))
    edges = [msgspec.structs.replace(e, contribution=huge) if e.source == node.id else e for e in trace.edges]
    update = trace.updates[0]
    updates = (msgspec.structs.replace(update, after=huge), *trace.updates[1:])
    nodes = [msgspec.structs.replace(n, value=huge, gradient=huge) if n.id == node.id else n for n in trace.nodes]
    wild = msgspec.structs.replace(trace, nodes=tuple(nodes), edges=tuple(edges), updates=updates)
    sizes = CardScales(traces.state(wild, len(wild.steps))).sizes(coloring)
    others = [abs(size) for id, size in sizes.items() if id not in (node.id, traces.node(wild, "linear"))]
    assert max(others) > 0.3


@pytest.mark.parametrize(("coloring", "sign"), [("value", 1), ("gradient", -1)])
def test_nodes_and_edges_have_the_colour_of_the_sign(qapp, coloring, sign):
    """A value of 2 whose gradient is −3: blue by its value, orange by its gradient."""
    tape = traces.Tape()
    x = tape.add("input", "x", np.array([[1.0]]))
    a = tape.add("operation", "relu", np.array([[2.0]]), "h", (x,))
    b = tape.add("operation", "exp", np.array([[1.0]]), "h", (a,))
    tape.back(a, b, np.array([[-3.0]]))
    trace = tape.record(0.0)
    state = traces.state(trace, len(trace.steps))
    scales, diagram = CardScales(state), structure.diagram(trace)
    edge, look = next(edge for edge in diagram.edges if edge.edges == ((a, b),)), Appearance(coloring=coloring)
    assert np.sign(scales.node_state(state, diagram.cards[diagram.card_of[a]], look).size) == sign
    shown = scales.edge_state(state, edge, look)
    assert np.sign(shown.size) == sign and shown.returned
    item = EdgeItem(edge, [(0, 10), (10, 10), (20, 10), (40, 10)], paint_edge)
    assert _pixel_of(item, shown) == ("blue" if sign > 0 else "orange")


def _pixel_of(item, state) -> str:
    item.set_state(state)
    picture = QImage(40, 20, QImage.Format.Format_RGB32)
    picture.fill(LIGHT.color("panel"))
    painter = QPainter(picture)
    item.paint(painter, None)
    painter.end()
    color = picture.pixelColor(20, 10)
    return "blue" if color.blue() > color.red() else "orange"


def test_the_range_is_printed():
    from nnviz.ui.graph._speech import scale_caption

    state = traces.state(traces.worked(), 3)
    limits = CardScales(state).limits
    assert "update ±" in scale_caption(limits, "update") and "update" not in scale_caption(limits)

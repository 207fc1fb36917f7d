"""A trace of neurons on the screen: what is a circle, what is a link, what stands on them, and that the same clicks and keys work."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF

from nnviz import jobs
from nnviz.document import edits
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import _neuron_diagram
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_states import CardState
from nnviz.ui.graph.graph_items import ON_EDGE
from nnviz.ui.graph.neuron_states import NeuronScales, NeuronState
from nnviz.ui.step import _neuron_lines
from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import mono


@functools.cache
def index(example: str = "worked_2-2-1", iteration: int = 0) -> TraceIndex:
    return TraceIndex(jobs.trace_record(jobs.open_document(f"example:{example}"), iteration, "neurons"))


def node(of: TraceIndex, label: str, layer: str = "") -> int:
    return next(one.id for one in of.trace.nodes if one.label == label and layer in ("", *one.group))


def place(of: TraceIndex, phase: str, id: int) -> int:
    return next(step.index + 1 for step in of.trace.steps if step.phase == phase and id in (step.node, *step.others))


# --- what is drawn ---


def shown(of: TraceIndex):
    """The diagram; for every link its weight; for every circle its centre; the layout."""
    diagram = _neuron_diagram.diagram(of)
    placement = _neuron_diagram.place(of, diagram)
    centres = {diagram.cards[key].shown: (x + w / 2, y + h / 2) for key, (x, y, w, h) in placement.cards.items()}
    return diagram, {edge.edges[0]: edge.weight for edge in diagram.edges}, centres, placement


def test_weights_hang_on_links_and_biases_on_circles():
    of = index()
    diagram, weights, *_ = shown(of)
    assert {of.node(card.shown).kind for card in diagram.cards.values()} == {"input", "operation", "loss"} and len(diagram.cards) == 9
    x, z, w, b = (node(of, label) for label in ("x[0]", "linear[1]", "h1.weight[1, 0]", "h1.bias[1]"))
    card = diagram.cards[diagram.card_of[z]]
    assert weights[x, z] == w and card.bias == b
    assert diagram.card_of[w] == diagram.card_of[b] == card.key and set(card.nodes) >= {z, w, b}
    assert sum(weight is not None for weight in weights.values()) == 6


@pytest.mark.parametrize("example", ["worked_2-2-1", "moons", "residual"])
def test_circles_stand_apart_and_links_run_to_the_right_or_down(example):
    of = index(example)
    diagram, weights, centres, placement = shown(of)
    diameter = next(iter(placement.cards.values()))[2]
    assert set(centres) == {card.shown for card in diagram.cards.values()}
    for (ax, ay), (bx, by) in itertools.combinations(centres.values(), 2):
        assert (ax - bx) ** 2 + (ay - by) ** 2 >= (diameter + 8) ** 2
    for source, target in weights:
        (sx, _), (tx, _) = centres[source], centres[target]
        assert sx < tx or (sx == tx and of.node(source).kind == "input")
    assert all(width > diameter < height for _, _, width, height in placement.frames.values())


def test_a_mask_stands_on_the_links_it_multiplies():
    document = jobs.open_document("example:worked_2-2-1")
    dropping = replace(document, experiment=edits.add_layer(document.experiment, "dropout", between=("h1", "out")))
    of = TraceIndex(jobs.trace_record(dropping, 0, "neurons"))
    diagram, weights, *_ = shown(of)
    drawn = {card.shown for card in diagram.cards.values()}
    masks = [one for one in of.trace.nodes if one.dropped is not None]
    assert masks and all(one.id not in drawn and one.id in weights.values() for one in masks)


def test_a_weight_that_works_at_every_time_step_is_on_a_link_of_each(view):
    of = TraceIndex(jobs.trace_record(jobs.open_document("resources/templates/recurrent_neuron.json"), 0, "neurons"))
    _, weights, *_ = shown(of)
    weight = node(of, "r.weight_ih_l0[0, 0]")
    steps = [link for link, on_it in weights.items() if on_it == weight]
    assert len(steps) == 5 and len({target for _, target in steps}) == 5
    view.set_trace_state(TraceState(of, len(of.trace.steps), 0))
    assert len({view.scene().tooltip(_link(view, *link)).splitlines()[1] for link in steps}) == 1


# --- what they say ---


def states(of: TraceIndex, cursor: int, sample: int | None = 0, coloring: str = "value"):
    state, diagram, look = TraceState(of, cursor, sample), _neuron_diagram.diagram(of), Appearance(coloring=coloring)
    scales = NeuronScales(state, diagram)
    circles = {card.shown: scales.node_state(state, card, look) for card in diagram.cards.values()}
    links = {edge.edges[0]: scales.edge_state(state, edge, look) for edge in diagram.edges}
    return circles, links


def test_not_computed_yet_is_not_zero():
    of = index()
    z = node(of, "linear[0]", "h1")
    before, after = (states(of, place(of, "forward", z) - back)[0][z] for back in (1, 0))
    assert before.value is None and before.size is None and (after.value.text, after.phase) == ("−0.72", "forward")
    zero = states(of, len(of.trace.steps))[0][node(of, "relu[0]")]
    assert zero.value.text == "0" and zero.size == 0.0


def test_a_link_shows_its_weight_and_once_it_is_there_its_gradient():
    of = index()
    x, z = node(of, "x[0]"), node(of, "linear[1]")
    back = place(of, "backward", z)
    assert states(of, back - 1)[1][x, z].labels == (("positive", "0.8"),)
    assert states(of, back)[1][x, z].labels == (("positive", "0.8"), ("backward", "∂ 3.981"))
    a, out = node(of, "relu[1]"), node(of, "linear[0]", "out")
    assert not states(of, 5)[1][a, out].returned and states(of, back)[1][a, out].returned


@pytest.mark.parametrize("coloring", ["value", "gradient", "contribution", "update"])
def test_colours_follow_what_is_chosen_and_only_what_is_there(coloring):
    of = index()
    first, last = states(of, 1, coloring=coloring), states(of, len(of.trace.steps), coloring=coloring)
    known = [link.size for link in last[1].values() if link.size is not None]
    assert known and all(-1 <= share <= 1 for share in known) and max(map(abs, known)) > 0.75
    if coloring != "value":
        assert all(link.size is None for link in first[1].values())


def test_one_outlier_does_not_stretch_the_scale():
    from nnviz.ui.widgets.color_scale import robust_limit

    assert robust_limit([0.1, -0.2, 0.3, 50.0]) <= 0.3
    assert robust_limit([1.0, 2.0, float("nan"), float("inf")]) <= 2.0
    assert robust_limit([0.5]) == 0.5 and robust_limit([]) == 0.0


# --- the card ---


def texts(lines) -> dict[str, str]:
    return {line.label: line.text for line in lines}


def test_the_weighted_sum_is_written_out_and_multiplies_out():
    of = index()
    z = of.node(node(of, "linear[1]"))
    state = TraceState(of, place(of, "forward", z.id), 0)
    assert _neuron_lines.equation(state, z) == "z[1] = 1.3·0.8 + 0.7·(−0.3) + 0.9 = 1.73"
    said = texts(_neuron_lines.forward_lines(state, z))
    assert said["x[0] · W[1, 0]"] == "1.3 · 0.8 = 1.04" and said["+ b[1]"] == "0.9" and said["z[1]"] == "1.73"


def test_every_weight_gets_upstream_times_its_input():
    of = index()
    z = of.node(node(of, "linear[1]"))
    said = texts(_neuron_lines.chain_lines(TraceState(of, place(of, "backward", z.id), 0), z))
    assert said["upstream ∂L/∂z[1]"] == "3.062"
    assert said["∂L/∂W[1, 0]"] == "3.062 × 1.3 = 3.981" and said["∂L/∂b[1]"] == "3.062 × 1 = 3.062"
    early = texts(_neuron_lines.chain_lines(TraceState(of, 3, 0), z))
    assert set(early.values()) == {"not computed yet"}


def test_a_mean_over_rows_shows_no_products():
    of = index("moons")
    z = of.node(node(of, "linear[1]", "h2"))
    cursor = place(of, "backward", z.id)
    row, mean = (_neuron_lines.chain_lines(TraceState(of, cursor, sample), z) for sample in (0, None))
    assert any("×" in line.text for line in row) and not any("×" in line.text for line in mean[:-1])
    assert "mean" in mean[-1].text
    assert any("sum over the batch's 32 rows" in line.text for line in row)


# --- the view ---


def _link(view, source, target):
    cards = view.scene().diagram.card_of
    return view.scene().edges[cards[source], cards[target]]


def _middle(view, item) -> QPoint:
    return view.mapFromScene(item.scenePos())


def test_clicks_choose_neurons_and_links_their_weights(view, qtbot):
    of = index()
    view.set_trace_state(TraceState(of, 9, 0))
    chosen = []
    view.node_clicked.connect(chosen.append)
    z, x = node(of, "linear[1]"), node(of, "x[1]")
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=_middle(view, view.scene().card_of(z)))
    link = _link(view, x, z)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.mapFromScene(link.point(0.2)))
    assert chosen == [z, node(of, "h1.weight[1, 1]")]


def test_the_view_changes_between_cards_and_circles(view):
    of = index()
    view.set_trace_state(TraceState(of, 3, 0))
    assert isinstance(view.scene().card_of(node(of, "linear[1]")).state, NeuronState) and "linear[1]" in view.accessibleDescription()
    view.set_trace_state(TraceState(of.whole, 3, 0))
    assert all(isinstance(item.state, CardState) for item in view.scene().cards.values())
    view.set_trace_state(None)
    assert view.notice.isVisible()


def test_a_step_changes_only_what_it_is_about(view):
    of = index("moons")
    z = node(of, "linear[1]", "h2")
    view.set_trace_state(TraceState(of, place(of, "forward", z) - 1, 0))
    before = {key: item.state for key, item in view.scene().cards.items()}
    view.set_trace_state(TraceState(of, place(of, "forward", z), 0))
    changed = [item.card.shown for key, item in view.scene().cards.items() if item.state != before[key]]
    assert set(changed) == {z, node(of, "linear[0]", "h2")}


def test_tooltips_tell_the_full_numbers(view):
    of = index()
    view.set_trace_state(TraceState(of, len(of.trace.steps), 0))
    scene, z, x = view.scene(), node(of, "linear[1]"), node(of, "x[0]")
    circle, link = scene.tooltip(scene.card_of(z)), scene.tooltip(_link(view, x, z))
    assert "gradient 3.062" in circle and "b[1]: value" in circle
    assert "x[0] → z[1]" in link and "gradient 3.981" in link


def test_a_bias_badge_stays_in_its_frame_and_labels_stand_apart(qapp):
    of = index()
    diagram, _, centres, placement = shown(of)
    widest = QFontMetricsF(mono(SMALL)).horizontalAdvance("b −0.0552  ∂ −2.552") + 10
    for neuron in (card.shown for card in diagram.cards.values() if card.bias is not None):
        x = centres[neuron][0]
        frame = next(box for box in placement.frames.values() if box[0] <= x <= box[0] + box[2])
        assert frame[0] <= x - widest / 2 and x + widest / 2 <= frame[0] + frame[2]
    labelled = [edge.edges[0] for edge in diagram.edges if edge.lines[0]]
    heights = sorted(_label_height(centres, link) for link in labelled if of.node(link[1]).group[0] == "h1")
    assert len(heights) == 4 and min(b - a for a, b in itertools.pairwise(heights)) >= 2 * 13 + 14, "two lines and air"


def _label_height(centres, link) -> float:
    (_, start), (_, end) = (centres[end] for end in link)
    return start + ON_EDGE * (end - start)

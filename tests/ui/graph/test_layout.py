"""Places of cards and edges: nothing overlaps, everything flows to the right, edges avoid cards."""

import itertools

import pytest

from nnviz.ui.graph import layout, structure
from nnviz.ui.widgets import layered_order
from tests.ui import traces

SIZE = (160.0, 62.0)


def _placed(trace, folded=frozenset()):
    diagram = structure.diagram(trace, folded)
    return diagram, layout.place(diagram, dict.fromkeys(diagram.cards, SIZE))


def _overlap(a, b):
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _inside(a, b):
    return b[0] <= a[0] and a[0] + a[2] <= b[0] + b[2] and b[1] <= a[1] and a[1] + a[3] <= b[1] + b[3]


def _crossed(curve, boxes, ends):
    """The cards other than its own ends that a curve runs through."""
    pieces = [curve[start : start + 4] for start in range(0, len(curve) - 1, 3)]
    points = [_point(piece, step / 24) for piece in pieces for step in range(25)]
    return [key for key, (x, y, w, h) in boxes.items() if key not in ends and any(x < px < x + w and y < py < y + h for px, py in points)]


def _point(piece, t):
    shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return tuple(sum(share * point[axis] for share, point in zip(shares, piece, strict=True)) for axis in (0, 1))


def residual():
    """x → h1 → h2 → add, and h1 → add around h2."""
    tape = traces.Tape()
    x = tape.add("input", "x", [[1.0]])
    first = tape.add("operation", "relu", [[1.0]], "h1", (x,))
    weight = tape.add("parameter", "h2.weight", [[1.0]], "h2")
    second = tape.add("operation", "linear", [[1.0]], "h2", (first, weight))
    total = tape.add("operation", "add", [[2.0]], "add", (first, second))
    for source, target in ((x, first), (first, second), (weight, second), (first, total), (second, total)):
        tape.back(source, target, None)
    return tape.record(0.0)


def branches(width=3):
    """x into several layers side by side, then joined."""
    tape = traces.Tape()
    x = tape.add("input", "x", [[1.0]])
    parts = [tape.add("operation", "relu", [[1.0]], f"branch{k}", (x,)) for k in range(width)]
    total = tape.add("operation", "cat", [[1.0] * width], "join", tuple(parts))
    for part in parts:
        tape.back(x, part, None)
        tape.back(part, total, None)
    return tape.record(0.0)


@pytest.mark.parametrize("trace", [traces.worked(), traces.dropout_net(), traces.mlp((2, 8, 2), repeated=12), residual(), branches()])
def test_cards_and_frames_never_overlap(trace):
    diagram, placement = _placed(trace)
    assert set(placement.cards) == set(diagram.cards)
    assert not any(_overlap(a, b) for a, b in itertools.combinations(placement.cards.values(), 2))
    for one, other in itertools.combinations(placement.frames, 2):
        if one != diagram.blocks[other].parent:
            assert not _overlap(placement.frames[one], placement.frames[other])
    for key, card in diagram.cards.items():
        assert card.home == structure.ROOT or _inside(placement.cards[key], placement.frames[card.home])


@pytest.mark.parametrize("trace", [traces.worked(), traces.dropout_net(), residual(), branches()])
def test_the_chain_reads_from_left_to_right(trace):
    diagram, placement = _placed(trace)
    for edge in diagram.edges:
        source, target = placement.cards[edge.source], placement.cards[edge.target]
        if diagram.cards[edge.source].owner:
            assert source[0] == target[0]
        else:
            assert source[0] + source[2] < target[0]


def test_a_plain_chain_is_straight():
    diagram, placement = _placed(traces.worked())
    main = [placement.cards[key] for key, card in diagram.cards.items() if not card.owner]
    assert {y + h / 2 for _, y, _, h in main} == {0.0}


@pytest.mark.parametrize("trace", [traces.dropout_net(), residual(), branches()])
def test_no_edge_runs_through_a_card(trace):
    _, placement = _placed(trace)
    for ends, curve in placement.curves.items():
        assert _crossed(curve, placement.cards, ends) == []


def test_an_edge_around_cards_also_goes_around_their_frame():
    diagram, placement = _placed(residual())
    first, total = diagram.card_of[1], diagram.card_of[4]
    frame = placement.frames["h2"]
    inside = [point for point in placement.curves[first, total] if frame[0] < point[0] < frame[0] + frame[2]]
    assert inside and all(not frame[1] <= y <= frame[1] + frame[3] for _, y in inside)


def test_buffers_below_each_other_are_joined_along_the_side():
    tape = traces.Tape()
    x = tape.add("input", "x", [[1.0]])
    parts = [tape.add("buffer", f"n.{name}", [1.0], "n") for name in ("running_mean", "running_var")]
    norm = tape.add("operation", "batch_norm", [[1.0]], "n", (x, *parts))
    for part in (x, *parts):
        tape.back(part, norm, None)
    diagram, placement = _placed(tape.record(0.0))
    far = placement.curves[diagram.card_of[parts[1]], diagram.card_of[norm]]
    assert _crossed(far, placement.cards, (diagram.card_of[parts[1]], diagram.card_of[norm])) == []
    assert min(x for x, _ in far) < placement.cards[diagram.card_of[norm]][0]


def test_order_without_edges_falls_back_and_loses_no_node():
    assert layered_order.ordered(["a", "b", "c"], set()) == {"a": 0, "b": 0, "c": 0}


def test_a_cycle_is_refused():
    with pytest.raises(ValueError, match="cycle"):
        layered_order.ordered(["a", "b"], {("a", "b"), ("b", "a")})


def test_branches_do_not_cross():
    links = {("x", k) for k in "abc"} | {(k, k.upper()) for k in "abc"} | {(k.upper(), "y") for k in "abc"}
    columns = layered_order.ordered(["x", "c", "a", "b", "B", "C", "A", "y"], links)
    first = [key for key, column in columns.items() if column == 1]
    second = [key for key, column in columns.items() if column == 2]
    assert [key.upper() for key in first] == second

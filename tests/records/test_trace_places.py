import pytest

from nnviz.records import trace_places
from tests.session.traces import B1, LENGTH, LOSS, W1, Z1, Z2, X, Y, index

# places: 0 start · 1 batch · 2 z1 3 a1 4 z2 · 5 loss · 6 loss 7 z2 8 a1 9 z1 · 10 clip · 11 W1 12 b1 13 W2 14 b2


@pytest.mark.parametrize(("cursor", "place"), [(-3, 0), (0, 0), (7, 7), (LENGTH, LENGTH), (99, LENGTH)])
def test_clamped(cursor, place):
    assert trace_places.clamped(index(), cursor) == place


@pytest.mark.parametrize(
    ("cursor", "forward", "back"),
    [(0, 1, 0), (1, 2, 0), (2, 5, 1), (3, 5, 2), (5, 6, 2), (6, 10, 5), (9, 10, 6), (10, 11, 6), (13, 14, 11), (14, 14, 11)],
)
def test_phases_are_entered_at_their_first_step(cursor, forward, back):
    assert trace_places.to_phase(index(), cursor, +1) == forward
    assert trace_places.to_phase(index(), cursor, -1) == back


@pytest.mark.parametrize(
    ("cursor", "forward", "back"),
    [(0, 1, 0), (1, 2, 0), (2, 4, 1), (4, 5, 3), (5, 6, 4), (7, 8, 6), (8, 10, 7), (11, 13, 10), (13, 14, 12), (14, 14, 12)],
)
def test_layers_change_where_the_group_or_the_phase_does(cursor, forward, back):
    assert trace_places.to_layer(index(), cursor, +1) == forward
    assert trace_places.to_layer(index(), cursor, -1) == back


@pytest.mark.parametrize(
    ("node", "places"),
    [(Z1, [2, 9]), (LOSS, [5, 6]), (W1, [9, 11]), (B1, [9, 12]), (X, [1]), (Y, [])],
)
def test_places_of_a_node(node, places):
    """A parameter: where its gradient is complete, and where it is updated."""
    assert trace_places.places_of(index(), node) == places


@pytest.mark.parametrize(
    ("cursor", "node", "place"), [(0, Z2, 4), (4, Z2, 7), (7, Z2, 4), (0, W1, 9), (9, W1, 11), (14, W1, 9), (3, Y, None)]
)
def test_to_node_goes_on_and_then_begins_again(cursor, node, place):
    assert trace_places.to_node(index(), cursor, node) == place

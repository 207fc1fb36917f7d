import numpy as np
import pytest
from msgspec.structs import replace

from nnviz.document.breakpoints import Breakpoint
from nnviz.records.breakpoint_places import first_non_finite, node_of, nodes_with_breakpoint, places_reached, target_of
from nnviz.records.tensors import Array, Measure, Tensor
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import OutputRecord
from tests.session.traces import A1, B1, LENGTH, LOSS, W1, W2, Z1, Z2, X, Y, trace

# places: 0 start · 1 batch · 2 z1 3 a1 4 z2 · 5 loss · 6 loss 7 z2 8 a1 9 z1 · 10 clip · 11 W1 12 b1 13 W2 14 b2
NAN, INF = float("nan"), float("inf")


def filled(number: float, shape: tuple[int, ...] = (2,)) -> Tensor:
    return Tensor(shape, Array("float32", shape, np.full(shape, number, np.float32).tobytes()))


def index(values: dict | None = None, gradients: dict | None = None, after: dict | None = None, loss: float = 1.0) -> TraceIndex:
    """The small trace, with other numbers at some of its nodes. All others are 1."""
    record = trace()
    nodes = list(record.nodes)
    for node, number in (values or {}).items():
        nodes[node] = replace(nodes[node], value=number if isinstance(number, Tensor) else filled(number, nodes[node].shape))
    for node, number in (gradients or {}).items():
        nodes[node] = replace(nodes[node], gradient=number if isinstance(number, Tensor) else filled(number, nodes[node].shape))
    updates = [replace(update, after=filled(after[update.node])) if after and update.node in after else update for update in record.updates]
    return TraceIndex(replace(record, nodes=tuple(nodes), updates=tuple(updates), loss=loss))


def places(index: TraceIndex, *breakpoints: Breakpoint, previous: float | None = None) -> list[tuple[int, int]]:
    return [(place.cursor, place.node) for place in places_reached(index, breakpoints, previous)]


# --- names ---


@pytest.mark.parametrize(
    ("node", "kind", "target"),
    [
        (A1, "node", "h1/relu"),
        (Z2, "node", "out/linear"),
        (LOSS, "node", "mse"),
        (X, "node", "x/x"),
        (Y, "node", "y"),
        (W1, "parameter", "W"),
    ],
)
def test_a_target_names_the_node_again(node, kind, target):
    assert target_of(index(), node) == (kind, target)
    if node != W1:  # both layers of the small trace call theirs W
        assert node_of(index(), Breakpoint(kind, target)) == node


def test_the_second_of_a_name_has_a_number():
    record = trace()
    twice = TraceIndex(replace(record, nodes=(*record.nodes[:A1], replace(record.nodes[A1], label="linear"), *record.nodes[A1 + 1 :])))
    assert target_of(twice, A1) == ("node", "h1/linear#2")
    assert node_of(twice, Breakpoint("node", "h1/linear#2")) == A1
    assert node_of(twice, Breakpoint("node", "h1/linear")) == Z1


@pytest.mark.parametrize("target", ["h1/tanh", "h1/relu#2", "relu", "nowhere/relu"])
def test_what_is_not_there_is_no_node(target):
    assert node_of(index(), Breakpoint("node", target)) is None


def test_marks_tell_which_are_on():
    breakpoints = (
        Breakpoint("node", "h1/relu", enabled=False),
        Breakpoint("node", "gone"),
        Breakpoint("non_finite"),
        Breakpoint("node", "mse"),
    )
    assert nodes_with_breakpoint(index(), breakpoints) == {A1: False, LOSS: True}


# --- where they hold ---


def test_a_node_forward_and_backward_a_parameter_gradient_and_update():
    assert places(index(), Breakpoint("node", "h1/relu")) == [(3, A1), (8, A1)]
    assert places(index(), Breakpoint("parameter", "W")) == [(9, W1), (11, W1)]
    assert places(index(), Breakpoint("node", "h1/relu", enabled=False)) == []


def test_a_gradient_where_it_is_complete():
    large = index(gradients={W1: -7.0, W2: 5.0})
    assert places(large, Breakpoint("gradient", "", "above", 4.0)) == [(7, W2), (9, W1)]
    (halt,) = places_reached(large, [Breakpoint("gradient", "", "above", 5.0)])
    assert (halt.value, halt.place) == (7.0, "W")
    assert halt.reason({}) == "|gradient| > 5: 7 in W"
    small = index(gradients={B1: 1e-9})
    assert places(small, Breakpoint("gradient", "", "below", 1e-6)) == [(9, B1)]


def test_an_activation_only_at_the_output_of_a_layer():
    """The engine looks at the same: at what a layer puts out."""
    assert places(index(values={Z1: 9.0}), Breakpoint("activation", "", "above", 5.0)) == []
    assert places(index(values={A1: 9.0}), Breakpoint("activation", "", "above", 5.0)) == [(3, A1)]
    assert places(index(values={A1: 9.0}), Breakpoint("activation", "out", "above", 5.0)) == []
    assert places(index(), Breakpoint("activation", "out", "below", 5.0)) == [(4, Z2)]


def test_the_output_of_a_layer_is_the_one_the_trace_names_not_the_last_made():
    """Batch norm moves its running variance after its output; a layer that passes its input on has that of another."""
    record = index(values={Z1: 9.0, A1: 7.0}).trace
    named = TraceIndex(replace(record, outputs={"h1": OutputRecord(Z1), "d1": OutputRecord(Z1), "out": OutputRecord(Z2)}))
    assert places(named, Breakpoint("activation", "", "above", 5.0))[0] == (2, Z1)
    assert places(named, Breakpoint("activation", "d1", "above", 5.0)) == [(2, Z1)]
    assert A1 not in [node for _, node in places(named, Breakpoint("activation", "", "above", 5.0))]


def test_large_tensors_are_told_by_their_measure():
    measure = Measure(9000, -8.0, 2.0, 0.0, 1.0, 1.0, 0, 0, (), 0.0, 0.0)
    assert places(index(values={A1: Tensor((9000,), None, measure)}), Breakpoint("activation", "", "above", 7.5)) == [(3, A1)]
    spoiled = Tensor((9000,), None, replace(measure, non_finite=3))
    assert places_reached(index(values={A1: spoiled}), [Breakpoint("non_finite")])[0].value == 3


def test_the_loss_against_the_one_before():
    one = Breakpoint("loss_rising", threshold=0.2)
    assert places(index(loss=1.5), one, previous=1.2) == [(5, LOSS)]
    assert places(index(loss=1.5), one, previous=1.3) == []
    assert places(index(loss=1.5), one) == [], "the first iteration has none before it"


@pytest.mark.parametrize(
    ("values", "gradients", "after", "place", "node"),
    [
        ({A1: NAN, Z2: NAN}, {W1: NAN}, {}, 3, A1),
        ({Z1: INF, A1: NAN}, {}, {}, 2, Z1),
        ({W2: INF, Z2: NAN}, {}, {}, 1, W2),
        ({LOSS: INF}, {}, {}, 5, LOSS),
        ({}, {W2: NAN, Z1: NAN, W1: NAN}, {}, 7, W2),
        ({}, {Z1: INF}, {}, 8, Z1),
        ({}, {}, {B1: INF}, 12, B1),
    ],
)
def test_the_first_non_finite_value_in_the_order_of_the_schedule(values, gradients, after, place, node):
    found = index(values, gradients, after)
    assert (first_non_finite(found).cursor, first_non_finite(found).node) == (place, node)
    assert places(found, Breakpoint("non_finite")) == [(place, node)], "and only that: behind it all is spoiled"


def test_all_is_finite():
    assert first_non_finite(index()) is None


def test_several_come_in_the_order_of_the_schedule():
    large = index(gradients={W2: 5.0})
    found = places(large, Breakpoint("gradient", "", "above", 4.0), Breakpoint("node", "h1/relu"), Breakpoint("node", "mse"))
    assert [cursor for cursor, _ in found] == [3, 5, 6, 7, 8]
    assert LENGTH == 14

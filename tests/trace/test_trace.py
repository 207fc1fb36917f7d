"""The steps in order, and the cursor that moves over them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nnviz.trace import DETAILS, PHASES, Cursor, Trace, capture
from tests.trace.zoo import CASES, Model, make, mlp, normal

EVERY = pytest.mark.parametrize(
    "name", ["mlp_relu_cross_entropy", "lstm", "encoder_layer", "in_place_view", "tied_weights", "penalty_inside"]
)  # fmt: skip


def traced(name: str) -> Trace:
    module, inputs = make(name)
    return capture(module, *inputs, optimizer=torch.optim.Adam(module.parameters()), clip_norm=0.1)


def shown(cursor: Cursor) -> list:
    """All that the cursor shows, for every output of every node."""
    outputs = [(node, k) for node in cursor.trace.nodes for k in range(len(node.values))]
    return [(cursor.value(node, k), cursor.gradient(node, k)) for node, k in outputs]


def same(one: list, other: list) -> bool:
    return all(a is b is None or torch.equal(a, b) for p, q in zip(one, other, strict=True) for a, b in zip(p, q, strict=True))


@EVERY
def test_steps_are_every_operation_once_forward_and_once_back(name):
    trace = traced(name)
    assert [step.index for step in trace.steps] == list(range(len(trace.steps)))
    assert [PHASES.index(step.phase) for step in trace.steps] == sorted(PHASES.index(step.phase) for step in trace.steps)
    by_phase = {phase: [step for step in trace.steps if step.phase == phase] for phase in PHASES}
    operations = [node for node in trace.nodes if node.kind in ("operation", "loss")]
    assert [step.node for step in by_phase["forward"] + by_phase["loss"]] == sorted(node.id for node in operations)
    backward = [node.id for node in reversed(operations) if any(gradient is not None for gradient in node.gradients)]
    assert [step.node for step in by_phase["backward"]] == backward
    assert len(by_phase["batch"]) == len(by_phase["clip"]) == 1
    assert [step.parameter for step in by_phase["update"]] == [update.parameter for update in trace.updates]
    assert all(trace.nodes[step.node].label == step.parameter for step in by_phase["update"])


@EVERY
def test_at_the_end_the_cursor_shows_the_trace(name):
    trace = traced(name)
    cursor = trace.start()
    while cursor.next():
        pass
    after = {update.parameter: update.after for update in trace.updates}
    for node in trace.nodes:
        for k, (value, gradient) in enumerate(zip(node.values, node.gradients, strict=True)):
            updated = after.get(node.label) if node.kind == "parameter" else None
            assert torch.equal(cursor.value(node, k), value if updated is None else updated)
            here = cursor.gradient(node.id, k)
            assert here is gradient is None or torch.equal(here, gradient)


@EVERY
def test_undoing_and_redoing_every_third_step_ends_bit_equal(name):
    trace = traced(name)
    straight, crooked = trace.start(), trace.start()
    for made, step in enumerate(iter(straight.next, None)):
        assert crooked.next() == step
        if made % 3 == 2:
            before = shown(crooked)
            assert crooked.back() == step
            assert crooked.next() == step
            assert same(before, shown(crooked))
    assert crooked.position == straight.position == len(trace.steps)
    assert same(shown(straight), shown(crooked))


@pytest.mark.parametrize(("name", "detail"), [(name, detail) for name in CASES for detail in DETAILS])
def test_a_crooked_way_ends_where_the_straight_one_does(name, detail):
    module, inputs = make(name)
    trace = capture(module, *inputs, detail=detail)
    straight, crooked = trace.start(), trace.start()
    for made, step in enumerate(iter(straight.next, None)):
        assert crooked.next() == step
        if made % 3 == 2:
            before = crooked.gradient(step.node or 0)
            assert crooked.back() == step
            assert crooked.next() == step
            assert same([(before,)], [(crooked.gradient(step.node or 0),)])
    assert same(shown(straight), shown(crooked))


def test_nothing_is_there_before_its_step():
    trace = traced("mlp_relu_cross_entropy")
    cursor = trace.start()
    assert all(value is gradient is None for value, gradient in shown(cursor))
    seen, sent, received = set(), set(), set()
    for step in iter(cursor.next, None):
        if step.phase == "batch":
            seen |= {node.id for node in trace.nodes if node.kind in ("input", "parameter", "constant", "buffer")}
        if step.phase in ("forward", "loss"):
            seen.add(step.node)
        if step.phase == "backward":
            sent.add(step.node)
            whole = {node.id for node in trace.nodes if node.contributions and sent.issuperset(p.source for p in node.contributions)}
            received = whole | {trace.loss_node}
        assert {node.id for node in trace.nodes if cursor.value(node) is not None} == seen
        assert {node.id for node in trace.nodes if cursor.gradient(node) is not None} == received


def test_a_gradient_is_not_there_before_its_last_contribution():
    trace = traced("tied_weights")
    weight = next(node for node in trace.nodes if node.label == "a.weight")
    cursor, found = trace.start(), []
    for step in iter(cursor.next, None):
        if step.node in {part.source for part in weight.contributions} and step.phase == "backward":
            found.append(cursor.gradient(weight))
    assert len(found) == len(weight.contributions) == 3
    assert found[0] is found[1] is None
    assert torch.allclose(found[2], sum(part.gradient for part in weight.contributions), rtol=1e-12)


def test_a_value_used_twice_has_no_gradient_until_both_uses_have_sent_theirs():
    def fan_out(self, x):
        h = self.l(x)
        return (h.sigmoid() * h).sum()

    torch.manual_seed(0)
    trace = capture(Model(fan_out, l=nn.Linear(3, 2).double()), normal(4, 3), optimizer=None)
    h = next(node for node in trace.nodes if node.operation == "linear")
    cursor = trace.start()
    steps = {step.node: step.index for step in trace.steps if step.phase == "backward"}
    first, last = sorted({steps[part.source] for part in h.contributions})
    cursor.move_to(first + 1)
    assert cursor.gradient(h) is None, "one of the two contributions alone is not the gradient"
    cursor.move_to(last + 1)
    assert torch.equal(cursor.gradient(h), h.gradient)
    cursor.back()
    assert cursor.gradient(h) is None


def test_parameters_change_in_the_update_phase_only():
    trace = traced("mlp_relu_cross_entropy")
    cursor = trace.start()
    cursor.next()
    parameters = [node for node in trace.nodes if node.kind == "parameter"]
    for step in iter(cursor.next, None):
        changed = [node.label for node in parameters if not torch.equal(cursor.value(node), node.value)]
        assert bool(changed) == (step.phase == "update")


def test_the_cursor_stops_at_both_ends_and_jumps():
    trace = capture(mlp(nn.ReLU()).double(), normal(2, 4), loss=lambda output, _: output.sum())
    cursor = trace.start()
    assert cursor.back() is None
    cursor.move_to(len(trace.steps))
    assert cursor.next() is None
    assert cursor.back() == trace.steps[-1]
    with pytest.raises(ValueError, match="is not in 0"):
        cursor.move_to(len(trace.steps) + 1)

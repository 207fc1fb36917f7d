"""Finite differences and replay: the recorded calls, made again with other values and the same random numbers."""

from __future__ import annotations

import pytest
import torch

from nnviz.trace import DETAILS, TraceError, capture, finite_difference, replay
from tests.trace.zoo import CASES, make

SMOOTH = [
    "mlp_tanh_mse", "stacked_lstm_dropout", "bidirectional_gru", "encoder_layer", "variational_autoencoder",
    "tied_weights", "batch_norm_train", "dropout_train", "embedding", "penalty_inside", "layer_norm",
]  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_equal_finite_differences(name):
    module, inputs = make(name)
    trace = capture(module, *inputs)
    for node in trace.nodes:
        if node.gradient is not None and node.value.numel() and node.kind in ("parameter", "operation"):
            index = tuple(size // 2 for size in node.shape)
            if len(node.values) == 1:
                difference = finite_difference(trace, node.id, index)
                assert difference == pytest.approx(node.gradient[index].item(), abs=1e-7), (node.id, node.operation)


@pytest.mark.parametrize("name", CASES)
def test_replay_of_everything_is_bit_equal(name):
    module, inputs = make(name)
    trace = capture(module, *inputs)
    generator = torch.get_rng_state()
    begins = {node.id: node.value for node in trace.nodes if not node.inputs}
    again = replay(trace, begins)
    assert torch.equal(torch.get_rng_state(), generator)
    for node in trace.nodes:
        assert all(torch.equal(a, b) for a, b in zip(again[node.id], node.values, strict=True)), node.operation


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("name", ["dropout_train", "variational_autoencoder", "stacked_lstm_dropout", "encoder_decoder_transformer"])
def test_a_replay_draws_what_the_trace_drew(name, detail):
    module, inputs = make(name)
    trace = capture(module, *inputs, detail=detail)
    again = replay(trace, {node.id: node.value for node in trace.nodes if not node.inputs})
    assert sum((a - node.value.double()).abs().mean().item() for node in trace.nodes for a in again[node.id][:1]) == 0
    first = next(node for node in trace.nodes if node.kind == "parameter")
    changed = replay(trace, {first.id: first.value + 0.1})
    assert not torch.equal(changed[trace.loss_node][0], trace.nodes[trace.loss_node].value)
    for node in trace.nodes:
        if node.dropped is not None:
            assert torch.equal(changed[node.id][0] == 0, node.dropped | (changed[node.inputs[0]][0] == 0 if node.inputs else False))
        elif node.call is not None and node.call.rng is not None and not node.inputs:
            assert torch.equal(changed[node.id][0], node.value)


def test_replay_equals_a_capture_with_that_value():
    module, inputs = make("stacked_lstm_dropout")
    generator = torch.get_rng_state()
    trace = capture(module, *inputs)
    weight = next(node for node in trace.nodes if node.label == "net.weight_hh_l1")
    again = replay(trace, {weight.id: weight.value * 1.5})
    with torch.no_grad():
        module.net.weight_hh_l1.mul_(1.5)
    torch.set_rng_state(generator)
    changed = capture(module, *inputs)
    for node, values in zip(changed.nodes, again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(node.values, values, strict=True))


def test_replay_computes_only_what_depends_on_the_change():
    module, inputs = make("dropout_train")
    trace = capture(module, *inputs)
    hidden = next(node for node in trace.nodes if node.operation == "relu")
    again = replay(trace, {hidden.id: hidden.value + 1})
    kept = [node.id for node in trace.nodes if all(a is b for a, b in zip(again[node.id], node.values, strict=True))]
    assert set(range(hidden.id)) <= set(kept)
    assert trace.loss_node not in kept
    assert all(node.id in kept for node in trace.nodes if node.operation == "dropout_mask")


def test_replay_refuses_another_shape():
    module, inputs = make("mlp_tanh_mse")
    with pytest.raises(TraceError, match=r"shape \(5, 4\) cannot take a value of shape \(4,\)"):
        replay(capture(module, *inputs), {0: torch.zeros(4)})

"""Recurrent nets with one bias vector, convolutions, attention: counted as in the textbook, equal to torch, opened to the textbook."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.document import edits
from nnviz.document.catalog import new_layer
from nnviz.document.shapes.report import examine
from nnviz.engine.data.datasets import load
from nnviz.engine.model._convolution_layers import Convolution, Pool
from nnviz.engine.model.attention_layers import EncoderBlock, SelfAttention
from nnviz.engine.model.build import build
from nnviz.engine.model.sequence_layers import Recurrent, positional_encoding
from nnviz.engine.model.stochastic_layers import GaussianLatent
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE
from tests.engine.kinds import SEQUENCE, around, one

NETS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def filled(module: nn.Module) -> nn.Module:
    """The module in float64 with all parameters drawn anew."""
    generator = torch.Generator().manual_seed(5)
    module.double()
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2
    return module


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize(
    ("kind", "units", "inputs", "count"),
    [("rnn", 1, 1, 3), ("rnn", 2, 1, 8), ("rnn", 2, 2, 10), ("lstm", 1, 1, 12), ("lstm", 2, 2, 40), ("gru", 1, 1, 9), ("gru", 2, 2, 30)],
)
def test_counts_are_the_textbooks(kind, units, inputs, count):
    document = around([5, inputs], new_layer(kind, "k", units=units))
    net = build(document, load(document, HERE))
    assert examine(document).layers["k"].count == count
    assert sum(parameter.numel() for parameter in net._modules["k"].parameters()) == count
    both = around([5, inputs], new_layer(kind, "k", units=units, bidirectional=True))
    assert examine(both).layers["k"].count == 2 * count


def twin_of(ours: Recurrent, features: int) -> nn.Module:
    """torch's own net with these weights, and a second bias of 0."""
    twin = NETS[ours.kind](features, ours.units, ours.num_layers, bidirectional=ours.bidirectional, batch_first=True).double()
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            own = name.replace("bias_ih", "bias")
            parameter.copy_(torch.zeros_like(parameter) if "bias_hh" in name else ours.get_parameter(own))
    return twin


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_recurrent_nets_and_their_gradients_equal_torchs(kind, num_layers, bidirectional, return_sequences):
    ours = filled(Recurrent(kind, 3, 4, num_layers, bidirectional, return_sequences))
    twin, x = twin_of(ours, 3), draw(2, 5, 3)
    output, last = twin(x)
    last = last[0] if kind == "lstm" else last
    expected = output if return_sequences else torch.cat([last[-2], last[-1]], -1) if bidirectional else last[-1]
    torch.testing.assert_close(ours(x), expected, rtol=0, atol=1e-12)
    names = [name for name, _ in ours.named_parameters()]
    gradients = torch.autograd.grad(ours(x).sin().sum(), [*ours.parameters(), x])
    theirs = torch.autograd.grad(expected.sin().sum(), [*(twin.get_parameter(name.replace("bias", "bias_ih")) for name in names), x])
    for one_, other in zip(gradients, theirs, strict=True):
        torch.testing.assert_close(one_, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_dropout_between_stacked_nets_equals_torchs(kind, bidirectional):
    ours = filled(Recurrent(kind, 3, 4, 3, bidirectional, True, dropout=0.4))
    twin, x = twin_of(ours, 3), draw(2, 5, 3)
    twin.dropout = 0.4
    outputs = []
    for net in (ours, twin):
        torch.manual_seed(3)
        outputs.append(net(x)[0] if net is twin else net(x))
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-12)
    whole = ours.eval()(x)
    assert not torch.allclose(outputs[0], whole)
    torch.testing.assert_close(whole, twin.eval()(x)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("detail", ["layer", "textbook"])
@pytest.mark.parametrize("kind", NETS)
def test_dropout_between_stacked_nets_is_traced_with_its_mask_and_obeys_the_master_switch(kind, detail, activation):
    choice = {"activation": activation} if kind == "rnn" else {}
    document = one(kind, SEQUENCE, units=3, num_layers=2, dropout=0.5, **choice)
    trainer = Trainer(document, load(document, HERE))
    trace = capture_next(trainer, detail).trace
    loss = trainer.differentiate(trainer.rows())
    assert trace.worst_error <= 1e-12 and trace.loss == pytest.approx(loss, abs=1e-12)
    masks = [node for node in trace.nodes if node.operation == "dropout_mask"]
    if detail == "textbook":
        (mask,) = masks
        assert set(mask.value.unique().tolist()) == {0.0, 2.0} and mask.dropped is not None
    off = edits.change_training(document, dropout=False)
    still = capture_next(Trainer(off, load(off, HERE)), detail).trace
    assert not any("dropout" in node.operation for node in still.nodes)
    single = one(kind, SEQUENCE, units=3, dropout=0.5, **choice)
    assert not any("dropout" in node.operation for node in capture_next(Trainer(single, load(single, HERE)), detail).trace.nodes)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_steps_of_our_own_equal_torchs(bidirectional):
    fused = filled(Recurrent("rnn", 3, 4, 2, bidirectional, True, "tanh"))
    stepped = filled(Recurrent("rnn", 3, 4, 2, bidirectional, True, "sigmoid"))
    stepped.function = fused.function
    x = draw(2, 5, 3)
    output, lasts = stepped._stepped(x)
    torch.testing.assert_close(output, fused(x), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.stack(lasts), fused._fused(x)[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "gates"), [("lstm", {"input gate", "forget gate", "candidate", "output gate"}), ("gru", {"reset gate"})])
def test_at_textbook_detail_one_weight_has_a_contribution_for_each_time_step(kind, gates):
    document = one(kind, SEQUENCE, units=2)
    trace = capture_next(Trainer(document, load(document, HERE)), "textbook").trace
    steps = {f"t={t}" for t in range(SEQUENCE[0])}
    groups = {name for node in trace.nodes for name in node.group}
    assert steps <= groups and gates <= {name.partition("#")[0] for name in groups}
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_l0"):
        (weight,) = [node for node in trace.nodes if node.label == f"k.{name}"]  # one node, however often it is used
        assert [trace.nodes[part.source].group[:2] for part in weight.contributions] == [("k", f"t={t}") for t in reversed(range(4))]
        total = sum(part.gradient for part in weight.contributions)
        torch.testing.assert_close(total, trace.true_gradients[f"k.{name}"], rtol=0, atol=1e-12)


def test_sigmoid_limits_what_comes_back_through_time():
    document = around([6, 1], new_layer("rnn", "k", units=1, activation="sigmoid"))
    trainer = Trainer(document, load(document, HERE))
    trace = capture_next(trainer, "layer").trace
    assert {f"t={t}" for t in range(6)} <= {name for node in trace.nodes for name in node.group}
    weight = abs(trainer.parameters["k.weight_hh_l0"].item())
    states = [node for node in trace.nodes if node.operation == "sigmoid"]
    sizes = [node.gradients[0].abs() for node in states]
    assert all((sizes[t] <= 0.25 * weight * sizes[t + 1] + 1e-15).all() for t in range(5))


def test_attention_is_opened_into_its_steps():
    document = one("attention", SEQUENCE, num_heads=3)
    trace = capture_next(Trainer(document, load(document, HERE)), "textbook").trace
    groups = {node.group[1] for node in trace.nodes if node.group[:1] == ("k",) and len(node.group) > 1}
    assert groups >= {"Q", "K", "V", "scores", "softmax", "heads", "output"}
    (weights,) = [node.value for node in trace.nodes if node.group == ("k", "softmax")]
    assert weights.shape == (6, 3, 4, 4)
    torch.testing.assert_close(weights.sum(-1), torch.ones(6, 3, 4, dtype=torch.float64))


def test_attention_equals_torchs():
    ours = filled(SelfAttention(6, 3, 4, causal=True))
    twin = nn.MultiheadAttention(6, 3, batch_first=True).double()
    twin.load_state_dict({name: value for name, value in ours.state_dict().items() if name != "hidden"})
    x = draw(2, 4, 6)
    expected, weights = twin(x, x, x, attn_mask=ours.hidden)
    torch.testing.assert_close(ours(x), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, dtype=torch.float64))


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_an_encoder_block_equals_torchs(norm_first, training):
    ours = filled(EncoderBlock(6, 2, 4, 9, "gelu", 0.3, norm_first, False)).train(training)
    twin = nn.TransformerEncoderLayer(6, 2, 9, 0.3, "gelu", batch_first=True, norm_first=norm_first).double().train(training)
    twin.load_state_dict(ours.state_dict())
    x = draw(2, 4, 6)
    results = []
    for module in (ours, twin):
        torch.manual_seed(4)
        results.append(module(x))
    torch.testing.assert_close(*results, rtol=0, atol=1e-12)


def test_convolution_over_time_equals_torchs():
    ours = filled(Convolution(3, 4, (2,), 2, 1, "identity", True))
    twin = nn.Conv1d(3, 4, 2, 2, 1).double()
    twin.load_state_dict(ours.state_dict())
    x = draw(2, 5, 3)
    torch.testing.assert_close(ours(x), twin(x.mT).mT, rtol=0, atol=1e-12)


def test_the_gradient_lands_on_the_winner_of_each_window_only():
    x = draw(1, 1, 4, 4)
    Pool("max", 2, 2, 0)(x).sum().backward()
    assert x.grad.sum() == 4 and set(x.grad.unique().tolist()) == {0.0, 1.0}
    windows = x.detach().unfold(2, 2, 2).unfold(3, 2, 2).reshape(4, 4)
    assert sorted(x.detach()[x.grad == 1].tolist()) == sorted(windows.max(1).values.tolist())


def test_the_positional_encoding_is_the_papers():
    time, features = 7, 5
    expected = np.zeros((time, features))
    for t in range(time):
        for i in range(features):
            angle = t / 10_000 ** ((i - i % 2) / features)
            expected[t, i] = np.cos(angle) if i % 2 else np.sin(angle)
    np.testing.assert_allclose(positional_encoding(time, features).numpy(), expected, rtol=0, atol=1e-12)


def test_the_divergence_of_a_latent_is_torchs():
    ours = filled(GaussianLatent(5, 3, 0.7))
    ours(draw(4, 5))
    mean, log_variance = ours.moments
    normal = torch.distributions.Normal
    exact = torch.distributions.kl_divergence(normal(mean, (0.5 * log_variance).exp()), normal(torch.zeros(3), torch.ones(3)))
    torch.testing.assert_close(ours.divergence(), 0.7 * exact.sum(1).mean(), rtol=0, atol=1e-12)

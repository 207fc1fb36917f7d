"""Calls opened to textbook steps: their groups, their values, and that what is not known stays whole."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.trace import DETAILS, capture, grouped
from tests.trace.zoo import CASES, Model, make, normal


def traced(name: str, detail: str = "textbook"):
    module, inputs = make(name)
    torch.manual_seed(1)
    return capture(module, *inputs, detail=detail)


def test_lstm_opens_to_gates_in_time():
    trace = traced("lstm")
    groups = {node.group for node in trace.nodes if node.call is not None}
    assert {
        ("net", f"t={t}", gate) for t in range(5) for gate in ("forget gate", "input gate", "candidate", "output gate", "cell", "state")
    } <= groups
    in_group = {group: [n.operation for n in trace.nodes if n.group == group and n.call] for group in groups}
    assert in_group["net", "t=3"] == ["linear", "linear"], "W x and U h of all gates"
    for gate, squashed in (("input gate", "sigmoid"), ("forget gate", "sigmoid"), ("candidate", "tanh"), ("output gate", "sigmoid")):
        assert in_group["net", "t=3", gate] == ["block", "block", "add", squashed], "W x + U h of one gate"
    assert in_group["net", "t=3", "cell"] == ["mul", "mul", "add"]
    weight = next(node for node in trace.nodes if node.label == "net.weight_hh_l0")
    assert [trace.nodes[part.source].group for part in weight.contributions] == [("net", f"t={t}") for t in (4, 3, 2, 1, 0)]


def test_gru_opens_to_gates_in_time():
    trace = traced("bidirectional_gru")
    place = ("layer 1", "reverse direction", "t=2")
    inside = [(node.group[4], node.operation) for node in trace.nodes if node.group[1:4] == place and node.group[4:] and node.call]
    gates = [(gate, [operation for name, operation in inside if name == gate]) for gate in dict.fromkeys(name for name, _ in inside)]
    assert gates == [
        ("reset gate", ["block", "block", "add", "sigmoid"]),
        ("update gate", ["block", "block", "add", "sigmoid"]),
        ("candidate", ["block", "block", "mul", "add", "tanh"]),
        ("state", ["rsub", "mul", "mul", "add"]),
    ]


@pytest.mark.parametrize(
    ("name", "operation"),
    [("lstm", "lstm"), ("bidirectional_gru", "gru"), ("rnn_tanh", "rnn_tanh"), ("rnn_relu_without_bias", "rnn_relu")],
)
def test_at_layer_detail_a_recurrent_net_is_one_node(name, operation):
    assert [node.operation for node in traced(name, "layer").nodes].count(operation) == 1
    assert operation not in {node.operation for node in traced(name).nodes}


def test_layers_and_directions_are_groups():
    groups = {node.group[1:4] for node in traced("bidirectional_gru").nodes if len(node.group) > 3}
    assert ("layer 1", "reverse direction", "t=4") in groups
    assert ("layer 0", "forward direction", "t=0") in groups


def test_what_an_opener_does_not_know_stays_whole():
    assert "lstm" in {node.operation for node in traced("projected_lstm").nodes}
    assert "gru" in {node.operation for node in traced("packed_sequence").nodes}


def test_an_opener_that_does_not_give_the_same_is_not_believed(monkeypatch):
    monkeypatch.setitem(__import__("nnviz.trace.openers", fromlist=["TEXTBOOK"]).TEXTBOOK, F.relu, lambda tape, x, inplace=False: x * 2)
    trace = traced("mlp_relu_cross_entropy")
    assert [node.operation for node in trace.nodes if node.call] == ["linear", "relu", "linear", "cross_entropy"]


@pytest.mark.parametrize("detail", DETAILS)
def test_dropout_says_what_it_dropped(detail):
    trace = traced("dropout_train", detail)
    masked = [node for node in trace.nodes if node.dropped is not None]
    assert len(masked) == 2
    for node in masked:
        assert node.dropped.dtype == torch.bool and node.dropped.shape == node.value.shape
        assert 0 < node.dropped.sum() < node.dropped.numel()
        assert (node.value[node.dropped] == 0).all()
    assert [node.operation for node in masked] == ["dropout" if detail == "layer" else "dropout_mask"] * 2
    assert not [node for node in traced("dropout_eval", detail).nodes if node.dropped is not None]


def test_every_detail_drops_the_same():
    first, *others = ([node.dropped for node in traced("dropout_train", detail).nodes if node.dropped is not None] for detail in DETAILS)
    assert all(torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True))


def test_attention_opens_to_scores_and_rows_that_sum_to_one():
    trace = traced("encoder_layer")
    groups = {node.group[1:] for node in trace.nodes if node.group[:1] == ("net",)}
    assert {("self_attn", name) for name in ("Q", "K", "V", "scores", "softmax", "heads", "output")} <= groups
    weights = next(node for node in trace.nodes if node.operation == "softmax")
    assert weights.shape == (2, 2, 4, 4)
    assert torch.allclose(weights.value.sum(-1), torch.ones(2, 2, 4).double())


def test_batch_norm_opens_and_keeps_its_running_statistics():
    module, inputs = make("batch_norm_train")
    trace = capture(module, *inputs)
    groups = [node.group[2:] for node in trace.nodes if node.group[:2] == ("net", "1") and node.call]
    assert {("mean",), ("variance",), ("normalise",), ("scale and shift",), ("running statistics",)} == set(groups)
    normalised = next(node for node in trace.nodes if node.group == ("net", "1", "normalise") and node.operation == "div")
    assert torch.allclose(normalised.value.mean(0), torch.zeros(5).double(), atol=1e-12)
    updated = [node for node in trace.nodes if node.group == ("net", "1", "running statistics") and node.operation == "add"]
    assert torch.allclose(updated[0].value, module.net[1].running_mean)
    assert torch.allclose(updated[1].value, module.net[1].running_var)


def test_batch_norm_opens_even_when_its_statistics_no_longer_change():
    net, x = nn.BatchNorm1d(2), torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    net.running_var.fill_(2.0)  # mean 0 and unbiased variance 2 are what this batch has
    trace = capture(net, x, loss=lambda output, _: output.square().sum())
    assert "batch_norm" not in {node.operation for node in trace.nodes}
    assert net.running_var.tolist() == [2, 2]


def test_math_opens_losses_and_layer_norm():
    operations = [node.operation for node in traced("mlp_relu_cross_entropy", "math").nodes]
    assert operations[-1] == "nll_loss" and "log_softmax" in operations
    assert "layer_norm" not in {node.operation for node in traced("layer_norm", "math").nodes}
    assert "scaled_dot_product_attention" not in {node.operation for node in traced("scaled_dot_product", "math").nodes}


def test_a_call_without_a_module_of_its_own_is_a_group_of_its_name():
    module = Model(lambda m, x: F.dropout(F.dropout(m.a(x), 0.5), 0.5).sum(), a=nn.Linear(4, 3).double())
    groups = [node.group for node in capture(module, normal(5, 4)).nodes if node.operation == "dropout_mask"]
    assert groups == [("dropout",), ("dropout#2",)]


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 2, 2)])
def test_dropout_of_channels_has_one_number_of_its_mask_for_each(shape):
    module = nn.Dropout1d(0.5) if len(shape) == 3 else nn.Dropout2d(0.5)
    torch.manual_seed(3)
    trace = capture(module, normal(*shape).requires_grad_(), loss=lambda y, _: y.square().sum())
    (mask,) = [node for node in trace.nodes if node.operation == "dropout_mask"]
    assert mask.value.shape == (3, 4, *[1] * (len(shape) - 2)) and {0.0, 2.0} == set(mask.value.unique().tolist())
    assert trace.worst_error <= 1e-12


class OneBias(nn.Module):
    """An LSTM whose second bias is a constant."""

    def __init__(self, second: float):
        super().__init__()
        net = nn.LSTM(2, 3).double()
        self.weights = nn.ParameterList([net.weight_ih_l0, net.weight_hh_l0, net.bias_ih_l0])
        self.second = torch.full((12,), second, dtype=torch.float64)

    def forward(self, x):
        start = torch.zeros(1, 4, 3, dtype=torch.float64)
        return torch._VF.lstm(x, (start, start), [*self.weights, self.second], True, 1, 0.0, True, False, False)[0].sum()


@pytest.mark.parametrize(("second", "reads"), [(0.0, 0), (0.5, 5)])
def test_a_second_bias_that_is_a_constant_0_is_left_out_of_the_picture(second, reads):
    trace = capture(OneBias(second), torch.randn(5, 4, 2, dtype=torch.float64))
    used = [node for node in trace.nodes if node.operation == "linear" for source in node.inputs if trace.nodes[source].kind == "constant"]
    with_bias = [node for node in trace.nodes if node.operation == "linear" and len(node.inputs) == 3]
    assert len(with_bias) == 5 + reads and trace.worst_error <= 1e-12
    assert len(used) >= reads


class Grouped(nn.Module):
    """Puts a call into a group by hand."""

    def forward(self, x):
        with grouped("inside"):
            return x.square().sum()


def test_a_module_may_say_what_belongs_together():
    trace = capture(Grouped(), torch.ones(2, requires_grad=True))
    assert [node.group for node in trace.nodes if node.call] == [("inside",), ("inside",)]
    assert Grouped()(torch.ones(2)).item() == 2


class _Viewed(nn.Module):
    """`.view` behind a norm of a transposed tensor: it asks for the strides that the native call gives."""

    def __init__(self, norm: nn.Module):
        super().__init__()
        self.norm = norm

    def forward(self, x):
        return self.norm(x.transpose(1, 2)).view(len(x), -1).sum()


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(3), nn.LayerNorm(5)], ids=["batch norm", "layer norm"])
def test_an_opened_call_hands_on_what_is_laid_out_as_the_native_result(norm):
    torch.manual_seed(0)
    x = torch.randn(4, 5, 3, dtype=torch.float64)
    trace = capture(_Viewed(norm.double()), x, detail="math")
    assert any("norm" in group for node in trace.nodes for group in node.group), "it is opened"
    assert trace.worst_error <= 1e-12


@pytest.mark.parametrize("name", CASES)
def test_what_an_opened_call_hands_on_is_the_native_result_to_the_bit(name):
    """Else a rounding moves the sign in front of a ReLU, and with it the gradients."""
    module, inputs = make(name)
    chance, state = torch.get_rng_state(), {key: value.clone() for key, value in module.state_dict().items()}
    traces = []
    for detail in ("layer", "textbook", "math"):
        module.load_state_dict(state)
        torch.set_rng_state(chance)
        traces.append(capture(module, *inputs, detail=detail))
    native = _returned(traces[0])
    for opened in map(_returned, traces[1:]):
        assert opened.keys() == native.keys()
        assert [path for path in native if not _is_same(opened[path], native[path])] == []


def _returned(trace) -> dict[str, torch.Tensor]:
    """By module what it returned last."""
    return {path: trace.nodes[node].values[port] for path, (node, port) in trace.outputs.items()}


def _is_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.equal(one.nan_to_num(), other.nan_to_num()) and one.stride() == other.stride()

"""Other values for some nodes: torch itself, run again by hand with the same values, is the oracle of every kind of what-if."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nnviz.trace import TraceError, ValueChange, agreements, capture, finite_difference, replay
from tests.trace.zoo import CASES, Supervised, make

IN_PLACE = "writes in place"
OTHERWISE = {"control_flow", "mixture_of_experts", "clamped_parameter", "in_place_filled_buffer", "in_place_view", "packed_sequence"}
"""Modules that take another path with other values, or write into what a replay starts from."""


def by_hand(value: torch.Tensor, what_if: ValueChange) -> torch.Tensor:
    """The value after a what-if, written as a person would: copy, overwrite; or multiply by a tensor of factors."""
    place = ... if what_if.element is None else tuple(slice(None) if k is None else k for k in what_if.element)
    if what_if.kind == "scale":
        factors = torch.ones_like(value)
        factors[place] = what_if.value
        return value * factors
    changed = value.clone()
    changed[place] = 0.0 if what_if.kind == "ablate" else what_if.value
    return changed


# --- a perceptron with dropout, its forward written out ---------------------------------------------------------------


class Perceptron(nn.Module):
    """Linear, activation, dropout, linear; `plain` is the same forward with every value going through `look`."""

    def __init__(self, sizes: tuple[int, int, int], activation, p: float) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(*sizes[:2]), nn.Linear(*sizes[1:])
        self.activation, self.p = activation, p

    def forward(self, x):
        return self.last(F.dropout(self.activation(self.first(x)), self.p))

    def plain(self, x, mask, look):
        z = look("z", F.linear(look("x", x), look("first.weight", self.first.weight), look("first.bias", self.first.bias)))
        a = look("a", self.activation(z))
        d = look("d", a * look("mask", mask))
        return look("out", F.linear(d, look("last.weight", self.last.weight), look("last.bias", self.last.bias)))


PLACES = ("x", "first.weight", "first.bias", "z", "a", "mask", "d", "last.weight", "last.bias", "out", "target", "loss")
ACTIVATIONS = (torch.tanh, torch.relu, torch.sigmoid, F.silu, F.leaky_relu)


def node_of(trace, place: str):
    """The node of the trace that the plain forward calls so."""
    operations = [node for node in trace.nodes if node.kind == "operation"]
    linear = [node for node in operations if node.operation == "linear"]
    found = {"z": linear[0], "out": linear[1], "loss": trace.nodes[trace.loss_node]}
    found["mask"] = next(node for node in operations if node.operation == "dropout_mask")
    found["d"] = next(node for node in operations if node.operation == "mul" and found["mask"].id in node.inputs)
    found["a"] = trace.nodes[found["d"].inputs[0]]
    return found.get(place) or next(node for node in trace.nodes if node.label == place)


@st.composite
def suppositions(draw):
    """A small net, and one to three what-ifs at places of it."""
    sizes = draw(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)))
    what_ifs = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["set", "ablate", "scale"]))
        what_ifs.append((draw(st.sampled_from(PLACES)), kind, draw(st.floats(-2, 2)), draw(st.sampled_from(["whole", "one", "row"]))))
    return sizes, draw(st.sampled_from(ACTIVATIONS)), draw(st.integers(1, 4)), draw(st.integers(0, 99)), what_ifs


def element_of(shape: tuple[int, ...], which: str, seed: int) -> tuple[int | None, ...] | None:
    if which == "whole":
        return None
    element = [seed % size for size in shape]
    return tuple([None, *element[1:]]) if which == "row" and shape else tuple(element)


@settings(max_examples=60)
@given(suppositions())
def test_loss_and_gradients_are_those_of_a_plain_run_with_the_same_values(case):
    sizes, activation, rows, seed, wanted = case
    torch.manual_seed(seed)
    net = Perceptron(sizes, activation, 0.4).double()
    x, target = torch.randn(rows, sizes[0], dtype=torch.float64), torch.randn(rows, sizes[2], dtype=torch.float64)
    chance = torch.get_rng_state()
    base = capture(net, x, loss=F.mse_loss, target=target)
    mask = node_of(base, "mask").value
    nodes = {place: node_of(base, place) for place in PLACES}
    what_ifs = [
        ValueChange(nodes[place].id, kind, value, element_of(nodes[place].shape, which, seed)) for place, kind, value, which in wanted
    ]

    torch.set_rng_state(chance)
    trace = capture(net, x, loss=F.mse_loss, target=target, what_ifs=what_ifs)

    def look(place, value):
        for what_if in what_ifs:
            value = by_hand(value, what_if) if what_if.node == nodes[place].id else value
        return value

    values = {name: look(name, parameter.detach()) for name, parameter in net.named_parameters()}
    leaves = {name: value.clone().requires_grad_() for name, value in values.items()}
    held = dict(net.named_parameters())
    inside = lambda place, value: value if place in held else look(place, value)  # noqa: E731 - a weight is another one from the start
    output = torch.func.functional_call(_Plain(net, mask, inside), {f"net.{name}": leaf for name, leaf in leaves.items()}, (x,))
    loss = look("loss", F.mse_loss(output, look("target", target)))
    assert trace.loss == pytest.approx(loss.item(), abs=1e-12, rel=1e-12)
    gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True) if loss.requires_grad else [None] * len(leaves)
    for name, gradient in zip(leaves, gradients, strict=True):
        ours = trace.parameter_gradients[name]
        expected = torch.zeros_like(ours) if gradient is None else gradient
        assert torch.allclose(ours, expected, rtol=1e-12, atol=1e-12), name
    assert trace.worst_error <= 1e-12


class _Plain(nn.Module):
    def __init__(self, net, mask, look) -> None:
        super().__init__()
        self.net, self.mask, self.look = net, mask, look

    def forward(self, x):
        return self.net.plain(x, self.mask, self.look)


# --- inside an opened call --------------------------------------------------------------------------------------------


def lstm_by_hand(net: nn.LSTM, x: torch.Tensor, look) -> torch.Tensor:
    """The last hidden state, gate by gate; `look(t, gate, value)`."""
    h = c = torch.zeros(x.shape[1], net.hidden_size, dtype=x.dtype)
    for t, x_t in enumerate(x):
        z = F.linear(x_t, net.weight_ih_l0, net.bias_ih_l0) + F.linear(h, net.weight_hh_l0, net.bias_hh_l0)
        i, f, g, o = z.chunk(4, -1)
        i, f = look(t, "input gate", torch.sigmoid(i)), look(t, "forget gate", torch.sigmoid(f))
        g, o = look(t, "candidate", torch.tanh(g)), look(t, "output gate", torch.sigmoid(o))
        c = f * c + i * g
        h = o * torch.tanh(c)
    return h


@pytest.mark.parametrize("gate", ["input gate", "forget gate", "candidate", "output gate"])
@pytest.mark.parametrize("kind", ["set", "ablate", "scale"])
@pytest.mark.parametrize("element", [None, (1, 2), (None, 0)])
def test_a_gate_of_an_lstm_in_the_middle_of_time(gate, kind, element):
    torch.manual_seed(3)
    net, x = nn.LSTM(3, 4).double(), torch.randn(5, 2, 3, dtype=torch.float64)
    loss = lambda output, _: output[1][0].square().mean()  # noqa: E731
    base = capture(net, x, loss=loss)
    node = [node for node in base.nodes if node.group[-2:] == ("t=2", gate)][-1]  # what σ or tanh makes of its sum
    what_if = ValueChange(node.id, kind, 0.7, element)
    trace = capture(net, x, loss=loss, what_ifs=[what_if])
    plain = lstm_by_hand(net, x, lambda t, name, value: by_hand(value, what_if) if (t, name) == (2, gate) else value).square().mean()
    assert trace.loss == pytest.approx(plain.item(), rel=1e-12)
    for name, gradient in zip(trace.parameter_gradients, torch.autograd.grad(plain, net.parameters()), strict=True):
        assert torch.allclose(trace.parameter_gradients[name], gradient, rtol=1e-12, atol=1e-12), name
    before, after = {node.id: node for node in base.nodes}, trace.nodes
    assert [(n.operation, n.group, n.inputs) for n in after] == [(n.operation, n.group, n.inputs) for n in before.values()]


# --- every module of the zoo ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_everything_behind_a_supposed_value_is_what_the_recorded_calls_give(name):
    """`replay` is the second opinion; what cannot be supposed says so and changes nothing."""
    module, inputs = make(name)
    chance, state = torch.get_rng_state(), {key: value.clone() for key, value in module.state_dict().items()}
    base = capture(module, *inputs)
    candidates = [node for node in base.nodes if node.value.is_floating_point() and node.value.numel()]
    supposed = 0
    for place, node in enumerate(candidates[:: max(1, len(candidates) // 8)]):
        kind = ("set", "scale", "ablate")[place % 3]
        what_if = ValueChange(node.id, kind, 0.5, tuple(size // 2 for size in node.shape) if place % 2 else None)
        module.load_state_dict(state)
        torch.set_rng_state(chance)
        try:
            trace = capture(module, *inputs, what_ifs=[what_if])
        except TraceError as error:
            assert any(words in str(error) for words in (IN_PLACE, "no call in this iteration", "cannot be made"))
            continue
        supposed += 1
        value = trace.nodes[node.id].value
        assert trace.worst_error <= 1e-11
        assert kind == "scale" or torch.equal(value, by_hand(value, what_if))
        if name not in OTHERWISE:
            again = replay(base, {node.id: value})
            pairs = [pair for other in trace.nodes for pair in zip(other.values, again[other.id], strict=True)]
            assert all(torch.allclose(*pair, rtol=1e-12, atol=1e-12, equal_nan=True) for pair in pairs)
    assert supposed or name == "checkpointed"


@pytest.mark.parametrize("name", ["stacked_lstm_dropout", "variational_autoencoder", "dropout_train"])
def test_the_same_masks_and_noise(name):
    module, inputs = make(name)
    chance = torch.get_rng_state()
    base = capture(module, *inputs)
    parameter = next(node for node in base.nodes if node.kind == "parameter")
    torch.set_rng_state(chance)
    trace = capture(module, *inputs, what_ifs=[ValueChange(parameter.id, "scale", 3.0)])
    drawn = [node for node in base.nodes if node.call is not None and node.call.rng is not None and not node.inputs]
    assert drawn
    assert sum((node.value - trace.nodes[node.id].value).abs().sum().item() for node in drawn) == 0


def test_taking_back_gives_the_very_same_trace():
    module, inputs = make("stacked_lstm_dropout")
    chance = torch.get_rng_state()
    base = capture(module, *inputs)
    torch.set_rng_state(chance)
    changed = capture(module, *inputs, what_ifs=[ValueChange(node.id, "set", 0.1) for node in base.nodes if node.kind == "parameter"])
    assert changed.loss != base.loss
    torch.set_rng_state(chance)
    again = capture(module, *inputs)
    assert again.loss == base.loss
    for one, other in zip(again.nodes, base.nodes, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.values, other.values, strict=True))
        assert all(a is b is None or torch.equal(a, b) for a, b in zip(one.gradients, other.gradients, strict=True))


def test_nothing_flows_back_into_what_made_a_set_value_and_a_factor_stays():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    x, target = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 1, dtype=torch.float64)
    base = capture(net, x, loss=F.mse_loss, target=target)
    tanh = next(node for node in base.nodes if node.operation == "tanh")
    cut = capture(net, x, loss=F.mse_loss, target=target, what_ifs=[ValueChange(tanh.id, "set", 0.3)])
    assert cut.nodes[tanh.id].gradient.abs().sum() > 0, "the loss still feels the value"
    assert cut.parameter_gradients["0.weight"].abs().max() == 0, "but not what would have made it"
    assert cut.parameter_gradients["2.weight"].abs().max() > 0
    scaled = capture(net, x, loss=F.mse_loss, target=target, what_ifs=[ValueChange(tanh.id, "scale", 2.0)])
    local = 2.0 * (1 - (scaled.nodes[tanh.id].value / 2) ** 2)
    assert torch.allclose(scaled.nodes[tanh.inputs[0]].gradient, scaled.nodes[tanh.id].gradient * local, rtol=1e-12)


def test_finite_differences_feel_what_is_supposed():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    x, target = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 1, dtype=torch.float64)
    base = capture(net, x, loss=F.mse_loss, target=target)
    tanh = next(node for node in base.nodes if node.operation == "tanh")
    trace = capture(
        net,
        x,
        loss=F.mse_loss,
        target=target,
        what_ifs=[ValueChange(tanh.id, "set", 0.3, (0, 1)), ValueChange(tanh.id, "scale", 2.0, (None, 2))],
    )
    for node in (tanh.id, tanh.inputs[0], next(n.id for n in trace.nodes if n.label == "0.weight")):
        index = tuple(0 for _ in trace.nodes[node].shape)
        for last in range(trace.nodes[node].shape[-1]):
            place = (*index[:-1], last)
            assert finite_difference(trace, node, place) == pytest.approx(trace.nodes[node].gradient[place].item(), abs=1e-8)


def test_the_update_is_that_of_the_supposed_gradient_and_the_module_is_left_alone():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()
    x, target = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 1, dtype=torch.float64)
    kept = x.clone(), {name: parameter.clone() for name, parameter in net.named_parameters()}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    nodes = {node.label: node.id for node in capture(net, x, loss=F.mse_loss, target=target).nodes}
    what_ifs = [
        ValueChange(nodes["2.bias"], "set", 2.5, (0,)),
        ValueChange(nodes["input"], "ablate", element=(None, 1)),
        ValueChange(nodes["target"], "scale", 2.0),
    ]
    trace = capture(net, x, loss=F.mse_loss, target=target, optimizer=optimizer, what_ifs=what_ifs)
    assert torch.equal(x, kept[0]) and all(torch.equal(parameter, kept[1][name]) for name, parameter in net.named_parameters())
    assert trace.nodes[nodes["input"]].value[:, 1].abs().sum() == 0
    assert torch.equal(trace.nodes[nodes["target"]].value, target * 2)
    update = next(update for update in trace.updates if update.parameter == "2.bias")
    assert update.before.item() == 2.5
    assert update.after.item() == pytest.approx(2.5 - 0.5 * trace.parameter_gradients["2.bias"].item(), rel=1e-12)


def test_what_comes_later_starts_from_the_supposed_statistics_of_batch_norm():
    """The second call of one module sees what the first, altered inside, has written."""
    module, inputs = make("batch_norm_called_twice")
    base = capture(module, *inputs)
    mean = next(node for node in base.nodes if node.operation == "mean")
    trace = capture(module, *inputs, what_ifs=[ValueChange(mean.id, "set", 0.25)])
    assert [node.group for node in trace.nodes] == [node.group for node in base.nodes]
    assert trace.worst_error <= 1e-12


@pytest.mark.parametrize(
    ("what_if", "words"),
    [
        (ValueChange(0, "double"), "kind 'double'"),
        (ValueChange(999), "node 999"),
        (ValueChange(0, "set", 1.0, (9, 9)), "has no element"),
        (ValueChange(0, "set", 1.0, (0,)), "has no element"),
    ],
)
def test_what_makes_no_sense_is_refused(what_if, words):
    module, inputs = make("mlp_tanh_mse")
    with pytest.raises(TraceError, match=words):
        capture(module, *inputs, what_ifs=[what_if])


def test_classes_are_whole_numbers_within_the_classes():
    module, inputs = make("mlp_relu_cross_entropy")
    target = next(node.id for node in capture(module, *inputs).nodes if node.kind == "input" and not node.value.is_floating_point())
    before = inputs[1].clone()
    with pytest.raises(TraceError, match=r"1\.5 is not one"):
        capture(module, *inputs, what_ifs=[ValueChange(target, "set", 1.5, (0,))])
    with pytest.raises(TraceError, match="cannot be made"):
        capture(module, *inputs, what_ifs=[ValueChange(target, "set", 77, (0,))])
    assert torch.equal(inputs[1], before)
    wanted = (int(before[0]) + 1) % 3
    trace = capture(module, *inputs, what_ifs=[ValueChange(target, "set", wanted, (0,))])
    assert trace.nodes[target].value[0] == wanted


def test_an_in_place_call_says_what_to_change_instead():
    module = Supervised(nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True)), nn.MSELoss()).double()
    inputs = torch.randn(2, 3, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    relu = next(node for node in capture(module, *inputs).nodes if node.operation.startswith("relu"))
    with pytest.raises(TraceError, match=IN_PLACE):
        capture(module, *inputs, what_ifs=[ValueChange(relu.id)])


def test_agreements_say_how_near_every_parameter_is():
    module, inputs = make("cnn_batch_norm")
    trace = capture(module, *inputs)
    rows = agreements(trace)
    assert {row.parameter for row in rows} == {name for name, gradient in trace.parameter_gradients.items() if gradient is not None}
    assert rows[0].relative == pytest.approx(trace.worst_error)
    assert [row.relative for row in rows] == sorted((row.relative for row in rows), reverse=True)
    for row in rows:
        gradient = trace.parameter_gradients[row.parameter]
        assert row.ours == gradient.abs().max().item()
        assert math.isclose(row.ours, row.torch, abs_tol=1e-12)
        assert row.difference <= 1e-12

"""capture against plain autograd: the loss, every gradient, every buffer, and what the module is left like."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.trace import DETAILS, TraceError, capture
from tests.trace.zoo import CASES, make

EVERY = pytest.mark.parametrize(("name", "detail"), [(name, detail) for name in CASES for detail in DETAILS])


def plain(name: str) -> tuple[nn.Module, torch.Tensor, list[torch.Tensor], torch.Tensor]:
    """The module after one ordinary forward: its loss, its buffers and the generator's state before any backward."""
    module, inputs = make(name)
    torch.manual_seed(1)
    loss = module(*inputs)
    return module, loss, [buffer.clone() for buffer in module.buffers()], torch.get_rng_state()


def captured(name: str, detail: str):
    module, inputs = make(name)
    torch.manual_seed(1)
    return module, capture(module, *inputs, detail=detail)


@EVERY
def test_equals_plain_autograd(name, detail):
    module, loss, buffers, generator = plain(name)
    loss.backward()
    other, trace = captured(name, detail)
    assert torch.equal(torch.get_rng_state(), generator)
    assert trace.loss == pytest.approx(loss.item(), abs=1e-12, rel=1e-12)
    assert trace.worst_error <= 1e-12
    for (label, parameter), twin in zip(module.named_parameters(), other.parameters(), strict=True):
        traced = trace.parameter_gradients[label]
        assert (traced is None) == (parameter.grad is None), label
        assert traced is None or (traced - parameter.grad).abs().max() <= 1e-12, label
        assert torch.equal(parameter, twin)
        assert twin.grad is None
    for before, after in zip(buffers, other.buffers(), strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize("name", ["stacked_lstm_dropout", "cnn_batch_norm", "checkpointed", "in_place_view"])
def test_leaves_accumulated_gradients_and_modes_alone(name):
    module, inputs = make(name)
    kept = [torch.full_like(p, 3.0) for p in module.parameters()]
    for parameter, gradient in zip(module.parameters(), kept, strict=True):
        parameter.grad = gradient
    modes = [part.training for part in module.modules()]
    capture(module, *inputs)
    assert all(p.grad is gradient and bool((gradient == 3).all()) for p, gradient in zip(module.parameters(), kept, strict=True))
    assert [part.training for part in module.modules()] == modes
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_worked_example_by_hand():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    values = ([[0.1, 0.5], [0.8, -0.3]], [-1.2, 0.9], [[0.8, 1.2]], [0.2])
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value, dtype=torch.float64))
    x, y = torch.tensor([[1.3, 0.7]], dtype=torch.float64), torch.tensor([[1.0]], dtype=torch.float64)
    trace = capture(net, x, loss=F.mse_loss, target=y)
    hidden, prediction = (node for node in trace.nodes if node.operation == "linear")
    gradients = trace.parameter_gradients
    assert hidden.value.tolist()[0] == pytest.approx([-0.72, 1.73])
    assert prediction.value.item() == pytest.approx(2.276)
    assert trace.loss == pytest.approx(1.628176)
    assert gradients["0.weight"].tolist()[0] == [0, 0]
    assert gradients["0.weight"].tolist()[1] == pytest.approx([3.98112, 2.14368])
    assert gradients["2.bias"].item() == pytest.approx(2.552)
    assert [trace.nodes[k].label for k in hidden.inputs] == ["input", "0.weight", "0.bias"]
    assert (hidden.formula, hidden.module, hidden.group, hidden.reads) == ("z = x Wᵀ + b", "0", ("0",), (0,))
    assert prediction.reads == prediction.inputs[:2]


def test_loss_target_and_penalty_belong_to_the_loss_phase():
    net = nn.Linear(3, 2).double()
    x, y = torch.randn(4, 3).double(), torch.randn(4, 2).double()

    def penalty(module):
        return 0.1 * module.weight.abs().sum()

    trace = capture(net, x, loss=nn.MSELoss(), target=y, penalty=penalty)
    (F.mse_loss(net(x), y) + penalty(net)).backward()
    assert torch.allclose(trace.parameter_gradients["weight"], net.weight.grad, atol=1e-14)
    assert trace.nodes[trace.loss_node].kind == "loss"
    assert {node.operation for node in trace.nodes if node.group[:1] == ("penalty",)} == {"abs", "sum", "mul", "add"}
    assert next(node for node in trace.nodes if node.label == "target").kind == "input"
    assert [node.phase for node in trace.nodes if node.operation == "linear"] == ["forward"]
    weight = next(node for node in trace.nodes if node.label == "weight")
    assert len(weight.contributions) == 2


def test_shared_weight_shows_every_addend():
    _, trace = captured("gru_cell_loop", "textbook")
    weight = next(node for node in trace.nodes if node.label == "cell.weight_hh")
    assert len(weight.contributions) == 5
    assert torch.allclose(sum(part.gradient for part in weight.contributions), weight.gradient)
    groups = [trace.nodes[part.source].group[0] for part in weight.contributions]
    assert groups == ["cell#5", "cell#4", "cell#3", "cell#2", "cell"]


def test_parameters_of_the_loss_and_parameters_nobody_named_take_part():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, output, target):
            return (self.scale * output - target).square().mean()

    stray = nn.Parameter(torch.ones(3))
    trace = capture(nn.Linear(3, 3), torch.ones(2, 3) * stray.detach() + 0, loss=Scaled(), target=torch.zeros(2, 3))
    assert trace.parameter_gradients["loss.scale"] is not None
    module = nn.Sequential(nn.Linear(3, 3))
    module.forward = lambda x: (module[0](x) * stray).sum()
    assert capture(module, torch.ones(2, 3)).parameter_gradients["unnamed.2"].shape == (3,)


def test_inputs_are_named_after_forward():
    class Several(nn.Module):
        def forward(self, x, state, *rest):
            return (x + state[0] * state[1]["gate"]).sum() + sum(rest).sum()

    x = torch.ones(2, requires_grad=True)
    trace = capture(Several(), x, (torch.ones(2), {"gate": torch.ones(2)}), torch.ones(1), torch.ones(1))
    names = [node.label for node in trace.nodes if node.kind == "input"]
    assert names == ["x", "state.0", "state.1.gate", "rest.0", "rest.1"]
    assert trace.input_gradients["x"].tolist() == [1, 1]
    assert list(trace.input_gradients) == ["x"]


LEARNING = ["cnn_batch_norm", "stacked_lstm_dropout", "tied_weights", "running_average_buffer", "variational_autoencoder"]


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", LEARNING)
def test_an_old_trace_does_not_change_when_the_module_learns(name, kind):
    module, inputs = make(name)
    optimizer = kind(module.parameters(), lr=0.5)
    trace = capture(module, *inputs, optimizer=optimizer)
    before = copy.deepcopy([[node.values, node.gradients, [part.gradient for part in node.contributions]] for node in trace.nodes])
    updates = copy.deepcopy([update.after for update in trace.updates])
    for _ in range(3):
        optimizer.zero_grad()
        module(*inputs).backward()
        optimizer.step()
    inputs[0].fill_(7.0)
    for node, (values, gradients, parts) in zip(trace.nodes, before, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(node.values, values, strict=True))
        assert all(a is b is None or torch.equal(a, b) for a, b in zip(node.gradients, gradients, strict=True))
        assert all(torch.equal(a.gradient, b) for a, b in zip(node.contributions, parts, strict=True))
    assert all(torch.equal(update.after, after) for update, after in zip(trace.updates, updates, strict=True))


def test_numbers_that_are_not_finite_are_traced_as_they_are():
    net = nn.Linear(2, 2)
    trace = capture(net, torch.tensor([[float("nan"), float("inf")]]), loss=F.mse_loss, target=torch.zeros(1, 2))
    assert trace.loss != trace.loss
    assert trace.worst_error == 0
    first = next(node for node in trace.nodes if node.kind == "operation" and not node.value.isfinite().all())
    assert first.operation == "linear"


def test_gradients_that_cancel_to_nothing_are_no_reason_to_refuse():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, affine=False))
    trace = capture(net, torch.randn(6, 4), loss=lambda output, _: output.mean())
    assert trace.parameter_gradients["0.weight"].abs().max() < 1e-6
    assert trace.worst_error < 1e-5


def test_single_precision_and_capture_under_no_grad():
    torch.manual_seed(0)
    net = nn.LSTM(3, 4, batch_first=True)
    with torch.no_grad():
        trace = capture(net, torch.randn(2, 6, 3), loss=lambda output, _: output[0].square().mean())
    assert 0 < trace.worst_error < 1e-5
    assert trace.parameter_gradients["weight_hh_l0"].abs().sum() > 0


def test_a_module_without_anything_to_learn_has_no_backward():
    trace = capture(nn.Identity(), torch.ones(3), loss=lambda output, _: output.mean())
    assert trace.loss == 1
    assert not [step for step in trace.steps if step.phase == "backward"]


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: capture(nn.Linear(2, 2), torch.ones(1, 2)), r"shape \(1, 2\).*loss="),
        (lambda: capture(nn.Linear(2, 1), torch.ones(1, 2), loss=lambda o, t: o.item()), "a float"),
        (lambda: capture(nn.Linear(2, 1), torch.ones(1, 2), detail="atoms"), "layer, textbook, math"),
        (lambda: capture(nn.Identity(), torch.tensor(1.0)), "not computed from anything"),
    ],
)
def test_says_what_is_wrong_with_the_call(run, message):
    with pytest.raises(TraceError, match=message):
        run()


def test_the_models_own_errors_come_through_and_leave_nothing_behind():
    apply = torch.autograd.Function.__dict__["apply"]
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes"):
        capture(nn.Linear(2, 1), torch.ones(1, 3), loss=F.mse_loss, target=torch.ones(1, 1))
    assert torch.autograd.Function.__dict__["apply"] is apply
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nn.Linear(2, 1)(torch.ones(1, 2)).shape == (1, 1)

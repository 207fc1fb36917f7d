"""What the tape records, and what it refuses: a sentence with a place and a cure, never wrong numbers."""

from __future__ import annotations

import re
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from nnviz.trace import TraceError, capture
from tests.trace.zoo import Model, make, normal

HERE = re.escape(__file__) + r":\d+"


def run(function, *inputs, **parts) -> object:
    return capture(Model(function, a=nn.Linear(4, 3).double(), **parts), *(inputs or (normal(5, 4),)))


def test_knows_where_and_in_which_module_a_call_was_made():
    trace = run(lambda m, x: m.a(x).tanh().mean())
    linear, tanh, mean = (node for node in trace.nodes if node.call is not None)
    assert (linear.module, tanh.module, mean.module) == ("a", "", "")
    assert all(re.fullmatch(HERE, node.where) for node in (linear, tanh, mean))
    assert (linear.phase, mean.phase, mean.kind) == ("forward", "loss", "loss")


def test_one_name_however_it_was_spelled():
    trace = run(lambda m, x: ((1 + m.a(x)) + torch.add(m.a(x), 2) + m.a(x).add(3)).true_divide(2).mean())
    assert [node.operation for node in trace.nodes if node.call is not None and node.operation != "linear"] == [
        "add", "add", "add", "add", "add", "div", "mean",
    ]  # fmt: skip


def test_a_module_called_again_is_numbered():
    trace = run(lambda m, x: (m.a(x) + m.a(x) * m.a(x)).mean())
    assert [node.group for node in trace.nodes if node.operation == "linear"] == [("a",), ("a#2",), ("a#3",)]


def test_nested_modules_are_nested_groups():
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.ModuleDict({"b": nn.Linear(2, 1)})["b"])
    trace = capture(net, torch.ones(1, 2), loss=lambda output, _: output.sum())
    assert [(n.module, n.group) for n in trace.nodes if n.operation == "linear"] == [("0.0", ("0", "0")), ("1", ("1",))]


def test_places_that_read_a_value_are_listed():
    def forward(m, x):
        h = m.a(x)
        if h.sum() > 0:
            h = h * 2
        return h.mean() * (1 + 0 * h[0, 0].item())

    reads = run(forward).value_reads
    assert [read.operation for read in reads] == ["bool", "item"]
    assert all(re.fullmatch(HERE, read.where) for read in reads)


def test_shapes_and_counters_make_no_node():
    trace = run(lambda m, x: m.b(m.a(x)).view(x.size(0), -1).mean() / len(x) / x.shape[1], b=nn.BatchNorm1d(3).double())
    operations = {node.operation for node in trace.nodes}
    assert not operations & {"shape", "size", "len", "add_", "dim"}
    assert "num_batches_tracked" not in {node.label.rpartition(".")[2] for node in trace.nodes}


def test_a_random_draw_is_an_operation_and_a_filled_tensor_a_constant():
    _, inputs = make("autoencoder")
    trace = capture(make("variational_autoencoder")[0], *inputs)
    kinds = {node.operation: node.kind for node in trace.nodes}
    assert kinds["randn"] == kinds["randn_like"] == "operation"
    assert run(lambda m, x: (m.a(x) + torch.zeros(3).double()).sum()).nodes[4].kind == "constant"


def test_writes_through_views_are_carried_into_the_base():
    trace = capture(*[part for whole in make("in_place_view") for part in (whole if isinstance(whole, tuple) else (whole,))])
    operations = [node.operation for node in trace.nodes]
    assert "write_back" in operations
    assert "read_view" in operations


def test_reads_are_what_backward_reads():
    trace = run(lambda m, x: torch.sigmoid(m.a(x)).mul(x[:, :3]).exp().mean())
    by = {node.operation: node for node in trace.nodes if node.call is not None}
    assert by["sigmoid"].reads == (by["sigmoid"].id,)
    assert by["mul"].reads == (by["getitem"].id,)
    assert by["exp"].reads == (by["exp"].id,)
    assert by["linear"].reads == (0,)
    assert by["getitem"].reads == by["mean"].reads == ()


def test_nothing_is_said_of_the_backward_of_a_node_the_loss_does_not_need():
    trace = run(lambda m, x: (m.a(x), m.a(x).exp())[0].mean())
    lost = next(node for node in trace.nodes if node.operation == "exp")
    assert (lost.gradient, lost.reads, lost.contributions) == (None, (), ())


def test_a_custom_function_keeps_its_own_backward():
    module, inputs = make("custom_function")
    node = next(node for node in capture(module, *inputs).nodes if node.operation == "StraightThrough")
    assert node.reads == node.inputs


# -- what cannot be traced -----------------------------------------------------------------------------------------


class Counting(torch.autograd.Function):
    """Gives something else each time it is called."""

    calls = 0

    @staticmethod
    def forward(ctx, x):
        Counting.calls += 1
        return x * Counting.calls

    @staticmethod
    def backward(ctx, gradient):
        return gradient


def gradient_inside(m, x):
    h = m.a(x)
    return torch.autograd.grad(h.sum(), m.a.weight, create_graph=True)[0].sum() + h.sum()


def backward_inside(m, x):
    m.a(x).sum().backward()
    return m.a(x).sum()


def data_replaced(m, x):
    m.a.weight.data = m.a.weight.data * 2
    return m.a(x).sum()


def parameter_data_scaled(m, x):
    m.a.weight.data.mul_(2)
    return m.a(x).sum()


def data_written(m, x):
    h = m.a(x)
    h.data[0] = 0
    return h.square().sum()


def written_through_detach(m, x):
    h = m.a(x).exp()
    h.detach().add_(1)
    return h.sum() + x.sum()


def gradient_scaled_by_hook(m, x):
    h = m.a(x)
    h.register_hook(lambda gradient: gradient * 2)
    return h.square().mean()


def mapped(m, x):
    def row_of(row):
        return m.a(row).sum()

    return torch.vmap(row_of)(x).sum()


def reentrant(m, x):
    return checkpoint(m.a, x.requires_grad_(), use_reentrant=True).sum()


def scripted(whole):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(whole)


def doubled(x):
    return torch.relu(x) * 2


compiled = scripted(doubled)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (gradient_inside, HERE + ".*inside the forward pass.*outside the module"),
        (backward_inside, HERE + ".*inside the forward pass.*outside the module"),
        (data_replaced, HERE + r".*no_grad.*copy_"),
        (parameter_data_scaled, HERE + r".*\.data.*no_grad"),
        (data_written, HERE + r".*\.data.*no_grad"),
        (written_through_detach, HERE + r": add_ writes over a value that the backward step of exp at " + HERE + " still reads.*clone"),
        (gradient_scaled_by_hook, r"refused.*a\.weight, a\.bias.*hook registered at " + HERE),
        (reentrant, HERE + ".*use_reentrant=False"),
        (lambda m, x: compiled(m.a(x)).sum(), r"refused.*a\.weight.*" + HERE + ".*torch.jit.script.*plain function"),
        (mapped, HERE + ".*vmap.*write the batch dimension out"),
        (lambda m, x: Counting.apply(m.a(x)).sum(), "loss is not what ordinary autograd computes"),
    ],
    ids=lambda part: getattr(part, "__name__", None),
)  # fmt: skip
def test_refuses_by_name(forward, message):
    with pytest.raises(TraceError, match=message):
        run(forward)


def test_refuses_scripted_modules_before_running_them():
    net = nn.Sequential(nn.ReLU(), scripted(nn.Linear(4, 3)))
    with pytest.raises(TraceError, match=r"'1'.*torch\.jit\.script.*plain module"):
        capture(net, torch.ones(1, 4), loss=F.mse_loss, target=torch.ones(1, 3))


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_torch_compiles_runs_as_it_was_written(is_whole):
    net = (
        nn.Sequential(nn.Linear(4, 3), nn.Tanh()) if is_whole else nn.Sequential(torch.compile(nn.Linear(4, 3), backend="eager"), nn.Tanh())
    )
    trace = capture(torch.compile(net, backend="eager") if is_whole else net, torch.ones(1, 4), loss=F.mse_loss, target=torch.ones(1, 3))
    assert [node.operation for node in trace.nodes if node.call is not None] == ["linear", "tanh", "mse_loss"]


def test_a_transform_is_refused_at_the_line_that_calls_it():
    with pytest.raises(TraceError) as refusal:
        run(mapped)
    assert f"test_tape.py:{line_of('return torch.vmap(row_of)(x).sum()')}: torch.vmap" in str(refusal.value)


def test_inference_mode_is_refused_by_name():
    def forward(m, x):
        with torch.inference_mode():
            h = m.a(x) * 2
        return h.sum()

    with pytest.raises(TraceError, match=HERE + ".*inference_mode.*no_grad"):
        run(forward)


def test_a_hook_that_only_looks_is_no_reason_to_refuse():
    seen = []

    def forward(m, x):
        h = m.a(x)
        h.register_hook(lambda gradient: seen.append(gradient.shape))
        return h.sum()

    assert run(forward).worst_error == 0
    assert seen == [(5, 3)]


class Remembering(nn.Module):
    """Carries its state from call to call, as in truncated backpropagation through time."""

    def __init__(self, detached: bool):
        super().__init__()
        self.cell, self.state, self.detached = nn.GRUCell(4, 3), torch.zeros(5, 3), detached

    def forward(self, x):
        self.state = self.cell(x, self.state.detach() if self.detached else self.state)
        return self.state.square().mean()


def test_a_state_from_before_is_a_constant_if_it_is_detached_and_refused_if_not():
    x = torch.ones(5, 4)
    for detached in (True, False):
        module = Remembering(detached)
        capture(module, x)
        if detached:
            assert capture(module, x).worst_error < 1e-6
        else:
            with pytest.raises(TraceError, match=r"before the capture.*detach"):
                capture(module, x)


def test_hooks_that_were_there_before_and_change_gradients_are_named_with_their_place():
    def double(gradient):
        return gradient * 2

    def triple(module, inputs, outputs):
        return tuple(None if gradient is None else gradient * 3 for gradient in inputs)

    net, x = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)), torch.ones(5, 4)
    handle = net[0].weight.register_hook(double)
    with pytest.raises(TraceError, match=r"refused.*gradient of 0\.weight is not.*hook on '0\.weight', defined at " + HERE):
        capture(net, x, loss=lambda output, _: output.square().mean())
    handle.remove()
    net[2].register_full_backward_hook(triple)
    with pytest.raises(TraceError, match=r"refused.*0\.weight, 0\.bias.*hook on module '2', defined at " + HERE):
        capture(net, x, loss=lambda output, _: output.square().mean())


def test_hooks_of_modules_take_part():
    net, seen = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)), []
    net[1].register_full_backward_hook(lambda *_: seen.append("back"))
    net[2].register_forward_hook(lambda module, inputs, output: output * 2)
    trace = capture(net, torch.ones(5, 4), loss=lambda output, _: output.square().mean())
    assert "mul" in [node.operation for node in trace.nodes]
    assert seen == ["back"]


def test_sparse_and_half_precision_gradients():
    net = nn.Embedding(7, 3, sparse=True)
    assert capture(net, torch.tensor([1, 2, 2]), loss=lambda output, _: output.square().mean()).worst_error == 0
    half = capture(nn.Linear(4, 3).bfloat16(), torch.ones(2, 4).bfloat16(), loss=lambda output, _: output.mean())
    assert half.parameter_gradients["weight"].dtype == torch.bfloat16


def test_other_devices_are_refused_by_name():
    with pytest.raises(TraceError, match=r"parameter 'weight' is on meta.*CPU"):
        capture(nn.Linear(4, 3, device="meta"), torch.ones(2, 4), loss=lambda output, _: output.mean())


class WritesThroughNumpy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, x):
        z = self.layer(x)
        z.detach().numpy()[:] = 0
        return (z**2).sum()


class HasScript(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.jit.script(nn.Linear(3, 1))

    def forward(self, x):
        return self.inner(x).sum()


def line_of(text: str) -> int:
    with open(__file__, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if line.strip() == text)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    ("make_module", "text", "said"),
    [
        (WritesThroughNumpy, "z.detach().numpy()[:] = 0", "shares its memory"),
        (HasScript, "self.inner = torch.jit.script(nn.Linear(3, 1))", "'inner' is compiled by torch.jit.script"),
        (lambda: torch.jit.script(nn.Linear(3, 1)), "capture(module, torch.ones(2, 3))", "the module is compiled by torch.jit.script"),
    ],
)
def test_a_refusal_names_the_line(make_module, text, said):
    module = make_module()
    with pytest.raises(TraceError, match=said) as refusal:
        capture(module, torch.ones(2, 3))
    assert f"test_tape.py:{line_of(text)}" in str(refusal.value)

"""What strangers hand to capture: it is traced as torch runs it, or refused in a sentence."""

from __future__ import annotations

import threading
import warnings
from typing import NamedTuple

import pytest
import torch
import torch.distributions as D
import torch.nn.functional as F
from torch import nn
from torch.optim import SGD, Adagrad, Adam, RMSprop, SparseAdam

from nnviz.trace import TraceError, capture
from tests.trace.zoo import Model, normal


def same_as_torch(module: nn.Module, *inputs, seed: int = 0, **how):
    """The trace, after its loss and its gradients are found to be those of the module left alone."""
    torch.manual_seed(seed)
    loss = module(*inputs)
    parameters = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
    true = dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values()), allow_unused=True), strict=True)) if parameters else {}
    torch.manual_seed(seed)
    trace = capture(module, *inputs, **how)
    assert trace.loss == loss.item()
    for name, gradient in true.items():
        found = trace.parameter_gradients[name]
        assert (found is gradient is None) or torch.allclose(found, gradient.to_dense() if gradient.layout != torch.strided else gradient)
    return trace


# -- the fast path of attention ------------------------------------------------------------------------------------

PADDED = torch.tensor([[False, False, True], [False, False, False]])
nested_tensors_are_new = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage")


class Frozen(nn.Module):
    def __init__(self, encoder: nn.Module, is_frozen: bool):
        super().__init__()
        self.encoder, self.head, self.is_frozen = encoder, nn.Linear(4, 1), is_frozen
        encoder.requires_grad_(not is_frozen)

    def forward(self, x, padded):
        with torch.set_grad_enabled(self.is_frozen):  # either way the encoder learns nothing
            h = self.encoder(x, src_key_padding_mask=padded)
        return self.head(h).square().mean()


def encoder_layer() -> nn.Module:
    return nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)


@nested_tensors_are_new
@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize("make", [lambda: nn.TransformerEncoder(encoder_layer(), 2), encoder_layer])
def test_the_fast_path_is_taken_as_if_nobody_looked(make, is_frozen, detail):
    torch.manual_seed(0)
    net = Frozen(make(), is_frozen).eval()
    trace = same_as_torch(net, torch.randn(2, 3, 4), PADDED, detail=detail)
    kind = type(net.encoder).__name__
    node = next(node for node in trace.nodes if node.operation == kind)
    assert node.module == "encoder" and {trace.nodes[source].label for source in node.inputs} >= {"x", "padded"}
    assert sum(trace.nodes[source].kind == "parameter" for source in node.inputs) == len(list(net.encoder.parameters()))
    assert any(f"test_own_modules.py:{node.where.rpartition(':')[2]}: encoder takes torch's fast path" in note for note in trace.notes)


@pytest.mark.parametrize("is_training", [True, False])
def test_attention_that_learns_is_opened(is_training):
    torch.manual_seed(0)
    net = Frozen(nn.TransformerEncoder(encoder_layer(), 1), False).train(is_training)
    net.forward = lambda x: net.head(net.encoder(x)).square().mean()
    trace = same_as_torch(net, torch.randn(2, 3, 4))
    assert any("softmax" in node.operation for node in trace.nodes) and not any("fast path" in note for note in trace.notes)


@pytest.mark.parametrize("needs_weights", [True, False])
def test_frozen_attention_alone_takes_its_fast_path(needs_weights):
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(4, 2, batch_first=True).requires_grad_(False).eval()
    net = Model(lambda m, x: m.out(m.a(x, x, x, need_weights=needs_weights)[0]).square().mean(), a=attention, out=nn.Linear(4, 1)).eval()
    trace = same_as_torch(net, torch.randn(2, 3, 4))
    assert "MultiheadAttention" in {node.operation for node in trace.nodes}


class Counting(nn.TransformerEncoderLayer):
    """Counts its calls, and takes no fast path because of what it has for an activation."""

    def __init__(self):
        super().__init__(4, 2, 8, batch_first=True, activation=torch.tanh)
        self.register_buffer("calls", torch.zeros(()))

    def _ff_block(self, x):
        self.calls += 1
        return super()._ff_block(x)


def test_finding_out_leaves_no_trace_in_the_module():
    torch.manual_seed(0)
    net = Model(lambda m, x: m.out(m.a(x)).square().mean(), a=Counting().requires_grad_(False), out=nn.Linear(4, 1)).eval()
    x = torch.randn(2, 3, 4)
    trace = capture(net, x)
    assert net.a.calls == 1 and trace.loss == net(x).item()
    assert {"MultiheadAttention", "tanh", "layer_norm"} <= {node.operation for node in trace.nodes}


@nested_tensors_are_new
def test_a_trace_of_the_fast_path_does_not_follow_the_module():
    from nnviz.trace import replay

    torch.manual_seed(0)
    net, x = Frozen(nn.TransformerEncoder(encoder_layer(), 1), True).eval(), torch.randn(2, 3, 4)
    trace = capture(net, x, PADDED)
    with torch.no_grad():
        for parameter in net.encoder.parameters():
            parameter.mul_(3)
    place = next(node.id for node in trace.nodes if node.label == "x")
    assert replay(trace, {place: x})[trace.loss_node][0].item() == trace.loss


# -- another thread ------------------------------------------------------------------------------------------------


def test_a_thread_that_runs_modules_is_neither_seen_nor_disturbed():
    other, stop, wrong = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), threading.Event(), []
    batch = torch.ones(4, 2)

    def work():
        while not stop.is_set():
            try:
                other(batch)
            except Exception as error:
                wrong.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    x, y = torch.randn(8, 2), torch.randn(8, 1)
    groups = set()
    try:
        for _ in range(60):
            net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
            groups.add(tuple([node.group for node in capture(net, x, loss=F.mse_loss, target=y).nodes]))
    finally:
        stop.set()
        thread.join()
    assert not wrong
    assert {group[:1] for group in groups.pop()} == {(), ("0",), ("1",), ("2",), ("loss",)} and not groups


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


def test_captures_in_two_threads_leave_torch_as_it_was():
    before = torch.autograd.Function.__dict__["apply"], nn.MultiheadAttention.forward
    found = []

    def work():
        net = Model(lambda m, x: Doubled.apply(m.a(x)).sum(), a=nn.Linear(2, 3))
        for _ in range(30):
            trace = capture(net, torch.ones(4, 2))
            found.append([node.operation for node in trace.nodes if node.call is not None])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 60 and all(operations == ["linear", "Doubled", "sum"] for operations in found)
    assert before == (torch.autograd.Function.__dict__["apply"], nn.MultiheadAttention.forward)


# -- what is handed over -------------------------------------------------------------------------------------------


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x, *, mask=None, detail=1.0):
        return (self.layer(x) * mask).sum() * detail


def test_keywords_go_to_the_module_and_are_named_by_it():
    net, x, mask = Masked(), torch.randn(3, 2), torch.ones(3, 1)
    trace = capture(net, x, mask=mask)
    assert trace.loss == net(x, mask=mask).item()
    assert [node.label for node in trace.nodes if node.kind == "input"] == ["x", "mask"]
    same = capture(net, x, kwargs={"mask": mask, "detail": 2.0}, detail="layer")
    assert same.detail == "layer" and same.loss == net(x, mask=mask, detail=2.0).item()


def test_a_word_that_nobody_takes_is_named():
    with pytest.raises(TraceError, match=r"arguments.*Masked\.forward got an unexpected keyword argument 'optimiser'"):
        capture(Masked(), torch.randn(3, 2), optimiser=None)
    with pytest.raises(TraceError, match=r"Masked\.forward missing a required argument: 'x'"):
        capture(Masked(), mask=torch.ones(3, 1))


GLOBAL_NET = nn.Linear(2, 1)


def test_a_function_is_traced_with_the_modules_it_uses():
    net, scale = nn.Linear(2, 1), nn.Parameter(torch.tensor(2.0))
    trace = capture(lambda x: (net(x) * scale).sum(), torch.ones(3, 2))
    assert trace.parameter_gradients.keys() == {"net.weight", "net.bias", "scale"}
    assert [node.label for node in trace.nodes if node.kind == "input"] == ["x"]
    assert "net" in {node.module for node in trace.nodes}
    total = capture(lambda x: sum(GLOBAL_NET(row).sum() for row in x), torch.ones(3, 2))
    assert total.parameter_gradients.keys() == {"GLOBAL_NET.weight", "GLOBAL_NET.bias"}
    own = Masked()
    of_method = capture(own.forward, torch.ones(3, 2), mask=torch.ones(3, 1))
    assert of_method.parameter_gradients.keys() == {"layer.weight", "layer.bias"}


class Output(NamedTuple):
    loss: torch.Tensor
    logits: torch.Tensor


@pytest.mark.parametrize(
    "wrap", [lambda out: {"loss": out.sum(), "logits": out}, lambda out: Output(out.sum(), out), lambda out: out.sum()]
)
def test_what_is_returned_may_hold_the_loss(wrap):
    net = Model(lambda m, x: wrap(m.a(x)), a=nn.Linear(2, 1))
    trace = capture(net, torch.ones(3, 2))
    assert trace.parameter_gradients["a.weight"].tolist() == [[3.0, 3.0]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"loss": "mse"}, r"loss= must be a function of \(output, target\), such as .*mse_loss, but it is 'mse'"),
        ({"loss": nn.MSELoss}, "loss= must be a function .* but it is the class MSELoss"),
        ({"loss": F.mse_loss}, "no target: give capture a target="),
        ({"penalty": 0.1}, "penalty= must be a function of the module, but it is 0.1"),
        ({"optimizer": "adam", "loss": lambda out, _: out.sum()}, r"optimizer= must be a torch\.optim\.Optimizer .* 'adam'"),
        ({}, r"the loss must be one floating-point number, but it is a tensor of shape \(3, 1\)"),
    ],
)
def test_what_cannot_be_used_is_said(given, said):
    with pytest.raises(TraceError, match=said):
        capture(nn.Linear(2, 1), torch.ones(3, 2), **given)


@pytest.mark.parametrize("subject", [nn.Linear, "net", None])
def test_what_is_no_module_is_said(subject):
    with pytest.raises(TraceError, match="capture traces a module or a function, but this is"):
        capture(subject, torch.ones(3, 2))


# -- modules that are made at their first call ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.LazyLinear(3), (2, 4)),
        (lambda: nn.LazyConv2d(3, 2), (2, 1, 4, 4)),
        (lambda: nn.LazyConvTranspose1d(3, 2), (2, 1, 4)),
        (nn.LazyBatchNorm1d, (3, 4)),
        (nn.LazyInstanceNorm1d, (3, 4, 5)),
    ],
)
def test_lazy_modules_are_filled_in_as_at_their_first_call(make, shape):
    torch.manual_seed(1)
    x = torch.randn(shape)
    torch.manual_seed(0)
    plain = nn.Sequential(make(), nn.Dropout(0.5))
    plain(x).square().mean().backward()
    torch.manual_seed(0)
    net = nn.Sequential(make(), nn.Dropout(0.5))
    trace = capture(net, x, loss=lambda output, _: output.square().mean(), optimizer=SGD(net.parameters(), lr=0.1))
    assert type(net[0]) is type(plain[0]) and not net[0]._forward_pre_hooks
    assert trace.parameter_gradients.keys() == dict(plain.named_parameters()).keys()
    for name, parameter in plain.named_parameters():
        assert torch.allclose(trace.parameter_gradients[name], parameter.grad, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), plain.state_dict().values(), strict=True))


def test_a_lazy_module_that_is_not_called_stays_lazy():
    net = Model(lambda m, x: m.a(x).sum(), a=nn.LazyLinear(2), b=nn.LazyLinear(2))
    capture(net, torch.ones(1, 3))
    assert isinstance(net.b, nn.LazyLinear) and net.b(torch.ones(1, 5)).shape == (1, 2)


# -- distributions, and writes through detached tensors --------------------------------------------------------------

DRAWS = {
    "Gamma": lambda p: D.Gamma(p, p),
    "Chi2": D.Chi2,
    "StudentT": lambda p: D.StudentT(p + 2),
    "FisherSnedecor": lambda p: D.FisherSnedecor(p, p + 1),
    "InverseGamma": lambda p: D.InverseGamma(p, p),
    "Beta": lambda p: D.Beta(p, p),
    "Dirichlet": D.Dirichlet,
    "LogNormal": lambda p: D.LogNormal(p, 1.0),
    "Kumaraswamy": lambda p: D.Kumaraswamy(p, p),
    "VonMises free": lambda p: D.Cauchy(p, p),
    "MultivariateNormal": lambda p: D.MultivariateNormal(p, torch.eye(2) * p.sum()),
    "RelaxedOneHotCategorical": lambda p: D.RelaxedOneHotCategorical(torch.tensor(1.0), logits=p),
    "TransformedDistribution": lambda p: D.TransformedDistribution(D.Normal(p, 1.0), [D.TanhTransform()]),
}


@pytest.mark.parametrize("name", DRAWS)
def test_distributions_draw_what_torch_draws(name):
    net = Model(lambda m: DRAWS[name](m.p).rsample().sum(), p=nn.Parameter(torch.tensor([1.0, 2.0])))
    same_as_torch(net)


def written_whole(h):
    h.detach().clamp_(min=0.5)
    return h


def written_in_part(h):
    h.detach()[0].mul_(2)
    return h


def written_by_two(h):
    first, second = h.detach(), h.detach()
    first.add_(1)
    second.mul_(2)
    return h + first * 0.5


def written_through_a_view(h):
    part = h[1:]
    part.detach().zero_()
    return h * part.sum()


def written_itself(h):
    before = h.detach()
    h = h.add_(1)
    return h * before


@pytest.mark.parametrize("write", [written_whole, written_in_part, written_by_two, written_through_a_view, written_itself])
def test_a_write_through_a_detached_tensor_is_followed(write):
    torch.manual_seed(0)
    net = Model(lambda m, x: write(m.a(x)).sum() + m.a(x).sum(), a=nn.Linear(2, 3))
    same_as_torch(net, torch.randn(4, 2))


# -- writes that torch does not survive ------------------------------------------------------------------------------


class WritesOver(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x, through_a_view):
        h = torch.sigmoid(self.layer(x))
        if through_a_view:
            h[0] = 0
        else:
            h += 1
        return h.sum()


@pytest.mark.parametrize(("through_a_view", "text", "name"), [(False, "h += 1", "add_"), (True, "h[0] = 0", "setitem")])
def test_a_value_written_over_before_it_is_read_is_named_with_its_line(through_a_view, text, name):
    with pytest.raises(TraceError) as refusal:
        capture(WritesOver(), torch.randn(3, 2), through_a_view)
    with open(__file__, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    said, made = lines.index(text) + 1, lines.index("h = torch.sigmoid(self.layer(x))") + 1
    assert f"test_own_modules.py:{said}: {name} writes over a value that the backward step of sigmoid at" in str(refusal.value)
    assert f"test_own_modules.py:{made} still reads" in str(refusal.value)


def test_a_gradient_penalty_is_refused_with_a_cure_that_can_be_followed():
    def penalised(m, x):
        score = m.a(x).sum()
        (slope,) = torch.autograd.grad(score, x, create_graph=True)
        return score + slope.norm()

    with pytest.raises(TraceError, match="traced without that term"):
        capture(Model(penalised, a=nn.Linear(2, 1)), torch.randn(3, 2, requires_grad=True))


# -- sparse and nested tensors -------------------------------------------------------------------------------------

LAYOUTS = {
    "coo": lambda a: a.to_sparse(),
    "csr": lambda a: a.to_sparse_csr(),
    "csc": lambda a: a.to_sparse_csc(),
    "bsr": lambda a: a.to_sparse_bsr((1, 1)),
}
HALF = torch.diag(torch.tensor([0.5, 0.5]))


@pytest.fixture(autouse=True)
def no_warning_of_compressed_layouts():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse")
        yield


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("place", ["input", "buffer", "inside"])
def test_a_sparse_adjacency_may_come_from_anywhere(layout, place):
    sparse = LAYOUTS[layout]

    class Graph(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(2, 1))
            self.register_buffer("a", sparse(HALF) if place == "buffer" else None)

        def forward(self, x, a=None):
            a = self.a if place == "buffer" else sparse(HALF * 1.0) if place == "inside" else a
            h = (a @ x) @ self.w if layout == "bsr" else a @ (x @ self.w)  # torch has no gradient of the latter
            return h.square().mean()

    trace = same_as_torch(Graph(), torch.eye(2), *([sparse(HALF)] if place == "input" else []))
    assert trace.loss == 0.25 and trace.parameter_gradients["w"].tolist() == [[0.25], [0.25]]


def test_a_sparse_tensor_may_be_learned_and_returned():
    pattern = torch.tensor([[1.0, 0.0], [2.0, 3.0]])
    net = Model(lambda m, x: torch.sparse.mm(m.a, x).square().mean(), a=nn.Parameter(pattern.to_sparse()))
    x = torch.tensor([[1.0], [2.0]])
    loss = net(x)
    true = torch.autograd.grad(loss, net.a)[0].to_dense()
    trace = capture(net, x, optimizer=SGD(net.parameters(), lr=0.1))
    assert torch.allclose(trace.parameter_gradients["a"], true)
    assert torch.allclose(trace.updates[0].after, pattern - 0.1 * true)
    output = capture(Model(lambda m: m.b.to_sparse(), b=nn.Parameter(pattern)), loss=lambda found, _: torch.sparse.sum(found))
    assert output.loss == 6.0 and output.parameter_gradients["b"].tolist() == [[1.0, 0.0], [1.0, 1.0]]
    with pytest.raises(TraceError, match="the loss must be one floating-point number"):
        capture(Model(lambda m: m.b.to_sparse(), b=nn.Parameter(pattern)))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (SGD, {"lr": 0.1}),
        (SGD, {"lr": 0.1, "momentum": 0.9}),
        (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        (Adagrad, {"lr": 0.1}),
        (Adagrad, {"lr": 0.1, "lr_decay": 0.1}),
        (SparseAdam, {}),
    ],
)
def test_looked_up_rows_move_as_the_optimizer_moves_them(kind, options):
    torch.manual_seed(0)
    net, index = Model(lambda m, i: m.e(i).square().sum(), e=nn.Embedding(4, 2, sparse=True)), torch.tensor([0, 2, 2])
    optimizer = kind(net.parameters(), **options)
    for _ in range(3):
        update = capture(net, index, optimizer=optimizer).updates[0]
        optimizer.zero_grad()
        net(index).backward()
        optimizer.step()
        assert torch.allclose(update.after, net.e.weight, atol=1e-6) and torch.equal(update.rows[-1].value[1], net.e.weight[1])


@pytest.mark.parametrize(("kind", "said"), [(Adam, "consider SparseAdam"), (RMSprop, "does not support sparse gradients")])
def test_an_optimizer_that_takes_no_sparse_gradient_is_refused_as_torch_does(kind, said):
    net = Model(lambda m, i: m.e(i).sum(), e=nn.Embedding(4, 2, sparse=True))
    with pytest.raises(TraceError, match=f"{kind.__name__} cannot make its step: .*{said}"):
        capture(net, torch.tensor([0, 2]), optimizer=kind(net.parameters()))


def test_a_jagged_tensor_is_refused_at_its_name():
    jagged = torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(1, 3)], layout=torch.jagged)
    with pytest.raises(TraceError, match=r"inputs\.0 is a jagged nested tensor.*pad it"):
        capture(Model(lambda m, x: m.a(x).values().sum(), a=nn.Linear(3, 1)), jagged)


# -- the updates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SGD, Adam, RMSprop, Adagrad, torch.optim.AdamW, torch.optim.NAdam])
def test_complex_parameters_are_updated_as_torch_does(kind):
    net = Model(lambda m: (m.a * m.b).abs().square().sum(), a=nn.Parameter(torch.tensor([1 + 2j])), b=nn.Parameter(torch.tensor([3 - 4j])))
    optimizer = kind(net.parameters(), lr=0.01, weight_decay=0.1)
    for _ in range(3):
        updates = capture(net, optimizer=optimizer, clip_norm=1.0).updates
        optimizer.zero_grad()
        net().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        for update, parameter in zip(updates, net.parameters(), strict=True):
            assert update.rows[-1].value.is_complex() and update.rows[0].value.dtype == parameter.dtype
            assert torch.allclose(update.after, parameter) and torch.allclose(update.rows[-1].value, parameter)


def test_clipping_complex_gradients_by_value_is_refused():
    net = Model(lambda m: m.a.abs().sum(), a=nn.Parameter(torch.tensor([1 + 2j])))
    with pytest.raises(TraceError, match=r"clip_value cannot clip the complex gradient of a.*clip_norm"):
        capture(net, clip_value=0.1)


def test_an_update_may_end_at_nothing():
    """θ = 0.1 and Adam's first step of 0.1 leave only their rounding."""
    for start in (0.1, -0.1, 0.01):
        net = Model(lambda m: m.w.square().sum(), w=nn.Parameter(torch.full((3,), start)))
        for kind in (Adam, torch.optim.AdamW, RMSprop):
            lr = abs(start) if kind is not RMSprop else abs(start) / 10
            update = capture(net, optimizer=kind(net.parameters(), lr=lr)).updates[0]
            assert update.after.abs().max() <= 1e-3 * abs(start)


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_an_update_is_torchs_where_all_that_is_left_of_the_gradient_is_its_rounding(detail):
    """A bias in front of a batch norm: its gradient is 0 but for rounding, and Adam's first step blows that up to the learning rate."""
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)), torch.randn(6, 4)
    optimizer = Adam(net.parameters(), lr=0.1)
    trace = capture(net, x, loss=lambda output, _: output.square().mean(), optimizer=optimizer, clip_norm=0.1, detail=detail)
    net(x).square().mean().backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    optimizer.step()
    for update, parameter in zip(trace.updates, net.parameters(), strict=True):
        assert torch.equal(update.after, parameter)


def test_an_optimizer_of_several_runs_is_refused_in_a_sentence():
    net = Model(lambda m: m.w.square().sum(), w=nn.Parameter(torch.ones(3)))
    with pytest.raises(TraceError, match=r"LBFGS runs the model several times in one step.*SGD or Adam, or none$"):
        capture(net, optimizer=torch.optim.LBFGS(net.parameters()))


# -- other ways to run -------------------------------------------------------------------------------------------------


def test_draws_from_a_generator_of_its_own():
    def run(m, x):
        generator = torch.Generator().manual_seed(3)
        noise = torch.empty(4, 3).bernoulli_(0.5, generator=generator) + torch.rand(4, 3, generator=generator)
        return (F.dropout(m.a(x), 0.5) * noise * torch.normal(m.b.expand(4, 3), 1.0, generator=generator)).sum()

    same_as_torch(Model(run, a=nn.Linear(2, 3), b=nn.Parameter(torch.ones(3))), torch.randn(4, 2))


def test_a_write_that_no_version_counts_is_followed():
    same_as_torch(Model(lambda m, x: (m.a(x) * x[:, :1].clone().apply_(lambda v: v * 2)).sum(), a=nn.Linear(2, 3)), torch.randn(4, 2))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_branch_that_torch_takes_is_traced(sign):
    def run(m, x):
        return torch.cond(x.sum() > 0, lambda z: m.a(z).tanh(), lambda z: m.a(z) * 2, (x,)).sum()

    trace = same_as_torch(Model(run, a=nn.Linear(2, 3)), sign * torch.ones(4, 2))
    assert ("tanh" in {node.operation for node in trace.nodes}) == (sign > 0) and "true for this batch only" in trace.notes[0]


def test_other_control_flow_of_torch_is_refused():
    import torch._dynamo
    from functorch.experimental.control_flow import map as mapped

    with pytest.raises(TraceError, match=r"test_own_modules\.py:\d+: map_impl runs what it is given compiled.*in Python"):
        capture(Model(lambda m, x: mapped(lambda row: m.a(row), x).sum(), a=nn.Linear(2, 3)), torch.ones(4, 2))


# -- what is easily overlooked -------------------------------------------------------------------------------------


def notes(forward, *inputs, optimizer=None, **parts) -> str:
    net = Model(forward, **({"a": nn.Linear(4, 3).double()} | parts))
    return "\n".join(capture(net, *(inputs or (normal(5, 4),)), optimizer=optimizer and optimizer(net)).notes)


def test_an_ordinary_iteration_has_no_notes():
    assert notes(lambda m, x: m.a(x).square().mean(), optimizer=lambda net: SGD(net.parameters(), lr=0.1)) == ""


def test_what_keeps_a_net_from_learning_is_said():
    frozen = nn.Linear(4, 3).double().requires_grad_(False)
    assert "No parameter requires a gradient" in notes(lambda m, x: m.a(x).mean(), a=frozen)
    detached = notes(lambda m, x: m.a(x).detach().square().mean())
    assert "No gradient reaches any parameter" in detached and "detach at" in detached and "test_own_modules.py" in detached
    assert "No gradient reaches b.weight and b.bias" in notes(lambda m, x: m.a(x).mean(), b=nn.Linear(2, 2).double())
    stranger = notes(lambda m, x: m.a(x).mean(), optimizer=lambda net: SGD(nn.Linear(2, 2).parameters(), lr=0.1))
    assert "holds no parameter of this module" in stranger
    part = notes(lambda m, x: m.a(x).mean(), optimizer=lambda net: SGD([net.a.bias], lr=0.1))
    assert part == "The optimizer does not hold a.weight, which so stays as it is."


def test_a_backward_of_its_own_is_said():
    net = Model(lambda m, x: Doubled.apply(m.a(x)).sum(), a=nn.Linear(2, 3))
    trace = capture(net, torch.ones(4, 2))
    assert [node.operation for node in trace.nodes if node.has_own_backward] == ["Doubled"]
    assert "Doubled has a backward of its own" in trace.notes[0]


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_values_that_are_read_and_pairs_that_are_compared_are_said():
    assert "true for this batch only" in notes(lambda m, x: m.a(x).mean() if x.sum() > 0 else m.a(x).sum())
    target = torch.tensor([0.0, 3.0, 6.0]).double()
    pairs = notes(lambda m, x: F.mse_loss(m.a(x)[:, :1], target), normal(3, 4))
    assert "mse_loss compares 3×1 with 3" in pairs


def routed_by_nonzero(m, x):
    best = m.gate(x).argmax(-1)
    total = torch.zeros_like(x)
    for k, expert in enumerate(m.experts):
        rows = (best == k).nonzero(as_tuple=True)[0]
        total = total.index_add(0, rows, expert(x[rows]))
    return total.square().mean() + m.gate(x).sum()


def routed_by_where(m, x):
    (rows,) = torch.where(m.gate(x).argmax(-1) == 1)
    return m.experts[0](x[rows]).sum() + m.gate(x).sum() + m.experts[1](x).sum()


def routed_by_mask(m, x):
    return m.experts[0](x[m.gate(x).argmax(-1) == 1]).sum() + m.gate(x).sum() + m.experts[1](x).sum()


@pytest.mark.parametrize(("forward", "by"), [(routed_by_nonzero, "nonzero"), (routed_by_where, "where"), (routed_by_mask, "getitem")])
def test_shapes_that_values_decide_are_said_with_their_line(forward, by):
    torch.manual_seed(0)
    experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
    (note,) = capture(Model(forward, gate=nn.Linear(4, 2), experts=experts), torch.randn(6, 4)).notes
    assert note.startswith(f"Shapes are true for this batch only: values decide how many rows {by} at ")
    assert "test_own_modules.py:" in note


def test_no_shape_is_decided_by_values_in_a_choice_of_elements():
    def chosen(m, x):
        h = m.a(x)
        h = torch.where(h > 0, h, 0.0).repeat_interleave(2, dim=0)[torch.tensor([0, 1])].clone()
        h[h > 1] = 1.0
        return h.sum()

    assert not capture(Model(chosen, a=nn.Linear(2, 3)), torch.randn(4, 2)).notes


@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
@pytest.mark.parametrize("is_part", [True, False])
def test_compiled_modules_run_as_they_were_written_and_that_is_said(is_part):
    net = nn.Sequential(torch.compile(nn.Linear(2, 3)), nn.Tanh()) if is_part else torch.compile(nn.Linear(2, 3))
    (note,) = capture(net, torch.ones(4, 2), loss=lambda output, _: output.sum()).notes
    assert note.startswith(f"What torch.compile has compiled ({'0' if is_part else 'the module itself'}) runs here as it was written")


def test_a_backward_written_in_nnviz_is_no_news_to_the_person():
    from nnviz.engine.model.loss_functions import Root

    trace = capture(Model(lambda m, x: Root.apply(m.a(x).square().mean()), a=nn.Linear(2, 1)), torch.ones(4, 2))
    assert not trace.notes and any(node.has_own_backward for node in trace.nodes)

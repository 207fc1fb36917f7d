"""The rows of an update against torch.optim, iteration after iteration, and that nothing is touched."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD, Adagrad, Adam, AdamW, RMSprop

from nnviz.trace import TraceError, capture
from tests.trace.zoo import make, normal

VARIANTS = {
    "sgd": (SGD, {"lr": 0.1}),
    "momentum": (SGD, {"lr": 0.1, "momentum": 0.9}),
    "dampening": (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    "nesterov": (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "decay": (SGD, {"lr": 0.1, "weight_decay": 0.1}),
    "maximise": (SGD, {"lr": 0.001, "maximize": True, "weight_decay": 0.1}),
    "adagrad": (Adagrad, {"lr": 0.1}),
    "adagrad decay": (Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.01}),
    "rmsprop": (RMSprop, {"lr": 0.01}),
    "rmsprop momentum": (RMSprop, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01}),
    "rmsprop centred": (RMSprop, {"lr": 0.01, "centered": True, "momentum": 0.5}),
    "adam": (Adam, {"lr": 0.01}),
    "adam decay": (Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "amsgrad": (Adam, {"lr": 0.01, "amsgrad": True}),
    "adam maximise": (Adam, {"lr": 0.001, "maximize": True}),
    "adam fused": (Adam, {"lr": 0.01, "fused": True}),
    "adamw": (AdamW, {"lr": 0.01}),
    "adamw amsgrad": (AdamW, {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
}


def follow(kind: type, options: dict, iterations: int, clip_norm=None, clip_value=None) -> None:
    """Capture, then really step, again and again; rows and `after` have to be what the step then does."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    optimizer, x, y = kind(net.parameters(), **options), normal(6, 3), normal(6, 2)
    for _ in range(iterations):
        settings_ = {"optimizer": optimizer, "clip_norm": clip_norm, "clip_value": clip_value}
        trace = capture(net, x, loss=F.mse_loss, target=y, **settings_)
        optimizer.zero_grad()
        F.mse_loss(net(x), y).backward()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
        if clip_value is not None:
            nn.utils.clip_grad_value_(net.parameters(), clip_value)
        clipped = [p.grad.clone() for p in net.parameters()]
        optimizer.step()
        assert [update.parameter for update in trace.updates] == [name for name, _ in net.named_parameters()]
        for update, parameter, gradient in zip(trace.updates, net.parameters(), clipped, strict=True):
            tolerance = 1e-12 * max(1.0, parameter.abs().max().item())
            assert (update.rows[-1].value - parameter).abs().max() <= tolerance
            assert (update.after - parameter).abs().max() <= tolerance
            assert torch.equal(update.rows[1].value, trace.parameter_gradients[update.parameter])
            used = [row for row in update.rows if row.symbol == "g" or row.formula.startswith(("g · coef", "min(max("))][-1]
            assert (used.value - gradient).abs().max() <= 1e-12


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_over_many_iterations(name):
    follow(*VARIANTS[name], iterations=25)


@pytest.mark.parametrize("clips", [{"clip_norm": 0.3}, {"clip_value": 0.05}, {"clip_norm": 0.5, "clip_value": 0.1}, {"clip_norm": 1e6}])
def test_clipping(clips):
    follow(SGD, {"lr": 0.1, "momentum": 0.9}, iterations=5, **clips)


share, rate = st.floats(0.0, 0.99), st.floats(1e-5, 0.5)
few = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_rmsprop_where_v_and_the_squared_mean_cancel(decay):
    """What is left of v − ḡ² is rounding, and its root as large as ε, or NaN: the rows are those of torch to the bit."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 2))
    optimizer = RMSprop(net.parameters(), lr=1e-3, alpha=0.0, centered=True, eps=1e-4, weight_decay=decay, maximize=True)
    trace = capture(net, torch.randn(6, 3), loss=F.mse_loss, target=torch.randn(6, 2), optimizer=optimizer)
    assert any(update.after.isnan().any() for update in trace.updates)
    for update in trace.updates:
        assert torch.equal(update.rows[-1].value.isnan(), update.after.isnan())


@few
@given(lr=rate, momentum=share, dampening=share, weight_decay=share, nesterov=st.booleans())
def test_sgd_with_any_options(lr, momentum, dampening, weight_decay, nesterov):
    nesterov &= momentum > 0
    options = {"momentum": momentum, "dampening": 0 if nesterov else dampening, "weight_decay": weight_decay}
    follow(SGD, {"lr": lr, "nesterov": nesterov, **options}, iterations=3)


@few
@given(lr=rate, beta1=share, beta2=share, weight_decay=share, amsgrad=st.booleans(), kind=st.sampled_from([Adam, AdamW]))
def test_adam_with_any_options(lr, beta1, beta2, weight_decay, amsgrad, kind):
    follow(kind, {"lr": lr, "betas": (beta1, beta2), "weight_decay": weight_decay, "amsgrad": amsgrad}, iterations=3)


@few
@given(lr=rate, alpha=st.floats(0.5, 0.99), momentum=share, centered=st.booleans())
def test_rmsprop_with_any_options(lr, alpha, momentum, centered):
    follow(RMSprop, {"lr": lr, "alpha": alpha, "momentum": momentum, "centered": centered, "eps": 1e-6}, iterations=3)


def test_rows_are_the_terms_of_the_textbook():
    module, inputs = make("mlp_tanh_mse")
    update = capture(module, *inputs, optimizer=Adam(module.parameters())).updates[0]
    assert [row.symbol for row in update.rows] == ["θ", "g", "m", "v", "m̂", "v̂", "ηₜ", "Δ", "θ′"]
    assert torch.equal(update.before, next(module.parameters()))
    clipped = capture(module, *inputs, optimizer=SGD(module.parameters(), lr=0.1), clip_norm=0.01).updates[0]
    assert [row.symbol for row in clipped.rows] == ["θ", "g", "‖gᵢ‖", "total", "coef", "g₁", "ηₜ", "Δ", "θ′"]


def test_clipping_alone_is_a_step_of_its_own():
    module, inputs = make("mlp_tanh_mse")
    trace = capture(module, *inputs, clip_norm=0.01)
    total = torch.stack([gradient.norm() for gradient in trace.clipping.gradients.values()]).norm()
    assert total <= 0.01
    assert [step.phase for step in trace.steps].count("clip") == 1
    assert trace.updates == ()


def test_nothing_is_touched():
    module, inputs = make("mlp_tanh_mse")
    optimizer = Adam(module.parameters(), amsgrad=True)
    module(*inputs).backward()
    optimizer.step()
    state, groups = copy.deepcopy(optimizer.state_dict()), optimizer.param_groups
    parameters, gradients = [p.clone() for p in module.parameters()], [p.grad.clone() for p in module.parameters()]
    capture(module, *inputs, optimizer=optimizer, clip_norm=0.1)
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), parameters, strict=True))
    assert all(torch.equal(p.grad, g) for p, g in zip(module.parameters(), gradients, strict=True))
    assert optimizer.param_groups is groups
    for key, kept in state["state"].items():
        assert all(torch.equal(torch.as_tensor(optimizer.state_dict()["state"][key][name]), torch.as_tensor(v)) for name, v in kept.items())


def test_a_schedulers_wrapper_does_not_step_the_original():
    module, inputs = make("mlp_tanh_mse")
    optimizer = SGD(module.parameters(), lr=0.1)
    torch.optim.lr_scheduler.StepLR(optimizer, 1)
    before = [p.clone() for p in module.parameters()]
    trace = capture(module, *inputs, optimizer=optimizer)
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), before, strict=True))
    assert not torch.equal(trace.updates[0].after, trace.updates[0].before)


def test_parameters_without_gradient_and_parameters_nobody_optimizes_have_no_update():
    module, inputs = make("unused_and_frozen_parameters")
    trace = capture(module, *inputs, optimizer=SGD(module.parameters(), lr=0.1, weight_decay=0.1))
    assert [update.parameter for update in trace.updates] == ["a.weight", "a.bias"]
    assert trace.parameter_gradients["unused.weight"] is trace.parameter_gradients["frozen.bias"] is None
    assert [u.parameter for u in capture(module, *inputs, optimizer=SGD([module.a.bias], lr=0.1)).updates] == ["a.bias"]


def test_an_unknown_optimizer_shows_its_state_and_what_it_did():
    module, inputs = make("mlp_tanh_mse")
    optimizer = torch.optim.NAdam(module.parameters())
    update = capture(module, *inputs, optimizer=optimizer).updates[0]
    symbols = [row.symbol for row in update.rows]
    assert symbols[:2] == ["θ", "g"] and symbols[-2:] == ["Δ", "θ′"]
    assert {"exp_avg, before", "exp_avg, after"} <= set(symbols)
    module(*inputs).backward()
    optimizer.step()
    assert torch.equal(update.after, next(module.parameters()))


def test_refuses_what_it_cannot_show():
    class Doubled(Adam):
        pass

    def twice(optimizer):
        SGD_step(optimizer)
        return SGD_step(optimizer)

    module, inputs = make("mlp_tanh_mse")
    assert capture(module, *inputs, optimizer=Doubled(module.parameters())).updates[0].rows[-1].symbol == "θ′"
    with pytest.raises(TraceError, match="LBFGS runs the model several times"):
        capture(module, *inputs, optimizer=torch.optim.LBFGS(module.parameters()))
    SGD_step = SGD.step
    SGD.step = twice
    try:
        with pytest.raises(TraceError, match=r"SGD on net\.0\.weight is not what its formulas give"):
            capture(module, *inputs, optimizer=SGD(module.parameters(), lr=0.1))
    finally:
        SGD.step = SGD_step


@pytest.mark.parametrize("kind", [SGD, Adam, RMSprop, Adagrad, AdamW])
def test_an_iteration_that_is_not_finite_is_traced_too(kind):
    """It is the one a person wants to see most."""
    model, x = nn.Linear(2, 2), torch.ones(3, 2)
    with torch.no_grad():
        model.weight.fill_(1e30)
    trace = capture(model, x, loss=F.mse_loss, target=x, optimizer=kind(model.parameters(), lr=0.1), clip_norm=1.0)
    real = copy.deepcopy(model)
    F.mse_loss(real(x), x).backward()
    assert trace.loss == float("inf")
    assert torch.equal(trace.parameter_gradients["weight"], real.weight.grad)
    assert [update.parameter for update in trace.updates] == ["weight", "bias"]

from __future__ import annotations

import pytest
import torch

from nnviz.document.catalog import OPTIMIZERS, new_choice
from nnviz.engine.errors import BuildError
from nnviz.engine.run.optimizers import build_optimizer, fitting_state, load_state, save_state

WAYS = [
    ("sgd", {}, torch.optim.SGD, {"lr": 0.01}),
    (
        "sgd",
        {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01},
        torch.optim.SGD,
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01},
    ),
    ("sgd", {"momentum": 0.8, "nesterov": True}, torch.optim.SGD, {"lr": 0.01, "momentum": 0.8, "nesterov": True}),
    ("adagrad", {"lr_decay": 0.1}, torch.optim.Adagrad, {"lr": 0.01, "lr_decay": 0.1, "eps": 1e-10}),
    ("rmsprop", {}, torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.99, "eps": 1e-8}),
    (
        "rmsprop",
        {"momentum": 0.5, "centered": True, "alpha": 0.9},
        torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "centered": True},
    ),
    (
        "adam",
        {"beta1": 0.8, "beta2": 0.99, "weight_decay": 0.1},
        torch.optim.Adam,
        {"lr": 0.001, "betas": (0.8, 0.99), "weight_decay": 0.1},
    ),
    ("adam", {"amsgrad": True}, torch.optim.Adam, {"lr": 0.001, "amsgrad": True}),
    ("adamw", {}, torch.optim.AdamW, {"lr": 0.001, "weight_decay": 0.01}),
]


def tensors(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in ((7, 5), (5,), (1,))]


def once(parameters):
    """The learning rate as it is for all of them."""
    return dict.fromkeys(parameters, 1.0)


def stepped(optimizer, parameters, steps, first=0):
    for step in range(first, first + steps):
        for parameter, gradient in zip(parameters, tensors(100 + step), strict=True):
            parameter.grad = gradient
        optimizer.step()


@pytest.mark.parametrize(("kind", "settings", "oracle", "arguments"), WAYS)
def test_25_iterations_equal_torch_bit_for_bit(kind, settings, oracle, arguments):
    ours, theirs = ([tensor.clone().requires_grad_() for tensor in tensors(0)] for _ in range(2))
    stepped(build_optimizer(new_choice(OPTIMIZERS, kind, **settings), once(ours)), ours, 25)
    stepped(oracle(theirs, **arguments), theirs, 25)
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(("kind", "settings", "oracle", "arguments"), WAYS)
def test_saved_state_goes_on_bit_for_bit(kind, settings, oracle, arguments):
    choice = new_choice(OPTIMIZERS, kind, **settings)
    straight, halved = ([tensor.clone().requires_grad_() for tensor in tensors(0)] for _ in range(2))
    stepped(build_optimizer(choice, once(straight)), straight, 20)
    first = build_optimizer(choice, once(halved))
    stepped(first, halved, 10)
    names = {parameter: str(place) for place, parameter in enumerate(halved)}
    state = save_state(first, names)
    second = build_optimizer(choice, once(halved))
    load_state(second, names, state)
    stepped(second, halved, 10, first=10)
    assert all(torch.equal(one, other) for one, other in zip(straight, halved, strict=True))


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("adam", {}, {"amsgrad": True}),
        ("adam", {"amsgrad": True}, {}),
        ("sgd", {}, {"momentum": 0.9}),
        ("sgd", {"momentum": 0.9}, {}),
        ("rmsprop", {}, {"centered": True, "momentum": 0.5}),
        ("rmsprop", {"centered": True}, {"momentum": 0.5}),
        ("adagrad", {}, {"lr_decay": 0.1}),
    ],
)
def test_a_setting_switched_on_the_way_trains_on(kind, before, after):
    parameters = [tensor.clone().requires_grad_() for tensor in tensors(0)]
    names = {parameter: str(place) for place, parameter in enumerate(parameters)}
    shapes = {name: parameter for parameter, name in names.items()}
    old, new = new_choice(OPTIMIZERS, kind, **before), new_choice(OPTIMIZERS, kind, **after)
    first, second = build_optimizer(old, once(parameters)), build_optimizer(new, once(parameters))
    stepped(first, parameters, 5)
    carried = fitting_state(save_state(first, names), old, new, {"0", "1"}, shapes)
    load_state(second, names, carried)
    assert "2" not in carried
    if kind == "adam":
        assert second.state[parameters[0]]["step"] == 5
    stepped(second, parameters, 5, first=5)
    assert all(torch.isfinite(parameter).all() for parameter in parameters)


def test_another_kind_starts_anew():
    assert (
        fitting_state({"w": {"step": 3}}, new_choice(OPTIMIZERS, "adam"), new_choice(OPTIMIZERS, "sgd"), {"w"}, {"w": torch.zeros(1)}) == {}
    )


def test_refusals_name_the_place():
    parameter = torch.nn.Parameter(torch.zeros(2))
    with pytest.raises(BuildError) as caught:
        build_optimizer(new_choice(OPTIMIZERS, "sgd", nesterov=True), once([parameter]))
    assert caught.value.place == "training.optimizer" and "momentum" in caught.value.cure
    with pytest.raises(BuildError, match="nothing to train"):
        build_optimizer(new_choice(OPTIMIZERS, "sgd"), once([parameter.requires_grad_(False)]))

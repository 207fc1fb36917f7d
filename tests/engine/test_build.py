from __future__ import annotations

import pytest
import torch
from msgspec.structs import replace
from torch import nn

from nnviz.document.catalog import ACTIVATIONS, INITIALIZERS, LAYERS, new_layer
from nnviz.document.network import Link, Network
from nnviz.document.shapes.report import examine
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import BuildError
from nnviz.engine.model import _layer_builders as layer_builders
from nnviz.engine.model import dense_layers
from nnviz.engine.model._initializers import INITIALIZERS as FILLS
from nnviz.engine.model.build import build, set_training
from tests.engine.experiments import HERE, chain, experiment, mlp, table
from tests.engine.kinds import one


def built(document):
    return build(document, load(document, HERE))


def pictures(*middle, units: int = 2):
    """An experiment on 3×4×4 images, with these layers before the output."""
    x = torch.randn(6, 48, generator=torch.Generator().manual_seed(1)).tolist()
    network = chain(new_layer("input", "x", shape=[3, 4, 4]), *middle, new_layer("flatten", "f"), new_layer("dense", "out", units=units))
    return experiment(network, data=table(x, [0, 1, 0, 1, 1, 0]))


def test_every_kind_has_a_builder_and_every_table_is_whole():
    assert set(layer_builders.BUILDERS) == set(LAYERS) - {"input"}
    assert set(dense_layers.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(FILLS) == set(INITIALIZERS)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("identity", nn.Identity()),
        ("relu", nn.ReLU()),
        ("leaky_relu", nn.LeakyReLU()),
        ("elu", nn.ELU()),
        ("gelu", nn.GELU()),
        ("silu", nn.SiLU()),
        ("softplus", nn.Softplus()),
        ("sigmoid", nn.Sigmoid()),
        ("tanh", nn.Tanh()),
        ("softmax", nn.Softmax(-1)),
    ],
)
def test_activations_are_torchs(name, module):
    x = torch.linspace(-4, 4, 24, dtype=torch.float64).reshape(4, 6)
    assert torch.equal(dense_layers.Activation(name)(x), module(x))


def test_a_net_equals_a_hand_written_sequential():
    net = built(experiment(precision="float64"))
    twin = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(0.2), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    twin.load_state_dict(dict(zip(twin.state_dict(), net.state_dict().values(), strict=True)))
    x = torch.randn(32, 2, dtype=torch.float64)
    for training in (True, False):
        set_training(net, training)
        twin.train(training)
        torch.manual_seed(3)
        ours = net(x)
        torch.manual_seed(3)
        assert torch.equal(ours, twin(x))


def test_joins_and_norms_equal_torch():
    network = Network(
        (
            new_layer("input", "x", shape=[2]),
            new_layer("dense", "a", units=3),
            new_layer("batch_norm", "bn", momentum=0.3),
            new_layer("layer_norm", "ln"),
            new_layer("add", "sum"),
            new_layer("concat", "cat"),
            new_layer("dense", "out", units=2, bias=False),
        ),
        tuple(Link(*pair.split()) for pair in ("x a", "a bn", "a ln", "bn sum", "ln sum", "a sum", "sum cat", "x cat", "cat out")),
    )
    net = built(experiment(network))
    x = torch.randn(8, 2)
    a = torch.nn.functional.linear(x, net.get_parameter("a.weight"), net.get_parameter("a.bias"))
    norm = nn.BatchNorm1d(3, momentum=0.3)
    joined = torch.cat([norm(a) + nn.LayerNorm(3)(a) + a, x], dim=1)
    set_training(net, True)
    torch.testing.assert_close(net(x), joined @ net.get_parameter("out.weight").T, rtol=0, atol=1e-6)
    assert torch.equal(net.get_buffer("bn.running_mean"), norm.running_mean)


def test_images_are_normalised_by_channel_and_flattened():
    net = built(pictures(new_layer("batch_norm", "bn"), new_layer("layer_norm", "ln")))
    assert isinstance(net._modules["bn"], nn.BatchNorm2d)
    assert net(torch.randn(5, 3, 4, 4)).shape == (5, 2)


def test_parameters_are_those_the_document_announces():
    for document in (experiment(), pictures(new_layer("batch_norm", "bn"), new_layer("layer_norm", "ln"))):
        announced = {f"{id}.{name}": shape for id, layer in examine(document).layers.items() for name, shape in layer.parameters.items()}
        assert {name: tuple(parameter.shape) for name, parameter in built(document).named_parameters()} == announced


@pytest.mark.parametrize("id", ["training", "forward", "outputs", "_modules", "h 1"])
def test_a_layer_may_have_any_id(id):
    net = built(experiment(chain(new_layer("input", "x", shape=[2]), new_layer("dense", id, units=2))))
    for training in (False, True):
        set_training(net, training)
        assert net(torch.zeros(3, 2)).shape == (3, 2)
        assert net._modules[id].training is training
    assert [name for name, _ in net.named_parameters()] == [f"{id}.weight", f"{id}.bias"]


def test_a_layers_start_depends_on_its_id_and_the_seed_only():
    small = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "h1", units=4), new_layer("dense", "out", units=2))
    alone, beside = built(experiment(small)), built(experiment(mlp()))
    assert torch.equal(alone.get_parameter("h1.weight"), beside.get_parameter("h1.weight"))
    assert torch.equal(alone.get_parameter("out.bias"), beside.get_parameter("out.bias"))
    assert not torch.equal(built(experiment(small, seed=8)).get_parameter("h1.weight"), alone.get_parameter("h1.weight"))


@pytest.mark.parametrize("kind", INITIALIZERS)
def test_initializers_have_their_spread(kind):
    layer = new_layer("dense", "h1", units=400)
    network = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "wide", units=300), layer, new_layer("dense", "out", units=2))
    layers_ = tuple(type(each)(each.id, each.kind, each.settings, initializer=kind) for each in network)
    net = built(experiment(Network(layers_, network.links)))
    weight, bias = net.get_parameter("h1.weight").detach(), net.get_parameter("h1.bias").detach()
    spread = {
        "default": (1 / 300 / 3) ** 0.5,
        "zeros": 0.0,
        "constant": 0.0,
        "normal": 0.05,
        "uniform": 0.05 / 3**0.5,
        "xavier_uniform": (2 / 700) ** 0.5,
        "xavier_normal": (2 / 700) ** 0.5,
        "he_uniform": (2 / 300) ** 0.5,
        "he_normal": (2 / 300) ** 0.5,
        "orthogonal": (1 / 400) ** 0.5,
    }
    assert weight.std().item() == pytest.approx(spread[kind], rel=0.03, abs=1e-7)
    assert weight.mean().item() == pytest.approx(0.1 if kind == "constant" else 0.0, abs=1e-3)
    assert (bias.abs().max() > 0) == (kind == "default")


def test_weights_by_hand_and_frozen_layers():
    network = mlp()
    frozen = Network(tuple(type(each)(each.id, each.kind, each.settings, frozen=each.id == "h1") for each in network), network.links)
    net = built(experiment(frozen, weights={"out.bias": [1.5, -2.0]}))
    assert net.get_parameter("out.bias").tolist() == [1.5, -2.0]
    assert [name for name, each in net.named_parameters() if not each.requires_grad] == ["h1.weight", "h1.bias"]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (experiment(weights={"out.bias": [1.0]}), "weights.out.bias"),
        (experiment(chain(new_layer("input", "x", shape=[3]), new_layer("dense", "out", units=2))), "network.layers[0].shape"),
        (experiment(chain(new_layer("input", "x", shape=[2]), new_layer("dense", "out", units=3))), "network.layers[1].units"),
        (experiment(loss="bce"), "network.layers[4].units"),
        (experiment(data=table([[1.0, 2.0]], [[1.0, 2.0]])), "training.loss"),
        (one("embedding", [5], whole=7, num_embeddings=6), "network.layers[1].num_embeddings"),
        (one("one_hot", [5], whole=7, num_classes=3), "network.layers[1].num_classes"),
        (one("embedding", [5]), "network.layers[1]"),
    ],
)
def test_what_cannot_be_built_is_refused_with_its_place(document, place):
    with pytest.raises(BuildError) as caught:
        built(document)
    assert caught.value.place == place
    assert caught.value.message and caught.value.cure


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "attention"])
def test_each_gate_is_drawn_by_itself(kind):
    """Orthogonal means so for every gate, not for all gates of a layer one below the other."""
    document = one(kind, [4, 3], **({"units": 3} if kind != "attention" else {}))
    network = Network(tuple(replace(layer, initializer="orthogonal", gain=2.0) for layer in document.network), document.network.links)
    net = built(replace(document, network=network))
    name = "in_proj_weight" if kind == "attention" else "weight_hh_l0"
    for block in net.get_parameter(f"k.{name}").detach().chunk({"lstm": 4, "rnn": 1}.get(kind, 3)):
        torch.testing.assert_close(block @ block.T, 4 * torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize(
    ("kind", "shape", "settings", "spread"),
    [
        ("conv2d", [8, 6, 6], {"out_channels": 64}, (1 / 72 / 3) ** 0.5),
        ("lstm", [4, 30], {"units": 40}, (1 / 40 / 3) ** 0.5),
        ("embedding", [4], {"num_embeddings": 90, "embedding_dim": 40}, 1.0),
        ("attention", [4, 40], {}, (2 / 160) ** 0.5),
    ],
)
def test_by_default_layers_start_as_torchs(kind, shape, settings, spread):
    net = built(one(kind, shape, whole=5, **settings))
    weight = next(parameter for parameter in net._modules["k"].parameters() if parameter.dim() > 1)
    assert weight.std().item() == pytest.approx(spread, rel=0.05)

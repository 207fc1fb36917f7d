"""Pictures of the inside of a net: every number is torch's own, worked out here by hand, and nothing of the run moves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nnviz.document import edits
from nnviz.document.catalog import new_layer
from nnviz.document.store.examples import open_document
from nnviz.engine.data.datasets import load
from nnviz.engine.observe import _latent_plane
from nnviz.engine.observe._latent_plane import MANY_SAMPLES, drawn
from nnviz.engine.observe._net_pictures import picture
from nnviz.engine.observe._time_steps import step_gradients
from nnviz.engine.observe.tiled_values import MOST_SIDE, blocked
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.records.picture_records import PictureWish
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment, table


def trainer(document=None, iterations: int = 3, precision: str = "float64") -> Trainer:
    made = open_document(document) if isinstance(document, str) else document
    made = edits.set_precision(made, precision)
    at = Trainer(made, load(made, HERE))
    for _ in range(iterations):
        at.advance()
    return at


def row_of(at: Trainer, row: int) -> torch.Tensor:
    return torch.from_numpy(np.array(at.data.x[row : row + 1])).double().reshape(1, *at.net.input_shape)


def equal(array, expected: torch.Tensor) -> bool:
    return array.shape == tuple(expected.shape) and np.allclose(to_numpy(array), expected.detach().numpy(), rtol=1e-10, atol=1e-12)


# --- weights ---


def test_the_weight_of_a_column_is_the_length_of_all_its_weights():
    at = trainer("example:wine")
    first = next(parameter for parameter in at.parameters.values() if parameter.dim() == 2)
    found = picture(at, PictureWish("columns"))
    assert equal(found.values, first.pow(2).sum(0).sqrt().reshape(1, 1, 13)) and found.choices == ()
    windows = trainer("template:autoencoder")
    assert picture(windows, PictureWish("columns")).values.shape == (1, 1, 8)
    assert picture(trainer("template:cnn"), PictureWish("columns")).sentence == "No dense layer reads the columns of the data."


def test_a_matrix_is_the_weight_itself():
    at = trainer("example:moons", precision="float32")
    found = picture(at, PictureWish("weights", "h2.weight"))
    assert found.layer == "h2.weight" and found.choices == ("h1.weight", "h2.weight", "out.weight") and not found.total
    assert np.array_equal(to_numpy(found.values)[0], at.parameters["h2.weight"].detach().numpy())
    assert picture(at, PictureWish("weights", "gone.weight")).layer == "h1.weight"


def test_kernels_are_those_of_a_channel_or_their_mean():
    at = trainer("template:cnn")
    weight = at.parameters["c2.weight"]
    assert equal(picture(at, PictureWish("weights", "c2.weight")).values, weight.mean(1))
    one = picture(at, PictureWish("weights", "c2.weight", channel=3))
    assert equal(one.values, weight[:, 3]) and one.channels == weight.shape[1]
    assert equal(picture(at, PictureWish("weights", "c2.weight", channel=999)).values, weight.mean(1))


def test_a_dense_layer_on_images_shows_its_rows_as_images():
    at = trainer("example:digits")
    first = next(name for name in at.parameters if name.endswith("weight"))
    assert equal(picture(at, PictureWish("weights", first)).values, at.parameters[first].reshape(-1, 8, 8))
    behind = picture(at, PictureWish("weights", "out.weight"))
    assert behind.values.shape == (1, *at.parameters["out.weight"].shape)


def test_a_large_matrix_is_shown_in_blocks_by_their_largest_weight():
    values = torch.randn(1, 2 * MOST_SIDE + 7, 30)
    values[0, 4, 5] = -99.0
    shown, block = blocked(values)
    assert block == (3, 1) and shown.shape == (1, math.ceil((2 * MOST_SIDE + 7) / 3), 30)
    for row in (0, 1, shown.shape[1] - 1):
        part = values[0, 3 * row : 3 * row + 3]
        assert torch.equal(shown[0, row].abs(), part.abs().amax(0)) and (part == shown[0, row]).any(0).all()
    assert shown[0, 1, 5] == -99
    values[0, 0, 0] = math.nan
    assert blocked(values)[0][0, 0, 0].isnan()


# --- maps of a row ---


def test_maps_are_what_the_layer_puts_out_for_that_row():
    at = trainer("template:cnn")
    found = picture(at, PictureWish("maps", "c1", row=17))
    layer = at.experiment.network.layer("c1")
    expected = F.relu(F.conv2d(row_of(at, 17), at.parameters["c1.weight"], at.parameters["c1.bias"], layer["stride"], layer["padding"]))
    assert layer["activation"] == "relu" and equal(found.values, expected[0])
    assert picture(at, PictureWish("maps")).layer == "c1", "the first that puts out pictures"
    assert picture(at, PictureWish("maps", "out", row=10**6)).values.shape == (1, 1, 10)


def test_maps_of_units_over_the_plane():
    at = trainer("example:moons")
    found = picture(at, PictureWish("units", "h1"))
    (left, low), (right, high) = (to_numpy(found.parts[name]) for name in ("low", "high"))
    count, height, width = found.values.shape
    x, y = torch.linspace(left, right, width, dtype=torch.float64), torch.linspace(low, high, height, dtype=torch.float64)
    points = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)
    hidden = F.relu(points @ at.parameters["h1.weight"].T + at.parameters["h1.bias"])
    assert count == len(at.parameters["h1.bias"]) and equal(found.values, hidden.permute(2, 0, 1))
    assert "2 features" in picture(trainer("example:iris", 0), PictureWish("units")).sentence


# --- attention ---


def test_attention_is_the_softmax_of_the_scores_by_hand():
    at = trainer("template:encoder")
    found = picture(at, PictureWish("attention", row=5))
    x = row_of(at, 5)
    net = at.net.eval()
    for name in ("embed", "pos"):
        x = net._modules[name](x)
    block = net._modules["e"]
    module, x = block.self_attn, (block.norm1(x) if block.norm_first else x)[0]
    heads, features = module.num_heads, x.shape[1]
    q, k, _ = (x @ module.in_proj_weight.T + module.in_proj_bias).chunk(3, -1)
    q, k = (part.reshape(len(x), heads, -1).transpose(0, 1) for part in (q, k))
    expected = (q @ k.transpose(1, 2) / math.sqrt(features / heads)).softmax(-1)
    assert found.layer == "e" and equal(found.values, expected)
    assert np.allclose(to_numpy(found.values).sum(-1), 1)
    assert "no attention" in picture(trainer("example:moons", 0), PictureWish("attention")).sentence


# --- the latent plane ---


def test_rows_lie_where_the_bottleneck_puts_them():
    at = trainer("template:autoencoder")
    found = picture(at, PictureWish("latent"))
    x = torch.from_numpy(np.array(at.data.x)).double()
    at.net.eval()
    at.net(x)
    assert found.layer == "code" and equal(found.values, at.net.outputs["code"])
    two = picture(at, PictureWish("latent", "h1", units=(3, 1)))
    assert equal(two.values, at.net.outputs["h1"][:, [3, 1]]) and not {"codes", "samples"} & set(two.parts)
    assert to_numpy(picture(at, PictureWish("latent", "h1", units=(0, 999))).parts["units"]).tolist() == [0, 1]


def test_samples_of_a_vae_are_decoded_by_the_layers_behind_and_the_same_for_the_same_seed():
    at = trainer("template:vae")
    found, again, other = (picture(at, PictureWish("latent", seed=seed)) for seed in (4, 4, 5))
    assert found.layer == "z" and found == again and found.parts["codes"] != other.parts["codes"]
    x = torch.from_numpy(np.array(at.data.x)).double()
    at.net.eval()
    hidden = at.net._modules["h1"](x)
    assert equal(found.values, at.net._modules["z"].mean(hidden)), "rows lie at their means"
    codes = torch.from_numpy(np.array(to_numpy(found.parts["codes"])))
    assert torch.equal(codes, drawn(len(codes), 2, 4))
    assert equal(found.parts["samples"], at.net._modules["out"](at.net._modules["h2"](codes)))
    places = torch.from_numpy(np.array(to_numpy(found.parts["grid_codes"])))
    assert equal(found.parts["grid"], at.net._modules["out"](at.net._modules["h2"](places))) and len(places) == 64
    left, top = places.reshape(8, 8, 2)[:, 0, 0], places.reshape(8, 8, 2)[0, :, 1]
    assert torch.allclose(torch.special.ndtr(left.double()), torch.full((8,), 1 / 16, dtype=torch.float64))
    assert torch.allclose(torch.special.ndtr(top.double()), torch.full((8,), 15 / 16, dtype=torch.float64))


def test_a_vae_of_points_draws_many_of_them():
    points = np.random.default_rng(0).normal(size=(40, 2)).round(3).tolist()
    network = chain(
        new_layer("input", "x", shape=[2]),
        new_layer("dense", "h1", units=6, activation="tanh"),
        new_layer("gaussian_latent", "z", units=2),
        new_layer("dense", "out", units=2),
    )
    at = trainer(experiment(network, data=table(points, points), loss="mse"))
    assert picture(at, PictureWish("latent")).parts["samples"].shape == (MANY_SAMPLES, 2)
    wider = edits.change_layer(experiment(network, data=table(points, points), loss="mse"), "z", units=3)
    assert "grid" not in picture(trainer(wider), PictureWish("latent")).parts, "three units have no plane"
    classified = trainer(experiment(network))
    assert "samples" not in picture(classified, PictureWish("latent")).parts, "what it makes of a code is no row of the data"


def test_fewer_rows_are_placed_where_each_takes_long(monkeypatch):
    at = trainer("example:moons", 0)
    monkeypatch.setattr(_latent_plane, "WORK", 150 * at.net.numbers_per_row)
    rows = to_numpy(picture(at, PictureWish("latent")).parts["rows"])
    assert 100 <= len(rows) <= 150 and len(set(np.diff(rows).tolist())) == 1


# --- time steps ---


@pytest.mark.parametrize("name", ["lstm", "rnn", "bidirectional_gru", "recurrent_neuron"])
def test_what_the_steps_add_sums_to_torchs_own_gradient(name):
    at = trainer(f"template:{name}")
    layer = next(layer.id for layer in at.experiment.network if layer.kind in ("rnn", "lstm", "gru"))
    steps, _ = step_gradients(at, layer)
    at.prepare()
    rows = at.rows()
    loss = at.loss(at.net(at.training_rows.x[rows]), at.training_rows.targets[rows])
    own = {part: at.parameters[f"{layer}.{part}"] for part in steps}
    for (part, found), expected in zip(steps.items(), torch.autograd.grad(loss, list(own.values())), strict=True):
        assert torch.allclose(found.sum(0), expected, rtol=1e-9, atol=1e-12), part
    shown = picture(at, PictureWish("time"))
    whole = to_numpy(shown.parts["whole"])
    for place, (part, found) in enumerate(steps.items()):
        norms, shares = to_numpy(shown.parts[part])
        assert np.allclose(norms, found.flatten(1).norm(dim=1)) and np.isclose(whole[place], found.sum(0).norm())
        assert np.isclose(shares.sum(), 1)


@pytest.mark.parametrize(("kind", "settings"), [("lstm", {}), ("rnn", {"activation": "sigmoid"})])
def test_stacked_nets_drop_what_torch_drops(kind, settings):
    base = open_document("template:lstm")
    layer = new_layer(kind, "r", units=4, num_layers=2, dropout=0.4, **settings)
    network = chain(base.network.layer("x"), layer, new_layer("dense", "out", units=1))
    at = trainer(experiment(network, data=base.data, loss="mse"))
    steps, _ = step_gradients(at, "r")
    at.prepare()
    rows = at.rows()
    loss = at.loss(at.net(at.training_rows.x[rows]), at.training_rows.targets[rows])
    expected = torch.autograd.grad(loss, [at.parameters["r.weight_hh_l0"]])[0]
    assert torch.allclose(steps["weight_hh_l0"].sum(0), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("weight", [0.3, 1.0, 2.5])
def test_with_sigmoid_what_comes_from_k_steps_back_is_at_most_a_quarter_of_w_to_the_k(weight):
    rows = np.random.default_rng(1).normal(size=(6, 7)).round(3).tolist()
    network = chain(
        new_layer("input", "x", shape=[7, 1]), new_layer("rnn", "r", units=1, activation="sigmoid"), new_layer("dense", "out", units=1)
    )
    document = experiment(network, data=table(rows, [[1.0]] * 6), loss="mse", weights={"r.weight_hh_l0": [[weight]]})
    at = trainer(document, iterations=0)
    _, states = step_gradients(at, "r")
    sizes = states["l0"].abs().squeeze(2)  # (time, batch): ∂L/∂h of one unit
    for k in range(7):
        assert (sizes[6 - k] <= sizes[6] * (0.25 * weight) ** k * (1 + 1e-12)).all()
    assert (sizes[0] > 0).all()


# --- nothing moves ---


@pytest.mark.parametrize("name", ["moons", "cnn", "vae", "encoder", "lstm"])
def test_looking_moves_nothing(name):
    document = f"{'example' if name == 'moons' else 'template'}:{name}"
    at, other = trainer(document, precision="float32"), trainer(document, precision="float32")
    for _ in range(2):
        for kind in ("weights", "maps", "attention", "latent", "time", "units"):
            picture(at, PictureWish(kind))
        at.advance()
        other.advance()
    assert digest(at.net) == digest(other.net)

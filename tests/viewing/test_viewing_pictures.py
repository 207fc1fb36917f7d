"""Feature maps and kernels in `nnviz.show`: the numbers of the person's own run, of the row and the step that are looked at."""

from functools import partial

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from torch import nn

from nnviz.engine.observe.trace_pictures import trace_picture
from nnviz.records.picture_records import PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_record import WhatIf
from nnviz.viewing.viewing import TracedModule


def conv_net():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2))
    return net, torch.randn(5, 3, 8, 8)


class Recurrent(nn.Module):
    """Time comes first, as is usual for torch's recurrent nets."""

    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.out(self.lstm(x)[0])


def captured(module, *inputs, batch_axis=None, **how):
    how = {"loss": lambda output, target: output.sum()} | how
    return TracedModule(module, inputs, how, batch_axis).take("textbook").captured


def maps(taken, layer="", row=0):
    return trace_picture(taken, PictureWish("maps", layer, row))


def test_maps_are_what_hooks_see_in_the_persons_own_run():
    net, x = conv_net()
    taken, seen = captured(net, x), {}
    for name, part in net.named_children():
        part.register_forward_hook(lambda part, given, output, name=name: seen.update({name: output.detach()}))
    net(x)
    assert maps(taken).layer == "0" and maps(taken).choices == ("input input", "0", "1", "2", "3", "4")
    for name in "012":
        np.testing.assert_array_equal(to_numpy(maps(taken, name, 3).values), seen[name][3].numpy())
    np.testing.assert_array_equal(to_numpy(maps(taken, "4", 3).values), seen["4"][3].numpy()[None, None])
    np.testing.assert_array_equal(to_numpy(maps(taken, "input input", 2).values), x[2].numpy())


def test_kernels_are_the_weights_output_channel_by_output_channel():
    net, x = conv_net()
    taken = captured(net, x)
    picture = trace_picture(taken, PictureWish("weights"))
    assert (picture.layer, picture.channels, picture.choices) == ("0.weight", 3, ("0.weight", "4.weight"))
    np.testing.assert_array_equal(to_numpy(picture.values), net[0].weight.detach().mean(1).numpy())
    one = trace_picture(taken, PictureWish("weights", "0.weight", channel=2))
    np.testing.assert_array_equal(to_numpy(one.values), net[0].weight.detach()[:, 2].numpy())
    up = nn.ConvTranspose2d(3, 4, 2)
    one = trace_picture(captured(up, torch.randn(2, 3, 4, 4)), PictureWish("weights", channel=1))
    np.testing.assert_array_equal(to_numpy(one.values), up.weight.detach()[1].numpy())


def test_what_is_long_in_time_has_features_down_and_time_across():
    net = nn.Sequential(nn.Conv1d(2, 6, 3), nn.BatchNorm1d(6), nn.Tanh())
    taken, x = captured(net, signal := torch.randn(4, 2, 9)), signal[1].T
    assert maps(taken, "2").is_sequence and maps(taken, "2").values.shape == (1, 7, 6), "time, channels"
    np.testing.assert_array_equal(to_numpy(maps(taken, "input input", 1).values)[0], x)
    net, x = Recurrent(), torch.randn(7, 4, 3)
    picture = maps(captured(net, x, batch_axis=1), "out", 2)
    np.testing.assert_allclose(to_numpy(picture.values)[0], net(x)[:, 2].detach().numpy(), rtol=1e-5)
    assert picture.is_sequence and picture.rows == 4


def test_what_is_deep_is_shown_slice_below_slice():
    net = nn.Conv3d(1, 2, 3)
    taken = captured(net, torch.randn(2, 1, 4, 5, 6))
    assert maps(taken, "input input").values.shape == (1, 4 * 5, 6)
    assert maps(taken, "output").values.shape == (2, 2 * 3, 4)
    assert trace_picture(taken, PictureWish("weights")).values.shape == (2, 9, 3)


def test_where_nothing_can_be_drawn_it_is_said():
    taken = captured(lambda x: x.sum(), torch.tensor(2.0))
    assert "No part" in maps(taken).sentence and "No part" in trace_picture(taken, PictureWish("weights")).sentence


@pytest.fixture
def shown(shown):
    return partial(shown, loss=lambda output, target: output.sum())


def test_a_module_with_convolutions_shows_them_at_the_step_and_row_that_are_looked_at(shown, qtbot):
    net, x = conv_net()
    window = shown(net, x)
    plots, stepping = window.pictures.plots, window.trace.stepping
    tiles = plots["feature_maps"]
    assert tiles.isVisible() and "not computed yet" in tiles.sentence and not tiles.tiles
    stepping.to_end()
    np.testing.assert_allclose(tiles.tiles[1].values, net[0](x)[0, 1].detach().numpy(), rtol=1e-5, atol=1e-6)
    assert len(plots["weight_picture"].tiles) == 4
    stepping.set_sample(4)
    np.testing.assert_allclose(tiles.tiles[1].values, net[0](x)[4, 1].detach().numpy(), rtol=1e-5, atol=1e-6)
    tiles.row.set_value(2)
    tiles.row.value_changed.emit(2)
    assert stepping.state.sample == 2, "one row everywhere"
    stepping.select(next(one.id for one in stepping.index.trace.nodes if one.operation == "max_pool2d"))
    assert tiles.wish.layer == "2" and tiles.tiles[0].values.shape == (3, 3)
    stepping.select(next(one.id for one in stepping.index.trace.nodes if one.label == "4.weight"))
    assert plots["weight_picture"].tiles[0].values.shape == (2, 36)
    assert tiles.row.maximum() == 4 and tiles.choice == "4 · row 2"
    qtbot.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert not tiles.isVisible()


def test_what_is_supposed_is_in_the_pictures(shown, qtbot):
    net, x = conv_net()
    window = shown(net, x)
    window.trace.stepping.to_end()
    weight = next(one.id for one in window.trace.stepping.index.trace.nodes if one.label == "0.weight")
    window.trace.what_ifs.add(WhatIf(weight, "ablate"))
    qtbot.waitUntil(lambda: not window.trace.busy, timeout=30_000)
    assert not any(tile.values.any() for tile in window.pictures.plots["weight_picture"].tiles)
    with torch.no_grad():
        np.testing.assert_allclose(window.pictures.plots["feature_maps"].tiles[2].values, net[0].bias[2].item(), rtol=1e-6)
    assert net[0].weight.abs().sum() > 1, "the module keeps its own"


def test_a_module_without_convolutions_shows_pictures_when_they_are_asked_for(shown):
    window = shown(nn.Linear(3, 2), torch.randn(4, 3))
    assert not window.pictures.plots["weight_picture"].isVisible()
    window.trace.stepping.to_end()
    window.action_table["pictures"].trigger()
    assert window.pictures.plots["weight_picture"].tiles[0].values.shape == (2, 3)

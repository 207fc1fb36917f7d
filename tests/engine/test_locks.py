from __future__ import annotations

import numpy as np
import pytest
import torch

from nnviz import protocol
from nnviz.document import edits
from nnviz.engine.drawing import drawn
from nnviz.engine.errors import BuildError
from nnviz.engine.records import to_record
from nnviz.engine.timeline import Timeline
from nnviz.engine.tracing import capture_next
from nnviz.session.reading import to_numpy
from tests.engine.experiments import HERE
from tests.session.sessions import two_moons


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_locked_weights_keep_their_bits_and_the_others_move(optimizer):
    experiment = edits.choose_optimizer(two_moons(), optimizer)
    locked = edits.lock_parameter(edits.lock_weights(experiment, "h1.weight", [(0, 1), (3, 0)]), "out.bias")
    timeline = Timeline(locked, HERE)
    start = timeline.trainer.tensors()
    timeline.go_to(25)
    end = timeline.trainer.tensors()
    same = end["h1.weight"] == start["h1.weight"]
    assert same.nonzero().tolist() == [[0, 1], [3, 0]]
    assert torch.equal(end["out.bias"], start["out.bias"]) and not torch.equal(end["h1.bias"], start["h1.bias"])
    assert timeline.trainer.parameters["out.bias"].grad.abs().sum() > 0


def test_the_trace_says_what_the_update_will_do():
    timeline = Timeline(edits.lock_weights(two_moons(), "h1.weight", [(0, 1)]), HERE)
    timeline.go_to(3)
    record = to_record(capture_next(timeline.trainer, "textbook"))
    updates = {update.parameter: update for update in record.updates}
    timeline.advance()
    for name, parameter in timeline.trainer.parameters.items():
        assert np.array_equal(to_numpy(updates[name].after.values), parameter.detach().numpy())
    assert updates["h1.weight"].rows[-1].symbol == "θ′ locked"
    assert not any("locked" in row.symbol for row in updates["h1.bias"].rows)


def test_a_lock_set_on_the_way_is_replayed():
    timeline = Timeline(two_moons(), HERE)
    timeline.go_to(5)
    timeline.edit(edits.lock_parameter(two_moons(), "h1.weight"))
    held = timeline.trainer.tensors()["h1.weight"]
    timeline.go_to(12)
    end = timeline.trainer.tensors()
    assert torch.equal(end["h1.weight"], held)
    timeline.go_to(2)
    timeline.go_to(12)
    assert all(torch.equal(tensor, end[name]) for name, tensor in timeline.trainer.tensors().items())


def test_a_drawn_parameter_is_what_a_run_of_that_seed_starts_with():
    timeline = Timeline(edits.set_parameter(two_moons(), "h1.bias", [1.0] * 4), HERE)
    timeline.go_to(4)
    for seed in (7, 8):
        fresh = Timeline(edits.set_seed(two_moons(), seed), HERE).trainer.parameters
        for name, parameter in fresh.items():
            assert np.array_equal(to_numpy(drawn(timeline, protocol.Draw(name, seed)).array), parameter.detach().numpy())
    with pytest.raises(BuildError):
        drawn(timeline, protocol.Draw("nothing", 7))

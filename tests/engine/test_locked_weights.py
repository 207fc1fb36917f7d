from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnviz import messages
from nnviz.document import edits
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.initial_values import initial_drawn
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.records.tensors import to_numpy
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


@settings(max_examples=20, deadline=None)
@given(limit=st.floats(1e-3, 2), whole=st.sampled_from([(), ("out.bias",), ("h1.bias", "out.weight")]), value=st.none() | st.just(0.01))
def test_the_norm_that_clipping_looks_at_leaves_locked_weights_out_as_torch_does_with_zeros(limit, whole, value):
    experiment = edits.lock_weights(edits.set_precision(two_moons(), "float64"), "h1.weight", [(0, 1), (3, 0)])
    for name in whole:
        experiment = edits.lock_parameter(experiment, name)
    experiment = edits.change_training(experiment, clip_norm=limit, clip_value=value)
    trainer = Timeline(experiment, HERE).trainer
    trace = capture_next(trainer, "textbook").trace
    trainer.differentiate(trainer.rows())
    gradients = {name: parameter.grad.clone() for name, parameter in trainer.parameters.items()}
    free = {name: gradient.masked_fill(trainer.locks.masks.get(name, torch.tensor(False)), 0) for name, gradient in gradients.items()}
    twins = [torch.zeros_like(gradient).requires_grad_() for gradient in free.values()]
    for twin, gradient in zip(twins, free.values(), strict=True):
        twin.grad = gradient.clone()
    total = torch.nn.utils.clip_grad_norm_(twins, limit)
    torch.testing.assert_close(trace.clipping.total, total, rtol=1e-12, atol=0)
    if value:
        torch.nn.utils.clip_grad_value_(twins, value)
    trainer.advance()
    for (name, parameter), twin in zip(trainer.parameters.items(), twins, strict=True):
        is_free = ~trainer.locks.masks.get(name, torch.zeros_like(parameter, dtype=torch.bool))
        torch.testing.assert_close(parameter.grad[is_free], twin.grad[is_free], rtol=1e-12, atol=0)
        torch.testing.assert_close(trace.clipping.gradients[name], parameter.grad, rtol=1e-12, atol=0)
        shown = next(update for update in trace.updates if update.parameter == name)
        torch.testing.assert_close(shown.after, parameter.detach(), rtol=1e-12, atol=0)


def test_the_rows_say_that_a_norm_leaves_out_what_is_locked():
    experiment = edits.change_training(edits.lock_weights(two_moons(), "h1.weight", [(0, 1)]), clip_norm=0.1)
    updates = {update.parameter: update for update in capture_next(Timeline(experiment, HERE).trainer, "layer").trace.updates}
    norms = {name: next(row.formula for row in update.rows if row.symbol == "‖gᵢ‖") for name, update in updates.items()}
    assert "locked" in norms["h1.weight"] and "locked" not in norms["h1.bias"]


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
            assert np.array_equal(to_numpy(initial_drawn(timeline, messages.DrawInitial(name, seed)).array), parameter.detach().numpy())
    with pytest.raises(BuildError):
        initial_drawn(timeline, messages.DrawInitial("nothing", 7))

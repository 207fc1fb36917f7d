"""The calls of an iteration, listed without the run being any other for it."""

from __future__ import annotations

import re

import pytest
import torch

from nnviz import jobs
from nnviz.document.catalog import OPTIMIZERS
from nnviz.engine.flat._update_lines import STATE, UPDATES
from nnviz.engine.observe.flat_calls import MOST, listed_calls
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE, experiment

MOONS = jobs.open_document("example:moons")


def trainer_of(document: jobs.OpenedFile, iterations: int = 0) -> Trainer:
    going = jobs.HeadlessRun(document)
    going.train(iterations, None)
    return going.timeline.trainer


def whole_state(trainer: Trainer) -> dict[str, torch.Tensor]:
    found = trainer.tensors() | {f"grad {name}": one.grad.clone() for name, one in trainer.parameters.items() if one.grad is not None}
    for parameter, entry in trainer.optimizer.state.items():
        found |= {f"{key} of {trainer.names[parameter]}": value.clone() for key, value in entry.items()}
    return found | {"random": torch.default_generator.get_state()}


@pytest.mark.parametrize("iterations", [0, 1, 5, 40])
def test_every_line_names_its_layer_and_the_run_stays_exactly_as_it_was(iterations):
    trainer = trainer_of(MOONS, iterations)
    before, position = whole_state(trainer), trainer.position
    listed = listed_calls(trainer)
    after = whole_state(trainer)
    assert trainer.position == position and before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (listed.title, listed.rows, listed.entry, listed.reason) == ("Two moons", 32, "x", "")
    assert list(dict.fromkeys(call.phase for call in listed.calls)) == ["forward", "loss", "backward", "update"]
    assert [call.number for call in listed.calls if call.number] == list(range(1, listed.count + 1))
    assert all(call.title for call in listed.calls)
    assert {call.title for call in listed.calls if call.layer == "h1"} == {trainer.experiment.network.titles["h1"]}
    assert [call.code for call in listed.calls if call.number is None] == ["rate = rates[0]", "t = steps[0] = steps[0] + 1"]


def test_it_is_the_same_list_at_the_start_and_when_the_run_itself_has_proven_it():
    assert listed_calls(trainer_of(MOONS)) == listed_calls(trainer_of(MOONS, 40))


def test_a_run_that_was_looked_at_ends_in_the_same_bits():
    looked, plain = jobs.HeadlessRun(MOONS), jobs.HeadlessRun(MOONS)
    for iterations in (0, 2, 7):
        looked.train(iterations, None)
        listed_calls(looked.timeline.trainer)
    for going in (looked, plain):
        going.train(60, None)
    ours, theirs = (going.timeline.trainer.tensors() for going in (looked, plain))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("batch_size", ["null", "349", "200"])
def test_it_is_the_full_batch_however_few_there_are_in_an_epoch(batch_size):
    document = jobs.open_document("example:moons", [jobs.Setting("training.batch_size", batch_size)])
    for iterations in (0, 1):
        listed = listed_calls(trainer_of(document, iterations))
        assert listed.calls and listed.rows == (350 if batch_size == "null" else int(batch_size))


def test_every_call_of_a_clipped_line_is_a_line_of_its_own():
    document = jobs.open_document("template:lstm", [jobs.Setting("training.clip_norm", "1")])
    listed = listed_calls(trainer_of(document))
    for call in listed.calls:
        assert len(re.findall(r"\b(?!float\()\w+\(", call.code)) == (call.number is not None or "set_grad_enabled" in call.code)
    assert {call.layer for call in listed.calls if call.code.startswith("vector_norm(r_")} == {"r"}


def test_where_it_steps_aside_the_reason_is_said(monkeypatch):
    trainer = Trainer(MOONS.experiment, trainer_of(MOONS).data)
    monkeypatch.setattr("nnviz.engine.run.flat_iteration.LARGE", 10)
    listed = listed_calls(trainer)
    assert not listed.calls and not trainer.flat.reason, "the run itself has not come to it yet"
    assert listed.reason == (
        "This network is trained without a flat list of calls, at torch's own speed: its kernels take nearly all of the time."
    )


def test_a_net_that_does_not_stay_finite_has_no_list():
    kind, rate = jobs.Setting("training.optimizer.kind", "sgd"), jobs.Setting("training.optimizer.learning_rate", "10000")
    loss = jobs.Setting("training.loss", "mse")
    listed = listed_calls(trainer_of(jobs.open_document("template:autoencoder", [kind, rate, loss])))
    assert not listed.calls and listed.reason.endswith("its first iterations do not give finite numbers.")


def test_a_few_iterations_are_enough(monkeypatch):
    made = []
    advance = Trainer.advance
    monkeypatch.setattr(Trainer, "advance", lambda self, check=None: made.append(1) or advance(self, check))
    for batch_size in (16, 41, 42):
        made.clear()
        assert listed_calls(Trainer(experiment(batch_size=batch_size), trainer_of(jobs.OpenedFile(experiment(), HERE)).data)).calls
        assert len(made) <= MOST


def test_every_optimizer_has_its_lines():
    assert UPDATES.keys() == STATE.keys() == OPTIMIZERS.keys()

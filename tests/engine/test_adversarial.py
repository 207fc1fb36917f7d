"""A generator and a discriminator that learn in turn: every iteration is that of a loop written in plain torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.document import edits
from nnviz.document.network import Link
from nnviz.document.shapes.report import examine
from nnviz.document.store import files
from nnviz.document.store.examples import open_document
from nnviz.engine import seeds
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.batch_rows import inspected_batch
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.flat_calls import listed_calls
from nnviz.engine.observe.predictions import predictions
from nnviz.engine.observe.run_loss import RunLoss
from nnviz.engine.observe.surface import surface
from nnviz.engine.run.position import Position, next_rows
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}


def gan(optimizer: str = "adam", **training):
    """The example."""
    document = edits.choose_optimizer(open_document("example:gan"), optimizer)
    return edits.change_training(document, **training)


def trainer_of(document) -> Trainer:
    return Trainer(document, load(document, HERE))


def in_plain_torch(document, iterations: int) -> dict[str, torch.Tensor]:
    """The parameters after so many iterations of a loop that knows nothing of turns, sides or traces: two nets, two optimizers."""
    start = trainer_of(document)
    dense = {name: nn.Linear(*reversed(start.parameters[f"{name}.weight"].shape)) for name in ("g1", "g2", "point", "d1", "d2", "out")}
    generator = nn.Sequential(dense["g1"], nn.ReLU(), dense["g2"], nn.ReLU(), dense["point"])
    discriminator = nn.Sequential(dense["d1"], nn.LeakyReLU(), dense["d2"], nn.LeakyReLU(), dense["out"])
    named = {f"{name}.{part}": parameter for name, layer in dense.items() for part, parameter in layer.named_parameters()}
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(start.parameters[name])
    factor = document.network.layer("d1").learning_rate_factor
    kind, settings = OPTIMIZERS[document.training.optimizer.kind], {"lr": document.training.optimizer["learning_rate"]}
    if document.training.optimizer.kind == "adam":
        settings["betas"] = document.training.optimizer["beta1"], document.training.optimizer["beta2"]
    of_generator = kind(generator.parameters(), **settings)
    of_discriminator = kind(discriminator.parameters(), **settings | {"lr": settings["lr"] * factor})
    x, size, position = start.training_rows.x, document.training.batch_size, Position()
    for iteration in range(iterations):
        rows = next_rows(document.seed, position, len(x), size)
        seeds.start_iteration(document.seed, iteration)
        z = torch.randn(len(rows), 2)
        if iteration % 2 == 0:
            of_discriminator.zero_grad()
            answers = discriminator(torch.cat([x[rows], generator(z).detach()]))
            truth = torch.cat([torch.ones(len(rows), 1), torch.zeros(len(rows), 1)])
            F.binary_cross_entropy_with_logits(answers, truth).backward()
            of_discriminator.step()
        else:
            of_generator.zero_grad()
            F.binary_cross_entropy_with_logits(discriminator(generator(z)), torch.ones(len(rows), 1)).backward()
            of_generator.step()
        position = position.after(len(rows), len(x))
    return named


# --- torch is the oracle ---


@pytest.mark.parametrize("factor", [1.0, 0.25])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_two_hundred_iterations_have_the_bits_of_plain_torch(optimizer, factor):
    """With a factor the discriminator has another learning rate than the generator."""
    document = gan(optimizer)
    for layer in ("d1", "d2", "out"):
        document = edits.set_learning_rate_factor(document, layer, factor)
    timeline = Timeline(document, HERE)
    timeline.go_to(200)
    expected = in_plain_torch(document, 200)
    assert timeline.trainer.parameters.keys() == expected.keys()
    assert all(torch.equal(timeline.trainer.parameters[name], parameter) for name, parameter in expected.items())
    assert not torch.equal(Trainer(document, timeline.data).parameters["g1.weight"], expected["g1.weight"])


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
@pytest.mark.parametrize("iteration", [6, 7])
def test_the_trace_of_either_sides_iteration_is_the_iteration(iteration, detail):
    timeline = Timeline(gan(clip_norm=0.05, l2=1e-3), HERE)
    timeline.go_to(iteration)
    captured = capture_next(timeline.trainer, detail)
    before = {name: parameter.detach().clone() for name, parameter in timeline.trainer.parameters.items()}
    timeline.advance()
    side = ("g1", "g2", "point") if iteration % 2 else ("d1", "d2", "out")
    updated = {update.parameter: update.after for update in captured.trace.updates}
    assert {name.partition(".")[0] for name in updated} == set(side)
    assert captured.trace.loss == timeline.points[-1].loss and captured.trace.worst_error < 1e-6
    for name, parameter in timeline.trainer.parameters.items():
        assert torch.equal(parameter, updated.get(name, before[name]))


@pytest.mark.parametrize("iteration", [6, 7])
def test_one_row_can_be_traced_down_to_neurons(iteration):
    document = gan()
    for layer in ("g1", "g2", "d1", "d2"):
        document = edits.change_layer(document, layer, units=3)
    timeline = Timeline(document, HERE)
    timeline.go_to(iteration)
    captured = capture_next(timeline.trainer, "neurons", sample=3)
    assert captured.scalars is not None and captured.trace.worst_error < 1e-6


# --- a run like any other ---


def test_going_back_and_on_gives_the_same_bits():
    timeline = Timeline(gan(), HERE)
    timeline.go_to(133)
    end = digest(timeline.trainer.net)
    timeline.go_to(60)
    timeline.go_to(133)
    assert digest(timeline.trainer.net) == end
    other = Timeline(gan(), HERE)
    for _ in range(133):
        other.advance()
    assert digest(other.trainer.net) == end


def test_an_edit_on_the_way_keeps_both_sides_and_what_the_optimizer_knows():
    timeline = Timeline(gan(), HERE)
    timeline.go_to(31)
    timeline.edit(edits.change_optimizer(timeline.document, learning_rate=0.001))
    assert len(timeline.trainer.optimizer.state) == len(timeline.trainer.parameters)
    steps = {name: int(timeline.trainer.optimizer.state[one]["step"]) for name, one in timeline.trainer.parameters.items()}
    assert steps["d1.weight"] == 16 and steps["g1.weight"] == 15
    timeline.go_to(40)
    end = digest(timeline.trainer.net)
    timeline.go_to(5)
    timeline.go_to(40)
    assert digest(timeline.trainer.net) == end


def test_a_frozen_layer_stays_and_a_locked_weight_too():
    document = edits.freeze_layer(gan(), "g1")
    timeline = Timeline(document, HERE)
    before = timeline.trainer.tensors()
    timeline.go_to(20)
    assert torch.equal(timeline.trainer.parameters["g1.weight"], before["g1.weight"])
    assert not torch.equal(timeline.trainer.parameters["g2.weight"], before["g2.weight"])


def test_the_document_survives_the_file():
    assert files.loads(files.dumps(gan())) == gan()


def test_the_order_of_the_links_into_the_meeting_does_not_matter():
    document = gan()
    rows, points = Link("x", "m"), Link("point", "m")
    links = tuple({rows: points, points: rows}.get(link, link) for link in document.network.links)
    swapped = document.replaced(network=type(document.network)(document.network.layers, links))
    ends = []
    for one in (document, swapped):
        timeline = Timeline(one, HERE)
        timeline.go_to(20)
        ends.append(digest(timeline.trainer.net))
    assert ends[0] == ends[1]


# --- what is measured ---


def test_loss_and_accuracy_are_those_of_the_discriminator_over_real_and_generated_rows():
    timeline = Timeline(gan(), HERE)
    timeline.go_to(300)
    trainer = timeline.trainer
    x, made = trainer.training_rows.x, trainer.sides.generated(trainer.training_rows.count)
    answers = torch.cat([trainer.answer(x), trainer.answer(made)])
    truth = torch.cat([torch.ones(len(x), 1), torch.zeros(len(x), 1)])
    loss, accuracy = trainer.evaluate(trainer.training_rows)
    assert loss == pytest.approx(F.binary_cross_entropy_with_logits(answers, truth).item(), rel=1e-6)
    assert accuracy == ((answers > 0) == (truth == 1)).double().mean().item()
    found = predictions(trainer)
    assert found.scores["accuracy"] == pytest.approx(accuracy) and to_numpy(found.confusion).sum() == 2 * len(x)


def test_measuring_draws_nothing_from_the_run():
    ends = []
    for is_measured in (False, True):
        timeline = Timeline(gan(), HERE)
        for _ in range(20):
            timeline.advance()
            if is_measured:
                surface(timeline.trainer), predictions(timeline.trainer), inspected_batch(timeline.trainer)
                capture_next(timeline.trainer, "layer")
        ends.append(digest(timeline.trainer.net))
    assert ends[0] == ends[1]


def test_the_surface_is_the_discriminators_and_brings_generated_points_the_same_each_time():
    trainer = trainer_of(gan())
    found = surface(trainer)
    assert found.output.shape[-1] == 1
    points = to_numpy(found.generated)
    assert points.shape[1:] == (2,) and (points == to_numpy(surface(trainer).generated)).all()
    assert torch.equal(torch.from_numpy(points.copy()), trainer.sides.generated(len(points)))
    assert not torch.equal(trainer.sides.generated(5, seed=1), trainer.sides.generated(5, seed=2))


def test_the_rows_of_the_batch_are_described_in_the_discriminators_iterations_only():
    timeline = Timeline(gan(), HERE)
    found = inspected_batch(timeline.trainer)
    assert len(found.rows) == found.losses.shape[0] == found.gradient_norms.shape[0] == found.outputs.shape[0] == 64
    timeline.advance()
    assert inspected_batch(timeline.trainer).rows == ()


def test_what_needs_one_loss_is_refused_and_the_flat_iteration_says_why_it_steps_aside():
    trainer = trainer_of(gan())
    with pytest.raises(BuildError, match="two losses"):
        RunLoss(trainer)
    assert "take turns" in listed_calls(trainer).reason


# --- what makes no sense ---


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda e: edits.change_training(e, early_stopping=5), "training.early_stopping"),
        (lambda e: edits.choose_schedule(e, "plateau"), "training.schedule"),
        (lambda e: edits.change_data(e, validation=0.3), "data.validation"),
        (lambda e: edits.change_training(e, loss="mse"), "training.loss"),
        (lambda e: edits.change_training(e, target="labels"), "network.layers[5]"),
        (lambda e: edits.freeze_layer(edits.freeze_layer(edits.freeze_layer(e, "g1"), "g2"), "point"), "network.layers[4]"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_cure(change, place):
    document = change(gan())
    problem = examine(document).problems[0]
    assert problem.place == place
    assert problem.fix is not None
    with pytest.raises(BuildError):
        trainer_of(document)
    assert examine(edits.apply_fix(document, problem.fix)).ok


def linked_besides(document, source, before, behind):
    """With an Add between two layers, to which another one leads, too."""
    added = edits.add_layer(document, "add", between=(before, behind))
    (new,) = {layer.id for layer in added.network} - {layer.id for layer in document.network}
    return edits.connect_layers(added, source, new)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: linked_besides(e, "x", "z", "g1"), "read Random numbers alone"),
        (lambda e: linked_besides(e, "x", "m", "d1"), "what comes from here alone"),
        (lambda e: edits.add_layer(e, "dense", between=("x", "m"), units=2), "straight from the input"),
        (lambda e: edits.add_layer(e, "random", between=("point", "m"), units=2), "one layer of Random numbers"),
    ],
)
def test_two_sides_that_are_linked_otherwise_are_refused(change, words):
    problems = examine(change(gan())).problems
    assert any(words in problem.message for problem in problems)

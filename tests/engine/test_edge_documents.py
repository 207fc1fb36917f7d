"""Small documents at the edge of what can be computed, each with the numbers that are right for it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from nnviz import jobs
from nnviz.document.checks import training_checks
from nnviz.document.shapes.report import examine
from nnviz.document.store import files
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import NO_MEMORY, is_out_of_memory
from nnviz.engine.model.loss_functions import LOSSES
from nnviz.engine.observe.batch_rows import inspected_batch
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.measures import layer_measures
from nnviz.engine.observe.predictions import predictions
from nnviz.engine.observe.surface import surface, unit_map
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE

CASES = "tests/cases"


def document_of(name: str):
    return files.load(f"{CASES}/{name}.json")


def trainer_of(name: str, iterations: int = 0) -> Trainer:
    document = document_of(name)
    trainer = Trainer(document, load(document, HERE))
    for _ in range(iterations):
        assert trainer.advance() is None
    return trainer


def run(name: str, **length):
    return jobs.run(jobs.open_document(f"{CASES}/{name}.json"), **length)


# --- one rule for the class of a row, one set of rows for every score ---


@pytest.mark.parametrize(("name", "accuracy"), [("accuracy-1-f1-0", 1.0), ("two-accuracies", 0.5)])
def test_accuracy_is_the_same_wherever_it_is_told(name, accuracy):
    trainer, metrics = trainer_of(name), run(name, iterations=0)["metrics"]
    matrix = to_numpy(predictions(trainer).confusion)
    assert metrics["accuracy"] == accuracy == matrix.trace() / matrix.sum() == trainer.evaluate(trainer.validation_rows)[1]
    assert (metrics["f1"] == 1.0) == (accuracy == 1.0)
    batch = inspected_batch(trainer)
    right = to_numpy(batch.classes) == trainer.training_rows.y[list(batch.rows)].numpy()
    assert right.mean() == metrics["training_accuracy"]


def test_what_is_not_finite_has_no_score():
    result = run("nan-metrics", iterations=1)
    assert result["metrics"] == {"accuracy": None, "training_accuracy": None} and result["stopped"] == "non_finite"
    found = predictions(trainer_of("nan-metrics"))
    assert found.scores == {} and found.confusion is None and -1 in to_numpy(found.values)


@pytest.mark.parametrize("name", ["scores-first-2000-classes", "scores-first-2000-regression"])
def test_every_score_is_over_all_validation_rows(name):
    trainer = trainer_of(name, 2)
    found, rows = predictions(trainer), trainer.validation_rows
    loss, metric = trainer.evaluate(rows)
    assert found.scored == rows.count == 2500 and found.rows.shape[0] == 4000
    if trainer.data.classes:
        assert to_numpy(found.confusion).sum() == 2500 and found.scores["accuracy"] == metric
    else:
        assert found.scores["rmse"] == pytest.approx(metric, rel=1e-15) and found.scores["mse"] == pytest.approx(loss, rel=1e-12)


# --- the root of the mean squared error at zero error ---


@pytest.mark.parametrize("name", ["rmse-zero-error-nan", "rmse-at-an-exact-fit"])
def test_without_an_error_the_gradient_of_rmse_is_0_and_the_run_goes_on(name):
    result = run(name, iterations=5)
    assert (result["stopped"], result["iterations"], result["loss"], result["training_loss"]) == ("done", 5, 0.0, 0.0)
    trace = capture_next(trainer_of(name, 3), "textbook").trace
    assert trace.worst_error == 0 and all(not gradient.any() for gradient in trace.true_gradients.values())
    root = next(node for node in trace.nodes if node.operation == "root")
    assert "0 where y = 0" in root.derivative


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rmse_has_the_bits_of_torchs_own_root(dtype):
    y = torch.randn(7, 3, dtype=dtype, generator=torch.Generator().manual_seed(0))
    ours, torchs = (torch.linspace(-2, 2, 21, dtype=dtype).reshape(7, 3).requires_grad_() for _ in range(2))
    loss, expected = LOSSES["rmse"](ours, y), torch.nn.functional.mse_loss(torchs, y).sqrt()
    loss.backward()
    expected.backward()
    assert torch.equal(loss, expected) and torch.equal(ours.grad, torchs.grad)


def test_the_batch_inspector_tells_the_loss_of_the_batch():
    batch = inspected_batch(trainer_of("rmse-batch-inspector"))
    losses = to_numpy(batch.losses)
    assert losses.mean() == 2.0 and batch.loss == pytest.approx(math.sqrt(5)) == math.sqrt((losses**2).mean())


# --- which moment a figure is of ---


def test_the_figures_of_one_iteration_say_of_which_moment_they_are():
    result = run("loss-is-one-update-behind", iterations=1)
    assert (result["loss"], result["training_loss"], result["metrics"]["training_rmse"]) == (4.0, 0.0, 0.0)
    assert result["loss_is"] == "of the batch of the last iteration, before its update"
    start = run("loss-is-one-update-behind", iterations=0)
    assert start["loss"] == start["training_loss"] == 4.0 and "before any update" in start["loss_is"]


def test_training_rows_are_measured_where_nothing_is_held_out():
    timeline = Timeline(document_of("loss-is-one-update-behind"), HERE)
    assert (timeline.points[0].training_loss, timeline.points[0].training_metric) == (4.0, 2.0)
    timeline.go_to(1)
    assert timeline.points[1].training_loss is None, "not after every iteration"
    assert timeline.complete_last_point() and (timeline.points[1].loss, timeline.points[1].training_loss) == (4.0, 0.0)
    timeline.go_to(100)
    assert timeline.points[100].training_metric == 0.0


def test_measures_have_the_gradient_before_it_is_clipped():
    trainer = trainer_of("norm-chart-clipped")
    before = math.hypot(*(layer.gradients.norm for layer in layer_measures(trainer)))
    trainer.advance()
    after = math.hypot(*(layer.gradients.norm for layer in layer_measures(trainer)))
    clipped = torch.cat([parameter.grad.ravel() for parameter in trainer.parameters.values()]).norm().item()
    assert before == after == pytest.approx(404.8, abs=0.1) and clipped == pytest.approx(trainer.experiment.training.clip_norm, rel=1e-6)


# --- what a run needs and keeps ---


@pytest.mark.parametrize("name", ["batch-norm-save", "../../resources/examples/batch_norm"])
def test_running_statistics_are_saved_with_the_weights(name, tmp_path):
    document = jobs.open_document(f"{CASES}/{name}.json")
    trained = jobs.run(document, epochs=3, save=str(tmp_path / "trained.json"))
    again = jobs.run(jobs.open_document(str(tmp_path / "trained.json")), iterations=0)
    same = ("validation_loss", "training_loss", "metrics", "digest")
    assert {name: trained[name] for name in same} == {name: again[name] for name in same}


def test_attention_starts_without_biases():
    parameters = trainer_of("attention-default-bias").parameters
    assert not parameters["a.out_proj.bias"].any() and not parameters["a.in_proj_bias"].any() and parameters["a.out_proj.weight"].all()


@pytest.mark.parametrize("name", ["surface-embedding", "surface-one-hot"])
def test_there_is_no_surface_over_numbers_that_are_looked_up(name):
    trainer = trainer_of(name, 1)
    assert surface(trainer) is None
    with pytest.raises(ValueError, match="looked up"):
        unit_map(trainer, "out", 0)


def test_cross_entropy_with_the_input_itself_is_not_negative():
    trainer = trainer_of("bce-input-negative-validation", 3)
    targets = trainer.validation_rows.targets
    assert trainer.evaluate(trainer.validation_rows)[0] > 0 and targets.max() == 1
    assert trainer.validation_rows.x.max() > 1, "what goes in is left as it is"
    mse = replace(trainer.experiment, training=replace(trainer.experiment.training, loss="mse"))
    assert load(mse, HERE).y.max() > 1 and not Timeline(mse, HERE).can_go_on_with(trainer.experiment)


def test_rows_are_evaluated_in_parts_that_fit_into_memory():
    document = document_of("memory-attention-batch1")
    trainer = trainer_of("surface-embedding")
    net = examine(document).layers
    numbers = training_checks.numbers_per_row(net)
    rows = training_checks.evaluated_rows(numbers, "float32")
    assert 1 < rows < 200 and 4 * rows * numbers <= training_checks.EVALUATED_BYTES < 4 * (rows + 1) * numbers
    assert training_checks.memory(document, net) > 200 << 20
    assert trainer.rows_at_once == training_checks.MOST_EVALUATED_ROWS, "of small rows as many as ever"


def test_evaluation_in_parts_gives_the_same_figures(monkeypatch):
    trainer = trainer_of("surface-embedding", 2)
    whole = trainer.evaluate(trainer.training_rows)
    monkeypatch.setattr(training_checks, "EVALUATED_BYTES", 4 * 7 * trainer.net.numbers_per_row)
    assert trainer.rows_at_once == 7 and trainer.evaluate(trainer.training_rows) == pytest.approx(whole, rel=1e-6)


def test_lack_of_memory_is_a_sentence(monkeypatch, capsys):
    from nnviz import cli

    text = "[enforce fail at alloc_cpu.cpp:127] data. DefaultCPUAllocator: not enough memory: you tried to allocate 8589934592 bytes."

    def fail(*arguments):
        raise RuntimeError(text)

    monkeypatch.setattr(jobs, "run", fail)
    assert cli.main(["run", f"{CASES}/surface-embedding.json"]) == 1 and capsys.readouterr().err.strip() == NO_MEMORY
    assert is_out_of_memory(MemoryError()) and not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_the_positional_encoding_is_what_its_text_says():
    trainer = trainer_of("positional-text")
    trainer.answer(trainer.training_rows.x)
    encoded = trainer.net.outputs["p"][0].numpy()
    assert np.allclose(encoded[1], [math.sin(1 / 10_000 ** (0 / 2)), math.cos(1 / 10_000 ** (0 / 2))], rtol=0, atol=1e-15)

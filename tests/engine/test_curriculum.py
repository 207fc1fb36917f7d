"""What the examples are to show is really there: each claim of the course, measured on runs of the engine."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from nnviz.document.store.examples import open_document
from nnviz.engine import seeds
from nnviz.engine.data._series import ar_weights
from nnviz.engine.observe._net_pictures import picture
from nnviz.engine.observe.baselines import baselines
from nnviz.engine.observe.batch_costs import batch_costs
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.data_records import data_record
from nnviz.engine.observe.distances import distances
from nnviz.engine.observe.gradient_noise import gradient_noise
from nnviz.engine.observe.measures import layer_measures
from nnviz.engine.observe.new_samples import grid_samples
from nnviz.engine.observe.predictions import predictions
from nnviz.engine.observe.surface import surface
from nnviz.engine.run.divergence import first_divergence
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.jobs.comparing import finished
from nnviz.records.picture_records import PictureWish
from nnviz.records.task_records import BaselinesTask, BatchCostTask, DistancesTask, NoiseTask
from nnviz.records.tensors import to_numpy
from nnviz.records.verdicts import VERDICTS, verdict_of_points
from nnviz.ui.pictures._class_figures import AnswersOfSet
from tests.engine.experiments import HERE
from tests.engine.runs_of_examples import going, judged, trained


def layers_of(network, setting, value):
    """The setting of every hidden layer, by its path."""
    return {f"network.layers.{layer.id}.{setting}": value for layer in network if layer.id.startswith("h")}


def gradient_norms(name, **settings):
    """The norm of the first iteration's gradient of every layer, the first layer first."""
    return [one.gradients.norm for one in layer_measures(trained(name, 0, **settings).trainer)]


# --- C1: four learning rates ---


@pytest.mark.parametrize(
    ("name", "batch_size", "rates"),
    [
        ("learning_rate", "none", (1e-5, 0.03, 0.3, 1)),
        ("sine", 32, (1e-5, 0.03, 0.3, 1)),
        ("iris", "none", (0.0003, 0.3, 5, 30)),
        ("xor", "none", (0.003, 1, 10, 30)),
        ("spiral", 32, (0.0003, 0.1, 1, 10)),
    ],
)
def test_four_learning_rates_end_in_four_ways(name, batch_size, rates):
    found = [judged(name, 300, optimizer="sgd", rate=rate, batch_size=batch_size) for rate in rates]
    assert tuple(one.kind for one in found) == VERDICTS
    assert found[2].is_converging and found[1].end < found[0].end


# --- C2: scaling ---


def test_unscaled_data_makes_a_good_learning_rate_bad():
    scores = {}
    for scaling in ("none", "standardise", "min-max"):
        trainer = trained("unscaled", 300, scaling=scaling).trainer
        scores[scaling] = trainer.evaluate(trainer.validation_rows)[1]
    assert scores["none"] == pytest.approx(0.40, abs=0.01), "what the same answer to every row reaches"
    assert scores["standardise"] >= 0.98 and scores["min-max"] >= 0.98


# --- C3: batches ---


def test_the_more_rows_a_batch_has_the_smoother_the_path_and_the_rarer_the_updates():
    jitters, slopes = [], []
    for size in (1, 16, "none"):
        timeline = trained("batch_size", 420, batch_size=size)
        trainer, rows = timeline.trainer, timeline.trainer.training_rows.count
        updates = math.ceil(rows / (rows if size == "none" else size))
        assert trainer.position.epoch == 420 // updates and trained("batch_size", updates, batch_size=size).trainer.position == (
            updates,
            1,
            0,
        )
        losses = torch.tensor([point.loss for point in timeline.points[1:]])
        jitters.append(losses.diff().abs().mean().item())
        if size == "none":
            assert (losses.diff() < 0).all(), "all rows at once go straight down"
        noise = finished(gradient_noise(NoiseTask(batches=200), trainer))
        slopes.append(np.polyfit(np.log(to_numpy(noise.sizes)), np.log(to_numpy(noise.variances)), 1)[0])
    assert jitters[0] > 2.5 * jitters[1] > 100 * jitters[2]
    assert slopes == pytest.approx([-1] * 3, abs=0.1), "the variance of the gradient falls as 1/batch"


# --- C4, C6: optimizers ---


def iterations_until(loss, **settings):
    """How many iterations the narrow valley takes, at the best of some learning rates."""
    needed = []
    for rate in (0.1, 0.4, 0.5, 0.7, 0.9, 0.98):
        points = trained("narrow_valley", 400, rate=rate, **settings).points
        needed.append(next((point.iteration for point in points if point.loss < loss), math.inf))
    return min(needed)


def test_momentum_runs_through_a_narrow_valley():
    x = torch.tensor(open_document("example:narrow_valley").data["x"], dtype=torch.float64)
    eigenvalues = torch.linalg.eigvalsh(2 * x.T @ x / len(x))
    assert eigenvalues[-1] / eigenvalues[0] >= 50
    plain = iterations_until(1e-6, **{"training.optimizer.momentum": 0})
    heavy = iterations_until(1e-6)
    nesterov = iterations_until(1e-6, **{"training.optimizer.nesterov": True})
    assert plain >= 300 and heavy < plain / 2 and nesterov < 0.6 * plain


def path(**settings):
    """The two weights after each of 200 iterations, (201, 2)."""
    timeline = trained("weight_decay", 0, **settings)
    found = [timeline.trainer.parameters["out.weight"].detach().clone()]
    for _ in range(200):
        timeline.advance()
        found.append(timeline.trainer.parameters["out.weight"].detach().clone())
    return torch.cat(found)


def test_decoupled_decay_is_not_an_l2_penalty():
    """The loss pulls with a constant force, so that Adam's own steps are the same on every path."""
    rate, decay = 0.01, 0.5
    decoupled = path()
    bare = path(**{"training.optimizer.weight_decay": 0})
    penalised = path(**{"training.optimizer.kind": "adam", "training.optimizer.weight_decay": decay})
    difference = torch.zeros(2, dtype=torch.float64)
    for iteration in range(1, 201):
        difference -= rate * decay * decoupled[iteration - 1]
        assert torch.allclose(decoupled[iteration] - bare[iteration], difference, rtol=0, atol=1e-12), "exactly the decay's path"
    by_decay, by_penalty = (bare - decoupled)[1], (bare - penalised)[1]
    assert by_decay.tolist() == pytest.approx([rate * decay * 1.5, rate * decay * -2], abs=1e-12), "each by its own share"
    assert by_penalty.abs().max() < 1e-7, "the penalty's pull is divided away with the gradient's"


# --- C10: a race ---


def test_optimizers_race_from_the_same_start():
    """The narrow valley from the same weights: the first divergence of any two is the update of iteration 1."""
    kinds = ("sgd", "adagrad", "rmsprop", "adam", "adamw")
    runs = {kind: trained("narrow_valley", 100, optimizer=kind, rate=0.1) for kind in kinds}
    starts = {kind: Timeline(run.log, HERE) for kind, run in runs.items()}
    assert len({digest(start.trainer.net) for start in starts.values()}) == 1 and len({run.points[1].loss for run in runs.values()}) == 1
    assert len({digest(run.trainer.net) for run in runs.values()}) == len(kinds)
    for kind in kinds[1:]:
        found = finished(first_divergence(Timeline(runs["sgd"].log, HERE), starts[kind], 100))
        assert (found.iteration, found.phase) == (1, "update")
    verdicts = {kind: verdict_of_points(run.points).kind for kind, run in runs.items()}
    assert set(verdicts.values()) <= {"falling", "oscillating"}


# --- D: depth ---


def test_ten_sigmoid_layers_vanish():
    norms = gradient_norms("deep_sigmoid")
    assert len(norms) == 11 and norms[0] / norms[9] < 1e-4


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_ten_relu_layers_with_a_he_start_do_not(activation):
    network = open_document("example:deep_relu").network
    norms = gradient_norms("deep_relu", **layers_of(network, "activation", activation))
    assert norms[0] / norms[9] > 1e-1
    default = gradient_norms("deep_relu", **layers_of(network, "initializer", "default"))
    assert default[0] / default[9] < 1e-2, "with torch's own start ReLU vanishes, too"


def test_exploding_gradients_are_caught_and_named():
    start = layer_measures(trained("exploding", 0).trainer)
    spreads = [one.activations.std for one in start[:8]]
    assert all(after > 1.5 * before for before, after in pairwise(spreads))
    run = going("exploding", 200)
    assert run.stopped == "non_finite" and run.message == (
        "Iteration 3: The output of dense 7 is the first value that is not finite: 64 of 512 elements."
    )
    assert run.timeline.iteration == 2, "the step before is still there"
    run.timeline.go_to(1)
    assert run.timeline.iteration == 1


def spreads(activation, initializer):
    """Standard deviations of the outputs of eight layers as shares of the input's, before any training."""
    network = open_document("example:starting_weights").network
    settings = layers_of(network, "activation", activation) | layers_of(network, "initializer", initializer)
    trainer = trained("starting_weights", 0, **settings).trainer
    trainer.answer(trainer.training_rows.x)
    outputs = trainer.net.outputs
    return [float(outputs[layer].std() / outputs["x"].std()) for layer in outputs if layer.startswith("h")]


def test_he_keeps_the_spread_and_xavier_lets_it_fall():
    assert all(0.5 <= share <= 2 for share in spreads("relu", "he_normal"))
    tanh = spreads("tanh", "xavier_uniform")
    assert tanh == sorted(tanh, reverse=True) and tanh[0] == pytest.approx(0.63, abs=0.05) and tanh[-1] == pytest.approx(0.25, abs=0.05)
    assert spreads("sigmoid", "xavier_uniform")[-1] == pytest.approx(0.11, abs=0.03)


@pytest.mark.parametrize("initializer", ["zeros", "constant"])
def test_with_equal_weights_symmetry_never_breaks(initializer):
    network = open_document("example:starting_weights").network
    trainer = trained("starting_weights", 20, **layers_of(network, "initializer", initializer), rate=1e-3).trainer
    for layer in range(1, 8):
        weight = trainer.parameters[f"h{layer}.weight"].detach()
        assert torch.equal(weight, weight[:1].expand_as(weight)), "every unit of a layer is like the others"


def test_skips_bring_the_gradient_back():
    plain, skipped = gradient_norms("deep_sigmoid"), gradient_norms("deep_residual")
    assert skipped[0] >= 100 * plain[0]
    timeline = Timeline(open_document("example:deep_residual"), HERE)
    trace = capture_next(timeline.trainer, "textbook").trace
    around = next(node for node in trace.nodes if node.module == "h1" and node.operation == "sigmoid")
    through, skip = sorted((part.gradient.norm().item() for part in around.contributions), key=abs)
    assert len(around.contributions) == 2 and skip > through, "the way around the layer carries more than the way through it"


# --- E: generalisation ---


def test_overfitting_turns_the_validation_loss_up_and_the_best_weights_come_back():
    run = going("overfitting", 2000)
    timeline = run.timeline
    assert run.stopped == "early_stopping"
    measured = {point.iteration: point.validation_loss for point in timeline.points if point.validation_loss is not None}
    best = min(measured, key=measured.get)
    assert f"the weights of iteration {best} are back" in run.message and timeline.iteration == best + 100
    assert timeline.points[-2].validation_loss > 1.5 * measured[best], "it has turned up"
    assert timeline.points[-1].validation_loss == measured[best], "the last point is of the weights that are back"
    assert timeline.points[-1].loss < 0.5 * timeline.points[best + 1].loss, "the training loss falls on"
    restored = digest(timeline.trainer.net)
    timeline.go_to(best)
    assert digest(timeline.trainer.net) == restored


def test_l1_brings_weights_near_zero_and_l2_shrinks_them():
    shares, largest = {}, {}
    for penalty, other in (("l1", "l2"), ("l2", "l1")):
        weights = trained("sparse_weights", 600, **{penalty: 0.005, other: 0}).trainer.parameters["out.weight"].detach().abs()
        shares[penalty], largest[penalty] = float((weights < 1e-3).double().mean()), float(weights.max())
    assert shares["l1"] >= 0.4 and shares["l1"] >= 5 * shares["l2"] and largest["l2"] < largest["l1"]


# --- E7, E8: new samples ---


def nearest(timeline):
    """How far generated points are from the nearest row, and rows from the nearest generated point, on average."""
    rows, made = timeline.trainer.training_rows.x.double(), timeline.trainer.sides.generated(500).double()
    away = torch.cdist(made, rows)
    return away.min(1).values.mean().item(), away.min(0).values.mean().item()


@pytest.mark.parametrize("seed", [3, 11])
def test_generated_points_come_to_lie_on_the_data_and_all_over_it(seed):
    start, end = (nearest(trained("gan", iterations, seed=seed)) for iterations in (0, 4000))
    assert end[0] < 0.3 * start[0], "no point is far from the data"
    assert end[1] < 0.3 * start[1], "no part of the data is left out"


def test_a_variational_autoencoder_makes_rows_like_those_of_the_data():
    document = open_document("template:vae")
    away = []
    for iterations in (0, 1500):
        timeline = Timeline(document, HERE)
        timeline.go_to(iterations)
        made = grid_samples(timeline.trainer, 8).rows
        away.append(torch.cdist(made, timeline.trainer.training_rows.x).min(1).values.mean().item())
    assert away[1] < 0.4 * away[0]


# --- E3, E7: beside other models ---


def beside(name, iterations, task=BaselinesTask()):  # noqa: B008
    """The baselines of the example after so many iterations, each model by its name, and its trainer."""
    trainer = trained(name, iterations).trainer
    found = finished(baselines(task, trainer))
    return found, {model.name: model for model in found.models}, trainer


def test_one_sigmoid_neuron_is_logistic_regression():
    _, models, trainer = beside("logistic_neuron", 400, BaselinesTask(trees=2))
    x, y = trainer.training_rows.x.numpy(), trainer.training_rows.y.numpy()
    own = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
    assert trainer.parameters["out.weight"].detach().numpy() == pytest.approx(own.coef_, rel=1e-4)
    assert trainer.parameters["out.bias"].detach().numpy() == pytest.approx(own.intercept_, rel=1e-4, abs=1e-4)
    pictures = [to_numpy(models[name].picture) for name in ("this net", "logistic regression")]
    assert np.abs(pictures[0] - pictures[1]).max() < 1e-4 and models["random forest"].training > models["this net"].training


def test_the_mean_of_thinned_nets_beats_one_as_a_forest_beats_its_trees():
    found, models, _ = beside("thinned_nets", 300, BaselinesTask(trees=60, nets=60))
    forest, nets = found.averaged
    for one in (forest, nets):
        singles, means = to_numpy(one.singles), to_numpy(one.means)
        assert means[-1] > singles.mean() + 0.04 and means[-1] > singles.max() - 0.01, one.name
    assert nets.whole == pytest.approx(to_numpy(nets.means)[-1], abs=0.01), "the whole net stands for the mean"
    assert nets.whole == models["this net"].validation


def test_a_linear_autoencoder_reaches_principal_components_from_above():
    for iterations in (100, 500, 1500):
        _, models, trainer = beside("linear_autoencoder", iterations)
        least, loss = models["PCA, 3 components"].training, trainer.evaluate(trainer.training_rows)[0]
        assert loss >= least * (1 - 1e-9) and models["this net"].training == pytest.approx(loss, rel=1e-9)
    assert loss <= 1.01 * least


def test_a_deep_autoencoder_passes_principal_components_on_curved_data():
    _, models, _ = beside("curved_autoencoder", 600)
    assert models["this net"].validation < 0.2 * models["PCA, 2 components"].validation


# --- E6: many columns ---


def test_distances_become_alike_as_columns_are_added():
    found = finished(distances(DistancesTask(), trained("curse_of_dimension", 0).trainer))
    ratios, scores = to_numpy(found.ratios), to_numpy(found.scores)
    assert (np.diff(ratios) < 0).all() and ratios[0] > 20 and 1 < ratios[-1] < 1.1
    assert scores[0] > 0.95 and scores[-1] < 0.6, "the nearest rows say nothing any more"
    spreads = to_numpy(found.spreads)[-4:]
    assert spreads[:-1] / spreads[1:] == pytest.approx([2**0.5] * 3, rel=0.1), "it falls as one over the root of the columns"


# --- B4: from a probability to a class ---


def test_a_low_threshold_misses_less_and_a_high_one_accuses_less():
    trainer = trained("threshold", 300).trainer
    data, answers = data_record(trainer.data), predictions(trainer)
    figures = [AnswersOfSet(data, answers, False, threshold).classes[1] for threshold in (0.1, 0.3, 0.5, 0.7, 0.9)]
    recalls, precisions = ([getattr(one, name) for one in figures] for name in ("recall", "precision"))
    assert recalls == sorted(recalls, reverse=True) and recalls[0] > 0.95 and recalls[-1] < 0.5
    assert precisions == sorted(precisions) and precisions[0] < 0.65 and precisions[-1] > 0.9


def columns_without_weight(**settings):
    trainer = trained("selected_columns", 500, **settings).trainer
    lengths = to_numpy(picture(trainer, PictureWish("columns")).values)
    return int((lengths < 0.01 * lengths.max()).sum()), trainer.evaluate(trainer.validation_rows)[1]


def test_l1_leaves_input_columns_without_weight():
    selected, score = columns_without_weight()
    assert selected >= 15 and score > 0.92
    assert columns_without_weight(l1=0)[0] == 0 and columns_without_weight(l1=0, l2=0.003)[0] < selected


# --- F6: a series ---


def test_one_linear_neuron_over_the_last_two_values_is_least_squares():
    trainer = trained("series_plane", 400).trainer
    own = LinearRegression().fit(trainer.training_rows.x.numpy(), trainer.training_rows.y.numpy())
    assert trainer.parameters["out.weight"].detach().numpy() == pytest.approx(own.coef_, rel=1e-6)
    drawn = ar_weights(2, np.random.default_rng(seeds.number(trainer.experiment.seed, "data") % 2**32))
    assert own.coef_[0][::-1] == pytest.approx(drawn, abs=0.1), "and near the weights the series was drawn with"
    plane = to_numpy(surface(trainer).output)[..., 0]
    assert np.abs(np.diff(plane, 2, axis=0)).max() < 1e-5 and np.abs(np.diff(plane, 2, axis=1)).max() < 1e-5


# --- E5: what a batch costs ---


def test_a_larger_batch_needs_more_memory_and_less_time_for_an_epoch():
    costs = finished(batch_costs(BatchCostTask(), trained("digits", 10).trainer)).costs
    memory = [cost.memory for cost in costs]
    assert memory == sorted(memory) and memory[-1] > 500 * memory[0]
    assert costs[0].updates == 1258 and costs[0].epoch > 5 * min(cost.epoch for cost in costs[3:])
    assert costs[-1].seconds > 3 * costs[0].seconds, "and more time for an update"
